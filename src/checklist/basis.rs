//! What most indicators rest on: the evidence they need, and the measurement behind their weights.

use super::Need;
use crate::host::Origin;

/// The command of a service stands in the hive; logs give it where the key is gone.
pub(super) const COMMAND: Need = Need::AnyPart(&[
    Origin::SystemHive,
    Origin::SystemLog,
    Origin::SecurityLog,
    Origin::SysmonLog,
    Origin::PowerShellLog,
]);
/// The SYSTEM hive, as far as it could be read.
pub(super) const HIVE: Need = Need::Part(Origin::SystemHive);
/// Either log that records installs, where the host was set up to record them.
pub(super) const INSTALL_LOGS: Need =
    Need::AnyEvent(&[(Origin::SystemLog, 7045), (Origin::SecurityLog, 4697)]);
/// Whatever shows commands being given.
pub(super) const COMMAND_LOGS: Need =
    Need::AnyPart(&[Origin::ProcessEvents, Origin::PowerShellLog]);
/// Whatever shows a configuration being changed: a command, or the write itself.
pub(super) const CHANGE_LOGS: Need =
    Need::AnyPart(&[Origin::ProcessEvents, Origin::PowerShellLog, Origin::RegistryEvents]);
/// Sigma rules, as many as could be loaded.
pub(super) const RULES: Need = Need::Part(Origin::SigmaRules);

/// The measurement most weights rest on.
pub(super) const MEASURED: &str =
    "Measured: 3,202 services of six real hives against 39 observed attack services";
