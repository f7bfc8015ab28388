//! Behaviour at the ends: real bytes in, report out.

mod architecture;
mod checklist;
mod event_log;
mod event_log_damage;
mod event_log_lab;
mod hive;
mod hive_corpus;
mod lab_evtx;
mod lab_regf;
mod service_events;
mod support;
