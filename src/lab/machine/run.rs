//! Actions: which part of the host performs which.

use super::Machine;
use super::account::Session;
use super::events::{powershell, security, system};
use super::journal::Channel;
use super::registry::Writer;
use crate::lab::regf::Data;
use crate::lab::scenario::{Action, Protocol, ScenarioError, ValueSpec};

const REG: &str = r"C:\Windows\System32\reg.exe";
const POWERSHELL: &str = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe";
const EXPLORER: &str = r"C:\Windows\explorer.exe";

impl Machine {
    /// Performs one action at the clock's time.
    pub(super) fn perform(&mut self, action: &Action) -> Result<(), ScenarioError> {
        match action {
            Action::Logon { user, kind, from, protocol } => {
                let session = self.new_session_by(user, *kind, from.as_deref(), *protocol)?;
                if matches!(kind, 2 | 10) {
                    self.add_user_services(&session);
                }
            }
            Action::ServiceLogon {} => self.log_on(&Session::system(), 5, None, Protocol::Ntlm),
            Action::Process { user, image, command, parent } => {
                let session = self.session(Some(user))?;
                let parent = self.standing(&session, parent.as_deref().unwrap_or(EXPLORER));
                self.spawn(&parent, &session, image, command);
            }
            Action::PowerShell { user, script, command } => {
                self.run_script(user, script, command.as_deref())?;
            }
            Action::Crash { service, times } => self.crash(service, *times)?,
            Action::InstallService(install) => self.install(install)?,
            Action::InstallDriver(driver) => self.install_driver(driver),
            Action::RemoteExecution(remote) => self.execute_remotely(remote)?,
            Action::StartService(start) => self.start(start)?,
            Action::StopService { service, by, command } => {
                self.stop(service, by.as_deref(), command.as_deref())?;
            }
            Action::ChangeService(change) => self.change(change)?,
            Action::DropFile(file) => self.drop_file(file)?,
            Action::JoinGroup { group, service, by, command } => {
                self.join_group((group, service), by.as_deref(), command.as_deref())?;
            }
            Action::WriteService { service, values, by, command, program } => {
                self.write_directly((service, values), by, (program.as_deref(), command))?;
            }
            Action::SetValue { key, value, by, command, program } => {
                let session = self.session(by.as_deref())?;
                let image = program.as_deref().unwrap_or(REG);
                let process = match command {
                    Some(command) => self.run_tool(&session, image, command),
                    None => self.standing(&session, image),
                };
                self.write_value(&process, key, value)?;
            }
            Action::DeleteValue { key, name, by, command } => {
                let session = self.session(Some(by))?;
                let process = self.run_tool(&session, REG, command);
                self.unset(&process, key, name)?;
            }
            Action::DeleteKey { key, by, command } => {
                let session = self.session(Some(by))?;
                let process = self.run_tool(&session, REG, command);
                self.remove_key(&process, key)?;
            }
            Action::SetRecovery(recovery) => self.set_recovery(recovery)?,
            Action::SetStart { service, start, by } => {
                self.set_start(service, *start, by.as_deref())?;
            }
            Action::SetSecurity { service, sddl, by } => self.set_security(service, sddl, by)?,
            Action::DeleteService { service, by } => {
                if by.is_some() {
                    let session = self.session(by.as_deref())?;
                    let command = format!("sc  delete {service}");
                    self.run_tool(&session, r"C:\Windows\System32\sc.exe", &command);
                }
                self.delete_service(service)?;
            }
            Action::ClearLog { channel, by } => self.clear_log(channel, by)?,
            Action::Restart {} => self.restart(),
            Action::FlushHives {} => self.hives.flush(),
        }
        Ok(())
    }

    fn run_script(
        &mut self,
        user: &str,
        script: &str,
        command: Option<&str>,
    ) -> Result<(), ScenarioError> {
        let session = self.session(Some(user))?;
        let process = self.run_tool(&session, POWERSHELL, command.unwrap_or("powershell.exe"));
        let at = self.clock.pass(350);
        self.journals.push(Channel::PowerShell, powershell::engine(at, &process, true));
        let at = self.clock.pass(120);
        let event = powershell::script_block(at, &process, script);
        self.journals.push(Channel::PowerShellOperational, event);
        let at = self.clock.pass(900);
        self.journals.push(Channel::PowerShell, powershell::engine(at, &process, false));
        Ok(())
    }

    fn write_directly(
        &mut self,
        (service, values): (&str, &[ValueSpec]),
        by: &str,
        (program, command): (Option<&str>, &str),
    ) -> Result<(), ScenarioError> {
        let session = self.session(Some(by))?;
        if let Some(program) = program {
            let process = self.run_tool(&session, program, command);
            for spec in values {
                let data = spec.data()?;
                self.write_service(&process, Writer::Tool, service, &[(&spec.name, data)]);
            }
            return Ok(());
        }
        for (position, spec) in values.iter().enumerate() {
            let own = format!(
                r"reg  add HKLM\SYSTEM\CurrentControlSet\Services\{service} /v {}",
                spec.name
            );
            let command = if position == 0 { command } else { &own };
            let process = self.run_tool(&session, REG, command);
            let data: Data = spec.data()?;
            self.write_service(&process, Writer::Tool, service, &[(&spec.name, data)]);
            self.clock.pass(400);
        }
        Ok(())
    }

    fn clear_log(&mut self, name: &str, by: &str) -> Result<(), ScenarioError> {
        let session = self.session(Some(by))?;
        let channel = Channel::named(name)
            .ok_or_else(|| ScenarioError::Value(name.to_owned(), "a channel of this host"))?;
        let at = self.clock.pass(5);
        self.journals.clear(channel, at);
        if channel == Channel::Security {
            self.journals.push(channel, security::log_cleared(at, &session));
        } else {
            let event = system::log_cleared(at, &session.account, channel.name());
            self.journals.push(Channel::System, event);
        }
        Ok(())
    }

    fn restart(&mut self) {
        let at = self.clock.pass(10);
        self.journals.push(Channel::Security, security::event_log_stopped(at));
        self.journals.push(Channel::System, system::event_log_service(at, false));
        let at = self.clock.pass(900);
        self.journals.push(Channel::System, system::shut_down(at));
        self.hives.note_shutdown(at);
        let at = self.clock.pass(21_000);
        let windows = &self.host.windows;
        self.journals.push(Channel::System, system::booted(at, windows.build, windows.revision));
        let at = self.clock.pass(9_000);
        self.journals.push(Channel::System, system::event_log_service(at, true));
        let at = self.clock.pass(2_000);
        self.journals.push(Channel::System, system::drivers_not_loaded(at, &["dam"]));
        self.sessions.clear();
    }
}
