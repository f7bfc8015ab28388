//! What a baseline says of a service, in the form in which two hosts can be compared.

use serde::{Deserialize, Serialize};

use crate::checklist::knowledge::stock::{self, versionless};
use crate::host::config::{ServiceConfig, ServiceType, Start};
use crate::host::program_file::Purpose;
use crate::host::{Host, ImagePath, ProgramFile, Service};

/// Whether it is a process or kernel code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A process of its own or a shared one.
    Service,
    /// Kernel code.
    Driver,
}

/// One service in one variant: a line of a baseline file. Every value but the name, the access rules and the digests is
/// normalised: hosts of one kind say the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The key's name; of a per-user instance (`CDPUserSvc_3a1f2`) that of its template.
    pub name: String,
    /// Process or driver.
    pub kind: Kind,
    /// The program: lower case, variables expanded, version folders and the hashes of driver packages replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Its arguments: lower case, single spaces, of svchost.exe the group alone.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub arguments: String,
    /// The service DLL, as `image`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dll: Option<String>,
    /// What a wrapper (nssm, srvany) runs, with its arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrapped: Option<String>,
    /// Other values that make Windows load a file, `Performance\Library=c:\…`, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub load_points: Vec<String>,
    /// The account in one spelling: `localsystem`, `localservice`, `networkservice`, else lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// `Type` as stored.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub service_type: Option<u32>,
    /// `Start` as stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<u32>,
    /// `ErrorControl` as stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_control: Option<u32>,
    /// `FailureCommand`: the program and its arguments, as `image` and `arguments`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_command: Option<String>,
    /// Whether an action would run it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failure_armed: bool,
    /// `LaunchProtected` as stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launch_protected: Option<u32>,
    /// Who may control the service, in SDDL, where its key says so; absent means the default of Windows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security: Option<String>,
    /// The SID of the key's owner, where it is neither Windows nor the administrators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The program's bytes, where they were read.
    #[serde(default, skip_serializing_if = "FileValues::is_empty")]
    pub image_file: FileValues,
    /// The service DLL's.
    #[serde(default, skip_serializing_if = "FileValues::is_empty")]
    pub dll_file: FileValues,
    /// Those of the program behind a wrapper.
    #[serde(default, skip_serializing_if = "FileValues::is_empty")]
    pub wrapped_file: FileValues,
    /// On how many hosts it is so.
    pub hosts: usize,
    /// The builds of these hosts, sorted.
    #[serde(default)]
    pub builds: Vec<u32>,
}

/// What is known of a file's bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileValues {
    /// SHA-256 in lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Who signed them, where the signature is valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
}

impl FileValues {
    /// Whether nothing is known of them.
    pub fn is_empty(&self) -> bool {
        self.sha256.is_none() && self.signer.is_none()
    }

    /// What the check of a file came to.
    pub fn of(file: Option<&ProgramFile>) -> Self {
        let Some(file) = file else { return Self::default() };
        let signer = file.signature.status.is_valid().then(|| file.signature.signer()).flatten();
        Self {
            sha256: file.content.as_ref().map(|content| content.digests.sha256.clone()),
            signer: signer.map(str::to_owned),
        }
    }
}

/// A service's values as stored, from wherever they come: what [`Row::new`] normalises.
#[derive(Debug, Clone, Default)]
pub struct Stored<'a> {
    /// The key's name.
    pub name: &'a str,
    /// `Type`.
    pub service_type: Option<u32>,
    /// The command, or what Windows loads for a driver without one.
    pub image: Option<&'a ImagePath>,
    /// `ServiceDll` as stored.
    pub dll: Option<&'a str>,
    /// The program behind a wrapper and its arguments, as stored.
    pub wrapped: Option<(&'a str, &'a str)>,
    /// Other values that make Windows load a file: the value's name and what it names.
    pub load_points: Vec<(&'a str, &'a str)>,
    /// `ObjectName` as stored.
    pub account: Option<&'a str>,
    /// `Start`.
    pub start: Option<u32>,
    /// `ErrorControl`.
    pub error_control: Option<u32>,
    /// `FailureCommand` as stored.
    pub failure_command: Option<&'a str>,
    /// Whether an action would run it.
    pub failure_armed: bool,
    /// `LaunchProtected`.
    pub launch_protected: Option<u32>,
    /// The access rules of the service, in SDDL.
    pub security: Option<&'a str>,
    /// The owner of the key.
    pub owner: Option<&'a str>,
    /// The bytes of the program, of the DLL and of the wrapped program.
    pub files: [FileValues; 3],
}

