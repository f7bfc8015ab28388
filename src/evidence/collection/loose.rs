//! Hives and logs without their places: files of a command line, or a folder of them. Told by content.

use std::io;

use super::windows_tree::beside;
use super::{Layout, Taken};
use crate::diagnostic::{Diagnostic, Impact};
use crate::error::Error;
use crate::evidence::file_tree::{EntryKind, Metadata, walk};
use crate::evidence::given::{Given, SharedTree};
use crate::evidence::magic::{Magic, Sniffed, sniff};
use crate::evidence::pattern::history_label;
use crate::evidence::source::Cursor;
use crate::evidence::{
    Content, Description, Evidence, EvidencePath, Found, Listing, Options, Pattern,
};
use crate::text::fold;

pub(super) const LAYOUT: Layout = Layout {
    name: "folder of hives and logs",
    known_by: "a folder without a Windows tree; its files by their first bytes",
    open: open_folder,
};

/// What files of a command line are called together.
const FILES: &str = "loose hives and logs";

/// Levels of folders that are searched.
const MAX_DEPTH: usize = 5;
/// Files and folders looked at.
const MAX_ENTRIES: usize = 100_000;
/// How transaction logs are named after their hive; an unused one has no content to tell it by.
const LOG_SUFFIXES: [&str; 3] = [".LOG", ".LOG1", ".LOG2"];

/// How event logs are named.
const EVENT_LOG_SUFFIXES: [&str; 2] = [".EVTX", ".EVT"];

/// A file without its place.
#[derive(Clone)]
pub(in crate::evidence) struct LooseFile {
    /// How it was given, with `/` between components.
    given: String,
    tree: SharedTree,
    /// Where it is in `tree`.
    place: EvidencePath,
    found: Found,
}

/// One host made of loose files.
pub(in crate::evidence) struct Loose {
    description: Description,
    files: Vec<LooseFile>,
}

/// Takes a file of the command line, if it is a hive, a log or named like a transaction log.
pub(in crate::evidence) fn open_file(given: &Given) -> io::Result<Option<LooseFile>> {
    let source = given.open()?;
    let sniffed = sniff(source.as_ref())?;
    let name = EvidencePath::new(&given.shown).name().to_owned();
    let magic = sniffed.magic();
    let is_log_by_name = sniffed == Sniffed::Unknown
        && LOG_SUFFIXES.iter().any(|suffix| fold(&name).ends_with(suffix));
    if magic.is_none() && !is_log_by_name {
        return Ok(None);
    }
    let path = EvidencePath::new(&name);
    let found = Found { history: None, path, size: source.size(), magic };
    Ok(Some(LooseFile {
        given: given.shown.clone(),
        tree: SharedTree::clone(&given.tree),
        place: given.path.clone(),
        found,
    }))
}

