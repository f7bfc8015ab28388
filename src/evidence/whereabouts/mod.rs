//! Where a path of Windows leads in a tree of files, the way Windows would go.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::EvidencePath;
use super::file_tree::{EntryKind, FileTree, Step};
use super::host_path::HostPath;
use crate::text::{fold, same_name};

/// Links that one path may go through; Windows itself allows 63.
const MOST_LINKS: usize = 16;
/// Listed folders that are remembered.
const REMEMBERED: usize = 1_024;

/// Where a path of the host leads in the evidence. "Not in the evidence" is not "not on the host".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whereabouts {
    /// There is a file.
    Present {
        /// Where it is in the evidence.
        path: EvidencePath,
        /// Its path on the host, as its folders write it: long names, links resolved.
        host_path: String,
        /// The links on the way: `C:\Documents and Settings -> C:\Users`.
        links: Vec<String>,
    },
    /// The evidence holds the file system that it should be on, and there is no such file.
    Missing {
        /// The deepest folder on the way that is there: the one that does not have the next name.
        folder: EvidencePath,
        /// The path on the host at which the search ended, as far as there are folders as they write it.
        host_path: String,
    },
    /// The evidence does not hold that place; the reason.
    NotCollected(String),
    /// Damage, or something that is not followed, stands before it.
    Unreadable {
        /// Where.
        place: EvidencePath,
        /// What.
        reason: String,
    },
}

/// How much of a host's file system the evidence holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// Files without their places.
    Loose,
    /// What a collector took, or a part of a tree.
    Collected,
    /// A volume or a copy of one: what is not there was not on the host.
    Whole,
}

/// What of a tree Windows knows by which path.
pub(super) struct Places<'t> {
    pub(super) tree: &'t dyn FileTree,
    /// The current Windows folders; what an earlier one holds hides what a later one holds in the same place.
    pub(super) windows: &'t [EvidencePath],
    /// Whether what is not there was not on the host.
    pub(super) is_whole: bool,
    pub(super) memory: &'t Memory,
}

/// Folders that were listed, for trees that cannot look a name up.
#[derive(Default)]
pub(super) struct Memory(Mutex<BTreeMap<EvidencePath, Arc<Listed>>>);

/// What is in a folder, by name without case.
struct Listed {
    names: BTreeMap<String, Step>,
    damage: Option<String>,
}

impl Memory {
    fn listed(&self, tree: &dyn FileTree, folder: &EvidencePath) -> Arc<Listed> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(listed) = lock().get(folder) {
            return Arc::clone(listed);
        }
        let contents = tree.list(folder);
        let damage = contents.diagnostics.first().map(|one| one.message.clone());
        let mut names = BTreeMap::new();
        for entry in contents.entries {
            // Of names that differ in case only, the first is taken.
            names.entry(fold(&entry.name)).or_insert(Step { entry, target: None });
        }
        let listed = Arc::new(Listed { names, damage });
        let mut memory = lock();
        if memory.len() >= REMEMBERED {
            memory.clear();
        }
        memory.insert(folder.clone(), Arc::clone(&listed));
        listed
    }
}

/// A folder from which a path goes on.
struct Start {
    folder: EvidencePath,
    /// How many components of the path lead to it.
    passed: usize,
    /// How the folder is written on the host.
    shown: String,
    /// Whether what is not below it was not on the host.
    is_whole: bool,
}

