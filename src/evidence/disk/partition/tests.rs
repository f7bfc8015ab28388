use std::sync::Arc;

use super::*;
use crate::evidence::source::MemorySource;

fn put(bytes: &mut [u8], at: usize, field: &[u8]) {
    bytes[at..at + field.len()].copy_from_slice(field);
}

fn slot(bytes: &mut [u8], record: usize, index: usize, kind: u8, start: u32, sectors: u32) {
    let at = record + 446 + index * 16;
    bytes[at + 4] = kind;
    put(bytes, at + 8, &start.to_le_bytes());
    put(bytes, at + 12, &sectors.to_le_bytes());
    put(bytes, record + 510, &[0x55, 0xAA]);
}

fn ntfs(bytes: &mut [u8], at: usize) {
    put(bytes, at + 3, b"NTFS    ");
    put(bytes, at + 510, &[0x55, 0xAA]);
}

const BASIC: [u8; 16] = *b"\xa2\xa0\xd0\xeb\xe5\xb9\x33\x44\x87\xc0\x68\xb6\xb7\x26\x99\xc7";
const EFI: [u8; 16] = *b"\x28\x73\x2a\xc1\x1f\xf8\xd2\x11\xba\x4b\x00\xa0\xc9\x3e\xc9\x3b";
const SPACES: [u8; 16] = *b"\x8f\xaf\x5c\xe7\x80\xf6\xee\x4c\xaf\xa3\xb0\x01\xe5\x6e\xfc\x2d";

fn crc32(bytes: &[u8]) -> [u8; 4] {
    let mut sum = flate2::Crc::new();
    sum.update(bytes);
    sum.sum().to_le_bytes()
}

/// A disk of 64 sectors with a GPT and its backup: an EFI partition, and one with NTFS in sectors 20 to 39.
fn gpt(sector: usize, last: u64, kind: [u8; 16]) -> Vec<u8> {
    let mut disk = vec![0; 64 * sector];
    slot(&mut disk, 0, 0, 0xEE, 1, 63);
    let mut entries = vec![0; 4 * 128];
    for (at, (kind, first, last, name)) in
        [(EFI, 10, 19, ""), (kind, 20, last, "Basic")].iter().enumerate()
    {
        put(&mut entries, at * 128, kind);
        put(&mut entries, at * 128 + 32, &u64::to_le_bytes(*first));
        put(&mut entries, at * 128 + 40, &u64::to_le_bytes(*last));
        let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        put(&mut entries, at * 128 + 56, &name);
    }
    for (header, table) in [(1, 2), (63, 62)] {
        let mut bytes = vec![0; 92];
        put(&mut bytes, 0, b"EFI PART\0\0\x01\0\x5c\0\0\0");
        put(&mut bytes, 24, &u64::to_le_bytes(header as u64));
        put(&mut bytes, 72, &u64::to_le_bytes(table as u64));
        put(&mut bytes, 80, &4_u32.to_le_bytes());
        put(&mut bytes, 84, &128_u32.to_le_bytes());
        put(&mut bytes, 88, &crc32(&entries));
        let sum = crc32(&bytes);
        put(&mut bytes, 16, &sum);
        put(&mut disk, header * sector, &bytes);
        put(&mut disk, table * sector, &entries);
    }
    ntfs(&mut disk, 20 * sector);
    disk
}

/// The partitions in short, and what is said about them.
fn found(disk: Vec<u8>) -> (Vec<String>, Vec<(Impact, String)>) {
    let disk: SharedSource = Arc::new(MemorySource(disk));
    let layout = read(&disk, "disk.raw");
    let short = |part: &Partition| {
        let Partition { number, start, size, table, content, .. } = part;
        format!("{number} {start}+{size} {table}: {content}")
    };
    let said = layout.diagnostics.into_iter().map(|said| (said.impact, said.message));
    (layout.partitions.iter().map(short).collect(), said.collect())
}

const TWO: [&str; 2] = ["1 5120+5120 GPT EFI system: empty", "2 10240+10240 GPT \"Basic\": NTFS"];

#[test]
fn a_gpt_is_read_with_either_size_of_sector() {
    assert_eq!(found(gpt(512, 39, BASIC)), (TWO.map(String::from).to_vec(), vec![]));
    let (large, said) = found(gpt(4096, 39, BASIC));
    assert_eq!(said, []);
    assert_eq!(large, ["1 40960+40960 GPT EFI system: empty", "2 81920+81920 GPT \"Basic\": NTFS"]);
}

#[test]
fn a_damaged_gpt_is_read_from_its_backup_or_all_the_same() {
    type Damage = fn(&mut Vec<u8>);
    let cases: [(Damage, Impact, &str); 5] = [
        (|disk| disk[512..1024].fill(0), Impact::Note, "backup: its header is missing"),
        (
            |disk| disk[512 + 40] ^= 1,
            Impact::Note,
            "backup: its header does not match its checksum",
        ),
        (
            |disk| disk[1024 + 300] ^= 1,
            Impact::Note,
            "backup: its entries do not match their checksum",
        ),
        (|disk| disk[0..1024].fill(0), Impact::Note, "backup: its header is missing"),
        (
            |disk| {
                disk[512 + 40] ^= 1;
                disk.truncate(63 * 512);
            },
            Impact::Partial,
            "the GPT is damaged: its header does not match its checksum",
        ),
    ];
    for (damage, impact, words) in cases {
        let mut disk = gpt(512, 39, BASIC);
        damage(&mut disk);
        assert!(is_disk(&disk, &disk, disk.len() as u64), "{words}");
        let (parts, said) = found(disk);
        assert_eq!(parts, TWO, "{words}");
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].0 == impact && said[0].1.contains(words), "{said:?}");
    }
    let mut disk = gpt(512, 39, BASIC);
    disk[512..1024].fill(0);
    disk[63 * 512..].fill(0);
    let (parts, said) = found(disk);
    assert!(parts.is_empty());
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].0, Impact::Lost);
}

