//! Hits of Sigma rules to the services they concern: by the record, else by what the record names.

use std::collections::{BTreeMap, BTreeSet};

use super::process::file_path;
use crate::host::image_path::leaf;
use crate::host::rule_hit::RuleHit;
use crate::host::service::Role;
use crate::host::service_command::{in_command_line, in_script, service_of_key};
use crate::host::shell::is_interpreter;
use crate::host::{Host, Place, Service, Volumes};
use crate::text::fold;

/// A program that more services run than this says nothing about one of them.
const MOST_OF_A_PROGRAM: usize = 3;

/// Puts the hits in order and gives each service the ones that concern it.
pub(super) fn attach(host: &mut Host) {
    if host.rule_hits.is_empty() {
        return;
    }
    host.rule_hits.sort_by(|left, right| {
        let key = |hit: &RuleHit| (hit.time, std::sync::Arc::clone(&hit.rule));
        key(left).cmp(&key(right)).then_with(|| left.citations.cmp(&right.citations))
    });
    let by_record = services_by_record(host);
    let names = Names::of(&host.services, &host.volumes);
    let mut concerned: Vec<BTreeSet<usize>> = Vec::with_capacity(host.rule_hits.len());
    for hit in &host.rule_hits {
        let records = hit.citations.iter().filter_map(|citation| record(&citation.place));
        let mut found: BTreeSet<usize> =
            records.filter_map(|record| by_record.get(&record)).flatten().copied().collect();
        if found.is_empty() {
            found = names.named_by(hit);
        }
        concerned.push(found);
    }
    for (at, services) in concerned.into_iter().enumerate() {
        for index in services {
            if let Some(service) = host.services.get_mut(index) {
                service.rule_hits.push(at);
            }
        }
    }
}

/// Channel, event id and record id.
type Record<'h> = (&'h str, u16, u64);

fn record(place: &Place) -> Option<Record<'_>> {
    match place {
        Place::Record { channel, event_id, record_id } => Some((channel, *event_id, *record_id)),
        Place::Key { .. } | Place::File => None,
    }
}

/// Which services each record that a rule fired on belongs to. A logon or a cleared log close by is no act of a service.
fn services_by_record(host: &Host) -> BTreeMap<Record<'_>, BTreeSet<usize>> {
    let cited: BTreeSet<Record<'_>> = host
        .rule_hits
        .iter()
        .flat_map(|hit| &hit.citations)
        .filter_map(|citation| record(&citation.place))
        .collect();
    let mut found: BTreeMap<Record<'_>, BTreeSet<usize>> = BTreeMap::new();
    for (index, service) in host.services.iter().enumerate() {
        let links = service.links.iter();
        for link in links.filter(|link| !matches!(link.role, Role::ActorLogon | Role::LogCleared)) {
            let event = host.events.get(link.event);
            let place = event.and_then(|event| record(&event.citation.place));
            if let Some(place) = place.filter(|place| cited.contains(place)) {
                found.entry(place).or_default().insert(index);
            }
        }
    }
    found
}

/// The services of a host by what records call them.
struct Names {
    keys: BTreeMap<String, usize>,
    displays: BTreeMap<String, Vec<usize>>,
    programs: BTreeMap<String, BTreeSet<usize>>,
    volumes: Volumes,
}

impl Names {
    fn of(services: &[Service], volumes: &Volumes) -> Self {
        let (mut keys, mut displays, mut programs) =
            (BTreeMap::new(), BTreeMap::<_, Vec<_>>::new(), BTreeMap::<_, BTreeSet<_>>::new());
        for (index, service) in services.iter().enumerate() {
            if service.elsewhere.is_some() {
                continue;
            }
            keys.entry(fold(&service.name)).or_insert(index);
            if let Some(display) = &service.display_name {
                displays.entry(fold(display)).or_default().push(index);
            }
            let paths = [&service.image, &service.dll, &service.failure_command, &service.wrapped];
            for path in paths.into_iter().flatten() {
                programs.entry(path.normalized.clone()).or_default().insert(index);
            }
        }
        Self { keys, displays, programs, volumes: volumes.clone() }
    }

    /// The services that a hit's fields name: by name or key, else by command, else by program.
    fn named_by(&self, hit: &RuleHit) -> BTreeSet<usize> {
        let by_key = collect(hit, |name, value| match name {
            "SERVICENAME" | "PARAM1" | "PARAM4" => self.named(value).into_iter().collect(),
            "TARGETOBJECT" | "OBJECTNAME" => {
                service_of_key(value).and_then(|(key, _)| self.named(&key)).into_iter().collect()
            }
            _ => Vec::new(),
        });
        if !by_key.is_empty() {
            return by_key;
        }
        let by_command = collect(hit, |name, value| {
            let commands = match name {
                "COMMANDLINE" | "PROCESSCOMMANDLINE" => in_command_line(value),
                "SCRIPTBLOCKTEXT" => in_script(value),
                _ => return Vec::new(),
            };
            let local = commands.iter().filter(|command| command.remote.is_none());
            local.filter_map(|command| self.named(&command.service)).collect()
        });
        if !by_command.is_empty() {
            return by_command;
        }
        collect(hit, |name, value| match name {
            "IMAGE" | "NEWPROCESSNAME" | "PROCESSNAME" | "APPLICATION" | "SOURCEIMAGE"
            | "IMAGELOADED" | "IMAGEPATH" | "SERVICEFILENAME" | "TARGETFILENAME"
            | "PARENTIMAGE" | "PARENTPROCESSNAME" => self.running(value),
            _ => Vec::new(),
        })
    }

    fn named(&self, name: &str) -> Option<usize> {
        let name = fold(name.trim());
        let display = || match self.displays.get(&name).map(Vec::as_slice) {
            Some([only]) => Some(*only),
            _ => None,
        };
        self.keys.get(&name).copied().or_else(display)
    }

    fn running(&self, program: &str) -> Vec<usize> {
        let program = file_path(program);
        if is_interpreter(&program) || leaf(&program).eq_ignore_ascii_case("svchost.exe") {
            return Vec::new();
        }
        let paths = self.volumes.drive_paths(&program);
        let services: BTreeSet<usize> =
            paths.iter().filter_map(|path| self.programs.get(path)).flatten().copied().collect();
        if services.len() > MOST_OF_A_PROGRAM {
            return Vec::new();
        }
        services.into_iter().collect()
    }
}

/// The services that any field of a hit leads to; names of fields are folded.
fn collect(hit: &RuleHit, found: impl Fn(&str, &str) -> Vec<usize>) -> BTreeSet<usize> {
    hit.fields.iter().flat_map(|(name, value)| found(&fold(name), value)).collect()
}
