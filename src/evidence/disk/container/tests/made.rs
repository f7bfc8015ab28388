//! Small writers of the formats, for disks of some sectors.

#![expect(clippy::cast_possible_truncation, reason = "the images have some KiB")]

use std::io::Write;

use md5::{Digest, Md5};

use super::super::unpack::adler32;
use super::Files;

/// Every form of image that needs no parent, by the name of the file to open.
pub(super) fn images(disk: &[u8]) -> Vec<(&'static str, Files)> {
    let one = |name, bytes| (name, Files::default().with(name, bytes));
    let parts = |name: &str, suffixes: [&str; 3]| {
        let files = Files::default();
        disk.chunks(8192).zip(suffixes).fold(files, |files, (part, suffix)| {
            files.with(&format!("{name}.{suffix}"), part.to_vec())
        })
    };
    let (first, second) = disk.split_at(10_240);
    let mut flat = vec![0xAA; 512];
    flat.extend(second);
    let text = descriptor(
        "monolithicFlat",
        "ffffffff",
        "RW 20 FLAT \"C:\\vm\\flat-f001.vmdk\" 0\nRW 21 FLAT \"flat-f002.vmdk\" 1\n",
    );
    let flat = Files::default()
        .with("flat.vmdk", text.into_bytes())
        .with("FLAT-f001.vmdk", first.to_vec())
        .with("flat-f002.vmdk", flat);
    vec![
        one("disk.raw", disk.to_vec()),
        ("raw.001", parts("raw", ["001", "002", "003"])),
        ("raw.000", parts("raw", ["000", "001", "002"])),
        ("raw.aa", parts("raw", ["aa", "ab", "ac"])),
        ("a.E01", ewf(disk, "a")),
        one("b.Ex01", ewf_second(disk)),
        one("fixed.vhd", vhd_fixed(disk)),
        one("dynamic.vhd", vhd(disk, None)),
        one("dynamic.vhdx", vhdx(disk, None)),
        one("sparse.vmdk", vmdk(disk, None, false)),
        one("stream.vmdk", vmdk(disk, None, true)),
        ("flat.vmdk", flat),
        one("plain.qcow2", qcow2(disk, None, false)),
        one("zlib.qcow2", qcow2(disk, None, true)),
        one("snappy.aff4", aff4(disk, true)),
        one("zlib.aff4", aff4(disk, false)),
    ]
}

/// Images that hold only changes: the file, its parent, and both.
pub(super) fn snapshots(disk: &[u8], changed: &[u8]) -> Vec<(&'static str, &'static str, Files)> {
    let files = |child, bytes, parent, base| {
        (child, parent, Files::default().with(child, bytes).with(parent, base))
    };
    vec![
        files("child.vhd", vhd(changed, Some((disk, "base.vhd"))), "base.vhd", vhd(disk, None)),
        files(
            "child.vhdx",
            vhdx(changed, Some((disk, "base.vhdx"))),
            "base.vhdx",
            vhdx(disk, None),
        ),
        files(
            "child.vmdk",
            vmdk(changed, Some((disk, "base.vmdk")), false),
            "base.vmdk",
            vmdk(disk, None, false),
        ),
        files(
            "child.qcow2",
            qcow2(changed, Some((disk, "base.qcow2")), false),
            "base.qcow2",
            qcow2(disk, None, true),
        ),
    ]
}

type Parent<'a> = Option<(&'a [u8], &'a str)>;

