//! `baseline create`, and reading what it wrote.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use sha2::{Digest as _, Sha256};

use super::exit::Exit;
use super::run::{examine, fail, judge, read_report, shown, warn, write_file};
use super::{EvidenceArgs, JudgeArgs};
use crate::checklist::Baseline;
use crate::checklist::baseline::{BaselineFile, Header, MOST_BYTES};
use crate::error::Error;
use crate::rank::Verdict;
use crate::report::baseline::{GivenBaseline, NewBaseline, is_plain};
use crate::report::{Report, ServiceReport};
use crate::text;

/// Services kept out that stderr lists before it counts the rest.
const REFUSED_SHOWN: usize = 100;

/// `baseline`.
#[derive(Debug, Subcommand)]
pub enum BaselineCommand {
    /// Learns what is ordinary from hosts you trust: a gold image, hosts just set up.
    #[command(after_help = CREATE_EXAMPLES)]
    Create(Box<CreateArgs>),
}

const CREATE_EXAMPLES: &str = "\
Examples:
  svctriage baseline create gold.vhdx -o gold.jsonl
  svctriage baseline create GOLD1 GOLD2 report.json -o gold.jsonl
  svctriage scan HOST --baseline gold.jsonl
  svctriage diff HOST gold.jsonl

Known tools, whatever has a hard finding and whatever has 20 dB or more against it never enter a baseline, however
much speaks for it; they are listed on stderr and in the file's first line. Format: docs/baseline.md";

/// `baseline create`.
#[derive(Debug, Clone, Args)]
pub struct CreateArgs {
    /// Evidence of hosts you trust, as `scan` takes it, and reports written with --format json.
    #[arg(required = true, value_name = "EVIDENCE")]
    pub evidence: Vec<PathBuf>,
    /// The baseline to write; an existing file is kept unless --force.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Replaces an existing output file.
    #[arg(long)]
    pub force: bool,
    /// Lets remote access tools in that your site uses; without it they are kept out like every known tool.
    #[arg(long)]
    pub include_rmm: bool,
    /// What bears on the answers.
    #[command(flatten)]
    pub judge: JudgeArgs,
    /// How evidence is opened.
    #[command(flatten)]
    pub opening: EvidenceArgs,
}

/// Makes a baseline.
pub(super) fn create(args: &CreateArgs) -> Exit {
    if args.output.exists() && !args.force {
        warn(&format!("{} exists; --force replaces it", shown(&args.output)));
        return Exit::Output;
    }
    let (reports, exit) = match reports(args) {
        Ok(found) => found,
        Err(exit) => return exit,
    };
    let all: Vec<&Report> = reports.iter().collect();
    let hashes: Vec<&str> = all.iter().map(|report| report.settings.files.hash.as_str()).collect();
    let hash = match hashes.split_first() {
        Some((first, rest)) if rest.iter().all(|one| one == first) => first,
        _ => "as reported",
    };
    let baseline = NewBaseline::new(&all, hash, args.include_rmm);
    if baseline.rows.is_empty() {
        warn("no service was found to learn from: a baseline needs the SYSTEM hive of a host");
        return Exit::Unreadable;
    }
    let mut bytes = Vec::new();
    if let Err(error) = baseline.write(&mut bytes) {
        return fail(&Error::Output(error), Exit::Output);
    }
    let written = write_file(&args.output, &bytes);
    if written != Exit::Complete {
        return written;
    }
    if !args.judge.quiet {
        tell(&baseline.header, &all);
    }
    exit
}

/// Reports of everything that was given, and how their reading ended.
fn reports(args: &CreateArgs) -> Result<(Vec<Report>, Exit), Exit> {
    let (documents, evidence): (Vec<PathBuf>, Vec<PathBuf>) =
        args.evidence.iter().cloned().partition(|path| is_json(path));
    let mut reports = Vec::new();
    for path in &documents {
        let report = read_report(path).map_err(|error| fail(&error, Exit::Unreadable))?;
        let problem = |message| fail(&Error::Settings { path: path.clone(), message }, Exit::Usage);
        is_plain(&report.settings).map_err(problem)?;
        reports.push(report);
    }
    let mut exit = Exit::Complete;
    if !evidence.is_empty() {
        let outcome = examine(&evidence, &args.judge, &args.opening)?;
        is_plain(&outcome.report.settings).map_err(|message| {
            warn(&message);
            Exit::Usage
        })?;
        exit = judge(&outcome, None);
        reports.push(outcome.report);
    }
    Ok((reports, exit))
}

