//! Disk images: container, partitions, volumes, shadow copies.

mod bitlocker;
mod container;
mod mounts;
mod partition;
mod shadow;
mod volume;

use std::sync::Arc;

pub(super) use self::container::{CONTAINERS, is_image_in_archive};

use self::container::Disk;
use self::mounts::Mounts;
use self::volume::Volume;
use super::cache::Cached;
use super::collection::{self, LAYOUTS, LOOSE_LAYOUTS, Layout};
use super::given::{Given, SharedTree};
use super::source::{SharedSource, Window};
use super::{Description, Evidence, Options, Partition, ShadowCopies, Taken};
use crate::diagnostic::{Diagnostic, Impact};
use crate::error::Error;

/// What a volume without a host is called.
const BARE: &str = "volume without Windows, hives and logs";

/// The hosts on a disk image: one for every volume with Windows, or where there is none, with hives or logs.
///
/// # Errors
/// Where the image cannot be read at all.
pub(super) fn open(
    given: &Given,
    source: SharedSource,
    about: &Description,
    options: &Options,
) -> Result<Taken, Error> {
    let refused = |message: String| Error::Refused { path: given.shown.clone().into(), message };
    let disk = container::open(given, source).map_err(|error| refused(error.to_string()))?;
    let Some(Disk { source, mut words, diagnostics, hash }) = disk else { return Ok(Taken::No) };
    if let Some(hash) = hash {
        let hashes = [("SHA-256", hash.sha256), ("SHA-1", hash.sha1), ("MD5", hash.md5)];
        for (algorithm, digits) in hashes {
            if let Some(digits) = digits {
                words = format!("{words}, {algorithm} when made {digits} (not checked)");
                break;
            }
        }
    }
    let artifact = given.path.to_string();
    let disk: SharedSource = Arc::new(Cached::new(source));
    let table = partition::read(&disk, &artifact);
    let mut about = about.clone();
    about.containers.push(words.clone());
    about.partitions = table.partitions;
    about.diagnostics.extend(diagnostics);
    about.diagnostics.extend(table.diagnostics);
    let mut volumes = Volumes { opened: Vec::new(), problems: Vec::new() };
    for index in 0..about.partitions.len() {
        volumes.open(&disk, &mut about, index, options);
    }
    let hosts = volumes.hosts(&about, options)?;
    if hosts.is_empty() {
        let refusal = refused(volumes.nothing_found(&words, &about));
        return Ok(volumes.bare(&about, refusal));
    }
    Ok(Taken::Hosts(hosts))
}

/// The volumes of a disk.
struct Volumes {
    opened: Vec<Opened>,
    /// Why the others are not read.
    problems: Vec<Diagnostic>,
}

/// A volume whose files can be read.
struct Opened {
    /// Its place in the list of partitions.
    index: usize,
    tree: SharedTree,
    shadow_copies: Vec<super::ShadowCopy>,
    diagnostics: Vec<Diagnostic>,
}

impl Volumes {
    fn open(
        &mut self,
        disk: &SharedSource,
        about: &mut Description,
        index: usize,
        options: &Options,
    ) {
        let Some(partition) = about.partitions.get_mut(index) else { return };
        let name = name(partition.number);
        let mut source: SharedSource =
            Arc::new(Window::new(Arc::clone(disk), partition.start, partition.size));
        let mut lost = |message: String| {
            self.problems.push(Diagnostic {
                artifact: name.clone(),
                impact: Impact::Lost,
                message,
            });
        };
        if bitlocker::is_locked(source.as_ref()).unwrap_or_default() {
            partition.content = bitlocker::describe(&source);
            match bitlocker::unlock(&source, options) {
                Ok(unlocked) => {
                    partition.content.push_str(", unlocked");
                    source = Arc::new(Cached::new(unlocked));
                }
                Err(message) => return lost(message),
            }
        } else if !may_be_ntfs(partition) {
            return;
        }
        match Volume::open(Arc::clone(&source)) {
            Ok(volume) => {
                if let Some(label) = volume.label() {
                    partition.content = format!("{}, label {label}", partition.content);
                }
                let serial = volume.serial();
                partition.content = format!("{}, serial {serial:016X}", partition.content);
                let opened = with_shadow_copies(&source, volume, index, options);
                self.opened.push(opened);
            }
            Err(error) if partition.content == "NTFS" => {
                lost(format!("the NTFS volume cannot be read: {error}"));
            }
            Err(_) => {}
        }
    }

    /// Every host, each with what is known about the disk.
    ///
    /// A data volume beside Windows is no host, whatever files lie on it: loose files count only where no volume
    /// has files in their places.
    fn hosts(
        &self,
        about: &Description,
        options: &Options,
    ) -> Result<Vec<Box<dyn Evidence>>, Error> {
        for layouts in [LAYOUTS, LOOSE_LAYOUTS] {
            let mut found = self.open_as(layouts, about, options, false)?;
            if found.len() > 1 {
                found = self.open_as(layouts, about, options, true)?;
            }
            if !found.is_empty() {
                return Ok(found.into_iter().flatten().collect());
            }
        }
        Ok(Vec::new())
    }

