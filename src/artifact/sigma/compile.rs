//! Rule files into rules that run, and a word on every one that does not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread;

use rsigma_parser::{CorrelationRule, FilterRule, FilterRuleTarget, Level, SigmaRule};

use super::correlation::{self, Correlation};
use super::demand;
use super::engine::{Compiled, Group};
use super::load::{Defined, Parsed, Place, RuleFile, parse};
use super::source::{Deaf, Listen, listens, records};
use super::{Loaded, Rules, field};
use crate::host::rule_hit::{Rule, RuleLevel, RuleProblem, RuleSet};

/// Stack of the thread that parses and compiles: conditions are parsed by recursion, and the bounds of a document keep
/// it far below.
const STACK: usize = 64 << 20;
/// Correlation rules of a run.
const MOST_CORRELATIONS: usize = 1_000;

/// Compiles the rules of these files.
pub(super) fn compile(files: Vec<RuleFile>) -> Rules {
    let given = files.len();
    let worker = thread::Builder::new().stack_size(STACK);
    let compiled = worker.spawn(move || Compiler::default().compile(parse(files)));
    let failed = |reason: &str| {
        let (file, reason) = (format!("{given} files"), reason.to_owned());
        let problem = RuleProblem { file, line: None, title: None, reason };
        Rules {
            set: RuleSet { not_loaded: vec![problem], ..RuleSet::default() },
            ..Rules::default()
        }
    };
    match compiled.map(thread::JoinHandle::join) {
        Ok(Ok(rules)) => rules,
        Ok(Err(_)) => failed("the rule engine failed, a fault of this program"),
        Err(error) => failed(&format!("no thread could be started: {error}")),
    }
}

#[derive(Default)]
struct Compiler {
    set: RuleSet,
    rules: Vec<Loaded>,
    /// The rules by what they listen to.
    groups: BTreeMap<Vec<Listen>, Vec<(usize, Compiled)>>,
    /// Numbers by id, name and title, as correlations and filters refer to rules.
    numbers: BTreeMap<String, usize>,
    /// The file of each id.
    ids: BTreeMap<String, String>,
}

impl Compiler {
    fn compile(mut self, parsed: Parsed) -> Rules {
        self.set.not_loaded = parsed.broken;
        self.set.partly_usable = parsed.remarks;
        let (mut correlations, mut filters) = (Vec::new(), Vec::new());
        for (place, defined) in parsed.documents {
            match defined {
                Defined::Rule(rule) => self.rule(&place, *rule),
                Defined::Correlation(rule) => correlations.push((place, *rule)),
                Defined::Filter(filter) => filters.push((place, *filter)),
            }
        }
        let correlations = self.correlations(correlations);
        let mut groups = self.group();
        for (place, filter) in filters {
            self.filter(&place, filter, &mut groups);
        }
        self.set.loaded = self.rules.len().saturating_add(correlations.len());
        self.set.not_loaded.sort();
        self.set.partly_usable.sort();
        let groups = groups.into_iter().map(|(group, _)| group).collect();
        Rules { set: self.set, loaded: self.rules, groups, correlations }
    }

    fn refuse(&mut self, place: &Place, reason: impl Into<String>) {
        self.set.not_loaded.push(place.problem(reason));
    }

    fn rule(&mut self, place: &Place, mut rule: SigmaRule) {
        let ids = demand::event_ids(&rule.detection);
        let ids: Option<Vec<u16>> = ids.map(|ids| ids.into_iter().collect());
        let heard = match listens(&rule.logsource, ids.as_deref()) {
            Ok(heard) => heard,
            Err(Deaf::NotWindows) => {
                self.set.not_applicable = self.set.not_applicable.saturating_add(1);
                return;
            }
            Err(Deaf::Unmapped(reason)) => return self.refuse(place, reason),
        };
        if let Some(reason) = demand::obstacle(&rule.detection) {
            return self.refuse(place, reason);
        }
        if rule.logsource.category.is_none() && ids.is_some_and(|ids| ids.is_empty()) {
            return self.refuse(place, "its condition can hold for no event id");
        }
        if let Some(id) = &rule.id
            && let Some(first) = self.ids.get(id)
        {
            return self.refuse(place, format!("its id {id} is that of a rule in {first}"));
        }
        let fields = demand::fields(&mut rule.detection);
        if let Some(reason) = unheard(&rule, &fields) {
            self.set.partly_usable.push(place.problem(reason));
        }
        let number = self.rules.len();
        let about = about(&rule, &place.file);
        let names = [rule.id.clone(), rule.name.clone(), Some(rule.title.clone())];
        match Compiled::new(rule, number) {
            Err(reason) => self.refuse(place, reason),
            Ok(compiled) => {
                self.groups.entry(heard).or_default().push((number, compiled));
                let rule = Arc::new(about);
                self.rules.push(Loaded { rule, is_silent: false, kept: Vec::new() });
                self.learn(names, number, &place.file);
            }
        }
    }

