//! `checklist`: the indicators, listed.

use super::ChecklistArgs;
use super::exit::Exit;
use super::run::{print, width};
use crate::checklist::{self, Indicator};
use crate::rank::tuning;
use crate::report::explain;

/// Lists the indicators.
pub(super) fn run(args: &ChecklistArgs) -> Exit {
    let known: Vec<&'static Indicator> = checklist::indicators().collect();
    if args.toml {
        return print(&tuning::template(&known));
    }
    if args.markdown {
        print(&explain::checklist_markdown())
    } else {
        print(&explain::checklist_table(width()))
    }
}
