//! What a service runs, part by part, each with its place: what checks of names, paths and commands share.

use super::story::clip;
use super::{Hit, Scope};
use crate::host::config::{ServiceConfig, ServiceType};
use crate::host::{Citation, ImagePath, Role};

/// Which part of a configuration names a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// `ImagePath`.
    Image,
    /// `ServiceDll`.
    Dll,
    /// The program behind a wrapper.
    Wrapped,
}

impl Part {
    /// How a sentence about it begins.
    pub(super) const fn runs(self) -> &'static str {
        match self {
            Self::Image => "ImagePath runs",
            Self::Dll => "ServiceDll loads",
            Self::Wrapped => "The wrapped program is",
        }
    }
}

/// A file that the service runs.
#[derive(Debug, Clone)]
pub(super) struct Runs<'a> {
    /// Which part names it.
    pub(super) part: Part,
    /// The file.
    pub(super) path: &'a ImagePath,
    /// Where it is named.
    pub(super) citation: Citation,
}

impl Runs<'_> {
    /// A yes about this file: `ImagePath runs "C:\x.exe", <what>`.
    pub(super) fn hit(&self, what: &str) -> Hit {
        let because = format!("{} \"{}\", {what}.", self.part.runs(), clip(&self.path.expanded));
        Hit::new(because, self.citation.clone())
    }
}

/// The program, the service DLL and the wrapped program, as far as the service has them.
pub(super) fn runs<'a>(scope: &Scope<'a>) -> Vec<Runs<'a>> {
    let service = scope.service;
    let mut found = Vec::new();
    found.extend(image(scope));
    let Some(config) = own_config(scope) else { return found };
    if let Some(path) = &service.dll {
        let value = config.service_dll.as_ref().map_or("ServiceDll", |(value, _)| value.as_str());
        found.push(Runs { part: Part::Dll, path, citation: config.cite(value) });
    }
    if let Some(path) = &service.wrapped {
        let citation = config.cite("Parameters\\Application");
        found.push(Runs { part: Part::Wrapped, path, citation });
    }
    found
}

/// The program: from the hive, else from what made the service known.
pub(super) fn image<'a>(scope: &Scope<'a>) -> Option<Runs<'a>> {
    let path = scope.service.image.as_ref()?;
    let citation = match own_config(scope) {
        Some(config) => config.cite("ImagePath"),
        None => witness(scope)?,
    };
    Some(Runs { part: Part::Image, path, citation })
}

/// The configuration that the service's program and DLL come from: the current one, else the newest of
/// those that are gone.
pub(super) fn own_config<'a>(scope: &Scope<'a>) -> Option<&'a ServiceConfig> {
    scope.config().or_else(|| scope.service.history.first())
}

/// The event that made a service known whose key is gone.
fn witness(scope: &Scope<'_>) -> Option<Citation> {
    let installed = scope.events(Role::Install).next();
    let any = || {
        let link = scope.service.links.first()?;
        scope.host.events.get(link.event)
    };
    installed.or_else(any).map(|event| event.citation.clone())
}

/// The place of the service's name: its key, else the event that names it.
pub(super) fn name_citation(scope: &Scope<'_>) -> Option<Citation> {
    match own_config(scope) {
        Some(config) => Some(config.citation.clone()),
        None => witness(scope),
    }
}

/// Whether it is a process (by `Type`; a service known from logs alone: by not being a driver file).
pub(super) fn is_win32(scope: &Scope<'_>) -> bool {
    match own_config(scope).and_then(|config| config.service_type) {
        Some(kind) => kind.is_win32(),
        None => !scope.service.is_driver(),
    }
}

/// Whether it is a per-user service, template or instance: those have fewer values by design.
pub(super) fn is_per_user(scope: &Scope<'_>) -> bool {
    own_config(scope).and_then(|config| config.service_type).is_some_and(ServiceType::is_per_user)
}
