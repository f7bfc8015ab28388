//! PowerShell: scripts, and what module logging records of them.
//!
//! Nothing is run: constants are put together as far as that is mechanical (concatenation, `-f`, `-join`, `[char]`,
//! base64, variables and tables with constant values), and commands are read from what results.

mod cmdlet;
mod fold;
pub(super) mod host;
mod lexer;
mod logged;
mod script;
mod wmi;

pub(super) use script::read;

use super::ServiceCommand;
use super::reader::{Context, Reader};

/// Text of events 400, 800, 4103 and 4104: a script, what module logging says of it, or both.
pub(super) fn event(text: &str) -> Vec<ServiceCommand> {
    let at = text.find("CommandInvocation(").unwrap_or(text.len());
    let (script, logged) = text.split_at_checked(at).unwrap_or((text, ""));
    let logged = logged::commands(logged);
    let mut reader = Reader::new();
    read(&mut reader, script, &Context::new());
    // What was logged has the values; the script may have only the names of variables.
    let mut found = reader.into_found();
    found.retain(|one| {
        !logged.iter().any(|other| {
            (one.verb, one.remote.as_ref()) == (other.verb, other.remote.as_ref())
                && crate::text::same_name(&one.service, &other.service)
        })
    });
    let mut all = logged;
    all.extend(found);
    all
}
