//! Programs that run what others tell them: shells, script hosts and loaders, for which a service has no use.

use super::image_path::leaf;

/// Their file names.
const SHELLS: [&str; 14] = [
    "bitsadmin.exe",
    "certutil.exe",
    "cmd.exe",
    "cscript.exe",
    "installutil.exe",
    "msbuild.exe",
    "mshta.exe",
    "powershell.exe",
    "pwsh.exe",
    "regasm.exe",
    "regsvcs.exe",
    "regsvr32.exe",
    "rundll32.exe",
    "wscript.exe",
];

/// Whether a program is a shell, a script host or a loader of others' code, by its file name.
pub fn is_shell(image: &str) -> bool {
    let name = leaf(image);
    SHELLS.iter().any(|shell| shell.eq_ignore_ascii_case(name))
}

/// Programs of Windows and runtimes that run what they are given.
const INTERPRETERS: [&str; 12] = [
    "cmd.exe",
    "powershell.exe",
    "pwsh.exe",
    "rundll32.exe",
    "regsvr32.exe",
    "mshta.exe",
    "wscript.exe",
    "cscript.exe",
    "dllhost.exe",
    "msiexec.exe",
    "python.exe",
    "java.exe",
];

/// Whether a program runs what it is given, so that its acts say nothing about whose process it is.
pub(super) fn is_interpreter(image: &str) -> bool {
    let name = leaf(image);
    INTERPRETERS.iter().any(|one| one.eq_ignore_ascii_case(name))
}
