//! What makes a service familiar: Windows brings it, its setup laid it down, or it is a known agent.

use super::Scope;
use super::knowledge::agents::{self, Agent};
use super::knowledge::stock::{Comparison, Extent, Standing, Stock};
use crate::host::ImagePath;
use crate::host::config::ValueOrder;
use crate::host::program_file::{ProgramFile, SignatureStatus};

/// The stock service of that name (for a per-user instance: of its template).
pub(super) fn stock<'a>(scope: &Scope<'a>) -> Option<&'a Stock> {
    scope.windows().service(&scope.service.name)
}

/// Whether it goes by the name of a service of Windows and nothing says that it runs another program: one that
/// Windows keeps elsewhere in other versions, or does not name, will do. What events say of such a service is
/// routine. Milder than [`is_as_shipped`], which has to vouch for the files.
pub(super) fn is_stock(scope: &Scope<'_>) -> bool {
    *scope.memory.is_stock.get_or_init(|| {
        let Some(stock) = stock(scope) else { return false };
        let image = scope.service.image.as_ref();
        image.is_none_or(|image| stock.compare_image(image) != Comparison::Other)
    })
}

/// Whether Windows brings this service with this program and this DLL, in some version. Stricter than
/// [`is_stock`]: a program that was moved is not as shipped, and the DLL counts as well.
pub(super) fn is_as_shipped(scope: &Scope<'_>) -> bool {
    *scope.memory.is_as_shipped.get_or_init(|| ships(scope))
}

fn ships(scope: &Scope<'_>) -> bool {
    let Some(stock) = stock(scope) else { return false };
    let same = |path: Option<&ImagePath>, compare: &dyn Fn(&ImagePath) -> Comparison| {
        path.is_none_or(|path| match compare(path) {
            Comparison::Same => true,
            // Where no path is known the name has to do, as long as the file is where Windows keeps its own.
            Comparison::Unknown => path.is_below(r"c:\windows\system32"),
            Comparison::Moved | Comparison::Other => false,
        })
    };
    same(scope.service.image.as_ref(), &|path| stock.compare_image(path))
        && same(scope.service.dll.as_ref(), &|path| stock.compare_dll(path))
}

/// Whether the key looks laid down by the setup of Windows: alphabetical, with a program in System32.
pub(super) fn is_laid_down(scope: &Scope<'_>) -> bool {
    scope.config().is_some_and(|config| config.value_order == ValueOrder::Alphabetical)
        && scope.service.image.as_ref().is_some_and(|image| image.is_below(r"c:\windows\system32"))
}

/// Whether it is a service of its own process or of svchost (no driver, no per-user service) that neither
/// Windows brings nor its setup laid down: keys in alphabetical order with a program in System32 come with
/// the image of Windows, of a build that was not measured. It needs a `Type`, and [`is_stock`] is enough to be
/// Windows'.
pub(super) fn is_new_program(scope: &Scope<'_>) -> bool {
    let Some(config) = scope.config() else { return false };
    let own = config.service_type.is_some_and(|kind| kind.is_win32() && !kind.is_per_user());
    own && !is_stock(scope) && !is_laid_down(scope)
}

/// The updater, guest agent or deployment tool that it is, by name and full path.
pub(super) fn agent(scope: &Scope<'_>) -> Option<Agent> {
    let known = scope
        .memory
        .agent
        .get_or_init(|| agents::agent(&scope.service.name, scope.service.image.as_ref()?));
    *known
}

/// Who made a file, as far as its signature tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Maker {
    /// Microsoft, as a part of Windows.
    Windows,
    /// Somebody who is known.
    Other,
    /// Nobody known: there is no signature, or it proves nothing.
    Nobody,
    /// It cannot be told.
    Unknown,
}

impl Maker {
    /// Who made that file; of one that was not found or read it cannot be told.
    pub(super) fn of(file: Option<&ProgramFile>) -> Self {
        let Some(signature) = file.map(|file| &file.signature) else { return Self::Unknown };
        match signature.status {
            SignatureStatus::Valid | SignatureStatus::ValidCatalog if signature.is_windows => {
                Self::Windows
            }
            SignatureStatus::Valid
            | SignatureStatus::ValidCatalog
            | SignatureStatus::ExpiredWithoutTimestamp => Self::Other,
            SignatureStatus::Invalid
            | SignatureStatus::UntrustedRoot
            | SignatureStatus::Unsigned => Self::Nobody,
            SignatureStatus::Unknown => Self::Unknown,
        }
    }
}

/// The weight of a comparison with what Windows ships: half where the build was not measured, and then
/// with a remark for the sentence.
pub(super) fn compared(scope: &Scope<'_>, weight: i16) -> (i16, &'static str) {
    compared_with(scope, weight, Extent::Programs)
}

/// As [`compared`], where more than names and programs has to be known.
pub(super) fn compared_with(scope: &Scope<'_>, weight: i16, needed: Extent) -> (i16, &'static str) {
    match scope.windows().standing(scope.host, needed) {
        Standing::Known => (weight, ""),
        Standing::NoBuild => (weight / 2, " (half weight: the build of Windows is not known)"),
        Standing::NotMeasured => {
            (weight / 2, " (half weight: this build of Windows was not measured)")
        }
        Standing::Server => (weight / 2, " (half weight: no server of this build was measured)"),
    }
}
