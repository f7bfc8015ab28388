//! Where the Windows folders are in a folder tree, and which of them is the current one.

use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::file_tree::{Contents, Entry, FileTree};
use crate::evidence::pattern::history_label;
use crate::evidence::{EvidencePath, WindowsFolder};
use crate::text::{fold, same_name};

/// How deep below the given folder a volume's root may lie: `uploads/auto/C%3A` is 3.
const MAX_DEPTH: usize = 4;
/// Folders looked into before the search gives up.
const MAX_FOLDERS: usize = 20_000;

/// What a search for Windows folders found.
#[derive(Debug, Default)]
pub(in crate::evidence) struct Survey {
    pub(in crate::evidence) windows: Vec<WindowsFolder>,
    pub(in crate::evidence) diagnostics: Vec<Diagnostic>,
}

/// Looks for Windows folders. A folder is one by what it holds (`System32` with `config` or `winevt`), so that
/// `WINNT` and the Windows folder itself are found.
pub(in crate::evidence) fn survey(tree: &dyn FileTree) -> Survey {
    survey_below(tree, &EvidencePath::root(), None)
}

/// Looks for Windows folders below a folder that holds the state of that label; absent for the current one.
pub(super) fn survey_below(
    tree: &dyn FileTree,
    folder: &EvidencePath,
    history: Option<&str>,
) -> Survey {
    let mut search = Search { tree, looked: 0, survey: Survey::default() };
    let contents = search.list(folder);
    search.explore(folder, &contents, 0, history);
    search.survey.windows.sort();
    search.survey
}

struct Search<'t> {
    tree: &'t dyn FileTree,
    looked: usize,
    survey: Survey,
}

impl Search<'_> {
    fn list(&mut self, path: &EvidencePath) -> Contents {
        self.looked = self.looked.saturating_add(1);
        if self.looked == MAX_FOLDERS {
            self.survey.diagnostics.push(Diagnostic {
                artifact: path.to_string(),
                impact: Impact::Partial,
                message: format!(
                    "the search for Windows folders ends here, after {MAX_FOLDERS} folders"
                ),
            });
        }
        if self.looked >= MAX_FOLDERS {
            return Contents::default();
        }
        let mut contents = self.tree.list(path);
        self.survey.diagnostics.append(&mut contents.diagnostics);
        contents
    }

    fn explore(
        &mut self,
        path: &EvidencePath,
        contents: &Contents,
        depth: usize,
        history: Option<&str>,
    ) {
        if self.is_windows(contents) {
            self.keep(path, history);
            return;
        }
        let (older, others): (Vec<&Entry>, Vec<&Entry>) =
            contents.folders().partition(|entry| history_label(&entry.name).is_some());
        let others: Vec<(&Entry, Contents)> =
            others.into_iter().map(|entry| (entry, self.list(&entry.path))).collect();
        let is_volume = self.keep_windows_of_volume(&others, history);
        if depth >= MAX_DEPTH {
            return;
        }
        for entry in older {
            let label = history.into_iter().chain(history_label(&entry.name));
            let label = label.collect::<Vec<_>>().join(" ");
            let contents = self.list(&entry.path);
            self.explore(&entry.path, &contents, depth.saturating_add(1), Some(&label));
        }
        if !is_volume {
            for (entry, contents) in others {
                self.explore(&entry.path, &contents, depth.saturating_add(1), history);
            }
        }
    }

    /// Keeps the Windows folders among the folders of a volume's root; whether there are any.
    ///
    /// One with the usual name rules out others: anybody may make a folder `x\System32\config`.
    fn keep_windows_of_volume(
        &mut self,
        folders: &[(&Entry, Contents)],
        history: Option<&str>,
    ) -> bool {
        let mut windows: Vec<&Entry> = Vec::new();
        for (entry, contents) in folders {
            if self.is_windows(contents) {
                windows.push(entry);
            }
        }
        let usual = |entry: &Entry| ["Windows", "WINNT"].iter().any(|n| same_name(n, &entry.name));
        let any_usual = windows.iter().any(|entry| usual(entry));
        for entry in &windows {
            if usual(entry) || !any_usual {
                self.keep(&entry.path, history);
            } else {
                self.survey.diagnostics.push(Diagnostic {
                    artifact: entry.path.to_string(),
                    impact: Impact::Note,
                    message: "looks like a Windows folder beside the real one; not read".into(),
                });
            }
        }
        !windows.is_empty()
    }

    fn is_windows(&mut self, contents: &Contents) -> bool {
        let Some(system32) = contents.folder("System32") else { return false };
        let inside = self.list(&system32.path);
        ["config", "winevt"].iter().any(|name| inside.folder(name).is_some())
    }

    fn keep(&mut self, path: &EvidencePath, history: Option<&str>) {
        self.survey
            .windows
            .push(WindowsFolder { history: history.map(str::to_owned), path: path.clone() });
    }
}

/// Deals the Windows folders out to hosts: each current one is a host, older states go to the current one they
/// share most of their path with.
pub(in crate::evidence) fn hosts(windows: Vec<WindowsFolder>) -> Vec<Vec<WindowsFolder>> {
    let (older, current): (Vec<_>, Vec<_>) =
        windows.into_iter().partition(|folder| folder.history.is_some());
    let mut hosts: Vec<Vec<WindowsFolder>> =
        current.into_iter().map(|folder| vec![folder]).collect();
    for folder in older {
        let nearest = hosts
            .iter()
            .enumerate()
            .max_by_key(|(index, host)| {
                let shared = host.first().map_or(0, |current| shared(&current.path, &folder.path));
                (shared, std::cmp::Reverse(*index))
            })
            .map(|(index, _)| index);
        match nearest.and_then(|index| hosts.get_mut(index)) {
            Some(host) => host.push(folder),
            None => hosts.push(vec![folder]),
        }
    }
    hosts
}

/// How many components two paths have in common from the top.
fn shared(left: &EvidencePath, right: &EvidencePath) -> usize {
    left.components().zip(right.components()).take_while(|(l, r)| fold(l) == fold(r)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(history: Option<&str>, path: &str) -> WindowsFolder {
        WindowsFolder { history: history.map(str::to_owned), path: EvidencePath::new(path) }
    }

    #[test]
    fn older_states_go_to_the_nearest_current_one() {
        let dealt = hosts(vec![
            windows(None, "A/C/Windows"),
            windows(None, "B/C/Windows"),
            windows(Some("VSS1"), "VSS1/Windows"),
            windows(Some("Windows.old"), "B/C/Windows.old/Windows"),
        ]);
        let paths: Vec<Vec<&str>> = dealt
            .iter()
            .map(|host| host.iter().map(|folder| folder.path.as_str()).collect())
            .collect();
        assert_eq!(
            paths,
            [vec!["A/C/Windows", "VSS1/Windows"], vec!["B/C/Windows", "B/C/Windows.old/Windows"],]
        );
        let only_old =
            hosts(vec![windows(Some("VSS1"), "VSS1/W"), windows(Some("VSS2"), "VSS2/W")]);
        assert_eq!(only_old.len(), 1);
    }
}
