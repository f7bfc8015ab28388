//! What the examiner says about how evidence is to be opened.

use std::path::PathBuf;

/// Keys, passwords and limits for opening evidence.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Which volume shadow copies are read as history.
    pub shadow_copies: ShadowCopies,
    /// BitLocker: recovery passwords, eight groups of six digits.
    pub recovery_keys: Vec<String>,
    /// BitLocker: files with startup or recovery keys (`.BEK`).
    pub key_files: Vec<PathBuf>,
    /// BitLocker: passwords of volumes.
    pub volume_passwords: Vec<String>,
    /// Passwords of archives, tried in this order.
    pub archive_passwords: Vec<String>,
    /// What archives may cost.
    pub limits: Limits,
}

/// Which volume shadow copies are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ShadowCopies {
    /// All of them, as older states of the host.
    #[default]
    All,
    /// None; they are listed all the same.
    None,
    /// The one with that number, counted from 1, oldest first.
    One(usize),
}

/// What one piece of evidence may cost, so that a small hostile archive cannot fill a disk or take for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Members of one archive that are listed.
    pub members: usize,
    /// Unpacked bytes of all members together.
    pub unpacked: u64,
    /// How many times larger than packed a member may be, once it is larger than a MiB.
    pub ratio: u64,
    /// Archives and images inside archives.
    pub nesting: usize,
    /// Archives and images that lie in one folder, archive or image, those inside them counted in.
    pub nested: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { members: 1_000_000, unpacked: 64 << 30, ratio: 1000, nesting: 4, nested: 10_000 }
    }
}
