//! Files behind the services of the story: one that fell from the web, one of Windows, one that is gone, one in another's
//! place; and a file with hostile text wherever evidence can put it.

#![expect(clippy::unwrap_used, reason = "a test may stop at a surprise")]

use std::sync::Arc;

use svctriage::evidence::{Metadata, Storage, TimeSource, Times};
use svctriage::host::program_file::{
    CertificateName, Digests, Executable, FileContent, FileRecord, FileState, Hint, KnownList,
    ListMatch, Neighborhood, ProgramFile, ProgramSection, Purpose, RuleMatch, ServiceFile,
    Signature, SignatureStatus, Signer, SigningTime, TimeAuthority, VersionResource, WriteAccess,
    ZoneMark, wanted,
};
use svctriage::host::{Citation, Host, Place, Provenance};

fn citation(path: &str) -> Citation {
    Citation { artifact: Arc::from(path), place: Place::File, provenance: Provenance::Live }
}

fn times(source: TimeSource, created: &str) -> Times {
    let time = created.parse().ok();
    Times { source, created: time, modified: time, changed: time, accessed: None }
}

fn metadata(name: &str, record: u64, created: &str) -> Metadata {
    Metadata {
        names: vec![name.to_owned()],
        size: 18_432,
        record: Some(record),
        attributes: Some(0x22),
        times: vec![
            times(TimeSource::StandardInformation, "2019-12-07T09:08:11Z"),
            times(TimeSource::FileName(name.to_owned()), created),
        ],
        ..Metadata::default()
    }
}

fn content(digit: &str) -> FileContent {
    FileContent {
        size: 18_432,
        digests: Digests {
            sha256: digit.repeat(64),
            sha1: digit.repeat(40),
            md5: digit.repeat(32),
        },
        collector_disagrees: None,
        kind: "PE image",
        executable: None,
    }
}

fn executable(text: &str) -> Executable {
    Executable {
        machine: 0x8664,
        subsystem: 3,
        characteristics: 0x22,
        time_stamp: 0x6239_c0de,
        is_reproducible: false,
        linked: "2022-03-22T12:27:10Z".parse().ok(),
        imphash: Some("ab".repeat(16)),
        authentihashes: vec![("sha256".to_owned(), "cd".repeat(32))],
        version: Some(VersionResource {
            company: Some(text.to_owned()),
            product: Some(text.to_owned()),
            description: Some(text.to_owned()),
            original_name: Some(text.to_owned()),
            internal_name: None,
            version: Some(text.to_owned()),
        }),
        sections: vec![ProgramSection {
            name: text.to_owned(),
            size: 16_384,
            entropy: 7_912,
            is_code: true,
            is_writable_code: true,
        }],
        overlay: Some((2_048, 7_990)),
        packer: Some("UPX".to_owned()),
        exports_service_main: false,
        export_count: 1,
        exports: vec![text.to_owned()],
        imports_dispatcher: true,
        names_dispatcher: true,
        libraries: vec!["advapi32.dll".to_owned(), text.to_owned()],
        hints: vec![Hint::Go],
        pdb: Some(text.to_owned()),
        damage: vec![text.to_owned()],
    }
}

fn signature(status: SignatureStatus, name: &str) -> Signature {
    let at = "2021-05-11T07:00:00Z".parse().unwrap();
    Signature {
        status,
        digest: Some("sha256"),
        signers: vec![Signer {
            name: name.to_owned(),
            chain: vec![CertificateName {
                subject: format!("CN={name}"),
                issuer: format!("CN={name} CA"),
                serial: "33000002".to_owned(),
                thumbprint: "ef".repeat(20),
                not_before: "2020-12-15T21:29:14Z".parse().ok(),
                not_after: "2021-12-02T21:29:14Z".parse().ok(),
            }],
            time: Some(SigningTime {
                time: at,
                authority: TimeAuthority::Rfc3161,
                name: name.to_owned(),
            }),
        }],
        remarks: vec![name.to_owned()],
        namesake: Some(citation(name)),
        ..Signature::default()
    }
}

fn fallen_from_the_web() -> ProgramFile {
    let path = "C/Users/Public/w.exe";
    let mut metadata = metadata("w.exe", 91_204, "2026-10-30T12:00:07.1234567Z");
    metadata.streams = vec![("Zone.Identifier".to_owned(), 112)];
    let access = WriteAccess {
        owner: Some("S-1-5-21-1004336348-1177238915-682003330-1109".to_owned()),
        writers: vec!["Users".to_owned()],
        folder_writers: vec!["Everyone".to_owned(), "Users".to_owned()],
    };
    let record = FileRecord {
        metadata,
        zone: Some(ZoneMark {
            zone: Some(3),
            url: Some("http://203.0.113.9/w.exe".to_owned()),
            referrer: None,
        }),
        access: Some(access),
        neighborhood: Some(Neighborhood {
            looked_at: 32,
            middle: "2026-10-30T11:58:00Z".parse().ok(),
            born_together: 30,
        }),
    };
    let executable = Some(Executable { damage: Vec::new(), ..executable("Contoso") });
    ProgramFile {
        record: Some(record),
        content: Some(FileContent { executable, ..content("1") }),
        signature: Signature { status: SignatureStatus::Unsigned, ..Signature::default() },
        deleted: vec![(
            citation(path),
            FileRecord {
                metadata: self::metadata("w.exe", 91_100, "2026-10-29T20:00:00Z"),
                ..FileRecord::default()
            },
        )],
        ..ProgramFile::at(r"C:\Users\Public\w.exe", FileState::Present, citation(path))
    }
}

