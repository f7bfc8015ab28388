//! Noise: what happens on every host, turned into steps of the timeline.

use jiff::SignedDuration;

use super::clock::Clock;
use super::stock;
use crate::lab::scenario::{
    Action, Install, Noise, NoiseKind, ServiceKind, Start, StartMode, Step,
};

/// Most steps of one source of noise.
const LIMIT: usize = 10_000;

/// The steps of one source of noise.
pub(super) fn steps(noise: &Noise, clock: &mut Clock) -> Vec<Step> {
    let every = i64::from(noise.every_minutes.max(1)) * 60;
    let mut at = noise.from;
    let mut steps = Vec::new();
    while at < noise.until && steps.len() < LIMIT {
        let number = steps.len();
        steps.push(Step { at, action: action(noise.kind, number, clock) });
        let jitter = i64::try_from(clock.below(every.unsigned_abs() / 4 + 1)).unwrap_or(0);
        let Ok(next) = at.checked_add(SignedDuration::from_secs(every + jitter)) else { break };
        at = next;
    }
    steps
}

fn action(kind: NoiseKind, number: usize, clock: &mut Clock) -> Action {
    match kind {
        NoiseKind::BitsToggles => Action::SetStart {
            service: "BITS".to_owned(),
            start: if number.is_multiple_of(2) { StartMode::Demand } else { StartMode::Auto },
            by: None,
        },
        NoiseKind::ServiceLogons => Action::ServiceLogon {},
        NoiseKind::ServiceStarts => Action::StartService(Start {
            service: any_stock_service(clock),
            outcome: crate::lab::scenario::Outcome::Running,
            children: Vec::new(),
            connections: Vec::new(),
        }),
        NoiseKind::DefenderDrivers => Action::InstallService(defender_driver(clock)),
    }
}

/// A stock service that a demand starts.
fn any_stock_service(clock: &mut Clock) -> String {
    let services: Vec<&stock::Stock> = stock::services()
        .iter()
        .filter(|service| matches!(service.kind, 0x10 | 0x20) && service.start == 3)
        .collect();
    let choice = clock.below(u64::try_from(services.len()).unwrap_or(1));
    let choice = usize::try_from(choice).ok().and_then(|choice| services.get(choice));
    choice.map_or_else(|| "BITS".to_owned(), |service| service.name.clone())
}

/// Defender's driver for one scan: eight random digits, in the folder of its definitions.
fn defender_driver(clock: &mut Clock) -> Install {
    let name = format!("MpKsl{:08x}", clock.below(1 << 32));
    let folder = r"C:\ProgramData\Microsoft\Windows Defender\Definition Updates\{2C4F0D3B-7A41-4E0D-9B53-0E6C1A5D8F27}";
    Install {
        image_path: format!(r"{folder}\MpKslDrv.sys"),
        service: name.clone(),
        display_name: Some(name),
        description: None,
        kind: ServiceKind::Kernel,
        start: StartMode::System,
        account: String::new(),
        error_control: 1,
        group: None,
        depends_on: Vec::new(),
        wow64: false,
        delayed: false,
        parameters: Vec::new(),
        by: None,
        command: None,
        program: None,
        from: None,
    }
}
