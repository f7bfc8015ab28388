//! Which logs a rule speaks of: `logsource` to channels and event ids.
//!
//! Channels and ids are facts of Windows and of Sysmon's schema; which of them a `service` or `category` stands for is
//! given by the Sigma log source taxonomy (sigma-specification, appendix "taxonomy", as of 2026-08) and, for the
//! audit events beside Sysmon's, by pySigma-pipeline-windows 2.0.1.

use rsigma_parser::LogSource;

const SYSMON: &str = "Microsoft-Windows-Sysmon/Operational";
const SECURITY: &str = "Security";
const POWERSHELL: &str = "Windows PowerShell";

/// Records of a channel that a rule is to see.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Listen {
    /// The channel; `None` for whatever is read.
    pub(super) channel: Option<&'static str>,
    /// The event ids; empty for all.
    pub(super) ids: Vec<u16>,
    /// What a field must say besides: its name and the values, compared without case.
    pub(super) only: Option<(&'static str, &'static [&'static str])>,
}

/// The records that one `category` means in one channel.
pub(super) struct Records {
    pub(super) channel: &'static str,
    pub(super) ids: &'static [u16],
    pub(super) only: Option<(&'static str, &'static [&'static str])>,
    /// Every field such a record can have, in lower case and with its other names; empty where that is open.
    pub(super) fields: &'static [&'static str],
}

/// Why a log source cannot be listened to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Deaf {
    /// It is not one of Windows.
    NotWindows,
    /// Windows has no event log for it, or none is known.
    Unmapped(String),
}

/// What a log source listens to; `ids` are the event ids that the rule's own condition demands, where it demands any.
pub(super) fn listens(source: &LogSource, ids: Option<&[u16]>) -> Result<Vec<Listen>, Deaf> {
    let given = |value: &Option<String>| value.as_deref().map(str::to_ascii_lowercase);
    let (product, category, service) =
        (given(&source.product), given(&source.category), given(&source.service));
    if product.as_deref().is_some_and(|product| product != "windows") {
        return Err(Deaf::NotWindows);
    }
    let wanted = ids.unwrap_or_default();
    let by_service = service.as_deref().map(|name| (name, channels(name)));
    if let Some((name, None)) = by_service {
        return Err(unknown(product.as_ref(), "service", name));
    }
    let channels = by_service.and_then(|(_, channels)| channels);
    let Some(category) = category else {
        if product.is_none() && channels.is_none() {
            return Err(Deaf::Unmapped("it names no log source".to_owned()));
        }
        let listen = |channel| Listen { channel, ids: wanted.to_vec(), only: None };
        return Ok(match channels {
            Some(channels) => channels.iter().map(|channel| listen(Some(*channel))).collect(),
            None => vec![listen(None)],
        });
    };
    let Some(records) = records(&category) else {
        return Err(unknown(product.as_ref(), "category", &category));
    };
    let of_service =
        |one: &&Records| channels.is_none_or(|channels| channels.contains(&one.channel));
    let listen = |one: &Records| Listen {
        channel: Some(one.channel),
        ids: one.ids.to_vec(),
        only: one.only,
    };
    let found: Vec<Listen> = records.iter().filter(of_service).map(listen).collect();
    if found.is_empty() {
        let service = service.unwrap_or_default();
        return Err(Deaf::Unmapped(format!(
            "service {service} has no events of category {category}"
        )));
    }
    Ok(found)
}

/// A log source without a product that Windows does not know is that of something else.
fn unknown(product: Option<&String>, what: &str, name: &str) -> Deaf {
    match product {
        Some(_) => Deaf::Unmapped(format!("no event log is known for {what} {name}")),
        None => Deaf::NotWindows,
    }
}

fn channels(service: &str) -> Option<&'static [&'static str]> {
    SERVICES.iter().find(|(name, _)| *name == service).map(|(_, channels)| *channels)
}

/// The records that a category means.
pub(super) fn records(category: &str) -> Option<&'static [Records]> {
    CATEGORIES.iter().find(|(name, _)| *name == category).map(|(_, records)| *records)
}

