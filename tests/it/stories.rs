//! Stories of services in real logs. The expected texts were read line by line against dumps of the records.

use std::fmt::Write as _;

use svctriage::report::{HostReport, ServiceReport};

use crate::support::corpus::corpus_folder;
use crate::support::golden::assert_golden;
use crate::support::scan::scan_one;

/// A story that a log tells.
struct Told {
    /// The golden file below `tests/golden/stories`.
    golden: &'static str,
    /// The log below the folder of the corpus.
    log: &'static str,
    /// The services whose stories are told; empty for all.
    services: &'static [&'static str],
}

const SERVICES: &str =
    "TA0003-Persistence/T1543.003-Create or Modify System Process-Windows Service/";

const TOLD: &[Told] = &[
    Told {
        golden: "smbexec-7045-4697",
        log: "ID7045-4697-SMBexec service registration.evtx",
        services: &[],
    },
    Told {
        golden: "smbexec-sysmon",
        log: "/TA0005-Defense Evasion/T1112-Modify registry/ID11,13-SMBexec service registration.evtx",
        services: &["BTOBTO"],
    },
    Told {
        golden: "psexec-7045-7036",
        log: "ID7045-7036 PSexec service installation.evtx",
        services: &["PSEXESVC"],
    },
    Told {
        golden: "psexec-sysmon",
        log: "/EVTX_full_APT_attack_steps/ID11,13,17,18-PSexec as system execution.evtx",
        services: &["PSEXESVC"],
    },
    Told {
        golden: "psexec-security",
        log: "/TA0008-Lateral Movement/T1021.002-SMB Windows Admin Shares/ID4688,4697,5140-5145 PSexec remote execution + admin share.evtx",
        services: &["PSEXESVC"],
    },
    Told {
        golden: "tchopper-segment",
        log: "/TA0002-Execution/T1569.002-Service execution/ID7000,7009,7045-Payload deployed via service - Tchopper.evtx",
        services: &["seg1", "seg7"],
    },
    Told {
        golden: "mimidrv-7045",
        log: "ID7045-New service for Mimikatz +npcap.evtx",
        services: &["mimikatz driver (mimidrv)"],
    },
    Told { golden: "mimidrv-4697", log: "ID4697-New service for Mimikatz.evtx", services: &[] },
    Told { golden: "mimidrv-sysmon", log: "ID13-New service for Mimikatz.evtx", services: &[] },
    Told {
        golden: "xboxgip-failure-command",
        log: "ID800-4103-4104-Service abuse with Failure Command.evtx",
        services: &["xboxgip"],
    },
    Told {
        golden: "failure-command-4688",
        log: "ID4688-Service abuse with Failure Command.evtx",
        services: &[],
    },
    Told {
        golden: "rdp-hijack",
        log: "ID4688-4697 RDP hijack via service creation.evtx",
        services: &["hijackservice"],
    },
];

/// A story as text: the line, then every act with its records.
fn text(service: &ServiceReport) -> String {
    let mut page = String::new();
    let _ = writeln!(page, "{}", service.name);
    let _ = writeln!(page, "line: {}", service.story.line.as_deref().unwrap_or("(none)"));
    for (at, step) in service.story.steps.iter().enumerate() {
        let _ = writeln!(page, "{:>3}. {} {}", at + 1, step.time, step.label());
        if let Some(until) = step.until {
            let _ = writeln!(page, "     until {until}");
        }
        let _ = writeln!(page, "     {}", step.summary);
        if let Some(process) = &step.process {
            let _ = writeln!(
                page,
                "     process {:?} below {:?}, depth {}, {:?}",
                process.process_id, process.parent_process_id, process.depth, process.kinship
            );
        }
        let _ = writeln!(page, "     [{}]", step.records_in_short());
    }
    page
}

fn stories(report: &HostReport, names: &[&str]) -> String {
    let mut services: Vec<&ServiceReport> = report
        .services
        .iter()
        .filter(|service| names.is_empty() || names.contains(&service.name.as_str()))
        .collect();
    services.sort_by(|left, right| left.name.cmp(&right.name));
    assert!(!services.is_empty(), "none of {names:?}");
    services.into_iter().map(text).collect::<Vec<_>>().join("\n")
}

#[test]
fn stories_of_real_logs_are_told_as_the_records_have_them() {
    let Some(folder) = corpus_folder("evtx/evtx-to-mitre-attack.tar.xz") else { return };
    for told in TOLD {
        let log = match told.log.strip_prefix('/') {
            Some(path) => folder.join(path),
            None => folder.join(format!("{SERVICES}{}", told.log)),
        };
        let report = scan_one(&[log]);
        assert_golden(&format!("stories/{}.txt", told.golden), &stories(&report, told.services));
    }
}
