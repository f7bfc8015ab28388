//! The SYSTEM and SOFTWARE hives of real hosts, read from end to end.

#![expect(clippy::disallowed_methods, reason = "the tests copy their own evidence together")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use svctriage::artifact::{self, Reading};
use svctriage::diagnostic::Impact;
use svctriage::evidence;
use svctriage::host::config::{Epoch, ServiceConfig, ServiceType, ValueOrder};
use svctriage::host::fact::{IdentityItem, SettingKind};
use svctriage::host::{Fact, Origin, Provenance, State};

use crate::support::corpus::corpus_file;

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
    let opened = evidence::open(&given);
    assert!(opened.errors.is_empty() && opened.hosts.len() == 1, "{:?}", opened.errors);
    Some(artifact::read(opened.hosts[0].as_ref(), &()))
}

fn services<'r>(reading: &'r Reading, epoch: &Epoch) -> Vec<&'r ServiceConfig> {
    reading
        .facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Service(config) if config.epoch == *epoch => Some(config.as_ref()),
            _ => None,
        })
        .collect()
}

/// Typed services and configuration stores of one epoch.
fn counts(reading: &Reading, epoch: &Epoch) -> (usize, usize) {
    let stores = reading
        .facts
        .iter()
        .filter(|fact| matches!(fact, Fact::ConfigurationKey(key) if key.epoch == *epoch));
    (services(reading, epoch).len(), stores.count())
}

fn orders(reading: &Reading) -> BTreeMap<ValueOrder, usize> {
    let mut orders = BTreeMap::new();
    for config in services(reading, &Epoch::Current) {
        *orders.entry(config.value_order).or_default() += 1;
    }
    orders
}

#[test]
fn explore() {
    for (names, _) in [
        (
            &[
                "win10-1709-dirty.SYSTEM",
                "win10-1709-dirty.SYSTEM.LOG1",
                "win10-1709-dirty.SYSTEM.LOG2",
            ][..],
            0,
        ),
        (&["win10-1709-dirty.SYSTEM"], 0),
        (&["win10-1903-dirty-nologs.SYSTEM"], 0),
        (&["win81-dirty-nologs.SYSTEM"], 0),
        (&["server2003-dc.SYSTEM"], 0),
        (&["nt4.SYSTEM", "nt4.SOFTWARE"], 0),
        (&["xp-corrupt.SYSTEM"], 0),
    ] {
        let start = std::time::Instant::now();
        let Some(reading) = read(names) else { return };
        println!("== {names:?} {:?}", start.elapsed());
        let mut epochs: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for fact in &reading.facts {
            match fact {
                Fact::Service(c) => epochs.entry(format!("{:?}", c.epoch)).or_default().0 += 1,
                Fact::ConfigurationKey(c) => {
                    epochs.entry(format!("{:?}", c.epoch)).or_default().1 += 1
                }
                Fact::Identity(i) => println!("{:?}", i.item),
                Fact::Setting(s) => println!("{:?} {} {}", s.kind, s.value, s.citation),
                _ => {}
            }
        }
        println!("{epochs:?}");
        println!("orders {:?}", orders(&reading));
        println!("{:?}", reading.coverage);
        println!("{:?}", reading.files);
        println!("{} diagnostics", reading.diagnostics.len());
        for d in reading.diagnostics.iter().take(40) {
            println!("  {:?} {}", d.impact, d.message);
        }
        for c in services(&reading, &Epoch::Current) {
            if c.failure_command.is_some() {
                println!(
                    "FC {} {:?} armed={}",
                    c.name,
                    c.failure_command,
                    c.failure_command_is_armed()
                );
            }
            if c.citation.provenance != Provenance::Live {
                println!("LOG {} {:?} {}", c.name, c.image_path, c.citation);
            }
            if matches!(c.value_order, ValueOrder::Other) {
                println!(
                    "OTHER {} {:?}",
                    c.name,
                    c.values
                        .iter()
                        .filter(|v| !v.name.contains('\\'))
                        .map(|v| v.name.as_str())
                        .collect::<Vec<_>>()
                );
            }
            if c.value_order == ValueOrder::CreateService {
                println!("CREATE {} {:?}", c.name, c.image_path);
            }
        }
        for f in &reading.facts {
            if let Fact::Service(c) = f {
                if matches!(c.epoch, Epoch::Deleted(_)) {
                    println!(
                        "DEL {} {:?} {:?} {:?}",
                        c.name,
                        c.epoch,
                        c.image_path,
                        c.values.iter().map(|v| v.name.as_str()).collect::<Vec<_>>()
                    );
                }
            }
        }
        for f in &reading.facts {
            if let Fact::ConfigurationKey(c) = f {
                if matches!(c.epoch, Epoch::Deleted(_)) {
                    println!(
                        "DELCONF {} {:?} {:?}",
                        c.name,
                        c.epoch,
                        c.values.iter().map(|v| v.name.as_str()).collect::<Vec<_>>()
                    );
                }
            }
        }
        println!(
            "loadpoints {:?}",
            reading
                .facts
                .iter()
                .map(|f| match f {
                    Fact::Service(c) if c.epoch == Epoch::Current => c.load_points.len(),
                    Fact::ConfigurationKey(c) if c.epoch == Epoch::Current => c.load_points.len(),
                    _ => 0,
                })
                .sum::<usize>()
        );
    }
    let _ = (
        ServiceType(1),
        Impact::Note,
        IdentityItem::CurrentControlSet(1),
        SettingKind::MiniNt,
        Origin::SystemHive,
        State::Absent,
    );
}
