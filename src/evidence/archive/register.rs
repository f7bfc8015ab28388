//! The list of an archive's members while it is being made.

use super::member::Member;
use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::Limits;

/// What the names of all members may take together in memory, in bytes.
const MOST_NAMES: usize = 512 << 20;
/// Remarks of one archive; damage everywhere is not told once per place.
const MOST_REMARKS: usize = 20;

/// The members found so far, and what stood in the way.
pub(super) struct Register {
    pub(super) members: Vec<Member>,
    pub(super) diagnostics: Vec<Diagnostic>,
    archive: String,
    most: usize,
    name_bytes: usize,
    unsaid: usize,
    is_full: bool,
}

impl Register {
    /// An empty list for an archive that reports call so.
    pub(super) fn new(archive: &str, limits: &Limits) -> Self {
        Self {
            members: Vec::new(),
            diagnostics: Vec::new(),
            archive: archive.to_owned(),
            most: limits.members,
            name_bytes: 0,
            unsaid: 0,
            is_full: false,
        }
    }

    /// Adds a member and gives its number; absent where the list is full, which is then said.
    pub(super) fn add(&mut self, member: Member) -> Option<usize> {
        if self.is_full {
            return None;
        }
        let number = self.members.len();
        self.name_bytes = self.name_bytes.saturating_add(member.name.len());
        let end = if number >= self.most {
            format!(
                "more than {} members; the rest is not read; --max-members raises this limit",
                self.most
            )
        } else if self.name_bytes > MOST_NAMES {
            format!(
                "the names of its first {number} members take more than {MOST_NAMES} bytes; the rest is not read"
            )
        } else {
            self.members.push(member);
            return Some(number);
        };
        self.is_full = true;
        self.remark(Impact::Partial, end);
        None
    }

    pub(super) fn remark(&mut self, impact: Impact, message: String) {
        if self.diagnostics.len() >= MOST_REMARKS {
            self.unsaid = self.unsaid.saturating_add(1);
            return;
        }
        self.diagnostics.push(Diagnostic { artifact: self.archive.clone(), impact, message });
    }

    /// The members and what was to be said.
    pub(super) fn finish(mut self) -> (Vec<Member>, Vec<Diagnostic>) {
        if self.unsaid > 0 {
            self.diagnostics.push(Diagnostic {
                artifact: self.archive,
                impact: Impact::Partial,
                message: format!("{} more places are damaged", self.unsaid),
            });
        }
        (self.members, self.diagnostics)
    }
}
