//! What variables and the Windows folder mean on a host.

use std::collections::BTreeMap;

use crate::evidence::{Evidence, EvidencePath};
use crate::host::Host;

/// The environment of the service control manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Environment {
    /// The Windows folder, without a trailing backslash: `C:\Windows`.
    pub(super) root: String,
    /// Its drive: `C:`.
    pub(super) drive: String,
    /// The host's own name, upper case.
    pub(super) host_name: String,
    /// Whether profiles lie in `Documents and Settings`.
    is_before_vista: bool,
    /// What the SYSTEM hive says, by names in lower case.
    machine: BTreeMap<String, String>,
}

/// How deep values may name other variables.
const DEEPEST: usize = 4;
/// Folders of `Path` that are looked into.
const MOST_FOLDERS: usize = 128;
/// The longest value of a variable, in characters (Microsoft, "Environment Variables").
const LONGEST: usize = 32_767;

impl Environment {
    pub(super) fn of(evidence: &dyn Evidence, host: &Host) -> Self {
        let name = host.identity.name.as_deref().unwrap_or_default();
        let known = host.identity.system_root.clone().or_else(|| {
            let mut folders = evidence.describe().windows.iter();
            let current = folders.find(|windows| windows.history.is_none())?;
            root_of(&current.path)
        });
        let machine = host.identity.environment.clone();
        Self { machine, ..Self::new(known.as_deref(), name, host.is_before_vista()) }
    }

    pub(super) fn new(system_root: Option<&str>, host_name: &str, is_before_vista: bool) -> Self {
        let root = system_root.map(|root| root.trim().trim_end_matches(['\\', '/']));
        let is_full = |root: &&str| {
            let mut chars = root.chars();
            chars.next().is_some_and(|letter| letter.is_ascii_alphabetic())
                && chars.next() == Some(':')
                && chars.next() == Some('\\')
                && chars.next().is_some()
        };
        let root = root.filter(is_full).unwrap_or(r"C:\Windows").to_owned();
        let drive = root.chars().take(2).collect();
        let host_name = host_name.to_uppercase();
        Self { root, drive, host_name, is_before_vista, machine: BTreeMap::new() }
    }

    /// What a variable means, by its name in lower case: what Windows sets at its start, what the hive says of the machine,
    /// else the default of an installation.
    fn variable(&self, name: &str, depth: usize) -> Option<String> {
        match name {
            "systemroot" => Some(self.root.clone()),
            "systemdrive" => Some(self.drive.clone()),
            _ => match self.machine.get(name) {
                Some(stored) => {
                    self.write_out(stored, depth).ok().filter(|value| !value.is_empty())
                }
                None => self.default_of(name),
            },
        }
    }

    fn default_of(&self, name: &str) -> Option<String> {
        let (root, drive) = (&self.root, &self.drive);
        let all_users = if self.is_before_vista {
            format!(r"{drive}\Documents and Settings\All Users")
        } else {
            format!(r"{drive}\ProgramData")
        };
        Some(match name {
            "windir" => root.clone(),
            "programfiles" | "programw6432" => format!(r"{drive}\Program Files"),
            "programfiles(x86)" => format!(r"{drive}\Program Files (x86)"),
            "commonprogramfiles" | "commonprogramw6432" => {
                format!(r"{drive}\Program Files\Common Files")
            }
            "commonprogramfiles(x86)" => format!(r"{drive}\Program Files (x86)\Common Files"),
            "programdata" if !self.is_before_vista => all_users,
            "allusersprofile" => all_users,
            "public" if !self.is_before_vista => format!(r"{drive}\Users\Public"),
            "comspec" => format!(r"{root}\System32\cmd.exe"),
            "temp" | "tmp" => format!(r"{root}\Temp"),
            _ => return None,
        })
    }

    /// The text with its variables expanded; each expansion is a step.
    ///
    /// # Errors
    /// The name of a variable whose value is not known.
    pub(super) fn expand(&self, text: &str, steps: &mut Vec<String>) -> Result<String, String> {
        // Sysmon doubles the percent signs; nothing else writes them so.
        let text = text.replace("%%", "%");
        self.replace(&text, DEEPEST, |name, value| steps.push(format!("%{name}% -> {value}")))
    }

