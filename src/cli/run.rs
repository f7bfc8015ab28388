//! Does what the command line asks for.

use std::fs;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;

use super::baseline;
use super::detection;
use super::diff;
use super::evidence_args::EvidenceArgs;
use super::exit::Exit;
use super::file;
use super::judging::Judging;
use super::list;
use super::progress::Bar;
use super::tuning_args::own_indicators;
use super::{
    BaselineCommand, Cli, ColorArg, Command, DetectArgs, DetectFormat, ExplainArgs, JudgeArgs,
    ScanArgs,
};
use crate::artifact::detect::detect as detect_artifacts;
use crate::checklist::{self, own::Own};
use crate::diagnostic::Impact;
use crate::error::Error;
use crate::evidence;
use crate::rank::Verdict;
use crate::report::detection::DetectionReport;
use crate::report::explain;
use crate::report::{self, HostReport, Report, ServiceReport};
use crate::scan;
use crate::text;

/// Width of reports that go to no terminal, in columns.
const DEFAULT_WIDTH: usize = 100;
/// The widest table that is still read in one look.
const WIDEST: usize = 160;

/// Runs one command line.
pub fn run(cli: Cli) -> Exit {
    match cli.command {
        Command::Scan(args) => scan(&args),
        Command::Detect(args) => detect(&args),
        Command::File(args) => file::run(&args),
        Command::Explain(args) => explain(&args),
        Command::Baseline { command: BaselineCommand::Create(args) } => baseline::create(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Formats { markdown: true } => print(&report::formats_markdown()),
        Command::Formats { markdown: false } => print(&report::formats_list(width())),
        Command::Checklist(args) => list::run(&args),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "svctriage", &mut script);
            write_stdout(&script)
        }
        Command::Man => {
            let mut page = Vec::new();
            match clap_mangen::Man::new(Cli::command()).render(&mut page) {
                Ok(()) => write_stdout(&page),
                Err(error) => fail(&Error::Output(error), Exit::Output),
            }
        }
    }
}

/// What a run found, and what it could not open.
pub(super) struct Outcome {
    pub(super) report: Report,
    unreadable: bool,
}

fn scan(args: &ScanArgs) -> Exit {
    if let Some(path) = &args.output
        && path.exists()
        && !args.force
    {
        warn(&format!("{} exists; --force replaces it", shown(path)));
        return Exit::Output;
    }
    let outcome = match examine(&args.evidence, &args.judge, &args.opening) {
        Ok(outcome) => outcome,
        Err(exit) => return exit,
    };
    let options = report::Options {
        color: color(args.color) && args.output.is_none(),
        width: width(),
        all: args.all,
        top: args.top,
        min_verdict: args.min_verdict.map(Verdict::from),
    };
    let Some(renderer) = report::renderer(&args.format) else { return Exit::Usage };
    let mut bytes = Vec::new();
    if let Err(error) = (renderer.render)(&outcome.report, &options, &mut bytes) {
        return fail(&Error::Output(error), Exit::Output);
    }
    let written = match &args.output {
        Some(path) => write_file(path, &bytes),
        None => write_stdout(&bytes),
    };
    if written != Exit::Complete {
        return written;
    }
    if !args.judge.quiet {
        warn_of_damage(&outcome.report);
    }
    judge(&outcome, args.fail_on.map(Verdict::from))
}

/// The exit code: what the caller asked to be told first, then what is missing.
pub(super) fn judge(outcome: &Outcome, fail_on: Option<Verdict>) -> Exit {
    if outcome.report.hosts.is_empty() {
        return Exit::Unreadable;
    }
    if fail_on.is_some_and(|limit| outcome.report.verdict() >= limit) {
        return Exit::Findings;
    }
    let damaged = outcome
        .report
        .hosts
        .iter()
        .flat_map(|host| &host.diagnostics)
        .any(|diagnostic| diagnostic.impact != Impact::Note);
    if damaged || outcome.unreadable { Exit::Incomplete } else { Exit::Complete }
}

pub(super) fn examine(
    paths: &[PathBuf],
    args: &JudgeArgs,
    opening: &EvidenceArgs,
) -> Result<Outcome, Exit> {
    let Judging { settings, about } = Judging::gather(args)?;
    let opened = open(paths, opening)?;
    if opened.hosts.is_empty() {
        return Err(Exit::Unreadable);
    }
    let pool =
        rayon::ThreadPoolBuilder::new().num_threads(args.threads).build().map_err(|error| {
            warn(&format!("cannot start {} threads: {error}", args.threads));
            Exit::Usage
        })?;
    let hosts: Vec<HostReport> = pool.install(|| {
        opened
            .hosts
            .iter()
            .map(|host| {
                let bar = Bar::new(args.quiet, &host.describe().path);
                scan::scan(host.as_ref(), &settings, &bar)
            })
            .collect()
    });
    let unreadable = !opened.errors.is_empty();
    Ok(Outcome { report: Report::new(about, hosts), unreadable })
}

/// Opens evidence and says what could not be opened.
pub(super) fn open(paths: &[PathBuf], opening: &EvidenceArgs) -> Result<evidence::Opened, Exit> {
    let options = opening.options().map_err(|message| {
        warn(&message);
        Exit::Usage
    })?;
    let opened = evidence::open(paths, &options);
    for error in &opened.errors {
        warn(&error.to_string());
    }
    Ok(opened)
}

