//! An archive as a tree of folders and files.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::fuse::fused;
use super::limits::Meter;
use super::member::{Member, MemberKind};
use super::names::Names;
use super::sparse::Parts;
use super::spool::spool;
use super::wanted::is_wanted;
use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::EvidencePath;
use crate::evidence::file_tree::{Contents, FileTree, Metadata, unreadable};
use crate::evidence::magic::{self, Sniffed};
use crate::evidence::source::{MemorySource, SharedSource, Source as _};

/// Bytes from the start of a member that tell what it is.
pub(super) const HEAD: u64 = 512;

/// What is done with the bytes of one member; whether they were sound.
pub(super) type Take<'t> = &'t mut dyn FnMut(&mut dyn Read) -> io::Result<bool>;

/// What is done with the bytes of one of several members, given by number.
pub(super) type TakeEach<'t> = &'t mut dyn FnMut(usize, &mut dyn Read) -> io::Result<()>;

/// How a format gets at the bytes of its members.
///
/// A trait, because each format keeps state of its own: offsets, passwords, blocks.
pub(super) trait Unpacker: Send + Sync {
    /// The bytes of a member as they lie in the archive; absent where they must be unpacked.
    fn plain(&self, member: usize) -> io::Result<Option<SharedSource>> {
        let _ = member;
        Ok(None)
    }

    /// Hands the bytes of one member over. With several passwords it may do so more than once, until they are
    /// sound; the last time counts.
    fn unpack(&self, member: usize, take: Take<'_>) -> io::Result<()>;

    /// Hands the bytes of all members of a run over, one after the other.
    fn pass(&self, run: usize, take: TakeEach<'_>) -> io::Result<()> {
        let _ = (run, take);
        Ok(())
    }
}

/// What came of unpacking a member: its bytes and what is wrong with them, or why there are none.
type Kept = Result<(SharedSource, Option<String>), (io::ErrorKind, String)>;

/// What is known of members besides what the archive's directory says.
pub(super) struct Shelf {
    pub(super) meter: Meter,
    kept: Mutex<BTreeMap<usize, Kept>>,
    heads: Mutex<BTreeMap<usize, Sniffed>>,
}

/// No thread leaves a map half-changed, so that a panic in another one is no reason to stop.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shelf {
    pub(super) fn new(meter: Meter) -> Self {
        Self { meter, kept: Mutex::default(), heads: Mutex::default() }
    }

    /// Unpacks a member and keeps it; whether it was sound. The reader leaves holes out.
    fn keep(&self, number: usize, member: &Member, reader: &mut dyn Read) -> bool {
        let declared = member.parts.as_ref().map_or(member.size, Parts::stored);
        let kept = match spool(reader, &self.meter, member.packed, Some(declared)) {
            Ok(outcome) => {
                let is_empty = outcome.bytes.size() == 0;
                let source = member.with_holes(Arc::new(outcome.bytes));
                match outcome.damage {
                    Some(damage) if is_empty => Err((io::ErrorKind::InvalidData, damage)),
                    damage => Ok((source, damage)),
                }
            }
            Err(error) => Err((error.kind(), error.to_string())),
        };
        let is_sound = matches!(kept, Ok((_, None)));
        lock(&self.kept).insert(number, kept);
        is_sound
    }

    /// Looks at a member that a pass comes by: what it is, and its bytes where they will be asked for. The reader
    /// leaves holes out.
    pub(super) fn come_by(&self, number: usize, member: &Member, reader: &mut dyn Read) {
        let mut start = Vec::new();
        let failed = reader.take(HEAD).read_to_end(&mut start).err();
        let head = member.with_holes(Arc::new(MemorySource(start.clone())));
        let sniffed = magic::sniff(head.as_ref()).unwrap_or(Sniffed::Unknown);
        let is_wanted = failed.is_some() || is_wanted(&member.name, sniffed);
        lock(&self.heads).insert(number, sniffed);
        if is_wanted {
            let mut whole = start.as_slice().chain(Failure(failed)).chain(reader);
            self.keep(number, member, &mut whole);
        }
    }
}

/// An error that comes where it came first.
struct Failure(Option<io::Error>);

impl Read for Failure {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// An archive as evidence.
pub(super) struct ArchiveTree {
    members: Vec<Member>,
    names: Names,
    unpacker: Box<dyn Unpacker>,
    shelf: Shelf,
    /// The runs that were passed through; held while one is, so that nothing is unpacked twice.
    passed: Mutex<BTreeSet<usize>>,
    /// What was wrong with members that were opened.
    damage: Mutex<BTreeSet<Diagnostic>>,
}

impl ArchiveTree {
    pub(super) fn new(
        members: Vec<Member>,
        names: Names,
        unpacker: Box<dyn Unpacker>,
        shelf: Shelf,
    ) -> Self {
        let (passed, damage) = (Mutex::default(), Mutex::default());
        Self { members, names, unpacker, shelf, passed, damage }
    }