impl Row {
    /// A service in the form of a baseline, counted on no host yet.
    pub fn new(stored: Stored<'_>) -> Self {
        let kind = stored.service_type.map(ServiceType);
        let is_driver = match kind {
            Some(kind) => kind.is_driver(),
            None => stored.image.is_some_and(|image| image.extension() == "sys"),
        };
        let is_instance = kind.is_some_and(ServiceType::is_user_instance);
        let template = stock::template(stored.name).filter(|_| is_instance);
        let is_win32 = kind.is_some_and(ServiceType::is_win32);
        // An instance runs as its user, whoever that is.
        let account =
            stored.account.or_else(|| (is_win32 && !is_instance).then_some("LocalSystem"));
        let load_point = |(value, path): &(&str, &str)| {
            format!("{}={}", value.to_lowercase(), program(&ImagePath::parse(path)))
        };
        let mut load_points: Vec<String> = stored.load_points.iter().map(load_point).collect();
        load_points.sort();
        let [image_file, dll_file, wrapped_file] = stored.files;
        let stated = |text: Option<&str>| {
            text.filter(|text| !text.trim().is_empty()).map(|text| command(&ImagePath::parse(text)))
        };
        Self {
            name: template.unwrap_or(stored.name).to_owned(),
            kind: if is_driver { Kind::Driver } else { Kind::Service },
            image: stored.image.map(program),
            arguments: stored.image.map(arguments).unwrap_or_default(),
            dll: stored.dll.map(|dll| program(&ImagePath::parse(dll))),
            wrapped: stored.wrapped.map(|(application, parameters)| {
                let path = program(&ImagePath::of_file(application.trim_matches('"')));
                format!("{path} {}", words(parameters)).trim_end().to_owned()
            }),
            load_points,
            account: account.map(stock::account),
            service_type: stored.service_type,
            start: stored.start,
            error_control: stored.error_control,
            failure_command: stated(stored.failure_command),
            failure_armed: stored.failure_armed,
            launch_protected: stored.launch_protected,
            security: stored.security.map(str::to_owned),
            owner: stored.owner.filter(|owner| !is_of_system(owner)).map(str::to_owned),
            image_file,
            dll_file,
            wrapped_file,
            hosts: 0,
            builds: Vec::new(),
        }
    }

    /// A service of a host, where the current control set has its key.
    pub fn of(host: &Host, service: &Service) -> Option<Self> {
        let config = service.config.as_ref()?;
        let file = |purpose| FileValues::of(host.file_of(service, &purpose));
        let wrapper = config.wrapper.as_ref();
        let security = config.security.as_ref().map(|rules| rules.sddl.as_str());
        let owner = config.key_security.as_ref().and_then(|rules| rules.owner.as_deref());
        Some(Self::new(Stored {
            name: &service.name,
            service_type: config.service_type.map(|kind| kind.0),
            image: service.image.as_ref(),
            dll: config.service_dll.as_ref().map(|(_, dll)| dll.as_str()),
            wrapped: wrapper.map(|wrapper| {
                (wrapper.application.as_str(), wrapper.parameters.as_deref().unwrap_or_default())
            }),
            load_points: load_points(config),
            account: config.object_name.as_deref(),
            start: config.start.map(start_value),
            error_control: config.error_control,
            failure_command: config.failure_command.as_deref(),
            failure_armed: config.failure_command_is_armed(),
            launch_protected: config.launch_protected,
            security,
            owner,
            files: [file(Purpose::Image), file(Purpose::ServiceDll), file(Purpose::Wrapped)],
        }))
    }

    /// Whether a host of that build is among those it is of.
    pub fn is_of(&self, build: u32) -> bool {
        self.builds.contains(&build)
    }

    /// Whether it is the instance of a per-user service, named by its template.
    pub fn is_instance(&self) -> bool {
        self.service_type.is_some_and(|kind| ServiceType(kind).is_user_instance())
    }

