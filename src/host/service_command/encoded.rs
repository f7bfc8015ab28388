//! Text packed into base64.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::text::utf16le;

/// PowerShell accepts what .NET's `Convert.FromBase64String` does; cut and unpadded text is read as far as it goes.
const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);
/// Shorter texts are words, not payloads.
const SHORTEST: usize = 8;

/// The text in the argument of `-EncodedCommand` or `FromBase64String`: UTF-16LE, else UTF-8; nothing where it is
/// neither.
pub(super) fn decode(packed: &str) -> Option<String> {
    let mut packed: String = packed.chars().filter(|c| !c.is_whitespace() && *c != '=').collect();
    // One character too many decodes to nothing; a log that cuts lines may leave it.
    if packed.len() % 4 == 1 {
        packed.pop();
    }
    if packed.len() < SHORTEST {
        return None;
    }
    let bytes = ENGINE.decode(packed).ok()?;
    let wide = utf16le(&bytes);
    if is_text(&wide) {
        return Some(wide);
    }
    String::from_utf8(bytes).ok().filter(|text| is_text(text))
}

/// Whether most of it is what scripts are written in: two bytes of anything decode to some character.
fn is_text(text: &str) -> bool {
    let (mut plain, mut all) = (0_usize, 0_usize);
    for c in text.chars() {
        all = all.saturating_add(1);
        if c.is_ascii_graphic() || matches!(c, ' ' | '\t' | '\r' | '\n') {
            plain = plain.saturating_add(1);
        }
    }
    all > 0 && plain.saturating_mul(10) >= all.saturating_mul(8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_encodings_are_decoded() {
        for (packed, text) in [
            ("cwBjACAAcwB0AG8AcAAgAHgA", Some("sc stop x")),
            ("cwBjACAAcwB0AG8AcAAgAHgA=", Some("sc stop x")),
            ("c2Mgc3RvcCB4", Some("sc stop x")),
            ("short", None),
            ("not base64 at all!", None),
            ("/////////////w==", None),
        ] {
            assert_eq!(decode(packed).as_deref(), text, "{packed}");
        }
    }
}
