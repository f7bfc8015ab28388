//! The TOML form of rules: read, checked, and tried on their examples.

use std::collections::BTreeMap;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use toml::Spanned;

use super::super::policy::line_of;
use super::super::{Family, Indicator, Need, Question, Technique};
use super::example::{Example, Fields, values};
use super::rule::{Detection, Selection};
use super::{MOST_RULES, Own, event_field, service_field};
use crate::artifact::sigma::{Condition, Matcher};
use crate::host::Origin;
use crate::text;

/// Characters of one text of a rule.
const LONGEST: usize = 2_000;
/// The heaviest own indicator, in decibans: as heavy as the heaviest built-in one.
const HEAVIEST: i64 = 35;
/// The strongest own trust, in decibans.
const STRONGEST_TRUST: i64 = -20;
/// What a hard indicator weighs at least, in decibans: its floor.
const LEAST_HARD: i64 = 30;

/// Why a file of rules cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line it is about, from 1.
    pub line: usize,
    /// What is wrong there, and what to do.
    pub reason: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: Spanned<String>,
    question: String,
    why: String,
    innocent: String,
    verify: Vec<String>,
    attack: Vec<Attack>,
    weight: Spanned<i64>,
    #[serde(default)]
    hard: bool,
    family: Spanned<String>,
    checklist: Spanned<String>,
    sources: Vec<String>,
    author: String,
    because: Option<String>,
    condition: Spanned<String>,
    #[serde(default)]
    service: BTreeMap<String, Spanned<serde_json::Value>>,
    #[serde(default)]
    event: BTreeMap<String, Spanned<serde_json::Value>>,
    #[serde(default)]
    example: Vec<Spanned<Worked>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attack {
    v18: String,
    v19: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Worked {
    title: String,
    answer: String,
    #[serde(default)]
    service: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    events: Vec<BTreeMap<String, serde_json::Value>>,
}

/// Reads the rules of a file.
pub(super) fn read(name: &str, text: &str) -> Result<Vec<Own>, Problem> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let file: File = toml::from_str(text).map_err(|error| Problem {
        line: error.span().map_or(1, |span| line_of(text, span.start)),
        reason: format!("{} (docs/rules.md has an example of every field)", error.message()),
    })?;
    if file.rule.is_empty() {
        let reason = "no [[rule]] in it".to_owned();
        return Err(Problem { line: 1, reason });
    }
    if file.rule.len() > MOST_RULES {
        return Err(Problem { line: 1, reason: format!("more than {MOST_RULES} rules") });
    }
    let sha256 = text::hex(&Sha256::digest(text.as_bytes()));
    let reader = Reader { name, text, sha256 };
    file.rule.into_iter().map(|entry| reader.rule(entry)).collect()
}

struct Reader<'a> {
    name: &'a str,
    text: &'a str,
    sha256: String,
}

