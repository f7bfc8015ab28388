//! Behaviour at the ends: real bytes in, report out.

mod lab_evtx;
mod lab_regf;
mod lab_samples;
mod support;
