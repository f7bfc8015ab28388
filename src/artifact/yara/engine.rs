//! The engine: boreal.

use std::time::Duration;

use boreal::compiler::CompilerParams;
use boreal::scanner::{EvaluatedRule, ScanError, ScanParams};
use boreal::{Compiler, Metadata, MetadataValue, Scanner};

use super::{NotLoaded, RuleSource};
use crate::host::image_path::leaf;
use crate::host::program_file::RuleMatch;

/// How long one file may take. Rules are bounded by the bytes and matches they look at; this is the net below, for
/// conditions that loop over every byte of a file within each other.
const LONGEST: Duration = Duration::from_mins(1);
/// Tags, metadata and strings that are kept of a match.
const MOST_KEPT: usize = 16;
/// Characters of one metadata value that are kept.
const LONGEST_VALUE: usize = 300;
/// Symbols that rule sets for scanners of files expect to be given.
const SYMBOLS: [&str; 5] = ["filename", "filepath", "extension", "filetype", "owner"];

/// Compiled rules.
#[derive(Debug)]
pub struct Rules {
    scanner: Scanner,
    count: usize,
    not_loaded: Vec<NotLoaded>,
}

impl Rules {
    /// Compiles files of rules, each a namespace of its own. A file with an error costs itself.
    ///
    /// # Errors
    /// A sentence, where no rule is left.
    pub fn load(sources: Vec<RuleSource>) -> Result<Self, String> {
        let mut compiler = compiler();
        let mut not_loaded = Vec::new();
        for source in sources {
            let added = source.text.and_then(|text| {
                // A file is compiled alone first: what stands before an error must not stay.
                self::compiler()
                    .add_rules_str(&text)
                    .map_err(|error| reason(&error.to_string()))?;
                compiler
                    .add_rules_str_in_namespace(&text, &source.name)
                    .map_err(|error| reason(&error.to_string()))
            });
            if let Err(reason) = added {
                not_loaded.push(NotLoaded { file: source.name, reason });
            }
        }
        let mut scanner = compiler.finalize();
        scanner.set_scan_params(
            ScanParams::default()
                .compute_full_matches(true)
                .match_max_length(0)
                .timeout_duration(Some(LONGEST)),
        );
        let count = scanner.rules().count();
        match (count, not_loaded.first()) {
            (0, Some(first)) => {
                Err(format!("no YARA rule can be used; {}: {}", first.file, first.reason))
            }
            (0, None) => Err("no YARA rule in it".to_owned()),
            _ => Ok(Self { scanner, count, not_loaded }),
        }
    }

    /// How many rules there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Files that cannot be used.
    pub fn not_loaded(&self) -> &[NotLoaded] {
        &self.not_loaded
    }

    /// The rules that match the bytes of the file of that path, in their order.
    ///
    /// # Errors
    /// A sentence, where the scan did not come to its end.
    pub fn scan(&self, bytes: &[u8], path: &str) -> Result<Vec<RuleMatch>, String> {
        let mut scanner = self.scanner.clone();
        let name = leaf(path);
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        for (symbol, value) in [("filename", name), ("filepath", path), ("extension", extension)] {
            // A symbol that no rule uses is not there.
            let _unused = scanner.define_symbol(symbol, value.as_bytes());
        }
        match scanner.scan_mem(bytes) {
            Ok(found) => Ok(found.rules.iter().map(|rule| told(&scanner, rule)).collect()),
            Err((ScanError::Timeout, _)) => {
                Err(format!("they took longer than {} s", LONGEST.as_secs()))
            }
            Err((error, _)) => Err(error.to_string()),
        }
    }
}

/// A compiler that reads no other file, whatever a rule asks for.
fn compiler() -> Compiler {
    let mut compiler = Compiler::new();
    compiler.set_params(CompilerParams::default().disable_includes(true));
    for symbol in SYMBOLS {
        compiler.define_symbol(symbol, "");
    }
    compiler
}

/// `mem:12:5: error: what` as `line 12: what`.
fn reason(message: &str) -> String {
    let first = message.lines().next().unwrap_or_default();
    let mut parts = first.splitn(4, ':');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some("mem"), Some(line), Some(_), Some(what)) => {
            let what = what.trim();
            format!("line {line}: {}", what.strip_prefix("error: ").unwrap_or(what))
        }
        _ => first.to_owned(),
    }
}

fn told(scanner: &Scanner, rule: &EvaluatedRule<'_>) -> RuleMatch {
    let tags = rule.tags.iter().take(MOST_KEPT);
    let strings = rule.matches.iter().flat_map(|string| {
        string.matches.iter().map(move |one| (format!("${}", string.name), one.offset))
    });
    let strings = strings.filter_map(|(name, offset)| Some((name, u64::try_from(offset).ok()?)));
    RuleMatch {
        rule: rule.name.to_owned(),
        source: rule.namespace.to_owned(),
        tags: tags.map(|tag| scanner.get_string_symbol(*tag).to_owned()).collect(),
        meta: rule.metadatas.iter().take(MOST_KEPT).map(|one| meta(scanner, one)).collect(),
        strings: strings.take(MOST_KEPT).collect(),
    }
}

