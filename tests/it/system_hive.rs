//! The SYSTEM and SOFTWARE hives of real hosts, read from end to end: counts known from independent readers.

#![expect(clippy::indexing_slicing, reason = "there is one host, or the test must fail")]
#![expect(clippy::unwrap_used, reason = "a corpus that is there and unreadable must fail the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use svctriage::artifact::{self, Reading};
use svctriage::diagnostic::Impact;
use svctriage::evidence;
use svctriage::host::config::{Epoch, ServiceConfig, ValueOrder};
use svctriage::host::fact::{IdentityItem, SettingKind};
use svctriage::host::{Fact, Origin, Provenance, State};

use crate::support::corpus::corpus_file;

const DIRTY: [&str; 3] =
    ["win10-1709-dirty.SYSTEM", "win10-1709-dirty.SYSTEM.LOG1", "win10-1709-dirty.SYSTEM.LOG2"];

/// Reads hives of the corpus as loose files of one command line.
fn read(names: &[&str]) -> Option<Reading> {
    let folder = tempfile::TempDir::new().unwrap();
    let mut given: Vec<PathBuf> = Vec::new();
    for name in names {
        let source = corpus_file(&format!("hives/{name}.xz"))?;
        let target = folder.path().join(name);
        fs::copy(source, &target).unwrap();
        given.push(target);
    }
    let opened = evidence::open(&given, &evidence::Options::default());
    assert!(opened.errors.is_empty() && opened.hosts.len() == 1, "{:?}", opened.errors);
    Some(artifact::read(opened.hosts[0].as_ref(), &()))
}

fn services<'r>(
    reading: &'r Reading,
    epoch: &'r Epoch,
) -> impl Iterator<Item = &'r ServiceConfig> + 'r {
    reading.facts.iter().filter_map(move |fact| match fact {
        Fact::Service(config) if config.epoch == *epoch => Some(config.as_ref()),
        _ => None,
    })
}

fn service<'r>(reading: &'r Reading, name: &str) -> &'r ServiceConfig {
    services(reading, &Epoch::Current).find(|config| config.name == name).unwrap()
}

/// Typed services and configuration stores of one epoch.
fn counts(reading: &Reading, epoch: &Epoch) -> (usize, usize) {
    let stores = reading
        .facts
        .iter()
        .filter(|fact| matches!(fact, Fact::ConfigurationKey(key) if key.epoch == *epoch));
    (services(reading, epoch).count(), stores.count())
}

fn items(reading: &Reading) -> Vec<&IdentityItem> {
    let items = reading.facts.iter().filter_map(|fact| match fact {
        Fact::Identity(identity) => Some(&identity.item),
        _ => None,
    });
    items.collect()
}

/// `name` where the failure command would run, `(name)` where nothing runs it.
fn failure_commands(reading: &Reading) -> Vec<String> {
    let with_command =
        services(reading, &Epoch::Current).filter(|config| config.failure_command.is_some());
    with_command
        .map(|config| {
            let armed = config.failure_command_is_armed();
            if armed { config.name.clone() } else { format!("({})", config.name) }
        })
        .collect()
}

fn losses(reading: &Reading) -> usize {
    reading.diagnostics.iter().filter(|one| one.impact != Impact::Note).count()
}

#[test]
fn what_stands_only_in_the_logs_is_read_and_cited_as_such() {
    let Some(reading) = read(&DIRTY) else { return };
    assert_eq!(counts(&reading, &Epoch::Current), (609, 47));
    assert_eq!(reading.diagnostics, []);
    let driver = service(&reading, "ad_driver");
    let path = r"\??\C:\Users\jcloudy\AppData\Local\Temp\ad_driver.sys";
    assert_eq!(driver.image_path.as_deref(), Some(path));
    assert_eq!(driver.cite("ImagePath").provenance, Provenance::TransactionLog);
    let from_log: BTreeSet<&str> = services(&reading, &Epoch::Current)
        .filter(|config| config.citation.provenance == Provenance::TransactionLog)
        .map(|config| config.name.as_str())
        .collect();
    let expected = ["MSPCLOCK", "MSPQM", "MSTEE", "UASPStor", "ad_driver", "drmkaud"];
    assert_eq!(from_log, BTreeSet::from(expected));
    let span = reading.coverage.span(Origin::SystemHive).unwrap();
    assert_eq!(span.state, State::Complete);
    assert_eq!(
        span.notes,
        [
            "win10-1709-dirty.SYSTEM.LOG1 and win10-1709-dirty.SYSTEM.LOG2 replayed: 24 entries, 2107 to 2130",
            "9 service keys differ from the primary file",
        ]
    );
    assert_eq!(reading.files.len(), 3);
    assert!(items(&reading).contains(&&IdentityItem::ComputerName("DESKTOP-PM6C56D".into())));

    let Some(alone) = read(&DIRTY[..1]) else { return };
    assert_eq!(counts(&alone, &Epoch::Current), (608, 47));
    assert_eq!(losses(&alone), 1);
    let span = alone.coverage.span(Origin::SystemHive).unwrap();
    assert_eq!((span.state, span.notes.len()), (State::Partial, 1));
    assert_eq!(span.notes, ["dirty, no transaction logs"]);
}

