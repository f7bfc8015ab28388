//! Device paths (`\device\harddiskvolume2\windows\…`), which the filtering platform writes instead of drive letters.
//!
//! Nothing in the registry says which number is which drive: Windows numbers volumes anew at each start. So it is
//! learned from the events themselves.

use std::collections::{BTreeMap, BTreeSet};

use super::event::Event;

/// What precedes the number of a volume, in lower case.
const PREFIX: &str = r"\device\harddiskvolume";
/// The folder of the Windows folder from which a program runs on the running system only.
const SYSTEM_FOLDER: &str = r"\system32\";

/// Which volume carries which drive letter, as far as events tell.
///
/// Two sources, the first one first: a process that one record names by its device and another by its drive (5156 and
/// 4688 or Sysmon, same computer, same process id, same path below the volume); and the volume from whose `System32`
/// programs run, which is the drive of the Windows folder. A number for which the events disagree (it changed at a
/// restart, or several computers were read as one host) stays unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Volumes {
    letters: BTreeMap<u32, char>,
}

/// A device path taken apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct DevicePath {
    volume: u32,
    /// What follows the volume, in lower case with its leading backslash.
    below: String,
}

impl DevicePath {
    fn parse(path: &str) -> Option<Self> {
        if !path.starts_with('\\') {
            return None;
        }
        let lower = path.to_lowercase();
        let (number, _) = lower.strip_prefix(PREFIX)?.split_once('\\')?;
        let below = lower.strip_prefix(PREFIX)?.strip_prefix(number)?.to_owned();
        Some(Self { volume: number.parse().ok()?, below })
    }
}

impl Volumes {
    /// Learns from events; `system_root` is the Windows folder (`C:\Windows`), where the SOFTWARE hive tells it.
    pub fn learn(events: &[Event], system_root: Option<&str>) -> Self {
        let mut named: BTreeMap<(&str, u32), BTreeSet<DevicePath>> = BTreeMap::new();
        let mut system = BTreeSet::new();
        let root = system_root.unwrap_or(r"C:\Windows").to_lowercase();
        let (drive, windows) = split_drive(&root).unwrap_or(('c', r"\windows"));
        let system_folder = format!("{windows}{SYSTEM_FOLDER}");
        for event in events {
            let Some((id, image)) = event.action.doer() else { continue };
            let Some(path) = DevicePath::parse(image) else { continue };
            if path.below.starts_with(&system_folder) {
                system.insert(path.volume);
            }
            if let Some(id) = id {
                named.entry((event.computer.as_str(), id)).or_default().insert(path);
            }
        }
        let mut votes = if named.is_empty() { BTreeMap::new() } else { votes(events, &named) };
        for volume in system {
            votes.entry(volume).or_insert_with(|| BTreeSet::from([drive]));
        }
        let letters = votes.into_iter().filter_map(|(volume, letters)| {
            let mut letters = letters.into_iter();
            Some((volume, letters.next()?)).filter(|_| letters.next().is_none())
        });
        Self { letters: letters.collect() }
    }

    /// The path with its drive letter, in lower case; `None` for what is no device path, or one of an unknown volume.
    pub fn resolve(&self, path: &str) -> Option<String> {
        let device = DevicePath::parse(path)?;
        let letter = self.letters.get(&device.volume)?;
        Some(format!("{letter}:{}", device.below))
    }

    /// Under which drive paths a program may be known: the path itself, the resolved one, or for a device path of an
    /// unknown volume the same path below every drive.
    pub fn drive_paths(&self, path: &str) -> Vec<String> {
        if let Some(resolved) = self.resolve(path) {
            return vec![resolved];
        }
        match DevicePath::parse(path) {
            Some(device) => {
                ('a'..='z').map(|letter| format!("{letter}:{}", device.below)).collect()
            }
            None => vec![path.to_owned()],
        }
    }
}

/// The letters that records with a drive give to the volumes that records with a device name.
fn votes(
    events: &[Event],
    named: &BTreeMap<(&str, u32), BTreeSet<DevicePath>>,
) -> BTreeMap<u32, BTreeSet<char>> {
    let mut votes: BTreeMap<u32, BTreeSet<char>> = BTreeMap::new();
    for event in events {
        let Some((Some(id), image)) = event.action.doer() else { continue };
        let Some(paths) = named.get(&(event.computer.as_str(), id)) else { continue };
        let lower = image.to_lowercase();
        let Some((letter, below)) = split_drive(&lower) else { continue };
        for path in paths.iter().filter(|path| path.below == below) {
            votes.entry(path.volume).or_default().insert(letter);
        }
    }
    votes
}

