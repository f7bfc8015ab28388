//! The story of one host: ordinary life on a base for some months, odd but harmless services, and perhaps an attack.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::base::Base;
use crate::lab::evidence::File;
use crate::lab::random::Random;
use crate::lab::scenario::{
    Action, Audit, Host, Install, LogFile, Noise, NoiseKind, Protocol, Scenario, ScenarioError,
    ServiceKind, StartMode, Step, TimeZone,
};
use crate::text::fold;

use super::super::plants::{self, Plant};

/// Minutes of a day.
const DAY: u64 = 1_440;
/// Days of ordinary life before an attack: at least, and at most so many more.
const LIFE: (u64, u64) = (100, 90);

/// One host that is to be judged.
#[derive(Debug, Clone)]
pub struct Story {
    /// What happens on it.
    scenario: Scenario,
    /// The attack; absent on a clean host.
    pub attack: Option<&'static Plant>,
    /// The odd but harmless services it has.
    pub decoys: Vec<&'static Plant>,
    /// What its analyst says is approved, in TOML.
    pub approved: Option<String>,
}

/// When what happens.
struct Calendar {
    settled: Timestamp,
    /// The time of the attack, or of nothing.
    zero: Timestamp,
    /// The last boot before.
    boot: Timestamp,
    /// When the evidence was taken.
    end: Timestamp,
}

