//! Question 1: what service was created?

use super::{ChecklistAnswer, Draft};
use crate::checklist::Question;
use crate::host::config::{Epoch, ServiceConfig};
use crate::host::coverage::Origin;
use crate::host::{Host, Role, Service};

/// Other states told one by one; further ones are counted, and all stand in its history.
const STATES_SHOWN: usize = 3;

pub(super) fn answer(host: &Host, service: &Service) -> ChecklistAnswer {
    let mut draft = Draft::new(Question::What);
    match &service.config {
        Some(config) => {
            let name = &service.name;
            let text = if service.is_store() {
                format!(
                    "The key {name} holds no service (it has no Type), but names what Windows loads."
                )
            } else {
                let kind =
                    config.service_type.map_or("no type".to_owned(), |kind| kind.to_string());
                format!("The key {name} holds a service: {kind}.")
            };
            draft.fact(text, [config.cite("Type")]);
            for (value, label, stored) in [
                ("DisplayName", "Display name", &config.display_name),
                ("Description", "Description", &config.description),
            ] {
                if let Some(stored) = stored {
                    draft.value(service, value, format!("{label}: {stored}"));
                }
            }
            if config.delete_flag.is_some_and(|flag| flag != 0) {
                draft.value(service, "DeleteFlag", "Its deletion is pending.");
            }
        }
        None => without_key(host, service, &mut draft),
    }
    draft.finish()
}

fn state(config: &ServiceConfig) -> String {
    match &config.epoch {
        Epoch::History(label) => format!("The older state {label}"),
        _ => "Another state of the registry".to_owned(),
    }
}

fn without_key(host: &Host, service: &Service, draft: &mut Draft) {
    if let Some(other) = &service.elsewhere {
        let citation = service.links.first().and_then(|link| host.events.get(link.event));
        let text = format!("A service of the host {other}, named in a command given here.");
        draft.fact(text, citation.map(|event| event.citation.clone()));
        draft.missing(format!("Whether it exists: the evidence of {other} would tell"));
        return;
    }
    if let Some(event) = service.events(Role::Install, &host.events).next() {
        let text = format!("The logs know an installation of {}.", service.name);
        draft.fact(text, [event.citation.clone()]);
    } else if let Some(link) = service.links.first() {
        let citation = host.events.get(link.event).map(|event| event.citation.clone());
        draft.fact(format!("Only logs name {}.", service.name), citation);
    }
    if let Some(name) = &service.display_name {
        draft.fact(format!("Display name: {name}"), None);
    }
    for config in service.history.iter().take(STATES_SHOWN) {
        let text = format!("{} has the key {}.", state(config), config.name);
        draft.fact(text, [config.citation.clone()]);
    }
    let more = service.history.len().saturating_sub(STATES_SHOWN);
    if more > 0 {
        draft.fact(format!("{more} further states of the registry have it."), None);
    }
    if draft.needs(host, Origin::SystemHive, "Whether its key exists") {
        draft.missing("Its values: the current control set has no key of that name");
    }
}
