//! Every setting that is looked for, one literal each, in the order of the report.
//!
//! Subcategories of the audit policy are named by their GUIDs, which are the same in every language of Windows
//! (MS-GPAC; `auditpol /list /subcategory:* /v`). The events a subcategory records: Microsoft Learn, "Advanced
//! security audit policy settings".

use super::Known;
use crate::host::coverage::Origin;

/// Every setting.
pub static SETTINGS: &[&Known] = &[
    &SYSTEM_EXTENSION,
    &PROCESS_CREATION,
    &COMMAND_LINE,
    &LOGON,
    &SPECIAL_LOGON,
    &CONNECTIONS,
    &REGISTRY,
    &DETAILED_SHARE,
    &POLICY_CHANGE,
    &SENSITIVE_PRIVILEGE,
    &PROCESS_TERMINATION,
    &KERNEL_OBJECT,
    &HANDLES,
    &OTHER_OBJECTS,
    &AUDIT_POLICY,
    &LEGACY_POLICY,
    &SCRIPT_BLOCKS,
    &MODULES,
    &TRANSCRIPTS,
    &SYSMON,
    &LOG_SWITCH,
    &LOG_SIZE,
    &LOG_FILE,
    &LOG_POLICY,
    &LSA_PROTECTION,
    &APPLICATION_RULES,
    &CODE_INTEGRITY,
    &MEMORY_INTEGRITY,
    &DRIVER_BLOCKLIST,
    &DEFENDER,
    &MANAGER_RIGHTS,
    &MANAGER_REMOTE,
    &SERVICE_RIGHTS,
    &REMOTE_REGISTRY,
];

/// Subcategory Security System Extension.
pub const SYSTEM_EXTENSION: Known = Known {
    id: "audit_security_system_extension",
    label: "Audit policy: security system extension (4697)",
    unseen: "service installs in the Security log, with the account and its logon; the System log's 7045 names no logon",
    questions: &[1, 3],
    advice: "auditpol /set /subcategory:{0CCE9211-69AE-11D9-BED3-505054503030} /success:enable",
    records: Some((Origin::SecurityLog, 4697)),
};

/// Subcategory Process Creation.
pub const PROCESS_CREATION: Known = Known {
    id: "audit_process_creation",
    label: "Audit policy: process creation (4688)",
    unseen: "who ran sc, reg or PowerShell to make or change a service, and what a service started",
    questions: &[3, 5],
    advice: "auditpol /set /subcategory:{0CCE922B-69AE-11D9-BED3-505054503030} /success:enable",
    records: Some((Origin::SecurityLog, 4688)),
};

/// `ProcessCreationIncludeCmdLine_Enabled`.
pub const COMMAND_LINE: Known = Known {
    id: "command_line_in_4688",
    label: "Command lines in 4688",
    unseen: "what a process was told to do: 4688 names the program without its arguments",
    questions: &[2, 3, 5],
    advice: r"reg add HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System\Audit /v ProcessCreationIncludeCmdLine_Enabled /t REG_DWORD /d 1",
    records: None,
};

/// Subcategory Logon.
pub const LOGON: Known = Known {
    id: "audit_logon",
    label: "Audit policy: logon (4624, 4648)",
    unseen: "from where the account that installed a service was logged on",
    questions: &[3],
    advice: "auditpol /set /subcategory:{0CCE9215-69AE-11D9-BED3-505054503030} /success:enable /failure:enable",
    records: Some((Origin::SecurityLog, 4624)),
};

/// Subcategory Special Logon.
pub const SPECIAL_LOGON: Known = Known {
    id: "audit_special_logon",
    label: "Audit policy: special logon (4672)",
    unseen: "which logons had an administrator's privileges",
    questions: &[3, 4],
    advice: "auditpol /set /subcategory:{0CCE921B-69AE-11D9-BED3-505054503030} /success:enable",
    records: Some((Origin::SecurityLog, 4672)),
};