fn put(bytes: &mut Vec<u8>, at: usize, field: &[u8]) {
    if bytes.len() < at + field.len() {
        bytes.resize(at + field.len(), 0);
    }
    bytes[at..at + field.len()].copy_from_slice(field);
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn section(file: &mut Vec<u8>, name: &str, data: &[u8], is_last: bool) {
    let at = file.len();
    let end = (at + 76 + data.len()) as u64;
    let mut header = name.as_bytes().to_vec();
    header.resize(16, 0);
    header.extend(if is_last { at as u64 } else { end }.to_le_bytes());
    header.extend((76 + data.len() as u64).to_le_bytes());
    header.resize(72, 0);
    header.extend(adler32(&header).to_le_bytes());
    file.extend(header);
    file.extend(data);
}

/// Three segments with two chunks of 4096 bytes each, every other one compressed.
fn ewf(disk: &[u8], name: &str) -> Files {
    let mut files = Files::default();
    let segments: Vec<&[u8]> = disk.chunks(8192).collect();
    for (index, segment) in segments.iter().enumerate() {
        let mut file = b"EVF\x09\x0d\x0a\xff\x00\x01".to_vec();
        file.extend((index as u16 + 1).to_le_bytes());
        file.extend([0, 0]);
        if index == 0 {
            let mut volume = vec![0; 1052];
            put(&mut volume, 4, &(disk.len().div_ceil(4096) as u32).to_le_bytes());
            put(&mut volume, 8, &8_u32.to_le_bytes());
            put(&mut volume, 12, &512_u32.to_le_bytes());
            put(&mut volume, 16, &(disk.len() as u64 / 512).to_le_bytes());
            section(&mut file, "volume", &volume, false);
        }
        let base = file.len() as u64 + 76;
        let (mut data, mut entries) = (Vec::new(), Vec::new());
        for (index, chunk) in segment.chunks(4096).enumerate() {
            let is_compressed = index % 2 == 0;
            entries.push(data.len() as u32 | u32::from(is_compressed) << 31);
            if is_compressed {
                data.extend(zlib(chunk));
            } else {
                data.extend(chunk);
                data.extend(adler32(chunk).to_le_bytes());
            }
        }
        section(&mut file, "sectors", &data, false);
        let mut table = (entries.len() as u32).to_le_bytes().to_vec();
        put(&mut table, 8, &base.to_le_bytes());
        table.resize(20, 0);
        table.extend(adler32(&table).to_le_bytes());
        let entries: Vec<u8> = entries.iter().flat_map(|entry| entry.to_le_bytes()).collect();
        let sum = adler32(&entries);
        table.extend(entries);
        table.extend(sum.to_le_bytes());
        section(&mut file, "table", &table, false);
        section(&mut file, "table2", &table, false);
        if index + 1 < segments.len() {
            section(&mut file, "next", &[], true);
        } else {
            let mut hash = Md5::digest(disk).to_vec();
            hash.resize(36, 0);
            section(&mut file, "hash", &hash, false);
            section(&mut file, "done", &[], true);
        }
        files = files.with(&format!("{name}.E{:02}", index + 1), file);
    }
    files
}

/// Chunks of 4096 bytes, in turn compressed and with a checksum; those of zeros as a pattern.
fn ewf_second(disk: &[u8]) -> Vec<u8> {
    let mut file = b"EVF2\x0d\x0a\x81\x00\x02\x01\x01\x00\x01\x00\x00\x00".to_vec();
    file.resize(32, 0);
    let mut last = 0_u64;
    let mut add = |file: &mut Vec<u8>, kind: u32, data: &[u8]| {
        file.extend(data);
        let at = file.len();
        let size = data.len() as u64;
        for field in [u64::from(kind), last, size, 64] {
            file.extend(field.to_le_bytes());
        }
        file.resize(at + 64, 0);
        last = at as u64;
    };
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let device = format!("1\nmain\nsn\tts\tbp\n\t{}\t512\n\n", disk.len() / 512);
    add(&mut file, 1, &zlib(&utf16(&device)));
    add(&mut file, 2, &zlib(&utf16("1\nmain\nnm\tsb\tgr\nname\t8\t64\n\n")));
    let (mut data, mut entries) = (Vec::new(), Vec::new());
    for (number, chunk) in disk.chunks(4096).enumerate() {
        let at = (file.len() + data.len()) as u64;
        let before = data.len();
        let (place, flags) = if chunk.iter().all(|byte| *byte == 0) {
            (0, 5_u32)
        } else if number % 2 == 0 {
            data.extend(zlib(chunk));
            (at, 1)
        } else {
            data.extend(chunk);
            data.extend(adler32(chunk).to_le_bytes());
            (at, 2)
        };
        entries.extend(u64::to_le_bytes(place));
        entries.extend(((data.len() - before) as u32).to_le_bytes());
        entries.extend(flags.to_le_bytes());
    }
    add(&mut file, 3, &data);
    let mut table = vec![0; 32];
    put(&mut table, 8, &(disk.len().div_ceil(4096) as u32).to_le_bytes());
    table.extend(entries);
    add(&mut file, 4, &table);
    add(&mut file, 8, &Md5::digest(disk));
    add(&mut file, 15, &[]);
    file
}

fn vhd_footer(kind: u32, size: usize, id: u8) -> Vec<u8> {
    let mut footer = b"conectix".to_vec();
    footer.resize(512, 0);
    put(&mut footer, 16, &512_u64.to_be_bytes());
    put(&mut footer, 48, &(size as u64).to_be_bytes());
    put(&mut footer, 60, &kind.to_be_bytes());
    put(&mut footer, 68, &[id; 16]);
    footer
}

fn vhd_fixed(disk: &[u8]) -> Vec<u8> {
    [disk, &vhd_footer(2, disk.len(), 1)].concat()
}

/// Blocks of 4096 bytes, each after a sector of bitmap.
fn vhd(disk: &[u8], parent: Parent<'_>) -> Vec<u8> {
    let footer = vhd_footer(
        if parent.is_some() { 4 } else { 3 },
        disk.len(),
        2 + u8::from(parent.is_some()),
    );
    let mut file = footer.clone();
    let blocks = disk.len().div_ceil(4096);
    put(&mut file, 512, b"cxsparse");
    put(&mut file, 512 + 16, &1536_u64.to_be_bytes());
    put(&mut file, 512 + 28, &(blocks as u32).to_be_bytes());
    put(&mut file, 512 + 32, &4096_u32.to_be_bytes());
    if let Some((_, name)) = parent {
        put(&mut file, 512 + 40, &[2; 16]);
        let path: Vec<u8> =
            format!("..\\vm\\{name}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        put(&mut file, 512 + 576, b"W2ru");
        put(&mut file, 512 + 576 + 8, &(path.len() as u32).to_be_bytes());
        put(&mut file, 512 + 576 + 16, &2048_u64.to_be_bytes());
        put(&mut file, 2048, &path);
    }
    put(&mut file, 1536, &vec![0xFF; 512]);
    file.resize(2560, 0);
    for (index, block) in disk.chunks(4096).enumerate() {
        let below = parent.map(|(base, _)| &base[index * 4096..index * 4096 + block.len()]);
        if block.iter().all(|byte| *byte == 0) && below.is_none() || below == Some(block) {
            continue;
        }
        let sector = file.len() as u32 / 512;
        put(&mut file, 1536 + index * 4, &sector.to_be_bytes());
        let mut bitmap = vec![0; 512];
        for (sector, bytes) in block.chunks(512).enumerate() {
            if below.is_none_or(|below| bytes != &below[sector * 512..sector * 512 + bytes.len()]) {
                bitmap[sector / 8] |= 0x80 >> (sector % 8);
            }
        }
        let mut data: Vec<u8> = block.to_vec();
        data.resize(4096, 0);
        if below.is_some() {
            // What a bitmap does not name is not to be read.
            for (sector, bytes) in data.chunks_mut(512).enumerate() {
                if bitmap[sector / 8] & 0x80 >> (sector % 8) == 0 {
                    bytes.fill(0xDD);
                }
            }
        }
        file.extend(bitmap);
        file.extend(data);
    }
    file.extend(footer);
    file
}

fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            if sum & 1 == 1 { sum >> 1 ^ 0x82F6_3B78 } else { sum >> 1 }
        })
    })
}

