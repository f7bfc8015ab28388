//! A fresh SYSTEM hive.

use jiff::{SignedDuration, Timestamp};

use super::clock::Clock;
use super::hives::CONTROL_SET;
use super::stock;
use crate::lab::regf::{Data, Hive, KeyId};
use crate::lab::scenario::{Host, ScenarioError};
use crate::lab::security_descriptor;
use crate::time::to_filetime;

/// Security of registry keys made by the system.
const KEY_SECURITY: &str =
    "O:BAG:SYD:(A;CI;KR;;;BU)(A;CI;KA;;;BA)(A;CI;KA;;;SY)(A;CI;KA;;;CO)(A;CI;KR;;;AC)";
/// Security of registry keys made at run time by the service control manager.
pub(super) const MANAGER_KEY_SECURITY: &str =
    "O:SYG:SYD:(A;CIID;KR;;;BU)(A;CIID;KA;;;BA)(A;CIID;KA;;;SY)(A;CIIOID;KA;;;CO)(A;CIID;KR;;;AC)";
/// Security of registry keys made at run time by an administrator's tool.
pub(super) const ADMIN_KEY_SECURITY: &str =
    "O:BAG:SYD:(A;CIID;KR;;;BU)(A;CIID;KA;;;BA)(A;CIID;KA;;;SY)(A;CIIOID;KA;;;CO)(A;CIID;KR;;;AC)";
/// The usual rights on a service.
pub(super) const SERVICE_SECURITY: &str = "O:SYG:SYD:(A;;CCLCSWRPWPDTLOCRRC;;;SY)\
    (A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;BA)(A;;CCLCSWLOCRRC;;;IU)(A;;CCLCSWLOCRRC;;;SU)";

/// Keys below Services that configure something and are no services: they have no Type.
const CONFIGURATION_KEYS: &[&str] = &[
    ".NET CLR Data",
    ".NET CLR Networking",
    ".NETFramework",
    "adsi",
    "BattC",
    "crypt32",
    "ESENT",
    "inetaccs",
    "ldap",
    "Lsa",
    "PerfDisk",
    "PerfNet",
    "PerfOS",
    "PerfProc",
    "PortProxy",
    "TSDDD",
    "Winsock",
    "WinSock2",
    "WmiApRpl",
];
const SAFE_MINIMAL: &[&str] = &[
    "AppMgmt",
    "Base",
    "Boot Bus Extender",
    "CryptSvc",
    "DcomLaunch",
    "EventLog",
    "PlugPlay",
    "RpcSs",
    "WinMgmt",
];
const SAFE_NETWORK: &[&str] = &[
    "AFD",
    "BFE",
    "Dhcp",
    "DnsCache",
    "LanmanServer",
    "LanmanWorkstation",
    "Netlogon",
    "NSI",
    "Tcpip",
];
/// Of the system keys below Services, one in this many is touched at each boot.
const TOUCHED_AT_BOOT: u64 = 6;

/// The bytes of one of the descriptors above.
pub(super) fn descriptor(sddl: &str) -> Vec<u8> {
    security_descriptor(sddl).unwrap_or_default()
}

/// The hive of a host that was just installed.
pub(super) fn build(host: &Host, clock: &mut Clock) -> Result<Hive, ScenarioError> {
    let imaged = host.imaged;
    let mut hive = Hive::new("ROOT", &descriptor(KEY_SECURITY), imaged);
    let select = hive.create("Select", host.installed);
    for (name, value) in [("Current", 1), ("Default", 1), ("Failed", 0), ("LastKnownGood", 1)] {
        hive.set(select, name, &Data::Dword(value), host.installed);
    }
    control(&mut hive, host)?;
    let services = hive.create(&format!(r"{CONTROL_SET}\Services"), imaged);
    for (service, number) in stock::services().iter().zip(0_i64..) {
        // The image build writes its keys within two minutes.
        let at = imaged.saturating_add(SignedDuration::from_millis(number * 173)).unwrap_or(imaged);
        service.write(&mut hive, services, at);
    }
    for name in CONFIGURATION_KEYS {
        let key = hive.create_child(services, name, imaged);
        hive.create_child(
            key,
            if name.starts_with("Win") { "Parameters" } else { "Performance" },
            imaged,
        );
    }
    time_provider(&mut hive, services, imaged);
    if host.posture {
        logs(&mut hive, services, imaged);
    }
    touch_at_boot(&mut hive, services, host.shut_down, clock);
    Ok(hive)
}

/// The hive of a host that has lived before, up to its last shutdown.
pub(super) fn settle(before: &Hive, host: &Host, clock: &mut Clock) -> Hive {
    let mut hive = before.clone();
    let name = format!(r"{CONTROL_SET}\Control\ComputerName\ComputerName");
    let key = hive.create(&name, host.installed);
    hive.set(key, "ComputerName", &Data::Text(host.name.clone()), host.installed);
    note_shutdown(&mut hive, host.shut_down);
    if let Some(services) = hive.find(&format!(r"{CONTROL_SET}\Services")) {
        touch_at_boot(&mut hive, services, host.shut_down, clock);
    }
    hive
}

