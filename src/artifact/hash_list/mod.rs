//! Lists that know files: the project's list of drivers, and lists of bad and of good files that the analyst gives.
//!
//! Lists are larger than memory (the NSRL's has a hundred gigabytes), so nothing of them is kept: the digests of
//! the host's files are gathered first, then each list is read once and its matches are taken out.

mod digest;
pub mod loldrivers;
mod problem;
mod sqlite;
mod text;
mod wanted;

pub use digest::{Digest, DigestKind, of_file, of_logged};

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io::{self, BufReader, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::prelude::*;

use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::Content;
use crate::host::program_file::{KnownList, ListMatch, ProgramFile};
use crate::host::{Coverage, Origin, Span, State};
use problem::Problems;
use wanted::{Found, Wanted};

/// Bytes read at once.
const BUFFER: usize = 1 << 20;
/// Bytes at the beginning of a list that must have a hash.
const HEAD: u64 = 1 << 20;

/// A file of the examining machine that is a list.
pub trait ListFile: Debug + Send + Sync {
    /// What reports call it: its path as given.
    fn name(&self) -> &str;

    /// Opens it for reading only.
    ///
    /// # Errors
    /// Where that fails.
    fn open(&self) -> io::Result<Box<dyn Content>>;
}

/// A list that the analyst gave.
#[derive(Debug)]
pub struct HashList {
    /// Which kind.
    kind: KnownList,
    file: Box<dyn ListFile>,
}

impl HashList {
    /// A list of that kind, after a look at its beginning.
    ///
    /// # Errors
    /// A sentence with a remedy, where it cannot be read, is packed, or has no hash.
    pub fn new(kind: KnownList, file: Box<dyn ListFile>) -> Result<Self, String> {
        let mut head = Vec::new();
        let content = file.open().map_err(|error| error.to_string())?;
        content.take(HEAD).read_to_end(&mut head).map_err(|error| error.to_string())?;
        check(&head)?;
        Ok(Self { kind, file })
    }
}

/// Whether the beginning of a file is one of a list.
fn check(head: &[u8]) -> Result<(), String> {
    /// How a packed file begins: gzip, zip, xz, Zstandard, 7z, bzip2.
    const PACKED: [&[u8]; 6] =
        [b"\x1f\x8b", b"PK\x03\x04", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf", b"BZh"];
    if sqlite::is_database(head) {
        return Ok(());
    }
    if PACKED.iter().any(|start| head.starts_with(start)) {
        return Err("it is packed: unpack it first".to_owned());
    }
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return Err("it is UTF-16 text: save it as UTF-8".to_owned());
    }
    let (mut found, mut problems) = (Found::default(), Problems::default());
    let useful = text::read(head, &Wanted::new(Vec::new()), &mut found, &mut problems);
    match useful {
        Ok(1..) => Ok(()),
        _ => Err("it has no hash: give a list with one MD5, SHA-1 or SHA-256 a line, a CSV with a column of that \
                  name, or an NSRL database"
            .to_owned()),
    }
}

/// The lists that the analyst gave, in their order.
#[derive(Debug, Default)]
pub struct HashLists(Vec<HashList>);

impl FromIterator<HashList> for HashLists {
    fn from_iter<I: IntoIterator<Item = HashList>>(lists: I) -> Self {
        Self(lists.into_iter().collect())
    }
}

/// What lists know of files.
#[derive(Debug, Default)]
pub struct LookedUp {
    /// Matches with the number of their file, in the order of the lists, then of the files.
    pub matches: Vec<(usize, ListMatch)>,
    /// How well the lists of bad and of good files could be read, where any were given.
    pub states: BTreeMap<Origin, State>,
    /// What was wrong with them, in the order of the lists.
    pub diagnostics: Vec<Diagnostic>,
}

/// Looks files up in every list, each of which is read once, on the threads of the current rayon pool. `files` has the
/// digests of each file, strongest first. Memory does not grow with the lists.
///
/// The result is the same for any number of threads.
pub fn look_up(lists: &HashLists, files: Vec<Vec<Digest>>) -> LookedUp {
    let wanted = Wanted::new(files);
    let read: Vec<Read> = lists.0.par_iter().map(|list| read_fused(list, &wanted)).collect();
    let mut looked_up = LookedUp::default();
    for (list, read) in lists.0.iter().zip(read) {
        let origin = match list.kind {
            KnownList::KnownGood => Origin::KnownGood,
            _ => Origin::KnownBad,
        };
        let known = looked_up.states.get(&origin).copied();
        let state = match (known, read.state) {
            (None, state) => state,
            (Some(known), state) if known == state => state,
            _ => State::Partial,
        };
        looked_up.states.insert(origin, state);
        let name = list.file.name();
        let matches = read.found.rows.into_iter().map(|(file, (digest, row))| {
            let one = ListMatch {
                list: list.kind,
                source: format!("{name} {}", row.place),
                by: digest.kind.label().to_owned(),
                remark: row.remark,
            };
            (file, one)
        });
        looked_up.matches.extend(matches);
        looked_up.diagnostics.extend(read.diagnostics);
    }
    looked_up
}

struct Read {
    found: Found,
    state: State,
    diagnostics: Vec<Diagnostic>,
}

/// The fuse: a panic over a strange list costs that list.
fn read_fused(list: &HashList, wanted: &Wanted) -> Read {
    catch_unwind(AssertUnwindSafe(|| read_list(list, wanted))).unwrap_or_else(|_| {
        let message = "the program failed over it".to_owned();
        let artifact = list.file.name().to_owned();
        let diagnostics = vec![Diagnostic { artifact, impact: Impact::Lost, message }];
        Read { found: Found::default(), state: State::Lost, diagnostics }
    })
}

fn read_list(list: &HashList, wanted: &Wanted) -> Read {
    let mut found = Found::default();
    let mut problems = Problems::default();
    let useful =
        if wanted.is_empty() { Ok(1) } else { stream(list, wanted, &mut found, &mut problems) };
    let state = match &useful {
        Ok(0) | Err((_, 0)) => State::Lost,
        Ok(_) if problems.count() == 0 => State::Complete,
        Ok(_) | Err(_) => State::Partial,
    };
    let tell =
        |impact, message| Diagnostic { artifact: list.file.name().to_owned(), impact, message };
    let mut diagnostics = Vec::new();
    if let Err((error, rows)) = &useful {
        let impact = if *rows == 0 { Impact::Lost } else { Impact::Partial };
        diagnostics.push(tell(impact, format!("the list was not read to its end: {error}")));
    }
    if let Some(sentence) = problems.sentence() {
        diagnostics.push(tell(Impact::Partial, format!("not used of the list: {sentence}")));
    }
    for (_, row) in &found.contradictions {
        let message = format!(
            "{} names a file of this host by one hash and another file by another: no match",
            row.place
        );
        diagnostics.push(tell(Impact::Note, message));
    }
    Read { found, state, diagnostics }
}

/// Reads a list to its end. The number is how many of its rows have a hash.
fn stream(
    list: &HashList,
    wanted: &Wanted,
    found: &mut Found,
    problems: &mut Problems,
) -> Result<u64, (String, u64)> {
    let failed = |error: io::Error| (error.to_string(), 0);
    let mut content = list.file.open().map_err(failed)?;
    let mut head = [0; 16];
    let length = content.read(&mut head).map_err(failed)?;
    content.rewind().map_err(failed)?;
    if sqlite::is_database(head.get(..length).unwrap_or_default()) {
        return sqlite::read(content, wanted, found, problems).map_err(|error| (error, 0));
    }
    let input = BufReader::with_capacity(BUFFER, content);
    text::read(input, wanted, found, problems).map_err(|error| (error.to_string(), 1))
}

/// Marks the files that a list knows, those of the project first, and records in `coverage` how far the analyst's lists could
/// be read. Returns what was wrong with them.
pub fn mark(
    files: &mut [ProgramFile],
    lists: &HashLists,
    coverage: &mut Coverage,
) -> Vec<Diagnostic> {
    let digests: Vec<Vec<Digest>> = files.iter().map(of_file).collect();
    for (file, digests) in files.iter_mut().zip(&digests) {
        file.listed = loldrivers::look_up(digests).into_iter().collect();
    }
    let looked_up = look_up(lists, digests);
    for (file, one) in looked_up.matches {
        if let Some(file) = files.get_mut(file) {
            file.listed.push(one);
        }
    }
    for (origin, state) in looked_up.states {
        coverage.record(origin, Span { state, from: None, to: None, notes: Vec::new() });
    }
    looked_up.diagnostics
}