fn of_windows() -> ProgramFile {
    let path = "C/Windows/System32/spoolsv.exe";
    let storage = Storage::Overlay("XPRESS4K");
    let metadata = Metadata { storage, ..metadata("spoolsv.exe", 1_204, "2019-12-07T09:08:11.5Z") };
    ProgramFile {
        record: Some(FileRecord { metadata, ..FileRecord::default() }),
        content: Some(content("2")),
        signature: Signature {
            catalog: Some(citation("C/Windows/System32/CatRoot/x/Package_1.cat")),
            is_windows: true,
            is_microsoft: true,
            ..signature(SignatureStatus::ValidCatalog, "Microsoft Windows")
        },
        ..ProgramFile::at(r"C:\Windows\System32\spoolsv.exe", FileState::Present, citation(path))
    }
}

/// Puts a file behind every service of the story.
pub(crate) fn of_story(host: &mut Host) {
    let gone =
        ProgramFile::at(r"C:\ProgramData\s.bat", FileState::Missing, citation("C/ProgramData"));
    let elsewhere = ProgramFile {
        remark: Some("the evidence holds no volume D:".to_owned()),
        ..ProgramFile::at(r"D:\x.exe", FileState::NotCollected, citation("C"))
    };
    let first = ProgramFile {
        content: Some(content("3")),
        unread: Some("larger than the limit of 512 MiB".to_owned()),
        ..ProgramFile::at(r"C:\Program.exe", FileState::Present, citation("C/Program.exe"))
    };
    let files = vec![first, gone, fallen_from_the_web(), of_windows(), elsewhere];
    let wanted = wanted(host);
    let links = wanted.iter().map(|wanted| {
        let raw = wanted.path.raw.as_str();
        let (file, meant) = match &wanted.purpose {
            Purpose::FailureCommand => (1, None),
            _ if raw.contains("w.exe") => (2, None),
            _ if raw.contains("spoolsv") => (3, None),
            _ if raw.contains("PSEXESVC") => (0, Some(4)),
            _ => (4, None),
        };
        let steps = vec![format!("{raw} as stored")];
        ServiceFile { purpose: wanted.purpose.clone(), file, meant, steps }
    });
    let links = links.collect();
    host.attach_files(&wanted, files, links);
}

/// Puts a file with hostile text wherever evidence can put it behind every service, in every state.
pub(crate) fn hostile(host: &mut Host, text: &str) {
    let given = || Some(text.to_owned());
    let mut metadata = metadata(text, 1, "2026-10-30T12:00:07Z");
    metadata.names.push(text.to_owned());
    metadata.streams = vec![(text.to_owned(), 1)];
    let record = FileRecord {
        metadata,
        zone: Some(ZoneMark { zone: Some(3), url: given(), referrer: given() }),
        access: Some(WriteAccess {
            owner: given(),
            writers: vec![text.to_owned()],
            folder_writers: vec![text.to_owned()],
        }),
        neighborhood: None,
    };
    let list = ListMatch {
        list: KnownList::KnownBad,
        source: text.to_owned(),
        by: text.to_owned(),
        remark: text.to_owned(),
    };
    let rule = RuleMatch {
        rule: text.to_owned(),
        source: text.to_owned(),
        tags: vec![text.to_owned()],
        meta: vec![(text.to_owned(), text.to_owned())],
        strings: vec![(text.to_owned(), 7)],
    };
    let file = |number: usize, state, status| ProgramFile {
        remark: given(),
        record: Some(record.clone()),
        content: Some(FileContent {
            collector_disagrees: given(),
            executable: Some(executable(text)),
            ..content("4")
        }),
        unread: given(),
        signature: Signature {
            reason: given(),
            catalog: Some(citation(text)),
            ..signature(status, text)
        },
        listed: vec![list.clone()],
        rule_matches: vec![rule.clone()],
        deleted: vec![(citation(text), record.clone())],
        ..ProgramFile::at(format!("{}{text}", "\\".repeat(number)), state, citation(text))
    };
    let files = vec![
        file(0, FileState::Present, SignatureStatus::Invalid),
        file(1, FileState::Missing, SignatureStatus::Unknown),
        file(2, FileState::NotCollected, SignatureStatus::UntrustedRoot),
        file(3, FileState::Unreadable, SignatureStatus::ExpiredWithoutTimestamp),
    ];
    let wanted = wanted(host);
    let links = wanted.iter().enumerate().map(|(at, wanted)| ServiceFile {
        purpose: wanted.purpose.clone(),
        file: at % 4,
        meant: Some(1),
        steps: vec![text.to_owned()],
    });
    let links = links.collect();
    host.attach_files(&wanted, files, links);
}
