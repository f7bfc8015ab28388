//! One host in the report.

use serde::{Deserialize, Serialize};

use super::Stamp;
use super::evidence::EvidenceSummary;
use super::file::FileReport;
use super::incident::IncidentReport;
use super::older_state::OlderState;
use super::outbound::OutboundReport;
use super::rule::{self, RuleHitReport, RuleSight};
use super::service::ServiceReport;
use super::timeline::{self, TimelineEntry};
use crate::checklist::knowledge::stock::{Catalog, Extent, Standing};
use crate::diagnostic::Diagnostic;
use crate::host::coverage::{Clearing, ClearingEvidence, GapReason, Origin, State};
use crate::host::fact::SettingKind;
use crate::host::{Citation, Host, Posture};
use crate::rank::{self, Ranked, Verdict};

/// Everything the report says about one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostReport {
    /// What is known of the host itself.
    pub host: HostIdentity,
    /// The worst verdict of its services and incidents.
    pub verdict: Verdict,
    /// The score of its worst service or incident and a little for each further one, in decibans ([`rank::of_host`]).
    #[serde(default)]
    pub score: i32,
    /// How many services got which verdict.
    pub summary: Summary,
    /// What was examined.
    pub evidence: EvidenceSummary,
    /// Who could speak, and how far; every origin, in a fixed order.
    pub coverage: Vec<CoverageReport>,
    /// Older states of the host that were read, oldest first.
    pub older_states: Vec<OlderState>,
    /// Settings that concern every service.
    pub system_settings: Vec<SystemSetting>,
    /// Names of the keys under Services that hold no service.
    pub configuration_keys: Vec<String>,
    /// What the host was set up to record and to forbid.
    pub posture: Vec<Posture>,
    /// Acts that belong together beyond one service, in order of time.
    pub incidents: Vec<IncidentReport>,
    /// What this host did to services of other hosts, in order of time.
    pub outbound: Vec<OutboundReport>,
    /// Hits of Sigma rules, in order of time.
    pub rule_hits: Vec<RuleHitReport>,
    /// What rules fired on, and the same changes by other means that no rule fired on.
    pub rule_sight: Vec<RuleSight>,
    /// Every service, worst first.
    pub services: Vec<ServiceReport>,
    /// The files behind services, each once, sorted by path.
    #[serde(default)]
    pub files: Vec<FileReport>,
    /// What happened around the findings, in order of time.
    pub timeline: Vec<TimelineEntry>,
    /// What could not be read, or is odd.
    pub diagnostics: Vec<Diagnostic>,
}

/// What is known of the host itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostIdentity {
    /// The computer name.
    pub name: Option<String>,
    /// Where the name comes from.
    pub name_source: Option<String>,
    /// The DNS domain.
    pub domain: Option<String>,
    /// The product, `Windows 10 Pro`.
    pub os: Option<String>,
    /// The build, `19045.3570`.
    pub build: Option<String>,
    /// The release, `22H2`.
    pub version: Option<String>,
    /// The time zone's name. Never applied to a time of the report.
    pub time_zone: Option<String>,
    /// Its bias: UTC = local time + bias, in minutes.
    pub time_zone_bias_minutes: Option<i32>,
    /// The last clean shutdown.
    pub last_shutdown: Option<Stamp>,
    /// When Windows was installed, in its own words.
    pub installed: Option<Stamp>,
    /// The number of the current control set.
    pub control_set: Option<u32>,
    /// The Windows folder.
    pub system_root: Option<String>,
}

impl HostIdentity {
    fn new(identity: &crate::host::HostIdentity) -> Self {
        let zone = identity.time_zone.as_ref();
        Self {
            name: identity.name.clone(),
            name_source: identity.name_source.clone(),
            domain: identity.domain.clone(),
            os: identity.product.clone(),
            build: identity.build.clone(),
            version: identity.version.clone(),
            time_zone: zone.map(|(name, _)| name.clone()),
            time_zone_bias_minutes: zone.and_then(|(_, bias)| *bias),
            last_shutdown: identity.last_shutdown.map(Stamp),
            installed: identity.installed.map(Stamp),
            control_set: identity.control_set,
            system_root: identity.system_root.clone(),
        }
    }

    /// `WS-HR-01.corp.local`, or a phrase where nothing names the host.
    pub fn label(&self) -> String {
        match (&self.name, &self.domain) {
            (Some(name), Some(domain)) => format!("{name}.{domain}"),
            (Some(name), None) => name.clone(),
            (None, _) => "(unnamed host)".to_owned(),
        }
    }

    /// `Windows 10 Pro 22H2 (build 19045.3570)`; absent without a SOFTWARE hive.
    pub fn windows(&self) -> Option<String> {
        let mut words = self.os.clone()?;
        if let Some(version) = &self.version {
            words = format!("{words} {version}");
        }
        if let Some(build) = &self.build {
            words = format!("{words} (build {build})");
        }
        Some(words)
    }

