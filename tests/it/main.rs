//! Behaviour at the ends: real bytes in, report out.

mod checklist;
mod support;
