//! Images made by the lab, whole and damaged. Digests over imports are those that pefile 2024.8.26 gives for the same bytes.

use std::io::{Cursor, Read, Seek};

use sha2::{Digest as _, Sha256};

use super::*;
use crate::host::program_file::{Hint, VersionResource};
use crate::lab::pe::{self, Machine, Program};

const NAME: &str = r"C:\x\x.exe";

fn content(bytes: &[u8]) -> FileContent {
    read(&mut Cursor::new(bytes), 1 << 30, NAME, None).unwrap().unwrap().content
}

fn image(program: &Program) -> Executable {
    let content = content(&program.build());
    assert_eq!(content.kind, "PE image");
    content.executable.unwrap()
}

fn version(company: &str) -> VersionResource {
    VersionResource {
        company: Some(company.to_owned()),
        product: Some("Agent".to_owned()),
        description: Some("\u{dc}berwacht".to_owned()),
        original_name: Some("agent.exe".to_owned()),
        internal_name: Some("agent".to_owned()),
        version: Some("1.2.3.4".to_owned()),
    }
}

#[test]
fn programs_libraries_and_drivers_are_told_apart() {
    for machine in [Machine::X86, Machine::X64, Machine::Arm64] {
        let program = image(&Program::new("x.exe").machine(machine));
        assert_eq!(program.imphash.as_deref(), Some("458f103ccdd36685651daad9c1d764e0"));
        assert!(program.imports_dispatcher && program.names_dispatcher && !program.is_library());
        assert_eq!(program.libraries, ["kernel32.dll", "advapi32.dll"]);
        let library = Program::new("x.dll")
            .machine(machine)
            .imports("WS2_32.dll", &["#115", "connect", "#9999"])
            .pdb(r"C:\x\x.pdb");
        let library = image(&library);
        assert_eq!(library.imphash.as_deref(), Some("d8fb2a54ff968451d8ede1545273520b"));
        assert!(library.is_library() && library.exports_service_main);
        assert_eq!(library.exports, ["ServiceMain", "SvchostPushServiceGlobals"]);
        assert_eq!(library.pdb.as_deref(), Some(r"C:\x\x.pdb"));
        let driver = image(&Program::new("x.sys").machine(machine));
        assert_eq!(driver.imphash.as_deref(), Some("ae23c16e01b55880360712eaf6857de2"));
        assert!(driver.is_native() && !driver.names_dispatcher);
        for (one, stored) in [(&program, 3), (&library, 2), (&driver, 1)] {
            assert_eq!(one.subsystem, stored);
            assert_eq!(
                one.linked.map(|time| time.to_string()).as_deref(),
                Some("2024-05-06T07:08:09Z")
            );
            assert_eq!((one.damage.len(), one.packer.as_deref(), one.overlay), (0, None, None));
        }
    }
}

#[test]
fn what_it_was_made_with_leaves_marks() {
    let rust = b"/rustc/0123456789abcdef0123456789abcdef01234567/library/core/src/panic.rs";
    let cookie = b"MEI\x0c\x0b\x0a\x0b\x0e";
    for (program, expected) in [
        (Program::new("x.exe"), vec![]),
        (Program::new("x.exe").dot_net(), vec![Hint::DotNet]),
        (
            Program::new("x.exe").section(".symtab", pe::DATA, b"\xff Go buildinf:\x08"),
            vec![Hint::Go],
        ),
        (Program::new("x.exe").section("rust", pe::DATA, rust), vec![Hint::Rust]),
        (Program::new("x.exe").overlay(cookie), vec![Hint::Python]),
        (Program::new("x.exe").resource("PYTHONSCRIPT", "#1", b"x"), vec![Hint::Python]),
        (Program::new("x.exe").imports("python312.dll", &["Py_Main"]), vec![Hint::Python]),
        (
            Program::new("x.exe").resource("#10", "SCRIPT", b"\xa3HK\xbeAU3!EA06"),
            vec![Hint::AutoIt],
        ),
    ] {
        assert_eq!(image(&program).hints, expected, "{program:?}");
    }
    // A mark that two parts of the file share.
    for shift in 0..8 {
        let mut overlay = vec![b'.'; PART - 0x800 - shift];
        overlay.extend_from_slice(cookie);
        assert_eq!(image(&Program::new("x.exe").overlay(&overlay)).hints, [Hint::Python]);
    }
}

