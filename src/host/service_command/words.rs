//! Words of a command line, as the command interpreter and PowerShell part them.

/// Splits at white space outside double or single quotes; carets (the command interpreter's escape) vanish.
pub(super) fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote: Option<char> = None;
    let mut started = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', _) if chars.peek() == Some(&'"') => {
                word.push('"');
                chars.next();
                started = true;
            }
            (c, Some(open)) if c == open => quote = None,
            ('"', None) => {
                quote = Some('"');
                started = true;
            }
            ('\'', None) if !started => {
                quote = Some('\'');
                started = true;
            }
            ('^', None) => {}
            (c, None) if c.is_whitespace() => {
                if started {
                    words.push(std::mem::take(&mut word));
                    started = false;
                }
            }
            (c, _) => {
                word.push(c);
                started = true;
            }
        }
    }
    if started {
        words.push(word);
    }
    words
}