#[test]
fn failure_commands_of_stock_services_are_armed_or_not() {
    for (names, expected) in [
        (
            &DIRTY[..],
            &[
                "(MSiSCSI)",
                "NVDisplay.ContainerLocalSystem",
                "spectrum",
                "(WEPHOSTSVC)",
                "WinDefend",
            ][..],
        ),
        (
            &["win10-1903-dirty-nologs.SYSTEM"],
            &["(MSiSCSI)", "spectrum", "(WEPHOSTSVC)", "WinDefend"],
        ),
        (&["win81-dirty-nologs.SYSTEM"], &["(MSiSCSI)", "(WEPHOSTSVC)", "(WPCSvc)"]),
        (&["server2003-dc.SYSTEM"], &[]),
        (&["nt4.SYSTEM"], &[]),
    ] {
        let Some(reading) = read(names) else { return };
        assert_eq!(failure_commands(&reading), expected, "{names:?}");
    }
}

#[test]
fn the_order_of_values_tells_how_services_came_about() {
    for (names, expected) in [
        (&DIRTY[..], [51, 362, 192, 1, 3]),
        (&["win10-1903-dirty-nologs.SYSTEM"], [51, 418, 213, 0, 0]),
        (&["win81-dirty-nologs.SYSTEM"], [28, 253, 139, 1, 2]),
        (&["server2003-dc.SYSTEM"], [93, 143, 9, 2, 3]),
        (&["nt4.SYSTEM"], [36, 3, 4, 90, 1]),
    ] {
        let Some(reading) = read(names) else { return };
        let mut orders: BTreeMap<ValueOrder, usize> = BTreeMap::new();
        for config in services(&reading, &Epoch::Current) {
            *orders.entry(config.value_order).or_default() += 1;
        }
        let counted = [
            ValueOrder::CreateService,
            ValueOrder::Alphabetical,
            ValueOrder::Inf,
            ValueOrder::TooFew,
            ValueOrder::Other,
        ]
        .map(|order| orders.get(&order).copied().unwrap_or(0));
        assert_eq!(counted, expected, "{names:?}");
        // Windows 8.1 and later: hardly a stock service that shares svchost was made by CreateService.
        if names[0].starts_with("win") {
            let shared: Vec<&str> = services(&reading, &Epoch::Current)
                .filter(|config| config.value_order == ValueOrder::CreateService)
                .filter(|config| config.service_type.is_some_and(|kind| !kind.is_user_instance()))
                .filter(|config| {
                    config.image_path.as_ref().is_some_and(|path| path.contains("svchost.exe"))
                })
                .map(|config| config.name.as_str())
                .collect();
            assert_eq!(shared, ["PrintNotify"], "{names:?}");
        }
    }
}

#[test]
fn old_and_dirty_hives_are_read_whole() {
    for (name, services, stores, computer, lost, notes) in [
        ("win10-1903-dirty-nologs.SYSTEM", 682, 55, "DESKTOP-2KGM189", 1, 2),
        ("win81-dirty-nologs.SYSTEM", 423, 46, "SENSEI", 1, 0),
        ("server2003-dc.SYSTEM", 250, 27, "ADDEMO", 0, 4),
        ("nt4.SYSTEM", 134, 2, "SERVER", 0, 0),
    ] {
        let Some(reading) = read(&[name]) else { return };
        assert_eq!(counts(&reading, &Epoch::Current), (services, stores), "{name}");
        assert_eq!((losses(&reading), reading.diagnostics.len()), (lost, lost + notes), "{name}");
        assert!(items(&reading).contains(&&IdentityItem::ComputerName(computer.into())), "{name}");
        let is_old = name.starts_with("server") || name.starts_with("nt4");
        let second = if is_old { (services, stores) } else { (0, 0) };
        assert_eq!(counts(&reading, &Epoch::ControlSet(2)), second, "{name}");
        for config in self::services(&reading, &Epoch::Current) {
            assert!(config.key_security.is_some(), "{name} {}", config.name);
            assert!(config.last_write.is_some(), "{name} {}", config.name);
        }
    }
}

