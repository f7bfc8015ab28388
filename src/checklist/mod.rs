//! The questions: indicators over one service of one host, answered yes, no or unknown.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::host::config::ServiceConfig;
use crate::host::coverage::{Origin, State};
use crate::host::program_file::{FileState, Purpose, SignatureStatus};
use crate::host::{Citation, Event, Host, ProgramFile, Role, Service};
use crate::text;

mod access;
mod account;
mod activity;
mod basis;
mod change;
mod command;
mod defense;
mod deviation;
mod driver;
mod failure;
mod file;
mod given;
mod known_bad;
mod known_good;
mod library;
mod location;
mod name;
mod overview;
pub mod own;
mod place;
mod program;
mod rules;
mod staging;
mod story;
mod subject;
mod ticket;
mod trust;

pub mod baseline;
pub mod knowledge;
pub mod policy;
pub mod scene;
pub mod suppression;

pub use baseline::Baseline;
pub use given::Given;
use knowledge::stock::Catalog;
pub use overview::{Memory, Overview};
pub use policy::Policy;
pub use scene::Scene;
pub use suppression::Suppression;

/// Which part of the score an indicator belongs to: terms of one family decay, families add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Family {
    /// Question 1: what was created.
    Q1,
    /// Question 2: what it runs.
    Q2,
    /// Question 3: who created or changed it, when, with which ticket.
    Q3,
    /// Question 4: which account, with which rights.
    Q4,
    /// Question 5: did it start, and what followed.
    Q5,
    /// Defence impairment and access rules.
    D,
    /// Failure command.
    F,
    /// Sigma rules that the analyst gave.
    R,
    /// Known bad: names, hashes and shapes of tools.
    K,
    /// Baseline and trust: negative terms.
    B,
}

/// One of the five questions of the L1 checklist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// 1: what service was created?
    What,
    /// 2: what does it run?
    Runs,
    /// 3: who created or changed it, when, and is there a change ticket?
    WhoWhen,
    /// 4: which account does it run as, with which rights?
    Account,
    /// 5: did it start, and what followed?
    Started,
}

/// An ATT&CK technique in both numberings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Technique {
    /// The id up to ATT&CK v18, `T1562.001`.
    pub v18: &'static str,
    /// The id from v19 on, `T1685`; the same where v19 kept it.
    pub v19: &'static str,
}

/// A technique whose id v19 kept.
pub const fn technique(id: &'static str) -> Technique {
    Technique { v18: id, v19: id }
}

/// A technique that v19 renumbered.
pub const fn renumbered(v18: &'static str, v19: &'static str) -> Technique {
    Technique { v18, v19 }
}

