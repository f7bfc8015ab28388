//! Environment variables in command lines: `%NAME%`, `%NAME:~3,1%`, `%NAME:a=b%`, `!NAME!`.

use std::collections::BTreeMap;

/// What these are on an ordinary installation of Windows; obfuscators cut letters out of them.
const STANDARD: [(&str, &str); 18] = [
    ("ALLUSERSPROFILE", r"C:\ProgramData"),
    ("COMMONPROGRAMFILES", r"C:\Program Files\Common Files"),
    ("COMMONPROGRAMFILES(X86)", r"C:\Program Files (x86)\Common Files"),
    ("COMMONPROGRAMW6432", r"C:\Program Files\Common Files"),
    ("COMSPEC", r"C:\WINDOWS\system32\cmd.exe"),
    ("HOMEDRIVE", "C:"),
    ("OS", "Windows_NT"),
    ("PATHEXT", ".COM;.EXE;.BAT;.CMD;.VBS;.VBE;.JS;.JSE;.WSF;.WSH;.MSC"),
    ("PROCESSOR_ARCHITECTURE", "AMD64"),
    ("PROGRAMDATA", r"C:\ProgramData"),
    ("PROGRAMFILES", r"C:\Program Files"),
    ("PROGRAMFILES(X86)", r"C:\Program Files (x86)"),
    ("PROGRAMW6432", r"C:\Program Files"),
    (
        "PSMODULEPATH",
        r"C:\Program Files\WindowsPowerShell\Modules;C:\WINDOWS\system32\WindowsPowerShell\v1.0\Modules",
    ),
    ("PUBLIC", r"C:\Users\Public"),
    ("SYSTEMDRIVE", "C:"),
    ("SYSTEMROOT", r"C:\WINDOWS"),
    ("WINDIR", r"C:\WINDOWS"),
];
/// How long a value that a line sets may be.
const LONGEST: usize = 8 * 1024;
/// How many variables of one line are remembered.
const MOST: usize = 64;

/// The variables that a line set so far.
#[derive(Debug, Default)]
pub(super) struct Variables {
    set: BTreeMap<String, String>,
}

impl Variables {
    /// `set NAME=VALUE`, with or without quotes around it; whether it was one.
    pub(super) fn assign(&mut self, command: &str) -> bool {
        let command = command.trim_start_matches(['@', '(', ' ', '\t']);
        let Some((head, rest)) = command.split_at_checked(3) else { return false };
        if !head.eq_ignore_ascii_case("set") || !rest.starts_with([' ', '\t', '"']) {
            return false;
        }
        let rest = rest.trim_start().trim_start_matches('"').trim_end_matches('"');
        let Some((name, value)) = rest.split_once('=') else { return false };
        if name.starts_with('/') || value.len() > LONGEST || self.set.len() >= MOST {
            return false;
        }
        self.set.insert(name.trim().to_uppercase(), value.to_owned());
        true
    }

    /// The line with variables replaced that it set itself, and those of which it takes a part; plain
    /// `%SystemRoot%` stays as it is. Nothing where there is none.
    pub(super) fn expand(&self, line: &str) -> Option<String> {
        let mut out = String::new();
        let mut rest = line;
        let mut changed = false;
        while let Some(at) = rest.find(['%', '!']) {
            let (before, from) = rest.split_at_checked(at)?;
            out.push_str(before);
            let sign = if from.starts_with('%') { '%' } else { '!' };
            let inner = from.get(1..).unwrap_or_default();
            let found = inner.find(sign).and_then(|end| {
                let name = inner.get(..end)?;
                Some((self.value(name)?, inner.get(end.saturating_add(1)..)?))
            });
            if let Some((value, after)) = found {
                out.push_str(&value);
                rest = after;
                changed = true;
                if out.len() > LONGEST {
                    return None;
                }
            } else {
                out.push(sign);
                rest = inner;
            }
        }
        out.push_str(rest);
        changed.then_some(out)
    }

    fn value(&self, inner: &str) -> Option<String> {
        let (name, part) = match inner.split_once(':') {
            Some((name, part)) => (name, Some(part)),
            None => (inner, None),
        };
        let name = name.to_uppercase();
        let own = self.set.get(&name).map(String::as_str);
        let Some(part) = part else { return own.map(str::to_owned) };
        let standard =
            || STANDARD.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let value = own.or_else(standard)?;
        if let Some(range) = part.strip_prefix('~') {
            return substring(value, range);
        }
        let (old, new) = part.split_once('=')?;
        (!old.is_empty() && !old.starts_with('*')).then(|| replaced(value, old, new))
    }
}

/// `%NAME:a=b%` replaces without regard to case.
fn replaced(value: &str, old: &str, new: &str) -> String {
    let (folded, old) = (value.to_ascii_lowercase(), old.to_ascii_lowercase());
    let mut out = String::new();
    let mut from = 0_usize;
    for (at, _) in folded.match_indices(&old) {
        out.push_str(value.get(from..at).unwrap_or_default());
        out.push_str(new);
        from = at.saturating_add(old.len());
    }
    out.push_str(value.get(from..).unwrap_or_default());
    out
}

/// `~start[,length]`, both perhaps negative: from the end.
fn substring(value: &str, range: &str) -> Option<String> {
    let chars: Vec<char> = value.chars().collect();
    let all = i64::try_from(chars.len()).ok()?;
    let (start, length) = match range.split_once(',') {
        Some((start, length)) => (start, Some(length.trim().parse::<i64>().ok()?)),
        None => (range, None),
    };
    let start = start.trim().parse::<i64>().ok()?;
    let start = if start < 0 { all.saturating_add(start).max(0) } else { start.min(all) };
    let end = match length {
        None => all,
        Some(length) if length < 0 => all.saturating_add(length),
        Some(length) => start.saturating_add(length).min(all),
    };
    let (start, end) = (usize::try_from(start).ok()?, usize::try_from(end.max(start)).ok()?);
    Some(chars.get(start..end)?.iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_standard_variables_are_known() {
        let none = Variables::default();
        for (line, expected) in [
            ("%COMSPEC:~-7,1%", Some("c")),
            ("%PROGRAMFILES:~10,-5%", Some(" ")),
            ("%comspec:~0,3%x", Some(r"C:\x")),
            ("%os:Windows_=%", Some("NT")),
            ("%SystemRoot%\\x", None),
            ("100%", None),
            ("%NOBODY:~1,2%", None),
            ("%COMSPEC:~x%", None),
            ("", None),
        ] {
            assert_eq!(none.expand(line).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn variables_that_the_line_sets_are_replaced() {
        let mut variables = Variables::default();
        assert!(variables.assign("set x=sc"));
        assert!(variables.assign("set \"y=create\""));
        assert!(!variables.assign("set /a z=1"));
        assert!(!variables.assign("setx a=b"));
        assert_eq!(variables.expand("call %x% !Y! e").as_deref(), Some("call sc create e"));
    }
}
