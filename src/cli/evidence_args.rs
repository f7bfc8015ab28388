//! How evidence is to be opened: shadow copies, keys, passwords, limits.

use std::path::{Path, PathBuf};

use clap::Args;

use super::secrets;
use crate::evidence::{Limits, Options, ShadowCopies, recovery_password};

/// What bears on opening evidence.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Opening evidence")]
pub struct EvidenceArgs {
    /// Volume shadow copies read as older states: all, none (they are listed all the same), or the one with that
    /// number in `svctriage detect`.
    #[arg(long, value_name = "all|none|N", default_value = "all", value_parser = shadow_copies)]
    pub vss: ShadowCopies,
    /// Unlocks BitLocker with a recovery password: 48 digits, with or without dashes.
    #[arg(long = "recovery-key", value_name = "DIGITS")]
    pub recovery_keys: Vec<String>,
    /// Reads recovery passwords from a file, one per line; the file that Windows saves will do.
    #[arg(long = "recovery-key-file", value_name = "FILE")]
    pub recovery_key_files: Vec<PathBuf>,
    /// Unlocks BitLocker with a startup or recovery key file (.BEK).
    #[arg(long = "bek", value_name = "FILE")]
    pub key_files: Vec<PathBuf>,
    /// Unlocks BitLocker with the volume's password.
    #[arg(long = "bitlocker-password", value_name = "PASSWORD")]
    pub volume_passwords: Vec<String>,
    /// Reads BitLocker passwords from a file, one per line.
    #[arg(long = "bitlocker-password-file", value_name = "FILE")]
    pub volume_password_files: Vec<PathBuf>,
    /// Opens encrypted archives (zip, 7z) with a password.
    #[arg(long = "zip-password", value_name = "PASSWORD")]
    pub archive_passwords: Vec<String>,
    /// Reads passwords of archives from a file, one per line.
    #[arg(long = "zip-password-file", value_name = "FILE")]
    pub archive_password_files: Vec<PathBuf>,
    /// Lists at most N members of one archive.
    #[arg(long, value_name = "N", default_value_t = Limits::default().members)]
    pub max_members: usize,
    /// Unpacks at most that many bytes of one archive, for example 500M or 64G.
    #[arg(long, value_name = "SIZE", default_value = "64G", value_parser = bytes)]
    pub max_unpacked: u64,
    /// Unpacks members that are at most N times as large as they are packed.
    #[arg(long, value_name = "N", default_value_t = Limits::default().ratio)]
    pub max_ratio: u64,
    /// Opens at most N archives or images inside each other.
    #[arg(long, value_name = "N", default_value_t = Limits::default().nesting)]
    pub max_nesting: usize,
    /// Opens at most N archives and images that lie in one folder, archive or image.
    #[arg(long, value_name = "N", default_value_t = Limits::default().nested)]
    pub max_nested: usize,
}

impl EvidenceArgs {
    /// The options, with what the files named here hold.
    ///
    /// # Errors
    /// A sentence, where a file cannot be read or a recovery password is mistyped; it repeats no secret.
    pub(super) fn options(&self) -> Result<Options, String> {
        let mut recovery_keys = Vec::new();
        for given in &self.recovery_keys {
            recovery_keys
                .push(recovery_password(given).map_err(|m| format!("--recovery-key: {m}"))?);
        }
        for file in &self.recovery_key_files {
            recovery_keys.extend(secrets::recovery_passwords(file)?);
        }
        Ok(Options {
            shadow_copies: self.vss,
            recovery_keys,
            key_files: self.key_files.clone(),
            volume_passwords: with_files(&self.volume_passwords, &self.volume_password_files)?,
            archive_passwords: with_files(&self.archive_passwords, &self.archive_password_files)?,
            limits: Limits {
                members: self.max_members,
                unpacked: self.max_unpacked,
                ratio: self.max_ratio,
                nesting: self.max_nesting,
                nested: self.max_nested,
            },
        })
    }
}

fn with_files(given: &[String], files: &[impl AsRef<Path>]) -> Result<Vec<String>, String> {
    let mut all = given.to_vec();
    for file in files {
        all.extend(secrets::lines(file.as_ref())?);
    }
    Ok(all)
}

fn shadow_copies(text: &str) -> Result<ShadowCopies, String> {
    match text {
        "all" => Ok(ShadowCopies::All),
        "none" => Ok(ShadowCopies::None),
        number => match number.parse() {
            Ok(number @ 1..) => Ok(ShadowCopies::One(number)),
            _ => Err("write all, none, or the number of a shadow copy, counted from 1".to_owned()),
        },
    }
}

/// `500M`, `64G` or a bare number of bytes; a K is 1024.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.strip_prefix(digits).unwrap_or_default().to_ascii_uppercase();
    let number: u64 =
        digits.parse().map_err(|_| format!("{text} is no size: try 500M, 64G or 1T"))?;
    let factor: u64 = match unit.trim_end_matches('B').trim_end_matches('I') {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        "T" => 1 << 40,
        _ => return Err(format!("{unit} is no unit: use K, M, G or T")),
    };
    number.checked_mul(factor).ok_or_else(|| format!("{text} is too large"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_unit() {
        for (text, size) in [
            ("0", 0),
            ("512", 512),
            ("10k", 10 << 10),
            ("500M", 500 << 20),
            ("64GiB", 64 << 30),
            ("2TB", 2 << 40),
        ] {
            assert_eq!(bytes(text), Ok(size), "{text}");
        }
        for wrong in ["", "G", "-1", "1.5G", "3X", "99999999999T"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
        assert_eq!(bytes("64G"), Ok(Limits::default().unpacked), "the help names another default");
    }

    #[test]
    fn shadow_copies_are_counted_from_one() {
        assert_eq!(shadow_copies("all"), Ok(ShadowCopies::All));
        assert_eq!(shadow_copies("none"), Ok(ShadowCopies::None));
        assert_eq!(shadow_copies("3"), Ok(ShadowCopies::One(3)));
        for wrong in ["0", "", "-1", "some"] {
            assert!(shadow_copies(wrong).is_err(), "{wrong}");
        }
    }
}