/// What an answer rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Any part of that origin: a presence is enough for a yes.
    Part(Origin),
    /// All of that origin: an absence is part of the reasoning.
    Whole(Origin),
    /// Any part of at least one of these.
    AnyPart(&'static [Origin]),
    /// Any part of at least one of these logs, where the host was set up to record that event in it.
    AnyEvent(&'static [(Origin, u16)]),
    /// The log at the time at which the service's key was last written: its beginning, gaps and clearings matter.
    WhenWritten(Origin),
    /// Whether the service's files are there: the evidence holds the places they should be in.
    Files,
    /// The bytes of the service's files.
    FileContents,
    /// Who vouches for the service's files.
    Signatures,
    /// The bytes of the service's files, or any part of a log that gives their hashes: enough for a yes.
    FileContentsOr(Origin),
    /// Whether libraries that the service asks for in vain are there after all, and then who vouches for them.
    Phantoms,
    /// That, for a no; a yes may rest on something else.
    ForNo(&'static Self),
    /// Lists of that origin, and the bytes of the service's files.
    Listed(Origin),
}

impl Need {
    /// The origins it is about.
    pub fn origins(&self) -> Vec<Origin> {
        match self {
            Self::Part(origin) | Self::Whole(origin) | Self::WhenWritten(origin) => vec![*origin],
            Self::AnyPart(origins) => origins.to_vec(),
            Self::AnyEvent(events) => events.iter().map(|(origin, _)| *origin).collect(),
            Self::Files | Self::FileContents => vec![Origin::FileSystem],
            Self::Signatures => vec![Origin::Catalogs],
            Self::FileContentsOr(origin) | Self::Listed(origin) => {
                vec![Origin::FileSystem, *origin]
            }
            Self::ForNo(need) => need.origins(),
            Self::Phantoms => vec![Origin::FileSystem, Origin::Catalogs],
        }
    }
}

/// A yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// One sentence for the analyst, with the value it is about.
    pub because: String,
    /// Where to look. Never empty.
    pub citations: Vec<Citation>,
    /// Decibans where they differ from the indicator's weight: for indicators with grades.
    pub decibans: Option<i16>,
}

impl Hit {
    /// A yes with one witness.
    pub fn new(because: impl Into<String>, citation: Citation) -> Self {
        Self { because: because.into(), citations: vec![citation], decibans: None }
    }

    /// A further witness.
    #[must_use]
    pub fn and(mut self, citation: Citation) -> Self {
        if !self.citations.contains(&citation) {
            self.citations.push(citation);
        }
        self
    }

    /// Another grade than the indicator's weight.
    #[must_use]
    pub fn weighing(mut self, decibans: i16) -> Self {
        self.decibans = Some(decibans);
        self
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lack {
    /// Whose silence it is.
    pub origin: Origin,
    /// In which state that origin is.
    pub state: State,
}

/// An answer to an indicator's question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Yes, and why.
    Yes(Hit),
    /// No: everything needed for a no was read.
    No,
    /// The evidence cannot tell.
    Unknown(Lack),
}

/// What an example of an indicator must answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// [`Answer::Yes`].
    Yes,
    /// [`Answer::No`].
    No,
    /// [`Answer::Unknown`].
    Unknown,
}

/// A worked example: executed as a test, shown by `explain`.
#[derive(Clone, Copy)]
pub struct Example {
    /// The situation in a few words.
    pub title: &'static str,
    /// The situation as evidence.
    pub given: fn() -> Scene,
    /// What the indicator must say.
    pub answer: Expected,
}

/// A question about a service whose "yes" is suspicious (or, in family B, reassuring).
#[derive(Clone, Copy)]
pub struct Indicator {
    /// `P01`: never reused.
    pub id: &'static str,
    /// Which part of the score.
    pub family: Family,
    /// Which question of the checklist it helps to answer.
    pub checklist: Question,
    /// The question, ending in `?`.
    pub question: &'static str,
    /// Why a yes matters.
    pub why: &'static str,
    /// How a yes can be innocent.
    pub innocent: &'static str,
    /// How to check by hand: commands or places, one each.
    pub verify: &'static [&'static str],
    /// Techniques of ATT&CK.
    pub attack: &'static [Technique],
    /// Decibans of a yes; negative for counter-evidence.
    pub weight: i16,
    /// A yes keeps the score at or above [`crate::rank::HARD_FLOOR`], whatever speaks against it.
    pub hard: bool,
    /// What the answer rests on.
    pub needs: &'static [Need],
    /// Where the rule comes from: documents, measurements.
    pub sources: &'static [&'static str],
    /// The version that introduced it.
    pub since: &'static str,
    /// The check itself: a closure without state for those of the checklist, one with its rule for the analyst's own.
    pub check: &'static (dyn Fn(&Scope<'_>) -> Option<Hit> + Sync),
    /// At least one yes, one no, and one unknown where it needs more than the SYSTEM hive.
    pub examples: &'static [Example],
}

/// What a check may look at.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// The host.
    pub host: &'a Host,
    /// The service in question.
    pub service: &'a Service,
    /// What the analyst gave.
    pub given: &'a Given,
    /// What was worked out of the whole host.
    pub overview: &'a Overview<'a>,
    /// What was worked out of the service so far.
    pub memory: &'a Memory,
}