fn control(hive: &mut Hive, host: &Host) -> Result<(), ScenarioError> {
    let at = host.installed;
    let path = |name: &str| format!(r"{CONTROL_SET}\Control\{name}");
    let key = hive.create(&path(r"ComputerName\ComputerName"), at);
    hive.set(key, "", &Data::Text("mnmsrvc".to_owned()), host.imaged);
    hive.set(key, "ComputerName", &Data::Text(host.name.clone()), at);
    let key = hive.create(&path("TimeZoneInformation"), at);
    let zone = &host.time_zone;
    for (name, minutes) in [
        ("Bias", zone.bias),
        ("DaylightBias", -60),
        ("StandardBias", 0),
        ("ActiveTimeBias", zone.active_bias),
    ] {
        hive.set(key, name, &Data::Dword(minutes.cast_unsigned()), at);
    }
    hive.set(key, "TimeZoneKeyName", &Data::Text(zone.key.clone()), at);
    let key = hive.create(&path("Windows"), host.imaged);
    hive.set(key, "CSDBuildNumber", &Data::Dword(host.windows.revision), host.imaged);
    hive.set(key, "Directory", &Data::ExpandText("%SystemRoot%".to_owned()), host.imaged);
    note_shutdown(hive, host.shut_down);
    let key = hive.create(&path("ProductOptions"), host.imaged);
    let product = if host.windows.server { "ServerNT" } else { "WinNT" };
    hive.set(key, "ProductType", &Data::Text(product.to_owned()), host.imaged);
    if host.posture {
        let key = hive.create(&path("Lsa"), host.imaged);
        hive.set(key, "LimitBlankPasswordUse", &Data::Dword(1), host.imaged);
        let key = hive.create(&path(r"SecurePipeServers\winreg"), host.imaged);
        hive.set_security(key, &descriptor("O:BAG:BAD:(A;;KR;;;LS)(A;;KA;;;BA)(A;;KR;;;BO)"));
    }
    let key = hive.create(&path("SafeBoot"), host.imaged);
    hive.set(key, "AlternateShell", &Data::Text("cmd.exe".to_owned()), host.imaged);
    for (mode, more) in [("Minimal", &[][..]), ("Network", SAFE_NETWORK)] {
        for name in SAFE_MINIMAL.iter().chain(more) {
            let key = hive.create(&path(&format!(r"SafeBoot\{mode}\{name}")), host.imaged);
            let kind =
                if name.contains("Bus") || *name == "Base" { "Driver Group" } else { "Service" };
            hive.set(key, "", &Data::Text(kind.to_owned()), host.imaged);
        }
    }
    match zone.bias {
        -840..=720 => Ok(()),
        bias => Err(ScenarioError::Value(bias.to_string(), "a time zone bias in minutes")),
    }
}

/// Windows notes the time of a shutdown.
pub(super) fn note_shutdown(hive: &mut Hive, at: Timestamp) {
    let key = hive.create(&format!(r"{CONTROL_SET}\Control\Windows"), at);
    let time = to_filetime(at).to_le_bytes().to_vec();
    hive.set(key, "ShutdownTime", &Data::Binary(time), at);
}

/// The classic logs of the event log service, with the sizes they come with.
fn logs(hive: &mut Hive, services: KeyId, at: Timestamp) {
    let Some(service) = hive.child(services, "EventLog") else { return };
    let sizes =
        [("System", 20_971_520), ("Security", 20_971_520), ("Windows PowerShell", 15_728_640)];
    for (name, size) in sizes {
        let key = hive.create_child(service, name, at);
        let file = format!(r"%SystemRoot%\System32\winevt\Logs\{name}.evtx");
        hive.set(key, "File", &Data::ExpandText(file), at);
        hive.set(key, "MaxSize", &Data::Dword(size), at);
        hive.set(key, "Retention", &Data::Dword(0), at);
    }
}

fn time_provider(hive: &mut Hive, services: KeyId, at: Timestamp) {
    for (name, enabled) in [("NtpClient", 1), ("NtpServer", 0)] {
        let Some(service) = hive.child(services, "W32Time") else { return };
        let providers = hive.create_child(service, "TimeProviders", at);
        let key = hive.create_child(providers, name, at);
        let dll = r"%systemroot%\system32\w32time.dll".to_owned();
        hive.set(key, "DllName", &Data::ExpandText(dll), at);
        hive.set(key, "Enabled", &Data::Dword(enabled), at);
        hive.set(key, "InputProvider", &Data::Dword(u32::from(name == "NtpClient")), at);
    }
}

/// Booting rewrites some driver keys: their times lie a little before the last shutdown.
fn touch_at_boot(hive: &mut Hive, services: KeyId, shut_down: Timestamp, clock: &mut Clock) {
    for key in hive.children(services) {
        let driver = matches!(hive.value(key, "Type"), Some(Data::Dword(1 | 2)));
        if driver && clock.below(TOUCHED_AT_BOOT) == 0 {
            let minutes = i64::try_from(clock.below(30)).unwrap_or(0).saturating_add(600);
            let before = SignedDuration::from_mins(minutes);
            hive.set_last_write(key, shut_down.saturating_sub(before).unwrap_or(shut_down));
        }
    }
}
