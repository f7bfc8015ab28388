//! What DFIR-ORC collected: an archive of archives (`SystemHives.7z`, `Event.7z`), each with its files under made-up
//! names and `GetThis.csv`, which says what they were; or the same unpacked.
//!
//! Layout: DFIR-ORC's `GetThis_Run.cpp` and `GetThisSqlSchema.xml`, dfir-orc-config.

mod get_this;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::inventory::Inventory;
use super::overlay::Overlay;
use super::site::{Site, bounded, hosts};
use super::survey::{self, survey_below};
use super::windows_tree::WindowsTree;
use super::{ArchiveOpened, Layout, Options, SharedTree, Taken, host_name};
use crate::diagnostic::{Diagnostic, Impact};
use crate::error::Error;
use crate::evidence::{Description, EvidencePath, HostName, RecordedHash, WindowsFolder};
use crate::text::fold;

pub(super) const LAYOUT: Layout = Layout {
    name: "DFIR-ORC collection",
    known_by: "`GetThis.csv`, in the folder or archive or in those in it",
    open,
};

/// The record in each archive.
const RECORD: &str = "GetThis.csv";
/// What `WolfLauncher` writes beside the archives, in upper case.
const STATISTICS: [&str; 2] = ["JOBSTATISTICS.CSV", "PROCESSSTATISTICS.CSV"];
/// Folders and archives that are looked into for the record.
const MAX_PARTS: usize = 64;
/// The password that DFIR-ORC's default configuration gives its inner archives, against antivirus software.
const PASSWORD: &str = "avproof";

fn open(tree: &SharedTree, about: &Description, options: &Options) -> Result<Taken, Error> {
    Site::top(tree, about, options).offer(take)
}

/// The hosts of a collection whose top is that folder.
pub(super) fn take(site: &Site<'_>) -> Result<Taken, Error> {
    let mut collected = Collected::new(site);
    let archives = inner_archives(site);
    let mut below = site.options.clone();
    below.archive_passwords.push(PASSWORD.into());
    for archive in &bounded(archives, MAX_PARTS, "archives", &site.base, &mut collected.diagnostics)
    {
        match super::open_inner(&site.given(archive), &below) {
            Ok(inner) => collected.add_archive(archive, inner),
            Err(error) => collected.diagnostics.push(Diagnostic {
                artifact: archive.to_string(),
                impact: Impact::Lost,
                message: format!("an archive of the collection cannot be opened: {error}"),
            }),
        }
    }
    collected.add_folders(site);
    if collected.records.is_empty() {
        return match collected.diagnostics.into_iter().next() {
            Some(first) => site.refuse_or_leave(&format!(
                "a DFIR-ORC collection of which no archive can be opened: {}: {}",
                first.artifact, first.message
            )),
            None => Ok(Taken::No),
        };
    }
    collected.read();
    Ok(collected.hosts(site))
}

/// The archives of a collection, if it is one: by its name or by the statistics in it.
fn inner_archives(site: &Site<'_>) -> Vec<EvidencePath> {
    let is_named = fold(site.stem()).starts_with("DFIR-ORC_");
    if !is_named && site.files(|name| STATISTICS.contains(&name)).is_empty() {
        return Vec::new();
    }
    let is_archive = |name: &str| {
        name.rsplit_once('.').is_some_and(|(_, extension)| matches!(extension, "7Z" | "ZIP"))
    };
    site.files(is_archive)
}

/// A `GetThis.csv`: its tree, where it is in it, and where the tree is in the collection.
struct Record {
    tree: SharedTree,
    path: EvidencePath,
    at: Option<EvidencePath>,
}

impl Record {
    /// Where it is in the collection.
    fn place(&self) -> EvidencePath {
        match &self.at {
            Some(at) => EvidencePath::new(&format!("{at}/{}", self.path)),
            None => self.path.clone(),
        }
    }
}

/// A volume or a shadow copy of one, as the records name them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Volume {
    /// Its serial number in hexadecimal digits.
    serial: String,
    /// The identifier of the shadow copy; absent for the volume as it was.
    snapshot: Option<String>,
}

/// What the records say.
struct Collected {
    base: EvidencePath,
    overlay: Overlay,
    files: Inventory,
    records: Vec<Record>,
    volumes: BTreeMap<Volume, EvidencePath>,
    recorded: BTreeMap<EvidencePath, RecordedHash>,
    host_name: Option<HostName>,
    diagnostics: Vec<Diagnostic>,
}

impl Collected {
    fn new(site: &Site<'_>) -> Self {
        Self {
            base: site.base.clone(),
            overlay: Overlay::new(&site.tree, str::to_owned),
            files: Inventory::default(),
            records: Vec::new(),
            volumes: BTreeMap::new(),
            recorded: BTreeMap::new(),
            host_name: None,
            diagnostics: Vec::new(),
        }
    }

    /// Takes an archive of the collection.
    fn add_archive(
        &mut self,
        archive: &EvidencePath,
        ArchiveOpened { tree, diagnostics, .. }: ArchiveOpened,
    ) {
        self.diagnostics.extend(diagnostics);
        let root = EvidencePath::root();
        let record = tree.list(&root).file(RECORD).map(|entry| entry.path.clone());
        let Some(path) = record else { return };
        self.files.add(tree.as_ref(), &root, Some(archive), &mut self.diagnostics);
        self.overlay.mount(archive.clone(), SharedTree::clone(&tree));
        self.records.push(Record { tree, path, at: Some(archive.clone()) });
    }