/// What was learned, what was not, and what makes a host a doubtful teacher.
fn tell(header: &Header, reports: &[&Report]) {
    let hosts = header.hosts.len();
    let word = if hosts == 1 { "host" } else { "hosts" };
    warn(&format!("{} services and variants of {hosts} {word} are on the baseline", header.rows));
    for host in reports.iter().flat_map(|report| &report.hosts) {
        if host.verdict >= Verdict::Review {
            let worst = |one: &&ServiceReport| one.verdict >= Verdict::Review;
            warn(&format!(
                "{} is no clean host: {} ({} services to look at); what is ordinary there need not be good",
                text::terminal_safe(&host.host.label()),
                host.verdict.label(),
                host.services.iter().filter(worst).count()
            ));
        }
    }
    for one in header.refused.iter().take(REFUSED_SHOWN) {
        let line = format!("kept out: {} of {}, {}", one.name, one.host, one.reason);
        warn(&text::terminal_safe(&line));
    }
    let more = header.refused.len().saturating_sub(REFUSED_SHOWN);
    if more > 0 {
        warn(&format!("kept out: {more} more, in the first line of the file"));
    }
}

/// Whether a file is a JSON document and no evidence, by its first bytes.
pub(super) fn is_json(path: &Path) -> bool {
    let is_file = fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    is_file && beginning(path, 64).is_some_and(|start| start.trim_start().starts_with('{'))
}

/// The first bytes of a file of the analyst's, as text without a mark.
pub(super) fn beginning(path: &Path, most: u64) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "looks whether it is a document of ours")]
    let file = fs::File::open(path).ok()?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).trim_start_matches('\u{feff}').to_owned())
}

/// What was given with `--baseline`, together, and what the report says of it; nothing where none was given.
///
/// # Errors
/// A file that cannot be read or is no baseline, with the line and what to do.
pub(super) fn read_all(
    paths: &[PathBuf],
) -> Result<(Option<Arc<Baseline>>, Vec<GivenBaseline>), Error> {
    let mut files = Vec::new();
    let mut given = Vec::new();
    for path in paths {
        let (file, sha256) = read(path)?;
        let name = path.to_string_lossy().replace('\\', "/");
        let hosts = file.header.hosts.iter();
        given.push(GivenBaseline {
            path: name.clone(),
            sha256,
            hosts: hosts
                .map(|host| host.name.clone().unwrap_or_else(|| host.evidence.clone()))
                .collect(),
            builds: file.header.builds.clone(),
            rows: file.rows.len(),
            refused: file.header.refused.len(),
        });
        files.push((name, file));
    }
    let baseline = (!files.is_empty()).then(|| Arc::new(Baseline::new(files)));
    Ok((baseline, given))
}

/// A baseline file and its SHA-256.
///
/// # Errors
/// As of [`read_all`].
pub(super) fn read(path: &Path) -> Result<(BaselineFile, String), Error> {
    let open = |source| Error::Open { path: path.to_owned(), source };
    let settings = |message| Error::Settings { path: path.to_owned(), message };
    #[expect(clippy::disallowed_methods, reason = "the analyst's own file, not evidence")]
    let file = fs::File::open(path).map_err(open)?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES.saturating_add(1)).read_to_end(&mut bytes).map_err(open)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MOST_BYTES) {
        return Err(settings(format!(
            "larger than {} MiB, which no baseline is; give a file that `svctriage baseline create` wrote",
            MOST_BYTES >> 20
        )));
    }
    let sha256 = text::hex(&Sha256::digest(&bytes));
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = valid.split(|byte| *byte == b'\n').count();
        settings(format!(
            "line {line}: bytes that are no text; give a file that `svctriage baseline create` wrote"
        ))
    })?;
    BaselineFile::parse(&text).map(|file| (file, sha256)).map_err(settings)
}
