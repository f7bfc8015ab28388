//! Pages under docs/ that are printed from the program, held against it.

use svctriage::artifact::reference::artifacts_markdown;
use svctriage::report::explain::checklist_markdown;
use svctriage::report::formats_markdown;

use crate::support::golden::assert_golden;

#[test]
fn the_checklist_page_is_the_checklist() {
    assert_golden("../../docs/checklist.md", &checklist_markdown());
}

#[test]
fn the_artifacts_page_is_the_catalogue() {
    assert_golden("../../docs/artifacts.md", &artifacts_markdown());
}

#[test]
fn the_formats_page_is_what_is_opened() {
    assert_golden("../../docs/formats.md", &formats_markdown());
}
