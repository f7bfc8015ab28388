//! What `baseline create` writes: services of hosts that the analyst trusts, without those that nobody should learn from.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use serde::{Deserialize, Serialize};

use super::configuration::ValueData;
use super::finding::FindingReport;
use super::host::HostReport;
use super::json_text::JsonText;
use super::service::ServiceReport;
use super::{Report, Settings, Tool};
use crate::checklist::Family;
use crate::checklist::baseline::{
    FORMAT, FileValues, GoldHost, Header, Maker, Refused, Row, SCHEMA, Stored, Terms,
};
use crate::rank;
use crate::text;

/// A baseline that scans were judged with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenBaseline {
    /// Its path, as it was given.
    pub path: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// The hosts it was made of; a host without a name by its evidence.
    pub hosts: Vec<String>,
    /// Their builds.
    pub builds: Vec<u32>,
    /// How many services in how many variants it has: its lines but the first.
    pub rows: usize,
    /// How many services were kept out of it.
    pub refused: usize,
}

/// A baseline in the making.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBaseline {
    /// Its first line.
    pub header: Header,
    /// The other lines, sorted.
    pub rows: Vec<Row>,
}

/// Indicators that say a tool is known. Whatever else speaks for it, a baseline does not learn it: a gold image that
/// somebody had visited is where the tool would become ordinary.
const TOOLS: [&str; 6] = ["N01", "P32", "P28", "P29", "P34", REMOTE_ACCESS];
/// The one that says so of remote access tools, which a site may have chosen.
const REMOTE_ACCESS: &str = "M01";

/// Whether a report can be learned from: nobody told it what to overlook.
///
/// # Errors
/// A sentence, where somebody did.
pub fn is_plain(settings: &Settings) -> Result<(), String> {
    let is_plain = settings.weights.is_empty()
        && settings.ignored.is_empty()
        && settings.suppress.is_empty()
        && settings.baselines.is_empty();
    is_plain.then_some(()).ok_or_else(|| {
        "a baseline is learned from the plain judgement: leave out --weight, --weights, --ignore, --suppress and --baseline"
            .to_owned()
    })
}

impl NewBaseline {
    /// Learns from hosts. `hash` says which files were read; `include_rmm` lets remote access tools in.
    pub fn new(reports: &[&Report], hash: &str, include_rmm: bool) -> Self {
        let mut hosts: Vec<&HostReport> = reports.iter().flat_map(|report| &report.hosts).collect();
        hosts.sort_by(|left, right| {
            (&left.host.name, &left.evidence.path).cmp(&(&right.host.name, &right.evidence.path))
        });
        let mut learned = Learned::default();
        for (at, host) in hosts.iter().enumerate() {
            learned.host(at, host, include_rmm);
        }
        let (rows, refused) = learned.told(&hosts);
        let count = |at: usize| rows.values().filter(|seen| seen.hosts.contains(&at)).count();
        let gold = |(at, host): (usize, &&HostReport)| GoldHost {
            name: host.host.name.clone(),
            os: host.host.os.clone(),
            build: host.host.build.clone(),
            evidence: host.evidence.path.clone(),
            services: count(at),
            refused: refused.iter().filter(|(of, _)| *of == at).count(),
        };
        let builds: BTreeSet<u32> = hosts.iter().filter_map(|host| build(host)).collect();
        let tool = Tool::this();
        let mut refusals: Vec<Refused> = refused.iter().map(|(_, one)| one.clone()).collect();
        refusals.sort();
        let header = Header {
            format: FORMAT.to_owned(),
            schema: SCHEMA,
            tool: Maker { name: tool.name, version: tool.version },
            settings: Terms { below: rank::REVIEW, include_rmm, hash: hash.to_owned() },
            hosts: hosts.iter().enumerate().map(gold).collect(),
            builds: builds.into_iter().collect(),
            rows: rows.len(),
            without_key: hosts.iter().map(|host| host.summary.without_key).sum(),
            refused: refusals,
        };
        let counted = |(row, seen): (Row, Seen)| Row {
            hosts: seen.hosts.len(),
            builds: seen.builds.into_iter().collect(),
            ..row
        };
        let mut rows: Vec<Row> = rows.into_iter().map(counted).collect();
        rows.sort_by_cached_key(|row| text::fold(&row.name));
        Self { header, rows }
    }

    /// Writes the file: one JSON document a line, deceptive characters escaped.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&self, out: &mut dyn io::Write) -> io::Result<()> {
        line(&self.header, out)?;
        self.rows.iter().try_for_each(|row| line(row, out))
    }
}

fn line(document: &impl Serialize, out: &mut dyn io::Write) -> io::Result<()> {
    serde_json::to_writer(JsonText(out), document)?;
    out.write_all(b"\n")
}

/// On which hosts a row was seen.
#[derive(Debug, Clone, Default)]
struct Seen {
    hosts: BTreeSet<usize>,
    builds: BTreeSet<u32>,
}

/// A service without what may differ: folded name, program, DLL.
type Identity = (String, Option<String>, Option<String>);

#[derive(Default)]
struct Learned {
    rows: BTreeMap<Row, Seen>,
    /// Services that were kept out: the host's place, the service and why.
    refused: Vec<(usize, Row, String)>,
}

