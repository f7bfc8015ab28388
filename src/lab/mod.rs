//! Evidence made to order: hives, transaction logs and event logs for tests, samples and exercises.
//!
//! The writers ([`regf`], [`evtx`], [`pe`]) know formats and nothing of stories; the simulated host (`machine`) knows
//! what Windows leaves behind when something happens; a [`scenario`] says what happened. The same scenario
//! gives the same bytes, always.

pub mod evaluation;
pub mod evtx;
pub mod pe;
pub mod regf;
pub mod scenario;

mod bytes;
mod evidence;
mod machine;
mod random;
mod sddl;
mod sid;

pub use evidence::File;
pub use sddl::security_descriptor;
pub use sid::Sid;
