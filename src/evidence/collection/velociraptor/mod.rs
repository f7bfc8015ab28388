//! What Velociraptor collected: by its offline collector, exported from its server, or a hunt over many hosts.
//!
//! Layout: `reporting/container.go`, `vql/tools/collector` and `accessors/collector` of Velociraptor.

mod hunt;
mod names;
mod results;
mod stored;
mod uploads;

pub(super) use hunt::HUNT;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::overlay::Overlay;
use super::records::json_document;
use super::site::{Site, hosts};
use super::survey::{Survey, survey_below};
use super::windows_tree::WindowsTree;
use super::{ArchiveOpened, Layout, Options, SharedTree, Taken, host_name, loose};
use crate::diagnostic::{Diagnostic, Impact};
use crate::error::Error;
use crate::evidence::file_tree::FileTree;
use crate::evidence::{Description, EvidencePath, HostName, RecordedHash, WindowsFolder};
use crate::text::fold;
use names::{decode, volume};
use stored::{Stored, UPLOADS, Upload, is_accessor};

pub(super) const LAYOUT: Layout = Layout {
    name: "Velociraptor collection",
    known_by: "`uploads.json`, or `uploads` with a folder named after an accessor (auto, ntfs, …)",
    open,
};

/// What a collection encrypted as a whole is kept in.
const ENCRYPTED: &str = "data.zip";

fn open(tree: &SharedTree, about: &Description, options: &Options) -> Result<Taken, Error> {
    Site::top(tree, about, options).offer(take)
}

/// The hosts of a collection whose top is that folder.
pub(super) fn take(site: &Site<'_>) -> Result<Taken, Error> {
    let known = [ENCRYPTED, "metadata.json"];
    let is_container = site.contents.entries.iter().all(|entry| known.contains(&&*entry.name));
    if let Some(data) = site.file(ENCRYPTED).filter(|_| is_container) {
        return encrypted(site, &data);
    }
    let record = site.file("uploads.json");
    let uploads = site.folder(UPLOADS);
    let uploads = uploads.filter(|uploads| record.is_some() || holds_accessors(site, uploads));
    // Somebody may have given the folder of the uploads itself, or unpacked nothing else.
    let uploads = uploads.or_else(|| {
        let is_uploads = record.is_none() && holds_accessors(site, &site.base);
        is_uploads.then(|| site.base.clone())
    });
    match (uploads, record) {
        (Some(uploads), record) => collection(site, &uploads, record.as_ref()),
        (None, record) if record.is_some() || is_old(site) => site.refuse_or_leave(
            "a Velociraptor collection without uploaded files: only the results of its artifacts, no hive and no event log",
        ),
        (None, _) => Ok(Taken::No),
    }
}

/// Whether a folder holds one named after an accessor with a volume in it.
fn holds_accessors(site: &Site<'_>, folder: &EvidencePath) -> bool {
    let contents = site.tree.list(folder);
    let mut accessors = contents.folders().filter(|entry| is_accessor(&entry.name));
    accessors.any(|accessor| {
        let volumes = site.tree.list(&accessor.path);
        // Its names are escaped; what other collectors call `file/C` is not.
        let is_volume = |name: &str| name.contains('%') && volume(&decode(name)).is_certain();
        volumes.folders().any(|entry| is_volume(&entry.name))
    })
}

/// Whether it has the marks of a collection that uploaded nothing.
fn is_old(site: &Site<'_>) -> bool {
    site.file("collection_context.json").is_some()
        && (site.file("requests.json").is_some() || site.file("client_info.json").is_some())
}

/// What the records explain of the files.
struct Explained {
    overlay: Overlay,
    recorded: BTreeMap<EvidencePath, RecordedHash>,
    diagnostics: Vec<Diagnostic>,
}