/// Subcategory Filtering Platform Connection.
pub const CONNECTIONS: Known = Known {
    id: "audit_filtering_platform_connection",
    label: "Audit policy: filtering platform connection (5156)",
    unseen: "with whom a service's processes talked",
    questions: &[5],
    advice: "auditpol /set /subcategory:{0CCE9226-69AE-11D9-BED3-505054503030} /success:enable (many records: raise the log's size first)",
    records: Some((Origin::SecurityLog, 5156)),
};

/// Subcategory Registry.
pub const REGISTRY: Known = Known {
    id: "audit_registry",
    label: "Audit policy: registry (4657)",
    unseen: "writes to service keys that go past the service control manager; a SACL on the Services key is needed too",
    questions: &[3],
    advice: "auditpol /set /subcategory:{0CCE921E-69AE-11D9-BED3-505054503030} /success:enable, and audit SetValue on HKLM\\SYSTEM\\CurrentControlSet\\Services",
    records: Some((Origin::SecurityLog, 4657)),
};

/// Subcategory Detailed File Share.
pub const DETAILED_SHARE: Known = Known {
    id: "audit_detailed_file_share",
    label: "Audit policy: detailed file share (5145)",
    unseen: "which program was copied to ADMIN$ before it became a service, and from which address",
    questions: &[3],
    advice: "auditpol /set /subcategory:{0CCE9244-69AE-11D9-BED3-505054503030} /success:enable",
    records: Some((Origin::SecurityLog, 5145)),
};

/// Subcategory Audit Policy Change.
pub const POLICY_CHANGE: Known = Known {
    id: "audit_policy_change",
    label: "Audit policy: audit policy change (4719)",
    unseen: "who switched auditing off",
    questions: &[3],
    advice: "auditpol /set /subcategory:{0CCE922F-69AE-11D9-BED3-505054503030} /success:enable",
    records: Some((Origin::SecurityLog, 4719)),
};

/// Subcategory Sensitive Privilege Use.
pub const SENSITIVE_PRIVILEGE: Known = Known {
    id: "audit_sensitive_privilege_use",
    label: "Audit policy: sensitive privilege use (4673, 4674)",
    unseen: "who opened a service or the service control manager with which rights",
    questions: &[3, 4],
    advice: "auditpol /set /subcategory:{0CCE9228-69AE-11D9-BED3-505054503030} /success:enable /failure:enable",
    records: Some((Origin::SecurityLog, 4674)),
};

/// Subcategory Process Termination.
pub const PROCESS_TERMINATION: Known = Known {
    id: "audit_process_termination",
    label: "Audit policy: process termination (4689)",
    unseen: "when a service's process ended",
    questions: &[5],
    advice: "auditpol /set /subcategory:{0CCE922C-69AE-11D9-BED3-505054503030} /success:enable",
    records: Some((Origin::SecurityLog, 4689)),
};

/// Subcategory Kernel Object.
pub const KERNEL_OBJECT: Known = Known {
    id: "audit_kernel_object",
    label: "Audit policy: kernel object (4663 on lsass.exe)",
    unseen: "whether a service's process read the memory of lsass.exe",
    questions: &[5],
    advice: "auditpol /set /subcategory:{0CCE921F-69AE-11D9-BED3-505054503030} /success:enable",
    records: Some((Origin::SecurityLog, 4663)),
};

/// Subcategory Handle Manipulation.
pub const HANDLES: Known = Known {
    id: "audit_handle_manipulation",
    label: "Audit policy: handle manipulation (4656, 4658)",
    unseen: "who asked for a handle to a service, and was refused",
    questions: &[3],
    advice: "auditpol /set /subcategory:{0CCE9223-69AE-11D9-BED3-505054503030} /success:enable",
    records: Some((Origin::SecurityLog, 4656)),
};

/// Subcategory Other Object Access Events.
pub const OTHER_OBJECTS: Known = Known {
    id: "audit_other_object_access",
    label: "Audit policy: other object access (4698 to 4702)",
    unseen: "scheduled tasks that start or restore a service",
    questions: &[5],
    advice: "auditpol /set /subcategory:{0CCE9227-69AE-11D9-BED3-505054503030} /success:enable",
    records: Some((Origin::SecurityLog, 4698)),
};

