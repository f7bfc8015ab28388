//! Databases that `SQLite` itself wrote (tests/lists/make.py), whole and damaged.

use std::io::Cursor;
use std::path::Path;

use md5::{Digest as _, Md5};
use sha1::Sha1;
use sha2::Sha256;

use super::*;

const INDEXED: &[u8] = include_bytes!("../../../../tests/lists/rds-indexed.sqlite3");
const PLAIN: &[u8] = include_bytes!("../../../../tests/lists/plain-utf16.sqlite3");
const BYTES: &[u8] = include_bytes!("../../../../tests/lists/bytes.sqlite3");
const NONE: &[u8] = include_bytes!("../../../../tests/lists/none.sqlite3");

/// The database of that name made anew, where there is one, else the committed one.
fn database(committed: &[u8], name: &str) -> Vec<u8> {
    let made = std::env::var_os("SVCTRIAGE_LISTS").map(|folder| Path::new(&folder).join(name));
    #[expect(clippy::disallowed_methods, reason = "a list of the tests")]
    made.map_or_else(|| committed.to_vec(), |path| std::fs::read(path).unwrap())
}

/// The digests of files whose bytes are these numbers.
fn numbers(numbers: &[usize]) -> Wanted {
    let digests = |number: &usize| {
        let data = number.to_string();
        vec![
            Digest::of_bytes(DigestKind::Sha256, &Sha256::digest(&data)).unwrap(),
            Digest::of_bytes(DigestKind::Sha1, &Sha1::digest(&data)).unwrap(),
            Digest::of_bytes(DigestKind::Md5, &Md5::digest(&data)).unwrap(),
        ]
    };
    Wanted::new(numbers.iter().map(digests).collect())
}

fn look_up(database: &[u8], wanted: &Wanted) -> (Result<u64, String>, Found, Problems) {
    let (mut found, mut problems) = (Found::default(), Problems::default());
    let content = Box::new(Cursor::new(database.to_vec()));
    let read = read(content, wanted, &mut found, &mut problems);
    (read, found, problems)
}

#[test]
fn every_row_is_found_through_an_index_and_by_reading_all() {
    let all: Vec<usize> = (0..120).collect();
    for (database, rows, name, by, looked_at) in [
        (database(INDEXED, "rds-indexed.sqlite3"), 120, "file {}.exe", DigestKind::Sha256, 1),
        (database(PLAIN, "plain-utf16.sqlite3"), 40, "file {}.exe", DigestKind::Sha256, 40),
        (database(BYTES, "bytes.sqlite3"), 20, "", DigestKind::Md5, 20),
    ] {
        let (read, found, problems) = look_up(&database, &numbers(&all));
        assert_eq!((read, problems.count()), (Ok(looked_at), 0));
        assert_eq!(found.rows.keys().copied().collect::<Vec<_>>(), all[..rows]);
        assert_eq!(found.contradictions.len(), 0);
        for (file, (digest, row)) in &found.rows {
            assert_eq!(digest.kind, by);
            let expected = name.replace("{}", &file.to_string());
            assert!(row.remark == expected || name.is_empty(), "{}", row.remark);
            assert!(row.place.ends_with(&format!("row {}", file + 1)), "{}", row.place);
        }
    }
}

#[test]
fn what_is_not_in_it_is_not_found() {
    for database in [INDEXED, PLAIN, BYTES] {
        let (read, found, problems) = look_up(database, &numbers(&[121, 5_000]));
        assert!(read.is_ok() && found.rows.is_empty() && problems.count() == 0);
    }
    let (read, _, _) = look_up(NONE, &numbers(&[1]));
    assert!(read.unwrap_err().contains("no table with a column of hashes"));
}

#[test]
fn damage_is_told_and_the_rest_is_read() {
    let all: Vec<usize> = (0..120).collect();
    let wanted = numbers(&all);
    for database in [INDEXED, PLAIN, BYTES] {
        let whole = look_up(database, &wanted).1.rows.len();
        for keep in [0, 15, 99, 511, 512, 700, 3_000, database.len() / 2, database.len() - 1] {
            let (read, found, problems) = look_up(&database[..keep], &wanted);
            assert!(read.is_err() || problems.count() > 0 || found.rows.len() == whole, "{keep}");
        }
        let mut damaged = database.to_vec();
        for at in (0..damaged.len()).step_by(37) {
            damaged[at] ^= 0xff;
        }
        let _no_panic = look_up(&damaged, &wanted);
        for at in (100..database.len()).step_by(997) {
            let mut damaged = database.to_vec();
            damaged[at] = damaged[at].wrapping_add(1 + u8::try_from(at % 200).unwrap());
            let (_, found, _) = look_up(&damaged, &wanted);
            assert!(found.rows.len() <= whole);
        }
    }
}
