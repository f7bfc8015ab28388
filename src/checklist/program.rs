//! Which program a command starts, however it is spelled, and whether that program runs other code.

use super::knowledge::programs::{self, ProgramKind};
use super::place::{Class, class_of};
use crate::host::ImagePath;

/// A command without the characters that cmd ignores and that obfuscation is made of: carets, doubled
/// quotes, doubled spaces; lower case.
pub(super) fn plain(command: &str) -> String {
    let bare = command.replace('^', "").replace("\"\"", "").to_lowercase();
    bare.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The file name of a program without cmd's tricks: `c^md`, `"cm"d`.
pub(super) fn plain_leaf(path: &ImagePath) -> String {
    path.leaf().replace(['^', '"'], "")
}

/// Whether the program is an interpreter, or a tool of Windows that runs other code, and has no reason to be
/// a service with these arguments.
pub(super) fn is_lolbin(path: &ImagePath) -> bool {
    let leaf = plain_leaf(path);
    let arguments = path.arguments.to_lowercase();
    if programs::is(&leaf, ProgramKind::Interpreter) {
        return true;
    }
    // Vendors name programs of their own `control.exe` or `net.exe`; those of Windows lie in its folder.
    let of_windows = !matches!(
        class_of(path),
        Class::ProgramFiles | Class::OwnFolder | Class::ProgramData | Class::Drivers
    );
    match leaf.as_str() {
        "dllhost.exe" if arguments.contains("/processid:{") => false,
        "msiexec.exe" if matches!(arguments.trim(), "/v" | "-v") => false,
        _ => of_windows && programs::is(&leaf, ProgramKind::Lolbin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tricks_of_cmd_are_undone() {
        assert_eq!(plain(r#"C^M^D   /c  ""e^cho"" x"#), "cmd /c echo x");
        for (raw, expected) in [
            (r"cmd /c x", true),
            (r"C:/Windows/System32/cmd.exe", true),
            (r"%COMSPEC% /c x", true),
            (r"C:\Windows\System32\mSiEXec.exe /v", false),
            (r"C:\Windows\System32\msiexec.exe /i x", true),
            (r"C:\Windows\System32\svchost.exe -k x", false),
            (r#""C:\Program Files\A\net.exe""#, false),
            (r#""C:\Program Files\A\python.exe""#, true),
        ] {
            assert_eq!(is_lolbin(&ImagePath::parse(raw)), expected, "{raw}");
        }
    }
}
