//! Behaviour at the ends: real bytes in, report out.

mod checklist;
mod architecture;
mod checklist;
mod event_log;
mod event_log_damage;
mod event_log_lab;
mod hive;
mod hive_corpus;
mod architecture;
mod checklist;
mod event_log;
mod event_log_damage;
mod evidence;
mod hive;
mod hive_corpus;
mod join;
mod lab_evtx;
mod lab_regf;
mod report;
mod service_events;
mod lab_samples;
mod support;
mod system_hive;
