//! The command line: what can be asked for, in clap's words.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::SignedDuration;

use crate::rank::Verdict;
use crate::report::RENDERERS;

pub mod baseline;
mod detection;
pub mod diff;
pub mod evidence_args;
pub mod exit;
mod file;
mod file_args;
mod judging;
pub mod known_files;
mod list;
mod progress;
mod rule_files;
pub mod run;
mod secrets;
mod tuning_args;

pub use baseline::BaselineCommand;
pub use diff::DiffArgs;
pub use evidence_args::EvidenceArgs;
pub use file_args::{HashArg, ProgramArgs};
pub use known_files::KnownFileArgs;
pub use tuning_args::TuningArgs;

/// Offline triage of Windows services.
#[derive(Debug, Parser)]
#[command(
    name = "svctriage",
    version,
    about = "Ranks the suspicious services of a Windows host from its hives and event logs, offline",
    long_about = "Reads evidence that was already collected from a Windows host - a disk image, a triage \
                  collection, a mounted or copied tree, loose hives and event logs - and answers the five questions of service triage for \
                  every service: what is it, what does it run, who created it and when, which account, did \
                  it start and what followed. Worst first, each with its reasons and with what could not be \
                  checked. Evidence is only ever read.",
    after_help = EXAMPLES,
    propagate_version = true,
    arg_required_else_help = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  svctriage scan DISK.E01                          a disk image, read as it is
  svctriage scan host.zip                          a triage collection
  svctriage scan /cases/042/C                      a mounted image or a copied tree
  svctriage scan SYSTEM SYSTEM.LOG1 System.evtx    loose files of one host
  svctriage scan HOST1 HOST2 --format csv -o services.csv
  svctriage detect DISK.E01                        what would be read, and what is missing
  svctriage file DISK.E01 Windows/System32/x.exe   all that is known of one file
  svctriage explain 1 /cases/042/C                 everything about the first row
  svctriage diff HOST gold.jsonl                   how a host differs from a baseline
  svctriage explain P01                            what an indicator asks, and why

Exit codes:
  0 complete   1 findings at or above --fail-on, or differences   2 evidence incomplete or partly unreadable
  3 usage      4 nothing readable                 5 the report could not be written
  130 interrupted";

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Ranks the services of one or more hosts.
    #[command(after_help = SCAN_EXAMPLES)]
    Scan(Box<ScanArgs>),
    /// Says what was recognised, what would be read and what is missing, without reading it.
    #[command(after_help = DETECT_EXAMPLES)]
    Detect(Box<DetectArgs>),
    /// Shows what the evidence knows about one file, or writes its bytes.
    #[command(after_help = FILE_EXAMPLES)]
    File(Box<FileArgs>),
    /// Explains an indicator by its id, or one service by its row or name.
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(Box<ExplainArgs>),
    /// Makes a baseline: what is ordinary on your hosts, for `scan --baseline` and `diff`.
    Baseline {
        /// What to do with baselines.
        #[command(subcommand)]
        command: BaselineCommand,
    },
    /// Says how two scans of a host differ, or a host and a baseline.
    #[command(after_help = diff::EXAMPLES)]
    Diff(Box<DiffArgs>),
    /// Lists every form of evidence that is opened, and what each is known by.
    #[command(after_help = "Example:\n  svctriage formats")]
    Formats {
        /// The list as a table in Markdown.
        #[arg(long)]
        markdown: bool,
    },
    /// Lists every indicator with its question, family and weight.
    #[command(after_help = CHECKLIST_EXAMPLES)]
    Checklist(ChecklistArgs),
    /// Prints a completion script for a shell.
    #[command(
        after_help = "Example:\n  svctriage completions bash > /etc/bash_completion.d/svctriage"
    )]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Prints the manual page in roff.
    #[command(after_help = "Example:\n  svctriage man > svctriage.1")]
    Man,
}

