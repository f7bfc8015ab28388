//! Evidence with its Windows folder in place: a volume, a mounted image, a copied tree, folders named by drive
//! letter.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::OnceLock;

use jiff::Timestamp;

use super::survey::{self, Survey};
use super::{Layout, Taken};
use crate::diagnostic::{Diagnostic, Impact};
use crate::error::Error;
use crate::evidence::file_tree::{Entry, EntryKind, FileTree, Metadata};
use crate::evidence::given::SharedTree;
use crate::evidence::pattern::fits;
use crate::evidence::source::Cursor;
use crate::evidence::whereabouts::{Memory, Places};
use crate::evidence::{
    Content, Description, Evidence, EvidencePath, Extent, Found, Listing, Options, Pattern, Place,
    RecordedHash, Whereabouts, WindowsFolder,
};
use crate::text::fold;

pub(super) const LAYOUT: Layout = Layout {
    name: "Windows folder tree",
    known_by: "a folder, at most 4 levels down, with a folder that holds System32/config or System32/winevt",
    open,
};

#[expect(clippy::unnecessary_wraps, reason = "what a `Layout` gives")]
fn open(tree: &SharedTree, about: &Description, _options: &Options) -> Result<Taken, Error> {
    let Survey { windows, diagnostics } = survey::survey(tree.as_ref());
    if windows.is_empty() {
        return Ok(Taken::No);
    }
    let hosts = survey::hosts(windows);
    let several = hosts.len() > 1;
    let mut taken: Vec<Box<dyn Evidence>> = Vec::new();
    for windows in hosts {
        let mut description = Description { format: LAYOUT.name, windows, ..about.clone() };
        description.diagnostics.extend(diagnostics.iter().cloned());
        describe_host(&mut description, &EvidencePath::root(), several);
        taken.push(Box::new(WindowsTree::new(tree, description)));
    }
    Ok(Taken::Hosts(taken))
}

/// Says what the layout means for one of its hosts. The given path leads to `base`.
pub(super) fn describe_host(description: &mut Description, base: &EvidencePath, several: bool) {
    let Some(first) = description.windows.first().cloned() else { return };
    let (root, _) = first.path.split();
    let mut note = |impact, message: &str| {
        description.diagnostics.push(Diagnostic {
            artifact: first.path.to_string(),
            impact,
            message: message.into(),
        });
    };
    if several {
        note(
            Impact::Note,
            "several Windows folders lie side by side below the given folder; each is read as a host of its own",
        );
    }
    if first.history.is_some() {
        note(
            Impact::Partial,
            "only older states of a host were found; to read one as the current state, give its folder",
        );
    }
    let root = root.as_str().strip_prefix(base.as_str()).unwrap_or(root.as_str());
    let root = root.trim_start_matches('/');
    if several && !root.is_empty() {
        description.path = format!("{}/{root}", description.path);
    }
}

/// Files of `System32` that every Windows since NT has and cannot start without.
const INDISPENSABLE: [&str; 3] = ["ntdll.dll", "kernel32.dll", "services.exe"];

/// One host whose files have their places.
pub(in crate::evidence) struct WindowsTree {
    tree: SharedTree,
    description: Description,
    /// What a collector wrote down about the files it copied.
    recorded: BTreeMap<EvidencePath, RecordedHash>,
    /// The current Windows folders.
    windows: Vec<EvidencePath>,
    /// Whether the tree is all that was on the host; worked out when it is first asked.
    is_whole: OnceLock<bool>,
    /// Folders that were looked into by path.
    memory: Memory,
}

impl WindowsTree {
    /// The host of a description's Windows folders. Of several with the same history, earlier ones hide what
    /// later ones hold in the same place.
    pub(in crate::evidence) fn new(tree: &SharedTree, description: Description) -> Self {
        let current = description.windows.iter().filter(|windows| windows.history.is_none());
        let windows = current.map(|windows| windows.path.clone()).collect();
        Self {
            tree: SharedTree::clone(tree),
            description,
            recorded: BTreeMap::new(),
            windows,
            is_whole: OnceLock::new(),
            memory: Memory::default(),
        }
    }

