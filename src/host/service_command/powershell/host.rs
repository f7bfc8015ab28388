//! The command line of `powershell` and `pwsh`.

use crate::host::service_command::encoded;

/// Parameters that stand alone.
const SWITCHES: [&str; 7] =
    ["nologo", "noexit", "noprofile", "noninteractive", "noprofileloadtime", "sta", "mta"];
/// Short names of parameters that take a value, besides prefixes of the full names (Microsoft Learn, "about PowerShell.exe").
const VALUED: [&str; 12] = [
    "executionpolicy",
    "ep",
    "windowstyle",
    "version",
    "inputformat",
    "if",
    "outputformat",
    "of",
    "psconsolefile",
    "configurationname",
    "workingdirectory",
    "wd",
];

/// The script that the arguments give, and whether it was encoded. A script file says nothing here.
pub(in super::super) fn script_of(words: &[String]) -> Option<(String, bool)> {
    let mut at = 0_usize;
    loop {
        let word = words.get(at)?;
        let rest = || words.get(at.saturating_add(1)..).unwrap_or_default();
        let Some(name) = word.strip_prefix(['-', '/', '\u{2013}', '\u{2014}', '\u{2015}']) else {
            return Some((words.get(at..)?.join(" "), false));
        };
        let name = name.trim_end_matches(':').to_lowercase();
        if name.is_empty() {
            return None;
        }
        if "command".starts_with(&name) {
            return Some((rest().join(" "), false));
        }
        if "encodedcommand".starts_with(&name) || name == "ec" {
            return Some((encoded::decode(rest().first()?)?, true));
        }
        if "file".starts_with(&name) {
            return None;
        }
        let switch = SWITCHES.iter().any(|switch| switch.starts_with(&name));
        let valued = VALUED.iter().any(|valued| valued.starts_with(&name));
        let step = if valued && !switch { 2 } else { 1 };
        at = at.saturating_add(step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_found_behind_the_parameters() {
        let packed = "cwBjACAAcwB0AG8AcAAgAHgA";
        for (line, expected) in [
            ("-c sc stop x", Some(("sc stop x", false))),
            ("-nop -w hidden -ep bypass -Command sc stop x", Some(("sc stop x", false))),
            ("-NoP -NonI -W Hidden -Enc PACKED", Some(("sc stop x", true))),
            ("-e PACKED", Some(("sc stop x", true))),
            ("-ec PACKED", Some(("sc stop x", true))),
            ("/enc PACKED", Some(("sc stop x", true))),
            ("-encodedcommand: PACKED", Some(("sc stop x", true))),
            ("sc stop x", Some(("sc stop x", false))),
            ("-ex bypass -f x.ps1", None),
            ("-enc ?", None),
            ("-", None),
            ("", None),
        ] {
            let words: Vec<String> =
                line.replace("PACKED", packed).split_whitespace().map(str::to_owned).collect();
            let expected = expected.map(|(text, decoded)| (text.to_owned(), decoded));
            assert_eq!(script_of(&words), expected, "{line}");
        }
    }
}
