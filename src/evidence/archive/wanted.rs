//! Which members are kept when a pass comes by them.

use crate::evidence::magic::Sniffed;
use crate::text::fold;

/// Names of files that are read and need not be known by their first bytes: an unused transaction log is empty,
/// and a collector's own records are text.
const SUFFIXES: [&str; 8] = [".LOG", ".LOG1", ".LOG2", ".EVTX", ".EVT", ".JSON", ".CSV", ".IDX"];

/// Whether somebody will ask for a member, as far as its name and first bytes tell. A wrong yes costs room, a
/// wrong no another pass.
pub(super) fn is_wanted(name: &str, start: Sniffed) -> bool {
    let name = fold(name);
    start != Sniffed::Unknown || SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Magic;

    #[test]
    fn hives_logs_images_and_records_are_kept() {
        for (name, start, expected) in [
            ("Windows/System32/config/SYSTEM", Sniffed::Known(Magic::Hive), true),
            ("Windows/System32/config/SYSTEM.log1", Sniffed::Unknown, true),
            ("disk.vhdx", Sniffed::Foreign("a virtual disk (VHDX)"), true),
            ("uploads.json", Sniffed::Unknown, true),
            ("Windows/explorer.exe", Sniffed::Unknown, false),
        ] {
            assert_eq!(is_wanted(name, start), expected, "{name}");
        }
    }
}
