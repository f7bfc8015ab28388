//! What an image says about its streams: statements in RDF Turtle, as far as AFF4 programs write it.

use std::io;

use super::super::damaged;

/// Statements: subject, predicate, object.
pub(super) struct Turtle<'a> {
    statements: Vec<(&'a str, &'a str, &'a str)>,
}

/// Statements of one image: some dozen for each stream and hash.
const MOST: usize = 1 << 16;

impl<'a> Turtle<'a> {
    /// What cannot be understood is passed over: it is about something else.
    pub(super) fn read(text: &'a str) -> Self {
        let mut statements = Vec::new();
        let (mut subject, mut predicate) = (None, None);
        for token in Tokens(text) {
            match (token, subject, predicate) {
                (".", ..) => (subject, predicate) = (None, None),
                (";", ..) => predicate = None,
                (",", ..) => {}
                (token, None, _) => subject = Some(token),
                (token, Some(_), None) => predicate = Some(token),
                (token, Some(subject), Some(predicate)) if statements.len() < MOST => {
                    statements.push((subject, predicate, token));
                }
                _ => break,
            }
        }
        Self { statements }
    }

    /// The first object of a statement. Names are given without their namespace.
    pub(super) fn object(&self, subject: &str, predicate: &str) -> Option<&'a str> {
        self.statements
            .iter()
            .find(|(one, two, _)| *one == subject && local(two) == predicate)
            .map(|(_, _, object)| *object)
    }

    /// # Errors
    /// Where there is no such statement, or its object is no number.
    pub(super) fn number(&self, subject: &str, predicate: &str) -> io::Result<u64> {
        let object = self.object(subject, predicate).unwrap_or_default();
        let digits = object.split("^^").next().unwrap_or_default();
        digits.parse().map_err(|_| damaged(format!("the image gives no {predicate} of {subject}")))
    }

    pub(super) fn is(&self, subject: &str, kind: &str) -> bool {
        self.types().any(|(one, other)| one == subject && other == kind)
    }

    pub(super) fn subject_of_type(&self, kind: &str) -> Option<&'a str> {
        self.types().find(|(_, other)| *other == kind).map(|(subject, _)| subject)
    }

    fn types(&self) -> impl Iterator<Item = (&'a str, &'a str)> + '_ {
        let is_type = |predicate: &str| predicate == "a" || local(predicate) == "type";
        let types = self.statements.iter().filter(move |(_, predicate, _)| is_type(predicate));
        types.map(|(subject, _, object)| (*subject, local(object)))
    }
}

/// A name without its namespace.
fn local(name: &str) -> &str {
    name.rsplit(['#', ':', '/']).next().unwrap_or(name)
}

/// Names without their angle brackets, literals without their quotation marks, and punctuation.
struct Tokens<'a>(&'a str);

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            self.0 = self.0.trim_start();
            let Some(comment) = self.0.strip_prefix('#') else { break };
            self.0 = comment.split_once('\n').map_or("", |(_, rest)| rest);
        }
        if let Some(rest) = self.0.strip_prefix('<') {
            let (name, rest) = rest.split_once('>')?;
            self.0 = rest;
            return Some(name);
        }
        if let Some(rest) = self.0.strip_prefix('"') {
            let mut escaped = false;
            let end = rest.char_indices().find(|(_, c)| {
                let ends = *c == '"' && !escaped;
                escaped = *c == '\\' && !escaped;
                ends
            });
            let (literal, rest) = rest.split_at_checked(end?.0)?;
            self.0 = rest.strip_prefix('"').unwrap_or_default();
            if let Some(kind) = self.0.strip_prefix("^^") {
                self.0 = kind;
                let _type_of_the_literal = self.next();
            }
            return Some(literal);
        }
        let is_end = |(at, c): (usize, char)| {
            c.is_whitespace() || matches!(c, ',' | ';') || (c == '.' && at == 0)
        };
        let end =
            self.0.char_indices().find(|found| is_end(*found)).map_or(self.0.len(), |(at, _)| at);
        let (token, _) = self.0.split_at_checked(end.max(1))?;
        // A full stop behind a name ends the statement.
        let name = token.strip_suffix('.').filter(|name| !name.is_empty()).unwrap_or(token);
        self.0 = self.0.get(name.len()..)?;
        Some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"@prefix aff4: <http://aff4.org/Schema#> .
        # what the disk is
        <aff4://disk> a aff4:DiskImage, aff4:Image ;
            aff4:dataStream <aff4://map> ; aff4:note "a \"disk\"; whole." .
        <aff4://map> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> aff4:Map ;
            aff4:mapGapDefaultStream aff4:Zero;
            aff4:hash "00ff"^^aff4:SHA512, "11"^^aff4:MD5 ;
            aff4:size "16777216"^^<http://www.w3.org/2001/XMLSchema#long>.
        <aff4://stream> a aff4:ImageStream ; aff4:size 512.
    "#;

    #[test]
    fn statements_are_found_by_subject_and_predicate() {
        let turtle = Turtle::read(TEXT);
        assert_eq!(turtle.subject_of_type("Image"), Some("aff4://disk"));
        assert_eq!(turtle.object("aff4://disk", "dataStream"), Some("aff4://map"));
        assert_eq!(turtle.object("aff4://disk", "note"), Some(r#"a \"disk\"; whole."#));
        assert!(turtle.is("aff4://map", "Map") && !turtle.is("aff4://map", "ImageStream"));
        assert_eq!(turtle.object("aff4://map", "mapGapDefaultStream"), Some("aff4:Zero"));
        assert_eq!(turtle.number("aff4://map", "size").unwrap(), 16_777_216);
        assert_eq!(turtle.number("aff4://stream", "size").unwrap(), 512);
        assert!(turtle.number("aff4://disk", "size").is_err());
    }

    #[test]
    fn damaged_texts_come_to_an_end() {
        for end in 0..TEXT.len() {
            let turtle = Turtle::read(&TEXT[..end]);
            assert!(turtle.statements.len() <= 12);
        }
        for text in ["<", "\"", "..", "a.", ";;;", "<a> <b> <c> <d", "\u{e9}\u{e9}. a"] {
            assert!(Turtle::read(text).statements.len() <= 1, "{text}");
        }
    }
}
