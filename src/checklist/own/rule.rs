//! A rule ready to be asked: selections over one service and its events, and a condition over the selections.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::super::story::clip;
use super::super::{Hit, Need, Scope};
use super::event_field::{self, ROLE};
use super::service_field::{self, Told};
use crate::artifact::sigma::{Condition, Matcher};
use crate::host::{Citation, Origin, State};

/// Citations of one finding.
const MOST_CITED: usize = 5;
/// Fields that its sentence tells.
const FIELDS_TOLD: usize = 3;

/// What a selection is about.
pub(super) enum Selection {
    /// The service.
    Service(Matcher),
    /// One and the same of its events, which these logs would tell.
    Event(Matcher, Vec<Origin>),
}

/// The part of a rule that is executed.
pub(super) struct Detection {
    selections: BTreeMap<String, Selection>,
    condition: Condition,
    /// The selections whose truth speaks for a yes.
    affirmed: BTreeSet<String>,
}

/// A service as a rule sees it: real, or that of an example.
pub(super) trait View {
    /// What is known of a field of the service, by its name in lower case.
    fn tell(&self, field: &str) -> Told;
    /// How many events it has.
    fn events(&self) -> usize;
    /// The values of a field of one of them.
    fn of_event(&self, at: usize, field: &str) -> Vec<String>;
    /// Whether the silence of these logs means that there was no such event.
    fn hears(&self, logs: &[Origin]) -> bool;
}

/// What was found: the selections that hold, with the events that make them.
#[derive(Default)]
struct Found {
    events: BTreeMap<String, Vec<usize>>,
    services: BTreeSet<String>,
}

impl Detection {
    /// A detection over these selections.
    pub(super) fn new(selections: BTreeMap<String, Selection>, condition: Condition) -> Self {
        let affirmed = condition.affirmed();
        Self { selections, condition, affirmed }
    }

    /// Whether it holds for an example; `None` where the example does not tell.
    pub(super) fn holds(&self, view: &dyn View) -> Option<bool> {
        self.find(view).0
    }

    /// A yes about a service, with what it rests on. A yes without a place in the evidence is none.
    pub(super) fn hit(&self, scope: &Scope<'_>, because: &str) -> Option<Hit> {
        let view = Seen { scope: *scope, events: OnceCell::new() };
        let (answer, found) = self.find(&view);
        if answer != Some(true) {
            return None;
        }
        let mut citations: Vec<Citation> = Vec::new();
        let mut told = Vec::new();
        for (name, selection) in &self.selections {
            if !self.affirmed.contains(name) {
                continue;
            }
            match selection {
                Selection::Service(matcher) if found.services.contains(name) => {
                    for field in matcher.fields() {
                        citations.extend(service_field::cite(scope, field));
                        if let Told::Is(values) = view.tell(field) {
                            told.extend(values.first().map(|value| telling(field, value)));
                        }
                    }
                }
                Selection::Event(matcher, _) => {
                    let events = found.events.get(name).map_or(&[] as &[usize], Vec::as_slice);
                    citations.extend(events.iter().filter_map(|at| view.citation(*at)));
                    if let Some(first) = events.first() {
                        told.extend(matcher.fields().iter().filter_map(|field| {
                            Some(telling(field, view.of_event(*first, field).first()?))
                        }));
                    }
                }
                Selection::Service(_) => {}
            }
        }
        citations
            .extend(super::super::subject::name_citation(scope).filter(|_| citations.is_empty()));
        let mut citations = citations.into_iter();
        let mut hit = Hit::new(sentence(because, told), citations.next()?);
        for citation in citations {
            if hit.citations.len() < MOST_CITED {
                hit = hit.and(citation);
            }
        }
        Some(hit)
    }

    fn find(&self, view: &dyn View) -> (Option<bool>, Found) {
        let mut found = Found::default();
        let answer = self.condition.holds(&mut |name| match self.selections.get(name)? {
            Selection::Service(matcher) => {
                let holds = of_service(matcher, view);
                if holds == Some(true) {
                    found.services.insert(name.to_owned());
                }
                holds
            }
            Selection::Event(matcher, logs) => {
                let events = of_events(matcher, view);
                let holds = !events.is_empty();
                found.events.insert(name.to_owned(), events);
                if holds || view.hears(logs) { Some(holds) } else { None }
            }
        });
        (answer, found)
    }

