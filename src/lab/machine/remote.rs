//! Remote execution by a service that comes and goes, as `PsExec` and its kin do it.

use super::Machine;
use super::events::sysmon;
use super::journal::Channel;
use crate::lab::scenario::{
    Install, Outcome, RemoteExecution, ScenarioError, ServiceKind, Start, StartMode,
};

impl Machine {
    /// Logon, file copy, service, command, and everything removed again.
    pub(super) fn execute_remotely(
        &mut self,
        remote: &RemoteExecution,
    ) -> Result<(), ScenarioError> {
        let session = self.session(Some(&remote.by))?;
        self.log_on(&session, 3, Some(&remote.from));
        self.use_share(&session, &remote.from, (r"\\*\ADMIN$", r"\??\C:\Windows", &remote.file));
        let mut kernel = self.standing(&super::account::Session::system(), "System");
        kernel.pid = 4;
        let at = self.clock.pass(30);
        let path = format!(r"C:\Windows\{}", remote.file);
        self.journals.push(Channel::Sysmon, sysmon::file_created(at, &kernel, &path));
        self.use_share(&session, &remote.from, (r"\\*\IPC$", "", "svcctl"));
        let install = Install {
            service: remote.service.clone(),
            display_name: remote.display_name.clone(),
            description: None,
            image_path: remote.image_path.clone(),
            kind: ServiceKind::Own,
            start: StartMode::Demand,
            account: "LocalSystem".to_owned(),
            error_control: 0,
            group: None,
            depends_on: Vec::new(),
            wow64: true,
            delayed: false,
            parameters: Vec::new(),
            by: Some(remote.by.clone()),
            command: None,
            program: None,
            from: None,
        };
        self.create_service(&session, &install);
        if let Some(pipe) = &remote.pipe {
            let service = self.standing(&super::account::Session::system(), &path);
            let at = self.clock.pass(30);
            self.journals
                .push(Channel::Sysmon, sysmon::pipe_created(at, &service, &format!(r"\{pipe}")));
        }
        self.start(&Start {
            service: remote.service.clone(),
            outcome: Outcome::Running,
            children: vec![remote.command.clone()],
            connections: Vec::new(),
        })?;
        self.clock.pass(2500);
        self.delete_service(&remote.service)
    }
}
