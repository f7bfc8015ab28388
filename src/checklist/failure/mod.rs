//! Failure commands (F): what the service control manager runs when a service fails.
//!
//! A command is armed only if an action of type 3 (run a program) refers to it; without one it is inert, as
//! Windows' own `customScript.cmd` is. Offsets and types: MS-SCMR 2.2.37 to 2.2.41.

use super::knowledge::failure::default_command;
use super::{Indicator, Scope};
use crate::host::config::{FailureActions, ServiceConfig};

mod action;
mod change;
mod command;
mod crash;
mod product;

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] = &[
    command::ARMED,
    action::RUN_ACTION,
    action::ON_NON_CRASH,
    crash::RAN,
    command::DORMANT,
    change::SET_BY_COMMAND,
    product::ARMED,
];

const MS_SCMR: &str = "MS-SCMR 2.2.37 SERVICE_FAILURE_ACTIONS, 2.2.41 SC_ACTION_TYPE";
const MEASURED: &str =
    "3,202 services of six hives: six default failure commands, any other is one in 3,202";
const SIGMA: &str =
    "SigmaHQ 38879043-7e1e-47a9-8d46-6bec88e201df, 8f02c935-effe-45b3-8fc9-ef8696a9e41d";

/// The failure command, where it is not one that belongs to the service.
fn own_command<'a>(scope: &Scope<'a>) -> Option<(&'a ServiceConfig, &'a str)> {
    let config = scope.config()?;
    let command = config.failure_command.as_deref().filter(|command| !command.trim().is_empty())?;
    default_command(&scope.service.name, command).is_none().then_some((config, command))
}

/// Position (from 1), number of actions and delay in milliseconds of the first action that runs a program.
fn run_action(config: &ServiceConfig) -> Option<(usize, usize, u32)> {
    let FailureActions { actions, .. } = config.failure_actions.as_ref()?;
    let (at, action) = actions.iter().enumerate().find(|(_, action)| action.kind == 3)?;
    Some((at.saturating_add(1), actions.len(), action.delay_ms))
}
