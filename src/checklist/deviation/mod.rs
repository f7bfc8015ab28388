//! Where a service differs from the baseline that the analyst made of hosts of the same build, or of this host itself. Without
//! such a baseline nothing here is asked.

use super::baseline::{Place, Row};
use super::{Indicator, Need, Scope};
use crate::host::Origin;

mod account;
mod bytes;
mod failure;
mod program;
mod rare;
mod start;

/// The indicators of this subject.
pub(super) const INDICATORS: &[Indicator] = &[
    program::OTHER_PROGRAM,
    bytes::OTHER_BYTES,
    account::OTHER_ACCOUNT,
    failure::OTHER_COMMAND,
    start::WEAKER_START,
    rare::NOT_ON_BASELINE,
];

const BASELINE: Need = Need::Part(Origin::Baseline);
const VERIFY_DIFF: &str =
    "svctriage diff EVIDENCE gold.jsonl: every value that differs from the baseline, side by side";
const VERIFY_LINE: &str = "Read the line of the baseline that is cited; ask whoever keeps the gold image whether it is current";
const SOURCE: &str = "The analyst's own baseline: docs/baseline.md";

/// The service as a row, and the rows it may be measured by; absent where there are none.
fn compared<'a>(scope: &Scope<'a>) -> Option<(Row, Vec<Place<'a>>)> {
    let here = Row::of(scope.host, scope.service)?;
    let rows = scope.baseline()?.comparable(scope.host, &here);
    (!rows.is_empty()).then_some((here, rows))
}
