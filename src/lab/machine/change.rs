//! Changes of services that exist, files that are written, and keys that go.

use super::Machine;
use super::account::Session;
use super::events::{sysmon, system};
use super::hives::CONTROL_SET;
use super::journal::Channel;
use super::manager::{SC, display_text};
use super::process::Process;
use super::registry::Writer;
use crate::lab::regf::Data;
use crate::lab::scenario::{Change, Drop, ScenarioError, StartMode};

const SVCHOST: &str = r"Microsoft\Windows NT\CurrentVersion\Svchost";
const CMD: &str = r"C:\Windows\System32\cmd.exe";

impl Machine {
    /// `ChangeServiceConfig`: services.exe writes what is given and nothing else; only a new start type is logged (7040).
    pub(super) fn change(&mut self, change: &Change) -> Result<(), ScenarioError> {
        let key = self.service_key(&change.service)?;
        let session = match &change.from {
            Some(from) => self.remote_session(&change.by, from, change.same_session)?,
            None => self.session(Some(&change.by))?,
        };
        if let Some(from) = &change.from {
            self.use_share(&session, from, (r"\\*\IPC$", "", "svcctl"));
        }
        if let Some(command) = &change.command {
            let image = change.program.as_deref().unwrap_or(SC);
            self.run_tool(&session, image, command);
        }
        let old = StartMode::from_value(self.service_number(key, "Start").unwrap_or(3));
        let name = display_text(&self.service_text(key, "DisplayName"), &change.service);
        let values = values(change);
        let manager = self.manager.clone();
        self.write_service(&manager, Writer::Manager, &change.service, &values);
        if let Some(start) = change.start.filter(|start| *start != old) {
            let at = self.clock.pass(2);
            let modes = (old.text(), start.text());
            let names = (change.service.as_str(), name.as_str());
            let event = system::start_changed(at, &session.account.sid, names, modes);
            self.journals.push(Channel::System, event);
        }
        Ok(())
    }

    /// A service is asked to stop, and does.
    pub(super) fn stop(
        &mut self,
        service: &str,
        by: Option<&str>,
        command: Option<&str>,
    ) -> Result<(), ScenarioError> {
        let key = self.service_key(service)?;
        if let Some(command) = command {
            let session = self.session(by)?;
            let net = command.trim_start().starts_with("net");
            self.run_tool(&session, if net { r"C:\Windows\System32\net.exe" } else { SC }, command);
        }
        let name = display_text(&self.service_text(key, "DisplayName"), service);
        self.note_state((service, &name), false);
        Ok(())
    }

    /// A file is written, by a program or through a share.
    pub(super) fn drop_file(&mut self, file: &Drop) -> Result<(), ScenarioError> {
        let session = self.session(file.by.as_deref())?;
        let process = if let Some(from) = &file.from {
            let (share, folder, below) = share(&file.path);
            self.use_share(&session, from, (&share, &folder, &below));
            let mut kernel = self.standing(&Session::system(), "System");
            kernel.pid = 4;
            kernel
        } else {
            self.standing(&session, file.program.as_deref().unwrap_or(CMD))
        };
        let at = self.clock.pass(30);
        self.journals.push(Channel::Sysmon, sysmon::file_created(at, &process, &file.path));
        Ok(())
    }

    /// A service is added to a svchost group. Without anybody who does it, the group has listed it since the image was built.
    pub(super) fn join_group(
        &mut self,
        (group, service): (&str, &str),
        by: Option<&str>,
        command: Option<&str>,
    ) -> Result<(), ScenarioError> {
        let key = self.hives.software.create(SVCHOST, self.host.imaged);
        let mut members = match self.hives.software.value(key, group) {
            Some(Data::Texts(members)) => members.clone(),
            _ => Vec::new(),
        };
        if !members.iter().any(|member| member.eq_ignore_ascii_case(service)) {
            members.push(service.to_owned());
        }
        let data = Data::Texts(members);
        let Some(by) = by else {
            self.hives.software.set(key, group, &data, self.host.imaged);
            return Ok(());
        };
        let session = self.session(Some(by))?;
        let image = r"C:\Windows\System32\reg.exe";
        let process = match command {
            Some(command) => self.run_tool(&session, image, command),
            None => self.standing(&session, image),
        };
        let at = self.clock.pass(1);
        self.hives.software.set(key, group, &data, at);
        self.saw_value(&process, &format!(r"HKLM\SOFTWARE\{SVCHOST}\{group}"), &data);
        Ok(())
    }

