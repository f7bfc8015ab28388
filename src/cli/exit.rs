//! Exit codes: documented and stable, because engines act on them.

use std::process::ExitCode;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// 0: everything was read, and nothing reached `--fail-on`.
    Complete,
    /// 1: a service or incident reached `--fail-on`, or something differs and `diff --fail-on-difference` asked.
    Findings,
    /// 2: evidence was incomplete or partly unreadable; the report says what.
    Incomplete,
    /// 3: the command line makes no sense.
    Usage,
    /// 4: nothing could be read.
    Unreadable,
    /// 5: the report could not be written.
    Output,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Complete => 0,
            Exit::Findings => 1,
            Exit::Incomplete => 2,
            Exit::Usage => 3,
            Exit::Unreadable => 4,
            Exit::Output => 5,
        })
    }
}
