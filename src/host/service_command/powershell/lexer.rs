//! PowerShell text as a tree of statements, pipelines and groups: as much of the grammar as commands need.

/// A piece of text: a bare word or a string.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    /// A string constant, as a whole.
    pub(super) quoted: bool,
    /// Single-quoted: `$` means nothing in it.
    pub(super) literal: bool,
    /// Backticks before letters were removed: nobody types those.
    pub(super) escaped: bool,
}

/// A part of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    Text(Word),
    Comma,
    Pipe,
    /// `( … )`, `$( … )`, `@( … )`.
    Group(Vec<Statement>),
    /// `{ … }`.
    Block(Vec<Statement>),
    /// `@{ … }`.
    Table(Vec<Statement>),
}

/// What stands between line ends and semicolons.
pub(super) type Statement = Vec<Item>;

/// How deep groups may nest; deeper ones are read as if they were not there.
const DEPTH: usize = 24;
/// How many items a text may have in all.
const MOST: usize = 200_000;

/// One opened group.
struct Level {
    closer: char,
    table: bool,
    statements: Vec<Statement>,
    current: Statement,
}

impl Level {
    fn new(closer: char, table: bool) -> Self {
        Self { closer, table, statements: Vec::new(), current: Vec::new() }
    }

    fn end_statement(&mut self) {
        if !self.current.is_empty() {
            self.statements.push(std::mem::take(&mut self.current));
        }
    }

    fn into_item(mut self) -> Item {
        self.end_statement();
        match (self.closer, self.table) {
            (')', _) => Item::Group(self.statements),
            (_, true) => Item::Table(self.statements),
            (_, false) => Item::Block(self.statements),
        }
    }
}

struct Lexer<'a> {
    chars: std::iter::Peekable<std::str::Chars<'a>>,
    levels: Vec<Level>,
    items: usize,
}

/// The statements of a text.
pub(super) fn parse(text: &str) -> Vec<Statement> {
    let mut lexer =
        Lexer { chars: text.chars().peekable(), levels: vec![Level::new('\0', false)], items: 0 };
    while lexer.items < MOST && lexer.next() {}
    while lexer.levels.len() > 1 {
        lexer.close();
    }
    let Some(mut root) = lexer.levels.pop() else { return Vec::new() };
    root.end_statement();
    root.statements
}

impl Lexer<'_> {
    fn push(&mut self, item: Item) {
        self.items = self.items.saturating_add(1);
        if let Some(level) = self.levels.last_mut() {
            level.current.push(item);
        }
    }

    fn end_statement(&mut self) {
        self.items = self.items.saturating_add(1);
        if let Some(level) = self.levels.last_mut() {
            level.end_statement();
        }
    }

    fn open(&mut self, closer: char, table: bool) {
        self.items = self.items.saturating_add(1);
        if self.levels.len() < DEPTH {
            self.levels.push(Level::new(closer, table));
        }
    }

    /// Closes the innermost group.
    fn close(&mut self) {
        if self.levels.len() > 1
            && let Some(level) = self.levels.pop()
        {
            self.push(level.into_item());
        }
    }

    fn close_at(&mut self, closer: char) {
        if self.levels.iter().any(|level| level.closer == closer) {
            while self.levels.last().is_some_and(|level| level.closer != closer) {
                self.close();
            }
            self.close();
        }
    }

    /// Reads one token; whether there was one.
    fn next(&mut self) -> bool {
        let Some(c) = self.chars.next() else { return false };
        match c {
            '\n' | '\r' | ';' => self.end_statement(),
            '|' | '&' if self.chars.peek() == Some(&c) => {
                self.chars.next();
                self.end_statement();
            }
            '|' => {
                // A pipe at the end of a line goes on with the next one.
                while self.chars.next_if(|next| next.is_whitespace()).is_some() {}
                self.push(Item::Pipe);
            }
            ',' => self.push(Item::Comma),
            '&' => {}
            '(' => self.open(')', false),
            '{' => self.open('}', false),
            ')' | '}' => self.close_at(c),
            '@' if matches!(self.chars.peek(), Some('{' | '(')) => {
                let closer = if self.chars.next() == Some('{') { '}' } else { ')' };
                self.open(closer, true);
            }
            '$' if self.chars.peek() == Some(&'(') => {
                self.chars.next();
                self.open(')', false);
            }
            '@' if matches!(self.chars.peek(), Some('\'' | '"')) => self.here_string(),
            '#' => while self.chars.next_if(|next| *next != '\n').is_some() {},
            '<' if self.chars.peek() == Some(&'#') => self.comment(),
            '`' if matches!(self.chars.peek(), Some('\n' | '\r')) => {
                self.chars.next();
                self.chars.next_if_eq(&'\n');
            }
            '+' | '=' => {
                let text = Word { text: c.to_string(), ..Word::default() };
                self.push(Item::Text(text));
            }
            c if c.is_whitespace() => {}
            c => self.word(c),
        }
        true
    }

    fn comment(&mut self) {
        let mut before = ' ';
        for c in self.chars.by_ref() {
            if before == '#' && c == '>' {
                return;
            }
            before = c;
        }
    }

    fn here_string(&mut self) {
        let quote = self.chars.next().unwrap_or('"');
        let mut text = String::new();
        let mut before = ' ';
        while let Some(c) = self.chars.next() {
            if before == '\n' && c == quote && self.chars.peek() == Some(&'@') {
                self.chars.next();
                break;
            }
            text.push(c);
            before = c;
        }
        let text = text.trim_start_matches(['\r', '\n']).trim_end_matches(['\r', '\n']).to_owned();
        self.push(Item::Text(Word { text, quoted: true, literal: quote == '\'', escaped: false }));
    }

    /// A word that starts with `first`; strings within it are part of it.
    fn word(&mut self, first: char) {
        let mut word = Word { literal: is_quote(first) == Some('\''), ..Word::default() };
        word.quoted = is_quote(first).is_some();
        let cast = first == '[';
        let variable = first == '$';
        let mut next = Some(first);
        while let Some(c) = next {
            if let Some(quote) = is_quote(c) {
                self.string(quote, &mut word);
                if word.quoted
                    && self
                        .chars
                        .peek()
                        .is_some_and(|c| matches!(c, '-' | '+' | '.' | '[' | '=' | '*'))
                {
                    break;
                }
            } else if c == '`' {
                if let Some(escaped) = self.chars.next() {
                    word.escaped |= escaped.is_alphanumeric();
                    word.text.push(escaped);
                }
            } else {
                word.text.push(c);
            }
            let ends = |c: &char| {
                c.is_whitespace()
                    || matches!(c, ';' | '|' | '(' | ')' | '{' | '}' | ',' | '&')
                    || (*c == '+' && cast || matches!(c, '=' | '+') && variable)
            };
            // `${name}` is a variable, not a block.
            if c == '$' && self.chars.peek() == Some(&'{') {
                self.chars.next();
                word.text.extend(self.chars.by_ref().take_while(|c| *c != '}'));
            }
            // `-f'x'`: an operator and its operand.
            let operator =
                first == '-' && self.chars.peek().is_some_and(|c| is_quote(*c).is_some());
            next = self.chars.next_if(|c| !operator && !ends(c));
            // More than a string: a word with a string in it.
            if next.is_some_and(|c| is_quote(c).is_none()) {
                word.quoted = false;
            }
        }
        self.push(Item::Text(word));
    }

    /// The rest of a string after its opening quote.
    fn string(&mut self, quote: char, word: &mut Word) {
        while let Some(c) = self.chars.next() {
            match c {
                '`' if quote == '"' => {
                    if let Some(escaped) = self.chars.next() {
                        word.text.push(match escaped {
                            'n' => '\n',
                            't' => '\t',
                            'r' => '\r',
                            '0' => '\0',
                            other => other,
                        });
                    }
                }
                c if is_quote(c) == Some(quote) => {
                    if self.chars.next_if(|next| is_quote(*next) == Some(quote)).is_none() {
                        return;
                    }
                    word.text.push(quote);
                }
                c => word.text.push(c),
            }
        }
    }
}

