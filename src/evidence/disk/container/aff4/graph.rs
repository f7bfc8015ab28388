//! What an image says of its streams: statements in Turtle (W3C), as far as images use it.

use std::io;

use super::damaged;

/// Statements of one image.
const MOST: usize = 1 << 18;

/// Statements: subject, predicate and object, with prefixes of names resolved.
pub(super) struct Graph(Vec<[String; 3]>);

const TYPE: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";

impl Graph {
    pub(super) fn parse(text: &str) -> io::Result<Self> {
        let mut prefixes: Vec<(String, String)> = Vec::new();
        let mut statements = Vec::new();
        let mut words: Vec<String> = Vec::new();
        let mut tokens = Tokens(text);
        while let Some(token) = tokens.next() {
            let token = resolve(&prefixes, &token);
            if words.first().is_some_and(|word| word == "@prefix") {
                if token == "." {
                    if let [_, prefix, name] = words.as_slice() {
                        prefixes.push((prefix.clone(), name.clone()));
                    }
                    words.clear();
                } else {
                    words.push(token);
                }
                continue;
            }
            let keep = match token.as_str() {
                "." => 0,
                ";" => 1,
                "," => 2,
                _ => {
                    words.push(token);
                    continue;
                }
            };
            if let [subject, predicate, object, ..] = words.as_slice() {
                statements.push([subject.clone(), predicate.clone(), object.clone()]);
            }
            words.truncate(keep);
            if statements.len() > MOST {
                return Err(damaged(format!("the image makes more than {MOST} statements")));
            }
        }
        Ok(Self(statements))
    }

    /// Whether a vocabulary is used.
    pub(super) fn uses(&self, vocabulary: &str) -> bool {
        self.0.iter().any(|[_, predicate, _]| predicate.starts_with(vocabulary))
    }

    /// The objects of a subject and a predicate of AFF4.
    pub(super) fn all<'a>(
        &'a self,
        subject: &'a str,
        predicate: &'a str,
    ) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |[found, of, _]| found == subject && is_named(of, predicate))
            .map(|[_, _, object]| object.as_str())
    }

    pub(super) fn one<'a>(&'a self, subject: &'a str, predicate: &'a str) -> Option<&'a str> {
        self.all(subject, predicate).next()
    }

    pub(super) fn number(&self, subject: &str, predicate: &str) -> Option<u64> {
        self.one(subject, predicate)?.parse().ok()
    }

    /// The subjects of a type of AFF4.
    pub(super) fn which<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |[_, predicate, object]| predicate == TYPE && is_named(object, kind))
            .map(|[subject, _, _]| subject.as_str())
    }

    pub(super) fn is_a(&self, subject: &str, kind: &str) -> bool {
        self.which(kind).any(|found| found == subject)
    }
}

fn is_named(name: &str, local: &str) -> bool {
    name.rsplit_once('#').is_some_and(|(_, found)| found == local)
}

/// A name with its prefix written out; `a` is the type.
fn resolve(prefixes: &[(String, String)], token: &Token<'_>) -> String {
    match token {
        Token::Exact(text) => (*text).to_owned(),
        Token::Name("a") => TYPE.to_owned(),
        Token::Name(name) => prefixes
            .iter()
            .find_map(|(prefix, full)| {
                name.strip_prefix(prefix.as_str()).map(|local| format!("{full}{local}"))
            })
            .unwrap_or_else(|| (*name).to_owned()),
    }
}

enum Token<'a> {
    /// An IRI or a string without its marks, or punctuation.
    Exact(&'a str),
    /// A name with a prefix, a keyword or a number.
    Name(&'a str),
}

struct Tokens<'a>(&'a str);

impl<'a> Tokens<'a> {
    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            self.0 = self.0.trim_start();
            match self.0.strip_prefix('#') {
                Some(comment) => self.0 = comment.split_once('\n').map_or("", |(_, rest)| rest),
                None => break,
            }
        }
        let first = self.0.chars().next()?;
        if let Some(rest) = self.0.strip_prefix('<') {
            let (name, rest) = rest.split_once('>')?;
            self.0 = rest;
            return Some(Token::Exact(name));
        }
        if let Some(rest) = self.0.strip_prefix('"') {
            let (text, rest) = rest.split_once('"')?;
            // The type of a literal says nothing that its use does not.
            self.0 = match rest.strip_prefix("^^") {
                Some(kind) => {
                    kind.trim_start_matches(|c: char| !c.is_whitespace() && !",;".contains(c))
                }
                None => rest,
            };
            return Some(Token::Exact(text));
        }
        let end = if matches!(first, '.' | ';' | ',') {
            1
        } else {
            let end = self.0.find(|c: char| c.is_whitespace() || ",;".contains(c));
            end.unwrap_or(self.0.len())
        };
        let (token, rest) = self.0.split_at_checked(end)?;
        self.0 = rest;
        Some(if matches!(first, '.' | ';' | ',') {
            Token::Exact(token)
        } else {
            Token::Name(token)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_read_with_their_prefixes() {
        let text = "@prefix aff4: <http://aff4.org/Schema#> .\n@prefix : <aff4://v> .\n# a comment\n\
            <aff4://s> a aff4:ImageStream , aff4:Image ; aff4:size \"4096\"^^xsd:long ;\n\
            aff4:hash \"ab\"^^aff4:MD5, \"cd\"^^aff4:SHA1 ; aff4:stored : .\n<aff4://t> aff4:size 7 .\n";
        let graph = Graph::parse(text).unwrap();
        assert!(graph.is_a("aff4://s", "ImageStream") && graph.is_a("aff4://s", "Image"));
        assert_eq!(graph.number("aff4://s", "size"), Some(4096));
        assert_eq!(graph.number("aff4://t", "size"), Some(7));
        assert_eq!(graph.all("aff4://s", "hash").collect::<Vec<_>>(), ["ab", "cd"]);
        assert_eq!(graph.one("aff4://s", "stored"), Some("aff4://v"));
        assert!(graph.uses("http://aff4.org/Schema#") && !graph.uses("http://afflib.org/"));
        for broken in ["<", "\"", "@prefix", "a a a", ". . ; ,", "<a> <b> \"c"] {
            assert!(Graph::parse(broken).unwrap().0.is_empty(), "{broken}");
        }
    }
}