impl Places<'_> {
    /// Where a full path leads; `system_root` is the Windows folder on the host (`C:\Windows`).
    pub(super) fn look_up(&self, path: &str, system_root: &str) -> Whereabouts {
        let mut links = Vec::new();
        let mut path = path.to_owned();
        loop {
            let Some(parsed) = HostPath::parse(&path) else {
                return Whereabouts::NotCollected(format!("{path} is no path on a drive"));
            };
            match self.look_up_once(&parsed, system_root) {
                Passage::Arrived(Whereabouts::Present { path, host_path, .. }) => {
                    return Whereabouts::Present { path, host_path, links };
                }
                Passage::Arrived(other) => return other,
                Passage::Link { place, from, to } => {
                    if links.len() >= MOST_LINKS {
                        let reason = "leads through too many links".to_owned();
                        return Whereabouts::Unreadable { place, reason };
                    }
                    links.push(from);
                    path = to;
                }
            }
        }
    }

    fn look_up_once(&self, path: &HostPath, system_root: &str) -> Passage {
        let starts = self.starts(path, system_root);
        if starts.is_empty() {
            let drive = path.drive;
            return Passage::Arrived(Whereabouts::NotCollected(format!(
                "the evidence holds no volume {drive}:"
            )));
        }
        let mut best: Option<Passage> = None;
        for start in starts {
            let passage = self.walk(start, path);
            if best.as_ref().is_none_or(|best| passage.rank() < best.rank()) {
                best = Some(passage);
            }
        }
        best.unwrap_or(Passage::Arrived(Whereabouts::NotCollected(String::new())))
    }

    /// The folders in which a path may begin, the most likely first.
    fn starts(&self, path: &HostPath, system_root: &str) -> Vec<Start> {
        let usual = HostPath { drive: 'C', components: vec!["Windows".to_owned()], stream: None };
        let root = HostPath::parse(system_root).filter(|root| !root.components.is_empty());
        let root = root.unwrap_or(usual);
        if path.drive == root.drive {
            return self.system_starts(path, &root);
        }
        let start = |folder: EvidencePath, is_whole| Start {
            folder,
            passed: 0,
            shown: format!("{}:", path.drive),
            is_whole,
        };
        let mut starts: Vec<Start> = Vec::new();
        for windows in self.windows {
            let (drive, _) = windows.split();
            if drive.as_str().is_empty() {
                continue;
            }
            // Collectors lay drives side by side in folders named by their letters.
            let siblings = self.memory.listed(self.tree, &drive.split().0);
            let others = siblings.names.values().filter(|step| step.entry.is_folder());
            let named = others.filter(|step| is_drive_folder(&step.entry.name, path.drive));
            starts.extend(named.map(|step| start(step.entry.path.clone(), false)));
        }
        starts.extend(self.tree.other_volumes().into_iter().map(|volume| start(volume, false)));
        starts
    }

    fn system_starts(&self, path: &HostPath, root: &HostPath) -> Vec<Start> {
        let depth = root.components.len();
        let below = path.components.len() > depth
            && root.components.iter().zip(&path.components).all(|(l, r)| same_name(l, r));
        let mut starts = Vec::new();
        for windows in self.windows {
            if below {
                starts.push(Start {
                    folder: windows.clone(),
                    passed: depth,
                    shown: root.shown(depth),
                    is_whole: self.is_whole,
                });
            } else if !windows.as_str().is_empty() && depth == 1 {
                let (folder, shown) = (windows.split().0, format!("{}:", root.drive));
                starts.push(Start { folder, passed: 0, shown, is_whole: self.is_whole });
            }
        }
        starts
    }

    fn walk(&self, start: Start, path: &HostPath) -> Passage {
        let Start { folder: mut here, passed, mut shown, is_whole } = start;
        let count = path.components.len();
        for (nth, name) in path.components.iter().enumerate().skip(passed) {
            let is_last = nth.saturating_add(1) == count;
            let rest = path.components.get(nth.saturating_add(1)..).unwrap_or_default();
            let step = match self.step(&here, name) {
                Ok(step) => step,
                Err(error) => {
                    let reason = error.to_string();
                    return Passage::Arrived(Whereabouts::Unreadable { place: here, reason });
                }
            };
            let known = usual_link(path, nth).filter(|_| match &step {
                Some(step) => step.entry.kind == EntryKind::Link && step.target.is_none(),
                None => true,
            });
            if let Some(target) = known {
                return Passage::link(
                    here,
                    &path.shown(nth.saturating_add(1)),
                    &target,
                    rest,
                    path,
                );
            }
            let Some(Step { entry, target }) = step else {
                let missing = Missing { folder: here, shown, name, nth, is_whole };
                return Passage::Arrived(self.absent(missing, rest));
            };
            let from = format!(r"{shown}\{}", entry.name);
            match (entry.kind, target) {
                (EntryKind::Folder, _) if !is_last => (here, shown) = (entry.path, from),
                (EntryKind::File(_), _) if is_last => return self.arrive(entry.path, from, path),
                (EntryKind::Link, Some(target)) => {
                    let Some(target) = target.on_host(&shown) else {
                        let reason = format!("a link to {}, which is on no drive", target.path);
                        let place = entry.path;
                        return Passage::Arrived(Whereabouts::Unreadable { place, reason });
                    };
                    return Passage::link(entry.path, &from, &target, rest, path);
                }
                (EntryKind::Link, None) => {
                    let reason = "a symbolic link; links in evidence are not followed".to_owned();
                    let place = entry.path;
                    return Passage::Arrived(Whereabouts::Unreadable { place, reason });
                }
                (EntryKind::Special, _) => {
                    let reason = "neither a file nor a folder".to_owned();
                    let place = entry.path;
                    return Passage::Arrived(Whereabouts::Unreadable { place, reason });
                }
                (EntryKind::Folder | EntryKind::File(_), _) => {
                    let missing = Missing { folder: here, shown, name, nth, is_whole };
                    return Passage::Arrived(self.absent(missing, rest));
                }
            }
        }
        // The path is that of a drive or of the Windows folder itself.
        Passage::Arrived(Whereabouts::Missing { folder: here, host_path: shown })
    }

    fn step(&self, folder: &EvidencePath, name: &str) -> io::Result<Option<Step>> {
        if let Some(names) = self.tree.names() {
            return names.step(folder, name);
        }
        let listed = self.memory.listed(self.tree, folder);
        match (listed.names.get(&fold(name)), &listed.damage) {
            (Some(step), _) => Ok(Some(step.clone())),
            (None, Some(damage)) => Err(io::Error::other(damage.clone())),
            (None, None) => Ok(None),
        }
    }

    /// What it means that a folder does not have a name.
    fn absent(&self, missing: Missing<'_>, rest: &[String]) -> Whereabouts {
        let Missing { folder, shown, name, nth, is_whole } = missing;
        let volume =
            self.tree.other_volumes().into_iter().any(|volume| {
                folder == volume || folder.as_str().starts_with(&format!("{volume}/"))
            });
        if volume {
            let drive = shown.chars().next().unwrap_or('?');
            return Whereabouts::NotCollected(format!(
                "nothing tells which volume of the image is {drive}:, and none of the others has the file"
            ));
        }
        if !is_whole {
            return Whereabouts::NotCollected("it was not collected".to_owned());
        }
        if self.tree.names().is_none() && is_short(name) {
            return Whereabouts::NotCollected(format!(
                "{name} is a short name (8.3), which this form of evidence does not keep"
            ));
        }
        if nth == 0 && !rest.is_empty() && self.tree.names().is_none() {
            return Whereabouts::NotCollected(format!(r"the copy has no folder {shown}\{name}"));
        }
        let host_path =
            rest.iter().fold(format!(r"{shown}\{name}"), |path, name| format!(r"{path}\{name}"));
        Whereabouts::Missing { folder, host_path }
    }

    /// A file was found; the stream that was asked for may be missing all the same.
    fn arrive(&self, file: EvidencePath, shown: String, path: &HostPath) -> Passage {
        let Some(wanted) = &path.stream else {
            let links = Vec::new();
            return Passage::Arrived(Whereabouts::Present { path: file, host_path: shown, links });
        };
        let host_path = format!("{shown}:{wanted}");
        let streams = self.tree.metadata(&file).map(|metadata| metadata.streams);
        Passage::Arrived(match streams {
            Ok(streams) if streams.iter().any(|(name, _)| same_name(name, wanted)) => {
                let path = EvidencePath::new(&format!("{file}:{wanted}"));
                Whereabouts::Present { path, host_path, links: Vec::new() }
            }
            Ok(_) if self.tree.names().is_none() => Whereabouts::NotCollected(
                "this form of evidence does not keep alternate data streams".to_owned(),
            ),
            Ok(_) => Whereabouts::Missing { folder: file, host_path },
            Err(error) => Whereabouts::Unreadable { place: file, reason: error.to_string() },
        })
    }
}