/// PowerShell takes typographic quotes for plain ones.
fn is_quote(c: char) -> Option<char> {
    match c {
        '\'' | '\u{2018}'..='\u{201b}' => Some('\''),
        '"' | '\u{201c}'..='\u{201e}' => Some('"'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(script: &str) -> Vec<Vec<String>> {
        let show = |item: &Item| match item {
            Item::Text(text) if text.quoted => format!("<{}>", text.text),
            Item::Text(text) => text.text.clone(),
            Item::Comma => ",".to_owned(),
            Item::Pipe => "|".to_owned(),
            Item::Group(inner) => format!("({})", inner.len()),
            Item::Block(inner) => format!("{{{}}}", inner.len()),
            Item::Table(inner) => format!("@{{{}}}", inner.len()),
        };
        parse(script).iter().map(|statement| statement.iter().map(show).collect()).collect()
    }

    #[test]
    fn statements_strings_and_groups_are_told_apart() {
        for (script, expected) in [
            ("a b; c\nd", vec![vec!["a", "b"], vec!["c"], vec!["d"]]),
            ("a 'b c' \"d `\"e`\"\" 'it''s'", vec![vec!["a", "<b c>", "<d \"e\">", "<it's>"]]),
            ("a | b -x", vec![vec!["a", "|", "b", "-x"]]),
            ("s`c x # c\n<# no\n #>y", vec![vec!["sc", "x"], vec!["y"]]),
            ("a `\n b", vec![vec!["a", "b"]]),
            ("$x='a'+'b'", vec![vec!["$x", "=", "<a>", "+", "<b>"]]),
            ("'{0}'-f 'a','b'", vec![vec!["<{0}>", "-f", "<a>", ",", "<b>"]]),
            ("binPath=\"c:\\v.exe\" x", vec![vec!["binPath=c:\\v.exe", "x"]]),
            ("a (b; c) {d} @{e=1; f=2}", vec![vec!["a", "(2)", "{1}", "@{2}"]]),
            ("@'\nx 'y'\n'@ z", vec![vec!["<x 'y'>", "z"]]),
            ("a ) } b", vec![vec!["a", "b"]]),
            ("${n} (((", vec![vec!["$n", "(1)"]]),
            ("", vec![]),
            ("\u{2018}a\u{2019}", vec![vec!["<a>"]]),
        ] {
            assert_eq!(texts(script), expected, "{script}");
        }
    }

    #[test]
    fn deep_nesting_is_bounded() {
        let deep = "(".repeat(100_000);
        assert_eq!(parse(&deep).len(), 1);
    }
}
