//! Real hives: counts known from independent readers.

use svctriage::artifact::hive::{Hive, LogFile, replay};

use crate::support::corpus::corpus_bytes;

fn log(name: &str) -> Option<LogFile> {
    let bytes = corpus_bytes(&format!("hives/{name}.xz"))?;
    Some(LogFile { name: name.to_owned(), bytes })
}

fn service_count(hive: &Hive<'_>, control_set: &str) -> (usize, usize) {
    let services = hive.root().unwrap().subkey(&format!("{control_set}\\Services")).unwrap();
    let listing = services.unwrap().subkeys();
    (listing.items.len(), listing.damaged.len())
}

#[test]
fn logs_bring_the_656th_service() {
    let Some(primary) = corpus_bytes("hives/win10-1709-dirty.SYSTEM.xz") else { return };
    let logs = ["win10-1709-dirty.SYSTEM.LOG1", "win10-1709-dirty.SYSTEM.LOG2"];
    let replayed = replay(primary.clone(), logs.iter().filter_map(|name| log(name)).collect());
    for log in &replayed.logs {
        println!("{log:?}");
    }
    let hive = Hive::open(&replayed).unwrap();
    println!("{:?}", hive.base_block());
    assert_eq!(service_count(&hive, "ControlSet001"), (656, 0));
    let alone = replay(primary, Vec::new());
    let hive = Hive::open(&alone).unwrap();
    assert_eq!(service_count(&hive, "ControlSet001"), (655, 0));
    assert!(alone.is_still_dirty());
}

#[test]
fn services_of_every_hive_are_counted() {
    for (name, set) in [
        ("win10-1903-dirty-nologs.SYSTEM", "ControlSet001"),
        ("win81-dirty-nologs.SYSTEM", "ControlSet001"),
        ("server2003-dc.SYSTEM", "ControlSet001"),
        ("server2003-dc.SYSTEM", "ControlSet002"),
        ("nt4.SYSTEM", "ControlSet001"),
        ("nt4.SYSTEM", "ControlSet002"),
        ("xp-corrupt.SYSTEM", "ControlSet001"),
    ] {
        let Some(primary) = corpus_bytes(&format!("hives/{name}.xz")) else { return };
        let replayed = replay(primary, Vec::new());
        let hive = Hive::open(&replayed).unwrap();
        println!("{name} {set} {:?}", service_count(&hive, set));
        let sets = hive.root().unwrap().subkeys();
        println!(
            "{:?} {:?}",
            sets.items.iter().map(|k| k.name().to_owned()).collect::<Vec<_>>(),
            sets.damaged
        );
    }
}

#[test]
fn deleted_services_come_back() {
    let Some(primary) = corpus_bytes("hives/win10-1903-dirty-nologs.SYSTEM.xz") else { return };
    let replayed = replay(primary, Vec::new());
    let hive = Hive::open(&replayed).unwrap();
    let start = std::time::Instant::now();
    let deleted = hive.deleted();
    println!("{:?}", start.elapsed());
    println!("{} {}", deleted.keys.len(), deleted.values.len());
    for key in &deleted.keys {
        println!(
            "K {:?} {:?} {:?} {}/{} {:?} {:?} {} {}",
            key.path,
            key.name,
            key.last_write.map(svctriage::time::format),
            key.values.len(),
            key.value_count,
            key.confidence,
            key.place,
            key.superseded,
            key.reason
        );
    }
    for value in &deleted.values {
        println!(
            "V {:?} {:?} {:?} {:?} {:?}",
            value.key, value.value.name, value.value.damage, value.confidence, value.place
        );
    }
}

#[test]
fn whole_hives_read_as_an_independent_reader_reads_them() {
    for name in [
        "nt4.SYSTEM",
        "nt4.SOFTWARE",
        "server2003-dc.SYSTEM",
        "win10-1709-dirty.SYSTEM",
        "win81-dirty-nologs.SYSTEM",
        "win10-1903-dirty-nologs.SYSTEM",
        "xp-corrupt.SYSTEM",
    ] {
        let Some(primary) = corpus_bytes(&format!("hives/{name}.xz")) else { return };
        let replayed = replay(primary, Vec::new());
        let hive = Hive::open(&replayed).unwrap();
        let mut open = vec![hive.root().unwrap()];
        let (mut keys, mut values, mut bytes, mut damage, mut times) = (0, 0, 0, 0, 0);
        while let Some(key) = open.pop() {
            keys += 1;
            times ^= key.last_write().map_or(0, svctriage::time::to_filetime);
            let found = key.values();
            values += found.items.len();
            bytes += found.items.iter().map(|value| value.data.len()).sum::<usize>();
            let subkeys = key.subkeys();
            for d in found.damaged.iter().chain(&subkeys.damaged) {
                if damage < 10 {
                    println!("{} {d}", key.path());
                }
                damage += 1;
            }
            open.extend(subkeys.items);
        }
        println!("{name} {keys} {values} {bytes} {times:#x} {damage}");
    }
}