    /// Takes what is unpacked: the folder itself and those in it.
    fn add_folders(&mut self, site: &Site<'_>) {
        let below = site.contents.folders().map(|entry| entry.path.clone());
        let folders: Vec<EvidencePath> = std::iter::once(site.base.clone()).chain(below).collect();
        let mut cut = Vec::new();
        for folder in bounded(folders, MAX_PARTS, "folders", &site.base, &mut cut) {
            let record = site.tree.list(&folder).file(RECORD).map(|entry| entry.path.clone());
            let Some(path) = record else { continue };
            self.files.add(site.tree.as_ref(), &folder, None, &mut self.diagnostics);
            self.records.push(Record { tree: SharedTree::clone(&site.tree), path, at: None });
        }
        // Only of a collection is it worth telling that it was not looked at as a whole.
        if !self.records.is_empty() {
            self.diagnostics.extend(cut);
        }
    }

    fn read(&mut self) {
        for record in std::mem::take(&mut self.records) {
            get_this::read(&record, self);
        }
    }

    /// The folder in which a volume is shown.
    fn root_of(&mut self, volume: Volume) -> EvidencePath {
        let Self { base, overlay, volumes, .. } = self;
        let root = volumes.entry(volume).or_insert_with_key(|volume| {
            let snapshot = volume.snapshot.as_ref().map(|id| format!(" shadow copy {id}"));
            let name = format!("volume {}{}", volume.serial, snapshot.unwrap_or_default());
            let root = base.child(&name);
            overlay.make_folder(&root);
            root
        });
        root.clone()
    }

    fn hosts(self, site: &Site<'_>) -> Taken {
        let Self { overlay, volumes, recorded, host_name, mut diagnostics, .. } = self;
        let tree: SharedTree = Arc::new(overlay);
        let mut by_serial: BTreeMap<String, Vec<WindowsFolder>> = BTreeMap::new();
        for (volume, root) in volumes {
            let label = volume.snapshot.map(|id| format!("shadow copy {id}"));
            let found = survey_below(tree.as_ref(), &root, label.as_deref());
            diagnostics.extend(found.diagnostics);
            by_serial.entry(volume.serial).or_default().extend(found.windows);
        }
        let host_name = host_name.or_else(|| host_name::of_orc(site.stem()));
        let about = Description { format: LAYOUT.name, host_name, ..site.about.clone() };
        let found: Vec<Description> = by_serial
            .into_values()
            .flat_map(survey::hosts)
            .map(|windows| {
                let mut description = Description { windows, ..about.clone() };
                description.diagnostics.extend(diagnostics.iter().cloned());
                description
            })
            .collect();
        if found.is_empty() {
            return Taken::No;
        }
        hosts(site, found, |description| {
            WindowsTree::new(&tree, description).with_recorded(recorded.clone())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use tempfile::TempDir;

    use super::*;
    use crate::evidence::folder::Folder;
    use crate::evidence::{Magic, Pattern, Place};

    const SYSTEM: Pattern =
        Pattern { magic: Magic::Hive, places: &[Place::current("System32/config/SYSTEM")] };

    #[expect(clippy::disallowed_methods, reason = "the test makes its own evidence")]
    fn inner(name: &str, row: &str) -> (TempDir, ArchiveOpened) {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join(name), b"regf and the rest").unwrap();
        let record = format!("ComputerName,VolumeID,FullName,SampleName,SnapshotID\n{row}\n");
        std::fs::write(folder.path().join(RECORD), record).unwrap();
        let tree: SharedTree = Arc::new(Folder::new(folder.path()));
        (folder, ArchiveOpened { tree, words: String::new(), diagnostics: Vec::new() })
    }

    #[test]
    fn files_in_archives_of_the_collection_have_their_place() {
        let outside = TempDir::new().unwrap();
        let tree: SharedTree = Arc::new(Folder::new(outside.path()));
        let path = "case/DFIR-ORC_WorkStation_WS01_General.7z".to_owned();
        let about = Description { path, ..Description::default() };
        let options = Options::default();
        let site = Site::top(&tree, &about, &options);
        let mut collected = Collected::new(&site);
        let (_now, now) = inner("a.data", r",0x1,\Windows\System32\config\SYSTEM,a.data,{0}");
        let (_then, then) = inner("a.data", r",0x1,C:\Windows\System32\config\SYSTEM,A.DATA,{A1}");
        collected.add_archive(&EvidencePath::new("SystemHives.7z"), now);
        collected.add_archive(&EvidencePath::new("Older.7z"), then);
        collected.read();
        let Taken::Hosts(hosts) = collected.hosts(&site) else { panic!("no host") };
        let [host] = &hosts[..] else { panic!("{} hosts", hosts.len()) };
        assert_eq!(host.describe().host_name.as_ref().unwrap().name, "WS01");
        assert!(host.describe().diagnostics.is_empty(), "{:?}", host.describe().diagnostics);
        let found = host.find(&SYSTEM).found;
        let seen: Vec<(&str, Option<&str>)> =
            found.iter().map(|one| (one.path.as_str(), one.history.as_deref())).collect();
        let label = "shadow copy A1";
        assert_eq!(seen, [("SystemHives.7z/a.data", None), ("Older.7z/a.data", Some(label))]);
        let mut bytes = Vec::new();
        host.open(&found[0].path).unwrap().read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, b"regf and the rest");
    }
}
