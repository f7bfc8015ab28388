//! Whether it started, and what followed (Q5).
//!
//! E09 of the source table (never started) is no finding: on clients 7036 is not logged, so that no record of a start
//! means nothing.

use super::staging::started;
use super::{Indicator, Scene};

mod driver;
mod failed_start;
mod lsass;
mod network;
mod phantom;
mod pipe;
mod process;
mod signature;
mod stray;

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] = &[
    failed_start::NO_SERVICE,
    process::SHELL_STARTED,
    process::INTERCEPTED,
    process::SHELL_FOLLOWED,
    network::connection::OUTBOUND,
    network::lateral::FAN_OUT,
    pipe::PIPE,
    failed_start::NO_MODULE,
    signature::UNSIGNED,
    phantom::LOADED,
    lsass::LSASS,
    driver::BROUGHT,
    network::elsewhere::ALONE,
    network::port::UNUSUAL,
    network::host_name::PASSING,
    network::host_name::RARE,
    network::beacon::BEACON,
    network::connection::NO_LOOKUP,
    network::elsewhere::ONLY_HERE,
    network::port::LISTENS,
    stray::STRAY,
];

fn agent_running() -> Scene {
    let path = r"C:\Program Files\Contoso\Agent.exe";
    Scene::service("Agent").event(0, started(path, &format!("\"{path}\"")))
}

fn agent_elsewhere() -> Scene {
    let path = r"C:\ProgramData\a.exe";
    Scene::service("Agent").image(path).event(0, started(path, path))
}
