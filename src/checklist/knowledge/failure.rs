//! Failure commands that Windows and a vendor set themselves. Any other is one in 3,202 services.

use super::{List, matches};
use crate::text;

const LIST: &str = include_str!("failure_commands.tsv");
static ROWS: List = List::new(LIST);

/// A failure command that belongs to its service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DefaultCommand {
    /// The service's key name.
    pub service: &'static str,
    /// Whether a failure action runs it by default; otherwise it is inert.
    pub armed: bool,
    /// Who sets it: `Windows`, or the vendor.
    pub set_by: &'static str,
}

/// The default that this service's failure command (as stored) equals, if it does.
pub fn default_command(service: &str, command: &str) -> Option<DefaultCommand> {
    let command = command.trim().to_lowercase();
    ROWS.rows()
        .find(|row| text::same_name(row.field(0), service) && matches(row.field(1), &command))
        .map(|row| DefaultCommand {
            service: row.field(0),
            armed: row.field(2) == "yes",
            set_by: row.field(3),
        })
}

#[cfg(test)]
mod tests {
    use super::super::rows;
    use super::*;

    #[test]
    fn list_is_well_formed() {
        super::super::tests::assert_well_formed(LIST, 4, 1);
        for row in rows(LIST) {
            assert!(matches!(row.field(2), "yes" | "no"), "{:?}", row.0);
            assert_eq!(row.field(1), row.field(1).to_lowercase());
        }
    }

    #[test]
    fn defaults_belong_to_one_service_and_one_command() {
        let of = |service, command| default_command(service, command).map(|it| it.armed);
        assert_eq!(of("msiscsi", "customScript.cmd"), Some(false));
        assert_eq!(of("WEPHOSTSVC", "not used"), Some(false));
        assert_eq!(of("spectrum", r#""C:\Windows\System32\Spectrum.exe" -safemode"#), Some(true));
        assert_eq!(
            of(
                "WinDefend",
                r#"C:\Windows\system32\mrt.exe /EHB /ServiceFailure "CAMP=4.12.1;AVSIG=1.2" /StartService /Defender /q"#
            ),
            Some(true)
        );
        assert_eq!(of("Spooler", "customScript.cmd"), None);
        assert_eq!(of("WinDefend", r"C:\Windows\system32\mrt.exe"), None);
        assert_eq!(of("MSiSCSI", r"C:\tmp\customScript.cmd"), None);
    }
}
