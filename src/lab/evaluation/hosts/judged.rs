//! One host as the tool judges it: every service with its yeses, small enough to be ordered in several ways.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;

use super::super::plants::Plant;
use crate::checklist::{Family, Hit, Indicator};
use crate::host::{Host, ImagePath, Role, Service};
use crate::rank::{self, Finding, Precedence, Ranked, Sum, Verdict};
use crate::text::fold;

/// Indicators that know a tool: by the name of its service or file, its hash, its pipe, its port, or the shape of what it
/// makes up. Where a family of tools is held out they say nothing about its services.
pub const KNOW_TOOLS: &[&str] =
    &["N01", "N02", "P28", "P29", "P32", "P34", "K01", "K02", "E07", "E27", "M01", "V17"];

/// Grades of indicators that know a tool only then: P23, where what it finds has the name of a tunnel.
const KNOW_TOOLS_THEN: &[(&str, i16)] = &[("P23", 15), ("P23", 25), ("P23", 31)];

/// One service of a host.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// Its name.
    pub(super) name: String,
    /// Which of the plant's services it is.
    pub(super) planted: Option<usize>,
    /// The indicators that say yes, with their weights.
    yes: Vec<Yes>,
    /// The same where what was measured on the host's own Windows is not known.
    masked: Option<Vec<Yes>>,
    /// When its key was last written, else installed by the logs.
    written: Option<Timestamp>,
    /// Whether its program lies outside Windows and Program Files.
    is_outside: bool,
}

/// An indicator that says yes.
#[derive(Clone, Copy)]
pub(super) struct Yes {
    pub(super) indicator: &'static Indicator,
    pub(super) weight: i16,
}

impl Yes {
    fn knows_tools(self) -> bool {
        let Indicator { id, family, .. } = *self.indicator;
        family == Family::K
            || KNOW_TOOLS.contains(&id)
            || KNOW_TOOLS_THEN.contains(&(id, self.weight))
    }
}

impl std::fmt::Debug for Yes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.indicator.id, self.weight)
    }
}

/// A way to order the services of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum View {
    /// As the tool does.
    Shipped,
    /// What knows tools says nothing about the planted services.
    NewTool,
    /// What was measured on the host's own Windows is not known.
    NewWindows,
    /// Both.
    NewBoth,
    /// Without a family of indicators.
    Without(Family),
    /// The newest last write first.
    Newest,
    /// What runs outside Windows and Program Files first, the newest of them first.
    Outside,
    /// Whatever has any finding first, the newest of them first.
    AnyFinding,
}

/// The families of indicators that are left out one by one.
pub const ABLATED: [Family; 9] = [
    Family::Q1,
    Family::Q2,
    Family::Q3,
    Family::Q4,
    Family::Q5,
    Family::D,
    Family::F,
    Family::K,
    Family::B,
];

impl View {
    /// The word of tables.
    pub fn label(self) -> String {
        match self {
            Self::Shipped => "shipped".to_owned(),
            Self::NewTool => "new_tool".to_owned(),
            Self::NewWindows => "new_windows".to_owned(),
            Self::NewBoth => "new_both".to_owned(),
            Self::Without(family) => format!("without_{family:?}"),
            Self::Newest => "newest".to_owned(),
            Self::Outside => "outside".to_owned(),
            Self::AnyFinding => "any_finding".to_owned(),
        }
    }

    /// Every way.
    pub fn all() -> impl Iterator<Item = View> {
        let first = [Self::Shipped, Self::NewTool, Self::NewWindows, Self::NewBoth];
        let simple = [Self::Newest, Self::Outside, Self::AnyFinding];
        first.into_iter().chain(ABLATED.map(Self::Without)).chain(simple)
    }

    fn counts(self, row: &Row, yes: Yes) -> bool {
        match self {
            Self::NewTool | Self::NewBoth => row.planted.is_none() || !yes.knows_tools(),
            Self::Without(family) => yes.indicator.family != family,
            _ => true,
        }
    }

    fn is_masked(self) -> bool {
        matches!(self, Self::NewWindows | Self::NewBoth)
    }
}

impl Row {
    /// The yeses that count in that view.
    pub(super) fn yes(&self, view: View) -> impl Iterator<Item = Yes> {
        let masked = self.masked.as_ref().filter(|_| view.is_masked());
        let yes = masked.unwrap_or(&self.yes).iter().copied();
        yes.filter(move |yes| view.counts(self, *yes))
    }

