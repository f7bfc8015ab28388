//! Behaviour at the ends: real bytes in, report out.

mod hive;
mod hive_corpus;
mod support;
