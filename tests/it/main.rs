//! Behaviour at the ends: real bytes in, report out.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod architecture;
mod archive;
mod archive_damage;
mod checklist;
mod cli;
mod collection;
mod collection_damage;
mod collection_packed;
mod commands;
mod docs;
mod event_log;
mod event_log_damage;
mod event_log_lab;
mod evidence;
mod hive;
mod hive_corpus;
mod host_folder;
mod images;
mod incidents;
mod join;
mod lab_evtx;
mod lab_regf;
mod lab_samples;
mod mutated_images;
mod network;
mod older_states;
mod posture;
mod program_files;
mod program_report;
mod readme;
mod readonly;
mod report;
mod robustness;
mod samples;
mod service_events;
mod shadow_copy;
mod sigma;
mod stories;
mod story_joins;
mod support;
mod system_hive;
mod truth;
mod weighing;
