//! The bytes of a disk or volume as they are, in one file or split into several.

use std::io;
use std::sync::Arc;

use super::beside::Parts;
use super::mapped::{Map, Mapped, Place, Run};
use super::{Container, Disk, Image, damaged, size_words};
use crate::diagnostic::Impact;
use crate::evidence::EvidencePath;
use crate::evidence::disk::partition;

pub(super) const CONTAINER: Container = Container {
    name: "raw",
    known_by: "a partition table or the boot sector of a volume at its start",
    is: |ends| partition::is_disk(&ends.start, &ends.end, ends.size),
    open,
};

/// Parts of one image: three digits or letters name no more.
const MOST_PARTS: usize = 17_576;

fn open(image: &Image<'_>) -> io::Result<Disk> {
    let names = Names::of(image.given.path.name());
    let split = names.map(|names| Split::gather(image, &names)).transpose()?;
    let Some(split) = split.filter(|split| split.parts.len() > 1) else {
        let source = Arc::clone(&image.source);
        let words = format!("disk image (raw), {}", size_words(source.size()));
        return Ok(Disk { source, words, diagnostics: Vec::new(), hash: None });
    };
    let diagnostics = split.parts.iter().filter_map(Part::lack);
    let diagnostics = diagnostics.map(|lack| image.diagnostic(Impact::Partial, lack)).collect();
    let size = split.size();
    let words = format!("disk image (raw), {} parts, {}", split.parts.len(), size_words(size));
    Ok(Disk { source: Mapped::shared(split), words, diagnostics, hash: None })
}

/// How the parts are named: `.001` or `.000` and on, or `.aa` and on.
struct Names<'a> {
    stem: &'a str,
    first: &'a str,
}

impl<'a> Names<'a> {
    /// Only the first part begins with a partition table: only its name is taken for that of a part.
    fn of(name: &'a str) -> Option<Self> {
        let (stem, first) = name.rsplit_once('.')?;
        let is_first = matches!(first, "000" | "001" | "00001")
            || matches!(first.to_ascii_lowercase().as_str(), "aa" | "aaa" | "aaaa");
        is_first.then_some(Self { stem, first })
    }

    /// The number of a part, counted from 0, by its name.
    fn number(&self, name: &str) -> Option<usize> {
        let (stem, extension) = name.rsplit_once('.')?;
        if !crate::text::same_name(stem, self.stem) || extension.len() < self.first.len() {
            return None;
        }
        if self.first.starts_with('0') {
            if !extension.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            let first: usize = self.first.parse().ok()?;
            return extension.parse::<usize>().ok()?.checked_sub(first);
        }
        if extension.len() != self.first.len() {
            return None;
        }
        extension.chars().try_fold(0_usize, |number, letter| {
            let letter = letter.to_ascii_lowercase().to_digit(36)?.checked_sub(10)?;
            number.checked_mul(26)?.checked_add(usize::try_from(letter).ok()?)
        })
    }

    /// The name of a part.
    fn name(&self, number: usize) -> String {
        if self.first.starts_with('0') {
            let first: usize = self.first.parse().unwrap_or_default();
            let width = self.first.len();
            return format!("{}.{:0width$}", self.stem, first.saturating_add(number));
        }
        let mut letters = Vec::new();
        let mut rest = number;
        for _ in 0..self.first.len() {
            letters.push(
                u32::try_from(rest % 26).ok().and_then(|at| char::from_u32(at.saturating_add(97))),
            );
            rest /= 26;
        }
        let letters: String = letters.into_iter().rev().flatten().collect();
        format!("{}.{letters}", self.stem)
    }
}

struct Split {
    parts: Vec<Part>,
    files: Parts,
}

struct Part {
    name: String,
    start: u64,
    /// What it should have, in bytes.
    size: u64,
    /// Its number among the files that are there, and what it has.
    file: Option<(usize, u64)>,
}