/// Puts the checksum over a structure into it.
fn sum(bytes: &mut [u8]) {
    bytes[4..8].fill(0);
    let sum = crc32c(bytes);
    bytes[4..8].copy_from_slice(&sum.to_le_bytes());
}

/// Corrects the checksums of the headers of a VHDX that was changed; leaves other files alone.
pub(super) fn sum_headers(file: &mut [u8]) {
    if file.starts_with(b"vhdxfile") {
        for at in [64 << 10, 128 << 10] {
            sum(&mut file[at..at + 4096]);
        }
    }
}

const MIB: usize = 1 << 20;
const BAT: &[u8] = b"\x66\x77\xc2\x2d\x23\xf6\x00\x42\x9d\x64\x11\x5e\x9b\xfd\x4a\x08";
const METADATA: &[u8] = b"\x06\xa2\x7c\x8b\x90\x47\x9a\x4b\xb8\xfe\x57\x5f\x05\x0f\x88\x6e";
const PARAMETERS: &[u8] = b"\x37\x67\xa1\xca\x36\xfa\x43\x4d\xb3\xb6\x33\xf0\xaa\x44\xe7\x6b";
const SIZE: &[u8] = b"\x24\x42\xa5\x2f\x1b\xcd\x76\x48\xb2\x11\x5d\xbe\xd8\x3b\xf4\xb8";
const SECTOR: &[u8] = b"\x1d\xbf\x41\x81\x6f\xa9\x09\x47\xba\x47\xf2\x33\xa8\xfa\xab\x5f";
const LOCATOR: &[u8] = b"\x2d\x5f\xd3\xa8\x0b\xb3\x4d\x45\xab\xf7\xd3\xd8\x48\x34\xab\x0c";

