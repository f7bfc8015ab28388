//! Behaviour at the ends: real bytes in, report out.

mod checklist;
mod hive;
mod hive_corpus;
mod support;
