//! What a file is by its first bytes, and where they tell nothing by its name.

/// Extensions of files that interpreters run.
const SCRIPTS: [&str; 17] = [
    "bat", "cmd", "hta", "js", "jse", "php", "pl", "ps1", "psd1", "psm1", "py", "rb", "sh", "vbe",
    "vbs", "wsf", "wsh",
];

/// First bytes of formats that a service may name.
const FORMATS: [(&[u8], &str); 6] = [
    (b"\x7fELF", "ELF program"),
    (b"PK\x03\x04", "ZIP archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "compound file"),
    (b"\x4c\0\0\0\x01\x14\x02\0", "shortcut"),
    (b"\xca\xfe\xba\xbe", "Java class"),
    (b"MSCF", "cabinet"),
];

/// What a file that is neither empty nor a program of Windows is. `head` is its beginning, `name` its path.
pub(super) fn of(head: &[u8], name: &str) -> &'static str {
    if let Some((_, kind)) = FORMATS.iter().find(|(magic, _)| head.starts_with(magic)) {
        return kind;
    }
    if head.starts_with(b"#!") {
        return "script";
    }
    if !is_text(head) {
        return "data";
    }
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension {
        Some(extension) if SCRIPTS.contains(&extension.as_str()) => "script",
        _ => "text",
    }
}

/// Whether these bytes are text: no control characters but those of lines and tabs, as UTF-16 with its mark or as any
/// encoding whose first half is ASCII.
fn is_text(head: &[u8]) -> bool {
    let is_control = |unit: u16| unit < 0x20 && !matches!(unit, 9 | 10 | 12 | 13 | 0x1a);
    let wide = |bytes: &[u8], read: fn([u8; 2]) -> u16| {
        let mut units = bytes.as_chunks::<2>().0.iter();
        !units.any(|pair| is_control(read(*pair)))
    };
    match head {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => !head.iter().any(|byte| is_control(u16::from(*byte)) || *byte == 0x7f),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_bytes_before_names() {
        for (head, name, expected) in [
            (&b"#!/bin/sh\n"[..], r"C:\x", "script"),
            (b"@echo off\r\n", r"C:\x\RUN.BAT", "script"),
            (b"\xff\xfea\0\r\0\n\0", r"C:\x.ps1", "script"),
            (b"hello\r\n", r"C:\x.exe", "text"),
            (b"\x01\x02", r"C:\x.bat", "data"),
            (b"PK\x03\x04....", r"C:\x.exe", "ZIP archive"),
            (b"Gr\xfc\xdfe", r"C:\x.txt", "text"),
        ] {
            assert_eq!(of(head, name), expected, "{name}");
        }
    }
}
