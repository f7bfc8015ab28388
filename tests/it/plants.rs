//! What evaluation hosts are made of: every plant can be told on a host, and what it plants is known to a scan of it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a plant that cannot be told must fail the test; evidence is written here to be read"
)]

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use svctriage::evidence;
use svctriage::lab::evaluation::plants::{Plant, attacks, cast, decoys};
use svctriage::lab::scenario::Scenario;
use svctriage::report::HostReport;
use svctriage::scan::{Settings, scan};

const HOST: &str = r#"
    title = "a host of the evaluation"
    seed = 6
    [host]
    name = "HOST-WS-042"
    address = "10.20.4.42"
    imaged = "2019-03-19T04:52:11Z"
    installed = "2022-01-10T09:00:00Z"
    shut-down = "2023-05-02T16:40:00Z"
    sysmon = true
    [host.windows]
    product = "Windows 10 Enterprise"
    edition = "Enterprise"
    build = 18363
    revision = 2274
    release = "1909"
    [host.time-zone]
    key = "UTC"
    bias = 0
    active-bias = 0
"#;

fn begin() -> Timestamp {
    "2023-05-03T08:00:00Z".parse().unwrap()
}

/// A host on which these happened, an hour apart, scanned.
fn host(plants: &[&Plant]) -> HostReport {
    let mut scenario = Scenario::parse(HOST).unwrap();
    scenario.users = cast().to_vec();
    let hour = SignedDuration::from_hours(1);
    for (plant, number) in plants.iter().zip(0..) {
        scenario.actions.extend(plant.steps(begin() + hour * number));
        scenario.programs.extend(plant.programs.iter().cloned());
    }
    let ids: Vec<&str> = plants.iter().map(|plant| plant.id.as_str()).collect();
    let folder = tempfile::tempdir().unwrap();
    for file in scenario.evidence().unwrap_or_else(|error| panic!("{ids:?}: {error}")) {
        let path = folder.path().join(&file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, file.bytes).unwrap();
    }
    let opened = evidence::open(&[folder.path().to_owned()], &evidence::Options::default());
    assert_eq!(opened.hosts.len(), 1, "{ids:?}");
    scan(opened.hosts.first().unwrap().as_ref(), &Settings::default(), &())
}

/// Hosts that hold all of these: what touches the same service is not put on one host.
fn hosts(plants: &'static [Plant]) -> Vec<Vec<&'static Plant>> {
    let mut hosts: Vec<(BTreeSet<&str>, Vec<&Plant>)> = Vec::new();
    for plant in plants {
        let services = || plant.services.iter().map(String::as_str);
        let free = hosts.iter_mut().find(|(taken, _)| !services().any(|name| taken.contains(name)));
        if let Some((taken, together)) = free {
            taken.extend(services());
            together.push(plant);
        } else {
            hosts.push((services().collect(), vec![plant]));
        }
    }
    hosts.into_iter().map(|(_, plants)| plants).collect()
}

/// The planted services that no service of the report is, by key name or, for ghosts, display name.
fn unknown(report: &HostReport, plants: &[&Plant]) -> Vec<String> {
    let known: BTreeSet<String> = report
        .services
        .iter()
        .flat_map(|service| [Some(&service.name), service.display_name.as_ref()])
        .flatten()
        .map(|name| name.to_lowercase())
        .collect();
    let planted =
        plants.iter().flat_map(|plant| plant.services.iter().map(move |name| (plant, name)));
    planted
        .filter(|(_, name)| !known.contains(&name.to_lowercase()))
        .map(|(plant, name)| format!("{}: {name}", plant.id))
        .collect()
}

#[test]
fn what_attacks_plant_is_known_to_a_scan() {
    for plants in hosts(attacks()) {
        assert_eq!(unknown(&host(&plants), &plants), Vec::<String>::new());
    }
}

#[test]
fn what_decoys_plant_is_known_to_a_scan() {
    for plants in hosts(decoys()) {
        assert_eq!(unknown(&host(&plants), &plants), Vec::<String>::new());
    }
}
