//! Which files were uploaded, by the names that Velociraptor's records give them.

use std::collections::BTreeMap;

use super::names::{Volume, decode, place, volume};
use crate::diagnostic::Diagnostic;
use crate::evidence::EvidencePath;
use crate::evidence::file_tree::FileTree;
use crate::text::fold;

use super::super::inventory::Inventory;

/// The accessors that read a host's files, in the order in which they are believed where several read the same:
/// `auto` takes the file system's word where it can and reads the volume itself where it cannot, the `ntfs`
/// family reads the volume. `ntfs_vss` gives the live volume too, and beside it what differs in shadow copies.
const ACCESSORS: [&str; 6] = ["auto", "ntfs", "lazy_ntfs", "mft", "file", "ntfs_vss"];

/// The folder that everything was uploaded to.
pub(super) const UPLOADS: &str = "uploads";

/// The folder of what one accessor read from one volume.
pub(super) struct Upload {
    pub(super) accessor: String,
    /// The volume's name as it is on the host.
    pub(super) name: String,
    pub(super) volume: Volume,
    pub(super) path: EvidencePath,
}

/// The files of a collection.
pub(super) struct Stored {
    pub(super) files: Inventory,
    /// The folder of them all: `uploads`.
    root: EvidencePath,
    /// The most believed accessor first, then by volume.
    pub(super) volumes: Vec<Upload>,
    by_components: BTreeMap<String, EvidencePath>,
    by_place: BTreeMap<String, Vec<EvidencePath>>,
}

impl Stored {
    /// Looks at everything below `uploads`.
    pub(super) fn look(
        tree: &dyn FileTree,
        uploads: &EvidencePath,
        told: &mut Vec<Diagnostic>,
    ) -> Self {
        let files = Inventory::of(tree, uploads, told);
        let mut volumes = Vec::new();
        for accessor in tree.list(uploads).folders() {
            for entry in tree.list(&accessor.path).folders() {
                let name = decode(&entry.name);
                volumes.push(Upload {
                    accessor: decode(&accessor.name),
                    volume: volume(&name),
                    name,
                    path: entry.path.clone(),
                });
            }
        }
        volumes.sort_by_key(|upload| (rank(&upload.accessor), upload.path.clone()));
        let root = uploads.clone();
        let (by_components, by_place) = (BTreeMap::new(), BTreeMap::new());
        let mut stored = Self { files, root, volumes, by_components, by_place };
        stored.index();
        stored
    }

    fn index(&mut self) {
        let above = self.root.components().count();
        for (path, _) in self.files.iter() {
            let names: Vec<String> = path.components().skip(above).map(decode).collect();
            self.by_components.entry(key(&names)).or_insert_with(|| path.clone());
            if let [_, on, rest @ ..] = names.as_slice() {
                let place = place(&volume(on), rest.iter().map(String::as_str));
                self.by_place.entry(place).or_default().push(path.clone());
            }
        }
    }

    /// The file of those components, which begin with `uploads`.
    pub(super) fn by_components(&self, components: &[String]) -> Option<&EvidencePath> {
        let (first, rest) = components.split_first()?;
        self.by_components.get(&key(rest)).filter(|_| first == UPLOADS)
    }

    /// The file of that stored name, which begins with `uploads/`.
    pub(super) fn by_name(&self, name: &str) -> Option<&EvidencePath> {
        let rest = name.trim_start_matches('/').strip_prefix(UPLOADS)?.strip_prefix('/')?;
        self.files.find(self.root.child(rest).as_str()).map(|(path, _)| path)
    }

    /// The files that are that place of the host: one for each accessor that read it.
    pub(super) fn at(&self, place: &str) -> &[EvidencePath] {
        self.by_place.get(place).map(Vec::as_slice).unwrap_or_default()
    }

    /// The folder of an accessor's volume.
    pub(super) fn volume_of(&self, accessor: &str, name: &str) -> Option<&Upload> {
        let is = |upload: &&Upload| {
            fold(&upload.accessor) == fold(accessor) && fold(&upload.name) == fold(name)
        };
        self.volumes.iter().find(is)
    }
}

/// Whether a folder is named after an accessor.
pub(super) fn is_accessor(name: &str) -> bool {
    rank(name) < ACCESSORS.len()
}

fn rank(accessor: &str) -> usize {
    ACCESSORS.iter().position(|known| *known == accessor).unwrap_or(ACCESSORS.len())
}

fn key(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| fold(name)).collect();
    names.join("\0")
}
