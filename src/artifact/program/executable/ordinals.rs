//! Names of functions that are imported by number, as the digest over imports writes them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

const LIST: &str = include_str!("ordinals.tsv");

static NAMES: LazyLock<BTreeMap<(&str, u16), &str>> = LazyLock::new(|| {
    LIST.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut fields = line.split('\t');
            let (library, number) = (fields.next()?, fields.next()?.parse().ok()?);
            Some(((library, number), fields.next()?))
        })
        .collect()
});

/// The function of that number of a library (lower case, with its extension): its name where the list has it, else
/// `ord<number>`.
pub(super) fn name(library: &str, number: u16) -> String {
    let stem = library.strip_suffix(".dll").unwrap_or_default();
    NAMES.get(&(stem, number)).map_or_else(|| format!("ord{number}"), |name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_names_in_three_libraries() {
        for (library, number, expected) in [
            ("ws2_32.dll", 115, "WSAStartup"),
            ("wsock32.dll", 115, "WSAStartup"),
            ("oleaut32.dll", 2, "SysAllocString"),
            ("ws2_32.dll", 9999, "ord9999"),
            ("mfc42.dll", 115, "ord115"),
        ] {
            assert_eq!(name(library, number), expected, "{library} {number}");
        }
        assert!(NAMES.len() > 500, "{}", NAMES.len());
    }
}