impl Reader<'_> {
    fn at<T>(&self, value: &Spanned<T>, reason: impl Into<String>) -> Problem {
        Problem { line: line_of(self.text, value.span().start), reason: reason.into() }
    }

    fn rule(&self, entry: Spanned<Entry>) -> Result<Own, Problem> {
        let line = line_of(self.text, entry.span().start);
        let entry = entry.into_inner();
        let id = entry.id.get_ref().clone();
        if !is_own_id(&id) {
            let reason = format!(
                "`{id}` is no id of an own indicator: write capitals, digits and at least one hyphen, LOCAL-001"
            );
            return Err(self.at(&entry.id, reason));
        }
        told(&entry).map_err(|reason| Problem { line, reason: format!("{id}: {reason}") })?;
        let family = self.family(&entry)?;
        let weight = self.weight(&entry, family)?;
        let checklist = self.question(&entry)?;
        let detection = self.detection(&entry)?;
        let examples = self.examples(&entry, &detection, line)?;
        let needs: &'static [Need] = Vec::leak(detection.needs());
        let because =
            entry.because.unwrap_or_else(|| entry.question.trim_end_matches('?').to_owned());
        let attack = entry.attack.into_iter();
        let attack = attack.map(|one| Technique { v18: leak(one.v18), v19: leak(one.v19) });
        let indicator: &'static Indicator = Box::leak(Box::new(Indicator {
            id: leak(id),
            family,
            checklist,
            question: leak(entry.question),
            why: leak(entry.why),
            innocent: leak(entry.innocent),
            verify: leak_all(entry.verify),
            attack: Vec::leak(attack.collect()),
            weight,
            hard: entry.hard,
            needs,
            sources: leak_all(entry.sources),
            since: "a rule of your own",
            check: super::check(detection, because),
            examples: &[],
        }));
        Ok(Own {
            indicator,
            author: entry.author,
            examples,
            file: self.name.to_owned(),
            line,
            sha256: self.sha256.clone(),
        })
    }

    fn family(&self, entry: &Entry) -> Result<Family, Problem> {
        Ok(match entry.family.get_ref().to_uppercase().as_str() {
            "Q1" => Family::Q1,
            "Q2" => Family::Q2,
            "Q3" => Family::Q3,
            "Q4" => Family::Q4,
            "Q5" => Family::Q5,
            "D" => Family::D,
            "F" => Family::F,
            "K" => Family::K,
            "B" => Family::B,
            other => {
                let reason =
                    format!("`{other}` is no family: write one of Q1, Q2, Q3, Q4, Q5, D, F, K, B");
                return Err(self.at(&entry.family, reason));
            }
        })
    }

    fn weight(&self, entry: &Entry, family: Family) -> Result<i16, Problem> {
        let given = *entry.weight.get_ref();
        let (least, most) = if family == Family::B { (STRONGEST_TRUST, -1) } else { (1, HEAVIEST) };
        if !(least..=most).contains(&given) {
            let reason = format!(
                "the weight {given} is out of range: a rule of family {family:?} weighs between {least} and {most} decibans"
            );
            return Err(self.at(&entry.weight, reason));
        }
        if entry.hard && given < LEAST_HARD {
            let reason = format!(
                "a hard indicator keeps the score at {LEAST_HARD} decibans, so that it must weigh as much itself"
            );
            return Err(self.at(&entry.weight, reason));
        }
        Ok(i16::try_from(given).unwrap_or_default())
    }

    fn question(&self, entry: &Entry) -> Result<Question, Problem> {
        Ok(match entry.checklist.get_ref().as_str() {
            "what" => Question::What,
            "runs" => Question::Runs,
            "who_when" => Question::WhoWhen,
            "account" => Question::Account,
            "started" => Question::Started,
            other => {
                let reason = format!(
                    "`{other}` is no question of the checklist: write one of what, runs, who_when, account, started"
                );
                return Err(self.at(&entry.checklist, reason));
            }
        })
    }

    fn detection(&self, entry: &Entry) -> Result<Detection, Problem> {
        let mut selections = BTreeMap::new();
        for (name, given) in &entry.service {
            let matcher = self.matcher(name, given, is_service_field, service_names)?;
            selections.insert(name.clone(), Selection::Service(matcher));
        }
        for (name, given) in &entry.event {
            let matcher = self.matcher(name, given, is_event_field, event_names)?;
            let logs = logs(given.get_ref()).map_err(|reason| self.at(given, reason))?;
            if selections.insert(name.clone(), Selection::Event(matcher, logs)).is_some() {
                let reason =
                    format!("`{name}` is a selection over the service and one over events");
                return Err(self.at(given, reason));
            }
        }
        let names = selections.keys().cloned().collect();
        let condition = Condition::parse(entry.condition.get_ref(), names)
            .map_err(|reason| self.at(&entry.condition, reason))?;
        Ok(Detection::new(selections, condition))
    }

    fn matcher(
        &self,
        name: &str,
        given: &Spanned<serde_json::Value>,
        is_field: fn(&str) -> bool,
        known: fn() -> Vec<&'static str>,
    ) -> Result<Matcher, Problem> {
        let matcher = Matcher::compile(given.get_ref())
            .map_err(|reason| self.at(given, format!("selection `{name}`: {reason}")))?;
        match matcher.fields().iter().find(|field| !is_field(field)) {
            None => Ok(matcher),
            Some(unknown) => {
                let reason = format!("selection `{name}`: {}", no_field(unknown, &known()));
                Err(self.at(given, reason))
            }
        }
    }

    fn examples(
        &self,
        entry: &Entry,
        detection: &Detection,
        line: usize,
    ) -> Result<Vec<(String, bool)>, Problem> {
        let mut told = Vec::new();
        for worked in &entry.example {
            let wrong = |reason: String| self.at(worked, reason);
            let Worked { title, answer, service, events } = worked.get_ref();
            let expected = match answer.as_str() {
                "yes" => true,
                "no" => false,
                other => {
                    return Err(wrong(format!("the answer is `yes` or `no`, not `{other}`")));
                }
            };
            let fields = |given: &BTreeMap<String, serde_json::Value>,
                          is_field: fn(&str) -> bool,
                          known: fn() -> Vec<&'static str>| {
                let mut fields = Fields::new();
                for (name, value) in given {
                    let name = name.to_ascii_lowercase();
                    if !is_field(&name) {
                        return Err(wrong(no_field(&name, &known())));
                    }
                    let values = values(value);
                    let values = values.ok_or_else(|| {
                        wrong(format!(
                            "`{name}` is a text, a number, true, false or a list of such"
                        ))
                    })?;
                    fields.insert(name, values);
                }
                Ok(fields)
            };
            let example = Example {
                service: fields(service, is_service_field, service_names)?,
                events: events
                    .iter()
                    .map(|event| fields(event, is_event_field, event_names))
                    .collect::<Result<_, _>>()?,
            };
            if detection.holds(&example) != Some(expected) {
                let said = if expected { "no" } else { "yes" };
                return Err(wrong(format!(
                    "the example \"{title}\" of {} should be {answer}, and the rule says {said}",
                    entry.id.get_ref()
                )));
            }
            told.push((title.clone(), expected));
        }
        for (answer, word) in [(true, "yes"), (false, "no")] {
            if !told.iter().any(|(_, one)| *one == answer) {
                let reason = format!(
                    "{} has no example with answer = \"{word}\": add an [[rule.example]] that shows it",
                    entry.id.get_ref()
                );
                return Err(Problem { line, reason });
            }
        }
        Ok(told)
    }
}

