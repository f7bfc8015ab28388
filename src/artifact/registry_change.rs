//! Registry paths as events spell them: which service, which value.

use crate::host::service_command::service_of_key;
use crate::text::fold;

/// Parts of the registry outside Services that decide which services run and what is logged about them, or show that PsExec
/// was run here (its licence is accepted by a value below `Sysinternals\PsExec`).
const ELSEWHERE: [&str; 5] = [
    "\\CONTROL\\",
    "\\CURRENTVERSION\\SVCHOST",
    "\\CURRENTVERSION\\WINEVT\\",
    "\\IMAGE FILE EXECUTION OPTIONS\\",
    "\\SYSINTERNALS\\PSEXEC",
];

/// The service whose key a path goes through.
pub(super) fn service_of(path: &str) -> Option<String> {
    service_of_key(path).map(|(service, _)| service)
}

/// The service of a key, and the path below its key with the value's name last; outside Services the whole path. `None`
/// for keys that cannot concern services.
pub(super) fn registry_path(key: &str, value: &str) -> Option<(Option<String>, String)> {
    let join = |path: &str| match (path, value) {
        (path, "") => path.to_owned(),
        ("", value) => value.to_owned(),
        (path, value) => format!("{path}\\{value}"),
    };
    if let Some((service, rest)) = service_of_key(key) {
        return Some((Some(service), join(&rest)));
    }
    let upper = fold(key);
    ELSEWHERE.iter().any(|part| upper.contains(part)).then(|| (None, join(key)))
}

/// Sysmon doubles the percent signs around a variable's name: `%%SystemRoot%%` is `%SystemRoot%`.
pub(super) fn with_single_percents(text: &str) -> String {
    let mut single = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("%%") {
        single.push_str(before);
        rest = after;
        if let Some((name, after)) = after.split_once("%%").filter(|(name, _)| is_variable(name)) {
            single.extend(["%", name, "%"]);
            rest = after;
        } else {
            single.push_str("%%");
        }
    }
    single.push_str(rest);
    single
}

fn is_variable(name: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '(' | ')' | '.' | '-');
    !name.is_empty() && name.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_the_same_however_the_root_is_spelled() {
        for (key, value, expected) in [
            (
                "\\REGISTRY\\MACHINE\\SYSTEM\\ControlSet001\\Services\\X",
                "Start",
                Some((Some("X"), "Start")),
            ),
            ("HKLM\\System\\CurrentControlSet\\services\\X\\Start", "", Some((Some("X"), "Start"))),
            (
                "HKLM\\System\\CurrentControlSet\\Services\\X\\Parameters\\ServiceDll",
                "",
                Some((Some("X"), "Parameters\\ServiceDll")),
            ),
            ("HKLM\\System\\CurrentControlSet\\Services\\X", "", Some((Some("X"), ""))),
            (
                "HKLM\\System\\CurrentControlSet\\Control\\SafeBoot\\Minimal\\X",
                "",
                Some((None, "HKLM\\System\\CurrentControlSet\\Control\\SafeBoot\\Minimal\\X")),
            ),
            ("HKU\\S-1-5-21\\Software\\X", "Y", None),
        ] {
            let expected =
                expected.map(|(service, path)| (service.map(str::to_owned), path.to_owned()));
            assert_eq!(registry_path(key, value), expected, "{key}");
        }
    }

    #[test]
    fn doubled_percents_collapse_around_names_only() {
        for (text, expected) in [
            ("%%SystemRoot%%\\x.exe", "%SystemRoot%\\x.exe"),
            ("a %%TEMP%%%%TMP%% b", "a %TEMP%%TMP% b"),
            ("%%1833", "%%1833"),
            ("100%% of 5 %%", "100%% of 5 %%"),
            ("%plain%", "%plain%"),
            ("%%ProgramFiles(x86)%%", "%ProgramFiles(x86)%"),
        ] {
            assert_eq!(with_single_percents(text), expected);
        }
    }
}
