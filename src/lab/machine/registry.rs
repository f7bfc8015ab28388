//! Changes to the registry, with the traces of who made them.

use super::Machine;
use super::hives::CONTROL_SET;
use super::process::Process;
use super::stock::{bytes_of_hex, split};
use super::system_hive::{ADMIN_KEY_SECURITY, MANAGER_KEY_SECURITY, descriptor};
use crate::lab::regf::{Data, KeyId};
use crate::lab::scenario::{DataType, ScenarioError, ValueSpec};

/// Who writes a key that may not exist yet: it owns what it creates.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Writer {
    /// The service control manager.
    Manager,
    /// A tool in the hands of an administrator.
    Tool,
}

impl Machine {
    /// Sets values of a service key in this order, created first if need be; Sysmon sees each.
    pub(super) fn write_service(
        &mut self,
        process: &Process,
        writer: Writer,
        below_services: &str,
        values: &[(&str, Data)],
    ) {
        self.write_key(process, writer, &format!(r"Services\{below_services}"), values);
    }

    /// Sets values of a key below the current control set.
    pub(super) fn write_key(
        &mut self,
        process: &Process,
        writer: Writer,
        key: &str,
        values: &[(&str, Data)],
    ) {
        let path = format!(r"{CONTROL_SET}\{key}");
        let at = self.clock.pass(1);
        let fresh = self.hives.system.find(&path).is_none();
        let id = self.hives.system.create(&path, at);
        if fresh {
            let owner =
                if writer == Writer::Manager { MANAGER_KEY_SECURITY } else { ADMIN_KEY_SECURITY };
            self.hives.system.set_security(id, &descriptor(owner));
        }
        for (name, data) in values {
            let at = self.clock.pass(1);
            let old = self.hives.system.value(id, name).cloned();
            self.hives.system.set(id, name, data, at);
            self.audited_value(process, &path, name, (old.as_ref(), data));
            self.saw_value(process, &format!(r"HKLM\System\CurrentControlSet\{key}\{name}"), data);
        }
    }

    /// Sets one value by its path: `SOFTWARE\…`, or below the current control set.
    pub(super) fn write_value(
        &mut self,
        process: &Process,
        key: &str,
        spec: &ValueSpec,
    ) -> Result<(), ScenarioError> {
        let data = spec.data()?;
        let Some(rest) = key.strip_prefix(r"SOFTWARE\") else {
            self.write_key(process, Writer::Tool, key, &[(&spec.name, data)]);
            return Ok(());
        };
        let at = self.clock.pass(1);
        let id = self.hives.software.create(rest, at);
        self.hives.software.set(id, &spec.name, &data, at);
        self.saw_value(process, &format!(r"HKLM\{key}\{}", spec.name), &data);
        Ok(())
    }

    /// A service key that must exist.
    pub(super) fn service_key(&self, service: &str) -> Result<KeyId, ScenarioError> {
        self.hives
            .system
            .find(&format!(r"{CONTROL_SET}\Services\{service}"))
            .ok_or_else(|| ScenarioError::UnknownService(service.to_owned(), self.clock.now()))
    }

    /// A text of a service key; empty if there is none.
    pub(super) fn service_text(&self, key: KeyId, name: &str) -> String {
        match self.hives.system.value(key, name) {
            Some(Data::Text(text) | Data::ExpandText(text)) => text.clone(),
            _ => String::new(),
        }
    }

    /// A number of a service key.
    pub(super) fn service_number(&self, key: KeyId, name: &str) -> Option<u32> {
        match self.hives.system.value(key, name) {
            Some(Data::Dword(number)) => Some(*number),
            _ => None,
        }
    }
}

impl ValueSpec {
    /// The value's data.
    pub(super) fn data(&self) -> Result<Data, ScenarioError> {
        Ok(match self.kind {
            DataType::Sz => Data::Text(self.data.clone()),
            DataType::ExpandSz => Data::ExpandText(self.data.clone()),
            DataType::MultiSz => Data::Texts(split(&self.data)),
            DataType::Binary => Data::Binary(bytes_of_hex(&self.data)),
            DataType::Dword => Data::Dword(self.data.parse().map_err(|_| {
                ScenarioError::Value(self.data.clone(), "a number for a REG_DWORD")
            })?),
        })
    }
}