    /// `W. Europe Standard Time (UTC+1)`; absent where the hive does not say.
    pub fn zone(&self) -> Option<String> {
        let name = self.time_zone.clone()?;
        let Some(bias) = self.time_zone_bias_minutes else { return Some(name) };
        let sign = if bias > 0 { '-' } else { '+' };
        let minutes = bias.unsigned_abs();
        let (hours, minutes) = (minutes / 60, minutes % 60);
        Some(match minutes {
            0 => format!("{name} (UTC{sign}{hours})"),
            _ => format!("{name} (UTC{sign}{hours}:{minutes:02})"),
        })
    }
}

/// How many services there are, and how many got which verdict.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// All services, drivers included.
    pub services: usize,
    /// Drivers among them.
    pub drivers: usize,
    /// Those without a key in the current control set.
    pub without_key: usize,
    /// Keys under Services that hold no service.
    pub configuration_keys: usize,
    /// To escalate.
    pub escalate: usize,
    /// To review.
    pub review: usize,
    /// Noted.
    pub note: usize,
    /// Known good.
    pub known_good: usize,
    /// Nothing speaks against or for them.
    pub not_assessed: usize,
    /// Indicators that could not be answered for at least one service.
    pub unanswered: usize,
    /// Findings that the analyst's lists do not count.
    #[serde(default)]
    pub suppressed: usize,
}

impl Summary {
    fn new(host: &Host, services: &[ServiceReport]) -> Self {
        let count = |verdict| services.iter().filter(|one| one.verdict == verdict).count();
        let unanswered: std::collections::BTreeSet<&str> = services
            .iter()
            .flat_map(|one| &one.unanswered)
            .flat_map(|silence| silence.indicators.iter().map(String::as_str))
            .collect();
        Self {
            services: services.len(),
            drivers: services.iter().filter(|one| one.driver).count(),
            without_key: services.iter().filter(|one| !one.registry).count(),
            configuration_keys: host.configuration_keys.len(),
            escalate: count(Verdict::Escalate),
            review: count(Verdict::Review),
            note: count(Verdict::Note),
            known_good: count(Verdict::KnownGood),
            not_assessed: count(Verdict::NotAssessed),
            unanswered: unanswered.len(),
            suppressed: 0,
        }
    }
}

/// One origin's coverage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverageReport {
    /// Who.
    pub origin: Origin,
    /// How much of it could be read.
    pub state: State,
    /// Logs: time of the first record read.
    pub from: Option<Stamp>,
    /// Logs: time of the last record read. Hives: time of the newest key.
    pub to: Option<Stamp>,
    /// Logs: times in between of which no log that was read holds the records.
    pub gaps: Vec<GapReport>,
    /// Logs: when they were cleared.
    pub cleared: Vec<ClearingReport>,
    /// Logs: events that the host was set up not to record in them when the evidence was taken.
    pub unrecorded: Vec<u16>,
    /// Remarks.
    pub notes: Vec<String>,
}

/// A time of which no log that was read holds the records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GapReport {
    /// The last record before it.
    pub from: Stamp,
    /// The first record after it.
    pub to: Stamp,
    /// How it is known.
    pub reason: GapReason,
}

/// The clearing of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClearingReport {
    /// When; where nobody recorded it, the log's first record.
    pub time: Stamp,
    /// The channel.
    pub channel: String,
    /// How it is known.
    pub evidence: ClearingEvidence,
    /// The record that says so, or the log.
    pub citation: Citation,
}

/// A setting that concerns every service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemSetting {
    /// Which: `scm_security`, `scm_remote_exemption`, `mini_nt`, `scm_extension`, `event_log_channel` or
    /// `autologger`.
    pub kind: String,
    /// Its value in words.
    pub value: String,
    /// Its place.
    pub citation: Citation,
}

