//! The files behind a service: whether they are there, when they were born, what they are, who vouches for them.

mod born;
mod deleted;
mod image;
mod intercepted;
mod missing;
mod no_main;
mod no_service;
mod packed;
mod pdb;
mod phantom;
mod renamed;
mod signature;
mod stomped;
mod web;
mod writable;
mod wrong_kind;

use super::{Indicator, Scope, known_good};
use crate::evidence::{TimeSource, Times};
use crate::host::program_file::{FileRecord, FileState, ProgramFile, Purpose};
use crate::text::same_name;

pub(super) const INDICATORS: &[Indicator] = &[
    intercepted::INTERCEPTED,
    missing::MISSING,
    renamed::RENAMED,
    stomped::STOMPED,
    packed::PACKED,
    born::BORN_WITH_SERVICE,
    writable::WRITABLE,
    web::FROM_THE_WEB,
    deleted::DELETED,
    no_service::NO_DISPATCHER,
    no_main::NO_MAIN,
    wrong_kind::WRONG_KIND,
    pdb::TELLING_PDB,
    phantom::PHANTOM,
    signature::BROKEN,
    signature::FALSE_MICROSOFT,
    signature::UNSIGNED_DRIVER,
    signature::UNTRUSTED,
];

/// The files of a service that were sought, each with its purpose, in order.
fn files<'a>(scope: &Scope<'a>) -> impl Iterator<Item = (&'a Purpose, &'a ProgramFile)> {
    let Scope { host, service, .. } = *scope;
    service.files.iter().filter_map(|link| Some((&link.purpose, host.files.get(link.file)?)))
}

/// Those that are there.
fn present<'a>(scope: &Scope<'a>) -> impl Iterator<Item = (&'a Purpose, &'a ProgramFile)> {
    files(scope).filter(|(_, file)| file.state == FileState::Present)
}

/// The files of a service of which nobody expects that they are missing: what Windows ships is not on every edition,
/// and an instance for one user has the files of its template.
fn missing<'a>(scope: &Scope<'a>) -> Vec<(&'a Purpose, &'a ProgramFile)> {
    let is_expected = scope.config().is_none()
        || known_good::is_stock(scope)
        || known_good::is_laid_down(scope)
        || is_of_inbox_package(scope)
        || scope.service.is_user_instance();
    let runs = |purpose: &Purpose| {
        matches!(purpose, Purpose::Image | Purpose::ServiceDll | Purpose::Wrapped)
    };
    files(scope)
        .filter(|(purpose, file)| !is_expected && runs(purpose) && file.state == FileState::Missing)
        .collect()
}

/// Whether a driver belongs to packages of Windows alone: packages of others are stored as `oem<number>.inf`. Windows
/// registers many drivers for hardware that the host does not have.
fn is_of_inbox_package(scope: &Scope<'_>) -> bool {
    let is_inbox = |owner: &String| !owner.to_lowercase().starts_with("oem");
    scope.service.is_driver()
        && scope
            .config()
            .is_some_and(|config| !config.owners.is_empty() && config.owners.iter().all(is_inbox))
}

/// Times of a file as programs set them, and as the file system wrote them when it got the name it goes by.
struct Born<'a> {
    set: &'a Times,
    kept: &'a Times,
}

/// Absent where the file system keeps no such times.
fn born<'a>(file: &ProgramFile, record: &'a FileRecord) -> Option<Born<'a>> {
    let all = &record.metadata.times;
    let set = all.iter().find(|times| times.source == TimeSource::StandardInformation)?;
    let leaf = crate::host::image_path::leaf(&file.path);
    let named = |times: &&Times, wanted: &dyn Fn(&str) -> bool| match &times.source {
        TimeSource::FileName(name) => wanted(name),
        _ => false,
    };
    let own = all.iter().find(|times| named(times, &|name| same_name(name, leaf)));
    let kept = own.or_else(|| all.iter().find(|times| named(times, &|_| true)))?;
    Some(Born { set, kept })
}
