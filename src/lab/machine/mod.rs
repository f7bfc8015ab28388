//! A simulated Windows host: it is set up, things happen to it, and it hands over its hives and logs.
//!
//! The order of traces is the measured one: registry events first, then the process, then 4697, then 7045, then
//! failures. Names follow Windows too: 7045 knows the display name, 4697 the key name, 7036 has both.

mod account;
mod change;
mod clock;
mod events;
mod hives;
mod journal;
mod manager;
mod noise;
mod process;
mod registry;
mod remote;
mod run;
mod security_hive;
mod software_hive;
mod stock;
mod system_hive;
mod watch;

use std::collections::BTreeMap;

use account::{Account, Session};
use clock::Clock;
use hives::Hives;
use journal::Journals;
use process::Process;

use super::evidence::File;
use super::regf::Hive;
use super::scenario::{Host, Protocol, Scenario, ScenarioError, Step};

/// A host while its scenario unfolds.
pub(super) struct Machine {
    host: Host,
    accounts: BTreeMap<String, Account>,
    /// Current logon of each account, by folded name.
    sessions: BTreeMap<String, Session>,
    hives: Hives,
    journals: Journals,
    clock: Clock,
    /// services.exe, parent of all services.
    manager: Process,
    steps: Vec<Step>,
}

impl Machine {
    /// A host as it is before its first action: freshly set up, or with a SYSTEM hive of its own.
    pub(super) fn new(
        scenario: &Scenario,
        system: Option<&Hive>,
    ) -> Result<Machine, ScenarioError> {
        let host = scenario.host.clone();
        let mut accounts = BTreeMap::new();
        for user in &scenario.users {
            accounts.insert(user.name.to_lowercase(), Account::new(user)?);
        }
        let mut clock = Clock::new(scenario.seed, host.installed);
        let hives = Hives::new(&host, &scenario.users, &mut clock, system)?;
        let manager = Process {
            pid: events::system::MANAGER_PID,
            guid: clock.process_guid(events::system::MANAGER_PID),
            image: r"C:\Windows\System32\services.exe".to_owned(),
            command: r"C:\Windows\system32\services.exe".to_owned(),
            session: Session::system(),
        };
        let journals = Journals::new(&host);
        let mut steps = scenario.actions.clone();
        for noise in &scenario.noise {
            steps.extend(noise::steps(noise, &mut clock, &hives.system));
        }
        // Stable: actions of one moment happen in the order in which they are written.
        steps.sort_by_key(|step| step.at);
        let sessions = BTreeMap::new();
        Ok(Machine { host, accounts, sessions, hives, journals, clock, manager, steps })
    }

    /// Lets everything happen and collects what is left.
    pub(super) fn run(mut self) -> Result<Vec<File>, ScenarioError> {
        for step in std::mem::take(&mut self.steps) {
            self.clock.begin(step.at);
            self.perform(&step.action)?;
            self.hives.commit();
        }
        let mut files = self.hives.files();
        files.extend(self.journals.files(&self.host)?);
        Ok(files)
    }

    fn account(&self, name: &str) -> Result<Account, ScenarioError> {
        self.accounts
            .get(&name.to_lowercase())
            .cloned()
            .ok_or_else(|| ScenarioError::UnknownUser(name.to_owned()))
    }

    /// A user logs on; later actions of the user happen in this session.
    fn new_session(
        &mut self,
        name: &str,
        kind: u32,
        from: Option<&str>,
    ) -> Result<Session, ScenarioError> {
        self.new_session_by(name, kind, from, Protocol::Ntlm)
    }

    /// The same by a protocol.
    fn new_session_by(
        &mut self,
        name: &str,
        kind: u32,
        from: Option<&str>,
        protocol: Protocol,
    ) -> Result<Session, ScenarioError> {
        let session = Session { account: self.account(name)?, logon_id: self.clock.logon_id() };
        self.sessions.insert(name.to_lowercase(), session.clone());
        self.log_on(&session, kind, from, protocol);
        Ok(session)
    }

    /// The session of a change that comes over the network: a logon of its own, unless it goes on in the one there is.
    fn remote_session(
        &mut self,
        name: &str,
        from: &str,
        same: bool,
    ) -> Result<Session, ScenarioError> {
        if same { self.session(Some(name)) } else { self.new_session(name, 3, Some(from)) }
    }

    /// The session of a user, or of the system where nobody is named.
    fn session(&mut self, name: Option<&str>) -> Result<Session, ScenarioError> {
        let Some(name) = name else { return Ok(Session::system()) };
        if let Some(session) = self.sessions.get(&name.to_lowercase()) {
            return Ok(session.clone());
        }
        let session = Session { account: self.account(name)?, logon_id: self.clock.logon_id() };
        self.sessions.insert(name.to_lowercase(), session.clone());
        Ok(session)
    }
}
