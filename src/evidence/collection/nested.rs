//! Archives and disk images that lie in a folder or an archive: a zipped VHDX, a folder of host zips, compressed
//! logs. Each is opened as evidence of its own.

use std::path::PathBuf;

use super::remarked::remarked;
use super::{Layout, loose};
use crate::diagnostic::{Diagnostic, Impact};
use crate::error::Error;
use crate::evidence::file_tree::{Contents, Entry, EntryKind, walk};
use crate::evidence::given::{Given, SharedTree};
use crate::evidence::magic::Sniffed;
use crate::evidence::{Description, Evidence, EvidencePath, Options, Taken, archive, open_given};
use crate::text::fold;

pub(super) const LAYOUT: Layout = Layout {
    name: "folder of archives and disk images",
    known_by: "files without a Windows tree that are archives or disk images by their first bytes",
    open,
};

/// Levels of folders that are searched.
const MAX_DEPTH: usize = 5;
/// Files and folders looked at.
const MAX_ENTRIES: usize = 100_000;

/// What became of the files of a tree.
#[derive(Default)]
struct Opened {
    hosts: Vec<Box<dyn Evidence>>,
    /// Volumes of disk images without a host.
    bare: Vec<Box<dyn Evidence>>,
    /// Hives and logs that were compressed one by one: they are of one host.
    files: Vec<loose::LooseFile>,
    diagnostics: Vec<Diagnostic>,
    /// Why the first file that could not be opened could not.
    error: Option<Error>,
}

fn open(tree: &SharedTree, about: &Description, options: &Options) -> Result<Taken, Error> {
    // A volume of a disk that a host runs from may hold any number of archives; those are not collected evidence.
    if !about.partitions.is_empty() {
        return Ok(Taken::No);
    }
    let contents = walk(tree.as_ref(), &EvidencePath::root(), MAX_DEPTH, MAX_ENTRIES);
    let candidates = candidates(tree, &contents);
    if candidates.is_empty() {
        return Ok(Taken::No);
    }
    let mut opened = Opened::default();
    let depth = about.containers.len();
    if depth >= options.limits.nesting {
        opened.refuse(
            about,
            format!(
                "{} archives or disk images lie more than {} levels deep and are not opened; --max-nesting raises this limit",
                candidates.len(),
                options.limits.nesting
            ),
        );
    } else {
        let share = options.limits.nested.checked_div(candidates.len()).unwrap_or(0);
        let mut below = options.clone();
        below.limits.nested = share;
        for path in candidates.iter().take(options.limits.nested) {
            opened.open(tree, path, about, &below);
        }
        if let Some(left) = candidates.len().checked_sub(options.limits.nested).filter(|n| *n > 0) {
            opened.refuse(
                about,
                format!(
                    "{left} archives or disk images are not opened, for there are more than {} together; --max-nested raises this limit",
                    options.limits.nested
                ),
            );
        }
    }
    opened.finish(tree, about, options)
}

/// The files that are opened: the first parts of everything that is an archive or image by its first bytes.
fn candidates(tree: &SharedTree, contents: &Contents) -> Vec<EvidencePath> {
    let files = contents.entries.iter().filter(|entry| matches!(entry.kind, EntryKind::File(_)));
    let mut found: Vec<EvidencePath> = files
        .filter(|entry| !is_later_part(entry, contents))
        .filter(|entry| matches!(tree.examine(&entry.path), Ok((Sniffed::Foreign(_), _))))
        .map(|entry| entry.path.clone())
        .collect();
    found.sort();
    found
}

/// Whether a file is not the first of the parts that an image or archive was split into, by its name: only the
/// first one leads to the others.
fn is_later_part(entry: &Entry, contents: &Contents) -> bool {
    let name = fold(&entry.name);
    let folder = entry.path.split().0;
    let has = |wanted: &str| {
        contents
            .entries
            .iter()
            .any(|other| fold(&other.name) == wanted && other.path.split().0 == folder)
    };
    first_part(&name).is_some_and(|first| first != name && has(&first))
}

/// The name of the first part of what a file, named in upper case, is a part of.
fn first_part(name: &str) -> Option<String> {
    let (stem, extension) = name.rsplit_once('.')?;
    let all =
        |text: &str, fits: fn(&char) -> bool| !text.is_empty() && text.chars().all(|c| fits(&c));
    let digits = |text: &str| all(text, char::is_ascii_digit);
    // Split raw images and 7z archives: .000 or .001 and on.
    if extension.len() == 3 && digits(extension) && extension != "000" {
        return Some(format!("{stem}.001"));
    }
    // EnCase: .E01 to .E99, then .EAA to .ZZZ; .L01, .S01, .Ex01 alike.
    for (kind, length) in [("EX", 4), ("LX", 4), ("E", 3), ("L", 3), ("S", 3)] {
        if let Some(number) = extension.strip_prefix(kind).filter(|_| extension.len() == length)
            && (digits(number) || all(number, char::is_ascii_uppercase))
        {
            return Some(format!("{stem}.{kind}01"));
        }
    }
    // Parts of a split zip archive: the last one leads.
    if extension.strip_prefix('Z').is_some_and(digits) {
        return Some(format!("{stem}.ZIP"));
    }
    // Extents of a VMDK: disk-flat.vmdk, disk-s001.vmdk, disk-f001.vmdk.
    let (base, extent) = stem.rsplit_once('-').filter(|_| extension == "VMDK")?;
    let is_numbered = extent.strip_prefix(['S', 'F']).is_some_and(digits);
    (extent == "FLAT" || is_numbered).then(|| format!("{base}.VMDK"))
}

