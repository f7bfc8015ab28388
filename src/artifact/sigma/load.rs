//! Rule files into documents, and documents into what they define.

use rsigma_parser::{CorrelationRule, FilterRule, SigmaRule, parse_sigma_yaml};

use super::demand::last_line;
use super::engine::guarded;
use crate::host::rule_hit::RuleProblem;

/// A file of rules as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFile {
    /// Its path as given.
    pub name: String,
    /// Its text, or why there is none.
    pub text: Result<String, String>,
}

/// Bytes of one document; the largest rule in use has 90 KiB.
const LARGEST: usize = 1 << 20;
/// Opening parentheses of one document: conditions are parsed by recursion.
const MOST_PARENTHESES: usize = 5_000;

/// What one document defines.
pub(super) enum Defined {
    Rule(Box<SigmaRule>),
    Correlation(Box<CorrelationRule>),
    Filter(Box<FilterRule>),
}

/// Where a rule stands.
pub(super) struct Place {
    pub(super) file: String,
    /// The line its document begins at, from 1.
    line: usize,
    title: String,
}

impl Place {
    /// Why the rule cannot be used, or only in part.
    pub(super) fn problem(&self, reason: impl Into<String>) -> RuleProblem {
        RuleProblem {
            file: self.file.clone(),
            line: Some(self.line),
            title: Some(self.title.clone()),
            reason: reason.into(),
        }
    }
}

impl Defined {
    fn title(&self) -> &str {
        match self {
            Self::Rule(rule) => &rule.title,
            Self::Correlation(rule) => &rule.title,
            Self::Filter(rule) => &rule.title,
        }
    }
}

/// What the files define, in their order.
#[derive(Default)]
pub(super) struct Parsed {
    pub(super) documents: Vec<(Place, Defined)>,
    /// What is no rule, or a broken one.
    pub(super) broken: Vec<RuleProblem>,
    /// What the parser remarks on rules that it takes all the same.
    pub(super) remarks: Vec<RuleProblem>,
}

/// Reads what the files define.
pub(super) fn parse(files: Vec<RuleFile>) -> Parsed {
    let mut parsed = Parsed::default();
    for file in files {
        match &file.text {
            Err(reason) => parsed.fail(&file.name, None, reason.clone()),
            Ok(text) => {
                let text = text.strip_prefix('\u{feff}').unwrap_or(text);
                for (line, document) in documents(text) {
                    parsed.add(&file.name, line, document);
                }
            }
        }
    }
    parsed
}

