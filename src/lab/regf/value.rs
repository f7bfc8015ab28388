//! Registry values: a name, a type and data, stored as Windows stores them.

use super::bins::Bins;
use super::name;
use crate::lab::bytes::{Buffer, length, short, utf16_z};

/// Data above this many bytes is split into segments of this size (hives of version 1.4 and later).
const SEGMENT: usize = 16_344;
/// Set in the data size of a value whose data stands in the offset field itself.
const RESIDENT: u32 = 0x8000_0000;

/// What a value holds, with the registry type that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// `REG_SZ`, stored with its NUL.
    Text(String),
    /// `REG_EXPAND_SZ`, stored with its NUL.
    ExpandText(String),
    /// `REG_BINARY`.
    Binary(Vec<u8>),
    /// `REG_DWORD`.
    Dword(u32),
    /// `REG_QWORD`.
    Qword(u64),
    /// `REG_MULTI_SZ`, each string and the list ended by a NUL.
    Texts(Vec<String>),
    /// Any type number with any bytes, for data that lies about itself.
    Raw(u32, Vec<u8>),
}

impl Data {
    /// The type number of the registry.
    pub fn kind(&self) -> u32 {
        match self {
            Data::Text(_) => 1,
            Data::ExpandText(_) => 2,
            Data::Binary(_) => 3,
            Data::Dword(_) => 4,
            Data::Texts(_) => 7,
            Data::Qword(_) => 11,
            Data::Raw(kind, _) => *kind,
        }
    }

    /// The bytes as they are stored.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Data::Text(text) | Data::ExpandText(text) => utf16_z(text),
            Data::Binary(bytes) | Data::Raw(_, bytes) => bytes.clone(),
            Data::Dword(value) => value.to_le_bytes().to_vec(),
            Data::Qword(value) => value.to_le_bytes().to_vec(),
            Data::Texts(texts) => {
                let mut bytes: Vec<u8> = texts.iter().flat_map(|text| utf16_z(text)).collect();
                bytes.extend_from_slice(&[0, 0]);
                bytes
            }
        }
    }
}

/// A value with the cells that hold it.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub(super) name: String,
    pub(super) data: Data,
    /// The `vk` cell.
    pub(super) cell: u32,
    /// The cells of the data: none, one, or the segments, their list and the `db` cell.
    data_cells: Vec<u32>,
}

impl Slot {
    pub(super) fn store(bins: &mut Bins, name: &str, data: &Data) -> Slot {
        let (size, place, data_cells) = store_data(bins, &data.bytes());
        let cell = bins.store(&record(name, data.kind(), size, place));
        Slot { name: name.to_owned(), data: data.clone(), cell, data_cells }
    }

    /// Replaces the data and keeps the `vk` cell, so that the value keeps its place in the list.
    pub(super) fn replace(&mut self, bins: &mut Bins, data: &Data) {
        for cell in self.data_cells.drain(..) {
            bins.release(cell);
        }
        let (size, place, data_cells) = store_data(bins, &data.bytes());
        bins.write(self.cell, &record(&self.name, data.kind(), size, place));
        self.data = data.clone();
        self.data_cells = data_cells;
    }

    pub(super) fn release(&self, bins: &mut Bins) {
        for cell in &self.data_cells {
            bins.release(*cell);
        }
        bins.release(self.cell);
    }
}

fn record(name: &str, kind: u32, size: u32, place: [u8; 4]) -> Vec<u8> {
    let (name, latin) = name::encode(name);
    let mut record = Buffer::with(b"vk");
    record.u16(short(name.len())).u32(size).bytes(&place).u32(kind);
    record.u16(u16::from(latin && !name.is_empty())).u16(0).bytes(&name);
    record.into_vec()
}

/// The size field, the offset field and the cells used.
fn store_data(bins: &mut Bins, data: &[u8]) -> (u32, [u8; 4], Vec<u32>) {
    let size = length(data.len());
    if data.len() <= 4 {
        let mut place = [0; 4];
        for (to, from) in place.iter_mut().zip(data) {
            *to = *from;
        }
        return (size | RESIDENT, place, Vec::new());
    }
    if data.len() <= SEGMENT {
        let cell = bins.store(data);
        return (size, cell.to_le_bytes(), vec![cell]);
    }
    let mut cells: Vec<u32> = data.chunks(SEGMENT).map(|segment| bins.store(segment)).collect();
    let mut list = Buffer::default();
    for cell in &cells {
        list.u32(*cell);
    }
    let count = short(cells.len());
    let list = bins.store(list.as_slice());
    let mut head = Buffer::with(b"db");
    head.u16(count).u32(list).u32(0);
    let head = bins.store(head.as_slice());
    cells.extend([list, head]);
    (size, head.to_le_bytes(), cells)
}