    /// With the hashes that a collector wrote down.
    #[must_use]
    pub(in crate::evidence) fn with_recorded(
        self,
        recorded: BTreeMap<EvidencePath, RecordedHash>,
    ) -> Self {
        Self { recorded, ..self }
    }

    fn find_in<'w>(
        &self,
        folders: impl Iterator<Item = &'w WindowsFolder>,
        wanted: &Pattern,
    ) -> Listing {
        let mut search = Search::default();
        for windows in folders {
            for place in wanted.places {
                self.find_at(windows, place, wanted, &mut search);
            }
        }
        let mut listing = search.listing;
        listing.found.sort();
        listing.found.dedup_by(|left, right| left.path == right.path);
        let mut seen = BTreeSet::new();
        listing.diagnostics.retain(|diagnostic| seen.insert(diagnostic.clone()));
        listing
    }

    /// Whether what is not in the tree was not on the host: no collector's layout, and Windows could run from it.
    /// Somebody may have copied a few folders only, and images are made of collections as well.
    fn is_whole(&self) -> bool {
        *self.is_whole.get_or_init(|| {
            self.description.format == LAYOUT.name
                && self.windows.iter().any(|windows| self.can_run(windows))
        })
    }

    /// Whether a Windows folder has what no Windows runs without.
    fn can_run(&self, windows: &EvidencePath) -> bool {
        let contents = self.tree.list(windows);
        let Some(system32) = contents.folder("System32") else { return false };
        let system32 = self.tree.list(&system32.path);
        INDISPENSABLE.iter().all(|name| system32.file(name).is_some())
    }

    fn find_at(&self, windows: &WindowsFolder, place: &Place, wanted: &Pattern, into: &mut Search) {
        let mut level = vec![(windows.path.clone(), EvidencePath::root())];
        let mut components = place.path.split('/').peekable();
        while let Some(component) = components.next() {
            let last = components.peek().is_none();
            let mut next = Vec::new();
            for (path, below) in level {
                let contents = self.tree.list(&path);
                into.listing.diagnostics.extend(contents.diagnostics);
                for entry in contents.entries {
                    if !fits(component, &entry.name) {
                        continue;
                    }
                    let below = below.child(&fold(&entry.name));
                    if last {
                        self.take(entry, windows, (place, below), wanted, into);
                    } else if entry.is_folder() {
                        next.push((entry.path, below));
                    } else if entry.kind == EntryKind::Link {
                        into.listing.diagnostics.push(not_followed(&entry.path));
                    }
                }
            }
            level = next;
        }
    }

    /// Takes a file at its place. Where the place takes any name, the content must fit.
    fn take(
        &self,
        entry: Entry,
        windows: &WindowsFolder,
        (place, below): (&Place, EvidencePath),
        wanted: &Pattern,
        into: &mut Search,
    ) {
        let labels = windows.history.as_deref().into_iter().chain(place.history);
        let label = labels.collect::<Vec<_>>().join(" ");
        let history = (!label.is_empty()).then_some(label);
        let diagnostics = &mut into.listing.diagnostics;
        match entry.kind {
            EntryKind::File(_) => {}
            EntryKind::Link => return diagnostics.push(not_followed(&entry.path)),
            EntryKind::Special => return diagnostics.push(not_opened(&entry.path)),
            EntryKind::Folder => return,
        }
        let seat = (history.clone(), below);
        if into.taken.get(&seat).is_some_and(|path| *path != entry.path) {
            return;
        }
        let (magic, size) = match self.tree.sniff(&entry.path) {
            Ok(sniffed) => sniffed,
            Err(diagnostic) => return diagnostics.push(diagnostic),
        };
        if place.path.ends_with("/*") && magic != Some(wanted.magic) {
            return;
        }
        into.taken.insert(seat, entry.path.clone());
        into.listing.found.push(Found { history, path: entry.path, size, magic });
    }
}