/// The documents of a file with the line each begins at, from 1. Where one is a template for others (`action: global`
/// and its kin) they cannot be taken apart.
fn documents(text: &str) -> Vec<(usize, &str)> {
    let is_template = |line: &str| line.starts_with("action:");
    if text.lines().any(is_template) {
        return vec![(1, text)];
    }
    let mut found = Vec::new();
    let (mut rest, mut number, mut first, mut length) = (text, 1_usize, 1_usize, 0_usize);
    for line in text.split_inclusive('\n') {
        if line.starts_with("---") && length > 0 {
            let (document, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
            found.push((first, document));
            (rest, first, length) = (after, number, 0);
        }
        length = length.saturating_add(line.len());
        number = number.saturating_add(1);
    }
    found.push((first, rest));
    let says = |text: &str| {
        let lines = text.lines().map(|line| line.trim_start_matches("---").trim());
        lines.into_iter().any(|line| !line.is_empty() && !line.starts_with('#') && line != "...")
    };
    found.retain(|(_, document)| says(document));
    found
}

impl Parsed {
    fn fail(&mut self, file: &str, line: Option<usize>, reason: String) {
        let file = file.to_owned();
        self.broken.push(RuleProblem { file, line, title: None, reason });
    }

    fn add(&mut self, file: &str, line: usize, text: &str) {
        if text.len() > LARGEST {
            let reason = format!("longer than {} KiB", LARGEST >> 10);
            return self.fail(file, Some(line), reason);
        }
        if text.matches('(').count() > MOST_PARENTHESES {
            let reason = format!("more than {MOST_PARENTHESES} parentheses");
            return self.fail(file, Some(line), reason);
        }
        // Errors tell lines of the document: empty lines before it make them lines of the file.
        let padded = format!("{}{text}", "\n".repeat(line.saturating_sub(1)));
        let collection = match guarded(|| parse_sigma_yaml(&padded)) {
            Ok(Ok(collection)) => collection,
            Ok(Err(error)) => return self.fail(file, Some(line), one_line(&error.to_string())),
            Err(reason) => return self.fail(file, Some(line), reason),
        };
        let place = |defined: Defined| {
            let title = defined.title().to_owned();
            (Place { file: file.to_owned(), line, title }, defined)
        };
        let rules = collection.rules.into_iter().map(|rule| Defined::Rule(Box::new(rule)));
        let correlations =
            collection.correlations.into_iter().map(|rule| Defined::Correlation(Box::new(rule)));
        let filters = collection.filters.into_iter().map(|rule| Defined::Filter(Box::new(rule)));
        let found: Vec<(Place, Defined)> =
            rules.chain(correlations).chain(filters).map(place).collect();
        for error in collection.errors {
            let reason = one_line(&error);
            match found.as_slice() {
                [(one, _)] => self.remarks.push(one.problem(reason)),
                _ => self.fail(file, Some(line), reason),
            }
        }
        self.documents.extend(found);
    }
}

/// An error in one line. The parser of conditions draws the place under the condition and says last what is wrong.
pub(super) fn one_line(text: &str) -> String {
    const LONGEST: usize = 300;
    let line = match text.lines().count() {
        0 | 1 => text.trim().to_owned(),
        _ => {
            let head = text.lines().next().unwrap_or_default().trim();
            let head = head.trim_end_matches("-->").trim();
            format!("{head} {}", last_line(text).trim_start_matches("= "))
        }
    };
    line.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_know_their_lines() {
        let text = "# a comment\n---\ntitle: a\n---\n---\ntitle: b\nx: |\n  ---\n";
        assert_eq!(documents(text), [(2, "---\ntitle: a\n"), (5, "---\ntitle: b\nx: |\n  ---\n")]);
        assert_eq!(documents("title: a"), [(1, "title: a")]);
        assert_eq!(documents("\n# nothing\n"), []);
        let template = "action: global\ntitle: a\n---\nx: 1\n";
        assert_eq!(documents(template), [(1, template)]);
    }

    fn reasons(text: &str) -> Vec<(Option<usize>, String)> {
        let file = RuleFile { name: "r.yml".into(), text: Ok(text.to_owned()) };
        let parsed = parse(vec![file]);
        assert_eq!(parsed.documents.len(), 0, "{text}");
        parsed.broken.into_iter().map(|problem| (problem.line, problem.reason)).collect()
    }

    #[test]
    fn what_is_broken_says_where() {
        let head = "title: a\nlogsource: {product: windows}\ndetection:\n";
        for (text, words) in [
            ("---\n# x\ntitle: a\n".to_owned(), "detection"),
            ("a: [\n".to_owned(), "line"),
            (format!("{head}  s: {{A|near: 1}}\n  condition: s\n"), "near"),
            (format!("{head}  s: {{A: 1}}\n  condition: s | count() > 5\n"), "Condition"),
            (format!("{head}  s: {{A: 1}}\n"), "condition"),
            (format!("{head}  s: {{A: 1}}\n  condition: {}s\n", "(".repeat(6_000)), "parentheses"),
            (format!("{head}  s: {{A: 1}}\n  condition: {}s\n", "(".repeat(4_000)), "Condition"),
        ] {
            let reasons = reasons(&text);
            let [(Some(line), reason)] = reasons.as_slice() else { panic!("{text}: {reasons:?}") };
            assert!(reason.contains(words), "{reason}");
            assert_eq!(*line, 1);
        }
    }
}
