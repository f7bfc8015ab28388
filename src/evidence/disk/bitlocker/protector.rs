//! What protects the key of a BitLocker volume, and which option takes its counterpart.

/// Protection suspended: the key lies beside the lock.
pub(super) const CLEAR_KEY: u16 = 0x0000;
/// A file on removable media, `.BEK`; recovery keys are of this type, too.
pub(super) const KEY_FILE: u16 = 0x0200;
/// 48 digits.
pub(super) const RECOVERY_PASSWORD: u16 = 0x0800;
/// What the user types at a data volume.
pub(super) const PASSWORD: u16 = 0x2000;

/// Protector types with their names and the option that takes the key.
const PROTECTORS: [(u16, &str, Option<&str>); 8] = [
    (CLEAR_KEY, "a clear key (protection is suspended)", None),
    (0x0100, "the TPM", None),
    (KEY_FILE, "a key file", Some("--bek")),
    (0x0300, "the TPM with a key file", None),
    (0x0500, "the TPM with a PIN", None),
    (0x0700, "the TPM with a PIN and a key file", None),
    (RECOVERY_PASSWORD, "a recovery password", Some("--recovery-key")),
    (PASSWORD, "a password", Some("--bitlocker-password")),
];

fn known(
    types: &[u16],
) -> impl Iterator<Item = &'static (u16, &'static str, Option<&'static str>)> {
    PROTECTORS.iter().filter(|(kind, ..)| types.contains(kind))
}

/// `the TPM and a recovery password`.
pub(super) fn words(types: &[u16]) -> String {
    let mut names: Vec<String> = known(types).map(|(_, name, _)| (*name).to_owned()).collect();
    let mut others: Vec<u16> = types.to_vec();
    others.retain(|kind| PROTECTORS.iter().all(|(known, ..)| known != kind));
    others.sort_unstable();
    others.dedup();
    names.extend(others.iter().map(|kind| format!("an unknown protector ({kind:#06x})")));
    join(&names, "and")
}

/// What to give to open the volume.
pub(super) fn remedy(types: &[u16]) -> String {
    let options: Vec<String> =
        known(types).filter_map(|(.., option)| option.map(str::to_owned)).collect();
    if options.is_empty() {
        return "no key that can be given opens it; ask for an image of the unlocked volume"
            .to_owned();
    }
    let where_kept = if types.contains(&RECOVERY_PASSWORD) {
        " (Active Directory, Entra ID or the owner's Microsoft account may hold the recovery password)"
    } else {
        ""
    };
    format!("give {}{where_kept}", join(&options, "or"))
}

fn join(words: &[String], last: &str) -> String {
    match words {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protectors_are_named_with_their_options() {
        assert_eq!(words(&[0x0800, 0x0100, 0x0800]), "the TPM and a recovery password");
        assert_eq!(words(&[0x4000]), "an unknown protector (0x4000)");
        assert_eq!(words(&[]), "nothing");
        assert_eq!(remedy(&[0x0200, 0x2000]), "give --bek or --bitlocker-password");
        assert!(remedy(&[0x0800]).starts_with("give --recovery-key (Active Directory"));
        assert!(remedy(&[0x0100]).contains("unlocked volume"));
    }
}