#[test]
fn partitions_end_with_the_disk() {
    // One sector short, and 26 sectors that are not there.
    let (parts, said) = found(gpt(512, 64, BASIC));
    assert_eq!(parts[1], "2 10240+22528 GPT \"Basic\": NTFS");
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].0, Impact::Partial);
    assert!(said[0].1.contains("23040 bytes of which 22528"), "{said:?}");
    let mut disk = vec![0; 20 * 512];
    slot(&mut disk, 0, 0, 7, 4, u32::MAX);
    ntfs(&mut disk, 4 * 512);
    let (parts, said) = found(disk);
    assert_eq!(parts, ["1 2048+8192 MBR type 0x07: NTFS"]);
    assert_eq!(said.len(), 1);
}

#[test]
fn an_mbr_is_read_with_its_logical_partitions() {
    let mut disk = vec![0; 64 * 512];
    slot(&mut disk, 0, 0, 7, 2, 4);
    slot(&mut disk, 0, 2, 0x0F, 8, 50);
    slot(&mut disk, 8 * 512, 0, 7, 2, 4);
    slot(&mut disk, 8 * 512, 1, 5, 10, 10);
    slot(&mut disk, 18 * 512, 0, 0x0C, 2, 4);
    ntfs(&mut disk, 10 * 512);
    put(&mut disk, 20 * 512 + 82, b"FAT32   ");
    let expected = [
        "1 1024+2048 MBR type 0x07: empty",
        "5 5120+2048 MBR type 0x07: NTFS",
        "6 10240+2048 MBR type 0x0c: FAT32",
    ];
    assert_eq!(found(disk.clone()), (expected.map(String::from).to_vec(), vec![]));
    for (next, words) in [(0, "no end"), (10, "no end"), (40, "breaks at sector 48")] {
        slot(&mut disk, 18 * 512, 1, 5, next, 10);
        let (parts, said) = found(disk.clone());
        assert_eq!(parts, expected);
        assert_eq!(said.len(), 1);
        assert!(said[0].1.contains(words), "{said:?}");
    }
}

#[test]
fn a_volume_is_not_called_a_partition_table() {
    for (at, name, expected) in [
        (3, &b"NTFS    "[..], "NTFS"),
        (3, b"-FVE-FS-", "BitLocker"),
        (3, b"EXFAT   ", "exFAT"),
        (3, b"ReFS\0\0\0\0", "ReFS"),
        (82, b"FAT32   ", "FAT32"),
    ] {
        let mut disk = vec![0; 8192];
        // What its boot code has there could be an entry.
        slot(&mut disk, 0, 0, 7, 2, 4);
        put(&mut disk, at, name);
        assert!(is_disk(&disk, &disk, 8192));
        assert_eq!(found(disk), (vec![format!("0 0+8192 no partition table: {expected}")], vec![]));
    }
}

#[test]
fn two_tables_on_one_disk_are_told_apart() {
    let mut hybrid = gpt(512, 39, BASIC);
    slot(&mut hybrid, 0, 1, 7, 20, 20);
    let (parts, said) = found(hybrid);
    assert_eq!(parts, TWO);
    assert!(said.len() == 1 && said[0].1.contains("hybrid"), "{said:?}");
    let mut since = gpt(512, 39, BASIC);
    slot(&mut since, 0, 0, 7, 20, 20);
    let (parts, said) = found(since);
    assert_eq!(parts, ["1 10240+10240 MBR type 0x07: NTFS"]);
    assert!(said.len() == 1 && said[0].1.contains("remains of a GPT"), "{said:?}");
}

#[test]
fn what_spans_disks_is_named_and_a_lost_table_is_said() {
    let mut disk = gpt(512, 39, SPACES);
    disk[20 * 512..21 * 512].fill(0x31);
    let (parts, said) = found(disk);
    assert!(parts[1].contains("pool of Storage Spaces"), "{parts:?}");
    assert_eq!(said.len(), 1);
    let mut disk = vec![0; 64 * 512];
    slot(&mut disk, 0, 0, 0x42, 2, 40);
    ntfs(&mut disk, 1024);
    let (parts, said) = found(disk);
    assert_eq!(parts, ["1 1024+20480 MBR type 0x42: NTFS"]);
    assert!(said.len() == 1 && said[0].1.contains("dynamic disk"), "{said:?}");
    let part = gpt(512, 39, BASIC).split_off(40 * 512);
    assert!(!is_disk(&part, &part, 24 * 512), "the last part of a split image");
    for bytes in [vec![0; 4096], vec![7; 4096], Vec::new()] {
        let (parts, said) = found(bytes.clone());
        assert!(parts.is_empty() && said.len() == 1 && said[0].0 == Impact::Lost, "{said:?}");
        assert!(!is_disk(&bytes, &bytes, 4096));
    }
}
