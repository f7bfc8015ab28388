//! A full path as Windows writes it, taken apart.

/// Components of a path; Windows' own limit on paths allows no more by far.
const MOST: usize = 512;

/// `C:\Windows\System32\x.exe:stream`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HostPath {
    /// The drive letter in upper case.
    pub(super) drive: char,
    pub(super) components: Vec<String>,
    /// The alternate data stream.
    pub(super) stream: Option<String>,
}

impl HostPath {
    /// Takes a path with a drive letter apart, as Windows does before it asks the file system: `/` is a separator,
    /// `.` and `..` are resolved, dots and spaces at the end of a name do not count. Nothing of that holds after
    /// `\\?\`. Absent for other paths.
    pub(super) fn parse(path: &str) -> Option<Self> {
        let verbatim = path.strip_prefix(r"\\?\");
        let (drive, rest) = verbatim.unwrap_or(path).split_once(':')?;
        let mut letters = drive.chars();
        let drive = letters.next().filter(char::is_ascii_alphabetic)?.to_ascii_uppercase();
        if letters.next().is_some() || !rest.is_empty() && !rest.starts_with(['\\', '/']) {
            return None;
        }
        let mut components: Vec<String> = Vec::new();
        if verbatim.is_some() {
            components.extend(rest.split('\\').filter(|name| !name.is_empty()).map(str::to_owned));
        } else {
            for name in rest.split(['\\', '/']) {
                match name {
                    ".." => drop(components.pop()),
                    name => components.push(name.trim_end_matches(['.', ' ']).to_owned()),
                }
                if components.last().is_some_and(String::is_empty) {
                    components.pop();
                }
            }
        }
        if components.len() > MOST {
            return None;
        }
        let stream = components.last_mut().and_then(split_stream);
        Some(Self { drive, components, stream })
    }

    /// The path of the first components, without the stream.
    pub(super) fn shown(&self, count: usize) -> String {
        let mut shown = format!("{}:", self.drive);
        for name in self.components.iter().take(count) {
            shown.push('\\');
            shown.push_str(name);
        }
        if count == 0 {
            shown.push('\\');
        }
        shown
    }
}

/// Takes the stream off a name. The kind is part of the syntax: `name::$DATA` is the file itself.
fn split_stream(name: &mut String) -> Option<String> {
    let (file, stream) = name.split_once(':')?;
    let stream = stream.strip_suffix(":$DATA").unwrap_or(stream).to_owned();
    *name = file.to_owned();
    Some(stream).filter(|stream| !stream.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_apart_as_windows_does() {
        for (text, expected, stream) in [
            (r"c:\Windows\System32\x.exe", Some(r"C:\Windows\System32\x.exe"), None),
            (r"C:/a//b\.\..\x.exe. ", Some(r"C:\a\x.exe"), None),
            (r"C:\..\..\x", Some(r"C:\x"), None),
            (r"C:\a\x.dll:bad", Some(r"C:\a\x.dll"), Some("bad")),
            (r"C:\a\x.dll::$DATA", Some(r"C:\a\x.dll"), None),
            (r"C:\a\x.dll:bad:$DATA", Some(r"C:\a\x.dll"), Some("bad")),
            (r"\\?\C:\a \x.", Some(r"C:\a \x."), None),
            (r"D:\", Some(r"D:\"), None),
            (r"C:x.exe", None, None),
            (r"\\host\share\x.exe", None, None),
            ("x.exe", None, None),
            ("", None, None),
        ] {
            let path = HostPath::parse(text);
            let shown = path.as_ref().map(|path| path.shown(path.components.len()));
            assert_eq!(shown.as_deref(), expected, "{text}");
            assert_eq!(path.and_then(|path| path.stream).as_deref(), stream, "{text}");
        }
        assert!(HostPath::parse(&format!("C:{}", r"\a".repeat(MOST + 1))).is_none());
    }
}
