//! Keys and passwords from files of the examiner. No message repeats what is in them.

use std::io::Read as _;
use std::path::Path;

use crate::evidence::recovery_password;
use crate::text;

/// The most bytes that a file of passwords may have: enough for a word list, and no image given by mistake.
const LARGEST: u64 = 16 << 20;

/// The lines of a file without empty ones. Spaces belong to a password; line ends do not.
pub(super) fn lines(path: &Path) -> Result<Vec<String>, String> {
    let text = read(path)?;
    let lines: Vec<String> =
        text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if lines.is_empty() {
        return Err(format!("{} holds no password", shown(path)));
    }
    Ok(lines)
}

/// The recovery passwords of a file: the lines of digits, among any others as in the file that Windows saves.
pub(super) fn recovery_passwords(path: &Path) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(read(path)?.lines()) {
        let line = line.trim();
        let digits = line.chars().filter(char::is_ascii_digit).count();
        let is_number = line.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | ' '));
        // Shorter numbers are dates and the like.
        if !is_number || digits < 40 {
            continue;
        }
        match recovery_password(line) {
            Ok(password) => found.push(password),
            Err(message) => return Err(format!("{}, line {number}: {message}", shown(path))),
        }
    }
    if found.is_empty() {
        return Err(format!("{} holds no recovery password (48 digits)", shown(path)));
    }
    Ok(found)
}

#[expect(clippy::disallowed_methods, reason = "the examiner's own file, not evidence")]
fn read(path: &Path) -> Result<String, String> {
    let failed = |why: &dyn std::fmt::Display| format!("cannot read {}: {why}", shown(path));
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LARGEST.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(|error| failed(&error))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LARGEST) {
        return Err(failed(&"it is too large for a list of passwords"));
    }
    decode(bytes).ok_or_else(|| failed(&"it is no text in UTF-8 or UTF-16"))
}

/// Text in UTF-8, or in the UTF-16 that Windows tools write.
fn decode(bytes: Vec<u8>) -> Option<String> {
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => Some(text::utf16le(rest)),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8(rest.to_vec()).ok(),
        _ => String::from_utf8(bytes).ok(),
    }
}

fn shown(path: &Path) -> String {
    text::terminal_safe(&path.to_string_lossy()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "000011-000022-000033-000044-720885-000055-000066-000000";

    #[expect(clippy::disallowed_methods, reason = "the test's own file")]
    fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        file
    }

    #[test]
    fn passwords_keep_their_spaces() {
        let two = file(b"\xef\xbb\xbfone \r\n\r\n two\n");
        assert_eq!(lines(two.path()).unwrap(), ["one ", " two"]);
        assert!(lines(file(b"\n").path()).unwrap_err().contains("no password"));
        assert!(lines(file(b"\xff").path()).unwrap_err().contains("no text"));
        assert!(lines(Path::new("/nowhere/x")).unwrap_err().contains("/nowhere/x"));
    }

    #[test]
    fn the_file_that_windows_saves_is_read() {
        let page = format!("BitLocker recovery key\r\n\r\n\t{GOOD}\r\n\r\n2026-01-01\r\n");
        let units = page.encode_utf16().flat_map(u16::to_le_bytes);
        let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(units).collect();
        assert_eq!(recovery_passwords(file(&utf16).path()).unwrap(), [GOOD]);
        let mistyped = page.replace("000033", "000034");
        let error = recovery_passwords(file(mistyped.as_bytes()).path()).unwrap_err();
        assert!(error.contains("line 3: group 3"), "{error}");
        assert!(!error.contains("000034"), "{error}");
        assert!(recovery_passwords(file(b"none").path()).is_err());
    }
}
