//! Real hives: counts known from independent readers.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a broken assumption must fail")]

use std::collections::BTreeMap;

use svctriage::artifact::hive::{
    Confidence, Hive, LogFile, LogFormat, Place, RightsKind, SecurityDescriptor, replay,
};
use svctriage::time;

use crate::hive::{Walk, survive_damage, with_logs};
use crate::support::corpus::{corpus_bytes, corpus_folder};
use crate::support::quiet_nt_hive;

fn hive_file(name: &str) -> Option<Vec<u8>> {
    quiet_nt_hive();
    corpus_bytes(&format!("hives/{name}.xz"))
}

const DIRTY: &str = "win10-1709-dirty.SYSTEM";

fn dirty_logs() -> Vec<LogFile> {
    let names = ["LOG1", "LOG2"].into_iter();
    let logs = names.filter_map(|name| {
        Some(LogFile { name: name.to_owned(), bytes: hive_file(&format!("{DIRTY}.{name}"))? })
    });
    logs.collect()
}

/// The services of a control set with their last-write times, and the damage met.
fn services(hive: &Hive<'_>, control_set: &str) -> (BTreeMap<String, u64>, usize) {
    let path = format!("{control_set}\\Services");
    let listing = hive.root().unwrap().subkey(&path).unwrap().unwrap().subkeys();
    let times = listing
        .items
        .iter()
        .map(|key| (key.name().to_owned(), key.last_write().map_or(0, time::to_filetime)));
    (times.collect(), listing.damaged.len())
}

#[test]
fn logs_bring_the_656th_service() {
    let Some(primary) = hive_file(DIRTY) else { return };
    let without = replay(primary.clone(), &[]);
    assert!(without.is_still_dirty());
    let block = without.primary.clone().unwrap();
    assert_eq!((block.primary_sequence, block.secondary_sequence), (1622, 1621));
    let (before, _) = services(&Hive::open(&without).unwrap(), "ControlSet001");
    assert_eq!(before.len(), 655);

    let replayed = replay(primary, &dirty_logs());
    let applied: Vec<_> = replayed
        .logs
        .iter()
        .map(|log| {
            (log.format, log.applied.map(|it| (it.first_sequence, it.last_sequence, it.entries)))
        })
        .collect();
    assert_eq!(
        applied,
        [
            (Some(LogFormat::New), Some((2107, 2110, 4))),
            (Some(LogFormat::New), Some((2111, 2130, 20)))
        ]
    );
    assert!(replayed.logs.iter().all(|log| !log.damaged) && !replayed.is_still_dirty());
    let hive = Hive::open(&replayed).unwrap();
    let block = hive.base_block();
    assert_eq!((block.primary_sequence, block.secondary_sequence), (2130, 2130));
    assert_eq!((block.hive_bins_size, block.is_dirty()), (12_591_104, false));
    let (after, damage) = services(&hive, "ControlSet001");
    assert_eq!((after.len(), damage), (656, 0));
    let changed: Vec<_> = after
        .iter()
        .filter(|(name, time)| before.get(*name) != Some(time))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(changed, ["MSPCLOCK", "MSPQM", "MSTEE", "UASPStor", "ad_driver", "drmkaud"]);
}

#[test]
fn what_only_the_logs_know_is_marked() {
    let Some(primary) = hive_file(DIRTY) else { return };
    let replayed = replay(primary, &dirty_logs());
    let hive = Hive::open(&replayed).unwrap();
    let services = hive.root().unwrap().subkey("ControlSet001\\services").unwrap().unwrap();
    let driver = services.subkey("AD_DRIVER").unwrap().unwrap();
    assert!(driver.from_log() && driver.values().items.iter().all(|value| value.from_log));
    assert_eq!(
        driver.value("imagepath").unwrap().unwrap().text().as_deref(),
        Some("\\??\\C:\\Users\\jcloudy\\AppData\\Local\\Temp\\ad_driver.sys")
    );
    let old = services.subkey("Tcpip").unwrap().unwrap();
    assert!(!old.from_log() && old.values().items.iter().all(|value| !value.from_log));
}