fn collection(
    site: &Site<'_>,
    uploads: &EvidencePath,
    record: Option<&EvidencePath>,
) -> Result<Taken, Error> {
    let mut diagnostics = Vec::new();
    let stored = Stored::look(site.tree.as_ref(), uploads, &mut diagnostics);
    let mut overlay = Overlay::new(&site.tree, decode);
    overlay.expand(stored.files.indexes(), site.options.limits.ratio);
    let mut explained = Explained { overlay, recorded: BTreeMap::new(), diagnostics };
    if let Some(record) = record {
        uploads::read(site, record, &stored, &mut explained);
    }
    if let Some(results) = site.folder("results") {
        results::read(site, &results, &stored, &mut explained);
    }
    let Explained { overlay, mut recorded, mut diagnostics } = explained;
    forget_sparse(&overlay, &mut recorded, uploads, &mut diagnostics);
    let tree: SharedTree = Arc::new(overlay);
    let host_name = host_name(site, &mut diagnostics);
    let found = windows(tree.as_ref(), &stored, &mut diagnostics);
    let about = Description { format: LAYOUT.name, host_name, ..site.about.clone() };
    if found.is_empty() {
        return without_windows(site, &tree, about, diagnostics);
    }
    let found = found.into_iter().map(|windows| {
        let mut description = Description { windows, ..about.clone() };
        description.diagnostics.extend(diagnostics.iter().cloned());
        description
    });
    Ok(hosts(site, found.collect(), |description| {
        WindowsTree::new(&tree, description).with_recorded(recorded.clone())
    }))
}

/// The hashes of a file with holes are of what was stored, which is not what the file was.
fn forget_sparse(
    overlay: &Overlay,
    recorded: &mut BTreeMap<EvidencePath, RecordedHash>,
    uploads: &EvidencePath,
    into: &mut Vec<Diagnostic>,
) {
    let before = recorded.len();
    recorded.retain(|path, _| !overlay.has_holes(path));
    let count = before.saturating_sub(recorded.len());
    if count > 0 {
        into.push(Diagnostic {
            artifact: uploads.to_string(),
            impact: Impact::Note,
            message: format!(
                "{count} files were stored without their holes and are read with them; the collector's hashes of these are of what was stored and are not compared"
            ),
        });
    }
}

/// Hives and logs that lie anywhere else are still worth reading.
fn without_windows(
    site: &Site<'_>,
    tree: &SharedTree,
    about: Description,
    diagnostics: Vec<Diagnostic>,
) -> Result<Taken, Error> {
    let mut about = about;
    about.diagnostics.extend(diagnostics);
    if site.base == EvidencePath::root()
        && let taken @ Taken::Hosts(_) = (loose::LAYOUT.open)(tree, &about, site.options)?
    {
        return Ok(taken);
    }
    Err(site.refuse(
        "a Velociraptor collection with neither a Windows folder nor a registry hive or event log",
    ))
}

