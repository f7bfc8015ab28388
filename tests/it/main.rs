//! Behaviour at the ends: real bytes in, report out.

mod lab_regf;
mod support;