impl Learned {
    fn host(&mut self, at: usize, host: &HostReport, include_rmm: bool) {
        for service in &host.services {
            let Some(row) = row(service) else { continue };
            if let Some(reason) = refusal(service, include_rmm) {
                self.refused.push((at, row, reason));
                continue;
            }
            let seen = self.rows.entry(row).or_default();
            seen.hosts.insert(at);
            seen.builds.extend(build(host));
        }
    }

    /// What is learned, and what not, with the place of the host: what one host refuses is not learned from another, which
    /// merely shows less of it.
    fn told(mut self, hosts: &[&HostReport]) -> (BTreeMap<Row, Seen>, Vec<(usize, Refused)>) {
        let label = |at: usize| {
            let host = hosts.get(at);
            host.map_or_else(String::new, |host| {
                host.host.name.clone().unwrap_or_else(|| host.evidence.path.clone())
            })
        };
        let mut why: BTreeMap<Identity, usize> = BTreeMap::new();
        for (at, row, _) in &self.refused {
            why.entry(identity(row)).or_insert(*at);
        }
        let mut refused: Vec<(usize, Refused)> = Vec::new();
        for (at, row, reason) in self.refused {
            refused.push((at, Refused { name: row.name, host: label(at), reason }));
        }
        self.rows.retain(|row, seen| {
            let Some(on) = why.get(&identity(row)) else { return true };
            refused.extend(seen.hosts.iter().map(|at| {
                let reason = format!("kept out on {}", label(*on));
                (*at, Refused { name: row.name.clone(), host: label(*at), reason })
            }));
            false
        });
        (self.rows, refused)
    }
}

fn identity(row: &Row) -> Identity {
    (text::fold(&row.name), row.image.clone(), row.dll.clone())
}

fn build(host: &HostReport) -> Option<u32> {
    host.host.build.as_deref()?.split('.').next()?.parse().ok()
}

/// Why a service must not be learned. What speaks for it does not count: a baseline that trust let in would be trust in
/// itself.
fn refusal(service: &ServiceReport, include_rmm: bool) -> Option<String> {
    let counts = |one: &&FindingReport| !(include_rmm && one.id == REMOTE_ACCESS);
    let found: Vec<&FindingReport> = service.findings.iter().filter(counts).collect();
    let is_tool =
        |one: &&&FindingReport| one.family == Family::K || TOOLS.contains(&one.id.as_str());
    if let Some(tool) = found.iter().find(is_tool) {
        return Some(format!("a known tool ({})", tool.id));
    }
    if let Some(hard) = found.iter().find(|one| one.hard) {
        return Some(format!("a hard finding ({})", hard.id));
    }
    let against: i32 = found.iter().map(|one| one.decibans).sum();
    let ids: Vec<&str> = found.iter().map(|one| one.id.as_str()).collect();
    (against >= rank::REVIEW).then(|| format!("{against} dB against it ({})", ids.join(", ")))
}

/// A service as a line of a baseline, where the current control set has its key.
pub(super) fn row(service: &ServiceReport) -> Option<Row> {
    let config = service.configuration.as_ref()?;
    let file = |purpose: &str| {
        let link = service.files.iter().find(|link| link.purpose == purpose);
        link.map(|link| FileValues {
            sha256: link.sha256.clone(),
            signer: link.signer.clone().filter(|_| link.signature.is_valid()),
        })
        .unwrap_or_default()
    };
    let wrapper = config.wrapper.as_ref();
    let load_points = config.load_points.iter();
    let failure = service.failure_command.as_ref();
    Some(Row::new(Stored {
        name: &service.name,
        service_type: service.type_value,
        image: service.image.as_ref(),
        dll: service.service_dll.as_deref(),
        wrapped: wrapper.map(|wrapper| {
            (wrapper.application.as_str(), wrapper.parameters.as_deref().unwrap_or_default())
        }),
        load_points: load_points.map(|point| (point.value.as_str(), point.path.as_str())).collect(),
        account: stored_text(service, "ObjectName"),
        start: service.start_value,
        error_control: config.error_control_value,
        failure_command: failure.map(|failure| failure.command.as_str()),
        failure_armed: failure.is_some_and(|failure| failure.armed),
        launch_protected: config.launch_protected.as_deref().map(protection),
        security: config.security.as_ref().map(|rules| rules.sddl.as_str()),
        owner: config.key_security.as_ref().and_then(|rules| rules.owner.as_deref()),
        files: [file("image"), file("service_dll"), file("wrapped")],
    }))
}

/// The text of a value of the key itself.
fn stored_text<'a>(service: &'a ServiceReport, name: &str) -> Option<&'a str> {
    let values = &service.configuration.as_ref()?.values;
    let value = values.iter().find(|value| text::same_name(&value.name, name))?;
    match value.data.as_ref()? {
        ValueData::Text(text) => Some(text),
        ValueData::Number(_) | ValueData::Texts(_) => None,
    }
}

/// `LaunchProtected` as stored, of its word.
fn protection(word: &str) -> u32 {
    const WORDS: [&str; 4] = ["none", "windows", "windows_light", "antimalware_light"];
    match (0_u32..).zip(WORDS).find(|(_, one)| *one == word) {
        Some((number, _)) => number,
        None => word.parse().unwrap_or(0),
    }
}
