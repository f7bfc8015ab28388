//! What speaks for a service (B): Windows' own, known agents, and the analyst's approval.
//!
//! A vendor's folder without a signature vouches for nothing and has no entry here.

use super::known_bad::is_administrators_tool;
use super::ticket::made;
use super::{Indicator, Scope};
use crate::host::Citation;

mod age;
mod approval;
mod baseline;
mod destinations;
mod listed;
mod product;
mod signed;
mod windows;

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] = &[
    windows::STOCK,
    approval::TICKET,
    windows::LAID_DOWN,
    product::AGENT,
    product::RESPONDER,
    approval::APPROVED_ACTOR,
    age::LASTING,
    destinations::KNOWN,
    listed::LISTED,
    signed::BY_VENDOR,
    signed::BY_WINDOWS,
    baseline::ON_BASELINE,
];

/// The value or event that last named its program.
fn witness(scope: &Scope<'_>) -> Option<Citation> {
    match scope.config() {
        Some(config) => Some(config.cite("ImagePath")),
        None => made(scope).pop()?.citation(scope),
    }
}

/// Whether it is the service of a remote execution tool that administrators use, and a change on the analyst's list covers
/// its last use: then what such tools do (run shells, open their pipes, go within seconds) says nothing more.
pub(super) fn is_approved_tool(scope: &Scope<'_>) -> bool {
    is_administrators_tool(scope) && (approval::TICKET.check)(scope).is_some()
}