const SCAN_EXAMPLES: &str = "\
Examples:
  svctriage scan DISK.E01
  svctriage scan disk.vhdx --vss none
  svctriage scan laptop.vmdk --recovery-key-file recovery.txt
  svctriage scan host.zip --zip-password-file passwords.txt
  svctriage scan /mnt/image
  svctriage scan SYSTEM SOFTWARE System_backup.evtx --all
  svctriage scan /cases/042/C --format markdown --output ticket.md
  svctriage scan /cases/* --format jsonl --min-verdict review --fail-on escalate
  svctriage scan /cases/042/C --sigma rules/windows --sigma my_rule.yml
  svctriage scan /cases/042/C --baseline gold.jsonl
  svctriage scan /cases/042/C --rules my_rules     indicators of your own (TOML)
  svctriage scan /cases/042/C --weights weights.toml --ignore N04,W08
  svctriage scan /cases/042/C --suppress site.toml findings listed and not counted, with reason, author and expiry
  svctriage scan DISK.E01 --hash suspicious        reads only the files of services with a reason
  svctriage scan DISK.E01 --hash-limit 2G          reads files of up to 2 GiB

Disk images and collections are recognised by content, never by name; of an image in several files give the
first. A folder is one host: a Windows tree is looked for at most four levels down, in any letter case; a folder
without one is a host made of the hives and logs in it. Files given by name are one host together, recognised by
their first bytes, never by their extension.";

const DETECT_EXAMPLES: &str = "\
Examples:
  svctriage detect DISK.E01
  svctriage detect /cases/* --format json

Of artifacts only the first bytes are read, and of a SYSTEM hive the computer's name.";

const CHECKLIST_EXAMPLES: &str = "\
Examples:
  svctriage checklist                              every indicator in a line
  svctriage checklist --markdown > checklist.md    the whole reference
  svctriage checklist --toml > weights.toml        weights, to be changed and given to --weights
  svctriage checklist --rules my_rules             with your own indicators
  svctriage checklist --rules my_rules --check     whether your own indicators hold what their examples promise";

const FILE_EXAMPLES: &str = "\
Examples:
  svctriage file DISK.E01 Windows/System32/drivers/x.sys
  svctriage file host.zip 'C:\\Users\\a\\Downloads\\x.exe:Zone.Identifier'
  svctriage file DISK.E01 Windows/System32/config/SYSTEM --bytes > SYSTEM

PATH is as reports cite it, or as Windows writes it; where the evidence has several volumes or folders, from the root
of the one with the current Windows folder.";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  svctriage explain P01
  svctriage explain LOCAL-001 --rules my_rules
  svctriage explain 1 /cases/042/C
  svctriage explain Spooler /cases/042/C
  svctriage explain 2 --report report.json";

/// What bears on the answers rather than on their presentation.
#[derive(Debug, Clone, Args)]
pub struct JudgeArgs {
    /// Half the width of the window in which events belong together, for example 10m, 90s or 1h.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = window)]
    pub window: SignedDuration,
    /// Approved changes, tools, accounts and windows (TOML, or CSV for the plain case; see docs/approved.md).
    #[arg(long, value_name = "FILE")]
    pub approved: Option<PathBuf>,
    /// Sigma rules to run over the event logs: a file, or a folder with .yml files; may be repeated (see docs/sigma.md).
    #[arg(long = "sigma", value_name = "DIR|FILE")]
    pub sigma: Vec<PathBuf>,
    /// Destinations that other hosts of the site talk to (a list or CSV; see docs/known-destinations.md).
    #[arg(long, value_name = "FILE")]
    pub known_destinations: Option<PathBuf>,
    /// A baseline of hosts you trust, made with `svctriage baseline create`; may be repeated (see docs/baseline.md).
    #[arg(long = "baseline", value_name = "FILE")]
    pub baselines: Vec<PathBuf>,
    /// What is known of files.
    #[command(flatten)]
    pub known: KnownFileArgs,
    /// What the analyst changes about the judging.
    #[command(flatten)]
    pub tuning: TuningArgs,
    /// Worker threads; 0 takes all processors. The report does not depend on it.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = threads)]
    pub threads: usize,
    /// No progress and no warnings on stderr.
    #[arg(short, long)]
    pub quiet: bool,
    /// How the files behind services are read.
    #[command(flatten)]
    pub files: ProgramArgs,
}

/// `checklist`.
#[derive(Debug, Clone, Args)]
pub struct ChecklistArgs {
    /// The whole reference in Markdown instead of a list.
    #[arg(long)]
    pub markdown: bool,
    /// A file of weights to start from, for --weights (docs/weights.md).
    #[arg(long, conflicts_with = "markdown")]
    pub toml: bool,
    /// Indicators of your own, listed with the others: a file, or a folder with .toml files (docs/rules.md).
    #[arg(long, value_name = "DIR|FILE", conflicts_with = "markdown")]
    pub rules: Vec<PathBuf>,
    /// Only checks that these hold what their examples promise.
    #[arg(long, requires = "rules", conflicts_with = "toml")]
    pub check: bool,
}

/// `detect`.
#[derive(Debug, Clone, Args)]
pub struct DetectArgs {
    /// Disk images, collections, folders, hives or event logs.
    #[arg(required = true, value_name = "EVIDENCE")]
    pub evidence: Vec<PathBuf>,
    /// What the answer looks like.
    #[arg(short, long, default_value = "text")]
    pub format: DetectFormat,
    /// How evidence is opened.
    #[command(flatten)]
    pub opening: EvidenceArgs,
}

/// What the answer of `detect` looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DetectFormat {
    /// For people.
    Text,
    /// One JSON document (docs/report.md).
    Json,
}

/// `file`.
#[derive(Debug, Clone, Args)]
pub struct FileArgs {
    /// The disk image, collection or folder the file is in.
    #[arg(value_name = "EVIDENCE")]
    pub evidence: PathBuf,
    /// The file; `name:stream` asks for an alternate data stream.
    #[arg(value_name = "PATH")]
    pub path: String,
    /// Writes the file's bytes to stdout and nothing else.
    #[arg(long)]
    pub bytes: bool,
    /// Looks at one host only: where the evidence holds several, counted from 1 as `svctriage detect` lists them.
    #[arg(long, value_name = "N")]
    pub host: Option<usize>,
    /// How evidence is opened.
    #[command(flatten)]
    pub opening: EvidenceArgs,
}

/// `scan`.
#[derive(Debug, Clone, Args)]
pub struct ScanArgs {
    /// Disk images, collections and folders (one host or more each), and hives or event logs (one host together).
    #[arg(required = true, value_name = "EVIDENCE")]
    pub evidence: Vec<PathBuf>,
    /// What the report looks like.
    #[arg(short, long, default_value = "table", value_parser = format())]
    pub format: String,
    /// Writes the report to a file instead of stdout; an existing file is kept unless --force.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replaces an existing output file.
    #[arg(long)]
    pub force: bool,
    /// Shows every service, whatever its verdict.
    #[arg(long)]
    pub all: bool,
    /// Shows at most N services of each host.
    #[arg(long, value_name = "N")]
    pub top: Option<usize>,
    /// Shows services of that verdict or a worse one.
    #[arg(long, value_name = "VERDICT")]
    pub min_verdict: Option<VerdictArg>,
    /// Exits with 1 when a service or incident has that verdict or a worse one.
    #[arg(long, value_name = "VERDICT")]
    pub fail_on: Option<VerdictArg>,
    /// Colour: on a terminal, always or never. `NO_COLOR` and `TERM=dumb` are obeyed.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: ColorArg,
    /// What bears on the answers.
    #[command(flatten)]
    pub judge: JudgeArgs,
    /// How evidence is opened.
    #[command(flatten)]
    pub opening: EvidenceArgs,
}

/// `explain`.
#[derive(Debug, Clone, Args)]
pub struct ExplainArgs {
    /// An indicator's id, a row of the ranking, or a service's name.
    #[arg(value_name = "ID|ROW|SERVICE")]
    pub what: String,
    /// The evidence a row or service is about.
    #[arg(value_name = "EVIDENCE")]
    pub evidence: Vec<PathBuf>,
    /// A report written with --format json, instead of the evidence.
    #[arg(long, value_name = "FILE", conflicts_with = "evidence")]
    pub report: Option<PathBuf>,
    /// What bears on the answers.
    #[command(flatten)]
    pub judge: JudgeArgs,
    /// How evidence is opened.
    #[command(flatten)]
    pub opening: EvidenceArgs,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorArg {
    /// On a terminal that does not say otherwise.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// A verdict on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VerdictArg {
    /// Act on it now.
    Escalate,
    /// Look at it.
    Review,
    /// Something is unusual.
    Note,
    /// Nothing worth a note, and it is what Windows or the analyst knows.
    KnownGood,
    /// Nothing worth a note, and nothing vouches for it.
    NotAssessed,
}

impl From<VerdictArg> for Verdict {
    fn from(verdict: VerdictArg) -> Self {
        match verdict {
            VerdictArg::Escalate => Self::Escalate,
            VerdictArg::Review => Self::Review,
            VerdictArg::Note => Self::Note,
            VerdictArg::KnownGood => Self::KnownGood,
            VerdictArg::NotAssessed => Self::NotAssessed,
        }
    }
}

fn format() -> impl clap::builder::TypedValueParser<Value = String> {
    PossibleValuesParser::new(
        RENDERERS
            .iter()
            .map(|renderer| clap::builder::PossibleValue::new(renderer.id).help(renderer.describe)),
    )
    .map(|id| id)
}

/// `10m`, `90s`, `1h`, or a bare number of seconds; at most a week.
fn window(text: &str) -> Result<SignedDuration, String> {
    const WEEK: i64 = 7 * 86_400;
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.strip_prefix(digits).unwrap_or_default();
    let number: i64 =
        digits.parse().map_err(|_| format!("{text} is no time: try 10m, 90s or 1h"))?;
    let seconds = match unit {
        "" | "s" => Some(number),
        "m" | "min" => number.checked_mul(60),
        "h" => number.checked_mul(3_600),
        _ => return Err(format!("{unit} is no unit: use s, m or h")),
    };
    match seconds {
        Some(seconds @ 1..=WEEK) => Ok(SignedDuration::from_secs(seconds)),
        _ => Err("the window is between one second and a week".to_owned()),
    }
}

/// More than any processor has cores only costs memory, and 100,000 threads take minutes to start.
fn threads(text: &str) -> Result<usize, String> {
    const MOST: usize = 256;
    match text.parse() {
        Ok(threads @ 0..=MOST) => Ok(threads),
        _ => Err(format!("the number of threads is between 0 and {MOST}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn windows_are_read_with_their_unit() {
        assert_eq!(window("90s"), Ok(SignedDuration::from_secs(90)));
        assert_eq!(window("10m"), Ok(SignedDuration::from_mins(10)));
        assert_eq!(window("7"), Ok(SignedDuration::from_secs(7)));
        for wrong in ["", "m", "0", "-1", "8000h", "3w", "9223372036854775807h"] {
            assert!(window(wrong).is_err(), "{wrong}");
        }
    }
}
