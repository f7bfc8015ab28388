//! Tools of incident responders, by service and file name.

use super::{List, matches};
use crate::host::ImagePath;

const LIST: &str = include_str!("responders.tsv");
static ROWS: List = List::new(LIST);

/// The responder's tool that leaves a service of that name with that program.
pub fn tool(service: &str, image: &ImagePath) -> Option<&'static str> {
    let service = service.to_lowercase();
    ROWS.rows()
        .find(|row| matches(row.field(0), &service) && matches(row.field(1), image.leaf()))
        .map(|row| row.field(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_is_well_formed() {
        super::super::tests::assert_well_formed(LIST, 3, 2);
    }

    #[test]
    fn name_and_file_must_fit() {
        let of = |name, path| tool(name, &ImagePath::parse(path));
        assert_eq!(
            of("Mnemosyne", r"C:\Users\m\Desktop\Mnemosyne.sys"),
            Some("F-Response's memory imager")
        );
        assert_eq!(of("Mnemosyne", r"C:\Users\m\Desktop\evil.sys"), None);
        assert_eq!(of("gdrv", r"C:\Windows\Temp\ad_driver.sys"), None);
    }
}
