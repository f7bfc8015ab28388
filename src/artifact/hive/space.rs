//! Where deleted records survive: free cells, slack, and bytes that belong to no cell.

use std::ops::Range;

use super::base_block::HIVE_BINS_START;
use super::bytes::{size_at, u32_at};
use super::live::Live;

/// Where in the hive a deleted record was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In a cell marked free: the ordinary fate of what was deleted.
    FreeCell,
    /// In a cell marked used that nothing refers to.
    UnreferencedCell,
    /// Behind the content of a used cell.
    Slack,
    /// Behind the hive bins, in a damaged bin, or where a bin should be.
    Remnant,
}

/// A run of bytes that may hold deleted records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) range: Range<usize>,
    pub(super) place: Place,
}

const PAGE: usize = 4096;
const BIN_HEADER: usize = 32;

/// Every place deleted records can be in, in file order.
pub(super) fn regions(bytes: &[u8], hive_bins_size: usize, live: &Live) -> Vec<Region> {
    let end = HIVE_BINS_START.saturating_add(hive_bins_size).min(bytes.len());
    let mut regions = Vec::new();
    let mut position = HIVE_BINS_START.min(bytes.len());
    while position < end {
        let is_bin = bytes.get(position..).is_some_and(|rest| rest.starts_with(b"hbin"));
        let size = size_at(bytes, position.saturating_add(8))
            .filter(|size| is_bin && *size >= PAGE && size.is_multiple_of(PAGE))
            .unwrap_or(PAGE);
        let bin = position..position.saturating_add(size).min(end);
        position = bin.end;
        if is_bin {
            cells(bytes, &bin, live, &mut regions);
        } else {
            regions.push(Region { range: bin, place: Place::Remnant });
        }
    }
    if end < bytes.len() {
        regions.push(Region { range: end..bytes.len(), place: Place::Remnant });
    }
    let slack = live.slack().iter().cloned();
    regions.extend(slack.map(|range| Region { range, place: Place::Slack }));
    regions.sort_by_key(|region| region.range.start);
    regions
}

fn cells(bytes: &[u8], bin: &Range<usize>, live: &Live, regions: &mut Vec<Region>) {
    let mut cell = bin.start.saturating_add(BIN_HEADER);
    while cell < bin.end {
        let Some(size) = u32_at(bytes, cell).map(u32::cast_signed) else { return };
        let length = usize::try_from(size.unsigned_abs()).unwrap_or(0);
        let end = cell.saturating_add(length);
        if length < 8 || !length.is_multiple_of(8) || end > bin.end {
            regions.push(Region { range: cell..bin.end, place: Place::Remnant });
            return;
        }
        if size > 0 {
            regions.push(Region { range: cell..end, place: Place::FreeCell });
        } else {
            let known = match bytes.get(cell.saturating_add(4)..cell.saturating_add(6)) {
                Some(b"nk") => live.parent_of(cell).is_some(),
                Some(b"vk") => live.key_of_value(cell).is_some(),
                _ => true,
            };
            if !known {
                regions.push(Region { range: cell..end, place: Place::UnreferencedCell });
            }
        }
        cell = end;
    }
}
