//! Security descriptors of keys: one `sk` cell per distinct descriptor, counted and linked in a ring.

use super::bins::Bins;
use crate::lab::bytes::{Buffer, length};

/// Where a cell offset would stand and there is none.
pub(super) const NOWHERE: u32 = u32::MAX;

/// All `sk` cells of a hive, in the order of their ring.
#[derive(Debug, Clone, Default)]
pub(super) struct Descriptors(Vec<Shared>);

#[derive(Debug, Clone)]
struct Shared {
    cell: u32,
    users: u32,
    descriptor: Vec<u8>,
}

impl Descriptors {
    /// One more user of this descriptor; the cell it is stored in.
    pub(super) fn acquire(&mut self, bins: &mut Bins, descriptor: &[u8]) -> u32 {
        if let Some(shared) = self.0.iter_mut().find(|shared| shared.descriptor == descriptor) {
            shared.users = shared.users.saturating_add(1);
            return shared.cell;
        }
        let cell = bins.store(&record(NOWHERE, NOWHERE, 1, descriptor));
        self.0.push(Shared { cell, users: 1, descriptor: descriptor.to_vec() });
        cell
    }

    /// One more user of a descriptor that is stored already.
    pub(super) fn share(&mut self, cell: u32) -> u32 {
        for shared in self.0.iter_mut().filter(|shared| shared.cell == cell) {
            shared.users = shared.users.saturating_add(1);
        }
        cell
    }

    /// One user less; an unused descriptor leaves the ring.
    pub(super) fn release(&mut self, bins: &mut Bins, cell: u32) {
        if let Some(shared) = self.0.iter_mut().find(|shared| shared.cell == cell) {
            shared.users = shared.users.saturating_sub(1);
            if shared.users == 0 {
                bins.release(cell);
            }
        }
        self.0.retain(|shared| shared.users > 0);
    }

    /// Writes counts and links; called before the hive becomes bytes.
    pub(super) fn flush(&self, bins: &mut Bins) {
        let cells: Vec<u32> = self.0.iter().map(|shared| shared.cell).collect();
        let next = cells.iter().cycle().skip(1);
        let previous = cells.iter().cycle().skip(cells.len().saturating_sub(1));
        for ((shared, next), previous) in self.0.iter().zip(next).zip(previous) {
            bins.write(shared.cell, &record(*next, *previous, shared.users, &shared.descriptor));
        }
    }
}

fn record(next: u32, previous: u32, users: u32, descriptor: &[u8]) -> Vec<u8> {
    let mut record = Buffer::with(b"sk");
    record.u16(0).u32(next).u32(previous).u32(users);
    record.u32(length(descriptor.len())).bytes(descriptor);
    record.into_vec()
}
