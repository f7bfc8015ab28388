//! Look-ups in a small tree that knows links, and in one that only lists.

use std::io;

use super::*;
use crate::evidence::file_tree::{Contents, Entry, LinkTarget, Names};
use crate::evidence::source::SharedSource;

/// Paths of files; links with their targets, absolute unless they begin with `.`.
struct Tree {
    files: &'static [&'static str],
    links: &'static [(&'static str, &'static str)],
    /// Whether it looks names up itself and so knows where links lead.
    is_volume: bool,
}

const FILES: &[&str] = &[
    "Windows/System32/ntdll.dll",
    "Windows/System32/x.exe",
    "Windows/notes.txt",
    "Program Files/Foo Bar/foo.exe",
    "Users/anna/AppData/Local/a.exe",
    "ProgramData/b.exe",
    "pipe",
];
const LINKS: &[(&str, &str)] = &[
    ("Documents and Settings", r"C:\Users"),
    ("around", r"C:\about"),
    ("about", r"C:\around"),
    ("elsewhere", r"Volume{0}\x"),
    ("file link.exe", r".\Windows\System32\x.exe"),
    ("Windows/Sysnative", r"C:\Windows\System32"),
];

impl FileTree for Tree {
    fn list(&self, folder: &EvidencePath) -> Contents {
        let mut contents = Contents::default();
        if folder.as_str() == "Program Files/Damaged" {
            contents.diagnostics.push(crate::diagnostic::Diagnostic {
                artifact: folder.to_string(),
                impact: crate::diagnostic::Impact::Partial,
                message: "damaged".to_owned(),
            });
        }
        let mut add = |path: &str, kind| {
            let prefix =
                if folder.as_str().is_empty() { String::new() } else { format!("{folder}/") };
            let Some(rest) = path.strip_prefix(&prefix) else { return };
            let (name, kind) = match rest.split_once('/') {
                Some((name, _)) => (name, EntryKind::Folder),
                None => (rest, kind),
            };
            let entry = Entry::new(folder.child(name), kind);
            if !contents.entries.contains(&entry) {
                contents.entries.push(entry);
            }
        };
        for path in self.files {
            add(path, if *path == "pipe" { EntryKind::Special } else { EntryKind::File(1) });
        }
        add("Program Files/Damaged/", EntryKind::Folder);
        for (path, _) in self.links {
            add(path, EntryKind::Link);
        }
        contents
    }

    fn open(&self, _file: &EvidencePath) -> io::Result<SharedSource> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn metadata(&self, _file: &EvidencePath) -> io::Result<crate::evidence::Metadata> {
        let streams = vec![("hidden".to_owned(), 3)];
        Ok(crate::evidence::Metadata { streams, ..Default::default() })
    }

    fn names(&self) -> Option<&dyn Names> {
        self.is_volume.then_some(self)
    }
}

impl Names for Tree {
    fn step(&self, folder: &EvidencePath, name: &str) -> io::Result<Option<Step>> {
        let contents = self.list(folder);
        if let Some(damage) = contents.diagnostics.first() {
            return Err(io::Error::other(damage.message.clone()));
        }
        let entry = contents.entries.into_iter().find(|entry| same_name(&entry.name, name));
        Ok(entry.map(|entry| {
            let link = self.links.iter().find(|(path, _)| *path == entry.path.as_str());
            let target = link.map(|(_, target)| LinkTarget {
                path: (*target).to_owned(),
                is_relative: target.starts_with('.'),
            });
            Step { entry, target }
        }))
    }
}

fn volume() -> Tree {
    Tree { files: FILES, links: LINKS, is_volume: true }
}

fn look_up(tree: &Tree, is_whole: bool, path: &str) -> Whereabouts {
    let windows = [EvidencePath::new("Windows")];
    let memory = Memory::default();
    let places = Places { tree, windows: &windows, is_whole, memory: &memory };
    places.look_up(path, r"C:\Windows")
}

/// In a few words, for tables.
fn words(found: &Whereabouts) -> String {
    match found {
        Whereabouts::Present { path, host_path, links } => {
            let links = if links.is_empty() { "" } else { " by a link" };
            format!("{host_path} is {path}{links}")
        }
        Whereabouts::Missing { folder, host_path } => format!("{host_path} is not in {folder}"),
        Whereabouts::NotCollected(reason) => format!("not collected: {reason}"),
        Whereabouts::Unreadable { place, reason } => format!("{place}: {reason}"),
    }
}

