//! A service as named values that can be compared one by one.

use super::ServiceState;
use crate::checklist::baseline::{FileValues, Row};
use crate::checklist::knowledge::stock;
use crate::host::config::{Start, Trigger};
use crate::host::program_file::FileState;
use crate::report::configuration::Configuration;
use crate::report::file::ServiceFileReport;
use crate::report::{ServiceReport, baseline};
use crate::text;

/// A value: its name, and what it is; absent is a value like any other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) value: Option<String>,
    /// Whether the state can tell; where one cannot, nothing differs.
    pub(super) is_known: bool,
}

/// A service to be compared.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// Its name; of a per-user instance its template's.
    pub(super) name: String,
    pub(super) is_instance: bool,
    pub(super) fields: Vec<Field>,
    pub(super) state: ServiceState,
}

fn field(name: &'static str, value: Option<String>) -> Field {
    Field { name, value, is_known: true }
}

/// One that is told only where it is known.
fn told(name: &'static str, value: Option<String>) -> Field {
    Field { name, is_known: value.is_some(), value }
}

impl Item {
    /// A service of a report, every value as stored.
    pub(super) fn of_service(service: &ServiceReport) -> Self {
        let is_instance = is_instance(service);
        let template = stock::template(&service.name).filter(|_| is_instance);
        let key = if service.registry { "present" } else { "none" };
        let start = service.start_value.map(|start| Start::from(start).to_string());
        let mut fields = vec![
            field("key", Some(key.to_owned())),
            field("image_path", service.image_path.clone()),
            field("service_dll", service.service_dll.clone()),
            field("account", service.account.clone()),
            field("type", service.kind.clone()),
            field("start", start),
            field("display_name", service.display_name.clone()),
            field("failure_command", failure_command(service)),
            field("failure_actions", failure_actions(service)),
            field("safe_boot", joined(&service.safe_boot)),
        ];
        if let Some(config) = &service.configuration {
            fields.extend(configured(config));
        }
        fields.extend(files(&service.files));
        Self {
            name: template.unwrap_or(&service.name).to_owned(),
            is_instance,
            fields,
            state: state(service),
        }
    }

    /// A service of a report as a baseline would have it; absent where it has no key.
    pub(super) fn of_service_as_row(service: &ServiceReport) -> Option<Self> {
        let row = baseline::row(service)?;
        Some(Self { state: state(service), ..Self::of_row(&row, None) })
    }

    /// A line of a baseline.
    pub(super) fn of_row(row: &Row, line: Option<usize>) -> Self {
        let number = |value: Option<u32>| value.map(|value| value.to_string());
        let command = [row.image.as_deref().unwrap_or_default(), row.arguments.as_str()];
        let command = command.join(" ").trim().to_owned();
        let armed = if row.failure_armed { "armed" } else { "inert" };
        let failure = row.failure_command.as_ref().map(|command| format!("{command} ({armed})"));
        let mut fields = vec![
            field("image", row.image.clone()),
            field("arguments", Some(row.arguments.clone())),
            field("dll", row.dll.clone()),
            field("wrapped", row.wrapped.clone()),
            field("load_points", joined(&row.load_points)),
            field("account", row.account.clone()),
            field("type", number(row.service_type)),
            field("start", row.start.map(|start| Start::from(start).to_string())),
            field("error_control", number(row.error_control)),
            field("failure_command", failure),
            field("launch_protected", number(row.launch_protected)),
            field("security", row.security.clone()),
            field("owner", row.owner.clone()),
        ];
        let of_file = |[sha256, signer]: [&'static str; 2], file: &FileValues| {
            [told(sha256, file.sha256.clone()), told(signer, file.signer.clone())]
        };
        fields.extend(of_file(["image_sha256", "image_signer"], &row.image_file));
        fields.extend(of_file(["dll_sha256", "dll_signer"], &row.dll_file));
        fields.extend(of_file(["wrapped_sha256", "wrapped_signer"], &row.wrapped_file));
        let runs = row.dll.as_ref().map_or(command, |dll| format!("{dll} (ServiceDll)"));
        let state =
            ServiceState { runs, account: row.account.clone(), line, ..ServiceState::default() };
        Self { name: row.name.clone(), is_instance: row.is_instance(), fields, state }
    }
}

