//! Who created or changed it, when, and with which ticket (Q3).
//!
//! W07 of the source table (created in the last 24 hours before the evidence ends) is left out: in an
//! exported log every event is that young.

use super::{Indicator, Scope};

mod command;
mod creator;
mod group;
mod history;
mod moment;
mod older;
mod order;
mod restored;
mod ticket;
mod write;

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] = &[
    creator::NETWORK_LOGON,
    ticket::UNAPPROVED_ACTOR,
    ticket::NO_TICKET,
    creator::NO_CLIENT,
    creator::KERBEROS_LOOPBACK,
    command::BY_COMMAND,
    moment::ISOLATED,
    write::DIFFERS_FROM_INSTALL,
    moment::SILENT,
    moment::BURST,
    history::SHORT_LIVED,
    history::GHOST,
    history::RECOVERED,
    write::KEY_OWNER,
    write::FOREIGN_WRITER,
    moment::LOG_CLEARED,
    order::HOSTED,
    order::IN_WINDOWS,
    order::BY_HAND,
    history::MID_DELETE,
    history::LOG_ONLY,
    command::COMMAND_CHANGED,
    creator::REMOTE_SHARE,
    command::ELSEWHERE,
    older::APPEARED,
    older::VANISHED,
    older::CHANGED,
    restored::PUT_BACK,
    group::GROUPED,
];

/// Whether events show its program or DLL being another one for a time, whatever the key says now.
pub(super) fn was_exchanged(scope: &Scope<'_>) -> bool {
    [restored::PUT_BACK, command::COMMAND_CHANGED]
        .iter()
        .any(|asked| (asked.check)(scope).is_some())
}
