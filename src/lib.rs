//! Offline triage of Windows services: evidence in, an explained ranking out.
//!
//! ```text
//! evidence/ --bytes--> artifact/ --Fact--> host/ --Host--> checklist/ --Answer--> rank --order--> report/
//! ```
//!
//! A module imports only from its left, plus the shared words [`text`], [`time`], [`sid`], [`diagnostic`] and
//! [`error`]. One deliberate exception: [`host`] owns `Fact`, `Citation` and `Coverage`, because facts are
//! the vocabulary of the model, so [`artifact`] imports them.

pub mod artifact;
mod bytes;
pub mod checklist;
pub mod cli;
pub mod diagnostic;
pub mod error;
pub mod evidence;
pub mod host;
pub mod lab;
pub mod rank;
pub mod report;
pub mod scan;
pub mod sid;
pub mod text;
pub mod time;
