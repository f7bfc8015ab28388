//! A command as a service key stores it, taken apart the way Windows would.
//!
//! Without the file system the end of an unquoted program is a guess: the first prefix that ends at a space
//! and names an executable by its extension, as `CreateProcess` would find it if no shorter file existed.

use serde::{Deserialize, Serialize};

/// What precedes the path proper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prefix {
    /// Nothing.
    None,
    /// `\??\`: the NT object directory; what `CreateService` stores for a driver given a DOS path.
    NtObject,
    /// `\\?\` or `\\.\`: Win32 file or device namespace.
    Win32Namespace,
}

/// How the program is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Naming {
    /// `C:\…`, possibly after expansion.
    Absolute,
    /// `\\host\share\…`.
    Unc,
    /// `\Device\…`, `GLOBALROOT`, a pipe or another device.
    Device,
    /// A file name alone, found through the search path.
    Bare,
    /// A path that starts nowhere known, or with an unknown variable.
    Relative,
}

/// A parsed command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImagePath {
    /// As stored.
    pub raw: String,
    /// The program as written, without quotes and prefix.
    pub program: String,
    /// What follows the program, trimmed.
    pub arguments: String,
    /// The program with variables expanded and `\SystemRoot` resolved, `C:` assumed as the system drive.
    pub expanded: String,
    /// `expanded` in lower case, `\` only, `.` and `..` and trailing dots and spaces resolved: for comparing. Short (8.3)
    /// names are written out where the file was found.
    pub normalized: String,
    /// Whether the program was quoted.
    pub quoted: bool,
    /// What preceded it.
    pub prefix: Prefix,
    /// How it is named.
    pub naming: Naming,
    /// Variables in the program, lower case without `%`.
    pub variables: Vec<String>,
    /// Whether there was no `ImagePath` and this is what Windows loads for a driver of that name.
    pub implied: bool,
}

/// Extensions `CreateProcess`, the loader or the shell would run, and libraries.
const PROGRAM_EXTENSIONS: [&str; 15] = [
    ".exe", ".sys", ".dll", ".com", ".bat", ".cmd", ".scr", ".pif", ".ps1", ".vbs", ".js", ".wsf",
    ".cpl", ".msi", ".ocx",
];

/// Variables that the service control manager's environment holds, and what they mean on a default install.
const VARIABLES: [(&str, &str); 14] = [
    ("systemroot", r"C:\Windows"),
    ("windir", r"C:\Windows"),
    ("systemdrive", "C:"),
    ("programfiles", r"C:\Program Files"),
    ("programw6432", r"C:\Program Files"),
    ("programfiles(x86)", r"C:\Program Files (x86)"),
    ("commonprogramfiles", r"C:\Program Files\Common Files"),
    ("commonprogramw6432", r"C:\Program Files\Common Files"),
    ("commonprogramfiles(x86)", r"C:\Program Files (x86)\Common Files"),
    ("programdata", r"C:\ProgramData"),
    ("allusersprofile", r"C:\ProgramData"),
    ("public", r"C:\Users\Public"),
    ("comspec", r"C:\Windows\System32\cmd.exe"),
    ("temp", r"C:\Windows\Temp"),
];

impl ImagePath {
    /// Takes a stored command apart.
    pub fn parse(raw: &str) -> Self {
        let text = raw.trim_matches(|c: char| c.is_whitespace() || c == '\0').replace('/', "\u{1}");
        let (program, arguments, quoted) = split_program(&text);
        let program = program.replace('\u{1}', "\\");
        let arguments = arguments.trim().replace('\u{1}', "/");
        let (prefix, program) = strip_prefix(&program);
        let (expanded, variables) = expand(program);
        let (expanded, naming) = resolve_root(&expanded, prefix);
        let normalized = normalize(&expanded);
        Self {
            raw: raw.to_owned(),
            program: program.to_owned(),
            arguments,
            expanded,
            normalized,
            quoted,
            prefix,
            naming,
            variables,
            implied: false,
        }
    }