/// The Windows folders, one list for each host: those of one drive, of the most believed accessor first, then
/// older states.
fn windows(
    tree: &dyn FileTree,
    stored: &Stored,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Vec<WindowsFolder>> {
    let mut current: BTreeMap<(String, String), Vec<WindowsFolder>> = BTreeMap::new();
    let mut older: Vec<(String, WindowsFolder)> = Vec::new();
    for upload in &stored.volumes {
        let label = upload.volume.shadow.as_deref();
        let Survey { windows, diagnostics: told } = survey_below(tree, &upload.path, label);
        diagnostics.extend(told);
        for folder in windows {
            if folder.history.is_some() {
                older.push((upload.volume.key.clone(), folder));
                continue;
            }
            let key = (upload.volume.key.clone(), within(upload, &folder.path));
            current.entry(key).or_default().push(folder);
        }
    }
    for ((drive, path), folders) in &mut current {
        *folders = layered(tree, stored, drive, path);
    }
    let mut hosts: Vec<(String, Vec<WindowsFolder>)> =
        current.into_iter().map(|((drive, _), folders)| (drive, folders)).collect();
    if hosts.is_empty() && !older.is_empty() {
        return vec![older.into_iter().map(|(_, folder)| folder).collect()];
    }
    let is_ambiguous = hosts.len() > 1;
    for (drive, folder) in older {
        let own = hosts.iter().position(|(of, _)| *of == drive);
        if own.is_none() && is_ambiguous {
            let message = "the collection does not say of which drive this shadow copy is; it is read with the first";
            let (artifact, impact) = (folder.path.to_string(), Impact::Note);
            diagnostics.push(Diagnostic { artifact, impact, message: message.into() });
        }
        if let Some((_, folders)) = hosts.get_mut(own.unwrap_or(0)) {
            folders.push(folder);
        }
    }
    hosts.into_iter().map(|(_, folders)| folders).collect()
}

/// The path of a folder in its volume, without case.
fn within(upload: &Upload, folder: &EvidencePath) -> String {
    let above = upload.path.components().count();
    let names: Vec<String> =
        folder.components().skip(above).map(|name| fold(&decode(name))).collect();
    names.join("/")
}

/// The folders of that path that the accessors read from a drive, whatever of it each read.
fn layered(tree: &dyn FileTree, stored: &Stored, drive: &str, path: &str) -> Vec<WindowsFolder> {
    let volumes = stored.volumes.iter().filter(|upload| upload.volume.key == drive);
    let folders = volumes.filter_map(|upload| {
        let mut folder = upload.path.clone();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            folder = tree.list(&folder).folder(name)?.path.clone();
        }
        Some(WindowsFolder { history: None, path: folder })
    });
    folders.collect()
}

/// `client_info.json`: flat in offline collections, nested in exports of a server.
#[derive(Deserialize)]
struct ClientInfo {
    #[serde(rename = "Hostname")]
    hostname: Option<String>,
    os_info: Option<OsInfo>,
}

#[derive(Deserialize)]
struct OsInfo {
    hostname: Option<String>,
}

fn host_name(site: &Site<'_>, told: &mut Vec<Diagnostic>) -> Option<HostName> {
    let mut by_record = || {
        let record = site.file("client_info.json")?;
        let info: ClientInfo = site.read(&record, told, json_document)??;
        let name = info.hostname.or_else(|| info.os_info?.hostname)?;
        let source = record.name().to_owned();
        (!name.is_empty()).then_some(HostName { name, source })
    };
    by_record().or_else(|| host_name::of_velociraptor(site.stem()))
}

/// How a container says that it is encrypted, and with what.
#[derive(Deserialize)]
struct Encryption {
    #[serde(rename = "Scheme")]
    scheme: Option<String>,
}

/// A collection that was zipped once more and encrypted.
fn encrypted(site: &Site<'_>, data: &EvidencePath) -> Result<Taken, Error> {
    let mut told = Vec::new();
    let metadata = site.file("metadata.json");
    let schemes: Option<Vec<Encryption>> =
        metadata.as_ref().and_then(|record| site.read(record, &mut told, json_document)?);
    let scheme = schemes.into_iter().flatten().find_map(|one| one.scheme).unwrap_or_default();
    match super::open_inner(&site.given(data), site.options) {
        Ok(ArchiveOpened { tree, words, diagnostics }) => {
            let mut about = site.about.clone();
            about.diagnostics.extend(diagnostics);
            about.containers.push(format!("Velociraptor container ({ENCRYPTED}), {words}"));
            open(&tree, &about, site.options)
        }
        Err(error) => {
            let how = match scheme.to_ascii_lowercase().as_str() {
                "x509" | "pgp" => {
                    "to a key that its server has: decrypt it with `velociraptor decrypt`, or give the session password with --zip-password"
                }
                _ => "with a password: give it with --zip-password",
            };
            Err(site.refuse(&format!("a Velociraptor collection encrypted {how} ({error})")))
        }
    }
}
