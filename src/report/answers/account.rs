//! Question 4: which account does it run as, with which rights?

use super::{ChecklistAnswer, Draft};
use crate::checklist::Question;
use crate::host::config::{ServiceConfig, ServiceType};
use crate::host::coverage::Origin;
use crate::host::event::Action;
use crate::host::{Host, Role, Service};

pub(super) fn answer(host: &Host, service: &Service) -> ChecklistAnswer {
    let mut draft = Draft::new(Question::Account);
    match &service.config {
        Some(config) => stored(service, config, &mut draft),
        None => logged(host, service, &mut draft),
    }
    draft.finish()
}

fn stored(service: &Service, config: &ServiceConfig, draft: &mut Draft) {
    let kind = config.service_type;
    match &config.object_name {
        _ if service.is_driver() => {
            draft.fact(
                "A driver: it runs in the kernel, above every account.",
                [config.cite("Type")],
            );
        }
        Some(account) => draft.value(service, "ObjectName", format!("It runs as {account}.")),
        None if kind.is_some_and(ServiceType::is_win32) => {
            let text = "No ObjectName: it runs as LocalSystem.";
            draft.fact(text, [config.citation.clone()]);
        }
        None if service.is_store() => {
            let text = "It has no account: whoever loads the library runs it.";
            draft.fact(text, [config.citation.clone()]);
        }
        None => draft.missing("The account: the key does not name one"),
    }
    if let Some(privileges) = &config.required_privileges {
        let text = format!("Its privileges are limited to: {}", privileges.join(", "));
        draft.value(service, "RequiredPrivileges", text);
    } else if !service.is_driver() && !service.is_store() {
        let text = "No RequiredPrivileges: it has every privilege of its account.";
        draft.fact(text, [config.citation.clone()]);
    }
    if let Some(kind) = config.service_sid_type.filter(|kind| *kind != 0) {
        let word = if kind == 3 { "a restricted" } else { "its own" };
        draft.value(service, "ServiceSidType", format!("It has {word} service SID."));
    }
    if let Some(level) = config.launch_protected.filter(|level| *level != 0) {
        draft.value(
            service,
            "LaunchProtected",
            format!("It is a protected process, level {level}."),
        );
    }
    if kind.is_some_and(ServiceType::is_interactive) {
        draft.value(service, "Type", "It may interact with the desktop.");
    }
    if let Some(rules) = &config.security {
        let text = format!("Who may control it: {}", rules.sddl);
        draft.value(service, "Security\\Security", text);
    }
    if let Some(rules) = &config.key_security {
        draft.fact(format!("Who may rewrite its key: {}", rules.sddl), [config.citation.clone()]);
    }
}

fn logged(host: &Host, service: &Service, draft: &mut Draft) {
    let mut accounts: Vec<&str> = Vec::new();
    for event in service.events(Role::Install, &host.events) {
        let Action::ServiceInstalled(install) = &event.action else { continue };
        let account = install.account.as_str();
        if !account.is_empty() && !accounts.contains(&account) {
            accounts.push(account);
            draft.fact(format!("It was installed to run as {account}."), [event.citation.clone()]);
        }
    }
    if draft.needs(host, Origin::SystemHive, "Its rights") {
        draft.missing("Its rights: the current control set has no key of that name");
    }
}