    /// Learns under which names others refer to a rule; an id goes before a name, and what came first before what
    /// follows.
    fn learn(&mut self, names: [Option<String>; 3], number: usize, file: &str) {
        let [id, name, title] = names;
        if let Some(id) = id {
            self.ids.insert(id.clone(), file.to_owned());
            self.numbers.insert(id, number);
        }
        for name in name.into_iter().chain(title) {
            self.numbers.entry(name).or_insert(number);
        }
    }

    /// The correlations that hold together, by their numbers.
    fn correlations(
        &mut self,
        given: Vec<(Place, CorrelationRule)>,
    ) -> BTreeMap<usize, Correlation> {
        let first = self.rules.len();
        let mut numbered = BTreeMap::new();
        for (number, (place, mut definition)) in (first..).zip(given) {
            if numbered.len() >= MOST_CORRELATIONS {
                self.refuse(&place, format!("more than {MOST_CORRELATIONS} correlation rules"));
                continue;
            }
            let names =
                [definition.id.clone(), definition.name.clone(), Some(definition.title.clone())];
            self.learn(names, number, &place.file);
            definition.custom_attributes.clear();
            numbered.insert(number, (place, definition));
        }
        let mut open: BTreeMap<usize, (Place, Correlation)> = BTreeMap::new();
        for (number, (place, mut definition)) in numbered {
            let rule = Arc::new(about_correlation(&definition, &place.file));
            if let Err(name) = correlation::resolve(&mut definition, &self.numbers) {
                self.refuse(
                    &place,
                    format!("it refers to {name}, which is no rule that is loaded"),
                );
                continue;
            }
            definition.id = Some(number.to_string());
            definition.name = None;
            let correlation = Correlation { rule, definition };
            match correlation.check() {
                Ok(()) => drop(open.insert(number, (place, correlation))),
                Err(reason) => self.refuse(&place, reason),
            }
        }
        self.refuse_dangling(first, &mut open);
        let circular = correlation::circular(&open);
        for number in circular {
            if let Some((place, _)) = open.remove(&number) {
                self.refuse(&place, "it refers to itself through the rules it names");
            }
        }
        let open: BTreeMap<usize, Correlation> =
            open.into_iter().map(|(number, (_, correlation))| (number, correlation)).collect();
        self.keep_for(&open);
        open
    }

    /// A correlation of one that is not loaded could never fire.
    fn refuse_dangling(&mut self, first: usize, open: &mut BTreeMap<usize, (Place, Correlation)>) {
        loop {
            let is_open = |number: usize| number < first || open.contains_key(&number);
            let dangling: Vec<usize> = open
                .iter()
                .filter(|(_, (_, correlation))| !correlation.refers().all(is_open))
                .map(|(number, _)| *number)
                .collect();
            if dangling.is_empty() {
                return;
            }
            for number in dangling {
                if let Some((place, _)) = open.remove(&number) {
                    self.refuse(&place, "it refers to a correlation that is not loaded");
                }
            }
        }
    }

    /// Has rules keep what correlations need, and speak only through them where none wants them heard.
    fn keep_for(&mut self, correlations: &BTreeMap<usize, Correlation>) {
        for (number, kept) in correlation::needs(correlations.values()) {
            let Some(loaded) = self.rules.get_mut(number) else { continue };
            loaded.kept = kept.into_iter().collect();
            let of_rule = |one: &&Correlation| one.refers().any(|referred| referred == number);
            loaded.is_silent =
                !correlations.values().filter(of_rule).any(|one| one.definition.generate);
        }
    }

    fn group(&mut self) -> Vec<(Group, BTreeSet<usize>)> {
        let mut groups = Vec::new();
        for (heard, rules) in std::mem::take(&mut self.groups) {
            let numbers: BTreeSet<usize> = rules.iter().map(|(number, _)| *number).collect();
            let rules = rules.into_iter().map(|(_, compiled)| compiled).collect();
            match Group::new(heard, rules) {
                Ok(group) => groups.push((group, numbers)),
                Err(reason) => {
                    for number in numbers {
                        let Some(loaded) = self.rules.get(number) else { continue };
                        let (file, title) = (loaded.rule.file.clone(), loaded.rule.title.clone());
                        let (title, reason) = (Some(title), reason.clone());
                        self.set.not_loaded.push(RuleProblem { file, line: None, title, reason });
                    }
                }
            }
        }
        groups
    }

