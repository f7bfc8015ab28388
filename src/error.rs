//! What stops a run. Damage inside evidence does not: see [`crate::diagnostic`].

use std::io;
use std::path::PathBuf;

/// A reason why nothing could be examined or nothing could be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The path given on the command line cannot be opened.
    #[error("cannot open {path}: {source}", path = crate::text::terminal_safe(&path.to_string_lossy()))]
    Open {
        /// The path as it was given.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The path exists but holds nothing this tool can read.
    #[error(
        "{path}: {found}; give a folder with a Windows tree, registry hives (regf) or event logs (ElfFile)",
        path = crate::text::terminal_safe(&path.to_string_lossy())
    )]
    Unsupported {
        /// The path as it was given.
        path: PathBuf,
        /// What was found there instead.
        found: String,
    },
    /// What was given is known, and it cannot be examined.
    #[error(
        "{path}: {message}",
        path = crate::text::terminal_safe(&path.to_string_lossy()),
        message = crate::text::terminal_safe(message)
    )]
    Refused {
        /// The path as it was given.
        path: PathBuf,
        /// What it is, why it is not read and what can be done, in a sentence.
        message: String,
    },
    /// A file that tunes the run (approvals, weights) cannot be used.
    #[error("{path}: {message}", path = crate::text::terminal_safe(&path.to_string_lossy()))]
    Settings {
        /// The settings file.
        path: PathBuf,
        /// What is wrong with it, with the line where there is one.
        message: String,
    },
    /// The report cannot be written.
    #[error("cannot write the report: {0}")]
    Output(#[source] io::Error),
}
