//! The part of a SOFTWARE hive that service triage reads: version, svchost groups, profiles, and what is recorded.

use std::collections::BTreeMap;

use super::hives::CONTROL_SET;
use super::stock;
use super::system_hive::descriptor;
use crate::lab::Sid;
use crate::lab::regf::{Data, Hive};
use crate::lab::scenario::{Host, ScenarioError, User};
use crate::time::to_filetime;

const CURRENT_VERSION: &str = r"Microsoft\Windows NT\CurrentVersion";
const KEY_SECURITY: &str = "O:SYG:SYD:(A;CI;KR;;;BU)(A;CI;KA;;;BA)(A;CI;KA;;;SY)(A;CI;KA;;;CO)";

/// The first build of Windows 10.
const WINDOWS_10: u32 = 10_240;

/// The hive of a host that was just installed.
pub(super) fn build(
    host: &Host,
    users: &[User],
    groups: BTreeMap<String, Vec<String>>,
) -> Result<Hive, ScenarioError> {
    let mut hive = Hive::new("ROOT", &descriptor(KEY_SECURITY), host.imaged);
    version(&mut hive, host);
    if host.posture {
        recording(&mut hive, host);
    }
    let svchost = hive.create(&format!(r"{CURRENT_VERSION}\Svchost"), host.imaged);
    for (group, services) in groups {
        hive.set(svchost, &group, &Data::Texts(services), host.imaged);
    }
    for user in users {
        let sid = Sid::parse(&user.sid)
            .ok_or_else(|| ScenarioError::Value(user.sid.clone(), "a security identifier"))?;
        let key =
            hive.create(&format!(r"{CURRENT_VERSION}\ProfileList\{}", sid.text()), host.installed);
        let path = format!(r"C:\Users\{}", user.name);
        hive.set(key, "ProfileImagePath", &Data::ExpandText(path), host.installed);
        hive.set(key, "Sid", &Data::Binary(sid.bytes().to_vec()), host.installed);
    }
    Ok(hive)
}

fn version(hive: &mut Hive, host: &Host) {
    let (windows, at) = (&host.windows, host.installed);
    let key = hive.create(CURRENT_VERSION, at);
    let build = windows.build.to_string();
    let kind = if windows.server { "Server" } else { "Client" };
    for (name, text) in [
        ("SystemRoot", r"C:\Windows"),
        ("CurrentBuild", &build),
        ("CurrentBuildNumber", &build),
        ("CurrentVersion", kernel(windows.build)),
        ("EditionID", &windows.edition),
        ("InstallationType", kind),
        ("ProductName", &windows.product),
        ("ReleaseId", &windows.release),
    ] {
        // Versions before Windows 10 have no release.
        if !text.is_empty() {
            hive.set(key, name, &Data::Text(text.to_owned()), at);
        }
    }
    if let Some(version) = &windows.display_version {
        hive.set(key, "DisplayVersion", &Data::Text(version.clone()), at);
    }
    let seconds = u32::try_from(at.as_second()).unwrap_or(0);
    let is_ten = windows.build >= WINDOWS_10;
    for (name, number, there) in [
        ("CurrentMajorVersionNumber", 10, is_ten),
        ("CurrentMinorVersionNumber", 0, is_ten),
        ("InstallDate", seconds, true),
        ("UBR", windows.revision, is_ten),
    ] {
        if there {
            hive.set(key, name, &Data::Dword(number), at);
        }
    }
    if is_ten {
        hive.set(key, "InstallTime", &Data::Qword(to_filetime(at)), at);
    }
}

/// `CurrentVersion`, which stopped counting at Windows 8.1.
const fn kernel(build: u32) -> &'static str {
    match build {
        ..2600 => "4.0",
        2600..3790 => "5.1",
        3790..6000 => "5.2",
        6000..7600 => "6.0",
        7600..9200 => "6.1",
        9200..9600 => "6.2",
        _ => "6.3",
    }
}

/// Whoever has processes audited wants their command lines; script blocks are recorded everywhere here, see the log of
/// PowerShell. Channels are as Windows and Sysmon make them.
fn recording(hive: &mut Hive, host: &Host) {
    let at = host.installed;
    if host.audit.processes {
        let path = r"Microsoft\Windows\CurrentVersion\Policies\System\Audit";
        let key = hive.create(path, at);
        hive.set(key, "ProcessCreationIncludeCmdLine_Enabled", &Data::Dword(1), at);
    }
    let key = hive.create(r"Policies\Microsoft\Windows\PowerShell\ScriptBlockLogging", at);
    hive.set(key, "EnableScriptBlockLogging", &Data::Dword(1), at);
    let channels = [
        ("Microsoft-Windows-PowerShell/Operational", 15_728_640, true),
        ("Microsoft-Windows-Sysmon/Operational", 67_108_864, host.sysmon),
    ];
    for (name, size, _) in channels.into_iter().filter(|(.., there)| *there) {
        let path = format!(r"Microsoft\Windows\CurrentVersion\WINEVT\Channels\{name}");
        let key = hive.create(&path, host.imaged);
        for (name, number) in [("Enabled", 1), ("MaxSize", size), ("Retention", 0), ("Type", 1)] {
            hive.set(key, name, &Data::Dword(number), host.imaged);
        }
    }
}

/// The svchost groups of the stock services, each with its members.
pub(super) fn stock_groups() -> BTreeMap<String, Vec<String>> {
    let services = stock::services().iter();
    group(services.map(|service| (service.name.as_str(), service.image_path.as_str())))
}

/// The svchost groups of the services of a SYSTEM hive.
pub(super) fn groups(system: &Hive) -> BTreeMap<String, Vec<String>> {
    let services = system.find(&format!(r"{CONTROL_SET}\Services"));
    let services = services.map(|services| system.children(services)).unwrap_or_default();
    group(services.into_iter().filter_map(|key| match system.value(key, "ImagePath")? {
        Data::Text(path) | Data::ExpandText(path) => Some((system.name(key), path.as_str())),
        _ => None,
    }))
}

/// Groups by the commands of services.
fn group<'a>(services: impl Iterator<Item = (&'a str, &'a str)>) -> BTreeMap<String, Vec<String>> {
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, command) in services {
        let Some((program, arguments)) = command.split_once(" -k ") else { continue };
        if !program.to_ascii_lowercase().ends_with("svchost.exe") {
            continue;
        }
        let group = arguments.split_whitespace().next().unwrap_or_default();
        let known = groups.keys().find(|known| known.eq_ignore_ascii_case(group)).cloned();
        groups.entry(known.unwrap_or_else(|| group.to_owned())).or_default().push(name.to_owned());
    }
    groups
}
