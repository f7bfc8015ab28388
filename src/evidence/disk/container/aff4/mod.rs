//! AFF4 disk images (AFF4 Standard 1.0): a zip archive with a graph of statements about streams.

mod graph;
mod members;
mod stream;

use std::collections::BTreeSet;
use std::io;

use self::graph::Graph;
use self::members::Members;
use super::bytes::Fields;
use super::mapped::{Map, Mapped, Place, Run};
use super::{Container, Disk, Ends, Image, damaged, size_words, unsupported};
use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::RecordedHash;
use crate::evidence::source::SharedSource;

pub(super) const CONTAINER: Container = Container {
    name: "AFF4",
    known_by: "a zip archive whose comment or first member is AFF4's",
    is: is_one,
    open,
};

/// The largest table of a map: 28 bytes for each run of the disk.
const LARGEST_MAP: u64 = 64 << 20;
/// The graph of an image has some KiB; that of a collection of files more.
const LARGEST_GRAPH: u64 = 16 << 20;

fn is_one(ends: &Ends) -> bool {
    if !ends.starts_with(b"PK\x03\x04") {
        return false;
    }
    let first = ends.start.get(30..).unwrap_or_default();
    let end = ends.end.windows(4).rposition(|bytes| bytes == b"PK\x05\x06");
    let comment = end.and_then(|at| ends.end.get(at.saturating_add(22)..)).unwrap_or_default();
    comment.starts_with(b"aff4:")
        || [&b"container.description"[..], b"information.turtle", b"aff4%3A%2F%2F"]
            .iter()
            .any(|name| first.starts_with(name))
}

fn open(image: &Image<'_>) -> io::Result<Disk> {
    let members = Members::read(&image.source)?;
    let text = members.text("information.turtle", LARGEST_GRAPH)?;
    let graph =
        Graph::parse(&text.ok_or_else(|| damaged("the image does not say what it holds"))?)?;
    let name = disk_stream(&graph)?;
    let (source, diagnostics) = if members.get(&member(name, "/map")).is_some() {
        let map = DiskMap::read(&members, &graph, name)?;
        let diagnostics = map.lacks(image);
        (Mapped::shared(map), diagnostics)
    } else {
        (stream::open(&members, &graph, name)?, Vec::new())
    };
    let words = format!("disk image (AFF4), {}", size_words(source.size()));
    // Hashes of streams cover what is stored; that of the disk is only that of a stream that is the disk.
    let is_stream = graph.is_a(name, "ImageStream");
    let hash = is_stream.then(|| hash(&graph, name, image.given.path.name())).flatten();
    Ok(Disk { source, words, diagnostics, hash })
}

fn hash(graph: &Graph, stream: &str, source: &str) -> Option<RecordedHash> {
    let mut hash = RecordedHash { source: source.to_owned(), ..RecordedHash::default() };
    for digits in graph.all(stream, "hash").map(str::to_ascii_lowercase) {
        match digits.len() {
            32 => hash.md5 = Some(digits),
            40 => hash.sha1 = Some(digits),
            64 => hash.sha256 = Some(digits),
            _ => {}
        }
    }
    (hash.md5.is_some() || hash.sha1.is_some() || hash.sha256.is_some()).then_some(hash)
}

/// The stream that is the disk.
fn disk_stream(graph: &Graph) -> io::Result<&str> {
    if graph.uses("http://afflib.org/2009/aff4#") {
        return Err(unsupported(
            "an AFF4 image from before the standard is not read; image it again or convert it with Evimetry",
        ));
    }
    let images = ["DiskImage", "ContiguousImage", "DiscontiguousImage", "VolumeImage", "Image"];
    let of_image = images
        .iter()
        .find_map(|kind| graph.which(kind).find_map(|subject| graph.one(subject, "dataStream")));
    if let Some(stream) = of_image {
        return Ok(stream);
    }
    if graph.which("EncryptedStream").next().is_some() {
        return Err(unsupported("the image is encrypted; decrypt it with the tool that made it"));
    }
    if graph.which("FileImage").next().is_some() {
        return Err(unsupported(
            "a collection of files (AFF4-L) and no disk image; unpack it (aff4.py -x) and give the folder",
        ));
    }
    let stream = graph.which("Map").chain(graph.which("ImageStream")).next();
    stream.ok_or_else(|| unsupported("the AFF4 file holds no disk image"))
}

/// The member of the archive that belongs to a stream: its name with `:` and `/` escaped.
fn member(stream: &str, suffix: &str) -> String {
    let escaped = stream.replacen("aff4://", "aff4%3A%2F%2F", 1);
    format!("{escaped}{suffix}")
}

/// Which bytes of the disk come from which stream.
struct DiskMap {
    size: u64,
    /// In the order of their places on the disk.
    runs: Vec<MapRun>,
    targets: Vec<Target>,
    gaps: Target,
}

