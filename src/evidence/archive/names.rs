//! The folders that the names of members make.
//!
//! Names are the archive maker's: `..`, an absolute path, a name used twice. Here they are no more than labels of
//! a tree in memory; nothing in them leads anywhere else.

use std::collections::BTreeMap;

use super::member::{Member, MemberKind};
use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::EvidencePath;
use crate::evidence::file_tree::{Entry, EntryKind};
use crate::text::fold;

/// Names that a remark quotes.
const QUOTED: usize = 5;
/// A name that is longer, in characters, is cut where it is quoted.
const QUOTED_LENGTH: usize = 200;

/// The tree of names. Nodes refer to each other by number, so that no depth of folders costs a deep recursion.
#[derive(Debug)]
pub(super) struct Names {
    nodes: Vec<Node>,
    twice: Odd,
    outward: Odd,
    similar: Odd,
}

#[derive(Debug, Default)]
struct Node {
    /// The member it stands for; a folder need not have one.
    member: Option<usize>,
    is_folder: bool,
    /// By the names they are shown with.
    children: BTreeMap<String, usize>,
    /// The folders that are shown with another name than they are stored with.
    renamed: BTreeMap<String, usize>,
    /// How often a name was used again, so that the next number is found at once.
    used: BTreeMap<String, usize>,
}

/// Names that are odd in one way: how many, and the first of them.
#[derive(Debug, Default)]
struct Odd {
    count: usize,
    first: Vec<String>,
}

impl Odd {
    fn add(&mut self, name: &str) {
        self.count = self.count.saturating_add(1);
        if self.first.len() < QUOTED {
            self.first.push(name.chars().take(QUOTED_LENGTH).collect());
        }
    }

    fn remark(&self, archive: &str, impact: Impact, what: &str) -> Option<Diagnostic> {
        (self.count > 0).then(|| Diagnostic {
            artifact: archive.to_owned(),
            impact,
            message: format!(
                "{} {what}: {}{}",
                self.count,
                self.first.join(", "),
                if self.count > self.first.len() { ", …" } else { "" }
            ),
        })
    }
}

impl Names {
    pub(super) fn new(members: &[Member]) -> Self {
        let root = Node { is_folder: true, ..Node::default() };
        let mut names = Self {
            nodes: vec![root],
            twice: Odd::default(),
            outward: Odd::default(),
            similar: Odd::default(),
        };
        for (number, member) in members.iter().enumerate() {
            names.insert(number, member);
        }
        names.find_similar();
        names
    }

    fn insert(&mut self, number: usize, member: &Member) {
        let mut components: Vec<&str> = Vec::new();
        let mut leads_out = member.name.starts_with(['/', '\\']);
        for component in member.name.split(['/', '\\']) {
            match component {
                "" | "." => {}
                ".." => leads_out = true,
                name => components.push(name),
            }
        }
        if leads_out {
            self.outward.add(&member.name);
        }
        let is_folder = member.kind == MemberKind::Folder;
        let Some((last, folders)) = components.split_last() else {
            if !is_folder {
                self.add_child(0, "(no name)", false, Some(number));
            }
            return;
        };
        let mut at = 0;
        for folder in folders {
            at = self.folder_in(at, folder);
        }
        if is_folder {
            let folder = self.folder_in(at, last);
            if let Some(node) = self.nodes.get_mut(folder) {
                node.member.get_or_insert(number);
            }
        } else {
            self.add_child(at, last, false, Some(number));
        }
    }

    /// The folder of that name in a folder, made where there is none.
    fn folder_in(&mut self, parent: usize, name: &str) -> usize {
        let known = self.nodes.get(parent).and_then(|node| {
            let shown = node.children.get(name).copied();
            let shown = shown.filter(|child| self.nodes.get(*child).is_some_and(|c| c.is_folder));
            shown.or_else(|| node.renamed.get(name).copied())
        });
        known.unwrap_or_else(|| self.add_child(parent, name, true, None))
    }

    fn add_child(
        &mut self,
        parent: usize,
        name: &str,
        is_folder: bool,
        member: Option<usize>,
    ) -> usize {
        let child = self.nodes.len();
        let Some(node) = self.nodes.get_mut(parent) else { return parent };
        let mut shown = name.to_owned();
        if node.children.contains_key(name) {
            let times = node.used.entry(name.to_owned()).or_insert(1);
            while node.children.contains_key(&shown) {
                *times = times.saturating_add(1);
                shown = format!("{name}~{times}");
            }
            if is_folder {
                node.renamed.insert(name.to_owned(), child);
            }
            self.twice.add(&shown);
        }
        node.children.insert(shown, child);
        self.nodes.push(Node { member, is_folder, ..Node::default() });
        child
    }

    /// Names that Windows takes for the same.
    fn find_similar(&mut self) {
        for node in &self.nodes {
            let mut folded: BTreeMap<String, usize> = BTreeMap::new();
            for (name, child) in &node.children {
                let is_file = self.nodes.get(*child).is_some_and(|child| !child.is_folder);
                if is_file && folded.insert(fold(name), *child).is_some() {
                    self.similar.add(name);
                }
            }
        }
    }