    /// What they come to.
    pub(super) fn sum(&self, view: View, weight: &dyn Fn(Yes) -> i16) -> Sum {
        Sum::of(self.yes(view).map(|yes| {
            let hit = Hit { because: String::new(), citations: Vec::new(), decibans: None };
            let weight = i32::from(weight(yes));
            Finding { indicator: yes.indicator, hit, weight, contribution: weight }
        }))
    }
}

/// The rows of a host.
pub(super) fn rows(
    host: &Host,
    ranked: &[Ranked<'_>],
    masked: Option<&[Ranked<'_>]>,
    attack: Option<&Plant>,
) -> Vec<Row> {
    let yes = |one: &Ranked<'_>| -> Vec<Yes> {
        let all = one.findings.iter().chain(&one.against);
        let weight = |finding: &Finding| i16::try_from(finding.weight).unwrap_or(i16::MAX);
        all.map(|one| Yes { indicator: one.indicator, weight: weight(one) }).collect()
    };
    let by_name: BTreeMap<&str, &Ranked<'_>> =
        masked.unwrap_or_default().iter().map(|one| (one.service.name.as_str(), one)).collect();
    ranked
        .iter()
        .map(|one| Row {
            name: one.service.name.clone(),
            planted: attack.and_then(|plant| planted(one.service, plant)),
            yes: yes(one),
            masked: by_name.get(one.service.name.as_str()).map(|one| yes(one)),
            written: written(host, one.service),
            is_outside: is_outside(one.service),
        })
        .collect()
}

/// Which of a plant's services it is, by key or display name.
fn planted(service: &Service, plant: &Plant) -> Option<usize> {
    let names = [Some(service.name.as_str()), service.display_name.as_deref()];
    let names: Vec<String> = names.into_iter().flatten().map(fold).collect();
    plant.services.iter().position(|wanted| names.contains(&fold(wanted)))
}

fn written(host: &Host, service: &Service) -> Option<Timestamp> {
    let key = service.config.as_ref().and_then(|config| config.last_write);
    key.or_else(|| service.events(Role::Install, &host.events).map(|event| event.time).max())
}

fn is_outside(service: &Service) -> bool {
    let is_foreign = |path: &ImagePath| {
        let path = path.normalized.as_str();
        path.contains(r":\")
            && ![r"c:\windows\", r"c:\program files\", r"c:\program files (x86)\"]
                .iter()
                .any(|usual| path.starts_with(usual))
    };
    [&service.image, &service.dll].into_iter().flatten().any(is_foreign)
}

/// What an order makes of a host.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The place of each planted service, from 1, in the plant's order.
    pub places: Vec<Option<usize>>,
    /// Score and verdict of each; absent in orders without scores.
    pub scores: Vec<Option<(i32, Verdict)>>,
    /// Other services at `review`.
    pub review: usize,
    /// Other services at `escalate`.
    pub escalate: usize,
}

/// A service that matters to whoever reads the evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Its name.
    pub name: String,
    /// What it is planted as.
    pub planted: Option<usize>,
    /// Decibans.
    pub score: i32,
    /// What to do.
    pub verdict: Verdict,
    /// Its findings, heaviest first, then what speaks for it.
    pub findings: Vec<&'static str>,
}

/// The outcome of a way to order, with `plants` planted services.
pub(super) fn outcome(rows: &[Row], plants: usize, view: View, shipped: &[Standing]) -> Outcome {
    match view {
        View::Newest => simple(rows, plants, &|_| false),
        View::Outside => simple(rows, plants, &|row| row.is_outside),
        View::AnyFinding => simple(rows, plants, &|row| row.yes.iter().any(|yes| yes.weight > 0)),
        _ => viewed(rows, plants, view, shipped),
    }
}

/// Where a row stands in an order by scores.
#[derive(Clone)]
pub(super) struct Standing {
    key: Precedence,
    score: i32,
    verdict: Verdict,
}

impl Standing {
    fn of(row: &Row, view: View, weight: &dyn Fn(Yes) -> i16) -> Self {
        let sum = row.sum(view, weight);
        let key = rank::precedence(&row.name, sum.score, sum.verdict, &sum.findings);
        Self { key, score: sum.score, verdict: sum.verdict }
    }

    /// As the tool ships.
    pub(super) fn shipped(row: &Row) -> Self {
        Self::of(row, View::Shipped, &|yes| yes.weight)
    }
}

/// By scores, with such weights.
pub(super) fn weighed(
    rows: &[Row],
    plants: usize,
    view: View,
    weight: &dyn Fn(Yes) -> i16,
) -> Outcome {
    let standings: Vec<Standing> = rows.iter().map(|row| Standing::of(row, view, weight)).collect();
    standing(rows, plants, standings.iter())
}

/// By scores; what a view does not change stands as shipped.
fn viewed(rows: &[Row], plants: usize, view: View, shipped: &[Standing]) -> Outcome {
    let standings = rows.iter().zip(shipped).map(|(row, shipped)| {
        let differs = view != View::Shipped
            && (view.is_masked() || row.yes.iter().any(|yes| !view.counts(row, *yes)));
        if differs {
            Cow::Owned(Standing::of(row, view, &|yes| yes.weight))
        } else {
            Cow::Borrowed(shipped)
        }
    });
    let standings: Vec<Cow<'_, Standing>> = standings.collect();
    standing(rows, plants, standings.iter().map(AsRef::as_ref))
}

fn standing<'a>(
    rows: &[Row],
    plants: usize,
    standings: impl Iterator<Item = &'a Standing>,
) -> Outcome {
    let mut outcome =
        Outcome { places: vec![None; plants], scores: vec![None; plants], ..Outcome::default() };
    let mut keys = Vec::with_capacity(rows.len());
    for (row, one) in rows.iter().zip(standings) {
        keys.push(&one.key);
        match (row.planted, one.verdict) {
            (Some(which), _) => {
                if let Some(best) = outcome.scores.get_mut(which) {
                    *best = (*best).max(Some((one.score, one.verdict)));
                }
            }
            (None, Verdict::Review) => outcome.review = outcome.review.saturating_add(1),
            (None, Verdict::Escalate) => outcome.escalate = outcome.escalate.saturating_add(1),
            (None, _) => {}
        }
    }
    place(rows, &keys, &mut outcome.places);
    outcome
}