impl Story {
    /// A host by its seed. Of the harmless plants it gets about half, but none that leaves a service of the attack.
    pub fn new(
        base: &Base,
        attack: Option<&'static Plant>,
        harmless: &[&'static Plant],
        seed: u64,
    ) -> Story {
        let mut random = Random::new(seed);
        let calendar = Calendar::new(base, &mut random);
        let taken: BTreeSet<String> =
            attack.iter().flat_map(|plant| &plant.services).map(|name| fold(name)).collect();
        let is_free =
            |plant: &Plant| plant.services.iter().all(|name| !taken.contains(&fold(name)));
        let mut decoys = Vec::new();
        for plant in harmless {
            if random.below(2) == 0 && is_free(plant) {
                decoys.push(*plant);
            }
        }
        let mut scenario = Scenario {
            title: String::new(),
            seed,
            host: host(base, &calendar, &mut random),
            users: plants::cast().to_vec(),
            actions: Vec::new(),
            noise: noise(base, &calendar),
            programs: Vec::new(),
            files: std::collections::BTreeMap::new(),
        };
        daily_life(&mut scenario, &calendar, &mut random);
        for plant in &decoys {
            // One in six is as new as the attack.
            let recent = random.below(6) == 0;
            let from = if recent { calendar.boot } else { calendar.settled };
            let at = between(from, calendar.end, &mut random);
            if at > calendar.zero {
                log_on(&mut scenario, at);
            }
            put(&mut scenario, plant, at);
        }
        if let Some(plant) = attack {
            put(&mut scenario, plant, calendar.zero);
        }
        let approved: String = decoys
            .iter()
            .chain(attack.iter())
            .filter_map(|plant| plant.approved.as_deref())
            .flat_map(|text| [text, "\n"])
            .collect();
        let approved = (!approved.is_empty()).then_some(approved);
        Story { scenario, attack, decoys, approved }
    }

    /// The files that the host leaves.
    ///
    /// # Errors
    /// Where what happens cannot happen on that base: it lacks a service of Windows that is changed.
    pub fn evidence(&self, base: &Base) -> Result<Vec<File>, ScenarioError> {
        let mut files = match &base.system {
            Some(system) => self.scenario.evidence_on(system)?,
            None => self.scenario.evidence()?,
        };
        if !base.keeps_logs {
            files.retain(|file| !file.path.contains("/winevt/"));
        }
        Ok(files)
    }
}

/// Whether a plant alone can be put on a base.
pub(super) fn fits(base: &Base, plant: &'static Plant) -> bool {
    let mut story = Story::new(base, Some(plant), &[], 1);
    story.scenario.noise.clear();
    !matches!(story.evidence(base), Err(ScenarioError::UnknownService(..)))
}

impl Calendar {
    fn new(base: &Base, random: &mut Random) -> Self {
        let days = LIFE.0.saturating_add(random.below(LIFE.1));
        let zero = after(base.settled, days.saturating_mul(DAY).saturating_add(random.below(DAY)));
        let boot = before(zero, random.below(2 * DAY).saturating_add(300));
        let end = after(zero, random.below(2 * DAY).saturating_add(120));
        Self { settled: base.settled, zero, boot, end }
    }
}

fn after(time: Timestamp, minutes: u64) -> Timestamp {
    let minutes = i64::try_from(minutes).unwrap_or(0);
    time.saturating_add(SignedDuration::from_mins(minutes)).unwrap_or(time)
}

fn before(time: Timestamp, minutes: u64) -> Timestamp {
    let minutes = i64::try_from(minutes).unwrap_or(0);
    time.saturating_sub(SignedDuration::from_mins(minutes)).unwrap_or(time)
}

fn between(from: Timestamp, until: Timestamp, random: &mut Random) -> Timestamp {
    let seconds = until.duration_since(from).as_secs().max(1).unsigned_abs();
    let chosen = i64::try_from(random.below(seconds)).unwrap_or(0);
    from.saturating_add(SignedDuration::from_secs(chosen)).unwrap_or(from)
}

/// One host in three records what Windows does by itself, one also processes and installs, one has Sysmon.
fn host(base: &Base, calendar: &Calendar, random: &mut Random) -> Host {
    let recording = random.below(3);
    let audited = recording > 0;
    let log = |days: u64, random: &mut Random| LogFile {
        begins: Some(before(calendar.zero, days.saturating_mul(DAY))),
        first_record: Some(random.below(1_000_000).saturating_add(1)),
        ..LogFile::default()
    };
    let sysmon = recording > 1;
    let days = random.below(40).saturating_add(20);
    let logs = [
        ("System", log(days, random)),
        ("Security", log(4, random)),
        ("Microsoft-Windows-Sysmon/Operational", log(7, random)),
    ];
    Host {
        name: format!("EVAL-{:04}", random.below(10_000)),
        address: "10.20.4.14".to_owned(),
        imaged: before(base.settled, 600 * DAY),
        installed: before(base.settled, 300 * DAY),
        shut_down: calendar.boot,
        windows: base.windows.clone(),
        time_zone: TimeZone {
            key: "W. Europe Standard Time".to_owned(),
            bias: -60,
            active_bias: -60,
        },
        audit: Audit {
            logons: true,
            processes: audited,
            services: audited,
            shares: audited,
            connections: sysmon,
            registry: false,
        },
        posture: true,
        sysmon,
        logs: logs.map(|(name, log)| (name.to_owned(), log)).into(),
    }
}

fn noise(base: &Base, calendar: &Calendar) -> Vec<Noise> {
    let noise = |kind, days: u64, every_minutes| Noise {
        kind,
        from: before(calendar.zero, days.saturating_mul(DAY)),
        until: calendar.end,
        every_minutes,
    };
    let mut all = Vec::new();
    if base.keeps_logs {
        all.push(noise(NoiseKind::BitsToggles, 60, 600));
        all.push(noise(NoiseKind::ServiceLogons, 4, 60));
        all.push(noise(NoiseKind::ServiceStarts, 7, 150));
        all.push(noise(NoiseKind::DefenderDrivers, 60, 4_300));
    }
    all
}

/// Boots, people at the console, Sysmon where it is.
fn daily_life(scenario: &mut Scenario, calendar: &Calendar, random: &mut Random) {
    let mut boot = calendar.settled;
    while boot < calendar.boot {
        scenario.actions.push(Step { at: boot, action: Action::Restart {} });
        boot = after(boot, random.below(9 * DAY).saturating_add(5 * DAY));
    }
    scenario.actions.push(Step { at: calendar.boot, action: Action::Restart {} });
    let user = "anna".to_owned();
    let logon = Action::Logon { user, kind: 2, from: None, protocol: Protocol::default() };
    scenario.actions.push(Step { at: after(calendar.boot, 12), action: logon });
    if scenario.host.sysmon {
        let at = after(calendar.settled, 90);
        let mut service = Install::new("Sysmon64", r"C:\Windows\Sysmon64.exe");
        service.description = Some("System Monitor service".to_owned());
        service.start = StartMode::Auto;
        service.by = Some("it-admin".to_owned());
        let mut driver = Install::new("SysmonDrv", "SysmonDrv.sys");
        driver.description = Some("System Monitor driver".to_owned());
        driver.kind = ServiceKind::Kernel;
        driver.start = StartMode::Boot;
        driver.by = Some("it-admin".to_owned());
        let installs = [service, driver].map(Action::InstallService);
        scenario.actions.extend(installs.map(|action| Step { at, action }));
    }
}

/// Whoever acts on the host after an attack from afar does so in a session of his own, not in the attacker's.
fn log_on(scenario: &mut Scenario, at: Timestamp) {
    let users = scenario.users.clone();
    scenario.actions.extend(users.into_iter().map(|user| {
        // A person at the console; an account of a service by batch, without a desktop.
        let kind = if user.name.starts_with("svc") { 4 } else { 2 };
        let protocol = Protocol::default();
        let action = Action::Logon { user: user.name, kind, from: None, protocol };
        Step { at: before(at, 1), action }
    }));
}

fn put(scenario: &mut Scenario, plant: &Plant, at: Timestamp) {
    scenario.actions.extend(plant.steps(at));
    scenario.programs.extend(plant.programs.iter().cloned());
}
