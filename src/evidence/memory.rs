//! Files in memory as evidence: what was made or unpacked by this program itself.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read as _};
use std::sync::Arc;

use super::collection;
use super::file_tree::{Contents, Entry, EntryKind, FileTree};
use super::source::{SharedSource, Source};
use super::{Description, Evidence, EvidencePath, Options, Taken};
use crate::error::Error;

/// Files by path, with `/` between components.
struct Files(BTreeMap<String, Arc<[u8]>>);

/// The bytes of one of them.
struct Shared(Arc<[u8]>);

impl Source for Shared {
    fn size(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap_or(u64::MAX)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|start| self.0.get(start..));
        rest.unwrap_or_default().read(buffer)
    }
}

impl FileTree for Files {
    fn list(&self, folder: &EvidencePath) -> Contents {
        let folder = folder.as_str();
        let above = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let mut folders = BTreeSet::new();
        let mut contents = Contents::default();
        let below = self.0.range(above.clone()..);
        for (path, bytes) in below.take_while(|(path, _)| path.starts_with(&above)) {
            let Some(rest) = path.strip_prefix(&above) else { continue };
            let (name, kind) = match rest.split_once('/') {
                Some((name, _)) if !folders.insert(name.to_owned()) => continue,
                Some((name, _)) => (name, EntryKind::Folder),
                None => (rest, EntryKind::File(u64::try_from(bytes.len()).unwrap_or(u64::MAX))),
            };
            contents.entries.push(Entry::new(EvidencePath::new(&format!("{above}{name}")), kind));
        }
        contents.entries.sort_by(|left, right| left.path.cmp(&right.path));
        contents
    }

    fn open(&self, file: &EvidencePath) -> io::Result<SharedSource> {
        let bytes = self.0.get(file.as_str()).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(Shared(Arc::clone(bytes))))
    }
}

/// Opens files that lie in memory, as a folder with them would be opened. Absent where they hold no host.
///
/// # Errors
/// What is wrong with a layout they seem to have.
pub fn open_files(
    name: &str,
    files: impl IntoIterator<Item = (String, Arc<[u8]>)>,
) -> Result<Option<Box<dyn Evidence>>, Error> {
    let about = Description { path: name.to_owned(), ..Description::default() };
    let tree: Arc<dyn FileTree> = Arc::new(Files(files.into_iter().collect()));
    Ok(match collection::open(&tree, &about, &Options::default())? {
        Taken::Hosts(mut hosts) if !hosts.is_empty() => Some(hosts.swap_remove(0)),
        Taken::Hosts(_) | Taken::Bare { .. } | Taken::No => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_in_memory_are_a_host_as_a_folder_with_them_is() {
        let bytes: Arc<[u8]> = Arc::from(b"regf".as_slice());
        let file = |path: &str| (path.to_owned(), Arc::clone(&bytes));
        let files = [
            file("Windows/System32/config/SYSTEM"),
            file("Windows/System32/config/SOFTWARE"),
            file("Program Files/A/a.exe"),
        ];
        let host = open_files("made", files).unwrap().unwrap();
        assert_eq!(host.describe().format, "Windows folder tree");
        let place = host.look_up(r"C:\program files\a\A.EXE", r"C:\Windows");
        assert!(matches!(place, crate::evidence::Whereabouts::Present { .. }), "{place:?}");
        assert!(open_files("nothing", []).unwrap().is_none());
    }
}