impl Part {
    /// What it lacks, in words.
    fn lack(&self) -> Option<String> {
        let Self { name, size, .. } = self;
        match self.file {
            None => {
                Some(format!("{name}, a part of the image, is missing; what it holds is not read"))
            }
            Some((_, has)) if has < *size => Some(format!(
                "cut off: {name}, a part of the image, has {has} of {size} bytes; what is missing is not read"
            )),
            Some(_) => None,
        }
    }
}

impl Split {
    fn gather(image: &Image<'_>, names: &Names<'_>) -> io::Result<Self> {
        let siblings = image.given.tree.siblings(&image.given.path);
        let mut found: Vec<(usize, EvidencePath)> = siblings
            .entries
            .iter()
            .filter(|entry| !entry.is_folder())
            .filter_map(|entry| Some((names.number(&entry.name)?, entry.path.clone())))
            .filter(|(number, _)| *number > 0 && *number < MOST_PARTS)
            .collect();
        found.push((0, image.given.path.clone()));
        found.sort();
        found.dedup_by_key(|(number, _)| *number);
        let tree = &image.given.tree;
        let size = |path: &EvidencePath| tree.open(path).map(|source| source.size());
        let sizes = found.iter().map(|(_, path)| size(path)).collect::<io::Result<Vec<u64>>>()?;
        // All parts but the last are equally large, missing ones included.
        let whole = sizes.iter().copied().max().unwrap_or_default();
        let count = found.last().map_or(0, |(number, _)| number.saturating_add(1));
        if u64::try_from(count).ok().and_then(|count| whole.checked_mul(count)).is_none() {
            return Err(damaged("the parts of the image are too large"));
        }
        let mut parts: Vec<Part> = Vec::new();
        let mut paths = Vec::new();
        let place = |number: usize| u64::try_from(number).unwrap_or_default().saturating_mul(whole);
        for ((number, path), has) in found.into_iter().zip(sizes) {
            while parts.len() < number {
                let missing = parts.len();
                let name = names.name(missing);
                parts.push(Part { name, start: place(missing), size: whole, file: None });
            }
            let size = if number.saturating_add(1) == count { has } else { whole };
            let file = Some((paths.len(), has));
            parts.push(Part { name: path.name().to_owned(), start: place(number), size, file });
            paths.push(path);
        }
        Ok(Self { parts, files: Parts::new(tree, paths) })
    }
}

impl Map for Split {
    fn size(&self) -> u64 {
        self.parts.last().map_or(0, |last| last.start.saturating_add(last.size))
    }

    fn find(&self, offset: u64) -> io::Result<Run> {
        let next = self.parts.partition_point(|part| part.start <= offset);
        // Of parts that begin at the same place all but the last are empty.
        let part = next.checked_sub(1).and_then(|index| self.parts.get(index));
        let Some(part) = part else { return Err(damaged("a part is missing")) };
        let within = offset.saturating_sub(part.start);
        match part.file.filter(|(_, has)| within < *has) {
            Some((file, has)) => {
                let place = Place::Stored(self.files.get(file)?, within);
                Ok(Run { place, size: has.saturating_sub(within) })
            }
            None => Err(io::Error::new(io::ErrorKind::NotFound, part.lack().unwrap_or_default())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_named_by_numbers_or_letters() {
        for (first, number, name) in [
            ("d.raw.001", 0, "d.raw.001"),
            ("d.001", 999, "d.1000"),
            ("d.000", 12, "d.012"),
            ("d.aa", 27, "d.bb"),
            ("d.aaa", 26, "d.aba"),
        ] {
            let names = Names::of(first).unwrap();
            assert_eq!(names.name(number), name);
            assert_eq!(names.number(name), Some(number), "{name}");
        }
        let names = Names::of("d.001").unwrap();
        for other in ["d.000", "e.002", "d.02", "d.txt", "d.0x2", "d"] {
            assert_eq!(names.number(other), None, "{other}");
        }
        assert!(Names::of("d.002").is_none() && Names::of("SYSTEM").is_none());
    }
}