    /// What it needs for a no. A yes needs what its selections rest on, and asks for it itself.
    pub(super) fn needs(&self) -> Vec<Need> {
        let mut needs: Vec<Need> = Vec::new();
        for selection in self.selections.values() {
            let mut asked: Vec<Need> = Vec::new();
            match selection {
                Selection::Service(matcher) => {
                    asked.extend(
                        matcher.fields().iter().filter_map(|name| service_field::need(name)),
                    );
                }
                // Leaked once a rule of the process, like the rule itself.
                Selection::Event(_, logs) => asked.push(Need::AnyPart(Vec::leak(logs.clone()))),
            }
            for need in asked {
                let need = Need::ForNo(Box::leak(Box::new(need)));
                if !needs.contains(&need) {
                    needs.push(need);
                }
            }
        }
        needs
    }
}

/// A selection that asks for what nothing tells is neither true nor false.
fn of_service(matcher: &Matcher, view: &dyn View) -> Option<bool> {
    let mut said: Vec<(&str, String)> = Vec::new();
    for field in matcher.fields() {
        match view.tell(field) {
            Told::Unknown => return None,
            Told::Is(values) => {
                said.extend(values.into_iter().map(|value| (field.as_str(), value)));
            }
        }
    }
    Some(matcher.holds(said.iter().map(|(name, value)| (*name, Cow::Borrowed(value.as_str())))))
}

/// The first events that satisfy a selection, each by itself.
fn of_events(matcher: &Matcher, view: &dyn View) -> Vec<usize> {
    let holds = |at: &usize| {
        let fields = matcher.fields().iter();
        let said = fields.flat_map(|field| {
            let values = view.of_event(*at, field).into_iter();
            values.map(|value| (field.as_str(), Cow::Owned(value)))
        });
        matcher.holds(said)
    };
    (0..view.events()).filter(holds).take(MOST_CITED).collect()
}

fn telling(field: &str, value: &str) -> String {
    format!("{field} \"{}\"", clip(value))
}

fn sentence(because: &str, mut told: Vec<String>) -> String {
    told.dedup();
    let more = told.len().saturating_sub(FIELDS_TOLD);
    told.truncate(FIELDS_TOLD);
    if more > 0 {
        told.push(format!("{more} more"));
    }
    let because = because.trim_end_matches('.');
    if told.is_empty() { format!("{because}.") } else { format!("{because}: {}.", told.join(", ")) }
}

/// A service of the evidence.
struct Seen<'a> {
    scope: Scope<'a>,
    /// Its events, each once, with what they are to it.
    events: OnceCell<Vec<(usize, Vec<&'static str>)>>,
}

impl Seen<'_> {
    fn linked(&self) -> &[(usize, Vec<&'static str>)] {
        self.events.get_or_init(|| {
            let mut roles: BTreeMap<usize, Vec<&'static str>> = BTreeMap::new();
            let mut order: Vec<usize> = Vec::new();
            for link in &self.scope.service.links {
                let known = roles.entry(link.event).or_default();
                if known.is_empty() {
                    order.push(link.event);
                }
                known.push(event_field::word(link.role));
            }
            let one = |event| Some((event, roles.remove(&event)?));
            order.into_iter().filter_map(one).collect()
        })
    }

    fn citation(&self, at: usize) -> Option<Citation> {
        let (event, _) = self.linked().get(at)?;
        Some(self.scope.host.events.get(*event)?.citation.clone())
    }
}

impl View for Seen<'_> {
    fn tell(&self, field: &str) -> Told {
        service_field::tell(&self.scope, field)
    }

    fn events(&self) -> usize {
        self.linked().len()
    }

    fn of_event(&self, at: usize, field: &str) -> Vec<String> {
        let Some((event, roles)) = self.linked().get(at) else { return Vec::new() };
        if field == ROLE {
            return roles.iter().map(|role| (*role).to_owned()).collect();
        }
        let event = self.scope.host.events.get(*event);
        let value =
            event.zip(event_field::find(field)).and_then(|(event, field)| (field.tell)(event));
        value.into_iter().collect()
    }

    fn hears(&self, logs: &[Origin]) -> bool {
        logs.iter().any(|log| self.scope.host.coverage.state(*log) == State::Complete)
    }
}
