//! Noise: what happens on every host, turned into steps of the timeline.

use jiff::SignedDuration;

use super::clock::Clock;
use super::hives::CONTROL_SET;
use super::stock;
use crate::lab::regf::Hive;
use crate::lab::scenario::{
    Action, Install, Noise, NoiseKind, ServiceKind, Start, StartMode, Step,
};

/// Most steps of one source of noise.
const LIMIT: usize = 10_000;
/// Seconds a scan takes.
const SCAN: i64 = 340;

/// Defender's scan driver, in the folder of one update of its definitions.
const DEFENDER_DRIVER: &str = r"C:\ProgramData\Microsoft\Windows Defender\Definition Updates\{2C4F0D3B-7A41-4E0D-9B53-0E6C1A5D8F27}\MpKslDrv.sys";

/// The steps of one source of noise.
pub(super) fn steps(noise: &Noise, clock: &mut Clock, system: &Hive) -> Vec<Step> {
    let every = i64::from(noise.every_minutes.max(1)) * 60;
    let mut at = noise.from;
    let mut steps = Vec::new();
    let mut number = 0_usize;
    while at < noise.until && number < LIMIT {
        let action = action(noise.kind, number, clock, system);
        if let Action::InstallService(driver) = &action {
            // The scan ends and takes its driver along.
            let end = at.saturating_add(SignedDuration::from_secs(SCAN)).unwrap_or(at);
            let delete = Action::DeleteService { service: driver.service.clone(), by: None };
            steps.push(Step { at: end, action: delete });
        }
        steps.push(Step { at, action });
        number = number.saturating_add(1);
        let jitter = i64::try_from(clock.below(every.unsigned_abs() / 4 + 1)).unwrap_or(0);
        let Ok(next) = at.checked_add(SignedDuration::from_secs(every + jitter)) else { break };
        at = next;
    }
    steps
}

fn action(kind: NoiseKind, number: usize, clock: &mut Clock, system: &Hive) -> Action {
    match kind {
        NoiseKind::BitsToggles => Action::SetStart {
            service: "BITS".to_owned(),
            start: if number.is_multiple_of(2) { StartMode::Demand } else { StartMode::Auto },
            by: None,
        },
        NoiseKind::ServiceLogons => Action::ServiceLogon {},
        NoiseKind::ServiceStarts => {
            Action::StartService(Start::new(&any_stock_service(clock, system)))
        }
        NoiseKind::DefenderDrivers => Action::InstallService(defender_driver(clock)),
    }
}

/// A stock service that a demand starts.
fn any_stock_service(clock: &mut Clock, system: &Hive) -> String {
    let services: Vec<&stock::Stock> = stock::services()
        .iter()
        .filter(|service| matches!(service.kind, 0x10 | 0x20) && service.start == 3)
        .filter(|service| has_service(system, &service.name))
        .collect();
    let choice = clock.below(u64::try_from(services.len()).unwrap_or(1));
    let choice = usize::try_from(choice).ok().and_then(|choice| services.get(choice));
    choice.map_or_else(|| "BITS".to_owned(), |service| service.name.clone())
}

/// Whether a host that was not set up here has that service of Windows.
pub(super) fn has_service(system: &Hive, name: &str) -> bool {
    system.find(&format!(r"{CONTROL_SET}\Services\{name}")).is_some()
}

/// Defender's driver for one scan: eight random digits, in the folder of its definitions.
fn defender_driver(clock: &mut Clock) -> Install {
    let name = format!("MpKsl{:08x}", clock.below(1 << 32));
    let mut install = Install::new(&name, DEFENDER_DRIVER);
    install.display_name = Some(name);
    install.kind = ServiceKind::Kernel;
    install.start = StartMode::System;
    install
}