    /// What the names make worth saying.
    pub(super) fn remarks(&self, archive: &str) -> Vec<Diagnostic> {
        let twice = self.twice.remark(
            archive,
            Impact::Note,
            "members have the name of another one and are shown with a number after it",
        );
        let outward = self.outward.remark(
            archive,
            Impact::Note,
            "members have names that lead out of the archive and are shown inside it",
        );
        let similar = self.similar.remark(
            archive,
            Impact::Note,
            "members differ from another one only in the case of their name",
        );
        [twice, outward, similar].into_iter().flatten().collect()
    }

    fn node(&self, path: &EvidencePath) -> Option<&Node> {
        let mut node = self.nodes.first()?;
        for component in path.components() {
            node = self.nodes.get(*node.children.get(component)?)?;
        }
        Some(node)
    }

    /// The member that a path stands for.
    pub(super) fn member(&self, path: &EvidencePath) -> Option<usize> {
        self.node(path)?.member
    }

    /// What is in a folder, sorted; absent where there is no such folder.
    pub(super) fn list(&self, folder: &EvidencePath, members: &[Member]) -> Option<Vec<Entry>> {
        let node = self.node(folder).filter(|node| node.is_folder)?;
        let mut entries = Vec::with_capacity(node.children.len());
        for (name, child) in &node.children {
            let Some(child) = self.nodes.get(*child) else { continue };
            let kind = match child.member.and_then(|number| members.get(number)) {
                _ if child.is_folder => EntryKind::Folder,
                Some(member) => member.entry_kind(members),
                None => EntryKind::Special,
            };
            entries.push(Entry::new(folder.child(name), kind));
        }
        Some(entries)
    }
}

impl Member {
    fn entry_kind(&self, members: &[Self]) -> EntryKind {
        match self.kind {
            MemberKind::File => EntryKind::File(self.size),
            MemberKind::Same(other) => {
                EntryKind::File(members.get(other).map_or(self.size, |other| other.size))
            }
            MemberKind::Folder => EntryKind::Folder,
            MemberKind::Link => EntryKind::Link,
            MemberKind::Special => EntryKind::Special,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> Member {
        let kind = if name.ends_with('/') { MemberKind::Folder } else { MemberKind::File };
        Member { name: name.into(), kind, size: 1, packed: 1, run: None, parts: None }
    }

    /// Every path below the root, folders with a `/` after them.
    fn paths(names: &Names, members: &[Member]) -> Vec<String> {
        let mut all = Vec::new();
        let mut ahead = vec![EvidencePath::root()];
        while let Some(folder) = ahead.pop() {
            for entry in names.list(&folder, members).unwrap() {
                let mark = if entry.is_folder() { "/" } else { "" };
                all.push(format!("{}{mark}", entry.path));
                if entry.is_folder() {
                    ahead.push(entry.path);
                }
            }
        }
        all.sort();
        all
    }

    #[test]
    fn names_stay_inside() {
        for (stored, expected) in [
            ("../../etc/passwd", "etc/passwd"),
            ("/etc/passwd", "etc/passwd"),
            ("C:\\Windows\\System32\\config\\SYSTEM", "C:/Windows/System32/config/SYSTEM"),
            ("./a//b/./c", "a/b/c"),
            ("a/../b", "a/b"),
            ("\\\\?\\C:\\x", "?/C:/x"),
            ("..", "(no name)"),
            ("", "(no name)"),
            ("nul\0name", "nul\0name"),
        ] {
            let members = [file(stored)];
            let names = Names::new(&members);
            assert_eq!(names.member(&EvidencePath::new(expected)), Some(0), "{stored:?}");
        }
    }

    #[test]
    fn every_member_can_be_reached() {
        let members: Vec<Member> =
            ["a/x", "a/x", "a", "b", "b/c", "b/d", "B", "e/", "e/", "e/f"].map(file).into();
        let names = Names::new(&members);
        assert_eq!(
            paths(&names, &members),
            ["B", "a/", "a/x", "a/x~2", "a~2", "b", "b~2/", "b~2/c", "b~2/d", "e/", "e/f"]
        );
        let remarks: Vec<String> =
            names.remarks("zip").into_iter().map(|remark| remark.message).collect();
        assert_eq!(remarks.len(), 2, "{remarks:?}");
        assert!(
            remarks[0].starts_with("3 members") && remarks[0].ends_with("a/x~2, a~2, b~2")
                || remarks[0].ends_with("x~2, a~2, b~2"),
            "{remarks:?}"
        );
        assert!(remarks[1].starts_with("1 members differ"), "{remarks:?}");
    }

    #[test]
    fn deep_and_long_names_cost_no_more_than_themselves() {
        let members = [
            file(&"d/".repeat(30_000)),
            file(&"n".repeat(10_000)),
            file(&format!("{}f", "d/".repeat(30_000))),
        ];
        let names = Names::new(&members);
        assert_eq!(names.member(&EvidencePath::new(&"n".repeat(10_000))), Some(1));
        assert!(names.nodes.len() < 30_010);
    }

    #[test]
    fn names_used_a_thousand_times_are_quick() {
        let members: Vec<Member> = (0..3000).map(|_| file("same")).collect();
        let names = Names::new(&members);
        assert_eq!(names.member(&EvidencePath::new("same~3000")), Some(2999));
    }
}
