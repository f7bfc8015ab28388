//! Tar archives, plain or compressed as a whole.
//!
//! Members of a plain one are windows on it. A compressed one is passed through once for its list, and that pass
//! keeps whatever svctriage reads; a member it did not keep costs a pass of its own up to that member.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::compressed::Compression;
use super::limits::Meter;
use super::member::{Member, MemberKind};
use super::register::Register;
use super::sparse::{Parts, SparseSource};
use super::tar_reel::{Item, Next, Reel, Stream, Tape};
use super::tree::{Shelf, Take, Unpacker};
use super::{Contained, fuse};
use crate::diagnostic::Impact;
use crate::evidence::given::Given;
use crate::evidence::source::{Cursor, SharedSource, Window};

/// Damaged places after which the rest is taken for something else.
const MOST_DAMAGE: usize = 1000;

/// Where a member of a plain archive lies.
struct Place {
    start: u64,
    stored: u64,
    size: u64,
    parts: Option<Parts>,
}

/// A tar archive as it is.
struct Plain {
    source: SharedSource,
    places: Vec<Place>,
    limits: Meter,
}

impl Unpacker for Plain {
    fn plain(&self, member: usize) -> io::Result<Option<SharedSource>> {
        let place = self.places.get(member).ok_or(io::ErrorKind::NotFound)?;
        let window: SharedSource =
            Arc::new(Window::new(SharedSource::clone(&self.source), place.start, place.stored));
        Ok(Some(match &place.parts {
            Some(parts) => {
                self.limits.ratio(place.size, place.stored)?;
                Arc::new(SparseSource { parts: parts.clone(), stored: window, size: place.size })
            }
            None => window,
        }))
    }

    fn unpack(&self, _member: usize, _take: Take<'_>) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// A tar archive that is compressed as a whole.
struct Compressed {
    source: SharedSource,
    compression: &'static Compression,
}

impl Unpacker for Compressed {
    fn unpack(&self, member: usize, take: Take<'_>) -> io::Result<()> {
        let mut reel = Reel::new(Stream(self.compression.reader(&self.source)?));
        let mut number = 0_usize;
        loop {
            match reel.next()? {
                Next::Item(item) if number == member => {
                    return take(&mut reel.stored(&item)).map(drop);
                }
                Next::Item(_) => number = number.saturating_add(1),
                Next::Damage(_) => {}
                Next::End { .. } => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
    }
}

/// Opens a plain tar archive.
pub(super) fn open_plain(given: &Given, source: &SharedSource, meter: Meter) -> Contained {
    let mut places = Vec::new();
    let mut register = Register::new(&given.shown, meter.limits());
    let size = source.size();
    let reel = Reel::new(Cursor::new(SharedSource::clone(source)));
    list(reel, None, &mut register, &mut |_, item, _, _| {
        let Item { start, stored, size: whole, ref parts, .. } = *item;
        places.push(Place { start, stored, size: whole, parts: parts.clone() });
        (start.saturating_add(stored) > size).then(|| {
            let name = String::from_utf8_lossy(&item.name);
            format!("the archive ends inside {name}; what is there is read")
        })
    });
    let (members, diagnostics) = register.finish();
    let (source, limits) = (SharedSource::clone(source), Meter::new(*meter.limits()));
    Contained {
        what: "tar archive".into(),
        members,
        unpacker: Box::new(Plain { source, places, limits }),
        shelf: Shelf::new(meter),
        diagnostics,
    }
}

/// Opens a tar archive that is compressed as a whole.
pub(super) fn open_compressed(
    given: &Given,
    source: &SharedSource,
    compression: &'static Compression,
    meter: Meter,
) -> io::Result<Contained> {
    let shelf = Shelf::new(meter);
    let mut register = Register::new(&given.shown, shelf.meter.limits());
    let packed = source.size();
    let stream = shelf.meter.stream(compression.reader(source)?, packed);
    list(
        Reel::new(Stream(stream)),
        Some(packed),
        &mut register,
        &mut |number, item, member, reel| {
            if member.kind == MemberKind::File {
                shelf.come_by(number, member, &mut reel.stored(item));
            }
            None
        },
    );
    let (members, diagnostics) = register.finish();
    let source = SharedSource::clone(source);
    Ok(Contained {
        what: format!("tar archive in a {} file", compression.name),
        members,
        unpacker: Box::new(Compressed { source, compression }),
        shelf,
        diagnostics,
    })
}

/// What is done with each member of a list; what is wrong with it.
type Each<'e, T> = &'e mut dyn FnMut(usize, &Item, &Member, &mut Reel<T>) -> Option<String>;

/// Lists the members. `packed` is the size of the archive where they do not lie in it as they are.
fn list<T: Tape>(
    mut reel: Reel<T>,
    packed: Option<u64>,
    register: &mut Register,
    each: Each<'_, T>,
) {
    let mut numbers: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    let mut damaged = 0_usize;
    loop {
        let next = fuse::fused(|| reel.next());
        match next {
            Ok(Next::Item(item)) => {
                let member = member(&item, packed, &numbers);
                let Some(number) = register.add(member.clone()) else { return };
                if member.kind == MemberKind::File {
                    numbers.entry(item.name.clone()).or_insert(number);
                }
                match fuse::fused(|| Ok(each(number, &item, &member, &mut reel))) {
                    Ok(None) => {}
                    Ok(Some(problem)) => register.remark(Impact::Partial, problem),
                    Err(error) => return register.remark(Impact::Partial, error.to_string()),
                }
            }
            Ok(Next::Damage(what)) => {
                damaged = damaged.saturating_add(1);
                register.remark(Impact::Partial, what);
                if damaged >= MOST_DAMAGE {
                    return;
                }
            }
            Ok(Next::End { is_marked: true }) => {
                let drained = match packed {
                    Some(_) => fuse::fused(|| reel.drain()),
                    None => Ok(()),
                };
                if let Err(error) = drained {
                    let what = format!("damaged; any of its members may be: {error}");
                    register.remark(Impact::Partial, what);
                }
                return;
            }
            Ok(Next::End { is_marked: false }) => {
                let what = "ends without the mark of its end; members may be missing";
                return register.remark(Impact::Partial, what.into());
            }
            Err(error) => {
                let count = register.members.len();
                let what = format!("cannot be read after its first {count} members: {error}");
                return register.remark(Impact::Partial, what);
            }
        }
    }
}

fn member(item: &Item, packed: Option<u64>, numbers: &BTreeMap<Vec<u8>, usize>) -> Member {
    let name = String::from_utf8_lossy(&item.name).into_owned();
    let kind = match item.flag {
        b'5' => MemberKind::Folder,
        b'0' if name.ends_with('/') => MemberKind::Folder,
        b'1' => numbers.get(&item.link).map_or(MemberKind::Link, |same| MemberKind::Same(*same)),
        b'2' => MemberKind::Link,
        b'3' | b'4' | b'6' => MemberKind::Special,
        _ => MemberKind::File,
    };
    Member {
        name,
        kind,
        size: item.size,
        packed: packed.unwrap_or(item.stored),
        run: None,
        parts: item.parts.clone(),
    }
}