/// The audit policy as a whole.
pub const AUDIT_POLICY: Known = Known {
    id: "audit_policy",
    label: "Audit policy as a whole",
    unseen: "everything the Security log could have said",
    questions: &[3, 5],
    advice: "auditpol /get /category:* on a like host, then restore its policy: auditpol /restore",
    records: None,
};

/// `Control\Lsa\SCENoApplyLegacyAuditPolicy`.
pub const LEGACY_POLICY: Known = Known {
    id: "subcategories_over_categories",
    label: "Audit subcategories hold against the nine old categories",
    unseen: "whatever a policy of the nine old categories switches off again at the next refresh",
    questions: &[3, 5],
    advice: r"reg add HKLM\SYSTEM\CurrentControlSet\Control\Lsa /v SCENoApplyLegacyAuditPolicy /t REG_DWORD /d 1",
    records: None,
};

/// `ScriptBlockLogging`.
pub const SCRIPT_BLOCKS: Known = Known {
    id: "powershell_script_blocks",
    label: "PowerShell script block logging (4104)",
    unseen: "scripts that create or change services, unless Windows itself takes them for suspicious",
    questions: &[3],
    advice: r"reg add HKLM\SOFTWARE\Policies\Microsoft\Windows\PowerShell\ScriptBlockLogging /v EnableScriptBlockLogging /t REG_DWORD /d 1",
    records: None,
};

/// `ModuleLogging`.
pub const MODULES: Known = Known {
    id: "powershell_modules",
    label: "PowerShell module logging (4103)",
    unseen: "the parameters with which New-Service, Set-Service and Set-ItemProperty were called",
    questions: &[3],
    advice: r"reg add HKLM\SOFTWARE\Policies\Microsoft\Windows\PowerShell\ModuleLogging /v EnableModuleLogging /t REG_DWORD /d 1, and ModuleNames\* = *",
    records: None,
};

/// `Transcription`.
pub const TRANSCRIPTS: Known = Known {
    id: "powershell_transcripts",
    label: "PowerShell transcription",
    unseen: "what PowerShell printed while a service was made",
    questions: &[3],
    advice: r"GPO: Windows Components\Windows PowerShell\Turn on PowerShell Transcription, to a share that users can only write to",
    records: None,
};

/// The Sysmon driver and its rules.
pub const SYSMON: Known = Known {
    id: "sysmon",
    label: "Sysmon",
    unseen: "processes with hashes, writes to service keys, connections, driver loads and pipes of services",
    questions: &[2, 3, 5],
    advice: "sysmon -accepteula -i sysmonconfig.xml",
    records: None,
};

/// `Enabled` of a channel.
pub const LOG_SWITCH: Known = Known {
    id: "log_switch",
    label: "Channel enabled",
    unseen: "everything the channel would have recorded",
    questions: &[3, 5],
    advice: "wevtutil set-log <channel> /enabled:true",
    records: None,
};

/// `MaxSize`, `Retention` and `AutoBackupLogFiles` of a channel.
pub const LOG_SIZE: Known = Known {
    id: "log_size",
    label: "Log size and retention",
    unseen: "what happened before the oldest record that still fits, or after the log was full",
    questions: &[1, 3, 5],
    advice: "wevtutil set-log <channel> /maxsize:1073741824 /retention:false",
    records: None,
};

/// `File` of a channel.
pub const LOG_FILE: Known = Known {
    id: "log_file",
    label: "Log kept in an unusual file",
    unseen: "what is in the file that the channel is really written to, unless it was collected as well",
    questions: &[1, 3, 5],
    advice: "collect the file that is named, and ask who moved it; wevtutil set-log <channel> /logfilename:<usual file>",
    records: None,
};

/// `Policies\Microsoft\Windows\EventLog`.
pub const LOG_POLICY: Known = Known {
    id: "log_policy",
    label: "Log size and retention by policy",
    unseen: "what happened before the oldest record that still fits, or after the log was full",
    questions: &[1, 3, 5],
    advice: r"GPO: Windows Components\Event Log Service\<log>: maximum log file size; retain old events off",
    records: None,
};