#[test]
fn versions_are_those_of_the_first_translation() {
    let program = Program::new("x.exe")
        .version_in(0x0407_04b0, version("Kontor AG"))
        .version_in(pe::ENGLISH, version("Contoso Ltd"));
    assert_eq!(image(&program).version, Some(version("Kontor AG")));
    let fixed = VersionResource { version: Some("6.1.7601.17514".into()), ..version("Contoso") };
    assert_eq!(image(&Program::new("x.dll").version(fixed.clone())).version, Some(fixed));
    assert_eq!(image(&Program::new("x.dll")).version, None);
    let long = VersionResource { product: Some("x".repeat(5_000)), ..VersionResource::default() };
    let product = image(&Program::new("x.exe").version(long)).version.unwrap().product;
    assert_eq!(product.map(|text| text.len()), Some(512));
}

#[test]
fn sections_overlays_packers_and_stamps_are_measured() {
    let program = image(&Program::new("x.exe").packed().overlay(&pe::noise(0x8001)));
    assert_eq!(program.packer.as_deref(), Some("UPX"));
    let packed = program.sections.iter().find(|section| section.name == "UPX1").unwrap();
    assert!(packed.entropy > 7_900 && packed.is_writable_code && packed.is_code, "{packed:?}");
    assert!(!program.sections[0].is_writable_code && program.sections[0].is_code);
    let (size, entropy) = program.overlay.unwrap();
    assert!(size == 0x8001 && entropy > 7_900, "{size} {entropy}");
    for (stamp, is_time) in [(0, false), (u32::MAX, false), (0x2a42_5e19, false), (1, true)] {
        let program = image(&Program::new("x.exe").linked(stamp));
        assert_eq!((program.time_stamp, program.linked.is_some()), (stamp, is_time));
    }
    let program = image(&Program::new("x.exe").reproducible());
    assert!(program.is_reproducible && program.linked.is_none() && program.time_stamp != 0);
}

#[test]
fn digests_are_those_of_the_bytes_and_of_what_a_signature_covers() {
    // The object identifiers of SHA-384 and MD5.
    let names =
        b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x05";
    for program in [
        Program::new("x.exe"),
        Program::new("x.exe").machine(Machine::X86).overlay(b"not a multiple of eight"),
        Program::new("x.sys").overlay(b"odd").certificates(&[0x5a; 64]),
        Program::new("x.exe").overlay(&pe::noise(3 * PART + 5)).certificates(names),
    ] {
        let bytes = program.build();
        let content = content(&bytes);
        assert_eq!(content.digests.sha256, crate::text::hex(&Sha256::digest(&bytes)));
        assert_eq!((content.digests.sha1.len(), content.digests.md5.len()), (40, 32));
        assert_eq!(content.size, bytes.len() as u64);
        let executable = content.executable.unwrap();
        let digests = executable.authentihashes;
        let sha256 = digests.iter().find(|(name, _)| name == "sha256").map(|(_, digest)| digest);
        assert_eq!(sha256, Some(&crate::text::hex(&Sha256::digest(pe::covered(&bytes)))));
        let is_named = bytes.windows(names.len()).any(|window| window == names);
        let labels: Vec<_> = digests.iter().map(|(name, _)| name.as_str()).collect();
        let all = ["md5", "sha1", "sha256", "sha384"];
        assert_eq!(labels, if is_named { &all[..] } else { &all[1..3] });
    }
}

#[test]
fn certificates_come_as_they_lie_in_the_file() {
    let bytes = Program::new("x.exe").overlay(b"more").certificates(&[7; 48]).build();
    let read = read(&mut Cursor::new(&bytes), 1 << 30, NAME, None).unwrap().unwrap();
    assert_eq!(read.certificates, [7; 48]);
    // Four bytes fill the file up to where the table may begin.
    let overlay = read.content.executable.unwrap().overlay.unwrap();
    assert_eq!(overlay.0, 8);
}

#[test]
fn files_that_are_no_images_say_what_they_are() {
    let new_header = |mark: &[u8]| {
        let mut bytes = b"MZ".to_vec();
        bytes.resize(0x3c, 0);
        bytes.extend_from_slice(&[0x40, 0, 0, 0]);
        [&bytes, mark].concat()
    };
    for (bytes, expected) in [
        (Vec::new(), "empty"),
        (vec![0; 70_000], "zeros"),
        (b"MZ".to_vec(), "MS-DOS program"),
        (new_header(b"NE\x05"), "NE program"),
        (new_header(b"LE\0\0"), "LE program"),
        (new_header(b"????"), "MS-DOS program"),
        (b"plain words\r\n".to_vec(), "text"),
        (b"#!perl".to_vec(), "script"),
        (vec![0, 1, 2], "data"),
    ] {
        let content = content(&bytes);
        assert_eq!((content.kind, content.executable), (expected, None));
    }
}

