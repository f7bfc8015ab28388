//! YARA rules that the analyst gives, over the bytes of the files behind services and nothing else.
//!
//! The engine is part of builds with the feature `full`; others refuse the option in words, so that nobody takes a missing engine
//! for a clean host.

#[cfg(not(feature = "full"))]
mod absent;
#[cfg(feature = "full")]
mod engine;

#[cfg(not(feature = "full"))]
pub use absent::Rules;
#[cfg(feature = "full")]
pub use engine::Rules;

use std::io::Read as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::prelude::*;

use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::{Evidence, EvidencePath};
use crate::host::program_file::{FileState, ProgramFile, RuleMatch};
use crate::host::{Coverage, Origin, Span, State};

/// The largest file that rules look at, in bytes: it is in memory as a whole, one a thread.
pub const LARGEST: u64 = 64 << 20;
/// Rule files that are told one by one.
const MOST_TOLD: usize = 50;

/// A file of rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSource {
    /// What reports call it: its path as given.
    pub name: String,
    /// Its text, or why it cannot be read.
    pub text: Result<String, String>,
}

/// A file of rules that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotLoaded {
    /// The file.
    pub file: String,
    /// Where and why: `line 12: unknown identifier "x"`.
    pub reason: String,
}

/// Scans the files that were read, in parallel on the threads of the current rayon pool, notes the rules that match and records in
/// `coverage` how many rules were asked. Returns what was wrong.
///
/// The result is the same for any number of threads; the one thing in it that the speed of this machine can change
/// is a file that takes longer than a minute, of which no match is kept and which is said.
pub fn mark(
    evidence: &dyn Evidence,
    files: &mut [ProgramFile],
    rules: &Rules,
    coverage: &mut Coverage,
) -> Vec<Diagnostic> {
    let scanned: Vec<_> = files.par_iter().map(|file| scan(evidence, file, rules)).collect();
    let mut diagnostics: Vec<Diagnostic> = not_loaded(rules);
    let mut state = if rules.not_loaded().is_empty() { State::Complete } else { State::Partial };
    for (file, scanned) in files.iter_mut().zip(scanned) {
        match scanned {
            Ok(matches) => file.rule_matches = matches,
            Err(message) => {
                state = State::Partial;
                let artifact = file.citation.artifact.to_string();
                diagnostics.push(Diagnostic { artifact, impact: Impact::Note, message });
            }
        }
    }
    if rules.count() == 0 {
        state = State::Lost;
    }
    let mut notes = vec![format!("{} rules", rules.count())];
    if !rules.not_loaded().is_empty() {
        notes.push(format!("{} files of rules cannot be used", rules.not_loaded().len()));
    }
    coverage.record(Origin::YaraRules, Span { state, from: None, to: None, notes });
    diagnostics
}

fn not_loaded(rules: &Rules) -> Vec<Diagnostic> {
    let told = rules.not_loaded().iter().take(MOST_TOLD);
    let tell = |one: &NotLoaded| Diagnostic {
        artifact: one.file.clone(),
        impact: Impact::Note,
        message: format!("its YARA rules are not used: {}", one.reason),
    };
    told.map(tell).collect()
}

/// The rules that match a file; none of one that was not read.
///
/// # Errors
/// A sentence, where it could not be scanned.
fn scan(
    evidence: &dyn Evidence,
    file: &ProgramFile,
    rules: &Rules,
) -> Result<Vec<RuleMatch>, String> {
    let Some(content) = &file.content else { return Ok(Vec::new()) };
    if file.state != FileState::Present || content.size == 0 {
        return Ok(Vec::new());
    }
    if content.size > LARGEST {
        return Err(format!(
            "YARA rules did not look at \"{}\": it is larger than {} MiB",
            file.path,
            LARGEST >> 20
        ));
    }
    let failed = |why: &str| format!("YARA rules did not look at \"{}\": {why}", file.path);
    let mut bytes = Vec::new();
    let opened = evidence.open(&EvidencePath::new(&file.citation.artifact));
    let read = opened.and_then(|content| content.take(LARGEST).read_to_end(&mut bytes));
    read.map_err(|error| failed(&error.to_string()))?;
    // The fuse: a panic over hostile bytes costs this file.
    catch_unwind(AssertUnwindSafe(|| rules.scan(&bytes, &file.path)))
        .unwrap_or_else(|_| Err("the engine failed".to_owned()))
        .map_err(|why| failed(&why))
}
