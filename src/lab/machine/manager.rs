//! The service control manager: what it writes and logs when services come, change, start and go.

use super::Machine;
use super::account::Session;
use super::events::{security, sysmon, system};
use super::hives::CONTROL_SET;
use super::journal::Channel;
use super::noise::has_service;
use super::process::Process;
use super::registry::Writer;
use super::stock::failure_actions;
use crate::lab::regf::{Data, KeyId};
use crate::lab::scenario::{Driver, Install, Outcome, Recovery, ScenarioError, Start, StartMode};
use crate::lab::security_descriptor;

pub(super) const SC: &str = r"C:\Windows\System32\sc.exe";

impl Machine {
    /// Creates a service by `CreateService`, locally or over the network.
    pub(super) fn install(&mut self, install: &Install) -> Result<(), ScenarioError> {
        let session = match (&install.by, &install.from) {
            (Some(by), Some(from)) => self.remote_session(by, from, install.same_session)?,
            (by, _) => self.session(by.as_deref())?,
        };
        if let Some(from) = &install.from {
            self.use_share(&session, from, (r"\\*\IPC$", "", "svcctl"));
        }
        if let Some(command) = &install.command {
            let image = install.program.as_deref().unwrap_or(SC);
            self.run_tool(&session, image, command);
        }
        self.register(install);
        self.announce(&session, install);
        let manager = self.manager.clone();
        if let Some(description) = &install.description {
            let values = [("Description", Data::Text(description.clone()))];
            self.write_service(&manager, Writer::Manager, &install.service, &values);
        }
        if install.delayed {
            let values = [("DelayedAutostart", Data::Dword(1))];
            self.write_service(&manager, Writer::Manager, &install.service, &values);
        }
        let installer = self.standing(&session, install.program.as_deref().unwrap_or(SC));
        for spec in &install.parameters {
            let data = spec.data()?;
            let key = format!(r"{}\Parameters", install.service);
            self.write_service(&installer, Writer::Tool, &key, &[(&spec.name, data)]);
        }
        Ok(())
    }

    /// The registry key of a new service, in `CreateService` order.
    pub(super) fn register(&mut self, install: &Install) {
        let mut values = vec![
            ("Type", Data::Dword(install.kind.value())),
            ("Start", Data::Dword(install.start.value())),
            ("ErrorControl", Data::Dword(install.error_control)),
            ("ImagePath", Data::ExpandText(install.image_path.clone())),
        ];
        values.extend(install.display_name.clone().map(|name| ("DisplayName", Data::Text(name))));
        values.extend(install.group.clone().map(|group| ("Group", Data::Text(group))));
        if !install.depends_on.is_empty() {
            values.push(("DependOnService", Data::Texts(install.depends_on.clone())));
        }
        if install.wow64 {
            values.push(("WOW64", Data::Dword(0x14c)));
        }
        if !install.kind.is_driver() {
            values.push(("ObjectName", Data::Text(install.account.clone())));
        }
        let manager = self.manager.clone();
        self.write_service(&manager, Writer::Manager, &install.service, &values);
    }

    /// The events of a new service: 4697 under its key name, 7045 under its display name.
    pub(super) fn announce(&mut self, session: &Session, install: &Install) {
        let display_name = install.display_name.as_deref().unwrap_or(&install.service);
        let image_path = install.given_path.as_deref().unwrap_or(&install.image_path);
        if self.host.audit.services {
            let at = self.clock.pass(90);
            let event = security::service_installed(
                at,
                session,
                (&install.service, image_path, &install.account),
                (install.kind.value(), install.start.value()),
            );
            self.journals.push(Channel::Security, event);
        }
        let at = self.clock.pass(4);
        let installed = system::Installed {
            display_name,
            image_path,
            kind: install.kind.text(),
            start: install.start.text(),
            account: if install.kind.is_driver() { "" } else { &install.account },
        };
        let event = system::service_installed(at, &session.account.sid, &installed);
        self.journals.push(Channel::System, event);
    }

    /// Installs a driver from an INF file: other value order, owned by its INF, done by the system.
    pub(super) fn install_driver(&mut self, driver: &Driver) {
        let mut values = vec![
            ("ImagePath", Data::ExpandText(driver.image_path.clone())),
            ("Type", Data::Dword(driver.kind.value())),
            ("Start", Data::Dword(driver.start.value())),
            ("ErrorControl", Data::Dword(driver.error_control)),
            ("DisplayName", Data::Text(driver.display_name.clone())),
            ("Owners", Data::Texts(vec![driver.inf.clone()])),
        ];
        values.extend(driver.group.clone().map(|group| ("Group", Data::Text(group))));
        let setup = self.standing(&Session::system(), r"C:\Windows\System32\drvinst.exe");
        self.write_service(&setup, Writer::Manager, &driver.service, &values);
        if let Some(altitude) = &driver.altitude {
            self.write_filter(&setup, &driver.service, altitude);
        }
        let at = self.clock.pass(20);
        let installed = system::Installed {
            display_name: &driver.display_name,
            image_path: &driver.image_path,
            kind: driver.kind.text(),
            start: driver.start.text(),
            account: "",
        };
        let event = system::service_installed(at, &Session::system().account.sid, &installed);
        self.journals.push(Channel::System, event);
    }

