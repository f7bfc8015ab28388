//! Where an artifact is to be found, without saying in what.

use super::Magic;
use crate::text::fold;

/// A kind of file that is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Pattern {
    /// What it is by content: how it is found where nothing has its place any more.
    pub magic: Magic,
    /// Where Windows keeps it.
    pub places: &'static [Place],
}

/// A place below the Windows folder.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Components with `/` between; names compare without case, `*` stands for any run of characters.
    pub path: &'static str,
    /// Why a file here is not the current one: `RegBack`. Absent where it is.
    pub history: Option<&'static str>,
}

impl Place {
    /// The place of a current file.
    pub const fn current(path: &'static str) -> Self {
        Self { path, history: None }
    }

    /// The place of an older copy, with its label.
    pub const fn history(path: &'static str, label: &'static str) -> Self {
        Self { path, history: Some(label) }
    }
}

/// Whether a name fits one component of a pattern, without case.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (fold(pattern), fold(name));
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

/// Names of folders that hold an older state, by what collectors and Windows call them.
///
/// Returns the label of that state.
pub(super) fn history_label(folder: &str) -> Option<&str> {
    let name = fold(folder);
    let numbered = |prefix: &str| {
        name.strip_prefix(prefix).is_some_and(|rest| {
            let number = rest.strip_prefix(['_', '-', ' ']).unwrap_or(rest);
            !number.is_empty() && number.chars().all(|digit| digit.is_ascii_digit())
        })
    };
    let of_shadow_copy = |rest: &str| {
        let number = rest.split_once(" OF ").map_or(rest, |(number, _)| number);
        !number.is_empty() && number.chars().all(|digit| digit.is_ascii_digit())
    };
    let history = matches!(name.as_str(), "REGBACK" | "WINDOWS.OLD")
        || name.strip_prefix("WINDOWS.OLD").is_some_and(|rest| rest.starts_with(['.', '(']))
        || numbered("VSS")
        || numbered("SHADOWCOPY")
        || name.strip_prefix("SHADOW COPY ").is_some_and(of_shadow_copy)
        || name.contains("HARDDISKVOLUMESHADOWCOPY");
    history.then_some(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_run() {
        for (pattern, name, expected) in [
            ("SYSTEM", "system", true),
            ("SYSTEM", "SYSTEM.LOG", false),
            ("*.evtx", "System.EVTX", true),
            ("*.evtx", "evtx", false),
            ("*", "", true),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "abbc", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn older_states_are_told_by_their_folder() {
        for (folder, expected) in [
            ("Windows.old", true),
            ("windows.old.000", true),
            ("Windows.old(1)", true),
            ("RegBack", true),
            ("VSS1", true),
            ("vss12", true),
            ("VSS_2", true),
            ("ShadowCopy3", true),
            ("shadow copy 2 of 2020-05-31 09:12:44 UTC", true),
            ("shadow copy 12", true),
            ("shadow copy of 2020", false),
            ("shadow copy x of 2020", false),
            ("ntfs_vss", false),
            ("%5C%5C.%5CHarddiskVolumeShadowCopy3", true),
            ("HarddiskVolumeShadowCopy1", true),
            ("VSS", false),
            ("VSSx", false),
            ("VSS_", false),
            ("VSS_2b", false),
            ("Windows", false),
            ("Windows.older", false),
        ] {
            assert_eq!(history_label(folder).is_some(), expected, "{folder}");
        }
    }
}
