//! Question 2: what the command does (P): interpreters, shells, hidden scripts, quoting, wrappers, svchost.

use super::Indicator;

mod extension;
mod hijack;
mod lolbin;
mod script;
mod svchost;
mod wrapper;

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] = &[
    lolbin::LOLBIN,
    hijack::UNQUOTED,
    script::SHELL_SYNTAX,
    script::HIDDEN_SCRIPT,
    svchost::SVCHOST,
    svchost::NOT_IN_GROUP,
    hijack::CHANGED_IMAGE,
    extension::ODD_EXTENSION,
    wrapper::WRAPPER,
];

const VERIFY_KEY: &str = r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name> /v ImagePath";
const VERIFY_INSTALL: &str =
    "EvtxECmd -f System.evtx --inc 7045 and Security.evtx --inc 4697: who installed it, and when";