    /// Starts a service: its process below services.exe, what it does, and how it ends.
    pub(super) fn start(&mut self, start: &Start) -> Result<(), ScenarioError> {
        let key = self.service_key(&start.service)?;
        let path = self.service_text(key, "ImagePath");
        let session = Session::service(&self.service_text(key, "ObjectName"));
        let display = display_text(&self.service_text(key, "DisplayName"), &start.service);
        let ran = !matches!(
            start.outcome,
            Outcome::FileMissing | Outcome::AccessDenied | Outcome::BadSignature
        );
        if matches!(self.service_number(key, "Type"), Some(1 | 2)) {
            if ran {
                self.load_driver(&path, start);
            }
        } else if ran {
            let process = self.launch_as(&path, start.ran.as_deref(), &session);
            if let Some(pipe) = &start.pipe {
                let at = self.clock.pass(30);
                let event = sysmon::pipe_created(at, &process, &format!(r"\{pipe}"));
                self.journals.push(Channel::Sysmon, event);
            }
            for command in &start.children {
                self.spawn_child(&process, command);
            }
            for connection in &start.connections {
                self.connect(&process, connection);
            }
        }
        let names = (start.service.as_str(), display.as_str());
        self.note_start(names, start.outcome);
        Ok(())
    }

    /// What the service control manager logs of a start.
    fn note_start(&mut self, names: (&str, &str), outcome: Outcome) {
        let error = match outcome {
            Outcome::Running => return self.note_state(names, true),
            Outcome::TimedOut | Outcome::Ended => 1053,
            Outcome::FileMissing => 2,
            Outcome::AccessDenied => 5,
            Outcome::BadSignature => 577,
            Outcome::ModuleMissing => {
                let at = self.clock.pass(200);
                return self.journals.push(Channel::System, system::ended_with(at, names, 126));
            }
        };
        let at = self.clock.pass(if outcome == Outcome::TimedOut { 30_000 } else { 400 });
        if error == 1053 {
            self.journals.push(Channel::System, system::timed_out(at, names));
        }
        self.journals.push(Channel::System, system::start_failed(at, names, error));
    }

    /// The process of a service, below services.exe.
    pub(super) fn launch(&mut self, image_path: &str, session: &Session) -> Process {
        self.launch_as(image_path, None, session)
    }

    /// The same where another program ran than the one meant.
    fn launch_as(&mut self, image_path: &str, ran: Option<&str>, session: &Session) -> Process {
        let command = expand(image_path);
        let manager = self.manager.clone();
        self.spawn(&manager, session, ran.unwrap_or_else(|| program(&command)), &command)
    }

    /// A command run by a service.
    pub(super) fn spawn_child(&mut self, service: &Process, command: &str) {
        let session = service.session.clone();
        self.spawn(service, &session, &full_path(program(command)), command);
    }

    /// 7036, which only servers log in practice.
    pub(super) fn note_state(&mut self, names: (&str, &str), running: bool) {
        if self.host.windows.server {
            let at = self.clock.pass(15);
            self.journals.push(Channel::System, system::state_changed(at, names, running));
        }
    }

    /// A driver is loaded: Sysmon 6.
    fn load_driver(&mut self, path: &str, start: &Start) {
        let path = driver_path(path);
        let driver = self.standing(&Session::system(), &path);
        let at = self.clock.pass(8);
        let hash = start.hash.clone().unwrap_or_else(|| driver.hash());
        let event = sysmon::driver_loaded(at, &path, &hash, start.signature.as_deref());
        self.journals.push(Channel::Sysmon, event);
    }

    /// A service ends unexpectedly: 7031 or 7034, and what its recovery options say for this failure.
    pub(super) fn crash(&mut self, service: &str, times: u32) -> Result<(), ScenarioError> {
        let key = self.service_key(service)?;
        let display = display_text(&self.service_text(key, "DisplayName"), service);
        let action = self.recovery_action(key, times).filter(|(kind, _)| *kind != 0);
        let words = action.map(|(kind, delay)| match kind {
            1 => (kind, delay, "Restart the service"),
            2 => (kind, delay, "Reboot the machine"),
            _ => (kind, delay, "Run the configured recovery program"),
        });
        let at = self.clock.pass(5);
        self.journals.push(Channel::System, system::crashed(at, &display, times, words));
        let Some((kind, delay)) = action else { return Ok(()) };
        self.clock.pass(u64::from(delay));
        let command = match kind {
            1 => expand(&self.service_text(key, "ImagePath")),
            3 => expand(&self.service_text(key, "FailureCommand")),
            _ => return Ok(()),
        };
        let session = Session::service(&self.service_text(key, "ObjectName"));
        let manager = self.manager.clone();
        self.spawn(&manager, &session, &full_path(program(&command)), &command);
        Ok(())
    }