/// Those that have a property first, the newest first.
fn simple(rows: &[Row], plants: usize, has: &dyn Fn(&Row) -> bool) -> Outcome {
    let keys: Vec<_> =
        rows.iter().map(|row| (!has(row), Reverse(row.written), fold(&row.name))).collect();
    let mut places = vec![None; plants];
    place(rows, &keys, &mut places);
    Outcome { places, ..Outcome::default() }
}

/// The best place of each planted service.
fn place<K: Ord>(rows: &[Row], keys: &[K], places: &mut [Option<usize>]) {
    for (row, own) in rows.iter().zip(keys) {
        let Some(best) = row.planted.and_then(|which| places.get_mut(which)) else { continue };
        let place = keys.iter().filter(|key| *key < own).count().saturating_add(1);
        *best = Some(best.map_or(place, |best: usize| best.min(place)));
    }
}

/// The rows that are worth telling, in their order: planted ones, those before the best of them, and other services to
/// review or escalate.
pub(super) fn told(rows: &[Row], view: View) -> Vec<Told> {
    let mut sums: Vec<(&Row, Sum)> =
        rows.iter().map(|row| (row, row.sum(view, &|yes| yes.weight))).collect();
    sums.sort_by_cached_key(|(row, sum)| {
        rank::precedence(&row.name, sum.score, sum.verdict, &sum.findings)
    });
    let first = sums.iter().position(|(row, _)| row.planted.is_some()).unwrap_or(0);
    let is_told = |place: usize, row: &Row, sum: &Sum| {
        row.planted.is_some() || sum.verdict >= Verdict::Review || place < first.min(5)
    };
    let sums = sums.iter().enumerate().filter(|(place, (row, sum))| is_told(*place, row, sum));
    sums.map(|(_, (row, sum))| Told {
        name: row.name.clone(),
        planted: row.planted,
        score: sum.score,
        verdict: sum.verdict,
        findings: sum.findings.iter().chain(&sum.against).map(|one| one.indicator.id).collect(),
    })
    .collect()
}