    /// Deletes a value below the current control set.
    pub(super) fn unset(
        &mut self,
        process: &Process,
        key: &str,
        name: &str,
    ) -> Result<(), ScenarioError> {
        let path = format!(r"{CONTROL_SET}\{key}");
        let missing = || ScenarioError::UnknownService(key.to_owned(), self.clock.now());
        let id = self.hives.system.find(&path).ok_or_else(missing)?;
        let at = self.clock.pass(1);
        self.hives.system.unset(id, name, at);
        let value = format!(r"HKLM\System\CurrentControlSet\{key}\{name}");
        let event = sysmon::key_changed(at, process, "DeleteValue", &value);
        self.journals.push(Channel::Sysmon, event);
        Ok(())
    }

    /// Deletes a key below the current control set, with all below it.
    pub(super) fn remove_key(&mut self, process: &Process, key: &str) -> Result<(), ScenarioError> {
        let path = format!(r"{CONTROL_SET}\{key}");
        let missing = || ScenarioError::UnknownService(key.to_owned(), self.clock.now());
        let id = self.hives.system.find(&path).ok_or_else(missing)?;
        let at = self.clock.pass(1);
        self.hives.system.delete(id, at);
        let path = format!(r"HKLM\System\CurrentControlSet\{key}");
        let event = sysmon::key_changed(at, process, "DeleteKey", &path);
        self.journals.push(Channel::Sysmon, event);
        Ok(())
    }

    /// What the INF file of a filter of file systems adds: its instance with its altitude.
    pub(super) fn write_filter(&mut self, setup: &Process, service: &str, altitude: &str) {
        let instance = format!("{service} Instance");
        let values = [("DefaultInstance", Data::Text(instance.clone()))];
        self.write_service(setup, Writer::Manager, &format!(r"{service}\Instances"), &values);
        let values = [("Altitude", Data::Text(altitude.to_owned())), ("Flags", Data::Dword(0))];
        let key = format!(r"{service}\Instances\{instance}");
        self.write_service(setup, Writer::Manager, &key, &values);
    }
}

/// The values that a change writes.
fn values(change: &Change) -> Vec<(&'static str, Data)> {
    let mut values = Vec::new();
    values.extend(change.kind.map(|kind| ("Type", Data::Dword(kind.value()))));
    values.extend(change.start.map(|start| ("Start", Data::Dword(start.value()))));
    values.extend(change.error_control.map(|control| ("ErrorControl", Data::Dword(control))));
    values.extend(change.image_path.clone().map(|path| ("ImagePath", Data::ExpandText(path))));
    values.extend(change.account.clone().map(|account| ("ObjectName", Data::Text(account))));
    values.extend(change.display_name.clone().map(|name| ("DisplayName", Data::Text(name))));
    values.extend(change.description.clone().map(|text| ("Description", Data::Text(text))));
    values
}

/// A path as a share, its folder, and what is below: `ADMIN$` is the folder of Windows.
fn share(path: &str) -> (String, String, String) {
    let admin = r"C:\Windows\";
    let start = path.get(..admin.len()).filter(|start| start.eq_ignore_ascii_case(admin));
    if let Some(below) = start.and_then(|start| path.get(start.len()..)) {
        return (r"\\*\ADMIN$".to_owned(), r"\??\C:\Windows".to_owned(), below.to_owned());
    }
    let (drive, below) = path.split_once(":\\").unwrap_or(("C", path));
    (format!(r"\\*\{drive}$"), format!(r"\??\{drive}:\"), below.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_reached_through_its_share() {
        let told = |path| share(path);
        let admin = told(r"c:\windows\Temp\a.exe");
        assert_eq!((admin.0.as_str(), admin.2.as_str()), (r"\\*\ADMIN$", r"Temp\a.exe"));
        let drive = told(r"D:\tools\a.exe");
        assert_eq!((drive.0.as_str(), drive.2.as_str()), (r"\\*\D$", r"tools\a.exe"));
    }
}