fn is_instance(service: &ServiceReport) -> bool {
    service.type_value.is_some_and(|kind| crate::host::config::ServiceType(kind).is_user_instance())
}

fn state(service: &ServiceReport) -> ServiceState {
    ServiceState {
        verdict: Some(service.verdict),
        score: Some(service.score),
        runs: service.runs(),
        account: service.account.clone(),
        last_write: service.last_write,
        line: None,
    }
}

fn failure_command(service: &ServiceReport) -> Option<String> {
    let failure = service.failure_command.as_ref()?;
    let state = if failure.armed { "armed" } else { "inert" };
    Some(format!("{} ({state})", failure.command))
}

fn failure_actions(service: &ServiceReport) -> Option<String> {
    let plan = service.failure_actions.as_ref()?;
    let mut parts: Vec<String> = plan
        .actions
        .iter()
        .map(|step| format!("{} after {} ms", step.action, step.delay_ms))
        .collect();
    parts.extend(plan.reset_period_s.map(|seconds| format!("reset after {seconds} s")));
    parts.extend(plan.on_non_crash_failures.map(|on| format!("on errors at stop: {on}")));
    parts.extend(plan.reboot_message.as_ref().map(|message| format!("message: {message}")));
    Some(parts.join(", "))
}

/// What the key says beyond the fields of the service itself.
fn configured(config: &Configuration) -> Vec<Field> {
    let number = |value: Option<u32>| value.map(|value| value.to_string());
    let wrapper = config.wrapper.as_ref().map(|wrapper| {
        let parameters = wrapper.parameters.as_deref().unwrap_or_default();
        format!("{} {parameters}", wrapper.application).trim_end().to_owned()
    });
    let points = config.load_points.iter().map(|one| format!("{}={}", one.value, one.path));
    let triggers: Vec<String> = config.triggers.iter().map(trigger).collect();
    let sddl = |rules: &crate::host::config::AccessRules| rules.sddl.clone();
    vec![
        field("delayed_auto_start", config.delayed_auto_start.map(|on| on.to_string())),
        field("error_control", config.error_control.clone()),
        field("description", config.description.clone()),
        field("group", config.group.clone()),
        field("depend_on_service", joined(&config.depend_on_service)),
        field("launch_protected", config.launch_protected.clone()),
        field("required_privileges", config.required_privileges.as_ref().map(|all| all.join(", "))),
        field("service_sid_type", config.service_sid_type.clone()),
        field("triggers", joined(&triggers)),
        field("wrapper", wrapper),
        field("load_points", joined(&points.collect::<Vec<_>>())),
        field("security", config.security.as_ref().map(sddl)),
        told("key_security", config.key_security.as_ref().map(sddl)),
        field("delete_flag", number(config.delete_flag)),
    ]
}

fn trigger(one: &Trigger) -> String {
    let guid = one.guid.as_deref().unwrap_or("-");
    format!("type {} action {} {guid} {}", one.kind, one.action, one.data.join(" "))
        .trim_end()
        .to_owned()
}

/// What is known of the files it runs.
fn files(links: &[ServiceFileReport]) -> Vec<Field> {
    let names = [
        ("image", ["image_file", "image_sha256", "image_signature"]),
        ("service_dll", ["dll_file", "dll_sha256", "dll_signature"]),
        ("wrapped", ["wrapped_file", "wrapped_sha256", "wrapped_signature"]),
    ];
    let of = |purpose: &str| links.iter().find(|link| link.purpose == purpose);
    let mut fields = Vec::new();
    for (purpose, [state, sha256, signature]) in names {
        let link = of(purpose);
        let there =
            link.filter(|link| matches!(link.state, FileState::Present | FileState::Missing));
        let signed = link
            .filter(|link| link.signature != crate::host::program_file::SignatureStatus::Unknown);
        fields.push(told(state, there.map(|link| link.state.label().to_owned())));
        fields.push(told(sha256, link.and_then(|link| link.sha256.clone())));
        fields.push(told(
            signature,
            signed.map(|link| match &link.signer {
                Some(name) => format!("{}, {name}", link.signature.label()),
                None => link.signature.label().to_owned(),
            }),
        ));
    }
    fields
}

fn joined(parts: &[String]) -> Option<String> {
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// By which services of two states are found to be one.
pub(super) fn key(item: &Item) -> (String, bool) {
    (text::fold(&item.name), item.is_instance)
}
