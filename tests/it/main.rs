//! Behaviour at the ends: real bytes in, report out.

mod architecture;
mod checklist;
mod event_log;
mod event_log_damage;
mod hive;
mod hive_corpus;
mod join;
mod lab_evtx;
mod lab_regf;
mod report;
mod support;
mod weighing;
