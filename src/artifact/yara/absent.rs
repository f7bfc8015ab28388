//! No engine.

use super::{NotLoaded, RuleSource};
use crate::host::program_file::RuleMatch;

/// Rules: there are none in this build.
#[derive(Debug)]
pub enum Rules {}

impl Rules {
    /// Says what is missing.
    ///
    /// # Errors
    /// Always.
    pub fn load(sources: Vec<RuleSource>) -> Result<Self, String> {
        drop(sources);
        Err("this build has no YARA engine: build it with `cargo build --release --features full`"
            .to_owned())
    }

    /// How many rules there are.
    pub fn count(&self) -> usize {
        match *self {}
    }

    /// Files that cannot be used.
    pub fn not_loaded(&self) -> &[NotLoaded] {
        match *self {}
    }

    /// The rules that match.
    ///
    /// # Errors
    /// Never.
    pub fn scan(&self, _bytes: &[u8], _path: &str) -> Result<Vec<RuleMatch>, String> {
        match *self {}
    }
}