/// The log at 1 MiB, the metadata at 2, the table at 3, a bitmap at 4, the one block at 5, so far as it is used.
fn vhdx(disk: &[u8], parent: Parent<'_>) -> Vec<u8> {
    let mut file = b"vhdxfile".to_vec();
    for (at, sequence) in [(64 << 10, 7_u64), (128 << 10, 8)] {
        let mut header = b"head\0\0\0\0".to_vec();
        header.extend(sequence.to_le_bytes());
        put(&mut header, 32, &[if parent.is_some() { 9 } else { 8 }; 16]);
        put(&mut header, 68, &(MIB as u32).to_le_bytes());
        put(&mut header, 72, &(MIB as u64).to_le_bytes());
        header.resize(4096, 0);
        sum(&mut header);
        put(&mut file, at, &header);
    }
    let mut regions = b"regi\0\0\0\0\x02\0\0\0\0\0\0\0".to_vec();
    for (id, at) in [(BAT, 3 * MIB), (METADATA, 2 * MIB)] {
        regions.extend(id);
        regions.extend((at as u64).to_le_bytes());
        regions.extend((MIB as u32).to_le_bytes());
        regions.extend(1_u32.to_le_bytes());
    }
    regions.resize(64 << 10, 0);
    sum(&mut regions);
    put(&mut file, 192 << 10, &regions);
    put(&mut file, 256 << 10, &regions);
    let flags = if parent.is_some() { 2_u32 } else { 0 };
    let mut items = vec![
        (PARAMETERS, [(MIB as u32).to_le_bytes(), flags.to_le_bytes()].concat()),
        (SIZE, (disk.len() as u64).to_le_bytes().to_vec()),
        (SECTOR, 512_u32.to_le_bytes().to_vec()),
    ];
    items.extend(parent.map(|(_, name)| (LOCATOR, locator(name))));
    put(&mut file, 2 * MIB, b"metadata");
    put(&mut file, 2 * MIB + 10, &(items.len() as u16).to_le_bytes());
    let mut at = 64 << 10;
    for (index, (id, value)) in items.iter().enumerate() {
        let entry = 2 * MIB + 32 + index * 32;
        put(&mut file, entry, id);
        put(&mut file, entry + 16, &(at as u32).to_le_bytes());
        put(&mut file, entry + 20, &(value.len() as u32).to_le_bytes());
        put(&mut file, 2 * MIB + at, value);
        at += value.len();
    }
    let state = if parent.is_some() { 7 } else { 6_u64 };
    put(&mut file, 3 * MIB, &((5 * MIB) as u64 | state).to_le_bytes());
    // After as many blocks as share a bitmap: 4096 of a MiB.
    put(&mut file, 3 * MIB + 4096 * 8, &((4 * MIB) as u64 | 6).to_le_bytes());
    file.resize(6 * MIB, 0);
    for (index, sector) in disk.chunks(512).enumerate() {
        if parent.is_some_and(|(base, _)| &base[index * 512..index * 512 + 512] == sector) {
            put(&mut file, 5 * MIB + index * 512, &[0xDD; 512]);
        } else {
            file[4 * MIB + index / 8] |= 1 << (index % 8);
            put(&mut file, 5 * MIB + index * 512, sector);
        }
    }
    file
}

fn locator(name: &str) -> Vec<u8> {
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let pairs = [
        ("parent_linkage", "{08080808-0808-0808-0808-080808080808}".to_owned()),
        ("relative_path", format!("..\\{name}")),
    ];
    let mut bytes = vec![0; 18];
    bytes.extend(2_u16.to_le_bytes());
    let mut at = 20 + 24;
    let mut texts = Vec::new();
    for (key, value) in pairs {
        let (key, value) = (utf16(key), utf16(&value));
        bytes.extend((at as u32).to_le_bytes());
        bytes.extend(((at + key.len()) as u32).to_le_bytes());
        bytes.extend((key.len() as u16).to_le_bytes());
        bytes.extend((value.len() as u16).to_le_bytes());
        at += key.len() + value.len();
        texts.extend(key);
        texts.extend(value);
    }
    bytes.extend(texts);
    bytes
}

