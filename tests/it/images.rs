//! Disk images: whatever a disk was put into, the report is that of the folder its files came from.
//!
//! The images are those of `tests/images/README.md`.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the tests start the program, read what it wrote, and may stop at a surprise"
)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rayon::prelude::*;
use serde_json::Value;

use crate::support::corpus::corpus_file;
use crate::support::images::image;

/// Images of the same Windows: case, file, what the report must say of the container, partitions in the table.
const OPENED: &[(&str, &str, &str, usize)] = &[
    ("raw", "disk.raw", "raw", 4),
    ("raw-split", "disk.001", "raw", 4),
    ("raw-cut", "disk.raw", "raw", 4),
    ("e01-best", "disk.E01", "E01", 4),
    ("e01-fast", "disk.E01", "E01", 4),
    ("e01-none", "disk.E01", "E01", 4),
    ("e01-segments", "disk.E01", "E01", 4),
    ("e01-cut", "disk.E01", "E01", 4),
    ("e01-encase5", "disk.E01", "E01", 4),
    ("e01-ftk", "disk.E01", "E01", 4),
    ("e01-linen6", "disk.E01", "E01", 4),
    ("e01-volume", "disk.E01", "E01", 1),
    ("ex01", "disk.Ex01", "Ex01", 4),
    ("ex01-patterns", "disk.Ex01", "Ex01", 4),
    ("vhd-dynamic", "disk.vhd", "VHD", 4),
    ("vhd-fixed", "disk.vhd", "VHD", 4),
    ("vhd-differencing", "disk.vhd", "VHD", 4),
    ("vhdx-dynamic", "disk.vhdx", "VHDX", 4),
    ("vhdx-fixed", "disk.vhdx", "VHDX", 4),
    ("vmdk-sparse", "disk.vmdk", "VMDK", 4),
    ("vmdk-flat", "disk.vmdk", "VMDK", 4),
    ("vmdk-split", "disk.vmdk", "VMDK", 4),
    ("vmdk-stream", "disk.vmdk", "VMDK", 4),
    ("vmdk-snapshot", "disk.vmdk", "VMDK", 4),
    ("qcow2-v2", "disk.qcow2", "QCOW2", 4),
    ("qcow2-v3", "disk.qcow2", "QCOW2", 4),
    ("qcow2-zlib", "disk.qcow2", "QCOW2", 4),
    ("qcow2-zstd", "disk.qcow2", "QCOW2", 4),
    ("qcow2-backing", "disk.qcow2", "QCOW2", 4),
    ("aff4-zlib", "disk.aff4", "AFF4", 4),
    ("aff4-snappy", "disk.aff4", "AFF4", 4),
    ("aff4-map", "disk.aff4", "AFF4", 4),
    ("mbr-logical", "disk.raw", "raw", 2),
    ("gpt-4k", "disk.raw", "raw", 1),
    ("gpt-backup", "disk.raw", "raw", 4),
    ("volume", "volume.raw", "raw", 1),
];

/// Images that cannot be read: case, file, and the reason in the refusal.
const REFUSED: &[(&str, &str, &str)] = &[
    (
        "vmdk-lost",
        "disk.vmdk",
        "this image holds only the changes to another, parent.vmdk, which is not beside it",
    ),
    (
        "vhd-lost",
        "disk.vhd",
        "this image holds only the changes to another, parent.vhd, which is not beside it",
    ),
    (
        "qcow2-lost",
        "disk.qcow2",
        "this image holds only the changes to another, parent.qcow2, which is not beside it",
    ),
    ("vmdk-extent-lost", "disk.vmdk", "its data is in disk-flat.vmdk, which is not beside it"),
    ("qcow2-encrypted", "disk.qcow2", "the image is encrypted (AES); decrypt it with qemu-img"),
    ("e01-segments", "disk.E02", "segment 2 of an image; give its first, disk.E01"),
    (
        "no-windows",
        "disk.raw",
        "disk image (raw), 6.0 MiB, without Windows or its hives or logs; partition 1: FAT12, partition 2: ext2",
    ),
    (
        "e01-no-table",
        "disk.E01",
        "cut off or damaged: the image can be used up to 0 bytes of 16.0 MiB; what is missing is not read",
    ),
];

/// Real images of the corpus: none holds a Windows with hives, and the refusal says what there is.
const REAL: &[(&str, &str)] = &[
    (
        "plaso_image.E01",
        "MD5 when made d73c51f10c7ee6a681b7b619ccc6f1c4 (not checked), without Windows or its hives or logs; volume: ext2",
    ),
    (
        "plaso_image.vmdk",
        "disk image (VMDK, monolithicSparse), 100.0 KiB, without Windows or its hives or logs; volume: ext2",
    ),
    ("sr_multiseg_v1.E01", "segment sr_multiseg_v1.E03 is missing or damaged"),
    (
        "vsstest.qcow2",
        "disk image (QCOW2), 1.0 GiB, without Windows or its hives or logs; volume: NTFS",
    ),
    (
        "orc-ntfs-vhd.7z",
        "orc-ntfs-vhd.7z/ntfs.vhd: disk image (VHD, fixed), 10.0 MiB, without Windows or its hives or logs; \
         partition 1: NTFS",
    ),
    (
        "ntfs-si-vs-fn.raw.gz",
        "ntfs-si-vs-fn.raw: disk image (raw), 1.0 GiB, without Windows or its hives or logs; partition 1: NTFS",
    ),
    (
        "ntfs-win10-2vss.tgz",
        "ntfs.raw: disk image (raw), 64.0 GiB, without Windows or its hives or logs; partition 1: NTFS",
    ),
];

