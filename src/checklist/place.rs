//! Where a file lies, as far as its path tells.

use super::knowledge::programs;
use crate::host::ImagePath;
use crate::host::image_path::Naming;

/// What kind of place a file lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// `\\host\share\…`.
    Unc,
    /// `\Device\…`, `GLOBALROOT`.
    Device,
    /// A name without a folder.
    Bare,
    /// A path that starts nowhere known.
    Relative,
    /// A profile, a temporary or another folder that ordinary users can write to; with its description.
    UserWritable(&'static str),
    /// A servicing or installer folder from which nothing runs as a service; with its name.
    Servicing(&'static str),
    /// Directly in the Windows folder.
    WindowsRoot,
    /// A folder of Windows from which no service runs; with its name and whether users can write to it.
    OddWindows(&'static str, bool),
    /// Directly in `System32` or `SysWOW64`.
    System,
    /// `System32\drivers` or the driver store.
    Drivers,
    /// Elsewhere below the Windows folder.
    BelowWindows,
    /// Below `Program Files`.
    ProgramFiles,
    /// Directly in `ProgramData`.
    ProgramDataRoot,
    /// Below `ProgramData`.
    ProgramData,
    /// Directly in the root of a drive, or the root itself.
    DriveRoot,
    /// In a folder of its own below the root of a drive.
    OwnFolder,
}

/// Where a file lies.
pub(super) fn class_of(path: &ImagePath) -> Class {
    match path.naming {
        Naming::Unc => return Class::Unc,
        Naming::Device => return Class::Device,
        Naming::Bare => return Class::Bare,
        Naming::Relative => return Class::Relative,
        Naming::Absolute => {}
    }
    let whole = path.normalized.as_str();
    let rest = whole.split_once(':').map_or("", |(_, rest)| rest);
    if let Some(what) = user_writable(rest) {
        return Class::UserWritable(what);
    }
    if let Some(name) = servicing(rest) {
        return Class::Servicing(name);
    }
    if let Some(below) = whole.strip_prefix(r"c:\windows\") {
        return below_windows(whole, below);
    }
    if PROGRAM_ROOTS.iter().any(|root| rest.starts_with(root)) {
        return Class::ProgramFiles;
    }
    if let Some(below) = rest.strip_prefix("\\programdata\\") {
        return if below.contains('\\') { Class::ProgramData } else { Class::ProgramDataRoot };
    }
    if rest.strip_prefix('\\').unwrap_or(rest).contains('\\') {
        Class::OwnFolder
    } else {
        Class::DriveRoot
    }
}

/// Folders for programs. Before Vista they had the name of the system's language, which is a junction since.
const PROGRAM_ROOTS: [&str; 6] = [
    "\\program files\\",
    "\\program files (x86)\\",
    "\\programme\\",
    "\\archivos de programa\\",
    "\\arquivos de programas\\",
    "\\programmi\\",
];

fn below_windows(whole: &str, below: &str) -> Class {
    if !below.contains('\\') {
        return Class::WindowsRoot;
    }
    if let Some((folder, writable)) = programs::odd_windows_folder(whole) {
        return Class::OddWindows(folder, writable);
    }
    if ["system32\\drivers\\", "system32\\driverstore\\filerepository\\"]
        .iter()
        .any(|root| below.starts_with(root))
    {
        return Class::Drivers;
    }
    match below.strip_prefix("system32\\").or_else(|| below.strip_prefix("syswow64\\")) {
        Some(file) if !file.contains('\\') => Class::System,
        _ => Class::BelowWindows,
    }
}

/// What kind of folder that ordinary users can write to this path (without its drive) goes through.
fn user_writable(rest: &str) -> Option<&'static str> {
    const BELOW: [(&str, &str); 10] = [
        (r"\users\public\", "a folder ordinary users can write to"),
        (r"\windows\temp\", "a folder ordinary users can write to"),
        (r"\users\", "a user's profile"),
        (r"\documents and settings\", "a user's profile"),
        (r"\dokumente und einstellungen\", "a user's profile"),
        (r"\perflogs\", "a folder for performance logs"),
        (r"\$recycle.bin\", "the recycle bin"),
        (r"\recycler\", "the recycle bin"),
        (r"\temp\", "a temporary folder"),
        (r"\tmp\", "a temporary folder"),
    ];
    const ANYWHERE: [(&str, &str); 4] = [
        (r"\appdata\", "a user's profile"),
        (r"\downloads\", "a download folder"),
        (r"\temp\", "a temporary folder"),
        (r"\local settings\", "a user's profile"),
    ];
    BELOW
        .iter()
        .find(|(folder, _)| rest.starts_with(folder))
        .or_else(|| ANYWHERE.iter().find(|(folder, _)| rest.contains(folder)))
        .map(|(_, what)| *what)
}

fn servicing(rest: &str) -> Option<&'static str> {
    const FOLDERS: [(&str, &str); 7] = [
        (r"\windows\winsxs\", "WinSxS"),
        (r"\windows\installer\", "Windows\\Installer"),
        (r"\windows\softwaredistribution\", "SoftwareDistribution"),
        (r"\$windows.~bt\", "$WINDOWS.~BT"),
        (r"\$windows.~ws\", "$WINDOWS.~WS"),
        (r"\windows.old\", "Windows.old"),
        (r"\system volume information\", "System Volume Information"),
    ];
    FOLDERS.iter().find(|(folder, _)| rest.starts_with(folder)).map(|(_, name)| *name)
}

/// Whether a program lies where only administrators and installers write, on drive C:. [`Class::ProgramFiles`] and
/// [`Class::BelowWindows`] are about what such a folder is for; this is about who could have put the file there.
pub(super) fn is_in_trusted_folder(image: &ImagePath) -> bool {
    [r"c:\windows\system32", r"c:\windows\syswow64", r"c:\windows\microsoft.net"]
        .iter()
        .chain(&PROGRAM_FILES)
        .any(|folder| image.is_below(folder))
}

/// Whether a program lies in Program Files of drive C:, even in a folder of it that users can write to, which
/// [`class_of`] tells apart.
pub(super) fn is_in_program_files(image: &ImagePath) -> bool {
    PROGRAM_FILES.iter().any(|folder| image.is_below(folder))
}

const PROGRAM_FILES: [&str; 2] = [r"c:\program files", r"c:\program files (x86)"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_have_classes() {
        for (raw, class) in [
            (r"%SystemRoot%\System32\svchost.exe -k x", Class::System),
            (r"\SystemRoot\System32\drivers\a.sys", Class::Drivers),
            (
                r"\SystemRoot\System32\DriverStore\FileRepository\a.inf_amd64_1\a.sys",
                Class::Drivers,
            ),
            (r"C:\Windows\System32\wbem\x.exe", Class::BelowWindows),
            (r"C:\Windows\x.exe", Class::WindowsRoot),
            (r"C:\Windows\Tasks\x.exe", Class::OddWindows("tasks", true)),
            (r"C:\Windows\Temp\x.exe", Class::UserWritable("a folder ordinary users can write to")),
            (r"C:\Program Files\A\Temp\x.exe", Class::UserWritable("a temporary folder")),
            (r#""C:\Program Files (x86)\A\x.exe""#, Class::ProgramFiles),
            (r"C:\Programme\A\x.exe", Class::ProgramFiles),
            (r"C:\Dokumente und Einstellungen\a\x.exe", Class::UserWritable("a user's profile")),
            (r"C:\Program Files evil\x.exe", Class::OwnFolder),
            (r"C:\ProgramData\x.exe", Class::ProgramDataRoot),
            (r"C:\ProgramData\A\x.exe", Class::ProgramData),
            (r"C:\x.exe", Class::DriveRoot),
            ("c:\\", Class::DriveRoot),
            (r"E:\a\x.exe", Class::OwnFolder),
            (r"C:\Users\..\Windows\System32\x.exe", Class::System),
            (r"\\h\ADMIN$\x.exe", Class::Unc),
            ("x.exe", Class::Bare),
        ] {
            assert_eq!(class_of(&ImagePath::parse(raw)), class, "{raw}");
        }
    }
}