/// The table of blocks is damaged and the log holds the right one, in an entry that wraps around the end of the log.
pub(super) fn vhdx_with_log(disk: &[u8]) -> Vec<u8> {
    let mut file = vhdx(disk, None);
    let table = file[3 * MIB..3 * MIB + 4096].to_vec();
    file[3 * MIB..3 * MIB + 4096].fill(0xFF);
    let id = [5; 16];
    for at in [64 << 10, 128 << 10] {
        put(&mut file, at + 48, &id);
    }
    sum_headers(&mut file);
    let tail = MIB - 4096;
    let mut entry = b"loge\0\0\0\0".to_vec();
    entry.extend(8192_u32.to_le_bytes());
    entry.extend((tail as u32).to_le_bytes());
    entry.extend(3_u64.to_le_bytes());
    entry.extend(1_u32.to_le_bytes());
    put(&mut entry, 32, &id);
    put(&mut entry, 48, &(6 * MIB as u64).to_le_bytes());
    put(&mut entry, 56, &(6 * MIB as u64).to_le_bytes());
    entry.extend(b"desc");
    entry.extend(&table[4092..]);
    entry.extend(&table[..8]);
    entry.extend((3 * MIB as u64).to_le_bytes());
    entry.extend(3_u64.to_le_bytes());
    put(&mut entry, 4096, b"data");
    put(&mut entry, 4104, &table[8..4092]);
    entry.resize(8192, 0);
    sum(&mut entry);
    put(&mut file, MIB + tail, &entry[..4096]);
    put(&mut file, MIB, &entry[4096..]);
    file
}

fn descriptor(kind: &str, parent: &str, extents: &str) -> String {
    let id = if parent == "ffffffff" { "0000abcd" } else { "00001234" };
    format!(
        "# Disk DescriptorFile\nCID={id}\nversion=1\nparentCID={parent}\ncreateType=\"{kind}\"\n{extents}"
    )
}

/// Grains of 4096 bytes in tables of 512.
fn vmdk(disk: &[u8], parent: Parent<'_>, is_stream: bool) -> Vec<u8> {
    let mut header = b"KDMV".to_vec();
    header.extend(1_u32.to_le_bytes());
    header.extend(if is_stream { 3_u32 << 16 } else { 3 }.to_le_bytes());
    header.extend((disk.len() as u64 / 512).to_le_bytes());
    header.extend(8_u64.to_le_bytes());
    header.extend(1_u64.to_le_bytes());
    header.extend(1_u64.to_le_bytes());
    header.extend(512_u32.to_le_bytes());
    header.resize(512, 0);
    put(&mut header, 77, &u16::from(is_stream).to_le_bytes());
    let kind = if is_stream { "streamOptimized" } else { "monolithicSparse" };
    let mut text = descriptor(kind, if parent.is_some() { "0000abcd" } else { "ffffffff" }, "");
    if let Some((_, name)) = parent {
        text = format!("{text}parentFileNameHint=\"/vmfs/volumes/{name}\"\n");
    }
    let mut file = header.clone();
    put(&mut file, 512, text.as_bytes());
    let (table, directory) = (1024, 3072);
    file.resize(3584, 0);
    let mut entries = vec![0_u8; 2048];
    for (index, grain) in disk.chunks(4096).enumerate() {
        let below = parent.map(|(base, _)| &base[index * 4096..index * 4096 + grain.len()]);
        if below == Some(grain) || below.is_none() && grain.iter().all(|byte| *byte == 0) {
            continue;
        }
        file.resize(file.len().next_multiple_of(512), 0);
        put(&mut entries, index * 4, &(file.len() as u32 / 512).to_le_bytes());
        let mut grain = grain.to_vec();
        grain.resize(4096, 0);
        if is_stream {
            let packed = zlib(&grain);
            file.extend((index as u64 * 8).to_le_bytes());
            file.extend((packed.len() as u32).to_le_bytes());
            file.extend(packed);
        } else {
            file.extend(grain);
        }
    }
    put(&mut file, table, &entries);
    put(&mut file, directory, &(table as u32 / 512).to_le_bytes());
    put(&mut header, 56, &(directory as u64 / 512).to_le_bytes());
    if is_stream {
        put(&mut file, 56, &u64::MAX.to_le_bytes());
        file.resize(file.len().next_multiple_of(512), 0);
        file.extend(header);
        file.extend([0; 512]);
    } else {
        put(&mut file, 56, &(directory as u64 / 512).to_le_bytes());
    }
    file
}