/// `Control\Lsa\RunAsPPL`.
pub const LSA_PROTECTION: Known = Known {
    id: "lsa_protection",
    label: "LSA protection (lsass.exe as a protected process)",
    unseen: "a service running as SYSTEM can read passwords and tickets from lsass.exe",
    questions: &[4, 5],
    advice: r"reg add HKLM\SYSTEM\CurrentControlSet\Control\Lsa /v RunAsPPL /t REG_DWORD /d 1",
    records: None,
};

/// The rules of `AppLocker`.
pub const APPLICATION_RULES: Known = Known {
    id: "applocker",
    label: "AppLocker",
    unseen: "programs in folders that users can write to run unhindered, and no record says that they did",
    questions: &[2, 5],
    advice: r"GPO: Windows Settings\Security Settings\Application Control Policies\AppLocker; first in audit mode",
    records: None,
};

/// Code integrity policies: App Control for Business, formerly WDAC.
pub const CODE_INTEGRITY: Known = Known {
    id: "code_integrity_policy",
    label: "Code integrity policy (App Control, WDAC)",
    unseen: "unsigned programs and drivers run unhindered, and no record says that they did",
    questions: &[2, 5],
    advice: "an App Control policy in audit mode: ConvertFrom-CIPolicy, then CiTool --update-policy",
    records: None,
};

/// Hypervisor-protected code integrity.
pub const MEMORY_INTEGRITY: Known = Known {
    id: "memory_integrity",
    label: "Memory integrity (HVCI)",
    unseen: "kernel code that is not signed can run once a vulnerable driver was loaded",
    questions: &[2, 5],
    advice: r"reg add HKLM\SYSTEM\CurrentControlSet\Control\DeviceGuard\Scenarios\HypervisorEnforcedCodeIntegrity /v Enabled /t REG_DWORD /d 1",
    records: None,
};

/// `VulnerableDriverBlocklistEnable`.
pub const DRIVER_BLOCKLIST: Known = Known {
    id: "driver_blocklist",
    label: "Microsoft's list of vulnerable drivers",
    unseen: "drivers known to be vulnerable can be loaded as services",
    questions: &[2],
    advice: r"reg add HKLM\SYSTEM\CurrentControlSet\Control\CI\Config /v VulnerableDriverBlocklistEnable /t REG_DWORD /d 1",
    records: None,
};

/// Policies that switch Microsoft Defender off.
pub const DEFENDER: Known = Known {
    id: "defender_policy",
    label: "Microsoft Defender switched off by policy",
    unseen: "what Defender would have found or blocked, unless another product took its place",
    questions: &[2, 5],
    advice: r"reg delete HKLM\SOFTWARE\Policies\Microsoft\Windows Defender, and find out which policy set it",
    records: None,
};

/// The descriptor of the service control manager.
pub const MANAGER_RIGHTS: Known = Known {
    id: "service_manager_rights",
    label: "Who may create services",
    unseen: "others than administrators can create services",
    questions: &[3, 4],
    advice: "sc sdshow scmanager; sc sdset scmanager with the descriptor of a like host",
    records: None,
};

/// The check of remote callers of the service control manager.
pub const MANAGER_REMOTE: Known = Known {
    id: "service_manager_remote",
    label: "Remote callers of the service control manager",
    unseen: "others than administrators can use the service control manager from afar",
    questions: &[3],
    advice: r"reg delete HKLM\SYSTEM\CurrentControlSet\Control /v RemoteAccessExemption",
    records: None,
};

/// Services and service keys that others than administrators may rewrite.
pub const SERVICE_RIGHTS: Known = Known {
    id: "service_rights",
    label: "Services that ordinary users may reconfigure",
    unseen: "users can make these services run what they like; the findings S02 and S04 name them",
    questions: &[3, 4],
    advice: "sc sdset <service>, and the permissions of its key, as on a like host",
    records: None,
};

/// `Control\SecurePipeServers\winreg`.
pub const REMOTE_REGISTRY: Known = Known {
    id: "remote_registry",
    label: "Who may use the registry from afar",
    unseen: "service keys can be read, and rewritten where their own permissions allow it, by any account from afar",
    questions: &[3],
    advice: r"restore HKLM\SYSTEM\CurrentControlSet\Control\SecurePipeServers\winreg from a like host",
    records: None,
};