    /// Type and delay of the action for the n-th failure; the last one stands for all further failures.
    fn recovery_action(&self, key: KeyId, times: u32) -> Option<(u32, u32)> {
        let Some(Data::Binary(bytes)) = self.hives.system.value(key, "FailureActions") else {
            return None;
        };
        let words: Vec<u32> = bytes
            .get(20..)?
            .as_chunks::<4>()
            .0
            .iter()
            .map(|word| u32::from_le_bytes(*word))
            .collect();
        let actions = words.as_chunks::<2>().0;
        let position =
            usize::try_from(times.saturating_sub(1)).ok()?.min(actions.len().checked_sub(1)?);
        actions.get(position).map(|[kind, delay]| (*kind, *delay))
    }

    /// Changes the recovery options by `ChangeServiceConfig2`.
    pub(super) fn set_recovery(&mut self, recovery: &Recovery) -> Result<(), ScenarioError> {
        self.service_key(&recovery.service)?;
        let session = self.session(Some(&recovery.by))?;
        if !recovery.by_setup {
            let command = recovery.with.clone().unwrap_or_else(|| failure_command_line(recovery));
            self.run_tool(&session, SC, &command);
        }
        let present = (false, recovery.command.is_some());
        let actions = failure_actions(recovery.reset, present, &recovery.actions);
        let mut values = vec![("FailureActions", Data::Binary(actions))];
        values.extend(recovery.command.clone().map(|run| ("FailureCommand", Data::Text(run))));
        if recovery.on_exit {
            values.push(("FailureActionsOnNonCrashFailures", Data::Dword(1)));
        }
        let manager = self.manager.clone();
        self.write_service(&manager, Writer::Manager, &recovery.service, &values);
        Ok(())
    }

    /// Changes the rights on a service by `SetServiceObjectSecurity`.
    pub(super) fn set_security(
        &mut self,
        service: &str,
        sddl: &str,
        by: &str,
    ) -> Result<(), ScenarioError> {
        self.service_key(service)?;
        let full = if sddl.starts_with("O:") { sddl.to_owned() } else { format!("O:SYG:SY{sddl}") };
        let descriptor = security_descriptor(&full)
            .ok_or_else(|| ScenarioError::Value(sddl.to_owned(), "a security descriptor"))?;
        let session = self.session(Some(by))?;
        self.run_tool(&session, SC, &format!("sc  sdset {service} {sddl}"));
        let manager = self.manager.clone();
        let values = [("Security", Data::Binary(descriptor))];
        self.write_service(&manager, Writer::Manager, &format!(r"{service}\Security"), &values);
        Ok(())
    }

    /// Changes the start type by `ChangeServiceConfig`, which logs 7040.
    pub(super) fn set_start(
        &mut self,
        service: &str,
        start: StartMode,
        by: Option<&str>,
    ) -> Result<(), ScenarioError> {
        let key = self.service_key(service)?;
        let session = self.session(by)?;
        let old = StartMode::from_value(self.service_number(key, "Start").unwrap_or(3));
        let name = display_text(&self.service_text(key, "DisplayName"), service);
        let manager = self.manager.clone();
        let values = [("Start", Data::Dword(start.value()))];
        self.write_service(&manager, Writer::Manager, service, &values);
        let at = self.clock.pass(2);
        let modes = (old.text(), start.text());
        let event = system::start_changed(at, &session.account.sid, (service, &name), modes);
        self.journals.push(Channel::System, event);
        Ok(())
    }

    /// Deletes a service: marked first, disabled, then gone.
    pub(super) fn delete_service(&mut self, service: &str) -> Result<(), ScenarioError> {
        let key = self.service_key(service)?;
        let manager = self.manager.clone();
        let values = [("DeleteFlag", Data::Dword(1)), ("Start", Data::Dword(4))];
        self.write_service(&manager, Writer::Manager, service, &values);
        let at = self.clock.pass(12);
        self.hives.system.delete(key, at);
        let path = format!(r"HKLM\System\CurrentControlSet\Services\{service}");
        let event = sysmon::key_changed(at, &manager, "DeleteKey", &path);
        self.journals.push(Channel::Sysmon, event);
        Ok(())
    }

    /// Somebody runs a tool from a command prompt.
    pub(super) fn run_tool(&mut self, session: &Session, image: &str, command: &str) -> Process {
        let shell = self.standing(session, r"C:\Windows\System32\cmd.exe");
        self.spawn(&shell, session, image, command)
    }

