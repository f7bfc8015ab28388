//! What is logged when something happens: Sysmon and the audit policy watch processes, registry and network.

use super::Machine;
use super::account::Session;
use super::events::{security, sysmon};
use super::journal::Channel;
use super::process::Process;
use crate::lab::regf::Data;
use crate::lab::scenario::{Connection, Protocol};

impl Machine {
    /// Starts a program and logs it: Sysmon 1, then 4688.
    pub(super) fn spawn(
        &mut self,
        parent: &Process,
        session: &Session,
        image: &str,
        command: &str,
    ) -> Process {
        let at = self.clock.pass(3);
        let pid = self.clock.pid();
        let process = Process {
            pid,
            guid: self.clock.process_guid(pid),
            image: image.to_owned(),
            command: command.to_owned(),
            session: session.clone(),
        };
        self.journals.push(Channel::Sysmon, sysmon::process_created(at, parent, &process));
        if self.host.audit.processes {
            let at = self.clock.pass(1);
            let creator = if parent.session == Session::system() {
                Session::host(&self.host.name)
            } else {
                parent.session.clone()
            };
            let event = security::process_created(at, &creator, parent, &process);
            self.journals.push(Channel::Security, event);
        }
        self.hives.note_execution(&process, self.clock.now());
        process
    }

    /// A program that was started before the log begins, or by somebody who does not matter.
    pub(super) fn standing(&mut self, session: &Session, image: &str) -> Process {
        let pid = self.clock.pid();
        Process {
            pid,
            guid: self.clock.process_guid(pid),
            image: image.to_owned(),
            command: format!("\"{image}\""),
            session: session.clone(),
        }
    }

    /// 4657.
    pub(super) fn audited_value(
        &mut self,
        process: &Process,
        path: &str,
        name: &str,
        (old, new): (Option<&Data>, &Data),
    ) {
        if self.host.audit.registry {
            let at = self.clock.now();
            let key = format!(r"\REGISTRY\MACHINE\SYSTEM\{path}");
            let (old_type, old) = old.map_or(("-", "-".to_owned()), audit_text);
            let (new_type, new) = audit_text(new);
            let (old, new) = ((old_type, old.as_str()), (new_type, new.as_str()));
            let event = security::value_changed(at, process, (&key, name), old, new);
            self.journals.push(Channel::Security, event);
        }
    }

    /// Sysmon 13.
    pub(super) fn saw_value(&mut self, process: &Process, path: &str, data: &Data) {
        let at = self.clock.now();
        let event = sysmon::value_set(at, process, path, details(data));
        self.journals.push(Channel::Sysmon, event);
    }

    /// A name is looked up and a connection made: Sysmon 22 and 3, 5156.
    pub(super) fn connect(&mut self, process: &Process, connection: &Connection) {
        let Connection { to, port, host } = connection;
        if let Some(name) = host {
            let at = self.clock.pass(40);
            self.journals.push(Channel::Sysmon, sysmon::name_looked_up(at, process, name, to));
        }
        let at = self.clock.pass(60);
        let source_port = self.clock.port();
        let source = (self.host.address.as_str(), self.host.name.as_str(), source_port);
        let event = sysmon::connected(at, process, source, (to, host.as_deref(), *port));
        self.journals.push(Channel::Sysmon, event);
        if self.host.audit.connections {
            let source = (self.host.address.as_str(), source_port);
            let event = security::connected(at, process, source, (to, *port));
            self.journals.push(Channel::Security, event);
        }
    }

    /// An account logs on: 4624 and 4672.
    pub(super) fn log_on(
        &mut self,
        session: &Session,
        kind: u32,
        from: Option<&str>,
        protocol: Protocol,
    ) {
        if !self.host.audit.logons {
            return;
        }
        let host = Session::host(&self.host.name);
        let at = self.clock.pass(2);
        let event = security::logged_on(at, &host, session, (kind, protocol), from);
        self.journals.push(Channel::Security, event);
        let event = security::privileges_assigned(at, session);
        self.journals.push(Channel::Security, event);
    }

    /// A share is used over the network: 5145.
    pub(super) fn use_share(&mut self, session: &Session, from: &str, share: (&str, &str, &str)) {
        if self.host.audit.shares {
            let at = self.clock.pass(5);
            let event = security::share_accessed(at, session, from, share);
            self.journals.push(Channel::Security, event);
        }
    }
}

/// Data as 4657 shows it, with the message code of its type.
fn audit_text(data: &Data) -> (&'static str, String) {
    match data {
        Data::Text(text) => ("%%1873", text.clone()),
        Data::ExpandText(text) => ("%%1874", text.clone()),
        Data::Binary(_) | Data::Raw(..) => ("%%1875", "-".to_owned()),
        Data::Dword(number) => ("%%1876", number.to_string()),
        Data::Texts(texts) => ("%%1879", texts.join("\n")),
        Data::Qword(number) => ("%%1883", number.to_string()),
    }
}

/// Data as Sysmon shows it; a percent sign is doubled in its log.
fn details(data: &Data) -> String {
    match data {
        Data::Text(text) | Data::ExpandText(text) => text.replace('%', "%%"),
        Data::Dword(number) => format!("DWORD (0x{number:08x})"),
        Data::Qword(number) => {
            format!("QWORD (0x{:08x}-0x{:08x})", number >> 32, number & 0xffff_ffff)
        }
        Data::Texts(texts) => texts.join(";"),
        Data::Binary(_) | Data::Raw(..) => "Binary Data".to_owned(),
    }
}
