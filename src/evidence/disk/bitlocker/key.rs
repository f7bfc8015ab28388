//! The keys that the examiner gave.

use std::io::Read as _;
use std::path::Path;

use bitlocker::{BitLockerVolume, DecryptedVolume};

use super::pages::Pages;
use super::protector;
use crate::evidence::Options;
use crate::evidence::options::recovery_password;

/// The largest key file that is read, in bytes; real ones have 156.
const MAX_KEY_FILE: u64 = 64 << 10;

/// A key to try.
pub(super) enum Key {
    /// The one beside the lock.
    Clear,
    /// 48 digits, in groups with dashes.
    Recovery(String),
    /// The bytes of a `.BEK` file.
    File(Vec<u8>),
    /// A password.
    Password(String),
}

/// The clear key and every key given, in the order in which they are tried: those that cost least first.
pub(super) fn given(options: &Options) -> Result<Vec<Key>, String> {
    let mut keys = vec![Key::Clear];
    for path in &options.key_files {
        keys.push(Key::File(read(path)?));
    }
    for text in &options.recovery_keys {
        keys.push(Key::Recovery(recovery_password(text)?));
    }
    keys.extend(options.volume_passwords.iter().cloned().map(Key::Password));
    Ok(keys)
}

#[expect(clippy::disallowed_methods, reason = "the examiner's own key file, not evidence")]
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let shown = crate::text::terminal_safe(&path.to_string_lossy()).into_owned();
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_KEY_FILE).read_to_end(&mut bytes))
        .map_err(|error| format!("cannot read the key file {shown}: {error}"))?;
    Ok(bytes)
}

impl Key {
    /// The type of the protectors that it may open.
    pub(super) fn protector(&self) -> u16 {
        match self {
            Self::Clear => protector::CLEAR_KEY,
            Self::Recovery(_) => protector::RECOVERY_PASSWORD,
            Self::File(_) => protector::KEY_FILE,
            Self::Password(_) => protector::PASSWORD,
        }
    }

    /// What it is called; never what it is.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Clear => "clear key",
            Self::Recovery(_) => "recovery password",
            Self::File(_) => "key file",
            Self::Password(_) => "password",
        }
    }

    /// Opens the first protector of its type.
    pub(super) fn unlock(&self, pages: Pages) -> bitlocker::Result<DecryptedVolume<Pages>> {
        match self {
            Self::Clear => BitLockerVolume::unlock_clear_key(pages),
            Self::Recovery(digits) => BitLockerVolume::unlock_with_recovery_password(pages, digits),
            Self::File(bytes) => BitLockerVolume::unlock_with_startup_key(pages, bytes),
            Self::Password(text) => BitLockerVolume::unlock_with_password(pages, text),
        }
    }
}