fn svctriage(arguments: &[&str], path: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_svctriage"))
        .args(arguments)
        .arg(path)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn words(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// The report of a scan.
fn report(path: &Path) -> Value {
    let output = svctriage(&["scan", "--quiet", "--all", "--format", "json"], path);
    let complete = matches!(output.status.code(), Some(0 | 2));
    assert!(complete, "{}: {}", path.display(), words(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What a report says of the evidence, taken out of it; diagnostics of the image itself are part of that.
fn evidence_of(report: &mut Value, host: usize) -> (Value, Vec<String>) {
    let host = report["hosts"][host].as_object_mut().unwrap();
    let evidence = host.shift_remove("evidence").unwrap();
    let said = host["diagnostics"].as_array_mut().unwrap();
    let of_image = said.extract_if(.., |one| {
        let artifact = one["artifact"].as_str().unwrap_or_default();
        !artifact.starts_with("Windows/")
    });
    let messages = of_image.map(|one| one["message"].as_str().unwrap().to_owned()).collect();
    (evidence, messages)
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name).join("evidence")
}

/// The folder's report without what it says of the evidence.
fn folder_report(name: &str) -> Vec<u8> {
    let mut report = report(&sample(name));
    let (_, diagnostics) = evidence_of(&mut report, 0);
    assert_eq!(diagnostics, [""; 0]);
    bytes(&report)
}

fn bytes(report: &Value) -> Vec<u8> {
    serde_json::to_vec(report).unwrap()
}

/// What is wrong with the report of an image, if anything.
fn difference(
    expected: &[u8],
    case: &str,
    file: &str,
    container: &str,
    count: usize,
) -> Option<String> {
    let path = image(case, file);
    let output = svctriage(&["scan", "--quiet", "--all", "--format", "json"], &path);
    let Ok(mut report) = serde_json::from_slice::<Value>(&output.stdout) else {
        return Some(format!("{case}: {}", words(&output)));
    };
    let (evidence, _) = evidence_of(&mut report, 0);
    if bytes(&report) != expected {
        return Some(format!("{case}: another report than the folder's"));
    }
    let containers = evidence["containers"].to_string();
    let partitions = evidence["partitions"].as_array().map_or(0, Vec::len);
    (!containers.contains(container) || partitions != count)
        .then(|| format!("{case}: {containers}, {partitions} partitions"))
}

#[test]
fn every_container_gives_the_report_of_the_folder() {
    let expected = folder_report("compromised-workstation");
    let wrong: Vec<String> = OPENED
        .par_iter()
        .filter_map(|(case, file, container, count)| {
            difference(&expected, case, file, container, *count)
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn two_windows_volumes_are_two_hosts() {
    let mut report = report(&image("two-windows", "disk.raw"));
    assert_eq!(report["hosts"].as_array().unwrap().len(), 2);
    for (number, name) in [(0, "compromised-workstation"), (1, "clean-noisy-host")] {
        let (evidence, diagnostics) = evidence_of(&mut report, number);
        assert_eq!(diagnostics, [""; 0]);
        let read: Vec<bool> = evidence["partitions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|partition| partition["read"].as_bool().unwrap())
            .collect();
        assert_eq!(read, [number == 0, number == 1]);
        let alone = folder_report(name);
        let alone: Value = serde_json::from_slice(&alone).unwrap();
        assert!(bytes(&report["hosts"][number]) == bytes(&alone["hosts"][0]), "{name}");
    }
}

#[test]
fn what_cannot_be_read_is_refused_with_the_reason() {
    for (case, file, expected) in REFUSED {
        let output = svctriage(&["scan", "--quiet"], &image(case, file));
        let said = words(&output);
        assert_eq!(output.status.code(), Some(4), "{case}: {said}");
        assert!(said.contains(expected), "{case}: {said}");
        assert_eq!(said.lines().count(), 1, "{case}: {said}");
    }
}

#[test]
fn real_images_open_or_say_why_not() {
    for (name, expected) in REAL {
        let Some(path) = corpus_file(&format!("images/{name}")) else { return };
        let output = svctriage(&["scan", "--quiet"], &path);
        let said = words(&output);
        assert_eq!(output.status.code(), Some(4), "{name}: {said}");
        assert!(said.contains(expected), "{name}: {said}");
    }
    let Some(path) = corpus_file("images/windows_volume.qcow2") else { return };
    let said = words(&svctriage(&["detect"], &path));
    assert!(said.contains("disk image (QCOW2), 34.3 MiB"), "{said}");
    assert!(said.contains("Windows folder   Windows"), "{said}");
    let Some(path) = corpus_file("images/vsstest.qcow2") else { return };
    let said = words(&svctriage(&["detect"], &path));
    for copy in [
        "1  2013-12-03 06:35:09Z  {4e3c03c2-7bc6-4288-ad96-c1eac1a55f71}",
        "2  2013-12-03 06:37:48Z  {18f1ac6e-959d-436f-bdcc-e797a729e290}",
    ] {
        assert!(said.contains(copy), "{said}");
    }
    // A sparse disk of 64 GiB in an archive costs what is in it.
    let Some(path) = corpus_file("images/ntfs-win10-2vss.tgz") else { return };
    let said = words(&svctriage(&["detect"], &path));
    for copy in [
        "1  2020-07-25 12:26:04Z  {ec06abc4-bd2f-41cc-a817-921f2046080d}",
        "2  2020-07-25 12:27:05Z  {d1229f1a-31d8-45de-8a72-0d6a3a1f59e8}",
        "shadow copy 2 is marked offline",
    ] {
        assert!(said.contains(copy), "{said}");
    }
}

#[test]
fn damage_to_an_image_is_said() {
    for (case, file, lost, expected) in [
        ("gpt-backup", "disk.raw", 0, "the GPT is read from its backup: its header is missing"),
        (
            "raw-cut",
            "disk.raw",
            0,
            "partition 3 has 10485760 bytes of which 9437184 are on the disk: the image is cut off or its table \
             is damaged",
        ),
        (
            "e01-cut",
            "disk.E01",
            0,
            "cut off or damaged: the image can be used up to 11.9 MiB of 16.0 MiB; what is missing is not read",
        ),
        (
            "e01-lost",
            "disk.E01",
            2,
            "segment disk.E02 is missing or damaged: the image can be used up to 6.0 MiB of 16.0 MiB; what is \
             missing is not read",
        ),
        (
            "raw-split-lost",
            "disk.001",
            2,
            "disk.002, a part of the image, is missing; what it holds is not read",
        ),
    ] {
        let mut report = report(&image(case, file));
        let lost_files =
            report["hosts"][0]["diagnostics"].to_string().matches("cannot be read").count();
        assert!(lost_files >= lost, "{case}: {lost_files} files are said to be lost");
        let (_, said) = evidence_of(&mut report, 0);
        assert!(said.iter().any(|one| one == expected), "{case}: {said:?}");
    }
}

#[test]
fn the_parts_of_an_image_are_found_from_any_letter_case() {
    let folder = tempfile::tempdir().unwrap();
    for (from, to) in [("disk.E01", "DISK.e01"), ("disk.E02", "disk.e02"), ("disk.E03", "Disk.E03")]
    {
        std::fs::copy(image("e01-segments", from), folder.path().join(to)).unwrap();
    }
    let mut found = report(&folder.path().join("DISK.e01"));
    evidence_of(&mut found, 0);
    assert!(bytes(&found) == folder_report("compromised-workstation"));
}

#[test]
fn images_in_archives_give_the_same_report() {
    let expected = folder_report("compromised-workstation");
    let folder = tempfile::tempdir().unwrap();
    let zipped = folder.path().join("disk.zip");
    for parts in [
        &[("vhdx-dynamic", "disk.vhdx")][..],
        &[("e01-segments", "disk.E01"), ("e01-segments", "disk.E02"), ("e01-segments", "disk.E03")],
        &[("vmdk-snapshot", "parent.vmdk"), ("vmdk-snapshot", "disk.vmdk")],
    ] {
        let mut archive = zip::ZipWriter::new(std::fs::File::create(&zipped).unwrap());
        for (case, file) in parts {
            let name = format!("LAB-PC-1/{file}");
            archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            archive.write_all(&std::fs::read(image(case, file)).unwrap()).unwrap();
        }
        archive.finish().unwrap();
        let mut found = report(&zipped);
        evidence_of(&mut found, 0);
        assert!(bytes(&found) == expected, "{parts:?}");
    }
    let packed = folder.path().join("disk.raw.gz");
    let file = std::fs::File::create(&packed).unwrap();
    let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    encoder.write_all(&std::fs::read(image("raw", "disk.raw")).unwrap()).unwrap();
    encoder.finish().unwrap();
    let mut found = report(&packed);
    evidence_of(&mut found, 0);
    assert!(bytes(&found) == expected, "disk.raw.gz");
}

#[test]
fn a_scan_leaves_an_image_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk.vhdx");
    std::fs::copy(image("vhdx-dynamic", "disk.vhdx"), &path).unwrap();
    let state = || {
        let names: Vec<_> =
            std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        (
            names,
            std::fs::read(&path).unwrap(),
            std::fs::metadata(&path).unwrap().modified().unwrap(),
        )
    };
    let before = state();
    report(&path);
    assert!(before == state(), "the evidence was changed");
}