    /// The volumes as they are, for those who want to look at their files.
    fn bare(&self, about: &Description, refusal: Error) -> Taken {
        let volumes = self.opened.iter().map(|volume| {
            let description =
                Description { format: BARE, ..volume.describe(about, &self.problems) };
            collection::bare(&volume.tree, description)
        });
        Taken::Bare { volumes: volumes.collect(), refusal }
    }

    /// Why a disk image gave no host.
    fn nothing_found(&self, words: &str, about: &Description) -> String {
        let mut message = format!("{words}, without Windows or its hives or logs");
        let partitions: Vec<String> = about
            .partitions
            .iter()
            .map(|partition| format!("{}: {}", name(partition.number), partition.content))
            .collect();
        if !partitions.is_empty() {
            message = format!("{message}; {}", partitions.join(", "));
        }
        let of_volumes = self.opened.iter().flat_map(|volume| &volume.diagnostics);
        for problem in about.diagnostics.iter().chain(&self.problems).chain(of_volumes) {
            message = format!("{message}; {}: {}", problem.artifact, problem.message);
        }
        message
    }

    /// A volume with the other ones of the disk beside it. No file can be called like them: a colon ends its name.
    fn with_others(&self, volume: &Opened) -> SharedTree {
        let others = self.opened.iter().filter(|other| other.index != volume.index);
        let others: Vec<(String, SharedTree)> = others
            .map(|other| {
                let number = other.index.saturating_add(1);
                (format!("partition {number}:"), Arc::clone(&other.tree))
            })
            .collect();
        if others.is_empty() {
            return Arc::clone(&volume.tree);
        }
        Arc::new(Mounts::new(Arc::clone(&volume.tree), Vec::new()).with_volumes(others))
    }

    /// The hosts of each volume that has any, by one kind of layouts.
    fn open_as(
        &self,
        layouts: &[Layout],
        about: &Description,
        options: &Options,
        is_named: bool,
    ) -> Result<Vec<Vec<Box<dyn Evidence>>>, Error> {
        let mut found = Vec::new();
        for volume in &self.opened {
            let mut about = volume.describe(about, &self.problems);
            if is_named && let Some(partition) = about.partitions.get(volume.index) {
                about.path = format!("{}/{}", about.path, name(partition.number));
            }
            let tree = self.with_others(volume);
            if let Taken::Hosts(hosts) = collection::open_as(layouts, &tree, &about, options)? {
                found.push(hosts);
            }
        }
        Ok(found)
    }
}

impl Opened {
    /// What is known about the disk when this volume is read.
    fn describe(&self, about: &Description, problems: &[Diagnostic]) -> Description {
        let mut about = about.clone();
        if let Some(partition) = about.partitions.get_mut(self.index) {
            partition.is_read = true;
        }
        about.shadow_copies.clone_from(&self.shadow_copies);
        about.diagnostics.extend(self.diagnostics.iter().cloned());
        // That another volume is locked is no damage of this host, but its reader should know.
        about.diagnostics.extend(
            problems.iter().map(|problem| Diagnostic { impact: Impact::Note, ..problem.clone() }),
        );
        about
    }
}

/// A volume as a tree with its shadow copies below the root.
fn with_shadow_copies(
    source: &SharedSource,
    volume: Volume,
    index: usize,
    options: &Options,
) -> Opened {
    let mut diagnostics = volume.diagnostics().to_vec();
    let shadow::Copies { list: mut copies, diagnostics: problems } = shadow::copies(source);
    diagnostics.extend(problems);
    let mut below: Vec<(String, SharedTree)> = Vec::new();
    for copy in &mut copies {
        let wanted = match options.shadow_copies {
            ShadowCopies::All => true,
            ShadowCopies::None => false,
            ShadowCopies::One(number) => number == copy.number,
        };
        if !wanted {
            continue;
        }
        let label = shadow::label(copy);
        match shadow::open(source, copy.number)
            .and_then(|copy| Volume::open(Arc::new(Cached::new(copy))))
        {
            Ok(volume) => {
                copy.is_read = true;
                diagnostics.extend(volume.diagnostics().iter().map(|one| Diagnostic {
                    artifact: format!("{label}/{}", one.artifact),
                    ..one.clone()
                }));
                below.push((label, Arc::new(volume)));
            }
            Err(error) => diagnostics.push(Diagnostic {
                artifact: label,
                impact: Impact::Partial,
                message: format!("this older state cannot be read: {error}"),
            }),
        }
    }
    let mut tree: SharedTree = Arc::new(volume);
    if !below.is_empty() {
        tree = Arc::new(Mounts::new(tree, below));
    }
    Opened { index, tree, shadow_copies: copies, diagnostics }
}

/// Whether NTFS is looked for on a partition. One whose boot sector is destroyed says nothing of itself, but its
/// backup may be there.
fn may_be_ntfs(partition: &Partition) -> bool {
    partition.content == "NTFS"
        || ["unknown", "unreadable"].iter().any(|word| partition.content.starts_with(word))
}

/// What reports call a partition.
fn name(number: usize) -> String {
    if number == 0 { "volume".to_owned() } else { format!("partition {number}") }
}
