//! Remote execution by a service that comes and goes, as `PsExec` and its kin do it.

use super::Machine;
use super::account::Session;
use super::events::sysmon;
use super::journal::Channel;
use crate::lab::scenario::{Install, RemoteExecution, ScenarioError};

impl Machine {
    /// Logon, file copy, service, command, and everything removed again.
    pub(super) fn execute_remotely(
        &mut self,
        remote: &RemoteExecution,
    ) -> Result<(), ScenarioError> {
        let session = self.new_session(&remote.by, 3, Some(&remote.from))?;
        let share = (r"\\*\ADMIN$", r"\??\C:\Windows", remote.file.as_str());
        self.use_share(&session, &remote.from, share);
        let mut kernel = self.standing(&Session::system(), "System");
        kernel.pid = 4;
        let at = self.clock.pass(30);
        let path = format!(r"C:\Windows\{}", remote.file);
        self.journals.push(Channel::Sysmon, sysmon::file_created(at, &kernel, &path));
        self.use_share(&session, &remote.from, (r"\\*\IPC$", "", "svcctl"));

        let mut install = Install::new(&remote.service, &remote.image_path);
        install.display_name.clone_from(&remote.display_name);
        install.error_control = remote.error_control;
        install.wow64 = remote.wow64;
        self.register(&install);
        // The service runs before its installation is logged: that is the measured order.
        let process = self.launch(&remote.image_path, &Session::system());
        self.announce(&session, &install);
        let display_name = remote.display_name.as_deref().unwrap_or(&remote.service);
        self.note_state((&remote.service, display_name), true);
        if let Some(pipe) = &remote.pipe {
            let at = self.clock.pass(30);
            let event = sysmon::pipe_created(at, &process, &format!(r"\{pipe}"));
            self.journals.push(Channel::Sysmon, event);
        }
        self.spawn_child(&process, &remote.command);
        self.clock.pass(2500);
        self.note_state((&remote.service, display_name), false);
        if remote.keep { Ok(()) } else { self.delete_service(&remote.service) }
    }
}