/// Clusters of 4096 bytes; one table of the first level, one of the second.
fn qcow2(disk: &[u8], parent: Parent<'_>, is_compressed: bool) -> Vec<u8> {
    let mut file = b"QFI\xfb\0\0\0\x03".to_vec();
    put(&mut file, 20, &12_u32.to_be_bytes());
    put(&mut file, 24, &(disk.len() as u64).to_be_bytes());
    put(&mut file, 36, &1_u32.to_be_bytes());
    put(&mut file, 40, &4096_u64.to_be_bytes());
    put(&mut file, 100, &104_u32.to_be_bytes());
    if let Some((_, name)) = parent {
        let name = format!("../{name}");
        put(&mut file, 8, &512_u64.to_be_bytes());
        put(&mut file, 16, &(name.len() as u32).to_be_bytes());
        put(&mut file, 512, name.as_bytes());
    }
    put(&mut file, 4096, &(8192_u64 | 1 << 63).to_be_bytes());
    file.resize(3 * 4096, 0);
    for (index, cluster) in disk.chunks(4096).enumerate() {
        let below = parent.map(|(base, _)| &base[index * 4096..index * 4096 + cluster.len()]);
        let entry = if below == Some(cluster) {
            continue;
        } else if cluster.iter().all(|byte| *byte == 0) {
            1
        } else if is_compressed {
            let mut encoder =
                flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
            let mut cluster = cluster.to_vec();
            cluster.resize(4096, 0);
            encoder.write_all(&cluster).unwrap();
            let packed = encoder.finish().unwrap();
            let at = file.len() as u64;
            let sectors = (at % 512 + packed.len() as u64).div_ceil(512) - 1;
            file.extend(packed);
            at | sectors << 58 | 1 << 62
        } else {
            file.resize(file.len().next_multiple_of(4096), 0);
            let at = file.len() as u64;
            file.extend(cluster);
            file.resize(file.len().next_multiple_of(4096), 0);
            at | 1 << 63
        };
        put(&mut file, 8192 + index * 8, &entry.to_be_bytes());
    }
    file
}

/// A map of two runs of one stream with zeros between them; chunks of 4096 bytes, two in each segment.
fn aff4(disk: &[u8], is_snappy: bool) -> Vec<u8> {
    let (before, after) = (6144, 13_824);
    let stream = [&disk[..before], &disk[after..]].concat();
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut add = |name: &str, bytes: &[u8]| {
        zip.start_file(name, stored).unwrap();
        zip.write_all(bytes).unwrap();
    };
    add("container.description", b"aff4://v");
    for (number, segment) in stream.chunks(8192).enumerate() {
        let (mut data, mut index) = (Vec::new(), Vec::new());
        for chunk in segment.chunks(4096) {
            let packed = if is_snappy {
                snap::raw::Encoder::new().compress_vec(chunk).unwrap()
            } else {
                zlib(chunk)
            };
            // What does not shrink is stored as it is.
            let packed = if packed.len() < 4096 { &packed } else { chunk };
            index.extend((data.len() as u64).to_le_bytes());
            index.extend((packed.len() as u32).to_le_bytes());
            data.extend(packed);
        }
        add(&format!("aff4%3A%2F%2Fs/{number:08x}"), &data);
        add(&format!("aff4%3A%2F%2Fs/{number:08x}.index"), &index);
    }
    let mut map = Vec::new();
    for (start, size, from, target) in [
        (0, before, 0, 1_u32),
        (before, after - before, 0, 0),
        (after, disk.len() - after, before, 1),
    ] {
        for field in [start, size, from] {
            map.extend((field as u64).to_le_bytes());
        }
        map.extend(target.to_le_bytes());
    }
    add("aff4%3A%2F%2Fm/map", &map);
    add("aff4%3A%2F%2Fm/idx", b"http://aff4.org/Schema#Zero\naff4://s\n");
    let method = if is_snappy {
        "http://code.google.com/p/snappy/"
    } else {
        "https://www.ietf.org/rfc/rfc1950.txt"
    };
    let text = format!(
        "@prefix aff4: <http://aff4.org/Schema#> .\n\
         <aff4://d> a aff4:DiskImage ; aff4:dataStream <aff4://m> .\n\
         <aff4://m> a aff4:Map ; aff4:size \"{}\"^^xsd:long .\n\
         <aff4://s> a aff4:ImageStream ; aff4:size {} ; aff4:chunkSize 4096 ;\n\
         aff4:chunksInSegment 2 ; aff4:compressionMethod <{method}> .\n",
        disk.len(),
        stream.len(),
    );
    add("information.turtle", text.as_bytes());
    zip.finish().unwrap().into_inner()
}