/// A name that a folder does not have.
struct Missing<'n> {
    folder: EvidencePath,
    /// How the folder is written on the host.
    shown: String,
    name: &'n str,
    /// Its place in the path.
    nth: usize,
    is_whole: bool,
}

/// Where a walk down one path ended.
enum Passage {
    Arrived(Whereabouts),
    /// At a link: the walk begins anew.
    Link {
        place: EvidencePath,
        /// The link in words.
        from: String,
        to: String,
    },
}

impl Passage {
    fn link(
        place: EvidencePath,
        from: &str,
        target: &str,
        rest: &[String],
        path: &HostPath,
    ) -> Self {
        let mut to = rest
            .iter()
            .fold(target.trim_end_matches('\\').to_owned(), |path, name| format!(r"{path}\{name}"));
        if let Some(stream) = &path.stream {
            to = format!("{to}:{stream}");
        }
        Self::Link { place, from: format!("{from} -> {target}"), to }
    }

    /// The lower, the more it says.
    fn rank(&self) -> u8 {
        match self {
            Self::Link { .. } | Self::Arrived(Whereabouts::Present { .. }) => 0,
            Self::Arrived(Whereabouts::Unreadable { .. }) => 1,
            Self::Arrived(Whereabouts::Missing { .. }) => 2,
            Self::Arrived(Whereabouts::NotCollected(_)) => 3,
        }
    }
}