    /// The value of a variable with those that it names.
    fn write_out(&self, stored: &str, depth: usize) -> Result<String, String> {
        self.replace(stored, depth, |_, _| ())
    }

    fn replace(
        &self,
        text: &str,
        depth: usize,
        mut told: impl FnMut(&str, &str),
    ) -> Result<String, String> {
        let mut expanded = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('%') {
            expanded.push_str(before);
            let Some((name, tail)) = after.split_once('%') else {
                expanded.push('%');
                rest = after;
                continue;
            };
            let below = depth.checked_sub(1).ok_or_else(|| name.to_owned())?;
            let value =
                self.variable(&name.to_lowercase(), below).ok_or_else(|| name.to_owned())?;
            told(name, &value);
            expanded.push_str(&value);
            if expanded.len() > LONGEST {
                return Err(name.to_owned());
            }
            rest = tail;
        }
        expanded.push_str(rest);
        Ok(expanded)
    }

    /// The folders in which a program without a folder is looked for, in that order: that of services.exe (which is
    /// also its current one), the 16-bit one, the Windows folder, and `Path` as the machine has it, else as setup makes it.
    pub(super) fn search_path(&self) -> Vec<String> {
        let root = &self.root;
        let path = self.machine.get("path").map_or(
            r"%SystemRoot%\System32\wbem;%SystemRoot%\System32\WindowsPowerShell\v1.0",
            String::as_str,
        );
        let own = [format!(r"{root}\System32"), format!(r"{root}\System"), root.clone()];
        let named = path.split(';').filter_map(|folder| {
            let folder = self.write_out(folder.trim().trim_matches('"'), DEEPEST).ok()?;
            let folder = folder.trim_end_matches('\\');
            folder.contains(":\\").then(|| folder.to_owned())
        });
        let mut folders: Vec<String> = Vec::new();
        for folder in own.into_iter().chain(named).take(MOST_FOLDERS) {
            if !folders.iter().any(|known| known.eq_ignore_ascii_case(&folder)) {
                folders.push(folder);
            }
        }
        folders
    }