impl<'a> Scope<'a> {
    /// What the analyst says is approved, where he says so.
    pub fn policy(&self) -> Option<&'a Policy> {
        self.given.policy.as_ref()
    }

    /// What is known of the services of Windows.
    pub fn windows(&self) -> &'a Catalog {
        self.given.windows.as_deref().unwrap_or_else(|| Catalog::shipped())
    }

    /// Which services the analyst says are ordinary, where he says so.
    pub fn baseline(&self) -> Option<&'a Baseline> {
        self.given.baseline.as_deref()
    }

    /// The current configuration, where the hive has one.
    pub fn config(&self) -> Option<&'a ServiceConfig> {
        self.service.config.as_ref()
    }

    /// The service's files and what it needs each for, in order. A library that it asks for in vain is not one of them.
    pub fn files(&self) -> impl Iterator<Item = (&'a Purpose, &'a ProgramFile)> + use<'a> {
        let files = &self.host.files;
        let links = self.service.files.iter();
        links.filter_map(|link| Some((&link.purpose, files.get(link.file)?))).filter(
            |(purpose, file)| {
                !matches!(purpose, Purpose::Phantom(_)) || file.state == FileState::Present
            },
        )
    }

    /// The file that it needs for that, where it was looked for.
    pub fn file(&self, purpose: &Purpose) -> Option<&'a ProgramFile> {
        self.files().find(|(one, _)| *one == purpose).map(|(_, file)| file)
    }

    /// The libraries that it asks for in vain, whether they are there or not.
    pub fn phantoms(&self) -> impl Iterator<Item = &'a ProgramFile> + use<'a> {
        let files = &self.host.files;
        let links = self.service.files.iter();
        links
            .filter(|link| matches!(link.purpose, Purpose::Phantom(_)))
            .filter_map(|link| files.get(link.file))
    }

    /// The service's events of one role, in order of time.
    pub fn events(&self, role: Role) -> impl Iterator<Item = &'a Event> + use<'a> {
        self.service.events(role, &self.host.events)
    }

    /// Times at which it was installed, per the logs.
    pub fn install_times(&self) -> impl Iterator<Item = Timestamp> + use<'a> {
        self.events(Role::Install).map(|event| event.time)
    }
}

/// Every indicator, in the order of the checklist.
pub const CHECKLIST: &[&[Indicator]] = &[
    name::INDICATORS,
    location::INDICATORS,
    command::INDICATORS,
    library::INDICATORS,
    driver::INDICATORS,
    file::INDICATORS,
    known_bad::INDICATORS,
    failure::INDICATORS,
    change::INDICATORS,
    account::INDICATORS,
    access::INDICATORS,
    defense::INDICATORS,
    activity::INDICATORS,
    deviation::INDICATORS,
    rules::INDICATORS,
    trust::INDICATORS,
];

/// All indicators in order.
pub fn indicators() -> impl Iterator<Item = &'static Indicator> {
    CHECKLIST.iter().flat_map(|family| family.iter())
}

/// The indicator of that id, without case.
pub fn indicator(id: &str) -> Option<&'static Indicator> {
    indicators().find(|indicator| indicator.id.eq_ignore_ascii_case(id))
}

