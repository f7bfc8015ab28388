//! Archives of every kind, packed by the tests themselves.

#![expect(clippy::disallowed_methods, reason = "the tests make their own evidence")]
#![expect(clippy::indexing_slicing, reason = "the bytes are the tests' own")]

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use sevenz_rust2::encoder_options::{AesEncoderOptions, Lzma2Options};
use sevenz_rust2::{ArchiveEntry, ArchiveWriter, EncoderConfiguration};
use zip::unstable::write::FileOptionsExt as _;
use zip::write::SimpleFileOptions;
use zip::{AesMode, CompressionMethod, ZipWriter};

/// Names and bytes of members.
pub(crate) type Members = Vec<(String, Vec<u8>)>;

/// The password of every encrypted archive.
pub(crate) const PASSWORD: &str = "geheim";

/// The files of a folder, with `/` in their names.
pub(crate) fn folder(path: &Path) -> Members {
    let mut members = Vec::new();
    let mut ahead = vec![path.to_owned()];
    while let Some(folder) = ahead.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let place = entry.unwrap().path();
            if place.is_dir() {
                ahead.push(place);
            } else {
                let name = place.strip_prefix(path).unwrap().to_string_lossy().replace('\\', "/");
                members.push((name, fs::read(&place).unwrap()));
            }
        }
    }
    members.sort();
    members
}

fn options(method: CompressionMethod) -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(method)
}

/// A zip archive.
pub(crate) fn zip(members: &Members, method: CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer.start_file(name.as_str(), options(method)).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A zip archive whose sizes come after the members' bytes, as one that is written to a pipe has.
pub(crate) fn zip_stream(members: &Members) -> Vec<u8> {
    let mut writer = ZipWriter::new_stream(Vec::new());
    for (name, bytes) in members {
        writer.start_file(name.as_str(), options(CompressionMethod::Deflated)).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A zip archive encrypted with AES.
pub(crate) fn zip_aes(members: &Members) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let options = options(CompressionMethod::Deflated);
        let options = options.with_aes_encryption(AesMode::Aes256, PASSWORD);
        writer.start_file(name.as_str(), options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A zip archive encrypted with `ZipCrypto`.
pub(crate) fn zip_crypto(members: &Members) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let options = options(CompressionMethod::Deflated);
        let options = options.with_deprecated_encryption(PASSWORD.as_bytes()).unwrap();
        writer.start_file(name.as_str(), options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A tar archive in the format of GNU tar: long names have entries of their own.
pub(crate) fn tar(members: &Members) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(u64::try_from(bytes.len()).unwrap());
        header.set_mode(0o644);
        builder.append_data(&mut header, name, bytes.as_slice()).unwrap();
    }
    builder.into_inner().unwrap()
}

/// Compressed with gzip.
pub(crate) fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Compressed with bzip2.
pub(crate) fn bz2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Compressed with xz.
pub(crate) fn xz(bytes: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::XzOptions::with_preset(1);
    let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Compressed with Zstandard, with a checksum.
pub(crate) fn zst(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// How a 7z archive is made.
#[derive(Default, Clone, Copy)]
pub(crate) struct SevenZ {
    pub(crate) is_solid: bool,
    pub(crate) is_encrypted: bool,
    pub(crate) hides_names: bool,
}

/// A 7z archive with LZMA2 and a small dictionary.
pub(crate) fn seven_z(members: &Members, how: SevenZ) -> Vec<u8> {
    let mut writer = ArchiveWriter::new(Cursor::new(Vec::new())).unwrap();
    let mut lzma = Lzma2Options::from_level(1);
    lzma.set_dictionary_size(1 << 16);
    let mut methods: Vec<EncoderConfiguration> = Vec::new();
    if how.is_encrypted {
        methods.push(AesEncoderOptions::new(PASSWORD.into()).into());
    }
    methods.push(lzma.into());
    writer.set_content_methods(methods);
    writer.set_encrypt_header(how.hides_names);
    if how.is_solid {
        let entries = members.iter().map(|(name, _)| ArchiveEntry::new_file(name)).collect();
        let readers = members.iter().map(|(_, bytes)| bytes.as_slice().into()).collect();
        writer.push_archive_entries(entries, readers).unwrap();
    } else {
        for (name, bytes) in members {
            let entry = ArchiveEntry::new_file(name);
            writer.push_archive_entry(entry, Some(bytes.as_slice())).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}

/// Replaces one text of an archive by another one of the same length, wherever it is.
pub(crate) fn renamed(mut archive: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    for at in 0..archive.len().saturating_sub(from.len()) {
        if archive[at..].starts_with(from.as_bytes()) {
            archive[at..at + from.len()].copy_from_slice(to.as_bytes());
        }
    }
    archive
}