#[test]
fn a_file_over_the_limit_is_not_read() {
    let bytes = Program::new("x.exe").build();
    let size = bytes.len() as u64;
    for (largest, is_read) in [(size, true), (size - 1, false), (0, false)] {
        let found = read(&mut Cursor::new(&bytes), largest, NAME, None).unwrap();
        assert_eq!(found.is_some(), is_read, "{largest}");
    }
}

#[test]
fn a_collector_that_wrote_down_other_digests_is_named() {
    let recorded = |sha256: &str| RecordedHash {
        source: "copylog.csv".to_owned(),
        sha256: Some(sha256.to_owned()),
        ..RecordedHash::default()
    };
    let read = |recorded: &RecordedHash| {
        let found = read(&mut Cursor::new(b"x"), 9, NAME, Some(recorded)).unwrap().unwrap();
        found.content.collector_disagrees
    };
    let right = crate::text::hex(&Sha256::digest(b"x"));
    assert_eq!(read(&recorded(&right.to_uppercase())), None);
    let wrong = "00".repeat(32);
    assert_eq!(read(&recorded(&wrong)), Some(format!("copylog.csv says SHA-256 {wrong}")));
}

/// A small image with everything in it.
fn full() -> Vec<u8> {
    Program::new("x.dll")
        .version(version("Contoso Ltd"))
        .resource("KIND", "NAME", b"resource")
        .pdb("x.pdb")
        .overlay(b"overlay")
        .certificates(&[1; 16])
        .build()
}

#[test]
fn an_image_that_is_cut_anywhere_is_read_as_far_as_it_goes() {
    let whole = full();
    let end = content(&whole).executable.unwrap().sections.len() * 0x400;
    for length in 1..whole.len() {
        let content = content(&whole[..length]);
        assert_eq!(content.size, length as u64);
        let Some(executable) = content.executable else {
            assert!(length < 0x84, "{length}: {}", content.kind);
            continue;
        };
        if length < end {
            assert!(!executable.damage.is_empty(), "{length}");
        }
        if length > 0x98 {
            assert_eq!(executable.machine, 0x8664, "{length}");
        }
    }
}

#[test]
fn an_image_with_any_byte_turned_is_read() {
    let whole = full();
    for at in 0..whole.len() {
        for mask in [0xff, 0x80, 0x01] {
            let mut bytes = whole.clone();
            bytes[at] ^= mask;
            let content = content(&bytes);
            assert_eq!(content.size, whole.len() as u64, "{at}");
            // What is no header may change what is found, and never takes the rest away.
            if at >= 0x400 {
                let executable = content.executable.unwrap();
                assert_eq!((executable.machine, executable.sections.len()), (0x8664, 4), "{at}");
                assert!(executable.damage.len() <= 4, "{at}: {:?}", executable.damage);
            }
        }
    }
}

/// Counts what is read of it.
struct Counted {
    bytes: Cursor<Vec<u8>>,
    read: u64,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(buffer)?;
        self.read += read as u64;
        Ok(read)
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.bytes.seek(to)
    }
}