/// `c:\windows` as `('c', "\windows")`.
fn split_drive(path: &str) -> Option<(char, &str)> {
    let (drive, below) = path.split_once(':')?;
    let mut letters = drive.chars();
    let letter = letters.next().filter(char::is_ascii_alphabetic)?;
    (letters.next().is_none() && below.starts_with('\\')).then_some((letter, below))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::host::citation::{Citation, Place, Provenance};
    use crate::host::event::{Action, Connection, ProcessStart};

    fn event(computer: &str, action: Action) -> Event {
        Event {
            time: Timestamp::UNIX_EPOCH,
            computer: computer.to_owned(),
            user_sid: None,
            citation: Citation {
                artifact: Arc::from("log"),
                place: Place::Record { channel: Arc::from("c"), event_id: 1, record_id: 1 },
                provenance: Provenance::Live,
            },
            action,
        }
    }

    fn connection(computer: &str, id: u32, image: &str) -> Event {
        let connection =
            Connection { process_id: Some(id), image: image.to_owned(), ..Connection::default() };
        event(computer, Action::Connected(connection))
    }

    fn start(computer: &str, id: u32, image: &str) -> Event {
        let start = ProcessStart {
            process_id: Some(id),
            image: image.to_owned(),
            ..ProcessStart::default()
        };
        event(computer, Action::ProcessStarted(start))
    }

    #[test]
    fn a_process_named_both_ways_tells_the_letter() {
        let events = [
            connection("A", 7, r"\device\harddiskvolume3\apps\x.exe"),
            start("A", 7, r"D:\Apps\x.exe"),
            start("A", 8, r"E:\Apps\x.exe"),
            start("B", 7, r"F:\Apps\x.exe"),
        ];
        let volumes = Volumes::learn(&events, None);
        let device = r"\Device\HarddiskVolume3\Other\Y.exe";
        assert_eq!(volumes.resolve(device).as_deref(), Some(r"d:\other\y.exe"));
        assert_eq!(volumes.drive_paths(device), [r"d:\other\y.exe"]);
        assert_eq!(volumes.resolve(r"\device\harddiskvolume4\x.exe"), None);
    }

    #[test]
    fn the_volume_of_windows_has_its_drive() {
        let events = [connection("A", 7, r"\device\harddiskvolume2\windows\system32\svchost.exe")];
        for (root, expected) in [
            (None, Some(r"c:\x.exe")),
            (Some(r"D:\Windows"), Some(r"d:\x.exe")),
            (Some(r"C:\WINNT"), None),
        ] {
            let volumes = Volumes::learn(&events, root);
            assert_eq!(volumes.resolve(r"\device\harddiskvolume2\x.exe").as_deref(), expected);
        }
    }

    #[test]
    fn where_events_disagree_nothing_is_said() {
        let events = [
            connection("A", 7, r"\device\harddiskvolume3\a.exe"),
            start("A", 7, r"D:\a.exe"),
            start("A", 7, r"E:\a.exe"),
        ];
        let volumes = Volumes::learn(&events, None);
        assert_eq!(volumes, Volumes::default());
        let paths = volumes.drive_paths(r"\device\harddiskvolume3\a.exe");
        assert_eq!((paths.len(), paths.first().unwrap().as_str()), (26, r"a:\a.exe"));
        assert_eq!(volumes.drive_paths(r"c:\a.exe"), [r"c:\a.exe"]);
    }

    #[test]
    fn only_device_paths_are_device_paths() {
        for (path, expected) in [
            (r"\device\harddiskvolume12\a\b.exe", Some((12, r"\a\b.exe"))),
            (r"\device\harddiskvolume12", None),
            (r"\device\harddiskvolume\a.exe", None),
            (r"\device\harddiskvolume99999999999\a.exe", None),
            (r"\device\mup\host\a.exe", None),
            ("System", None),
            (r"C:\a.exe", None),
        ] {
            let found = DevicePath::parse(path);
            let found = found.as_ref().map(|path| (path.volume, path.below.as_str()));
            assert_eq!(found, expected, "{path}");
        }
    }
}