    /// What a 32-bit program gets that asks for a path in `System32`; absent for paths that are not redirected.
    /// Source: Microsoft, "File System Redirector".
    pub(super) fn redirected(&self, path: &str) -> Option<String> {
        const EXEMPT: [&str; 6] =
            ["catroot\\", "catroot2\\", "driverstore\\", "drivers\\etc\\", "logfiles\\", "spool\\"];
        let system32 = format!(r"{}\system32\", self.root).to_lowercase();
        let lower = path.to_lowercase();
        let below = lower.strip_prefix(&system32)?;
        if EXEMPT.iter().any(|folder| below.starts_with(folder)) {
            return None;
        }
        let rest = path.get(system32.len()..)?;
        Some(format!(r"{}\SysWOW64\{rest}", self.root))
    }
}

/// What a Windows folder of the evidence was called on the host, where the SOFTWARE hive does not tell: by its own name
/// and that of the folder it is in, if that is a drive's.
fn root_of(windows: &EvidencePath) -> Option<String> {
    let (parent, name) = windows.split();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || !name.chars().all(is_plain) {
        return None;
    }
    let drive = parent.name().trim_end_matches(':').trim_end_matches("%3A");
    let mut letters = drive.chars();
    let letter = letters.next().filter(char::is_ascii_alphabetic);
    let letter = letter.filter(|_| letters.next().is_none()).unwrap_or('C').to_ascii_uppercase();
    Some(format!(r"{letter}:\{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_windows_folder_is_the_hosts_own() {
        for (system_root, root, drive) in [
            (None, r"C:\Windows", "C:"),
            (Some(r"C:\WINNT"), r"C:\WINNT", "C:"),
            (Some(r"D:\Windows\"), r"D:\Windows", "D:"),
            (Some(r"\Windows"), r"C:\Windows", "C:"),
            (Some(r"D:\"), r"C:\Windows", "C:"),
        ] {
            let environment = Environment::new(system_root, "", false);
            assert_eq!((environment.root.as_str(), environment.drive.as_str()), (root, drive));
        }
    }

    #[test]
    fn without_the_hive_the_folders_of_the_evidence_tell() {
        for (path, expected) in [
            ("Windows", Some(r"C:\Windows")),
            ("WINNT", Some(r"C:\WINNT")),
            ("d/Windows", Some(r"D:\Windows")),
            ("uploads/auto/E%3A/Windows", Some(r"E:\Windows")),
            ("copy of C/Windows", Some(r"C:\Windows")),
            ("", None),
            ("a b", None),
        ] {
            assert_eq!(root_of(&EvidencePath::new(path)).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn variables_mean_what_setup_made_them() {
        let seven = Environment::new(None, "", false);
        let xp = Environment::new(Some(r"D:\WINDOWS"), "", true);
        for (environment, text, expected) in [
            (&seven, r"%ProgramFiles%\A\a.exe", Ok(r"C:\Program Files\A\a.exe")),
            (&xp, r"%PROGRAMFILES%\A\a.exe", Ok(r"D:\Program Files\A\a.exe")),
            (&seven, r"%%SystemRoot%%\a.exe", Ok(r"C:\Windows\a.exe")),
            (&xp, r"%ALLUSERSPROFILE%\a.exe", Ok(r"D:\Documents and Settings\All Users\a.exe")),
            (&xp, r"%ProgramData%\a.exe", Err("ProgramData")),
            (&seven, r"%APPDATA%\a.exe", Err("APPDATA")),
            (&seven, r"C:\50% off\a.exe", Ok(r"C:\50% off\a.exe")),
        ] {
            let expanded = environment.expand(text, &mut Vec::new());
            assert_eq!(expanded.as_deref(), expected.map_err(str::to_owned).as_deref(), "{text}");
        }
        let mut steps = Vec::new();
        seven.expand(r"%windir%\a.exe", &mut steps).unwrap();
        assert_eq!(steps, [r"%windir% -> C:\Windows"]);
    }

    #[test]
    fn the_machine_may_say_otherwise() {
        let machine = [
            ("java_home", r"D:\Java"),
            ("comspec", r"%SystemRoot%\Temp\cmd.exe"),
            ("systemroot", r"C:\Elsewhere"),
            ("loop", "%loop%x"),
            ("path", r#"%SystemRoot%\system32;;C:\Tools\;"%JAVA_HOME%\bin";%loop%;relative"#),
        ];
        let machine = machine.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let environment =
            Environment { machine: machine.into(), ..Environment::new(None, "", false) };
        for (text, expected) in [
            (r"%JAVA_HOME%\bin\java.exe", Ok(r"D:\Java\bin\java.exe")),
            ("%ComSpec%", Ok(r"C:\Windows\Temp\cmd.exe")),
            (r"%SystemRoot%\a.exe", Ok(r"C:\Windows\a.exe")),
            (r"%ProgramData%\a.exe", Ok(r"C:\ProgramData\a.exe")),
            (r"%loop%\a.exe", Err("loop")),
        ] {
            let expanded = environment.expand(text, &mut Vec::new());
            assert_eq!(expanded.as_deref(), expected.map_err(str::to_owned).as_deref(), "{text}");
        }
        let folders = [
            r"C:\Windows\System32",
            r"C:\Windows\System",
            r"C:\Windows",
            r"C:\Tools",
            r"D:\Java\bin",
        ];
        assert_eq!(environment.search_path(), folders);
    }

    #[test]
    fn redirection_has_its_exceptions() {
        let environment = Environment::new(None, "", false);
        for (path, expected) in [
            (r"C:\Windows\System32\x.dll", Some(r"C:\Windows\SysWOW64\x.dll")),
            (r"c:\windows\system32\drivers\x.sys", Some(r"C:\Windows\SysWOW64\drivers\x.sys")),
            (r"C:\Windows\System32\spool\drivers\x.dll", None),
            (r"C:\Windows\System32\DriverStore\x.dll", None),
            (r"C:\Windows\x.dll", None),
            (r"C:\Windows\System32x\x.dll", None),
        ] {
            assert_eq!(environment.redirected(path).as_deref(), expected, "{path}");
        }
    }
}