/// The indicator of that id among `known`, without case.
///
/// # Errors
/// A sentence that names the id that may be meant.
pub fn lookup(id: &str, known: &[&'static Indicator]) -> Result<&'static Indicator, String> {
    let id = id.trim();
    if let Some(found) = known.iter().find(|one| one.id.eq_ignore_ascii_case(id)) {
        return Ok(found);
    }
    let nearest = known.iter().map(|one| (text::edits(&id.to_uppercase(), one.id), one.id)).min();
    let meant = match nearest {
        // Ids are short: at two differences from one of three characters nothing is left of it.
        Some((edits, like)) if edits.saturating_mul(3) <= like.len() => {
            format!("; did you mean {like}?")
        }
        _ => String::new(),
    };
    Err(format!("no indicator is called {id}{meant} (`svctriage checklist` lists them)"))
}

/// What nobody misses who did not give it.
const ON_REQUEST: [Origin; 6] = [
    Origin::Baseline,
    Origin::SigmaRules,
    Origin::KnownDestinations,
    Origin::KnownBad,
    Origin::KnownGood,
    Origin::YaraRules,
];

/// One indicator's answer about one service.
#[derive(Clone)]
pub struct Answered {
    /// The indicator.
    pub indicator: &'static Indicator,
    /// Its answer.
    pub answer: Answer,
}

/// The indicators that are asked about each service of a host: all but those ignored.
pub fn asked(host: &Host, given: &Given, ignored: &BTreeSet<String>) -> Vec<&'static Indicator> {
    let is_given = |origin| host.coverage.span(origin).is_some();
    indicators()
        .chain(given.own.iter().copied())
        .filter(|indicator| !ignored.contains(indicator.id))
        // Whoever gives no rules and no list has asked nothing that could stay open.
        .filter(|indicator| {
            let mut origins = indicator.needs.iter().flat_map(Need::origins);
            origins.all(|origin| !ON_REQUEST.contains(&origin) || is_given(origin))
        })
        .collect()
}

/// Asks these indicators about one service.
pub fn ask(scope: &Scope<'_>, asked: &[&'static Indicator]) -> Vec<Answered> {
    let answered =
        |indicator: &&'static Indicator| Answered { indicator, answer: indicator.answer(scope) };
    asked.iter().map(answered).collect()
}

/// The indicators that have something to say about a key that is no service.
const OF_STORES: [&str; 4] = ["P30", "P35", "K01", "K02"];

/// Asks about a configuration key what can be asked of one: which files it makes Windows load. All else
/// (its account, its description, its start) a key without `Type` does not have.
pub fn ask_of_store(scope: &Scope<'_>, ignored: &BTreeSet<String>) -> Vec<Answered> {
    indicators()
        .filter(|indicator| OF_STORES.contains(&indicator.id) && !ignored.contains(indicator.id))
        .map(|indicator| Answered { indicator, answer: indicator.answer(scope) })
        .collect()
}

impl Indicator {
    /// Answers for one service. **A yes needs one witness, a no needs them all**: this is the only place
    /// that turns missing evidence into "unknown".
    pub fn answer(&self, scope: &Scope<'_>) -> Answer {
        let coverage = &scope.host.coverage;
        let mut lack = None;
        for need in self.needs {
            match unmet(*need, coverage, scope) {
                Unmet::Nothing => {}
                Unmet::ForNo(missing) => lack = lack.or(Some(missing)),
                Unmet::ForAny(missing) => return Answer::Unknown(missing),
            }
        }
        match (self.check)(scope) {
            Some(hit) => Answer::Yes(hit),
            None => lack.map_or(Answer::No, Answer::Unknown),
        }
    }
}