#[test]
fn bad_base_block_is_replaced_from_the_latest_log() {
    let Some(mut primary) = hive_file(DIRTY) else { return };
    primary[508..512].fill(0);
    let replayed = replay(primary, &dirty_logs());
    assert_eq!(replayed.base_block_from.as_deref(), Some("LOG2"));
    assert!(replayed.logs[0].applied.is_none() && replayed.logs[0].refused.is_some());
    assert_eq!(replayed.logs[1].applied.unwrap().last_sequence, 2130);
    let hive = Hive::open(&replayed).unwrap();
    assert_eq!(services(&hive, "ControlSet001").0.len(), 656);
}

#[test]
fn services_of_every_hive_are_counted() {
    for (name, set, count) in [
        ("win10-1903-dirty-nologs.SYSTEM", "ControlSet001", 737),
        ("win81-dirty-nologs.SYSTEM", "ControlSet001", 469),
        ("server2003-dc.SYSTEM", "ControlSet001", 277),
        ("server2003-dc.SYSTEM", "ControlSet002", 277),
        ("nt4.SYSTEM", "ControlSet001", 136),
        ("nt4.SYSTEM", "ControlSet002", 136),
    ] {
        let Some(primary) = hive_file(name) else { return };
        let replayed = replay(primary, &[]);
        let (services, damage) = services(&Hive::open(&replayed).unwrap(), set);
        assert_eq!((services.len(), damage), (count, 0), "{name} {set}");
        assert_eq!(replayed.is_still_dirty(), name.contains("dirty"), "{name}");
    }
}

#[test]
fn holes_in_the_hive_bins_cost_only_what_lay_there() {
    let Some(primary) = hive_file("xp-corrupt.SYSTEM") else { return };
    let replayed = replay(primary, &[]);
    let (services, damage) = services(&Hive::open(&replayed).unwrap(), "ControlSet001");
    assert_eq!((services.len(), damage), (198, 60));
}

/// Keys, values, bytes of data and times as yarp 1.0.33 reads them.
#[test]
fn whole_hives_read_as_an_independent_reader_reads_them() {
    for (name, keys, values, data_bytes, times) in [
        ("nt4.SYSTEM", 1971, 5841, 198_018, 0x01bb_b68c_8a10_7f58),
        ("nt4.SOFTWARE", 2221, 3198, 157_524, 0x01d9_3b35_7623_92ba),
        ("server2003-dc.SYSTEM", 5734, 20_395, 923_704, 0x0010_5033_21c4),
        (DIRTY, 33_123, 74_957, 4_161_741, 0x01d3_7906_5469_8e86),
        ("win81-dirty-nologs.SYSTEM", 20_015, 49_779, 2_641_798, 0x01ce_9f3a_f976_92a2),
        ("win10-1903-dirty-nologs.SYSTEM", 43_211, 90_307, 5_175_840, 0x01d4_00c9_6edb_446a),
    ] {
        let Some(primary) = hive_file(name) else { return };
        let replayed = replay(primary, &[]);
        let walk = Walk::over(&Hive::open(&replayed).unwrap());
        let expected = Walk { keys, values, data_bytes, times, damage: Vec::new() };
        assert_eq!(walk, expected, "{name}");
    }
    let Some(primary) = hive_file(DIRTY) else { return };
    let replayed = replay(primary, &dirty_logs());
    let walk = Walk::over(&Hive::open(&replayed).unwrap());
    assert_eq!((walk.keys, walk.values, walk.data_bytes), (35_595, 78_901, 4_409_637));
    assert_eq!((walk.times, walk.damage.len()), (0x01d3_76ee_e3ca_e9c4, 0));
}