#[test]
fn a_volume_answers_for_every_path() {
    for (path, expected) in [
        (r"c:\windows\SYSTEM32\X.EXE", r"C:\Windows\System32\x.exe is Windows/System32/x.exe"),
        (r"C:\windows\system32/x.exe. ", r"C:\Windows\System32\x.exe is Windows/System32/x.exe"),
        (r"C:\Windows\system32\y.exe", r"C:\Windows\System32\y.exe is not in Windows/System32"),
        (r"C:\Windows\none\y.exe", r"C:\Windows\none\y.exe is not in Windows"),
        (r"C:\Windows\System32", r"C:\Windows\System32 is not in Windows"),
        (r"C:\Windows\notes.txt\x.exe", r"C:\Windows\notes.txt\x.exe is not in Windows"),
        (r"C:\none.exe", r"C:\none.exe is not in "),
        (r"C:\", r"C: is not in "),
        (
            r"C:\Documents and Settings\anna\AppData\Local\a.exe",
            r"C:\Users\anna\AppData\Local\a.exe is Users/anna/AppData/Local/a.exe by a link",
        ),
        (
            r"C:\Users\anna\Local Settings\a.exe",
            r"C:\Users\anna\AppData\Local\a.exe is Users/anna/AppData/Local/a.exe by a link",
        ),
        (r"C:\Users\All Users\b.exe", r"C:\ProgramData\b.exe is ProgramData/b.exe by a link"),
        (r"C:\file link.exe", r"C:\Windows\System32\x.exe is Windows/System32/x.exe by a link"),
        (
            r"C:\Windows\Sysnative\x.exe",
            r"C:\Windows\System32\x.exe is Windows/System32/x.exe by a link",
        ),
        (r"C:\around\x.exe", "around: leads through too many links"),
        (r"C:\elsewhere\y", r"elsewhere: a link to Volume{0}\x, which is on no drive"),
        (r"C:\pipe", "pipe: neither a file nor a folder"),
        (r"C:\Program Files\Damaged\x.exe", "Program Files/Damaged: damaged"),
        (
            r"C:\Windows\System32\x.exe:HIDDEN",
            r"C:\Windows\System32\x.exe:HIDDEN is Windows/System32/x.exe:HIDDEN",
        ),
        (
            r"C:\Windows\System32\x.exe:other",
            r"C:\Windows\System32\x.exe:other is not in Windows/System32/x.exe",
        ),
        (r"D:\x.exe", "not collected: the evidence holds no volume D:"),
        (r"\\host\share\x.exe", r"not collected: \\host\share\x.exe is no path on a drive"),
    ] {
        assert_eq!(words(&look_up(&volume(), true, path)), expected, "{path}");
    }
}

#[test]
fn what_was_not_collected_is_not_missing() {
    let copy = Tree { is_volume: false, ..volume() };
    for (is_whole, path, expected) in [
        (
            false,
            r"C:\Windows\System32\x.exe",
            r"C:\Windows\System32\x.exe is Windows/System32/x.exe",
        ),
        (false, r"C:\Windows\System32\y.exe", "not collected: it was not collected"),
        (
            true,
            r"C:\Windows\System32\y.exe",
            r"C:\Windows\System32\y.exe is not in Windows/System32",
        ),
        (true, r"C:\Other\y.exe", r"not collected: the copy has no folder C:\Other"),
        (
            true,
            r"C:\PROGRA~1\foo.exe",
            "not collected: PROGRA~1 is a short name (8.3), which this form of evidence does not keep",
        ),
        (
            true,
            r"C:\Documents and Settings\anna\AppData\Local\a.exe",
            r"C:\Users\anna\AppData\Local\a.exe is Users/anna/AppData/Local/a.exe by a link",
        ),
        (true, r"C:\around\x.exe", "around: a symbolic link; links in evidence are not followed"),
    ] {
        assert_eq!(words(&look_up(&copy, is_whole, path)), expected, "{path}");
    }
}

#[test]
fn short_names_are_told_by_their_shape() {
    for (name, expected) in [
        ("PROGRA~1", true),
        ("longna~12.exe", false),
        ("longn~12.exe", true),
        ("a~1.text", false),
        ("~1", false),
        ("a~b", false),
        ("plain.exe", false),
    ] {
        assert_eq!(is_short(name), expected, "{name}");
    }
}

#[test]
fn drive_folders_are_named_by_their_letter() {
    for (name, expected) in
        [("D", true), ("d:", true), ("D%3A", true), ("D_", false), ("DD", false), ("", false)]
    {
        assert_eq!(is_drive_folder(name, 'D'), expected, "{name}");
    }
}
