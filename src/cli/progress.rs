//! A progress bar on a terminal; nothing anywhere else.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::artifact::Progress;
use crate::evidence::EvidencePath;
use crate::text;

/// Progress of one host.
pub(super) struct Bar(Option<ProgressBar>);

impl Bar {
    /// A bar on stderr where that is a terminal and the user did not ask for quiet.
    pub(super) fn new(quiet: bool, host: &str) -> Self {
        if quiet || !std::io::stderr().is_terminal() {
            return Self(None);
        }
        // Hidden until it is known how much there is to read.
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        if let Ok(style) =
            ProgressStyle::with_template("{bar:24} {bytes}/{total_bytes}  {wide_msg}")
        {
            bar.set_style(style);
        }
        bar.set_message(text::terminal_safe(host).into_owned());
        Self(Some(bar))
    }
}

impl Progress for Bar {
    fn found(&self, _files: usize, bytes: u64) {
        if let Some(bar) = &self.0 {
            bar.inc_length(bytes);
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    fn done(&self, _path: &EvidencePath, bytes: u64) {
        if let Some(bar) = &self.0 {
            bar.inc(bytes);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