/// Keys, values, bytes of data and times as yarp 1.0.33 reads them after its own recovery.
#[test]
fn logs_of_recent_windows_are_replayed() {
    quiet_nt_hive();
    let Some(folder) = corpus_folder("format/amcache-with-logs.tar.xz") else { return };
    for (case, keys, values, data_bytes, times) in [
        ("Server2022_APTSim", 270, 6658, 204_716, 0x0003_c602_76fc),
        ("Win11_RathbunVM", 1035, 19_620, 648_234, 0x01d8_1c43_6c19_3d14),
    ] {
        let hive = folder.join("amcache").join(case).join("Amcache.hve");
        let replayed = with_logs(&hive, &[".LOG1", ".LOG2"]);
        let walk = Walk::over(&Hive::open(&replayed).unwrap());
        let expected = Walk { keys, values, data_bytes, times, damage: Vec::new() };
        assert_eq!(walk, expected, "{case} {:?}", replayed.logs);
    }
}

/// yarp 1.0.33 finds the same 1768 keys by name and time, 43 of them below Services with a known path.
#[test]
fn deleted_services_come_back() {
    let Some(primary) = hive_file("win10-1903-dirty-nologs.SYSTEM") else { return };
    let replayed = replay(primary, &[]);
    let deleted = Hive::open(&replayed).unwrap().deleted();
    assert_eq!(deleted.keys.len(), 1768);
    let services = deleted.keys.iter().filter(|key| {
        key.path.as_deref().is_some_and(|path| path.starts_with("ControlSet001\\Services\\"))
    });
    let services: Vec<_> = services.collect();
    assert_eq!(services.len(), 43);
    assert!(services.iter().all(|key| key.place == Place::FreeCell));
    let direct = |path: &str| path.matches('\\').count() == 2;
    let own: Vec<_> =
        services.iter().filter(|key| key.path.as_deref().is_some_and(direct)).collect();
    assert_eq!(own.len(), 18);
    assert!(own.iter().all(|key| key.name.ends_with("_152e8d1")), "per-user instances");
    let sure = own.iter().filter(|key| key.confidence == Confidence::High);
    let unsure: Vec<_> = own.iter().filter(|key| key.confidence < Confidence::High).collect();
    assert_eq!((sure.count(), unsure.len()), (own.len() - 1, 1));
    assert_eq!((unsure[0].name.as_str(), unsure[0].values.len()), ("OneSyncSvc_152e8d1", 0));
    let clipboard = own.iter().find(|key| key.name == "cbdhsvc_152e8d1").unwrap();
    let path = clipboard.values.iter().find(|value| value.name == "ImagePath").unwrap();
    let expected = "C:\\WINDOWS\\system32\\svchost.exe -k ClipboardSvcGroup -p";
    assert_eq!(path.text().as_deref(), Some(expected));
}

#[test]
fn security_descriptors_of_services_are_decoded() {
    let Some(primary) = hive_file(DIRTY) else { return };
    let replayed = replay(primary, &dirty_logs());
    let hive = Hive::open(&replayed).unwrap();
    let services = hive.root().unwrap().subkey("ControlSet001\\Services").unwrap().unwrap();
    let (mut keys, mut own) = (0, 0);
    for service in services.subkeys().items {
        let raw = service.security().unwrap();
        let decoded = SecurityDescriptor::parse(&raw).unwrap();
        keys += usize::from(decoded.to_sddl(RightsKind::Key).starts_with("O:"));
        let value =
            service.subkey("Security").unwrap().and_then(|key| key.value("Security").unwrap());
        if let Some(value) = value
            && let Ok(decoded) = SecurityDescriptor::parse(&value.data)
        {
            assert!(decoded.to_sddl(RightsKind::Service).contains("D:"), "{}", service.name());
            own += 1;
        }
    }
    assert_eq!((keys, own), (656, 158));
}

#[test]
fn damaged_real_hives_stop_nothing() {
    for (name, rounds) in [("nt4.SOFTWARE", 200), ("server2003-dc.SYSTEM", 100)] {
        let Some(primary) = hive_file(name) else { return };
        survive_damage(&primary, rounds);
    }
}