fn unmet(need: Need, coverage: &crate::host::Coverage, scope: &Scope<'_>) -> Unmet {
    let one = |origin| (Lack { origin, state: coverage.state(origin) }, coverage.state(origin));
    match need {
        Need::Part(origin) => match one(origin) {
            (_, State::Complete) => Unmet::Nothing,
            (lack, State::Partial) => Unmet::ForNo(lack),
            (lack, State::Lost | State::Absent) => Unmet::ForAny(lack),
        },
        Need::Whole(origin) => match one(origin) {
            (_, State::Complete) => Unmet::Nothing,
            (lack, _) => Unmet::ForAny(lack),
        },
        Need::AnyPart(origins) => any(origins.iter().map(|origin| one(*origin))),
        // An event that is not recorded any more may have been recorded before: enough for a yes.
        Need::AnyEvent(events) => any(events.iter().map(|(origin, event_id)| {
            let (lack, state) = one(*origin);
            if state == State::Complete && coverage.is_unrecorded(*origin, *event_id) {
                (Lack { state: State::Partial, ..lack }, State::Partial)
            } else {
                (lack, state)
            }
        })),
        Need::WhenWritten(origin) => {
            let written = scope.config().and_then(|config| config.last_write);
            match written {
                Some(time) if !coverage.reaches_back_to(origin, time) => {
                    Unmet::ForNo(one(origin).0)
                }
                _ => Unmet::Nothing,
            }
        }
        Need::Files => of_files(Origin::FileSystem, scope, |file| {
            matches!(file.state, FileState::Present | FileState::Missing)
        }),
        Need::FileContents => of_files(Origin::FileSystem, scope, |file| file.content.is_some()),
        Need::Signatures => of_files(Origin::Catalogs, scope, |file| {
            file.signature.status != SignatureStatus::Unknown
        }),
        Need::FileContentsOr(log) => {
            match (unmet(Need::FileContents, coverage, scope), coverage.state(log)) {
                (Unmet::ForAny(lack), State::Complete | State::Partial) => Unmet::ForNo(lack),
                (of_files, _) => of_files,
            }
        }
        Need::Listed(lists) => match unmet(Need::Part(lists), coverage, scope) {
            Unmet::Nothing => unmet(Need::FileContents, coverage, scope),
            Unmet::ForNo(lack) => match unmet(Need::FileContents, coverage, scope) {
                Unmet::ForAny(lack) => Unmet::ForAny(lack),
                _ => Unmet::ForNo(lack),
            },
            for_any @ Unmet::ForAny(_) => for_any,
        },
        Need::ForNo(need) => match unmet(*need, coverage, scope) {
            Unmet::ForAny(lack) => Unmet::ForNo(lack),
            other => other,
        },
        Need::Phantoms => of_phantoms(coverage, scope),
    }
}

/// What is missing where files are asked: something of each for a no, of one for a yes.
fn of_files(origin: Origin, scope: &Scope<'_>, is_known: impl Fn(&ProgramFile) -> bool) -> Unmet {
    let files = scope.files().map(|(_, file)| file);
    let (known, unknown): (Vec<_>, Vec<_>) = files.partition(|file| is_known(file));
    let lack = |worst| {
        let state = scope.host.coverage.state(origin);
        Lack { origin, state: if state == State::Complete { worst } else { state } }
    };
    match (known.is_empty(), unknown.is_empty()) {
        (true, _) => Unmet::ForAny(lack(State::Absent)),
        (false, false) => Unmet::ForNo(lack(State::Partial)),
        (false, true) => Unmet::Nothing,
    }
}

/// What is missing where libraries are asked that should not be there.
fn of_phantoms(coverage: &crate::host::Coverage, scope: &Scope<'_>) -> Unmet {
    let lack = |origin, worst| {
        let state = coverage.state(origin);
        Lack { origin, state: if state == State::Complete { worst } else { state } }
    };
    if matches!(coverage.state(Origin::FileSystem), State::Absent | State::Lost) {
        return Unmet::ForAny(lack(Origin::FileSystem, State::Absent));
    }
    for file in scope.phantoms() {
        match file.state {
            FileState::Missing => {}
            FileState::Present if file.signature.status != SignatureStatus::Unknown => {}
            FileState::Present => return Unmet::ForNo(lack(Origin::Catalogs, State::Partial)),
            _ => return Unmet::ForNo(lack(Origin::FileSystem, State::Partial)),
        }
    }
    Unmet::Nothing
}

/// What is missing where one of several is enough.
fn any(found: impl Iterator<Item = (Lack, State)>) -> Unmet {
    let mut worst = None;
    for one in found {
        match one {
            (_, State::Complete) => return Unmet::Nothing,
            (lack, State::Partial) => worst = Some(Unmet::ForNo(lack)),
            (lack, _) => worst = worst.or(Some(Unmet::ForAny(lack))),
        }
    }
    worst.unwrap_or(Unmet::Nothing)
}

enum Unmet {
    Nothing,
    ForNo(Lack),
    ForAny(Lack),
}