impl Opened {
    fn refuse(&mut self, about: &Description, message: String) {
        self.error.get_or_insert_with(|| Error::Open {
            path: PathBuf::from(&about.path),
            source: std::io::Error::other(message.clone()),
        });
        self.diagnostics.push(Diagnostic {
            artifact: about.path.clone(),
            impact: Impact::Lost,
            message,
        });
    }

    fn open(
        &mut self,
        tree: &SharedTree,
        path: &EvidencePath,
        about: &Description,
        options: &Options,
    ) {
        let shown = format!("{}/{path}", about.path);
        let given = Given {
            shown: shown.clone(),
            tree: SharedTree::clone(tree),
            path: path.clone(),
            depth: about.containers.len(),
        };
        let below = Description {
            path: shown,
            containers: about.containers.clone(),
            ..Description::default()
        };
        match self.open_single(&given, options) {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => return self.lose(path, error),
        }
        match open_given(&given, below, options) {
            Ok(Taken::Hosts(hosts)) => self.hosts.extend(hosts),
            Ok(Taken::No) => self.diagnostics.push(Diagnostic {
                artifact: path.to_string(),
                impact: Impact::Note,
                message: "an archive or disk image without a Windows tree, hives or event logs"
                    .into(),
            }),
            Ok(Taken::Bare { volumes, refusal }) => {
                self.bare.extend(volumes);
                self.diagnostics.push(Diagnostic {
                    artifact: path.to_string(),
                    impact: Impact::Note,
                    message: refusal.to_string(),
                });
                self.error.get_or_insert(refusal);
            }
            Err(error) => self.lose(path, error),
        }
    }

    /// Takes a hive or log that is compressed by itself; whether the file was one.
    fn open_single(&mut self, given: &Given, options: &Options) -> Result<bool, Error> {
        let Some(inside) = archive::open_single(given, options)? else {
            return Ok(false);
        };
        let failed = |source| Error::Open { path: PathBuf::from(&given.shown), source };
        let Some(file) = loose::open_file(&inside).map_err(failed)? else { return Ok(false) };
        self.files.push(file);
        Ok(true)
    }

    fn lose(&mut self, path: &EvidencePath, error: Error) {
        self.diagnostics.push(Diagnostic {
            artifact: path.to_string(),
            impact: Impact::Lost,
            message: error.to_string(),
        });
        self.error.get_or_insert(error);
    }

    /// The hosts, with hives and logs that lie beside the archives as one more. What was lost is said of all of
    /// them, for any of them may be the one that misses it.
    fn finish(
        mut self,
        tree: &SharedTree,
        about: &Description,
        options: &Options,
    ) -> Result<Taken, Error> {
        let mut about = about.clone();
        about.diagnostics.append(&mut self.diagnostics);
        if !self.files.is_empty() {
            let files = std::mem::take(&mut self.files);
            self.hosts.insert(0, Box::new(loose::Loose::files_in(&about, files)));
        }
        if let Taken::Hosts(loose) = loose::open_folder(tree, &about, options)? {
            self.hosts.extend(loose);
        }
        match (self.hosts.is_empty(), self.error) {
            (false, _) => {}
            (true, Some(refusal)) if !self.bare.is_empty() => {
                return Ok(Taken::Bare { volumes: self.bare, refusal });
            }
            (true, Some(error)) => return Err(error),
            (true, None) => return Ok(Taken::No),
        }
        let lost = about.diagnostics;
        let hosts = self.hosts.into_iter().map(|host| remarked(host, &lost));
        Ok(Taken::Hosts(hosts.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_lead_to_the_first_one() {
        for (name, expected) in [
            ("DISK.002", Some("DISK.001")),
            ("HOST.E01", Some("HOST.E01")),
            ("HOST.E02", Some("HOST.E01")),
            ("HOST.EAA", Some("HOST.E01")),
            ("HOST.EX02", Some("HOST.EX01")),
            ("A.7Z.003", Some("A.7Z.001")),
            ("A.Z01", Some("A.ZIP")),
            ("D-FLAT.VMDK", Some("D.VMDK")),
            ("D-S002.VMDK", Some("D.VMDK")),
            ("D-000001.VMDK", None),
            ("HOST.EXE", Some("HOST.E01")),
            ("HOST.ZIP", None),
            ("NONE", None),
        ] {
            assert_eq!(first_part(name).as_deref(), expected, "{name}");
        }
    }
}
