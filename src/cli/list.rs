//! `checklist`: the indicators, listed.

use super::ChecklistArgs;
use super::exit::Exit;
use super::run::{fail, print, width};
use super::tuning_args::{all_indicators, own_indicators};
use crate::rank::tuning;
use crate::report::explain;

/// Lists the indicators, or says that those of the analyst hold what they promise.
pub(super) fn run(args: &ChecklistArgs) -> Exit {
    let own = match own_indicators(&args.rules) {
        Ok(own) => own,
        Err(error) => return fail(&error, Exit::Usage),
    };
    if args.check {
        let examples: usize = own.iter().map(|one| one.examples.len()).sum();
        let files: std::collections::BTreeSet<&str> =
            own.iter().map(|one| one.file.as_str()).collect();
        return print(&format!(
            "{} rules of {} files hold: all {examples} examples are answered as written\n",
            own.len(),
            files.len()
        ));
    }
    if args.toml {
        return print(&tuning::template(&all_indicators(&own)));
    }
    if args.markdown {
        return print(&explain::checklist_markdown());
    }
    print(&explain::checklist_table(&own, width()))
}