/// Whether a folder of a collection is that of a drive: `D`, `D:`, `D%3A`.
fn is_drive_folder(name: &str, drive: char) -> bool {
    let name = name.trim_end_matches(':');
    let name = name.strip_suffix("%3A").or_else(|| name.strip_suffix("%3a")).unwrap_or(name);
    let mut letters = name.chars();
    letters.next().is_some_and(|letter| letter.eq_ignore_ascii_case(&drive))
        && letters.next().is_none()
}

/// Whether a name may be the short form (8.3) of another: `PROGRA~1`.
pub(super) fn is_short(name: &str) -> bool {
    let (stem, extension) = name.split_once('.').unwrap_or((name, ""));
    let Some((before, number)) = stem.rsplit_once('~') else { return false };
    stem.chars().count() <= 8
        && extension.chars().count() <= 3
        && !before.is_empty()
        && !number.is_empty()
        && number.bytes().all(|digit| digit.is_ascii_digit())
}

/// Where the component of that number of a path leads, if it is one of the links that every Windows since Vista has;
/// copies of a tree seldom hold them.
fn usual_link(path: &HostPath, nth: usize) -> Option<String> {
    let name = path.components.get(nth)?;
    let drive = path.drive;
    let above: Vec<String> = path.components.iter().take(nth).map(|name| fold(name)).collect();
    let above: Vec<&str> = above.iter().map(String::as_str).collect();
    let parent = path.shown(nth);
    let to = match (above.as_slice(), fold(name).as_str()) {
        ([], "DOCUMENTS AND SETTINGS") => format!(r"{drive}:\Users"),
        (["USERS"], "ALL USERS") | (["PROGRAMDATA"], "APPLICATION DATA") => {
            format!(r"{drive}:\ProgramData")
        }
        (["USERS"], "DEFAULT USER") => format!(r"{drive}:\Users\Default"),
        (["USERS", _], "APPLICATION DATA") => format!(r"{parent}\AppData\Roaming"),
        (["USERS", _], "LOCAL SETTINGS") => format!(r"{parent}\AppData\Local"),
        (["USERS", _, "APPDATA", "LOCAL"], "APPLICATION DATA") => parent,
        _ => return None,
    };
    Some(to)
}

#[cfg(test)]
mod tests;
