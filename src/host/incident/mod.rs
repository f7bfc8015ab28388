//! Acts that belong together beyond one service: what one actor did to several services, what services.exe ran for no
//! service known, logs cleared in a row, acts on other hosts, hits of rules that concern no service.
//!
//! An incident is one thing to read, with one sentence and its records. How bad it is by itself is a [`Gravity`];
//! the verdict also rests on its services and is the business of `rank`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::citation::Citation;
use super::event::Subject;
use super::{Event, Host};

mod cleared;
mod intercepted;
mod outbound;
mod rules;
mod service_acts;
mod stray;

/// Acts within this time of the first one are one incident.
const TOGETHER: SignedDuration = SignedDuration::from_mins(10);
/// Citations of an incident; the first ones where there are more.
const CITATIONS: usize = 12;

/// What holds an incident together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentKind {
    /// Services made, changed or deleted by one actor and session, or from one address, within ten minutes.
    #[serde(alias = "install_burst")]
    ServiceActs,
    /// Shells, script hosts and programs in the place of others that services.exe started and no service of the evidence names.
    StrayProcess,
    /// Logs cleared by one actor in quick succession.
    LogsCleared,
    /// Services of one other host created, changed or used from this one by one means.
    Outbound,
    /// Hits of one Sigma rule that concern no service of this host.
    RuleHits,
}

/// How bad an incident is by itself, whatever its services are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gravity {
    /// As bad as its services.
    Theirs,
    /// Worth a note.
    Unusual,
    /// Somebody should look at it.
    Suspicious,
    /// Somebody should act on it.
    Severe,
}

/// Acts that belong together beyond one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// What holds it together.
    pub kind: IncidentKind,
    /// How bad it is by itself.
    pub gravity: Gravity,
    /// The first act.
    pub from: Timestamp,
    /// The last act.
    pub to: Timestamp,
    /// Who, where the logs agree on one.
    pub actor: Option<Subject>,
    /// The address the actor's session came from, where a logon tells.
    pub address: Option<String>,
    /// How many acts.
    pub count: usize,
    /// The services concerned, by the names the host lists them under, sorted.
    pub services: Vec<String>,
    /// What happened, in one sentence without a full stop.
    pub sentence: String,
    /// Where to look, in order of time; the first ones where there are many. Never empty.
    pub citations: Vec<Citation>,
}

/// Every incident of a host whose services, rule hits and acts elsewhere are in place; in order of time.
pub(super) fn incidents(host: &Host) -> Vec<Incident> {
    let mut incidents = service_acts::incidents(host);
    incidents.extend(stray::incidents(host));
    incidents.extend(intercepted::incidents(host));
    incidents.extend(cleared::incidents(host));
    incidents.extend(outbound::incidents(host));
    incidents.extend(rules::incidents(host));
    incidents.sort_by(|left, right| {
        (left.from, left.kind, &left.sentence).cmp(&(right.from, right.kind, &right.sentence))
    });
    incidents
}

/// `CORP\anna (S-1-5-21-…)`, or what of it is known.
fn who(subject: &Subject) -> String {
    match (&subject.name, &subject.sid) {
        (Some(name), Some(sid)) if name != sid => format!("{name} ({sid})"),
        (Some(one), _) | (None, Some(one)) => one.clone(),
        (None, None) => "an account the logs do not name".to_owned(),
    }
}

/// The account that all of these name; absent where they differ or say nothing. Sessions are kept where they agree.
fn agreed<'a>(subjects: impl Iterator<Item = &'a Subject>) -> Option<Subject> {
    let mut agreed: Option<Subject> = None;
    for subject in subjects.filter(|one| one.sid.is_some() || one.name.is_some()) {
        let Some(known) = &mut agreed else {
            agreed = Some(subject.clone());
            continue;
        };
        let same = match (&known.sid, &subject.sid) {
            (Some(left), Some(right)) => left == right,
            _ => known.name == subject.name,
        };
        if !same {
            return None;
        }
        if known.logon_id != subject.logon_id {
            known.logon_id = None;
        }
        known.name = known.name.take().or_else(|| subject.name.clone());
    }
    agreed
}

/// Events of one key, in order of time, cut where one is later than [`TOGETHER`] after the first of its group.
fn groups<K: Ord>(host: &Host, key: impl Fn(&Event) -> Option<K>) -> BTreeMap<K, Vec<Vec<usize>>> {
    let mut groups: BTreeMap<K, Vec<Vec<usize>>> = BTreeMap::new();
    for (at, event) in host.events.iter().enumerate() {
        let Some(key) = key(event) else { continue };
        let of_key = groups.entry(key).or_default();
        let open = of_key.last_mut().filter(|group| {
            let first = group.first().and_then(|first| host.events.get(*first));
            first.is_some_and(|first| event.time.duration_since(first.time) <= TOGETHER)
        });
        match open {
            Some(group) => group.push(at),
            None => of_key.push(vec![at]),
        }
    }
    groups
}

/// The first citations, without repetition.
fn cited(citations: impl IntoIterator<Item = Citation>) -> Vec<Citation> {
    let mut seen = BTreeSet::new();
    citations.into_iter().filter(|one| seen.insert(one.clone())).take(CITATIONS).collect()
}

/// `1 service`, `2 services`.
fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A quoted piece of evidence short enough for a sentence.
fn quote(text: &str) -> String {
    const LONGEST: usize = 120;
    let text = text.trim();
    let mut short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() {
        short.push('\u{2026}');
    }
    format!("`{short}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(sid: &str, name: Option<&str>, logon_id: u64) -> Subject {
        let name = name.map(str::to_owned);
        Subject { sid: Some(sid.to_owned()), name, logon_id: Some(logon_id) }
    }

    #[test]
    fn accounts_agree_or_there_is_none() {
        let one = subject("S-1-5-21-1-1001", None, 5);
        let same = subject("S-1-5-21-1-1001", Some("anna"), 6);
        let other = subject("S-1-5-21-1-1002", None, 5);
        let agreed_one = agreed([&one, &same].into_iter()).unwrap();
        assert_eq!((agreed_one.name.as_deref(), agreed_one.logon_id), (Some("anna"), None));
        assert_eq!(agreed([&one, &other].into_iter()), None);
        assert_eq!(agreed([&Subject::default(), &one].into_iter()), Some(one));
        assert_eq!(agreed(std::iter::empty()), None);
    }

    #[test]
    fn somebody_is_named_as_far_as_known() {
        assert_eq!(who(&subject("S-1-5-18", Some("SYSTEM"), 1)), "SYSTEM (S-1-5-18)");
        assert_eq!(who(&subject("S-1-5-18", None, 1)), "S-1-5-18");
        assert_eq!(who(&Subject::default()), "an account the logs do not name");
    }

    #[test]
    fn a_long_command_is_cut() {
        assert_eq!(quote(" a b "), "`a b`");
        assert_eq!(quote(&"ä".repeat(500)).chars().count(), 123);
    }
}
