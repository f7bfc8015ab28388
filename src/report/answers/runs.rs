//! Question 2: what does it run?

use super::{ChecklistAnswer, Draft};
use crate::checklist::Question;
use crate::host::config::ServiceConfig;
use crate::host::coverage::Origin;
use crate::host::event::Action;
use crate::host::{Host, Role, Service};
use crate::report::file::{self, FileReport, ServiceFileReport};
use crate::report::{Stamp, configuration};

pub(super) fn answer(
    host: &Host,
    service: &Service,
    links: &[ServiceFileReport],
    files: &[FileReport],
) -> ChecklistAnswer {
    let mut draft = Draft::new(Question::Runs);
    if let Some(config) = &service.config {
        stored(service, config, &mut draft);
    }
    let mut logged: Vec<&str> = Vec::new();
    for event in service.events(Role::Install, &host.events) {
        let Action::ServiceInstalled(install) = &event.action else { continue };
        let stored = service.config.as_ref().and_then(|config| config.image_path.as_deref());
        let command = install.image_path.as_str();
        if stored != Some(command) && !logged.contains(&command) {
            logged.push(command);
            draft.fact(format!("When installed it ran: {command}"), [event.citation.clone()]);
        }
    }
    if links.is_empty() {
        let purpose = "The file itself (its existence, hash, signature and times)";
        draft.needs(host, Origin::FileSystem, purpose);
    }
    for link in links.iter().filter(|link| !link.is_in_vain()) {
        if let Some(file) = file::find(files, &link.path) {
            if let Some(sentence) = file::state_sentence(link, file) {
                draft.fact(sentence, [file.citation.clone()]);
            }
            born_later(host, service, link, file, &mut draft);
            for point in file::open_points(file) {
                draft.missing(point);
            }
        }
    }
    draft.finish()
}

/// A file that is younger than every install of its service: what was installed was another one. Updates do that as well, so it
/// is a fact and no finding.
fn born_later(
    host: &Host,
    service: &Service,
    link: &ServiceFileReport,
    file: &FileReport,
    draft: &mut Draft,
) {
    let last = service.events(Role::Install, &host.events).last();
    let (Some(born), Some(install)) = (file.born, last) else { return };
    if born.0 > install.time {
        let text = format!(
            "The file of the {} was born after the service was installed {}.",
            link.label(),
            Stamp(install.time).short()
        );
        draft.fact(text, [file.citation.clone(), install.citation.clone()]);
    }
}

fn stored(service: &Service, config: &ServiceConfig, draft: &mut Draft) {
    match (&config.image_path, &service.image) {
        (Some(command), _) => draft.value(service, "ImagePath", format!("ImagePath: {command}")),
        (None, Some(image)) if image.implied => {
            let text = format!("No ImagePath: Windows loads {}", image.expanded);
            draft.fact(text, [config.citation.clone()]);
        }
        (None, _) => draft.fact("The key has no ImagePath.", [config.citation.clone()]),
    }
    if let Some(group) = service.image.as_ref().and_then(crate::host::ImagePath::svchost_group) {
        draft.value(service, "ImagePath", format!("svchost hosts it in the group {group}."));
    }
    if let Some((value, dll)) = &config.service_dll {
        draft.value(service, value, format!("ServiceDll: {dll}"));
    }
    if let Some(target) = &config.wrapper {
        let parameters = target.parameters.as_deref().unwrap_or_default();
        let text = format!("Behind the wrapper: {} {parameters}", target.application);
        draft.value(service, "Parameters\\Application", text.trim_end());
    }
    for point in &config.load_points {
        draft.fact(format!("{} loads {}", point.value, point.path), [point.citation.clone()]);
    }
    if let Some(command) = &config.failure_command {
        let text = if config.failure_command_is_armed() {
            format!("ARMED failure command: {command}")
        } else {
            format!("Failure command, inert because no action runs it: {command}")
        };
        let citations = [config.cite("FailureCommand"), config.cite("FailureActions")];
        draft.fact(text, citations);
    }
    if let Some(plan) = &config.failure_actions
        && !plan.actions.is_empty()
    {
        let steps = configuration::steps(plan);
        let steps: Vec<String> = steps
            .iter()
            .map(|step| format!("{} after {} ms", step.action, step.delay_ms))
            .collect();
        draft.value(service, "FailureActions", format!("On failure: {}", steps.join(", ")));
    }
}
