//! Whether a row of a baseline vouches for a service.

use super::{Place, Row};
use crate::host::program_file::{Purpose, SignatureStatus};
use crate::host::{Host, Service};

/// What a row vouches by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// The values of the key alone, and the file was read here: the baseline says nothing of its bytes.
    ValuesOnly,
    /// The values of the key; no bytes were read here.
    Values,
    /// Who signed the file that decides.
    Signer,
    /// The bytes of the file that decides.
    Digest,
}

/// A row that vouches for a service.
#[derive(Debug, Clone, Copy)]
pub struct Vouched<'a> {
    /// The row.
    pub place: Place<'a>,
    /// What by.
    pub by: By,
    /// Whether the row is of a host of the same build, or of the host itself.
    pub is_comparable: bool,
}

/// The row that vouches most for a service, which as a row is `here`; with each row, whether it is of the host's build or of the
/// host itself.
///
/// A row vouches where the program, its arguments, the DLL, what is behind a wrapper and what else is loaded are the same, and
/// the account, too; where the service has no failure command, no access rules, no owner of its key and no lower protection
/// that the row does not have; and where the file is the same by its bytes or its signer, or else the start type, the type and
/// the error control are. A file that is known on both sides and differs is no match, whatever another row says.
pub(super) fn vouch<'a>(
    rows: &[(Place<'a>, bool)],
    here: &Row,
    host: &Host,
    service: &Service,
) -> Option<Vouched<'a>> {
    let same: Vec<&(Place<'a>, bool)> =
        rows.iter().filter(|(place, _)| is_same_program(place.row, here)).collect();
    let vouched = same.iter().filter_map(|(place, is_comparable)| {
        if !is_as_guarded(place.row, here) || is_changed(place.row, here) {
            return None;
        }
        let by = leg(place.row, here, host, service)?;
        Some(Vouched { place: *place, by, is_comparable: *is_comparable })
    });
    // Of equal ones the first, for the order of the file to decide.
    let best = vouched.reduce(|best, one| {
        if (one.is_comparable, one.by) > (best.is_comparable, best.by) { one } else { best }
    })?;
    let is_changed_elsewhere = same.iter().any(|(place, _)| is_changed(place.row, here));
    (best.by == By::Digest || !is_changed_elsewhere).then_some(best)
}

/// Whether two rows run the same.
pub(crate) fn is_same_program(gold: &Row, here: &Row) -> bool {
    let loads = |one: &String| gold.load_points.contains(one);
    let names_a_file = here.image.is_some() || here.dll.is_some();
    names_a_file
        && gold.kind == here.kind
        && gold.image == here.image
        && gold.arguments == here.arguments
        && gold.dll == here.dll
        && gold.wrapped == here.wrapped
        && here.load_points.iter().all(loads)
}

/// Whether the service is run as and open to nobody that the row does not know.
fn is_as_guarded(gold: &Row, here: &Row) -> bool {
    let is_inert = here.failure_command.is_none();
    let failure =
        gold.failure_command == here.failure_command && (gold.failure_armed || !here.failure_armed);
    let security = here.security.is_none() || here.security == gold.security;
    let owner = here.owner.is_none() || here.owner == gold.owner;
    gold.account == here.account
        && (is_inert || failure)
        && here.launch_protected.unwrap_or(0) >= gold.launch_protected.unwrap_or(0)
        && security
        && owner
}

/// Whether the bytes of a file are known on both sides and differ.
fn is_changed(gold: &Row, here: &Row) -> bool {
    gold.files_beside(here).into_iter().any(|(gold, here)| {
        matches!((&gold.sha256, &here.sha256), (Some(gold), Some(here)) if gold != here)
    })
}

/// What the row vouches by, where it does.
fn leg(gold: &Row, here: &Row, host: &Host, service: &Service) -> Option<By> {
    // A host process says nothing of what it hosts: the DLL decides, or what is behind a wrapper.
    let [image, dll, wrapped] = gold.files_beside(here);
    let (decisive, purpose) = match (&here.wrapped, &here.dll) {
        (Some(_), _) => (wrapped, Purpose::Wrapped),
        (None, Some(_)) => (dll, Purpose::ServiceDll),
        (None, None) => (image, Purpose::Image),
    };
    let (known, found) = decisive;
    if found.sha256.is_some() && found.sha256 == known.sha256 {
        return Some(By::Digest);
    }
    if found.signer.is_some() && found.signer == known.signer {
        return Some(By::Signer);
    }
    let file = host.file_of(service, &purpose);
    let status = file.map_or(SignatureStatus::Unknown, |file| file.signature.status);
    let is_suspect = matches!(
        status,
        SignatureStatus::Invalid | SignatureStatus::UntrustedRoot | SignatureStatus::Unsigned
    );
    let same_values = gold.start == here.start
        && gold.service_type == here.service_type
        && gold.error_control == here.error_control;
    // Values vouch for no file whose signature speaks against it, nor where the baseline's file had a signer that this one lacks.
    if is_suspect || !same_values || known.signer.is_some() && found.sha256.is_some() {
        return None;
    }
    Some(if found.sha256.is_some() { By::ValuesOnly } else { By::Values })
}
