//! The ranking against labelled logs: every malicious incident is found, ordinary hosts stay quiet.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use svctriage::rank::Verdict;
use svctriage::report::HostReport;
use svctriage::text;

use crate::support::corpus::{corpus_file, corpus_folder};
use crate::support::scan::scan_one;

/// What the truth says of one incident: the files it stands in and every name it goes by.
#[derive(Default)]
struct Incident {
    files: BTreeSet<String>,
    names: BTreeSet<String>,
}

fn incidents(truth: &Path, label: &str) -> BTreeMap<String, Incident> {
    let mut reader = csv::Reader::from_path(truth).unwrap();
    let headers = reader.headers().unwrap().clone();
    let column = |name: &str| headers.iter().position(|header| header == name).unwrap();
    let mut incidents: BTreeMap<String, Incident> = BTreeMap::new();
    for row in reader.records().map(Result::unwrap) {
        let field = |name: &str| row.get(column(name)).unwrap().to_owned();
        if field("primary") != "yes" || field("label") != label {
            continue;
        }
        let incident = incidents.entry(field("incident")).or_default();
        incident.files.insert(field("file"));
        for name in [field("service_name"), field("display_name")] {
            if !name.is_empty() {
                incident.names.insert(text::fold(&name));
            }
        }
    }
    incidents
}

/// The services of a report that an incident is about: its own name, or that of a service on another host.
fn concerned<'a>(
    report: &'a HostReport,
    incident: &'a Incident,
) -> impl Iterator<Item = &'a svctriage::report::ServiceReport> {
    report.services.iter().filter(|service| {
        let own = text::fold(service.name.rsplit('\\').next().unwrap_or_default());
        let display = service.display_name.as_deref().map(text::fold).unwrap_or_default();
        incident.names.contains(&own) || incident.names.contains(&display)
    })
}

/// The worst verdict that the labelled files of each incident give its services.
fn verdicts(label: &str) -> Option<Vec<(String, Option<Verdict>)>> {
    let truth = corpus_file("evtx/truth.csv")?;
    let logs = corpus_folder("evtx/evtx-to-mitre-attack.tar.xz")?;
    let mut scanned: BTreeMap<String, HostReport> = BTreeMap::new();
    let mut judged = Vec::new();
    for (name, incident) in incidents(&truth, label) {
        let mut worst = None;
        for file in &incident.files {
            let report =
                scanned.entry(file.clone()).or_insert_with(|| scan_one(&[logs.join(file)]));
            let found = concerned(report, &incident).map(|service| service.verdict).max();
            worst = worst.max(found);
        }
        judged.push((name, worst));
    }
    Some(judged)
}

#[test]
fn every_malicious_incident_is_to_be_reviewed_or_escalated() {
    let Some(judged) = verdicts("malicious") else { return };
    assert_eq!(judged.len(), 23, "the truth has changed");
    let missed: Vec<_> = judged
        .iter()
        .filter(|(_, verdict)| verdict.is_none_or(|verdict| verdict < Verdict::Review))
        .collect();
    assert!(missed.is_empty(), "{} incidents below review: {missed:#?}", missed.len());
}

#[test]
fn benign_installs_of_the_labelled_logs_stay_quiet() {
    let Some(judged) = verdicts("benign") else { return };
    assert_eq!(judged.len(), 3, "the truth has changed");
    let loud: Vec<_> =
        judged.iter().filter(|(_, verdict)| *verdict >= Some(Verdict::Review)).collect();
    assert!(loud.is_empty(), "{loud:#?}");
}

#[test]
fn an_ordinary_windows_10_has_nothing_to_review() {
    let Some(logs) = corpus_folder("evtx/win10-benign-vm.tar.xz") else { return };
    let report = scan_one(&[logs]);
    let loud: Vec<_> = report
        .services
        .iter()
        .filter(|service| service.verdict >= Verdict::Review)
        .map(|service| (&service.name, service.score, &service.findings))
        .collect();
    assert!(loud.is_empty(), "{loud:#?}");
}

#[test]
fn ordinary_installs_are_not_escalated() {
    let Some(logs) = corpus_folder("evtx/benign-system-logs.tar.xz") else { return };
    let mut examined = 0;
    for file in ["win7-system.evtx", "2-vss_7-System.evtx"] {
        let report = scan_one(&[logs.join("benign-system-logs").join(file)]);
        examined += report.services.len();
        let loud: Vec<_> = report
            .services
            .iter()
            .filter(|service| service.verdict == Verdict::Escalate)
            .map(|service| (&service.name, service.score, &service.findings))
            .collect();
        assert!(loud.is_empty(), "{file}: {loud:#?}");
    }
    assert!(examined > 50, "only {examined} services were examined");
}
