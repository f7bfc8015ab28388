//! From the words of a service to a file, the way Windows goes.

use crate::diagnostic::Diagnostic;
use crate::evidence::Evidence;
use crate::host::Host;
use crate::host::program_file::{ProgramFile, ServiceFile, Wanted};

/// The files that words lead to.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    /// Every file once, sorted by path.
    pub(super) files: Vec<ProgramFile>,
    /// One for each wanted file, in that order.
    pub(super) links: Vec<ServiceFile>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// Finds the files.
pub(super) fn resolve(evidence: &dyn Evidence, host: &Host, wanted: &[Wanted]) -> Resolved {
    let _ = (evidence, host, wanted);
    Resolved::default()
}
