//! What a file's records say about it besides its bytes.

use std::collections::BTreeSet;

use super::Volume;
use super::bytes::{shown, u32_at};
use super::file::File;
use super::file_name::{FileName, times, times_at};
use super::record::{DATA, FILE_NAME, STANDARD_INFORMATION};
use crate::evidence::file_tree::{Metadata, Storage, TimeSource, Times};

/// `FILE_ATTRIBUTE_DIRECTORY`, which records say by a flag of their own.
const FOLDER: u32 = 0x10;
/// Folders between a file and the root.
const DEEPEST: usize = 256;
/// The number of the root folder's record.
pub(super) const ROOT: u64 = 5;
/// `$Extend`, the folder of later metafiles.
pub(super) const EXTEND: u64 = 11;
/// The first record that is no metafile's.
pub(super) const FIRST_FILE: u64 = 24;

/// Everything known about a file. Its times lack those of the index, which is not its own.
pub(super) fn of(volume: &Volume, file: &File) -> Metadata {
    let information = file.of_kind(STANDARD_INFORMATION).find_map(|found| found.value());
    let names: Vec<_> = names(file).collect();
    let long: BTreeSet<_> =
        names.iter().filter(|name| !name.is_short()).map(|name| path(volume, name)).collect();
    let information_times = information.and_then(|value| times_at(value, 0));
    let mut all_times: Vec<Times> = information_times
        .map(|all| times(all, TimeSource::StandardInformation))
        .into_iter()
        .collect();
    all_times.extend(names.iter().map(|name| name.times(TimeSource::FileName(shown(&name.name)))));
    Metadata {
        names: long.into_iter().collect(),
        size: size(file),
        record: Some(file.number()),
        is_deleted: !file.base.is_in_use(),
        storage: storage(volume, file),
        attributes: attributes(file),
        security_id: security_number(file),
        times: all_times,
        streams: streams(file),
    }
}

pub(super) fn attributes(file: &File) -> Option<u32> {
    let information = file.of_kind(STANDARD_INFORMATION).find_map(|found| found.value())?;
    let folder = if file.base.is_folder() { FOLDER } else { 0 };
    Some(u32_at(information, 32)? | folder)
}

/// The number of its security descriptor in `$Secure`.
pub(super) fn security_number(file: &File) -> Option<u32> {
    let information = file.of_kind(STANDARD_INFORMATION).find_map(|found| found.value())?;
    u32_at(information, 52).filter(|number| *number != 0)
}

pub(super) fn names(file: &File) -> impl Iterator<Item = FileName> {
    file.of_kind(FILE_NAME).filter_map(|name| FileName::parse(name.value()?))
}

/// The size of the unnamed stream in bytes, 0 without one.
pub(super) fn size(file: &File) -> u64 {
    let mut unnamed = file.of_kind(DATA).filter(|data| data.name().is_empty());
    unnamed.find_map(|data| data.size()).unwrap_or(0)
}

fn streams(file: &File) -> Vec<(String, u64)> {
    let named = file.of_kind(DATA).filter(|data| !data.name().is_empty());
    let mut streams: Vec<_> =
        named.filter_map(|data| Some((shown(&data.name()), data.size()?))).collect();
    streams.sort();
    streams
}

fn storage(volume: &Volume, file: &File) -> Storage {
    if let Ok(Some(reparse)) = volume.reparse(file) {
        if reparse.is_external() {
            return Storage::External;
        }
        if let Ok(Some(algorithm)) = reparse.algorithm() {
            return Storage::Overlay(algorithm.name);
        }
    }
    let stream = file.stream(DATA, <[u16]>::is_empty, volume.cluster());
    stream.map_or(Storage::Plain, |stream| stream.storage())
}

/// The path of a name from the root of the volume. Where a folder on the way is gone, the path begins with
/// `$MFT/` and the number of the record that the folder had.
fn path(volume: &Volume, name: &FileName) -> String {
    let mut components = vec![shown(&name.name)];
    let mut folder = name.folder;
    for _ in 0..DEEPEST {
        if folder.record == ROOT {
            components.reverse();
            return components.join("/");
        }
        let parent = volume.follow(folder).ok();
        let long = parent.as_ref().and_then(|parent| names(parent).find(|name| !name.is_short()));
        let Some(parent) = long else { break };
        components.push(shown(&parent.name));
        folder = parent.folder;
    }
    components.reverse();
    format!("$MFT/{}/{}", folder.record, components.join("/"))
}
