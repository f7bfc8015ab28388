//! The character set of names in zip archives that do not say that they are UTF-8.

/// The characters of the codes 0x80 to 0xff, as Unicode's table `VENDORS/MICSFT/PC/CP437.TXT` has them.
const UPPER: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// Decodes a name.
pub(super) fn decode(bytes: &[u8]) -> String {
    let upper: Vec<char> = UPPER.chars().collect();
    let character = |byte: &u8| {
        if byte.is_ascii() {
            return char::from(*byte);
        }
        let index = usize::from(byte.saturating_sub(0x80));
        upper.get(index).copied().unwrap_or(char::REPLACEMENT_CHARACTER)
    };
    bytes.iter().map(character).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        assert_eq!(UPPER.chars().count(), 128);
        assert_eq!(decode(b"M\x81ller \xe1\xff"), "M\u{fc}ller \u{df}\u{a0}");
    }
}