fn put(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

#[test]
fn tables_that_never_end_cost_no_more_than_is_allowed() {
    const HEADER: usize = 0x80;
    let first_section = HEADER + 24 + 240;
    // One section over the whole file, filled with a number that is a good address in it.
    let plain = Program::new("x.dll").section(".x", pe::DATA, &vec![0x11; 0x20_0000]).build();
    let mut everywhere = plain.clone();
    put(&mut everywhere, first_section + 8, 0x2000_0000);
    put(&mut everywhere, first_section + 12, 0x1000);
    put(&mut everywhere, first_section + 16, u32::MAX);
    put(&mut everywhere, first_section + 20, 0x200);
    let mut bombs = vec![everywhere.clone()];
    for directory in [0, 1, 2, 6, 13] {
        let mut bytes = everywhere.clone();
        for chunk in bytes[0x1_0000..].chunks_exact_mut(8) {
            chunk.copy_from_slice(&[0x00, 0x60, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00]);
        }
        put(&mut bytes, HEADER + 24 + 112 + directory * 8, 0x1_2000);
        put(&mut bytes, HEADER + 24 + 112 + directory * 8 + 4, u32::MAX);
        bombs.push(bytes);
    }
    let mut sections = plain;
    sections[HEADER + 6..HEADER + 8].copy_from_slice(&u16::MAX.to_le_bytes());
    for index in 0..96 {
        let at = first_section + index * 40;
        put(&mut sections, at + 16, 0x1f_0000);
        put(&mut sections, at + 20, 0x200 + u32::try_from(index).unwrap() * 0x200);
    }
    bombs.push(sections);
    for (index, bytes) in bombs.into_iter().enumerate() {
        let size = bytes.len() as u64;
        let mut counted = Counted { bytes: Cursor::new(bytes), read: 0 };
        let found = read(&mut counted, 1 << 30, NAME, None).unwrap().unwrap();
        let executable = found.content.executable.unwrap();
        assert!(executable.sections.len() <= 96 && executable.exports.len() <= 64, "{index}");
        assert!(executable.libraries.len() <= 256, "{index}");
        assert!(!executable.damage.is_empty(), "{index}");
        assert!(counted.read <= size + (64 << 20) + 4096, "{index}: {}", counted.read);
    }
}

#[test]
fn an_error_of_the_evidence_is_an_error() {
    struct Broken(u64);
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("bad sector"))
        }
    }
    impl Seek for Broken {
        fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
            Ok(self.0)
        }
    }
    let error = read(&mut Broken(4096), 1 << 30, NAME, None).err().unwrap();
    assert_eq!(error.to_string(), "bad sector");
}

/// Files of Windows in the corpus; `None`, and said so, without one. What is asserted of them pefile and LIEF say as well.
#[expect(clippy::disallowed_methods, reason = "the tests' own files, not a report's evidence")]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn of_windows(name: &str) -> Option<FileContent> {
    let corpus = std::env::var_os("SVCTRIAGE_CORPUS").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"),
        std::path::PathBuf::from,
    );
    let Ok(bytes) = std::fs::read(corpus.join("signatures").join(name)) else {
        eprintln!("skipped: no corpus");
        return None;
    };
    Some(content(&bytes))
}

#[test]
fn a_driver_of_windows_7_is_read() {
    let Some(content) = of_windows("pciide.sys") else { return };
    assert_eq!(content.digests.md5, "b5b8b5ef2e5cb34df8dcf8831e3534fa");
    let driver = content.executable.unwrap();
    assert!(driver.is_native() && !driver.is_reproducible && driver.damage.is_empty());
    assert_eq!(driver.imphash.as_deref(), Some("a21adff630a60cf728716f92d6edc833"));
    assert_eq!(driver.libraries, ["ntoskrnl.exe", "pciidex.sys"]);
    assert_eq!(driver.linked.map(|time| time.to_string()).as_deref(), Some("2009-07-13T23:19:49Z"));
    assert_eq!(driver.pdb.as_deref(), Some("pciide.pdb"));
    let digests: Vec<_> = driver.authentihashes.iter().map(|(_, digest)| digest.as_str()).collect();
    assert_eq!(
        digests,
        [
            "9bd444d58b59cca832bb5fc911f81f6c66b40fcc",
            "5cd3641543e7849664975a1465e6835c91d311dd4468decc38caa63c1fb6d462"
        ]
    );
    let entropies: Vec<_> =
        driver.sections.iter().map(|one| (one.name.as_str(), one.entropy)).collect();
    assert_eq!(
        entropies,
        [
            (".text", 5587),
            (".rdata", 1643),
            (".data", 301),
            (".pdata", 648),
            ("INIT", 3321),
            (".rsrc", 3428)
        ]
    );
    let version = driver.version.unwrap();
    assert_eq!(version.company.as_deref(), Some("Microsoft Corporation"));
    assert_eq!(version.original_name.as_deref(), Some("pciide.sys"));
    assert_eq!(version.version.as_deref(), Some("6.1.7600.16385 (win7_rtm.090713-1255)"));
}

#[test]
fn a_library_of_windows_11_is_read() {
    let Some(content) = of_windows("DXCore.dll") else { return };
    let library = content.executable.unwrap();
    assert!(library.is_library() && library.is_reproducible && library.linked.is_none());
    assert_eq!(library.imphash.as_deref(), Some("2a8133635f33398790f28cb58444eb47"));
    assert_eq!(library.exports, ["DXCoreCreateAdapterFactory"]);
    assert_eq!((library.sections.len(), library.hints.len(), library.damage.len()), (8, 0, 0));
    assert_eq!(library.version.unwrap().original_name.as_deref(), Some("DXCore.DLL"));
}