struct MapRun {
    start: u64,
    size: u64,
    /// Where in the target it begins.
    from: u64,
    target: u32,
}

enum Target {
    Zeros,
    /// A byte that repeats.
    Filled(SharedSource),
    Stream(SharedSource),
    /// Why there is nothing to read.
    Absent(&'static str),
}

impl DiskMap {
    fn read(members: &Members, graph: &Graph, name: &str) -> io::Result<Self> {
        let missing = || damaged("a table of the image is missing");
        let table = members.bytes(&member(name, "/map"), LARGEST_MAP)?.ok_or_else(missing)?;
        let index = members.text(&member(name, "/idx"), LARGEST_GRAPH)?.ok_or_else(missing)?;
        let targets = index.lines().map(|line| Target::of(members, graph, line.trim()));
        let targets = targets.collect::<io::Result<Vec<Target>>>()?;
        let mut runs: Vec<MapRun> = table
            .chunks_exact(28)
            .map(Fields)
            .map(|entry| MapRun {
                start: entry.u64_le(0),
                size: entry.u64_le(8),
                from: entry.u64_le(16),
                target: entry.u32_le(24),
            })
            .filter(|run| run.size > 0)
            .collect();
        runs.sort_by_key(|run| run.start);
        let gaps = graph.one(name, "mapGapDefaultStream");
        let gaps = gaps.map(|target| Target::of(members, graph, target)).transpose()?;
        let size = graph.number(name, "size").ok_or_else(missing)?;
        Ok(Self { size, runs, targets, gaps: gaps.unwrap_or(Target::Zeros) })
    }

    /// Says what of the disk is not in the image.
    fn lacks(&self, image: &Image<'_>) -> Vec<Diagnostic> {
        let target =
            |run: &MapRun| usize::try_from(run.target).ok().and_then(|at| self.targets.get(at));
        let why = |run: &MapRun| match target(run) {
            Some(Target::Absent(why)) => Some(*why),
            Some(_) => None,
            None => Some(NO_STREAM),
        };
        let reasons: BTreeSet<&str> = self.runs.iter().filter_map(why).collect();
        let message = |reason: &str| {
            let runs = self.runs.iter().filter(|run| why(run) == Some(reason));
            let size = runs.fold(0_u64, |size, run| size.saturating_add(run.size));
            format!("{} of the disk {reason}", size_words(size))
        };
        reasons
            .into_iter()
            .map(|reason| image.diagnostic(Impact::Partial, message(reason)))
            .collect()
    }
}

const NO_STREAM: &str = "is in a stream that is not in this file: the image has several";

impl Target {
    fn of(members: &Members, graph: &Graph, name: &str) -> io::Result<Self> {
        let kind = name.rsplit(['#', ':']).next().unwrap_or_default();
        Ok(match kind {
            "Zero" => Self::Zeros,
            "UnreadableData" => Self::Absent("could not be read when the image was made"),
            "UnknownData" => Self::Absent("was not copied when the image was made"),
            _ if kind.starts_with("SymbolicStream") => {
                let digits = kind.strip_prefix("SymbolicStream").unwrap_or_default();
                let byte = u8::from_str_radix(digits, 16)
                    .map_err(|_| damaged(format!("the image names a stream {kind}")))?;
                Self::Filled(stream::filled(byte))
            }
            _ if members.get(&member(name, "/00000000")).is_none() => Self::Absent(NO_STREAM),
            _ => Self::Stream(stream::open(members, graph, name)?),
        })
    }
}

impl Map for DiskMap {
    fn size(&self) -> u64 {
        self.size
    }

    fn find(&self, offset: u64) -> io::Result<Run> {
        let next = self.runs.partition_point(|run| run.start <= offset);
        let run = next.checked_sub(1).and_then(|index| self.runs.get(index));
        let end = self.runs.get(next).map_or(self.size, |run| run.start);
        let gap = (&self.gaps, 0, end.saturating_sub(offset).max(1));
        let (target, from, size) = match run {
            Some(run) if offset.saturating_sub(run.start) < run.size => {
                let within = offset.saturating_sub(run.start);
                let target = usize::try_from(run.target).ok().and_then(|at| self.targets.get(at));
                let target = target.ok_or_else(|| damaged("a table of the image is damaged"))?;
                // Where runs overlap the later one is right.
                let rest = run.size.saturating_sub(within).min(end.saturating_sub(offset).max(1));
                (target, run.from.saturating_add(within), rest)
            }
            _ => gap,
        };
        let place = match target {
            Target::Zeros => Place::Zeros,
            Target::Filled(source) => Place::Stored(source.clone(), 0),
            Target::Stream(source) => Place::Stored(source.clone(), from),
            Target::Absent(why) => {
                let message = format!("this part of the disk {why}");
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
            }
        };
        Ok(Run { place, size })
    }
}