    /// Applies a filter to the groups that hold a rule it names.
    fn filter(
        &mut self,
        place: &Place,
        mut filter: FilterRule,
        groups: &mut [(Group, BTreeSet<usize>)],
    ) {
        if let Some(reason) = demand::obstacle(&filter.detection) {
            return self.refuse(place, reason);
        }
        let _names = demand::fields(&mut filter.detection);
        filter.custom_attributes.clear();
        let meant: Option<BTreeSet<usize>> = match &filter.rules {
            FilterRuleTarget::Any => None,
            FilterRuleTarget::Specific(names) => {
                let known = names.iter().map(|name| self.numbers.get(name).copied().ok_or(name));
                match known.collect::<Result<BTreeSet<usize>, _>>() {
                    Ok(numbers) => Some(numbers),
                    Err(name) => {
                        let reason =
                            format!("it refers to {name}, which is no rule that is loaded");
                        return self.refuse(place, reason);
                    }
                }
            }
        };
        if let Some(numbers) = &meant {
            let names = numbers.iter().map(ToString::to_string).collect();
            filter.rules = FilterRuleTarget::Specific(names);
        }
        for (group, numbers) in groups {
            if meant.as_ref().is_some_and(|meant| meant.is_disjoint(numbers)) {
                continue;
            }
            if let Err(reason) = group.filter(&filter) {
                return self.refuse(place, reason);
            }
        }
        self.set.filters = self.set.filters.saturating_add(1);
    }
}

/// Which fields no record, or not every kind of record, of the rule's log source has.
fn unheard(rule: &SigmaRule, fields: &BTreeMap<String, String>) -> Option<String> {
    let category = rule.logsource.category.as_deref()?.to_ascii_lowercase();
    let mut lacks: BTreeMap<Vec<&str>, Vec<String>> = BTreeMap::new();
    for one in records(&category)?.iter().filter(|one| !one.fields.is_empty()) {
        let has = |name: &str| {
            one.fields.contains(&name) || field::ENVELOPE.contains(&name) || name.is_empty()
        };
        let missing: Vec<&str> = fields
            .iter()
            .filter(|(name, _)| !has(name))
            .map(|(_, written)| written.as_str())
            .collect();
        let ids: Vec<String> = one.ids.iter().map(ToString::to_string).collect();
        let channel = one.channel.rsplit('/').nth(1).unwrap_or(one.channel);
        let source = format!("{channel} {}", ids.join(", "));
        lacks.entry(missing).or_default().push(source);
    }
    lacks.retain(|missing, _| !missing.is_empty());
    let say = |(missing, sources): (&Vec<&str>, &Vec<String>)| {
        format!("{} has no {}", sources.join(" and "), missing.join(", "))
    };
    let said: Vec<String> = lacks.iter().map(say).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

fn about(rule: &SigmaRule, file: &str) -> Rule {
    Rule {
        title: rule.title.clone(),
        id: rule.id.clone(),
        author: rule.author.clone(),
        license: rule.license.clone(),
        level: level(rule.level),
        techniques: techniques(&rule.tags),
        file: file.to_owned(),
    }
}

fn about_correlation(rule: &CorrelationRule, file: &str) -> Rule {
    Rule {
        title: rule.title.clone(),
        id: rule.id.clone(),
        author: rule.author.clone(),
        license: rule.license.clone(),
        level: level(rule.level),
        techniques: techniques(&rule.tags),
        file: file.to_owned(),
    }
}

fn level(level: Option<Level>) -> RuleLevel {
    match level {
        None | Some(Level::Informational) => RuleLevel::Informational,
        Some(Level::Low) => RuleLevel::Low,
        Some(Level::Medium) => RuleLevel::Medium,
        Some(Level::High) => RuleLevel::High,
        Some(Level::Critical) => RuleLevel::Critical,
    }
}

/// `attack.t1543.003` is T1543.003.
fn techniques(tags: &[String]) -> Vec<String> {
    let technique = |tag: &String| {
        let tag = tag.to_ascii_uppercase();
        let id = tag.strip_prefix("ATTACK.")?;
        let digits = id.strip_prefix('T')?;
        let is_id = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        (is_id && digits.len() >= 4).then(|| id.to_owned())
    };
    let mut found: Vec<String> = tags.iter().filter_map(technique).collect();
    found.sort();
    found.dedup();
    found
}