    /// Per-user services get an instance for this logon, without any event.
    pub(super) fn add_user_services(&mut self, session: &Session) {
        let suffix = format!("{:x}", session.logon_id & 0xf_ffff);
        let manager = self.manager.clone();
        for template in super::stock::services().iter().filter(|stock| stock.kind & 0x40 != 0) {
            if !has_service(&self.hives.system, &template.name) {
                continue;
            }
            let name = format!("{}_{suffix}", template.name);
            if self.hives.system.find(&format!(r"{CONTROL_SET}\Services\{name}")).is_some() {
                continue;
            }
            let display = format!("{} Service_{suffix}", template.name);
            let values = [
                ("Type", Data::Dword(template.kind | 0x80)),
                ("Start", Data::Dword(template.start)),
                ("ErrorControl", Data::Dword(1)),
                ("ImagePath", Data::ExpandText(expand(&template.image_path))),
                ("DisplayName", Data::Text(display)),
            ];
            self.write_service(&manager, Writer::Manager, &name, &values);
        }
    }
}

fn failure_command_line(recovery: &Recovery) -> String {
    let actions: Vec<String> = recovery
        .actions
        .iter()
        .map(|(kind, delay)| match kind {
            1 => format!("restart/{delay}"),
            2 => format!("reboot/{delay}"),
            3 => format!("run/{delay}"),
            _ => format!("\"\"/{delay}"),
        })
        .collect();
    let command = recovery.command.as_deref().unwrap_or_default().replace('"', "\\\"");
    let (service, reset, actions) = (&recovery.service, recovery.reset, actions.join("/"));
    format!("sc  failure {service} reset= {reset} actions= {actions} command= \"{command}\"")
}

/// The display name as a person reads it; resource references are not resolved here.
pub(super) fn display_text(name: &str, service: &str) -> String {
    match service {
        "BITS" => "Background Intelligent Transfer Service".to_owned(),
        "Spooler" => "Print Spooler".to_owned(),
        "TrustedInstaller" => "Windows Modules Installer".to_owned(),
        _ if name.is_empty() || name.starts_with('@') => service.to_owned(),
        _ => name.to_owned(),
    }
}

/// A command line with the variables of the system expanded, as the service control manager starts it.
pub(super) fn expand(command: &str) -> String {
    let mut expanded = command.to_owned();
    for (variable, value) in [
        ("%systemroot%", r"C:\Windows"),
        ("%windir%", r"C:\Windows"),
        ("%programfiles%", r"C:\Program Files"),
        ("%comspec%", r"C:\Windows\system32\cmd.exe"),
        ("%systemdrive%", "C:"),
        ("%programdata%", r"C:\ProgramData"),
        ("%temp%", r"C:\Windows\TEMP"),
    ] {
        while let Some(at) = expanded.to_ascii_lowercase().find(variable) {
            expanded.replace_range(at..at.saturating_add(variable.len()), value);
        }
    }
    expanded
}

/// Where a driver lies: the paths of the kernel as paths of a drive.
fn driver_path(path: &str) -> String {
    let path = expand(path.trim_start_matches(r"\??\"));
    let below = [r"\SystemRoot\", r"System32\"].into_iter().find_map(|prefix| {
        let start = path.get(..prefix.len()).filter(|start| start.eq_ignore_ascii_case(prefix))?;
        let rest = path.get(start.len()..)?;
        Some(if start.starts_with('\\') { rest.to_owned() } else { format!(r"System32\{rest}") })
    });
    below.map_or(path, |below| format!(r"C:\Windows\{below}"))
}

/// The program of an expanded command line.
pub(super) fn program(command: &str) -> &str {
    let command = command.trim_start();
    if let Some(quoted) = command.strip_prefix('"') {
        return quoted.split('"').next().unwrap_or(quoted);
    }
    let end = command.to_ascii_lowercase().find(".exe").map(|at| at.saturating_add(4));
    end.and_then(|end| command.get(..end)).unwrap_or(command)
}

/// Where Windows finds a program that is named without its folder.
fn full_path(program: &str) -> String {
    if program.contains('\\') {
        program.to_owned()
    } else {
        format!(r"C:\Windows\System32\{program}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_in_command_lines() {
        for (command, found) in [
            (r#""C:\Program Files\A B\c.exe" -run"#, r"C:\Program Files\A B\c.exe"),
            (r"%SystemRoot%\System32\svchost.exe -k netsvcs", r"C:\Windows\System32\svchost.exe"),
            (r"C:\tool", r"C:\tool"),
            (r"%COMSPEC% /c echo", r"C:\Windows\system32\cmd.exe"),
        ] {
            assert_eq!(program(&expand(command)), found);
        }
    }
}
