//! The story of a service in the report: numbered acts, each cited, and the whole in a line.

use serde::{Deserialize, Serialize};

use super::Stamp;
use super::story_words::{self, Telling};
use crate::host::process::Kinship;
use crate::host::story::{Phase, Step, Story};
use crate::host::{Citation, Host, Service};

/// Citations of one act; a beacon connects thousands of times, and `events` has them all.
const CITATIONS: usize = 20;

/// The story of a service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoryReport {
    /// The story in a line: `installed … by … from … -> cmd.exe -> 203.0.113.9:443 -> deleted …`; null where nothing
    /// worth telling happened.
    pub line: Option<String>,
    /// The acts, in order of time; within one second a cause stands before what it caused, where that is known.
    pub steps: Vec<StepReport>,
    /// How many acts in the middle of a long story are not among `steps`.
    pub left_out: usize,
}

/// One act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepReport {
    /// When its first event was logged.
    pub time: Stamp,
    /// When its last event was logged; null where all have one time.
    pub until: Option<Stamp>,
    /// What it is to the service.
    pub phase: Phase,
    /// What happened, in one sentence.
    pub summary: String,
    /// The process that ran or acted.
    pub process: Option<ProcessReport>,
    /// How many records show it.
    pub records: usize,
    /// The records, the first ones where there are many; empty for a process whose start no log has.
    pub citations: Vec<Citation>,
}

/// A process of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessReport {
    /// Its process id.
    pub process_id: Option<u32>,
    /// The process id of its creator.
    pub parent_process_id: Option<u32>,
    /// The program, as logged.
    pub image: String,
    /// How it is known to be the service's.
    pub kinship: Kinship,
    /// How many processes of the service stand above it.
    pub depth: u16,
    /// When its creation was logged.
    pub started: Option<Stamp>,
    /// When its end was logged.
    pub ended: Option<Stamp>,
    /// How many services run in it, or in the one it descends from.
    pub services: usize,
}

impl StoryReport {
    /// Tells the story of a service.
    pub(super) fn new(host: &Host, service: &Service) -> Self {
        let story = Story::of(host, service);
        let telling = Telling { host, service };
        Self {
            line: story_words::line(telling, &story),
            steps: story.steps.iter().map(|step| StepReport::new(telling, step)).collect(),
            left_out: story.left_out,
        }
    }
}

impl StepReport {
    fn new(telling: Telling<'_>, step: &Step) -> Self {
        let events = || step.events.iter().filter_map(|at| telling.host.events.get(*at));
        Self {
            time: Stamp(step.time),
            until: (step.until != step.time).then_some(Stamp(step.until)),
            phase: step.phase,
            summary: story_words::sentence(telling, step),
            process: step.process.and_then(|at| ProcessReport::new(telling.host, at)),
            records: step.events.len(),
            citations: events().take(CITATIONS).map(|event| event.citation.clone()).collect(),
        }
    }

    /// The phase in a word.
    pub fn label(&self) -> &'static str {
        story_words::phase_word(self.phase)
    }

    /// The records in short: `Security 4697 record 12, System 7045 record 3`.
    pub fn records_in_short(&self) -> String {
        let mut shorts: Vec<String> = self.citations.iter().map(story_words::short).collect();
        let more = self.records.saturating_sub(self.citations.len());
        if more > 0 {
            shorts.push(format!("{more} more"));
        }
        shorts.join(", ")
    }
}

impl ProcessReport {
    fn new(host: &Host, at: usize) -> Option<Self> {
        let process = host.processes.get(at)?;
        Some(Self {
            process_id: process.process_id,
            parent_process_id: process.parent_process_id,
            image: process.image.clone(),
            kinship: process.kinship,
            depth: process.depth,
            started: process.started.map(Stamp),
            ended: process.ended.map(Stamp),
            services: process.services,
        })
    }
}
