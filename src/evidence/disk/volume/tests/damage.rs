//! What is left of a volume when one thing is broken.

use super::*;
use crate::diagnostic::Impact;

const CLUSTER: usize = 1024;

fn number(image: &[u8], at: usize) -> usize {
    usize::try_from(u64::from_le_bytes(image[at..at + 8].try_into().unwrap())).unwrap()
}

fn mft(image: &[u8]) -> usize {
    number(image, 48) * CLUSTER
}

/// What the volume says about itself, and how many of the expected files are still right, wrong and errors.
fn survey(volume: &Volume) -> (Vec<(String, Impact)>, [usize; 3]) {
    let told = volume.diagnostics().iter();
    let told = told.map(|told| (told.artifact.clone(), told.impact)).collect();
    let mut counts = [0; 3];
    for (name, file) in expected("files").iter().filter(|(name, _)| name != "gone") {
        let which = contents(volume, name).map_or(2, |data| usize::from(!is_expected(&data, file)));
        counts[which] += 1;
    }
    (told, counts)
}

fn told(artifact: &str, impact: Impact) -> Vec<(String, Impact)> {
    vec![(artifact.to_owned(), impact)]
}

#[test]
fn the_backup_boot_sector_is_used() {
    let all = survey(&open(image())).1[0];
    let used = told("$Boot", Impact::Note);
    // Where only the place of the $MFT is wrong, its mirror is near enough.
    let mirrored = told("$MFT", Impact::Partial);
    for (at, bytes, expected) in
        [(0, vec![0; 512], &used), (48, vec![0xff; 3], &mirrored), (13, vec![7], &used)]
    {
        let mut image = image();
        image[at..at + bytes.len()].copy_from_slice(&bytes);
        let (said, counts) = survey(&open(image));
        assert_eq!((&said, counts), (expected, [all, 0, 0]), "{at}");
    }
    let mut image = image();
    image[..512].fill(0);
    let end = image.len() - 512;
    image.truncate(end);
    let error = Volume::open(Arc::new(MemorySource(image))).err().unwrap();
    assert_eq!(error.to_string(), "no boot sector of NTFS");
}

#[test]
fn the_mirror_of_the_first_record_is_used() {
    let all = survey(&open(image())).1[0];
    let mut image = image();
    let mft = mft(&image);
    image[mft] = 0;
    let (said, counts) = survey(&open(image.clone()));
    assert_eq!((said, counts), (told("$MFT", Impact::Partial), [all, 0, 0]));
    let mirror = number(&image, 56) * CLUSTER;
    image[mirror] = 0;
    assert!(Volume::open(Arc::new(MemorySource(image))).is_err());
}

#[test]
fn a_lost_piece_of_the_mft_costs_the_files_in_it() {
    let mut image = image();
    let piece = mft(&image) + 15 * 1024;
    image[piece] = 0;
    let volume = open(image);
    let (said, [right, wrong, errors]) = survey(&volume);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(right > 0 && wrong == 0 && errors > 0, "{right} {wrong} {errors}");
}

#[test]
fn names_are_compared_without_the_table_too() {
    let all = survey(&open(image())).1[0];
    let volume = open(image());
    let file = volume.read(10).unwrap();
    let table = file.of_kind(super::super::record::DATA).next().unwrap();
    let mut runs = super::super::runs::Runs::default();
    runs.add(table.outside().unwrap().pairs, 0, CLUSTER as u64, false);
    let super::super::runs::Place::Volume(at) = runs.at(0).0 else { panic!() };
    let mut image = image();
    let at = usize::try_from(at).unwrap();
    image[at..at + 1000].fill(0);
    let volume = open(image);
    assert_eq!(survey(&volume), (told("$UpCase", Impact::Partial), [all, 0, 0]));
    assert_eq!(contents(&volume, "ÜNÏCØDÉ ж.DLL").unwrap(), b"not only ASCII");
}

/// Where the nodes of indexes are.
fn nodes(image: &[u8]) -> Vec<usize> {
    (0..image.len()).step_by(CLUSTER).filter(|at| image[*at..].starts_with(b"INDX")).collect()
}

#[test]
fn the_names_in_other_nodes_of_an_index_are_kept() {
    let whole = open(image());
    let all = whole.list(&path("large")).entries.len();
    let name: Vec<u8> = "a file with a rather".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut damaged = 0;
    for node in nodes(&image()) {
        let mut image = image();
        if !image[node..node + 4096].windows(name.len()).any(|part| part == name) {
            continue;
        }
        image[node + 1000] ^= 0xff;
        image[node + 510] ^= 0xff;
        let volume = open(image);
        let list = volume.list(&path("large"));
        if list.diagnostics.is_empty() {
            continue;
        }
        damaged += 1;
        assert_eq!(list.diagnostics[0].impact, Impact::Partial);
        assert!((all / 2..all).contains(&list.entries.len()), "{}", list.entries.len());
        for entry in &list.entries {
            contents(&volume, entry.path.as_str()).unwrap();
        }
    }
    assert!(damaged >= 5, "{damaged}");
}

#[test]
fn bytes_beyond_the_end_of_a_cut_volume_are_errors() {
    let mut image = image();
    let half = image.len() / 2;
    image.truncate(half);
    let (_, [right, wrong, errors]) = survey(&open(image));
    assert!(right > 0 && wrong == 0 && errors > 0, "{right} {wrong} {errors}");
}