/// What a search has found so far.
#[derive(Default)]
struct Search {
    listing: Listing,
    /// Which file is in a place below a Windows folder: history, place in upper case.
    taken: BTreeMap<(Option<String>, EvidencePath), EvidencePath>,
}

impl Evidence for WindowsTree {
    fn describe(&self) -> &Description {
        &self.description
    }

    fn find(&self, wanted: &Pattern) -> Listing {
        self.find_in(self.description.windows.iter(), wanted)
    }

    fn find_current(&self, wanted: &Pattern) -> Listing {
        let current = self.description.windows.iter().filter(|folder| folder.history.is_none());
        let mut listing = self.find_in(current, wanted);
        listing.found.retain(|found| found.history.is_none());
        listing
    }

    fn beside(&self, path: &EvidencePath, suffixes: &[&str]) -> Listing {
        beside(self.tree.as_ref(), path, suffixes)
    }

    fn open(&self, path: &EvidencePath) -> io::Result<Box<dyn Content>> {
        Ok(Box::new(Cursor::new(self.tree.open(path)?)))
    }

    fn metadata(&self, path: &EvidencePath) -> io::Result<Metadata> {
        self.tree.metadata(path)
    }

    fn deleted(&self, names: &[&str]) -> Vec<Metadata> {
        self.tree.deleted(names)
    }

    fn extent(&self) -> Extent {
        if self.is_whole() { Extent::Whole } else { Extent::Collected }
    }

    fn look_up(&self, path: &str, system_root: &str) -> Whereabouts {
        let places = Places {
            tree: self.tree.as_ref(),
            windows: &self.windows,
            is_whole: self.extent() == Extent::Whole,
            memory: &self.memory,
        };
        places.look_up(path, system_root)
    }

    fn security_descriptor(&self, path: &EvidencePath) -> io::Result<Option<Vec<u8>>> {
        self.tree.security_descriptor(path)
    }

    fn neighbors(&self, path: &EvidencePath, reach: u64) -> Vec<Timestamp> {
        self.tree.neighbors(path, reach)
    }

    fn damage(&self) -> Vec<Diagnostic> {
        self.tree.damage()
    }

    fn recorded_hash(&self, path: &EvidencePath) -> Option<&RecordedHash> {
        self.recorded.get(path)
    }
}

pub(super) fn not_followed(path: &EvidencePath) -> Diagnostic {
    Diagnostic {
        artifact: path.to_string(),
        impact: Impact::Partial,
        message: "a symbolic link; links in evidence are not followed".into(),
    }
}

/// A pipe, socket or device: reading it may wait for ever or act on this machine.
fn not_opened(path: &EvidencePath) -> Diagnostic {
    Diagnostic {
        artifact: path.to_string(),
        impact: Impact::Partial,
        message: "neither a file nor a folder (a pipe, a socket or a device); not opened".into(),
    }
}

/// The files beside one in a folder, by suffix.
pub(super) fn beside(tree: &dyn FileTree, path: &EvidencePath, suffixes: &[&str]) -> Listing {
    let contents = tree.siblings(path);
    let own = contents.entries.iter().find(|entry| entry.path == *path);
    let name = own.map_or_else(|| path.name().to_owned(), |entry| entry.name.clone());
    let mut listing = Listing { found: Vec::new(), diagnostics: contents.diagnostics };
    for suffix in suffixes {
        let wanted = fold(&format!("{name}{suffix}"));
        for entry in contents.entries.iter().filter(|entry| fold(&entry.name) == wanted) {
            match (entry.kind, tree.sniff(&entry.path)) {
                (EntryKind::File(_), Ok((magic, size))) => {
                    let path = entry.path.clone();
                    listing.found.push(Found { history: None, path, size, magic });
                }
                (EntryKind::File(_), Err(diagnostic)) => listing.diagnostics.push(diagnostic),
                (EntryKind::Link, _) => listing.diagnostics.push(not_followed(&entry.path)),
                (EntryKind::Folder | EntryKind::Special, _) => {}
            }
        }
    }
    listing
}
