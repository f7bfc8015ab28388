//! Evidence with its Windows folder in place: a mounted image, a copied tree, folders named by drive letter.

use std::io;
use std::path::Path;

use super::folder::{self, Entry, EntryKind, Folder};
use super::layout::{self, Survey};
use super::pattern::fits;
use super::{
    Content, Description, Evidence, EvidencePath, Format, Found, Listing, Pattern, Place, Taken,
    WindowsFolder, shown,
};
use crate::diagnostic::{Diagnostic, Impact};
use crate::error::Error;
use crate::text::fold;

pub(super) const FORMAT: Format = Format {
    name: "Windows folder tree",
    known_by: "a folder, at most 4 levels down, with a folder that holds System32/config or System32/winevt",
    open,
};

fn open(path: &Path) -> Result<Taken, Error> {
    if !folder::is_folder(path)? {
        return Ok(Taken::No);
    }
    let folder = Folder::new(path);
    let Survey { windows, diagnostics } = layout::survey(&folder);
    if windows.is_empty() {
        return Ok(Taken::No);
    }
    let hosts = layout::hosts(windows);
    let several = hosts.len() > 1;
    let mut taken: Vec<Box<dyn Evidence>> = Vec::new();
    for windows in hosts {
        let mut description = Description {
            path: shown(path),
            format: FORMAT.name,
            windows,
            diagnostics: diagnostics.clone(),
        };
        describe_host(&mut description, several);
        taken.push(Box::new(Tree { folder: folder.clone(), description }));
    }
    Ok(Taken::Hosts(taken))
}

/// Says what the layout means for one of its hosts.
fn describe_host(description: &mut Description, several: bool) {
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
    if several && !root.as_str().is_empty() {
        description.path = format!("{}/{root}", description.path);
    }
}

struct Tree {
    folder: Folder,
    description: Description,
}

impl Evidence for Tree {
    fn describe(&self) -> &Description {
        &self.description
    }

    fn find(&self, wanted: &Pattern) -> Listing {
        let mut listing = Listing::default();
        for windows in &self.description.windows {
            for place in wanted.places {
                self.find_at(windows, place, wanted, &mut listing);
            }
        }
        listing.found.sort();
        listing.found.dedup_by(|left, right| left.path == right.path);
        listing
    }

    fn beside(&self, path: &EvidencePath, suffixes: &[&str]) -> Listing {
        beside(&self.folder, path, suffixes)
    }

    fn open(&self, path: &EvidencePath) -> io::Result<Box<dyn Content>> {
        Ok(Box::new(self.folder.open(path)?))
    }
}

impl Tree {
    fn find_at(
        &self,
        windows: &WindowsFolder,
        place: &Place,
        wanted: &Pattern,
        into: &mut Listing,
    ) {
        let mut level = vec![windows.path.clone()];
        let mut components = place.path.split('/').peekable();
        while let Some(component) = components.next() {
            let last = components.peek().is_none();
            let mut next = Vec::new();
            for path in level {
                let contents = self.folder.list(&path);
                into.diagnostics.extend(contents.diagnostics);
                for entry in contents.entries {
                    if !fits(component, entry.name()) {
                        continue;
                    }
                    if last {
                        self.take(entry, windows, place, wanted, into);
                    } else if entry.is_folder() {
                        next.push(entry.path);
                    } else if entry.kind == EntryKind::Link {
                        into.diagnostics.push(not_followed(&entry.path));
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
        place: &Place,
        wanted: &Pattern,
        into: &mut Listing,
    ) {
        let size = match entry.kind {
            EntryKind::File(size) => size,
            EntryKind::Link => return into.diagnostics.push(not_followed(&entry.path)),
            EntryKind::Special => return into.diagnostics.push(not_opened(&entry.path)),
            EntryKind::Folder => return,
        };
        let magic = match self.folder.sniff(&entry.path) {
            Ok(magic) => magic,
            Err(diagnostic) => return into.diagnostics.push(diagnostic),
        };
        if place.path.ends_with("/*") && magic != Some(wanted.magic) {
            return;
        }
        let labels = windows.history.as_deref().into_iter().chain(place.history);
        let label = labels.collect::<Vec<_>>().join(" ");
        let history = (!label.is_empty()).then_some(label);
        into.found.push(Found { history, path: entry.path, size, magic });
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
pub(super) fn beside(folder: &Folder, path: &EvidencePath, suffixes: &[&str]) -> Listing {
    let (parent, name) = path.split();
    let contents = folder.list(&parent);
    let mut listing = Listing { found: Vec::new(), diagnostics: contents.diagnostics };
    for suffix in suffixes {
        let wanted = fold(&format!("{name}{suffix}"));
        for entry in contents.entries.iter().filter(|entry| fold(entry.name()) == wanted) {
            match (entry.kind, folder.sniff(&entry.path)) {
                (EntryKind::File(size), Ok(magic)) => {
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
