//! How Velociraptor writes names, and what it calls volumes.
//!
//! Each component is escaped by itself as `%XX` (`utils/sanitize.go`), so that the log `DPS%4Operational.evtx` is
//! stored as `DPS%254Operational.evtx`. It must be decoded once and only once.

use crate::text::fold;

/// A name as it was on the host.
pub(super) fn decode(name: &str) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match after {
            [high, low, after @ ..] if *first == b'%' => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high << 4 | low);
                    rest = after;
                }
                _ => bytes.push(*first),
            },
            _ => bytes.push(*first),
        }
    }
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn digit(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16)?;
    u8::try_from(digit).ok()
}

/// A volume by its name in a collection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Volume {
    /// The same for every name of a volume: `C:` for `C:`, `C` and `\\.\C:`.
    pub(super) key: String,
    /// The label of a shadow copy: `HarddiskVolumeShadowCopy3`.
    pub(super) shadow: Option<String>,
}

impl Volume {
    /// Whether it is a drive or a shadow copy: no other folder is called that.
    pub(super) fn is_certain(&self) -> bool {
        self.shadow.is_some() || self.key.len() == 2 && self.key.ends_with(':')
    }
}

/// The volume of a decoded name: `C:`, `\\.\C:` or `\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy3`.
pub(super) fn volume(name: &str) -> Volume {
    let last = name.trim_end_matches('\\').rsplit(['\\', '/']).next().unwrap_or(name);
    let key = fold(last);
    if key.starts_with("HARDDISKVOLUMESHADOWCOPY") {
        return Volume { key, shadow: Some(last.to_owned()) };
    }
    let mut letters = key.chars();
    let is_letter = letters.next().is_some_and(|letter| letter.is_ascii_alphabetic());
    let key = if is_letter && letters.as_str().is_empty() { format!("{key}:") } else { key };
    Volume { key, shadow: None }
}

/// The volume of a full path of the host, and the path there, both without case; names are separated by NUL.
pub(super) fn place_of(path: &str) -> Option<String> {
    let bare = path.strip_prefix(r"\\.\").or_else(|| path.strip_prefix(r"\\?\")).unwrap_or(path);
    let bare = bare.strip_prefix(r"GLOBALROOT\Device\").unwrap_or(bare);
    let (first, rest) = bare.split_once(['\\', '/'])?;
    Some(place(&volume(first), rest.split(['\\', '/'])))
}

/// A place on the host, without case: what different accessors call the same.
pub(super) fn place<'n>(volume: &Volume, names: impl Iterator<Item = &'n str>) -> String {
    let mut key = volume.key.clone();
    for name in names.filter(|name| !name.is_empty()) {
        key.push('\0');
        key.push_str(&fold(name));
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_decoded_once() {
        for (stored, name) in [
            ("SYSTEM", "SYSTEM"),
            ("C%3A", "C:"),
            ("%5C%5C.%5CC%3A", r"\\.\C:"),
            ("%2Ehidden", ".hidden"),
            ("Diagnosis-DPS%254Operational.evtx", "Diagnosis-DPS%4Operational.evtx"),
            ("Diagnosis-DPS%4Operational.evtx", "Diagnosis-DPS%4Operational.evtx"),
            ("%25254", "%254"),
            ("100%", "100%"),
            ("%", "%"),
            ("%4", "%4"),
            ("%zz%c3%BC", "%zz\u{fc}"),
            ("%ff", "\u{fffd}"),
            ("\u{fc}%20 ", "\u{fc}  "),
        ] {
            assert_eq!(decode(stored), name, "{stored}");
        }
    }

    #[test]
    fn a_volume_is_the_same_under_all_its_names() {
        for (name, key, is_shadow) in [
            ("C:", "C:", false),
            ("c", "C:", false),
            (r"\\.\c:", "C:", false),
            (r"\\.\D:\", "D:", false),
            (
                r"\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy12",
                "HARDDISKVOLUMESHADOWCOPY12",
                true,
            ),
            ("Windows", "WINDOWS", false),
            ("", "", false),
        ] {
            let volume = volume(name);
            assert_eq!((volume.key.as_str(), volume.shadow.is_some()), (key, is_shadow), "{name}");
        }
        let expected = "C:\0WINDOWS\0SYSTEM32";
        for path in [r"C:\Windows\System32", r"\\.\c:\windows\\system32\", "C:/Windows/System32"] {
            assert_eq!(place_of(path).as_deref(), Some(expected), "{path}");
        }
        let shadow = place_of(r"\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy1\a");
        assert_eq!(shadow.as_deref(), Some("HARDDISKVOLUMESHADOWCOPY1\0A"));
        assert_eq!(place_of("nothing"), None);
    }
}