#[expect(clippy::unnecessary_wraps, reason = "what a `Layout` gives")]
pub(super) fn open_folder(
    tree: &SharedTree,
    about: &Description,
    _options: &Options,
) -> Result<Taken, Error> {
    let contents = walk(tree.as_ref(), &EvidencePath::root(), MAX_DEPTH, MAX_ENTRIES);
    let mut diagnostics = contents.diagnostics;
    let mut files = Vec::new();
    let mut unlike = Vec::new();
    let mut links = 0_usize;
    for entry in contents.entries {
        match entry.kind {
            EntryKind::File(_) => {}
            EntryKind::Link => {
                links = links.saturating_add(1);
                continue;
            }
            EntryKind::Folder | EntryKind::Special => continue,
        }
        match tree.sniff(&entry.path) {
            Ok((magic, size)) if magic.is_some() => {
                let history = history(&entry.path);
                let found = Found { history, path: entry.path.clone(), size, magic };
                let (given, tree) = (entry.path.to_string(), SharedTree::clone(tree));
                files.push(LooseFile { given, tree, place: entry.path, found });
            }
            Ok(_) if named_like_a_log(&entry.path) => unlike.push(Diagnostic {
                artifact: entry.path.to_string(),
                impact: Impact::Lost,
                message: "named like an event log, but it does not begin like one; not read".into(),
            }),
            Ok(_) => {}
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }
    // A volume always has something that cannot be read; without hives and logs it is no host for that.
    let is_volume = !about.partitions.is_empty();
    if files.iter().all(|file| file.found.magic == Some(Magic::HiveLog))
        && (diagnostics.is_empty() || is_volume)
    {
        return Ok(Taken::No);
    }
    diagnostics.extend(unlike);
    if links > 0 {
        diagnostics.push(Diagnostic {
            artifact: about.path.clone(),
            impact: Impact::Note,
            message: format!("{links} symbolic links; links in evidence are not followed"),
        });
    }
    let mut description = Description { format: LAYOUT.name, ..about.clone() };
    description.diagnostics.extend(diagnostics);
    Ok(Taken::Hosts(vec![Box::new(Loose::new(description, files))]))
}

/// Content decides what is read; a name that promises a log makes its absence worth telling.
fn named_like_a_log(path: &EvidencePath) -> bool {
    let name = fold(path.name());
    EVENT_LOG_SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}

/// The label of the older state that a folder on the way says a file belongs to.
fn history(path: &EvidencePath) -> Option<String> {
    let (folder, _) = path.split();
    let labels: Vec<&str> = folder.components().filter_map(history_label).collect();
    (!labels.is_empty()).then(|| labels.join(" "))
}

impl Loose {
    /// The host made of the loose files of a command line, in the order given.
    pub(in crate::evidence) fn files(files: Vec<LooseFile>) -> Self {
        let given: Vec<&str> = files.iter().map(|file| file.given.as_str()).collect();
        let description = Description { path: given.join(", "), ..Description::default() };
        Self::files_in(&description, files)
    }

    /// The host made of loose files that lie in one place.
    pub(in crate::evidence) fn files_in(about: &Description, mut files: Vec<LooseFile>) -> Self {
        let names: Vec<String> = files.iter().map(|file| fold(file.found.path.as_str())).collect();
        for file in &mut files {
            let own = fold(file.found.path.as_str());
            if names.iter().filter(|name| **name == own).count() > 1 {
                file.found.path = EvidencePath::new(&file.given);
            }
        }
        Self::new(Description { format: FILES, ..about.clone() }, files)
    }

    fn new(description: Description, mut files: Vec<LooseFile>) -> Self {
        files.sort_by(|left, right| left.found.cmp(&right.found));
        files.dedup_by(|left, right| left.given == right.given);
        let mut loose = Self { description, files };
        loose.name_lonely_logs();
        loose
    }

    /// A transaction log without its hive says nothing, and somebody may have forgotten the hive.
    fn name_lonely_logs(&mut self) {
        let is = |file: &LooseFile, magic| file.found.magic == Some(magic);
        let hives: Vec<String> = self
            .files
            .iter()
            .filter(|file| is(file, Magic::Hive))
            .map(|file| fold(file.found.path.name()))
            .collect();
        let lonely = self.files.iter().filter(|file| is(file, Magic::HiveLog)).filter(|file| {
            let name = fold(file.found.path.name());
            !LOG_SUFFIXES
                .iter()
                .filter_map(|suffix| name.strip_suffix(suffix))
                .any(|stem| hives.iter().any(|hive| hive == stem))
        });
        let diagnostics: Vec<Diagnostic> = lonely
            .map(|file| Diagnostic {
                artifact: file.found.path.to_string(),
                impact: Impact::Partial,
                message: "a registry transaction log without its hive; give the hive with it"
                    .into(),
            })
            .collect();
        self.description.diagnostics.extend(diagnostics);
    }

    /// The file of that path, or the one whose name a companion's name starts with.
    fn file_near(&self, path: &EvidencePath) -> Option<&LooseFile> {
        let exact = self.files.iter().find(|file| file.found.path == *path);
        exact.or_else(|| {
            let (parent, name) = path.split();
            let name = fold(name);
            self.files
                .iter()
                .filter(|file| file.found.path.split().0 == parent)
                .find(|file| name.starts_with(&fold(file.place.name())))
        })
    }
}

impl Loose {
    fn place_of(&self, path: &EvidencePath) -> io::Result<(&SharedTree, EvidencePath)> {
        let file = self.file_near(path).ok_or(io::ErrorKind::NotFound)?;
        let place = if file.found.path == *path {
            file.place.clone()
        } else {
            file.place.split().0.child(path.name())
        };
        Ok((&file.tree, place))
    }
}

impl Evidence for Loose {
    fn describe(&self) -> &Description {
        &self.description
    }

    fn find(&self, wanted: &Pattern) -> Listing {
        let fitting = self.files.iter().filter(|file| file.found.magic == Some(wanted.magic));
        Listing { found: fitting.map(|file| file.found.clone()).collect(), diagnostics: Vec::new() }
    }

    fn beside(&self, path: &EvidencePath, suffixes: &[&str]) -> Listing {
        let Some(file) = self.file_near(path) else { return Listing::default() };
        let (parent, name) = path.split();
        let mut listing = beside(file.tree.as_ref(), &file.place, suffixes);
        for found in &mut listing.found {
            found.path = parent.child(found.path.name());
        }
        for suffix in suffixes {
            let wanted = fold(&format!("{name}{suffix}"));
            if listing.found.iter().all(|found| fold(found.path.name()) != wanted) {
                let given = self.files.iter().map(|file| &file.found);
                listing.found.extend(
                    given.filter(|found| fold(found.path.as_str()) == wanted).take(1).cloned(),
                );
            }
        }
        listing
    }

    fn open(&self, path: &EvidencePath) -> io::Result<Box<dyn Content>> {
        let (tree, place) = self.place_of(path)?;
        Ok(Box::new(Cursor::new(tree.open(&place)?)))
    }

    fn metadata(&self, path: &EvidencePath) -> io::Result<Metadata> {
        let (tree, place) = self.place_of(path)?;
        tree.metadata(&place)
    }

    fn damage(&self) -> Vec<Diagnostic> {
        let mut damage: Vec<Diagnostic> =
            self.files.iter().flat_map(|file| file.tree.damage()).collect();
        damage.sort();
        damage.dedup();
        damage
    }
}