fn detect(args: &DetectArgs) -> Exit {
    let opened = match open(&args.evidence, &args.opening) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let detections: Vec<_> = opened
        .hosts
        .iter()
        .chain(&opened.bare)
        .map(|host| detect_artifacts(host.as_ref()))
        .collect();
    let written = match args.format {
        DetectFormat::Text => {
            print(&detections.iter().map(detection::describe).collect::<String>())
        }
        DetectFormat::Json => {
            let errors = opened.errors.iter().map(ToString::to_string).collect();
            let mut bytes = Vec::new();
            match DetectionReport::new(&detections, errors).write_json(&mut bytes) {
                Ok(()) => write_stdout(&bytes),
                Err(error) => fail(&Error::Output(error), Exit::Output),
            }
        }
    };
    match written {
        Exit::Complete if opened.hosts.is_empty() => Exit::Unreadable,
        Exit::Complete if !opened.errors.is_empty() => Exit::Incomplete,
        exit => exit,
    }
}

fn explain(args: &ExplainArgs) -> Exit {
    let given = !args.evidence.is_empty() || args.report.is_some();
    if let Some(indicator) = checklist::indicator(&args.what)
        && !given
    {
        return print(&explain::explain_indicator(indicator));
    }
    if !given && !args.judge.tuning.rules.is_empty() {
        match own_indicators(&args.judge.tuning.rules) {
            Err(error) => return fail(&error, Exit::Usage),
            Ok(own) => {
                let meant = |one: &&Own| one.indicator.id.eq_ignore_ascii_case(&args.what);
                if let Some(own) = own.iter().find(meant) {
                    return print(&explain::explain_own(own));
                }
            }
        }
    }
    if !given {
        warn(&format!(
            "{} is no indicator (`svctriage checklist` lists them); to explain a row or a service, give \
             the evidence as well: svctriage explain {} EVIDENCE",
            text::terminal_safe(&args.what),
            text::terminal_safe(&args.what),
        ));
        return Exit::Usage;
    }
    let report = match &args.report {
        Some(path) => read_report(path).map_err(|error| fail(&error, Exit::Unreadable)),
        None => examine(&args.evidence, &args.judge, &args.opening).map(|outcome| outcome.report),
    };
    let report = match report {
        Ok(report) => report,
        Err(exit) => return exit,
    };
    let mut found = String::new();
    for host in &report.hosts {
        for service in host.services.iter().filter(|service| is_meant(service, &args.what)) {
            found.push_str(&explain::explain_service(service, host, &report.settings));
        }
    }
    if found.is_empty() {
        warn(&format!("no row and no service is called {}", text::terminal_safe(&args.what)));
        return Exit::Usage;
    }
    print(&found)
}

/// A row number means that row of each host; anything else is a name.
fn is_meant(service: &ServiceReport, what: &str) -> bool {
    match what.parse::<usize>() {
        Ok(row) => service.rank == row,
        Err(_) => text::same_name(&service.name, what),
    }
}

pub(super) fn read_report(path: &Path) -> Result<Report, Error> {
    #[expect(clippy::disallowed_methods, reason = "a report of ours, not evidence")]
    let bytes = fs::read(path).map_err(|source| Error::Open { path: path.to_owned(), source })?;
    Report::from_json(&bytes).map_err(|message| Error::Settings { path: path.to_owned(), message })
}

/// One line per host about what was lost; the report has the rest.
pub(super) fn warn_of_damage(report: &Report) {
    for host in &report.hosts {
        let lost = host.diagnostics.iter().filter(|one| one.impact != Impact::Note).count();
        if lost > 0 {
            warn(&format!(
                "{}: {lost} diagnostics say what could not be read (see the report)",
                text::terminal_safe(&host.evidence.path)
            ));
        }
    }
}

pub(super) fn fail(error: &Error, exit: Exit) -> Exit {
    warn(&error.to_string());
    exit
}

#[expect(clippy::print_stderr, reason = "the one place that talks to the user beside the report")]
pub(super) fn warn(message: &str) {
    eprintln!("svctriage: {message}");
}

pub(super) fn shown(path: &Path) -> String {
    text::terminal_safe(&path.to_string_lossy()).into_owned()
}

pub(super) fn print(text: &str) -> Exit {
    write_stdout(text.as_bytes())
}

/// A reader that stops early (`| head`) is no error.
pub(super) fn write_stdout(bytes: &[u8]) -> Exit {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Exit::Complete,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Complete,
        Err(error) => fail(&Error::Output(error), Exit::Output),
    }
}

/// Writes beside the target and renames, so that an interrupted run leaves no half report.
pub(super) fn write_file(path: &Path, bytes: &[u8]) -> Exit {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let written = (|| {
        let mut file = BufWriter::new(fs::File::create(&partial)?);
        file.write_all(bytes)?;
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&partial, path)
    })();
    match written {
        Ok(()) => Exit::Complete,
        Err(error) => fail(&Error::Output(error), Exit::Output),
    }
}

pub(super) fn width() -> usize {
    // Only of stdout: a report in a file must not depend on the window it was started from.
    match terminal_size::terminal_size_of(io::stdout()) {
        Some((terminal_size::Width(columns), _)) => usize::from(columns).clamp(60, WIDEST),
        None => DEFAULT_WIDTH,
    }
}

/// `--color auto` obeys `NO_COLOR`, `CLICOLOR_FORCE` and `TERM`, and otherwise asks whether stdout is a terminal.
pub(super) fn color(wanted: ColorArg) -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
    match wanted {
        ColorArg::Always => true,
        ColorArg::Never => false,
        ColorArg::Auto if set("NO_COLOR") => false,
        ColorArg::Auto if set("CLICOLOR_FORCE") => true,
        ColorArg::Auto => {
            io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
        }
    }
}
