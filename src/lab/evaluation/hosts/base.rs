//! What hosts begin as: a Windows with the services it has before anything is put on it.

use jiff::{SignedDuration, Timestamp};

use crate::artifact::hive::{self, Key, LogFile, replay};
use crate::lab::regf::{Data, Hive};
use crate::lab::scenario::Windows;
use crate::text::same_name;

/// Keys of a control set that are large and say nothing about services.
const HEAVY: &[&str] = &[
    "Enum",
    "Hardware Profiles",
    r"Control\Class",
    r"Control\DeviceClasses",
    r"Control\DeviceContainers",
    r"Control\DeviceMigration",
    r"Control\Keyboard Layouts",
    r"Control\Nls",
    r"Control\Video",
];

/// A Windows that hosts begin as.
#[derive(Debug, Clone)]
pub struct Base {
    /// `win10-1709`.
    pub name: String,
    /// What it is, in a sentence.
    pub about: String,
    /// Its version.
    pub windows: Windows,
    /// Whether it keeps logs in the format of Windows Vista and later.
    pub keeps_logs: bool,
    /// Whether its hive is a real one.
    pub is_real: bool,
    /// Services of it that look odd and are counted as benign all the same, and why they look odd.
    pub odd: &'static [(&'static str, &'static str)],
    /// Its SYSTEM hive; absent where the lab makes one.
    pub(super) system: Option<Hive>,
    /// When its own history ends and that of its hosts begins.
    pub(super) settled: Timestamp,
}

/// A real SYSTEM hive that hosts can begin as.
#[derive(Debug, Clone, Copy)]
pub struct RealHive {
    /// How its base is called.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub about: &'static str,
    /// The file of the corpus, below `hives/`, without `.xz`; its logs end in `.LOG1` and `.LOG2`.
    pub file: &'static str,
    /// How many of these logs there are.
    pub logs: usize,
    version: Version,
    odd: &'static [(&'static str, &'static str)],
}

/// Product, edition, build, update revision, release.
type Version = (&'static str, &'static str, u32, u32, &'static str);

/// The real hives of the corpus that serve as bases.
pub const REAL_HIVES: &[RealHive] = &[
    RealHive {
        name: "win10-1709",
        about: "a Windows 10 1709 workstation, its logs replayed",
        file: "win10-1709-dirty.SYSTEM",
        logs: 2,
        version: ("Windows 10 Pro", "Professional", 16_299, 125, "1709"),
        odd: &[("ad_driver", "a forensic tool's driver that ran from a user's temporary folder")],
    },
    RealHive {
        name: "win10-1903",
        about: "a Windows 10 1903 workstation",
        file: "win10-1903-dirty-nologs.SYSTEM",
        logs: 0,
        version: ("Windows 10 Pro", "Professional", 18_362, 720, "1903"),
        odd: &[],
    },
    RealHive {
        name: "win81",
        about: "a Windows 8.1 workstation",
        file: "win81-dirty-nologs.SYSTEM",
        logs: 0,
        version: ("Windows 8.1 Pro", "Professional", 9_600, 17_031, ""),
        odd: &[],
    },
    RealHive {
        name: "server2003-dc",
        about: "a domain controller with Windows Server 2003, whose logs are of another format: registry alone",
        file: "server2003-dc.SYSTEM",
        logs: 0,
        version: ("Microsoft Windows Server 2003", "", 3_790, 0, ""),
        odd: &[],
    },
];

impl Base {
    /// The bases that need no corpus.
    pub fn lab() -> Vec<Base> {
        let base = |name: &str, about: &str, product, edition, server| Base {
            name: name.to_owned(),
            about: about.to_owned(),
            windows: version((product, edition, 18_362, 720, "1903"), server),
            keeps_logs: true,
            is_real: false,
            odd: &[],
            system: None,
            settled: Timestamp::from_second(1_609_747_200).unwrap_or_default(),
        };
        vec![
            base(
                "lab-workstation",
                "the lab's Windows 10 1903 workstation",
                "Windows 10 Pro",
                "Professional",
                false,
            ),
            base(
                "lab-server",
                "the same services as a server, which logs every start and stop",
                "Windows Server Standard",
                "ServerStandard",
                true,
            ),
        ]
    }

    /// A base from a real hive and its transaction logs.
    ///
    /// # Errors
    /// What is wrong with the hive, in words.
    pub fn real(spec: &RealHive, primary: Vec<u8>, logs: Vec<Vec<u8>>) -> Result<Base, String> {
        let named = logs.into_iter().zip(1..);
        let logs: Vec<LogFile> =
            named.map(|(bytes, number)| LogFile { name: format!("LOG{number}"), bytes }).collect();
        let replayed = replay(primary, &logs);
        let read = hive::Hive::open(&replayed).map_err(|error| error.to_string())?;
        let root = read.root().map_err(|error| error.to_string())?;
        let (system, settled) = control_set(&root)?;
        let server = spec.version.0.contains("Server");
        Ok(Base {
            name: spec.name.to_owned(),
            about: spec.about.to_owned(),
            windows: version(spec.version, server),
            keeps_logs: spec.version.2 >= 6_000,
            is_real: true,
            odd: spec.odd,
            system: Some(system),
            settled,
        })
    }
}

fn version((product, edition, build, revision, release): Version, server: bool) -> Windows {
    Windows {
        product: product.to_owned(),
        edition: edition.to_owned(),
        server,
        build,
        revision,
        release: release.to_owned(),
        display_version: None,
    }
}

/// A hive with the current control set of another as its only one, and the day after its last write.
fn control_set(root: &Key<'_>) -> Result<(Hive, Timestamp), String> {
    let select = root.subkey("Select").map_err(|error| error.to_string())?;
    let current = select.and_then(|select| select.value("Current").ok().flatten()?.dword());
    let number = current.unwrap_or(1);
    let set = root.subkey(&format!("ControlSet{number:03}")).map_err(|error| error.to_string())?;
    let set = set.ok_or("it has no such control set")?;
    let services = set.subkey("Services").map_err(|error| error.to_string())?;
    let services = services.ok_or("it has no services")?.subkeys().items;
    let last = services.iter().filter_map(Key::last_write).max().ok_or("its keys have no times")?;
    let settled = last.saturating_add(SignedDuration::from_hours(24)).unwrap_or(last);
    let descriptor = root.security().unwrap_or_default();
    let mut hive = Hive::new(root.name(), &descriptor, last);
    let select = hive.create("Select", last);
    for (name, value) in [("Current", 1), ("Default", 1), ("Failed", 0), ("LastKnownGood", 1)] {
        hive.set(select, name, &Data::Dword(value), last);
    }
    let goal = hive.create("ControlSet001", last);
    hive.copy(goal, &set, HEAVY);
    for key in root.subkeys().items {
        if ["Setup", "MountedDevices"].iter().any(|name| same_name(name, key.name())) {
            let goal = hive.create(key.name(), last);
            hive.copy(goal, &key, &[]);
        }
    }
    Ok((hive, settled))
}