#[test]
fn control_sets_are_comparable() {
    for (name, expected) in [("server2003-dc.SYSTEM", &[][..]), ("nt4.SYSTEM", &["AMDPCN"])] {
        let Some(reading) = read(&[name]) else { return };
        let mut differing = Vec::new();
        for config in services(&reading, &Epoch::Current) {
            let mut others = services(&reading, &Epoch::ControlSet(2));
            let other = others.find(|other| other.name == config.name).unwrap();
            let data = |config: &ServiceConfig| -> BTreeMap<String, svctriage::host::config::Data> {
                let own = config.values.iter().filter(|value| !value.name.contains('\\'));
                own.map(|value| (value.name.clone(), value.data.clone())).collect()
            };
            if data(config) != data(other) {
                differing.push(config.name.as_str());
            }
        }
        assert_eq!(differing, expected, "{name}");
    }
}

#[test]
fn odd_values_of_real_hosts_cost_themselves_only() {
    let Some(reading) = read(&["server2003-dc.SYSTEM"]) else { return };
    let messages: Vec<&str> =
        reading.diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
    assert_eq!(
        messages[..2],
        [
            r"ControlSet001\Services\CryptSvc: Security\Security: not a self-relative security descriptor",
            r"ControlSet001\Services\ERSvc: FailureActions is a number where binary data belongs",
        ]
    );
    let error_reporting = service(&reading, "ERSvc");
    assert_eq!(error_reporting.failure_actions, None);
    let dll = error_reporting.service_dll.as_ref().unwrap();
    assert_eq!(dll.0, r"Parameters\ServiceDll");
    // The pointer stored with these actions is garbage; the actions stand at 20 all the same.
    let with_actions = services(&reading, &Epoch::Current).filter(|config| {
        config.failure_actions.as_ref().is_some_and(|one| !one.actions.is_empty())
    });
    assert_eq!(with_actions.count(), 16);
    let scm = reading.facts.iter().filter(
        |fact| matches!(fact, Fact::Setting(setting) if setting.kind == SettingKind::ScmSecurity),
    );
    assert_eq!(scm.count(), 0);
}

#[test]
fn a_damaged_hive_gives_what_is_left() {
    let Some(reading) = read(&["xp-corrupt.SYSTEM"]) else { return };
    let (services, stores) = counts(&reading, &Epoch::Current);
    assert!(services >= 181 && services + stores >= 198, "{services} {stores}");
    assert!(losses(&reading) > 20);
    assert_eq!(reading.coverage.state(Origin::SystemHive), State::Partial);
}

#[test]
fn the_software_hive_names_windows() {
    let Some(reading) = read(&["nt4.SYSTEM", "nt4.SOFTWARE"]) else { return };
    assert_eq!(reading.coverage.state(Origin::SoftwareHive), State::Complete);
    let windows = items(&reading).into_iter().find_map(|item| match item {
        IdentityItem::Windows { product, build, version, .. } => {
            Some((product.clone(), build.clone(), version.clone()))
        }
        _ => None,
    });
    let expected = ("Windows NT 4.0".into(), Some("1381".into()), Some("Service Pack 3".into()));
    assert_eq!(windows, Some(expected));
    assert!(items(&reading).contains(&&IdentityItem::SystemRoot(r"C:\WINNT".into())));
}

#[test]
fn of_several_hives_the_one_with_the_newest_key_is_current() {
    let names = ["server2003-dc.SYSTEM", "win81-dirty-nologs.SYSTEM"];
    let Some(reading) = read(&names) else { return };
    assert_eq!(counts(&reading, &Epoch::Current), (250, 27));
    let older = Epoch::History("win81-dirty-nologs.SYSTEM".into());
    assert_eq!(counts(&reading, &older), (423, 46));
    let told = reading.diagnostics.iter().filter(|one| one.message.contains("newest key"));
    assert_eq!(told.count(), 1);
}

#[test]
fn threads_change_nothing() {
    let read_with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| read(&[DIRTY[0], DIRTY[1], DIRTY[2], "nt4.SOFTWARE", "nt4.SYSTEM"]))
    };
    let Some(one) = read_with(1) else { return };
    assert_eq!(Some(one), read_with(8));
}
