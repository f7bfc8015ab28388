//! `diff`: two scans of a host, or a host and a baseline.

use std::path::{Path, PathBuf};
use std::slice;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};

use super::baseline::{self, beginning, is_json};
use super::exit::Exit;
use super::run::{
    color, examine, fail, judge, read_report, shown, warn, warn_of_damage, width, write_file,
    write_stdout,
};
use super::{ColorArg, EvidenceArgs, JudgeArgs, VerdictArg};
use crate::checklist::baseline::BaselineFile;
use crate::error::Error;
use crate::rank::Verdict;
use crate::report::diff::{Content, DIFF_RENDERERS, DiffReport, Side};
use crate::report::{Options, Report};

/// Bytes in which the first line of a baseline says what it is.
const HEAD: u64 = 32 << 20;

pub(super) const EXAMPLES: &str = "\
Examples:
  svctriage diff monday.E01 friday.E01             two states of one host
  svctriage diff monday.json friday.E01            a report written with --format json, and evidence
  svctriage diff HOST gold.jsonl                   a host and a baseline
  svctriage diff HOST1 HOST2 --format markdown -o diff.md
  svctriage diff HOST gold.jsonl --min-verdict note --fail-on-difference

A is the state before, B the state after; of a host and a baseline the baseline is the state before, in either order.
Hosts are paired by their computer names; one host on each side is a pair whatever it is called. A key's last-write time
is shown and is no difference by itself. Exit code 1 stands for differences with --fail-on-difference.";

/// `diff`.
#[derive(Debug, Clone, Args)]
pub struct DiffArgs {
    /// Evidence, a report written with --format json, or a baseline.
    #[arg(value_name = "A")]
    pub first: PathBuf,
    /// The other.
    #[arg(value_name = "B")]
    pub second: PathBuf,
    /// What the answer looks like.
    #[arg(short, long, default_value = "table", value_parser = format())]
    pub format: String,
    /// Writes the differences to a file instead of stdout; an existing file is kept unless --force.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replaces an existing output file.
    #[arg(long)]
    pub force: bool,
    /// Shows every service that differs, and long values to their end.
    #[arg(long)]
    pub all: bool,
    /// Shows at most N services of each pair of hosts.
    #[arg(long, value_name = "N")]
    pub top: Option<usize>,
    /// Shows services that have that verdict or a worse one in either state.
    #[arg(long, value_name = "VERDICT")]
    pub min_verdict: Option<VerdictArg>,
    /// Exits with 1 when anything differs, whether it is shown or not.
    #[arg(long)]
    pub fail_on_difference: bool,
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

fn format() -> PossibleValuesParser {
    let value =
        |one: &crate::report::diff::DiffRenderer| PossibleValue::new(one.id).help(one.describe);
    PossibleValuesParser::new(DIFF_RENDERERS.iter().map(value).collect::<Vec<_>>())
}

/// One of the two things, read.
enum Read {
    Evidence(Report),
    Report(Report),
    Baseline(BaselineFile),
}

/// Compares.
pub(super) fn run(args: &DiffArgs) -> Exit {
    if let Some(path) = args.output.as_ref().filter(|path| path.exists() && !args.force) {
        warn(&format!("{} exists; --force replaces it", shown(path)));
        return Exit::Output;
    }
    let read = read(&args.first, args).and_then(|first| Ok((first, read(&args.second, args)?)));
    let ((first, first_exit), (second, second_exit)) = match read {
        Ok(both) => both,
        Err(exit) => return exit,
    };
    let diff = DiffReport::new(&side(&args.first, &first), &side(&args.second, &second));
    let options = Options {
        color: color(args.color) && args.output.is_none(),
        width: width(),
        all: args.all,
        top: args.top,
        min_verdict: args.min_verdict.map(Verdict::from),
    };
    let Some(renderer) = DIFF_RENDERERS.iter().find(|one| one.id == args.format) else {
        return Exit::Usage;
    };
    let mut bytes = Vec::new();
    if let Err(error) = (renderer.render)(&diff, &options, &mut bytes) {
        return fail(&Error::Output(error), Exit::Output);
    }
    let written = match &args.output {
        Some(path) => write_file(path, &bytes),
        None => write_stdout(&bytes),
    };
    match written {
        Exit::Complete if args.fail_on_difference && diff.differs() => Exit::Findings,
        Exit::Complete => first_exit.max(second_exit),
        exit => exit,
    }
}

/// Reads one of the two things, and how that ended.
fn read(path: &Path, args: &DiffArgs) -> Result<(Read, Exit), Exit> {
    if !is_json(path) {
        let outcome = examine(slice::from_ref(&path.to_owned()), &args.judge, &args.opening)?;
        if !args.judge.quiet {
            warn_of_damage(&outcome.report);
        }
        let exit = judge(&outcome, None);
        return Ok((Read::Evidence(outcome.report), exit));
    }
    let unreadable = |error: Error| fail(&error, Exit::Unreadable);
    if beginning(path, HEAD).is_some_and(|start| BaselineFile::is_one(&start)) {
        let (file, _) = baseline::read(path).map_err(unreadable)?;
        return Ok((Read::Baseline(file), Exit::Complete));
    }
    let report = read_report(path).map_err(unreadable)?;
    Ok((Read::Report(report), Exit::Complete))
}

fn side<'a>(path: &'a Path, read: &'a Read) -> Side<'a> {
    let content = match read {
        Read::Evidence(report) => Content::Evidence(report),
        Read::Report(report) => Content::Report(report),
        Read::Baseline(file) => Content::Baseline(file),
    };
    Side { path: path.to_str().unwrap_or("(a path that is no text)"), content }
}
