//! Volumes: one with everything that is hard, and what damage makes of it.
//!
//! `tests/images/volume_features.py` makes the volume and writes down what is in it.

mod damage;
mod features;
mod mutations;
mod places;

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::Volume;
use crate::evidence::EvidencePath;
use crate::evidence::file_tree::FileTree as _;
use crate::evidence::source::{MemorySource, SharedSource, Source};

const PACKED: &[u8] = include_bytes!("../../../../tests/images/volume-features.ntfs.xz");
const EXPECTED: &str = include_str!("../../../../tests/images/volume-features.json");

fn image() -> Vec<u8> {
    let mut image = Vec::new();
    io::copy(&mut lzma_rust2::XzReader::new(PACKED, false), &mut image).unwrap();
    image
}

fn open(image: Vec<u8>) -> Volume {
    Volume::open(Arc::new(MemorySource(image))).unwrap()
}

fn expected(section: &str) -> Vec<(String, Value)> {
    let mut all: Value = serde_json::from_str(EXPECTED).unwrap();
    all[section].as_object_mut().unwrap().clone().into_iter().collect()
}

fn record(name: &str) -> u64 {
    let records = expected("records");
    records.iter().find(|(found, _)| found == name).unwrap().1.as_u64().unwrap()
}

fn path(text: &str) -> EvidencePath {
    EvidencePath::new(text)
}

/// Reads to the end in pieces of that size.
fn read_all(source: &dyn Source, piece: usize) -> io::Result<Vec<u8>> {
    let (mut all, mut buffer) = (Vec::new(), vec![0; piece]);
    loop {
        match source.read_at(all.len() as u64, &mut buffer)? {
            0 => return Ok(all),
            count => all.extend_from_slice(&buffer[..count]),
        }
    }
}

fn contents(volume: &Volume, name: &str) -> io::Result<Vec<u8>> {
    let source: SharedSource = volume.open(&path(name))?;
    read_all(source.as_ref(), 50_000)
}

fn is_expected(data: &[u8], file: &Value) -> bool {
    let digest = Sha256::digest(data);
    let digest = digest.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    });
    data.len() as u64 == file["size"].as_u64().unwrap() && file["sha256"] == *digest
}