    /// What Windows loads for a driver key without `ImagePath`: `System32\drivers\<name>.sys`.
    pub fn implied_driver(name: &str) -> Self {
        Self {
            raw: String::new(),
            implied: true,
            ..Self::parse(&format!("\\SystemRoot\\System32\\drivers\\{name}.sys"))
        }
    }

    /// The path of a file as logs write it: nothing in it is an argument, spaces or not.
    pub fn of_file(path: &str) -> Self {
        Self::parse(&format!("\"{path}\""))
    }

    /// The file name, lower case.
    pub fn leaf(&self) -> &str {
        leaf(&self.normalized)
    }

    /// The folder, lower case, without a trailing backslash; empty where none is named.
    pub fn folder(&self) -> &str {
        self.normalized.rsplit_once('\\').map_or("", |(folder, _)| folder)
    }

    /// The file name's extension without the dot, lower case; empty where there is none.
    pub fn extension(&self) -> &str {
        self.leaf().rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    /// Whether the program lies in that folder or below it (`folder` in lower case, without a trailing
    /// backslash).
    pub fn is_below(&self, folder: &str) -> bool {
        self.normalized.strip_prefix(folder).is_some_and(|rest| rest.starts_with('\\'))
    }

    /// `-k <group>` of a service hosted by svchost.exe, lower case.
    pub fn svchost_group(&self) -> Option<String> {
        if self.leaf() != "svchost.exe" {
            return None;
        }
        let mut words = self.arguments.split_whitespace();
        while let Some(word) = words.next() {
            if word.eq_ignore_ascii_case("-k") || word.eq_ignore_ascii_case("/k") {
                return words.next().map(|group| group.trim_matches('"').to_lowercase());
            }
        }
        None
    }
}

/// The last component of a path, however its components are separated.
pub fn leaf(path: &str) -> &str {
    path.rsplit(['\\', '/']).next().unwrap_or(path)
}

/// Splits `(program, arguments, quoted)`.
fn split_program(text: &str) -> (String, String, bool) {
    if let Some(rest) = text.strip_prefix('"') {
        return match rest.split_once('"') {
            Some((program, arguments)) => (program.to_owned(), arguments.to_owned(), true),
            None => (rest.to_owned(), String::new(), true),
        };
    }
    let spaces = text.char_indices().filter(|(_, c)| c.is_whitespace()).map(|(at, _)| at);
    for end in spaces.chain([text.len()]) {
        let Some((candidate, rest)) = text.split_at_checked(end) else { continue };
        if ends_a_program(candidate) {
            return (candidate.to_owned(), rest.to_owned(), false);
        }
    }
    match text.find(" -").or_else(|| text.find(" \u{1}")) {
        Some(end) => match text.split_at_checked(end) {
            Some((program, arguments)) => (program.to_owned(), arguments.to_owned(), false),
            None => (text.to_owned(), String::new(), false),
        },
        None => (text.to_owned(), String::new(), false),
    }
}

/// Whether `CreateProcess` would take this prefix for the program: an executable extension, the command
/// interpreter's variable, or a first word without any path.
fn ends_a_program(candidate: &str) -> bool {
    let lower = candidate.to_lowercase();
    if lower == "%comspec%" || PROGRAM_EXTENSIONS.iter().any(|end| lower.ends_with(end)) {
        return true;
    }
    !lower.is_empty()
        && !lower.contains(['\\', '\u{1}', ':', '%', '.'])
        && !lower.contains(char::is_whitespace)
}

fn strip_prefix(program: &str) -> (Prefix, &str) {
    if let Some(rest) = program.strip_prefix(r"\??\") {
        return (Prefix::NtObject, rest);
    }
    for prefix in [r"\\?\", r"\\.\"] {
        if let Some(rest) = program.strip_prefix(prefix) {
            return (Prefix::Win32Namespace, rest);
        }
    }
    (Prefix::None, program)
}

/// Expands the known variables; returns the names of all of them.
fn expand(program: &str) -> (String, Vec<String>) {
    // Sysmon doubles the percent signs; nothing else writes them so.
    let program = program.replace("%%", "%");
    let mut expanded = String::with_capacity(program.len());
    let mut variables = Vec::new();
    let mut rest = program.as_str();
    while let Some((before, after)) = rest.split_once('%') {
        expanded.push_str(before);
        let Some((name, tail)) = after.split_once('%') else {
            expanded.push('%');
            rest = after;
            continue;
        };
        let lower = name.to_lowercase();
        if let Some((_, value)) = VARIABLES.iter().find(|(known, _)| *known == lower) {
            expanded.push_str(value);
        } else {
            expanded.push('%');
            expanded.push_str(name);
            expanded.push('%');
        }
        variables.push(lower);
        rest = tail;
    }
    expanded.push_str(rest);
    (expanded, variables)
}

/// Resolves the ways to name the Windows folder and says how the program is named.
fn resolve_root(path: &str, prefix: Prefix) -> (String, Naming) {
    let lower = path.to_lowercase();
    let below = |start: &str| path.get(start.len()..).filter(|_| lower.starts_with(start));
    if let Some(rest) = below(r"\systemroot\").or_else(|| below(r"systemroot\")) {
        return (format!(r"C:\Windows\{rest}"), Naming::Absolute);
    }
    if ["system32\\", "syswow64\\", "sysnative\\"].iter().any(|start| lower.starts_with(start)) {
        return (format!(r"C:\Windows\{path}"), Naming::Absolute);
    }
    if lower.starts_with(r"\device\")
        || lower.starts_with("globalroot\\")
        || prefix == Prefix::Win32Namespace && lower.starts_with("pipe\\")
    {
        return (path.to_owned(), Naming::Device);
    }
    if prefix != Prefix::None && lower.starts_with("unc\\") {
        return (format!(r"\\{}", path.get(4..).unwrap_or_default()), Naming::Unc);
    }
    if lower.starts_with(r"\\") {
        return (path.to_owned(), Naming::Unc);
    }
    let mut chars = lower.chars();
    match (chars.next(), chars.next()) {
        (Some('a'..='z'), Some(':')) => (path.to_owned(), Naming::Absolute),
        (Some('\\'), _) => (format!("C:{path}"), Naming::Absolute),
        _ if !path.contains('\\') && !path.contains('%') => (path.to_owned(), Naming::Bare),
        _ => (path.to_owned(), Naming::Relative),
    }
}

/// Lower case, one separator, no `.`, `..`, trailing dots or spaces in components.
fn normalize(path: &str) -> String {
    let lower = path.to_lowercase().replace('/', "\\");
    let (root, rest) = match lower.strip_prefix(r"\\") {
        Some(rest) => (r"\\", rest),
        None => ("", lower.as_str()),
    };
    let mut components: Vec<&str> = Vec::new();
    for component in rest.split('\\') {
        match component {
            "" | "." => {}
            ".." => {
                if components.len() > 1 {
                    components.pop();
                }
            }
            other => components.push(other.trim_end_matches(['.', ' '])),
        }
    }
    let leading = if root.is_empty() && rest.starts_with('\\') { "\\" } else { root };
    format!("{leading}{}", components.join("\\"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_end_where_windows_would_end_them() {
        // raw, program, arguments, normalized
        for (raw, program, arguments, normalized) in [
            (
                r"%SystemRoot%\system32\svchost.exe -k netsvcs -p",
                r"%SystemRoot%\system32\svchost.exe",
                "-k netsvcs -p",
                r"c:\windows\system32\svchost.exe",
            ),
            (
                r#""C:\Program Files\A B\x.exe" -k /y"#,
                r"C:\Program Files\A B\x.exe",
                "-k /y",
                r"c:\program files\a b\x.exe",
            ),
            (
                r"C:\Program Files\A B\x.exe -k",
                r"C:\Program Files\A B\x.exe",
                "-k",
                r"c:\program files\a b\x.exe",
            ),
            (
                r"%COMSPEC% /Q /c echo cd ^> \\127.0.0.1\C$\__output > %TEMP%\execute.bat",
                "%COMSPEC%",
                r"/Q /c echo cd ^> \\127.0.0.1\C$\__output > %TEMP%\execute.bat",
                r"c:\windows\system32\cmd.exe",
            ),
            (r"cmd /k tscon 1 /dest:rdp", "cmd", "/k tscon 1 /dest:rdp", "cmd"),
            (
                r"\SystemRoot\System32\drivers\afd.sys",
                r"\SystemRoot\System32\drivers\afd.sys",
                "",
                r"c:\windows\system32\drivers\afd.sys",
            ),
            (
                r"system32\drivers\x.sys",
                r"system32\drivers\x.sys",
                "",
                r"c:\windows\system32\drivers\x.sys",
            ),
            (
                r"\??\C:\Users\j\Temp\ad.sys",
                r"C:\Users\j\Temp\ad.sys",
                "",
                r"c:\users\j\temp\ad.sys",
            ),
            (r"\\host\ADMIN$\a.exe", r"\\host\ADMIN$\a.exe", "", r"\\host\admin$\a.exe"),
            (
                "C:\\Users\\m\\Desktop/Mnemosyne.sys",
                r"C:\Users\m\Desktop\Mnemosyne.sys",
                "",
                r"c:\users\m\desktop\mnemosyne.sys",
            ),
            (r"f-response-ent.exe", "f-response-ent.exe", "", "f-response-ent.exe"),
            (
                r"C:\a\..\Windows\.\System32\x.exe. ",
                r"C:\a\..\Windows\.\System32\x.exe.",
                "",
                r"c:\windows\system32\x.exe",
            ),
            ("", "", "", ""),
            ("\"C:\\never closed.exe -x", r"C:\never closed.exe -x", "", r"c:\never closed.exe -x"),
        ] {
            let path = ImagePath::parse(raw);
            assert_eq!(
                (path.program.as_str(), path.arguments.as_str(), path.normalized.as_str()),
                (program, arguments, normalized),
                "{raw}"
            );
        }
    }

    #[test]
    fn naming_tells_how_the_program_is_found() {
        for (raw, naming) in [
            (r"C:\x.exe", Naming::Absolute),
            (r"\\h\s\x.exe", Naming::Unc),
            (r"\\?\UNC\h\s\x.exe", Naming::Unc),
            (r"\Device\HarddiskVolume3\x.exe", Naming::Device),
            (r"\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy1\x.exe", Naming::Device),
            ("x.exe", Naming::Bare),
            (r"%APPDATA%\x.exe", Naming::Relative),
            (r"%TEMP%\x.exe", Naming::Absolute),
        ] {
            assert_eq!(ImagePath::parse(raw).naming, naming, "{raw}");
        }
        assert_eq!(ImagePath::parse(r"%APPDATA%\x.exe").variables, ["appdata"]);
    }

    #[test]
    fn svchost_group_is_read_from_the_arguments() {
        let group = |raw| ImagePath::parse(raw).svchost_group();
        assert_eq!(
            group(r"%SystemRoot%\System32\svchost.exe -k NetSvcs -p").as_deref(),
            Some("netsvcs")
        );
        assert_eq!(group(r"C:\Windows\svchost.exe"), None);
        assert_eq!(group(r"C:\x.exe -k netsvcs"), None);
        assert_eq!(
            ImagePath::implied_driver("Beep").normalized,
            r"c:\windows\system32\drivers\beep.sys"
        );
    }
}