const fn sysmon(ids: &'static [u16], fields: &'static [&'static str]) -> Records {
    Records { channel: SYSMON, ids, only: None, fields }
}

const PROCESS_AUDIT: &[&str] = &[
    "commandline",
    "image",
    "integritylevel",
    "logonid",
    "mandatorylabel",
    "newprocessid",
    "newprocessname",
    "parentimage",
    "parentprocessid",
    "parentprocessname",
    "processcommandline",
    "processid",
    "subjectdomainname",
    "subjectlogonid",
    "subjectusername",
    "subjectusersid",
    "targetdomainname",
    "targetlogonid",
    "targetusername",
    "targetusersid",
    "tokenelevationtype",
    "user",
];
const PROCESS_SYSMON: &[&str] = &[
    "commandline",
    "company",
    "currentdirectory",
    "description",
    "fileversion",
    "hashes",
    "image",
    "imphash",
    "integritylevel",
    "logonguid",
    "logonid",
    "md5",
    "newprocessid",
    "newprocessname",
    "originalfilename",
    "parentcommandline",
    "parentimage",
    "parentprocessguid",
    "parentprocessid",
    "parentprocessname",
    "parentuser",
    "processcommandline",
    "processguid",
    "processid",
    "product",
    "rulename",
    "sha1",
    "sha256",
    "terminalsessionid",
    "user",
    "utctime",
];
const REGISTRY_SYSMON: &[&str] = &[
    "details",
    "eventtype",
    "image",
    "newname",
    "newvalue",
    "objectname",
    "objectvaluename",
    "processguid",
    "processid",
    "processname",
    "rulename",
    "targetobject",
    "user",
    "utctime",
];
const REGISTRY_AUDIT: &[&str] = &[
    "details",
    "eventtype",
    "handleid",
    "image",
    "logonid",
    "newvalue",
    "newvaluetype",
    "objectname",
    "objectvaluename",
    "oldvalue",
    "oldvaluetype",
    "operationtype",
    "processid",
    "processname",
    "subjectdomainname",
    "subjectlogonid",
    "subjectusername",
    "subjectusersid",
    "targetobject",
    "user",
];
const NETWORK_SYSMON: &[&str] = &[
    "application",
    "destaddress",
    "destinationhostname",
    "destinationip",
    "destinationisipv6",
    "destinationport",
    "destinationportname",
    "destport",
    "image",
    "initiated",
    "processguid",
    "processid",
    "protocol",
    "rulename",
    "sourceaddress",
    "sourcehostname",
    "sourceip",
    "sourceisipv6",
    "sourceport",
    "sourceportname",
    "user",
    "utctime",
];
const NETWORK_AUDIT: &[&str] = &[
    "application",
    "destaddress",
    "destinationip",
    "destinationport",
    "destport",
    "direction",
    "filterrtid",
    "image",
    "initiated",
    "layername",
    "layerrtid",
    "processid",
    "protocol",
    "remotemachineid",
    "remoteuserid",
    "sourceaddress",
    "sourceip",
    "sourceport",
];
const FILE: &[&str] = &[
    "archived",
    "company",
    "contents",
    "creationutctime",
    "description",
    "hash",
    "hashes",
    "image",
    "imphash",
    "isexecutable",
    "md5",
    "previouscreationutctime",
    "processguid",
    "processid",
    "product",
    "rulename",
    "sha1",
    "sha256",
    "targetfilename",
    "user",
    "utctime",
];
const MODULE: &[&str] = &[
    "company",
    "description",
    "fileversion",
    "hashes",
    "image",
    "imageloaded",
    "imphash",
    "md5",
    "originalfilename",
    "processguid",
    "processid",
    "product",
    "rulename",
    "sha1",
    "sha256",
    "signature",
    "signaturestatus",
    "signed",
    "user",
    "utctime",
];
const THREAD: &[&str] = &[
    "newthreadid",
    "rulename",
    "sourceimage",
    "sourceprocessguid",
    "sourceprocessid",
    "sourceuser",
    "startaddress",
    "startfunction",
    "startmodule",
    "targetimage",
    "targetprocessguid",
    "targetprocessid",
    "targetuser",
    "utctime",
];
const ACCESS: &[&str] = &[
    "calltrace",
    "grantedaccess",
    "rulename",
    "sourceimage",
    "sourceprocessguid",
    "sourceprocessid",
    "sourcethreadid",
    "sourceuser",
    "targetimage",
    "targetprocessguid",
    "targetprocessid",
    "targetuser",
    "utctime",
];
const PIPE: &[&str] =
    &["eventtype", "image", "pipename", "processguid", "processid", "rulename", "user", "utctime"];
const DNS: &[&str] = &[
    "image",
    "processguid",
    "processid",
    "queryname",
    "queryresults",
    "querystatus",
    "rulename",
    "user",
    "utctime",
];
const SCRIPT: &[&str] =
    &["messagenumber", "messagetotal", "path", "scriptblockid", "scriptblocktext"];
const PS_MODULE: &[&str] = &["contextinfo", "payload", "userdata"];

/// 4657: `OperationType`, %%1904 created, %%1905 modified, %%1906 deleted.
const VALUE_SET: Option<(&str, &[&str])> = Some(("operationtype", &["%%1904", "%%1905"]));
const VALUE_CREATED: Option<(&str, &[&str])> = Some(("operationtype", &["%%1904"]));
const VALUE_DELETED: Option<(&str, &[&str])> = Some(("operationtype", &["%%1906"]));

const fn audited(only: Option<(&'static str, &'static [&'static str])>) -> Records {
    Records { channel: SECURITY, ids: &[4657], only, fields: REGISTRY_AUDIT }
}

const fn classic(ids: &'static [u16]) -> Records {
    Records { channel: POWERSHELL, ids, only: None, fields: &[] }
}

const fn operational(
    channel: &'static str,
    ids: &'static [u16],
    fields: &'static [&'static str],
) -> Records {
    Records { channel, ids, only: None, fields }
}

const PS: &str = "Microsoft-Windows-PowerShell/Operational";
const PS_CORE: &str = "PowerShellCore/Operational";

/// Categories of the taxonomy. `file_access` and `file_rename` are events of a trace session that no log on disk holds.
const CATEGORIES: &[(&str, &[Records])] = &[
    (
        "process_creation",
        &[
            Records { channel: SECURITY, ids: &[4688], only: None, fields: PROCESS_AUDIT },
            sysmon(&[1], PROCESS_SYSMON),
        ],
    ),
    (
        "process_termination",
        &[Records { channel: SECURITY, ids: &[4689], only: None, fields: &[] }, sysmon(&[5], &[])],
    ),
    ("file_change", &[sysmon(&[2], FILE)]),
    (
        "network_connection",
        &[
            Records { channel: SECURITY, ids: &[5156], only: None, fields: NETWORK_AUDIT },
            sysmon(&[3], NETWORK_SYSMON),
        ],
    ),
    ("sysmon_status", &[sysmon(&[4, 16], &[])]),
    ("driver_load", &[sysmon(&[6], MODULE)]),
    ("image_load", &[sysmon(&[7], MODULE)]),
    ("create_remote_thread", &[sysmon(&[8], THREAD)]),
    ("raw_access_thread", &[sysmon(&[9], &[])]),
    ("process_access", &[sysmon(&[10], ACCESS)]),
    ("file_event", &[sysmon(&[11], FILE)]),
    ("registry_event", &[audited(None), sysmon(&[12, 13, 14], REGISTRY_SYSMON)]),
    (
        "registry_add",
        &[
            audited(VALUE_CREATED),
            Records {
                channel: SYSMON,
                ids: &[12],
                only: Some(("eventtype", &["CreateKey", "CreateValue"])),
                fields: REGISTRY_SYSMON,
            },
        ],
    ),
    (
        "registry_delete",
        &[
            audited(VALUE_DELETED),
            Records {
                channel: SYSMON,
                ids: &[12],
                only: Some(("eventtype", &["DeleteKey", "DeleteValue"])),
                fields: REGISTRY_SYSMON,
            },
        ],
    ),
    ("registry_set", &[audited(VALUE_SET), sysmon(&[13], REGISTRY_SYSMON)]),
    ("registry_rename", &[sysmon(&[14], REGISTRY_SYSMON)]),
    ("create_stream_hash", &[sysmon(&[15], FILE)]),
    ("pipe_created", &[sysmon(&[17, 18], PIPE)]),
    ("wmi_event", &[sysmon(&[19, 20, 21], &[])]),
    ("dns_query", &[sysmon(&[22], DNS)]),
    ("file_delete", &[sysmon(&[23, 26], FILE)]),
    ("file_delete_detected", &[sysmon(&[26], FILE)]),
    ("clipboard_capture", &[sysmon(&[24], &[])]),
    ("clipboard_change", &[sysmon(&[24], &[])]),
    ("process_tampering", &[sysmon(&[25], &[])]),
    ("file_block_executable", &[sysmon(&[27], FILE)]),
    ("file_block", &[sysmon(&[27], FILE)]),
    ("file_block_shredding", &[sysmon(&[28], FILE)]),
    ("file_executable_detected", &[sysmon(&[29], FILE)]),
    ("sysmon_error", &[sysmon(&[255], &[])]),
    ("ps_module", &[operational(PS, &[4103], PS_MODULE), operational(PS_CORE, &[4103], PS_MODULE)]),
    ("ps_script", &[operational(PS, &[4104], SCRIPT), operational(PS_CORE, &[4104], SCRIPT)]),
    ("ps_classic_start", &[classic(&[400])]),
    ("ps_classic_provider_start", &[classic(&[600])]),
    ("ps_classic_script", &[classic(&[800])]),
];

/// Services of the taxonomy and the channels Windows writes for them.
const SERVICES: &[(&str, &[&str])] = &[
    ("application", &["Application"]),
    (
        "applocker",
        &[
            "Microsoft-Windows-AppLocker/MSI and Script",
            "Microsoft-Windows-AppLocker/EXE and DLL",
            "Microsoft-Windows-AppLocker/Packaged app-Deployment",
            "Microsoft-Windows-AppLocker/Packaged app-Execution",
        ],
    ),
    ("appmodel-runtime", &["Microsoft-Windows-AppModel-Runtime/Admin"]),
    ("appxdeployment-server", &["Microsoft-Windows-AppXDeploymentServer/Operational"]),
    ("appxpackaging-om", &["Microsoft-Windows-AppxPackaging/Operational"]),
    ("bitlocker", &["Microsoft-Windows-BitLocker/BitLocker Management"]),
    ("bits-client", &["Microsoft-Windows-Bits-Client/Operational"]),
    ("capi2", &["Microsoft-Windows-CAPI2/Operational"]),
    (
        "certificateservicesclient-lifecycle-system",
        &["Microsoft-Windows-CertificateServicesClient-Lifecycle-System/Operational"],
    ),
    ("codeintegrity-operational", &["Microsoft-Windows-CodeIntegrity/Operational"]),
    ("dhcp", &["Microsoft-Windows-DHCP-Server/Operational"]),
    ("diagnosis-scripted", &["Microsoft-Windows-Diagnosis-Scripted/Operational"]),
    (
        "dns-client",
        &[
            "Microsoft-Windows-DNS-Client/Operational",
            "Microsoft-Windows-DNS Client Events/Operational",
        ],
    ),
    ("dns-server", &["DNS Server"]),
    ("dns-server-analytic", &["Microsoft-Windows-DNS-Server/Analytical"]),
    ("dns-server-audit", &["Microsoft-Windows-DNS-Server/Audit"]),
    ("driver-framework", &["Microsoft-Windows-DriverFrameworks-UserMode/Operational"]),
    ("firewall-as", &["Microsoft-Windows-Windows Firewall With Advanced Security/Firewall"]),
    ("hyper-v-worker", &["Microsoft-Windows-Hyper-V-Worker-Admin"]),
    ("iis-configuration", &["Microsoft-IIS-Configuration/Operational"]),
    ("kernel-event-tracing", &["Microsoft-Windows-Kernel-EventTracing/Admin"]),
    ("kernel-shimengine", &["Microsoft-Windows-Kernel-ShimEngine/Operational"]),
    ("ldap", &["Microsoft-Windows-LDAP-Client/Debug"]),
    ("ldap_debug", &["Microsoft-Windows-LDAP-Client/Debug"]),
    ("lsa-server", &["Microsoft-Windows-LSA/Operational"]),
    ("microsoft-servicebus-client", &["Microsoft-ServiceBus-Client"]),
    ("msexchange-management", &["MSExchange Management"]),
    ("ntfs", &["Microsoft-Windows-Ntfs/Operational"]),
    ("ntlm", &["Microsoft-Windows-NTLM/Operational"]),
    ("openssh", &["OpenSSH/Operational"]),
    ("powershell", &[PS, PS_CORE]),
    ("powershell-classic", &[POWERSHELL]),
    ("printservice-admin", &["Microsoft-Windows-PrintService/Admin"]),
    ("printservice-operational", &["Microsoft-Windows-PrintService/Operational"]),
    ("security", &[SECURITY]),
    (
        "security-mitigations",
        &[
            "Microsoft-Windows-Security-Mitigations/KernelMode",
            "Microsoft-Windows-Security-Mitigations/Kernel Mode",
            "Microsoft-Windows-Security-Mitigations/UserMode",
            "Microsoft-Windows-Security-Mitigations/User Mode",
        ],
    ),
    ("sense", &["Microsoft-Windows-SENSE/Operational"]),
    ("shell-core", &["Microsoft-Windows-Shell-Core/Operational"]),
    ("smbclient-connectivity", &["Microsoft-Windows-SmbClient/Connectivity"]),
    ("smbclient-security", &["Microsoft-Windows-SmbClient/Security"]),
    ("smbserver-connectivity", &["Microsoft-Windows-SMBServer/Connectivity"]),
    ("sysmon", &[SYSMON]),
    ("system", &["System"]),
    ("taskscheduler", &["Microsoft-Windows-TaskScheduler/Operational"]),
    (
        "terminalservices-localsessionmanager",
        &["Microsoft-Windows-TerminalServices-LocalSessionManager/Operational"],
    ),
    ("vhdmp", &["Microsoft-Windows-VHDMP-Operational"]),
    ("windefend", &["Microsoft-Windows-Windows Defender/Operational"]),
    ("wmi", &["Microsoft-Windows-WMI-Activity/Operational"]),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn source(product: &str, category: &str, service: &str) -> LogSource {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        LogSource {
            product: given(product),
            category: given(category),
            service: given(service),
            ..LogSource::default()
        }
    }

    fn heard(
        product: &str,
        category: &str,
        service: &str,
    ) -> Result<Vec<(String, Vec<u16>)>, Deaf> {
        let listens = listens(&source(product, category, service), Some(&[7045]))?;
        let name = |listen: Listen| (listen.channel.unwrap_or("*").to_owned(), listen.ids);
        Ok(listens.into_iter().map(name).collect())
    }

    #[test]
    fn log_sources_are_channels_and_ids() {
        let one = |channel: &str, ids: &[u16]| Ok(vec![(channel.to_owned(), ids.to_vec())]);
        assert_eq!(heard("windows", "", "system"), one("System", &[7045]));
        assert_eq!(heard("Windows", "", "System"), one("System", &[7045]));
        assert_eq!(heard("windows", "", ""), one("*", &[7045]));
        assert_eq!(heard("", "dns_query", ""), one(SYSMON, &[22]));
        assert_eq!(heard("windows", "process_creation", "sysmon"), one(SYSMON, &[1]));
        assert_eq!(
            heard("windows", "process_creation", "").map(|listens| listens.len()),
            Ok(2),
            "the audit event and Sysmon's"
        );
        for (product, category, service) in
            [("linux", "process_creation", ""), ("", "proxy", ""), ("", "", "sshd")]
        {
            let deaf = heard(product, category, service);
            assert_eq!(deaf, Err(Deaf::NotWindows), "{product} {category} {service}");
        }
        for (product, category, service) in [
            ("windows", "file_access", ""),
            ("windows", "", "iis"),
            ("windows", "dns_query", "security"),
            ("", "", ""),
        ] {
            let deaf = heard(product, category, service);
            assert!(matches!(deaf, Err(Deaf::Unmapped(_))), "{product} {category} {service}");
        }
    }

    #[test]
    fn the_tables_are_sorted_out() {
        let names: BTreeSet<&str> = SERVICES.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), SERVICES.len());
        let names: BTreeSet<&str> = CATEGORIES.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), CATEGORIES.len());
        for (name, records) in CATEGORIES {
            for one in *records {
                assert!(!one.ids.is_empty(), "{name}");
                assert!(
                    one.fields.iter().all(|field| *field == field.to_ascii_lowercase()),
                    "{name}"
                );
            }
        }
    }
}
