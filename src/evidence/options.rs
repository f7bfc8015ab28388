//! What the examiner says about how evidence is to be opened.

use std::path::PathBuf;

/// Keys, passwords and limits for opening evidence.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Which volume shadow copies are read as history.
    pub shadow_copies: ShadowCopies,
    /// BitLocker: recovery passwords, eight groups of six digits.
    pub recovery_keys: Vec<String>,
    /// BitLocker: files with startup or recovery keys (`.BEK`).
    pub key_files: Vec<PathBuf>,
    /// BitLocker: passwords of volumes.
    pub volume_passwords: Vec<String>,
    /// Passwords of archives, tried in this order.
    pub archive_passwords: Vec<String>,
    /// What archives may cost.
    pub limits: Limits,
}

/// Which volume shadow copies are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ShadowCopies {
    /// All of them, as older states of the host.
    #[default]
    All,
    /// None; they are listed all the same.
    None,
    /// The one with that number, counted from 1, oldest first.
    One(usize),
}

/// What one piece of evidence may cost, so that a small hostile archive cannot fill a disk or take for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Members of one archive that are listed.
    pub members: usize,
    /// Unpacked bytes of all members together.
    pub unpacked: u64,
    /// How many times larger than packed a member may be, once it is larger than a MiB.
    pub ratio: u64,
    /// Archives and images inside archives.
    pub nesting: usize,
    /// Archives and images that lie in one folder, archive or image, those inside them counted in.
    pub nested: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { members: 1_000_000, unpacked: 64 << 30, ratio: 1000, nesting: 4, nested: 10_000 }
    }
}

/// A BitLocker recovery password in its usual form, eight groups of six digits with dashes, from one written with
/// dashes, spaces or nothing between.
///
/// # Errors
/// A sentence that says what is mistyped and where; the digits themselves are not repeated.
pub fn recovery_password(text: &str) -> Result<String, String> {
    let digits: Vec<char> = text.chars().filter(|c| !matches!(c, '-' | ' ' | '\u{2013}')).collect();
    if !digits.iter().all(char::is_ascii_digit) {
        return Err("a recovery password holds digits and dashes only".to_owned());
    }
    if digits.len() != 48 {
        return Err(format!(
            "a recovery password has 48 digits in eight groups; this one has {}",
            digits.len()
        ));
    }
    let mut groups = Vec::new();
    for (number, group) in (1..).zip(digits.chunks(6)) {
        let group: String = group.iter().collect();
        // A group is a 16-bit number times 11, which is how Windows finds typing errors.
        let fits = group.parse::<u32>().is_ok_and(|value| value % 11 == 0 && value / 11 <= 0xffff);
        if !fits {
            return Err(format!("group {number} of the recovery password is mistyped"));
        }
        groups.push(group);
    }
    Ok(groups.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovery_passwords_are_checked_group_by_group() {
        let good = "000011-000022-000033-000044-720885-000055-000066-000000";
        assert_eq!(recovery_password(good).as_deref(), Ok(good));
        assert_eq!(recovery_password(&good.replace('-', "")).as_deref(), Ok(good));
        assert_eq!(recovery_password(&good.replace('-', " ")).as_deref(), Ok(good));
        for (wrong, words) in [
            (good.replace("000033", "000034"), "group 3"),
            (good.replace("720885", "720896"), "group 5"),
            (good.replace("000000", "00000"), "47"),
            (good.replace("000000", "00000x"), "digits and dashes"),
            (String::new(), "0"),
        ] {
            let error = recovery_password(&wrong).unwrap_err();
            assert!(error.contains(words), "{wrong}: {error}");
            assert!(!error.contains("000034"), "the secret is repeated: {error}");
        }
    }
}