    /// The files that it runs, those of another row beside them: the program, the DLL, the wrapped program.
    pub(super) fn files_beside<'a>(
        &'a self,
        other: &'a Self,
    ) -> [(&'a FileValues, &'a FileValues); 3] {
        [
            (&self.image_file, &other.image_file),
            (&self.dll_file, &other.dll_file),
            (&self.wrapped_file, &other.wrapped_file),
        ]
    }
}

fn load_points(config: &ServiceConfig) -> Vec<(&str, &str)> {
    config.load_points.iter().map(|point| (point.value.as_str(), point.path.as_str())).collect()
}

/// Whether an owner of keys is Local System, the administrators or a service of Windows (`TrustedInstaller`).
fn is_of_system(owner: &str) -> bool {
    matches!(owner, "S-1-5-18" | "S-1-5-32-544") || owner.starts_with("S-1-5-80-")
}

/// `Start` as the registry stores it.
fn start_value(start: Start) -> u32 {
    match start {
        Start::Boot => 0,
        Start::System => 1,
        Start::Auto => 2,
        Start::Demand => 3,
        Start::Disabled => 4,
        Start::Other(other) => other,
    }
}

/// A program, the same on every host of one kind.
fn program(path: &ImagePath) -> String {
    versionless(&path.normalized)
}

/// A whole command in that form.
fn command(path: &ImagePath) -> String {
    format!("{} {}", program(path), arguments(path)).trim_end().to_owned()
}

/// The arguments of a program in that form. What else svchost.exe is told (`-p`, `-s`) differs between builds and decides
/// nothing about what runs.
fn arguments(path: &ImagePath) -> String {
    match path.svchost_group() {
        Some(group) => format!("-k {group}"),
        None => words(&path.arguments),
    }
}

/// Words in lower case with single spaces, paths among them without their versions.
fn words(text: &str) -> String {
    let words: Vec<String> = text.to_lowercase().split_whitespace().map(versionless).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, service_type: u32, command: &str) -> Row {
        let image = ImagePath::parse(command);
        Row::new(Stored {
            name,
            service_type: Some(service_type),
            image: Some(&image),
            ..Stored::default()
        })
    }

    #[test]
    fn what_differs_between_hosts_of_one_kind_is_left_out() {
        for (left, right) in [
            (
                row("CDPUserSvc_3a1f2", 0xe0, r"%windir%\system32\svchost.exe -k Unistack"),
                row("CDPUserSvc_77b01", 0xe0, r"C:\Windows\System32\svchost.exe -k unistack -p"),
            ),
            (
                row("Agent", 0x10, r#""C:\Program Files\A\1.2.3\a.exe"  /Run "#),
                row("Agent", 0x10, r"C:\Program Files\A\1.2.10\a.exe /run"),
            ),
        ] {
            assert_eq!(left, right);
        }
        // The name says instance, the type does not: it is nobody's.
        assert_eq!(row("CDPUserSvc_3a1f2", 0x10, r"C:\x.exe").name, "CDPUserSvc_3a1f2");
        assert_eq!(row("x", 1, r"C:\x.sys").kind, Kind::Driver);
    }

    #[test]
    fn a_row_is_one_line_and_the_same_after_reading() {
        let image = ImagePath::parse("C:\\x\u{202e}\n.exe \"a b\"");
        let stored = Stored {
            name: "a\"\r\n\u{1b}b",
            service_type: Some(0x110),
            image: Some(&image),
            dll: Some(r"%SystemRoot%\x.dll"),
            wrapped: Some((r"C:\nssm\x.exe", "--port  9")),
            load_points: vec![("Performance\\Library", "x.dll")],
            account: Some(r".\LocalSystem"),
            failure_command: Some("cmd.exe /c X"),
            failure_armed: true,
            launch_protected: Some(3),
            security: Some("D:(A;;FA;;;WD)"),
            owner: Some("S-1-5-21-1-2-3-1104"),
            start: Some(2),
            error_control: Some(1),
            files: [
                FileValues { sha256: Some("ab".repeat(32)), signer: Some("A".to_owned()) },
                FileValues::default(),
                FileValues::default(),
            ],
        };
        let row = Row::new(stored);
        let line = serde_json::to_string(&row).unwrap();
        assert!(!line.contains('\n'));
        assert_eq!(serde_json::from_str::<Row>(&line).unwrap(), row);
        assert_eq!(row.account.as_deref(), Some("localsystem"));
        assert_eq!(row.wrapped.as_deref(), Some(r"c:\nssm\x.exe --port 9"));
    }
}