/// Whether every text says something, and not without end.
fn told(entry: &Entry) -> Result<(), String> {
    let texts = [
        ("question", &entry.question),
        ("why", &entry.why),
        ("innocent", &entry.innocent),
        ("author", &entry.author),
    ];
    let lists = [("verify", &entry.verify), ("sources", &entry.sources)];
    for (name, list) in lists {
        if list.is_empty() {
            return Err(format!("`{name}` is empty: write at least one"));
        }
    }
    let in_lists =
        lists.into_iter().flat_map(|(name, list)| list.iter().map(move |one| (name, one)));
    let because = entry.because.iter().map(|text| ("because", text));
    for (name, text) in texts.into_iter().chain(in_lists).chain(because) {
        if text.trim().is_empty() {
            return Err(format!("`{name}` says nothing"));
        }
        if text.chars().count() > LONGEST {
            return Err(format!("`{name}` is longer than {LONGEST} characters"));
        }
    }
    if !entry.question.ends_with('?') {
        return Err("`question` ends with a question mark".to_owned());
    }
    if entry.attack.is_empty() && !entry.family.get_ref().eq_ignore_ascii_case("B") {
        return Err(
            "`attack` is empty: write at least one { v18 = \"T1543.003\", v19 = \"T1543.003\" }"
                .to_owned(),
        );
    }
    for technique in entry.attack.iter().flat_map(|one| [&one.v18, &one.v19]) {
        if !is_technique(technique) {
            return Err(format!("`{technique}` is no technique: write T1543 or T1543.003"));
        }
    }
    Ok(())
}

/// Built-in ids are letters and digits; a hyphen keeps own ones apart for all time.
fn is_own_id(id: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    id.len() <= 32
        && id.starts_with(|c: char| c.is_ascii_uppercase())
        && id.contains('-')
        && id.split('-').all(is_part)
}

fn is_technique(text: &str) -> bool {
    let digits =
        |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.strip_prefix('T').map(|rest| rest.split_once('.').unwrap_or((rest, ""))) {
        Some((technique, "")) => digits(technique, 4) && !text.ends_with('.'),
        Some((technique, sub)) => digits(technique, 4) && digits(sub, 3),
        None => false,
    }
}

fn is_service_field(name: &str) -> bool {
    let is_value = name.strip_prefix(service_field::VALUE).is_some_and(|value| !value.is_empty());
    is_value || service_field::find(name).is_some()
}

fn is_event_field(name: &str) -> bool {
    name == event_field::ROLE || event_field::find(name).is_some()
}

fn service_names() -> Vec<&'static str> {
    service_field::FIELDS.iter().map(|field| field.name).collect()
}

fn event_names() -> Vec<&'static str> {
    let names = event_field::FIELDS.iter().map(|field| field.name);
    std::iter::once(event_field::ROLE).chain(names).collect()
}

fn no_field(name: &str, known: &[&'static str]) -> String {
    let nearest = known.iter().map(|one| (text::edits(name, one), *one)).min();
    let meant = match nearest {
        Some((edits, like)) if edits.saturating_mul(3) <= like.len() => {
            format!("; did you mean `{like}`?")
        }
        _ => " (docs/rules-fields.md lists them)".to_owned(),
    };
    format!("there is no field `{name}`{meant}")
}

/// The logs that would tell of the events that a selection asks for: those of the roles it names, else all of them.
fn logs(selection: &serde_json::Value) -> Result<Vec<Origin>, String> {
    let all = || event_field::LOGS.to_vec();
    let serde_json::Value::Object(fields) = selection else { return Ok(all()) };
    let role = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(event_field::ROLE));
    let Some(words) = role.and_then(|(_, value)| values(value)) else { return Ok(all()) };
    let mut logs = Vec::new();
    for word in words {
        let known = event_field::ROLES.iter().find(|(_, one, ..)| one.eq_ignore_ascii_case(&word));
        match known {
            Some((.., told_by)) => logs.extend(told_by.iter().copied()),
            // A pattern over roles asks all logs.
            None if word.contains(['*', '?']) => return Ok(all()),
            None => {
                let roles: Vec<&str> =
                    event_field::ROLES.iter().map(|(_, word, ..)| *word).collect();
                return Err(format!(
                    "`{word}` is no role of an event: write one of {}",
                    roles.join(", ")
                ));
            }
        }
    }
    logs.sort_unstable();
    logs.dedup();
    Ok(logs)
}

fn leak(text: String) -> &'static str {
    String::leak(text)
}

fn leak_all(texts: Vec<String>) -> &'static [&'static str] {
    Vec::leak(texts.into_iter().map(leak).collect())
}