    /// The file at a path, by number.
    fn file(&self, path: &EvidencePath) -> io::Result<(usize, &Member)> {
        let number = self.names.member(path).ok_or(io::ErrorKind::NotFound)?;
        let member = self.members.get(number).ok_or(io::ErrorKind::NotFound)?;
        match member.kind {
            MemberKind::File => Ok((number, member)),
            MemberKind::Same(other) => match self.members.get(other) {
                Some(member) if member.kind == MemberKind::File => Ok((other, member)),
                _ => Err(io::ErrorKind::NotFound.into()),
            },
            MemberKind::Folder | MemberKind::Link | MemberKind::Special => {
                Err(io::Error::other("not a regular file"))
            }
        }
    }

    /// The unpacked bytes of a member and what is wrong with them.
    fn unpacked(
        &self,
        number: usize,
        member: &Member,
    ) -> io::Result<(SharedSource, Option<String>)> {
        if let Some(kept) = self.kept(number) {
            return kept;
        }
        let mut passed = lock(&self.passed);
        self.pass_run(member, &mut passed);
        if let Some(kept) = self.kept(number) {
            return kept;
        }
        if member.run.is_none() {
            // Members without a run do not wait for each other.
            drop(passed);
        }
        let result = fused(|| {
            self.unpacker.unpack(number, &mut |reader| Ok(self.shelf.keep(number, member, reader)))
        });
        if let Err(error) = result {
            let kept = Err((error.kind(), error.to_string()));
            lock(&self.shelf.kept).insert(number, kept);
        }
        self.kept(number).unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))
    }

    fn kept(&self, number: usize) -> Option<io::Result<(SharedSource, Option<String>)>> {
        let kept = lock(&self.shelf.kept);
        Some(match kept.get(&number)? {
            Ok((source, damage)) => Ok((SharedSource::clone(source), damage.clone())),
            Err((kind, message)) => Err(io::Error::new(*kind, message.clone())),
        })
    }

    /// Passes once through the run a member is in.
    fn pass_run(&self, member: &Member, passed: &mut BTreeSet<usize>) {
        let Some(run) = member.run.filter(|run| passed.insert(*run)) else { return };
        let result = fused(|| {
            self.unpacker.pass(run, &mut |number, reader| {
                if let Some(member) = self.members.get(number) {
                    self.shelf.come_by(number, member, reader);
                }
                Ok(())
            })
        });
        // Whoever asks for a member that the pass did not reach tries for that one and learns why not.
        drop(result);
    }

    /// What the first bytes of a member say.
    fn head(&self, number: usize, member: &Member) -> io::Result<Sniffed> {
        if let Some(known) = lock(&self.shelf.heads).get(&number) {
            return Ok(*known);
        }
        if let Some(Ok((source, _))) = self.kept(number) {
            return magic::sniff(source.as_ref());
        }
        if member.run.is_some() {
            self.pass_run(member, &mut lock(&self.passed));
            if let Some(known) = lock(&self.shelf.heads).get(&number) {
                return Ok(*known);
            }
        }
        let mut start = Vec::new();
        let mut failed = None;
        fused(|| {
            self.unpacker.unpack(number, &mut |reader| {
                start.clear();
                failed = reader.take(HEAD).read_to_end(&mut start).err();
                Ok(failed.is_none())
            })
        })?;
        let sniffed = magic::sniff(&MemorySource(start))?;
        if let Some(error) = failed.filter(|_| sniffed == Sniffed::Unknown) {
            return Err(error);
        }
        lock(&self.shelf.heads).insert(number, sniffed);
        Ok(sniffed)
    }
}

impl FileTree for ArchiveTree {
    fn list(&self, folder: &EvidencePath) -> Contents {
        match self.names.list(folder, &self.members) {
            Some(entries) => Contents { entries, diagnostics: Vec::new() },
            None => Contents {
                entries: Vec::new(),
                diagnostics: vec![unreadable(folder, &io::ErrorKind::NotFound.into())],
            },
        }
    }

    fn open(&self, file: &EvidencePath) -> io::Result<SharedSource> {
        let (number, member) = self.file(file)?;
        if let Some(source) = self.unpacker.plain(number)? {
            return Ok(source);
        }
        let (source, damage) = self.unpacked(number, member)?;
        if let Some(damage) = damage {
            lock(&self.damage).insert(Diagnostic {
                artifact: file.to_string(),
                impact: Impact::Partial,
                message: format!(
                    "damaged in its archive; {} bytes could be unpacked and are read: {damage}",
                    source.size()
                ),
            });
        }
        Ok(source)
    }

    fn metadata(&self, file: &EvidencePath) -> io::Result<Metadata> {
        let (number, member) = self.file(file)?;
        let size = match self.kept(number) {
            Some(Ok((source, _))) => source.size(),
            _ => member.size,
        };
        Ok(Metadata { size, ..Metadata::default() })
    }

    fn examine(&self, file: &EvidencePath) -> io::Result<(Sniffed, u64)> {
        let (number, member) = self.file(file)?;
        if let Some(source) = self.unpacker.plain(number)? {
            return Ok((magic::sniff(source.as_ref())?, source.size()));
        }
        let sniffed = self.head(number, member)?;
        // What is known will be read; its true size is worth as much as its declared one is not.
        if sniffed.magic().is_some() && member.size_is_unknown() {
            return Ok((sniffed, self.open(file)?.size()));
        }
        Ok((sniffed, self.metadata(file)?.size))
    }

    fn damage(&self) -> Vec<Diagnostic> {
        lock(&self.damage).iter().cloned().collect()
    }
}
