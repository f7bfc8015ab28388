//! Files behind the services of scenes.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Data, Scene};
use crate::evidence::{Metadata, TimeSource, Times};
use crate::host::Host;
use crate::host::citation::{Citation, Place, Provenance};
use crate::host::coverage::{Origin, State};
use crate::host::program_file::{
    Digests, Executable, FileContent, FileRecord, FileState, ProgramFile, Purpose, ServiceFile,
    Signature, SignatureStatus, Signer, wanted,
};

impl Scene {
    /// Reads a whole file system, in which the file of that purpose is an ordinary one but for the change. Files of other
    /// purposes are ordinary unless given. Where a purpose is given twice, the first file stands before the second one,
    /// which was meant.
    #[must_use]
    pub fn file(mut self, purpose: Purpose, change: impl FnOnce(&mut ProgramFile)) -> Self {
        self.cover(Origin::FileSystem, State::Complete);
        self.cover(Origin::Catalogs, State::Complete);
        let is_driver = self.config.as_ref().is_some_and(|config| {
            let image = config.value("ImagePath").map(|value| &value.data);
            matches!(image, Some(Data::Text(path)) if path.rsplit('.').next() == Some("sys"))
        });
        let mut file = ordinary("", &purpose, is_driver);
        change(&mut file);
        self.files.push((purpose, file));
        self
    }

    /// The same for its program.
    #[must_use]
    pub fn program(self, change: impl FnOnce(&mut ProgramFile)) -> Self {
        self.file(Purpose::Image, change)
    }
}

/// A file of a known vendor, born long before noon and validly signed.
fn ordinary(path: &str, purpose: &Purpose, is_driver: bool) -> ProgramFile {
    let born = born();
    let times = |source| Times {
        source,
        created: Some(born),
        modified: Some(born),
        changed: Some(born),
        accessed: Some(born),
    };
    let metadata = Metadata {
        names: vec![path.rsplit('\\').next().unwrap_or_default().to_owned()],
        size: 0x4_0000,
        record: Some(4711),
        times: vec![
            times(TimeSource::StandardInformation),
            times(TimeSource::FileName(String::new())),
        ],
        ..Metadata::default()
    };
    let signer = Signer { name: "Contoso Ltd".to_owned(), ..Signer::default() };
    ProgramFile {
        record: Some(FileRecord { metadata, ..FileRecord::default() }),
        content: Some(FileContent {
            size: 0x4_0000,
            digests: Digests {
                sha256: "11".repeat(32),
                sha1: "22".repeat(20),
                md5: "33".repeat(16),
            },
            collector_disagrees: None,
            kind: "PE image",
            executable: Some(ordinary_image(purpose, is_driver)),
        }),
        signature: Signature {
            status: SignatureStatus::Valid,
            digest: Some("sha256"),
            signers: vec![signer],
            ..Signature::default()
        },
        ..ProgramFile::at(path, FileState::Present, citation(path))
    }
}

/// What such a file is for its purpose: a program that connects to the service control manager, a DLL with the functions that
/// svchost calls, a driver.
fn ordinary_image(purpose: &Purpose, is_driver: bool) -> Executable {
    let image = Executable {
        machine: 0x8664,
        linked: born().checked_sub(SignedDuration::from_hours(240)).ok(),
        ..Executable::default()
    };
    let libraries = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    match purpose {
        Purpose::Image if is_driver => Executable {
            subsystem: 1,
            characteristics: 0x22,
            libraries: libraries(&["ntoskrnl.exe"]),
            ..image
        },
        Purpose::ServiceDll | Purpose::LoadPoint(_) => Executable {
            subsystem: 2,
            characteristics: 0x2022,
            exports: vec!["ServiceMain".to_owned()],
            export_count: 1,
            exports_service_main: true,
            libraries: libraries(&["kernel32.dll", "advapi32.dll"]),
            ..image
        },
        _ => Executable {
            subsystem: 3,
            characteristics: 0x22,
            imports_dispatcher: true,
            names_dispatcher: true,
            libraries: libraries(&["kernel32.dll", "advapi32.dll"]),
            ..image
        },
    }
}

/// 300 days and some 100 ns ticks before noon: no program sets such a time.
fn born() -> Timestamp {
    let before = SignedDuration::new(-300 * 86_400, 123_456_700);
    Scene::noon().checked_add(before).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn citation(path: &str) -> Citation {
    let path = path.replace('\\', "/").replacen("C:/", "", 1);
    Citation { artifact: Arc::from(path), place: Place::File, provenance: Provenance::Live }
}

/// The file, at that path where it has none.
fn placed(mut file: ProgramFile, path: &str) -> ProgramFile {
    if file.path.is_empty() {
        path.clone_into(&mut file.path);
    }
    file.citation = citation(&file.path);
    file
}

/// Puts the given files, and ordinary ones for the rest, behind the host's services. Nothing where none was given.
pub(super) fn attach(host: &mut Host, given: &[(Purpose, ProgramFile)]) {
    if given.is_empty() {
        return;
    }
    let wanted = wanted(host);
    let mut files = Vec::new();
    let mut links = Vec::new();
    for one in &wanted {
        let path = &one.path.expanded;
        let own = given.iter().filter(|(purpose, _)| *purpose == one.purpose);
        let mut own: Vec<ProgramFile> = own.map(|(_, file)| file.clone()).take(2).collect();
        if own.is_empty() {
            let is_phantom = matches!(one.purpose, Purpose::Phantom(_));
            let missing = || ProgramFile::at("", FileState::Missing, citation(""));
            let is_driver = one.path.extension() == "sys";
            let ordinary = || ordinary(path, &one.purpose, is_driver);
            own.push(if is_phantom { missing() } else { ordinary() });
        }
        let first = files.len();
        links.push(ServiceFile {
            purpose: one.purpose.clone(),
            file: first,
            meant: (own.len() > 1).then_some(first.saturating_add(1)),
            steps: Vec::new(),
        });
        files.extend(own.into_iter().map(|file| placed(file, path)));
    }
    host.attach_files(&wanted, files, links);
}