impl HostReport {
    /// The report of a ranked host. `ranked` is in order, worst first.
    pub fn new(
        host: &Host,
        ranked: &[Ranked<'_>],
        evidence: EvidenceSummary,
        diagnostics: Vec<Diagnostic>,
    ) -> Self {
        let files: Vec<FileReport> = host.files.iter().map(FileReport::new).collect();
        let services: Vec<ServiceReport> = (1..)
            .zip(ranked)
            .map(|(rank, one)| ServiceReport::new(host, &files, one, rank))
            .collect();
        let verdicts = rank::of_incidents(&host.incidents, ranked);
        let incidents: Vec<IncidentReport> = host
            .incidents
            .iter()
            .zip(verdicts)
            .map(|(incident, verdict)| IncidentReport::new(incident, verdict))
            .collect();
        let verdicts = services.iter().map(|one| one.verdict);
        let verdicts = verdicts.chain(incidents.iter().map(|one| one.verdict));
        let mut evidence = evidence;
        evidence.files.sort();
        Self {
            host: HostIdentity::new(&host.identity),
            verdict: verdicts.max().unwrap_or(Verdict::NotAssessed),
            score: rank::of_host(&host.incidents, ranked),
            summary: Summary::new(host, &services),
            evidence,
            coverage: coverage(host),
            older_states: Vec::new(),
            system_settings: system_settings(host),
            configuration_keys: host
                .configuration_keys
                .iter()
                .map(|key| key.name.clone())
                .collect(),
            posture: host.posture.clone(),
            incidents,
            outbound: host.outbound.iter().map(OutboundReport::new).collect(),
            rule_hits: RuleHitReport::of(host),
            rule_sight: rule::sight(host, ranked),
            timeline: timeline::timeline(host, ranked, &files),
            services,
            files,
            diagnostics,
        }
    }
}

impl HostReport {
    /// With the older states of the host and the files of each.
    #[must_use]
    pub fn with_older_states(self, older_states: Vec<OlderState>) -> Self {
        Self { older_states, ..self }
    }
}

/// What a reader should know of comparisons with what Windows brings, where the host's Windows was not measured.
fn unmeasured(host: &Host) -> Option<&'static str> {
    match Catalog::shipped().standing(host, Extent::Programs) {
        Standing::Known => None,
        Standing::NoBuild => {
            Some("build of Windows not known: what differs from Windows' own services weighs half")
        }
        Standing::NotMeasured => Some(
            "build of Windows not measured: what differs from Windows' own services weighs half",
        ),
        Standing::Server => Some(
            "no server of this build was measured: what differs from Windows' own services weighs half",
        ),
    }
}

fn coverage(host: &Host) -> Vec<CoverageReport> {
    let report = |(origin, span): (Origin, Option<&crate::host::Span>)| CoverageReport {
        origin,
        state: span.map_or(State::Absent, |span| span.state),
        from: span.and_then(|span| span.from).map(Stamp),
        to: span.and_then(|span| span.to).map(Stamp),
        gaps: host
            .coverage
            .gaps(origin)
            .iter()
            .map(|gap| GapReport { from: Stamp(gap.from), to: Stamp(gap.to), reason: gap.reason })
            .collect(),
        cleared: host.coverage.clearings(origin).iter().map(clearing).collect(),
        unrecorded: host.coverage.unrecorded(origin).into_iter().collect(),
        notes: {
            let mut notes = span.map(|span| span.notes.clone()).unwrap_or_default();
            if origin == Origin::SystemHive && span.is_some() {
                notes.extend(unmeasured(host).map(str::to_owned));
            }
            notes
        },
    };
    // Rules and lists are no evidence that is missing where nobody gave any; catalogs matter where there are files.
    let optional = [
        Origin::SigmaRules,
        Origin::KnownDestinations,
        Origin::Catalogs,
        Origin::KnownBad,
        Origin::KnownGood,
        Origin::YaraRules,
        Origin::Baseline,
    ];
    let is_said = |(origin, span): &(Origin, Option<&crate::host::Span>)| {
        !optional.contains(origin) || span.is_some()
    };
    host.coverage.iter().filter(is_said).map(report).collect()
}

fn clearing(one: &Clearing) -> ClearingReport {
    ClearingReport {
        time: Stamp(one.time),
        channel: one.channel.clone(),
        evidence: one.evidence,
        citation: one.citation.clone(),
    }
}

fn system_settings(host: &Host) -> Vec<SystemSetting> {
    let word = |kind| match kind {
        SettingKind::ScmSecurity => "scm_security",
        SettingKind::ScmRemoteExemption => "scm_remote_exemption",
        SettingKind::MiniNt => "mini_nt",
        SettingKind::ScmExtension => "scm_extension",
        SettingKind::EventLogChannel => "event_log_channel",
        SettingKind::Autologger => "autologger",
    };
    let setting = |setting: &crate::host::fact::Setting| SystemSetting {
        kind: word(setting.kind).to_owned(),
        value: setting.value.clone(),
        citation: setting.citation.clone(),
    };
    host.settings.iter().map(setting).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_zone_is_named_with_its_offset() {
        for (bias, label) in
            [(Some(-60), "Z (UTC+1)"), (Some(300), "Z (UTC-5)"), (Some(-330), "Z (UTC+5:30)")]
        {
            let zone = HostIdentity {
                time_zone: Some("Z".into()),
                time_zone_bias_minutes: bias,
                ..HostIdentity::default()
            };
            assert_eq!(zone.zone().as_deref(), Some(label));
        }
    }
}
