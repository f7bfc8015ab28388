//! Libraries that services of Windows ask for by name, which Windows does not have.

use crate::text::same_name;

const LIST: &str = include_str!("phantom_dlls.tsv");

/// The file names in `System32` that the service of that name asks for in vain.
pub(crate) fn phantoms(service: &str) -> impl Iterator<Item = &'static str> {
    let rows = LIST.lines().filter(|line| !line.starts_with('#'));
    rows.filter_map(|row| row.split_once('\t'))
        .filter(move |(name, _)| same_name(name, service))
        .map(|(_, library)| library)
}

/// The services that ask in vain for a library of that file name, without case.
pub(crate) fn asking_for(library: &str) -> impl Iterator<Item = &'static str> {
    let rows = LIST.lines().filter(|line| !line.starts_with('#'));
    rows.filter_map(|row| row.split_once('\t'))
        .filter(move |(_, name)| same_name(name, library))
        .map(|(service, _)| service)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_well_formed_and_found_by_service() {
        assert!(LIST.starts_with('#') && LIST.contains("# source: "));
        let rows: Vec<&str> = LIST.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(rows.is_sorted_by_key(|row| row.to_lowercase()));
        for row in &rows {
            let (service, library) = row.split_once('\t').expect(row);
            assert!(library.rsplit('.').next() == Some("dll"), "{row}");
            assert_eq!(library.to_lowercase(), library, "{row}");
            assert!(phantoms(&service.to_uppercase()).any(|one| one == library), "{row}");
        }
        assert_eq!(phantoms("SessionEnv").count(), 2);
        assert_eq!(phantoms("Themes").count(), 0);
        assert_eq!(asking_for("UALAPI.dll").collect::<Vec<_>>(), ["Fax", "Spooler"]);
    }
}