fn meta(scanner: &Scanner, one: &Metadata) -> (String, String) {
    let value = match one.value {
        MetadataValue::Bytes(symbol) => {
            String::from_utf8_lossy(scanner.get_bytes_symbol(symbol)).into_owned()
        }
        MetadataValue::Integer(number) => number.to_string(),
        MetadataValue::Boolean(value) => value.to_string(),
    };
    let value = match value.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => format!("{}…", value.get(..end).unwrap_or_default()),
        None => value,
    };
    (scanner.get_string_symbol(one.name).to_owned(), value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(name: &str, text: &str) -> RuleSource {
        RuleSource { name: name.to_owned(), text: Ok(text.to_owned()) }
    }

    const GOOD: &str = r#"
import "pe"
rule Loader : apt loader {
    meta:
        author = "A. Author"
        score = 75
        shared = true
    strings:
        $a = "needle"
        $b = { 4d 5a }
    condition:
        $a and $b at 0 and not pe.is_pe and extension == "exe"
}
private rule Part { condition: true }
rule Other { condition: Part and filesize > 1MB }
"#;

    #[test]
    fn good_rules_match_and_broken_ones_are_told() {
        let rules = Rules::load(vec![
            source("good.yar", GOOD),
            source("broken.yar", "rule Half { condition: true }\nrule x {\n condition: nothing\n}"),
            source("module.yar", "import \"androguard\"\nrule y { condition: true }"),
            source("include.yar", "include \"/etc/passwd\"\nrule z { condition: true }"),
            RuleSource { name: "binary.yar".into(), text: Err("not UTF-8 text".into()) },
            source("same.yar", "rule Loader { strings: $x = \"dle\" condition: #x == 2 }"),
        ])
        .unwrap();
        let told: Vec<(&str, &str)> =
            rules.not_loaded().iter().map(|one| (one.file.as_str(), one.reason.as_str())).collect();
        assert_eq!(
            told.iter().map(|(file, _)| *file).collect::<Vec<_>>(),
            ["broken.yar", "module.yar", "include.yar", "binary.yar"]
        );
        assert!(told[0].1.starts_with("line 3: "), "{told:?}");
        assert!(told[1].1.starts_with("line 1: "), "{told:?}");
        assert!(told[2].1.starts_with("line 1: "), "{told:?}");
        assert_eq!(rules.count(), 4);

        let bytes = b"MZ....needle....needle";
        let found = rules.scan(bytes, r"C:\x\a.exe").unwrap();
        let names: Vec<(&str, &str)> =
            found.iter().map(|one| (one.rule.as_str(), one.source.as_str())).collect();
        assert_eq!(names, [("Loader", "good.yar"), ("Loader", "same.yar")]);
        let meta = [("author", "A. Author"), ("score", "75"), ("shared", "true")];
        assert_eq!(found[0].meta, meta.map(|(name, value)| (name.into(), value.into())));
        assert_eq!(found[0].tags, ["apt", "loader"]);
        let strings = [("$a", 6), ("$a", 16), ("$b", 0)];
        assert_eq!(found[0].strings, strings.map(|(name, at)| (name.to_owned(), at)));
        assert_eq!(rules.scan(bytes, r"C:\x\a.dll").unwrap().len(), 1);
        assert_eq!(rules.scan(b"nothing", "a.exe"), Ok(Vec::new()));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let tags: String = (0..40).map(|n| format!(" t{n}")).collect::<Vec<_>>().concat();
        let meta: String = (0..40)
            .map(|n| format!("m{n} = \"{}\"\n", "v".repeat(900)))
            .collect::<Vec<_>>()
            .concat();
        let text =
            format!("rule many :{tags} {{ meta: {meta} strings: $a = \"ab\" condition: $a }}");
        let rules = Rules::load(vec![source("many.yar", &text)]).unwrap();
        let found = rules.scan(&b"ab".repeat(10_000), "x").unwrap();
        let one = &found[0];
        assert_eq!((one.tags.len(), one.meta.len(), one.strings.len()), (16, 16, 16));
        assert!(one.meta.iter().all(|(_, value)| value.chars().count() == LONGEST_VALUE + 1));
    }

    #[test]
    fn without_a_rule_there_is_nothing_to_ask() {
        for (text, words) in
            [("", "no YARA rule in it"), ("rule x {", "no YARA rule can be used; x.yar")]
        {
            let error = Rules::load(vec![source("x.yar", text)]).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
