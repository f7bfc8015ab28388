//! The values of a service key, decoded into what they mean.
//!
//! Names are compared without case, any string type is accepted for text, and odd data costs that value
//! only: in 3,588 real services `ImagePath` is `REG_SZ` 15 times, `DisplayName` is even `REG_MULTI_SZ`, and
//! trigger GUIDs are named `GUID` and `Guid`.

mod access_rules;
mod failure_actions;
mod fields;
mod load_points;
mod triggers;
mod value_order;

pub use access_rules::access_rules;
pub use failure_actions::failure_actions;
pub use load_points::{is_load_point, load_points};
pub use value_order::value_order;

use super::hive::RightsKind;
use crate::host::config::{ServiceConfig, ServiceType, Start, WrapperTarget};
use fields::Fields;

/// Fills the decoded fields of a configuration from its raw values; returns what did not fit, one sentence
/// each.
///
/// A field whose value is absent or odd stays as it was.
pub fn decode(config: &mut ServiceConfig) -> Vec<String> {
    let values = std::mem::take(&mut config.values);
    let mut fields = Fields::new(&values);
    how_it_starts(config, &mut fields);
    what_it_says(config, &mut fields);
    how_it_fails(config, &mut fields);
    how_it_is_hardened(config, &mut fields);
    where_it_comes_from(config, &mut fields);
    what_it_loads(config, &mut fields);
    let (triggers, mut problems) = triggers::triggers(&values);
    if !triggers.is_empty() {
        config.triggers = triggers;
    }
    let points = load_points(&config.name, &config.citation, &values);
    if !points.is_empty() {
        config.load_points = points;
    }
    config.value_order = value_order(&values);
    problems.splice(0..0, fields.into_problems());
    config.values = values;
    problems
}

/// Overwrites a field only where the hive has a value for it.
fn set<T>(field: &mut Option<T>, value: Option<T>) {
    if value.is_some() {
        *field = value;
    }
}

fn how_it_starts(config: &mut ServiceConfig, fields: &mut Fields<'_>) {
    set(&mut config.service_type, fields.number("Type").map(ServiceType));
    set(&mut config.start, fields.number("Start").map(Start::from));
    set(&mut config.error_control, fields.number("ErrorControl"));
    set(&mut config.image_path, fields.text("ImagePath"));
    set(&mut config.object_name, fields.text("ObjectName"));
    set(&mut config.group, fields.text("Group"));
    set(&mut config.tag, fields.number("Tag"));
    set(&mut config.delayed_auto_start, fields.flag("DelayedAutostart"));
    if let Some(names) = fields.texts("DependOnService") {
        config.depend_on_service = names;
    }
    if let Some(names) = fields.texts("DependOnGroup") {
        config.depend_on_group = names;
    }
}

fn what_it_says(config: &mut ServiceConfig, fields: &mut Fields<'_>) {
    set(&mut config.display_name, fields.text("DisplayName"));
    set(&mut config.description, fields.text("Description"));
}

fn how_it_fails(config: &mut ServiceConfig, fields: &mut Fields<'_>) {
    if let Some(bytes) = fields.bytes("FailureActions") {
        match failure_actions(bytes) {
            Ok((actions, problem)) => {
                config.failure_actions = Some(actions);
                fields.problem(problem);
            }
            Err(problem) => fields.problem(Some(problem)),
        }
    }
    set(&mut config.failure_command, fields.text("FailureCommand"));
    set(&mut config.reboot_message, fields.text("RebootMessage"));
    set(&mut config.failure_actions_on_non_crash, fields.flag("FailureActionsOnNonCrashFailures"));
    set(&mut config.preshutdown_timeout_ms, fields.number("PreshutdownTimeout"));
}

fn how_it_is_hardened(config: &mut ServiceConfig, fields: &mut Fields<'_>) {
    set(&mut config.service_sid_type, fields.number("ServiceSidType"));
    set(&mut config.required_privileges, fields.texts("RequiredPrivileges"));
    set(&mut config.launch_protected, fields.number("LaunchProtected"));
    if let Some(bytes) = fields.bytes("Security\\Security") {
        match access_rules(bytes, RightsKind::Service) {
            Ok(rules) => config.security = Some(rules),
            Err(problem) => fields.problem(Some(format!("Security\\Security: {problem}"))),
        }
    }
    set(&mut config.user_service_flags, fields.number("UserServiceFlags"));
    set(&mut config.svc_host_split_disable, fields.number("SvcHostSplitDisable"));
}

fn where_it_comes_from(config: &mut ServiceConfig, fields: &mut Fields<'_>) {
    set(&mut config.wow64, fields.number("WOW64"));
    if let Some(files) = fields.texts("Owners") {
        config.owners = files;
    }
    set(&mut config.driver_package_id, fields.text("DriverPackageId"));
    set(&mut config.delete_flag, fields.number("DeleteFlag"));
}

fn what_it_loads(config: &mut ServiceConfig, fields: &mut Fields<'_>) {
    for name in ["Parameters\\ServiceDll", "ServiceDll"] {
        if let Some(path) = fields.text(name).filter(|path| !path.is_empty()) {
            config.service_dll = Some((fields.spelling(name), path));
            break;
        }
    }
    let entry = fields.text("Parameters\\ServiceMain").or_else(|| fields.text("ServiceMain"));
    set(&mut config.service_main, entry);
    let program = fields.text("Parameters\\Application").filter(|program| !program.is_empty());
    if let Some(application) = program {
        let mut environment = fields.texts("Parameters\\AppEnvironment").unwrap_or_default();
        environment.extend(fields.texts("Parameters\\AppEnvironmentExtra").unwrap_or_default());
        config.wrapper = Some(WrapperTarget {
            application,
            parameters: fields.text("Parameters\\AppParameters"),
            directory: fields.text("Parameters\\AppDirectory"),
            environment,
        });
    }
}

#[cfg(test)]
mod tests;
