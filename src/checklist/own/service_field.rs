//! What a rule can ask of a service: one table, from which the documentation is made as well.

use super::super::subject::{name_citation, own_config};
use super::super::{Need, Scope};
use crate::checklist::basis::{COMMAND, HIVE};
use crate::host::config::{ServiceConfig, ServiceType, ValueOrder};
use crate::host::program_file::{
    FileContent, FileState, Purpose, SignatureStatus, VersionResource,
};
use crate::host::{Citation, ImagePath, ProgramFile};
use crate::time;

/// What the evidence says of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    /// Nothing that was read could tell.
    Unknown,
    /// Its values; none where the evidence tells that there is none.
    Is(Vec<String>),
}

/// What a field rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ground {
    /// Whatever made the service known.
    Anything,
    /// The hive, or a log that tells of the service's command.
    Command,
    /// The service's key in the current control set; the value it stands in, for citations.
    Key(&'static str),
    /// Whether its own file is there.
    File,
    /// The bytes of its own file.
    Content,
    /// Who vouches for its own file.
    Signature,
}

/// A field of a service.
pub(super) struct ServiceField {
    pub(super) name: &'static str,
    /// What it says, for the documentation.
    pub(super) says: &'static str,
    pub(super) ground: Ground,
    pub(super) tell: fn(&Scope<'_>) -> Told,
}

/// The beginning of fields that are values of the key by their own name: `value.Parameters\Application`.
pub(super) const VALUE: &str = "value.";

const fn field(
    name: &'static str,
    says: &'static str,
    ground: Ground,
    tell: fn(&Scope<'_>) -> Told,
) -> ServiceField {
    ServiceField { name, says, ground, tell }
}

/// The fields, in the order of the documentation.
pub(super) const FIELDS: &[ServiceField] = &[
    field("name", "the key's name, or the name by which logs know it", Ground::Anything, |scope| {
        one(Some(scope.service.name.clone()))
    }),
    field("display_name", "the display name", Ground::Command, |scope| {
        one(scope.service.display_name.clone())
    }),
    field(
        "in_registry",
        "`true` where the current control set has its key",
        Ground::Anything,
        |scope| flag(scope.service.in_registry()),
    ),
    field("deleted", "`true` where only a recovered key tells of it", Ground::Anything, |scope| {
        let service = scope.service;
        let recovered = service.history.iter().any(|state| state.epoch.confidence().is_some());
        flag(!service.in_registry() && recovered)
    }),
    field("driver", "`true` for a driver", Ground::Anything, |scope| {
        flag(scope.service.is_driver())
    }),
    field("image_path", "the command as stored, else as logged", Ground::Command, |scope| {
        image(scope, |image| image.raw.clone())
    }),
    field(
        "image",
        r"the program's path as Windows finds it, in lower case: `c:\windows\system32\svchost.exe`",
        Ground::Command,
        |scope| image(scope, |image| image.normalized.clone()),
    ),
    field("program", "the program's file name, in lower case", Ground::Command, |scope| {
        image(scope, |image| image.leaf().to_owned())
    }),
    field("arguments", "what follows the program", Ground::Command, |scope| {
        image(scope, |image| image.arguments.clone())
    }),
    field("quoted", "`true` where the program stands in quotes", Ground::Command, |scope| {
        image(scope, |image| image.quoted.to_string())
    }),
    field("svchost_group", "the group of svchost.exe that it runs in", Ground::Command, |scope| {
        one(scope.service.image.as_ref().and_then(ImagePath::svchost_group))
    }),
    field(
        "service_dll",
        "the service DLL as stored",
        Ground::Key("Parameters\\ServiceDll"),
        |scope| {
            key(scope, |config| option(config.service_dll.as_ref().map(|(_, dll)| dll.clone())))
        },
    ),
    field(
        "dll",
        "the service DLL's path as Windows finds it, in lower case",
        Ground::Key("Parameters\\ServiceDll"),
        |scope| {
            let dll = scope.service.dll.as_ref().map(|dll| dll.normalized.clone());
            if dll.is_none() && !scope.service.in_registry() { Told::Unknown } else { one(dll) }
        },
    ),
    field(
        "wrapped",
        "the program behind nssm, srvany or their kin, as Windows finds it, in lower case",
        Ground::Key("Parameters\\Application"),
        |scope| {
            let wrapped = scope.service.wrapped.as_ref().map(|path| path.normalized.clone());
            if wrapped.is_none() && !scope.service.in_registry() {
                Told::Unknown
            } else {
                one(wrapped)
            }
        },
    ),
    field("description", "the description as stored", Ground::Key("Description"), |scope| {
        key(scope, |config| option(config.description.clone()))
    }),
    field(
        "account",
        "the account it runs as, `LocalSystem` where a process names none; drivers have none",
        Ground::Key("ObjectName"),
        |scope| {
            key(scope, |config| {
                let is_process = config.service_type.is_some_and(ServiceType::is_win32);
                let implied = is_process.then(|| "LocalSystem".to_owned());
                option(config.object_name.clone().or(implied))
            })
        },
    ),
    field(
        "start",
        "`boot`, `system`, `auto`, `demand` or `disabled`",
        Ground::Key("Start"),
        |scope| key(scope, |config| option(config.start.map(|start| start.to_string()))),
    ),
    field("delayed_auto_start", "`true` or `false`", Ground::Key("DelayedAutostart"), |scope| {
        key(scope, |config| option(config.delayed_auto_start.map(|delayed| delayed.to_string())))
    }),
    field(
        "type",
        "the type as stored, a number: 1 kernel driver, 16 own process, 32 shared process",
        Ground::Key("Type"),
        |scope| key(scope, |config| option(config.service_type.map(|kind| kind.0.to_string()))),
    ),
    field(
        "error_control",
        "as stored, a number: 0 ignore, 1 normal, 2 severe, 3 critical",
        Ground::Key("ErrorControl"),
        |scope| key(scope, |config| option(config.error_control.map(|value| value.to_string()))),
    ),
    field("group", "the load order group", Ground::Key("Group"), |scope| {
        key(scope, |config| option(config.group.clone()))
    }),
    field(
        "depend_on_service",
        "services that must run first, one value each",
        Ground::Key("DependOnService"),
        |scope| key(scope, |config| config.depend_on_service.clone()),
    ),
    field(
        "required_privileges",
        "privileges, one value each",
        Ground::Key("RequiredPrivileges"),
        |scope| key(scope, |config| config.required_privileges.clone().unwrap_or_default()),
    ),
    field("launch_protected", "as stored, a number", Ground::Key("LaunchProtected"), |scope| {
        key(scope, |config| option(config.launch_protected.map(|value| value.to_string())))
    }),
    field(
        "owners",
        "INF files that installed it, one value each",
        Ground::Key("Owners"),
        |scope| key(scope, |config| config.owners.clone()),
    ),
    field(
        "failure_command",
        "the failure command as stored",
        Ground::Key("FailureCommand"),
        |scope| key(scope, |config| option(config.failure_command.clone())),
    ),
    field(
        "failure_armed",
        "`true` where a failure would run that command",
        Ground::Key("FailureActions"),
        |scope| key(scope, |config| vec![config.failure_command_is_armed().to_string()]),
    ),
    field("triggers", "how many triggers start or stop it", Ground::Key(""), |scope| {
        key(scope, |config| vec![config.triggers.len().to_string()])
    }),
    field("security", "who may control it, in SDDL", Ground::Key("Security\\Security"), |scope| {
        key(scope, |config| option(config.security.as_ref().map(|rules| rules.sddl.clone())))
    }),
    field("key_owner", "the SID of the key's owner", Ground::Key(""), |scope| {
        let owner = |config: &ServiceConfig| config.key_security.as_ref()?.owner.clone();
        key(scope, |config| option(owner(config)))
    }),
    field(
        "value_order",
        "what the order of its values tells of the key's origin: `create_service`, `alphabetical`, `inf`, `too_few` or `other`",
        Ground::Key(""),
        |scope| key(scope, |config| vec![order(config.value_order).to_owned()]),
    ),
    field(
        "last_write",
        "when the key was last written: `2026-11-03T14:02:11.1234567Z`",
        Ground::Key(""),
        |scope| key(scope, |config| option(config.last_write.map(time::format))),
    ),
    field(
        "age_days",
        "days between that and the newest moment of the evidence, a whole number",
        Ground::Key(""),
        |scope| {
            let newest = scope.host.coverage.newest();
            let days = |config: &ServiceConfig| {
                let age = newest?.duration_since(config.last_write?);
                Some((age.as_hours() / 24).to_string())
            };
            key(scope, |config| option(days(config)))
        },
    ),
    field(
        "safe_boot",
        "`Minimal`, `Network`: the safe modes in which it starts as well",
        Ground::Anything,
        |scope| {
            let entries = scope.host.safe_boot.iter();
            let own = entries.filter(|one| crate::text::same_name(&one.name, &scope.service.name));
            Told::Is(own.map(|one| one.mode.clone()).collect())
        },
    ),
    field(
        "file_state",
        "of its own file (the service DLL, else the program): `present` or `missing`",
        Ground::File,
        |scope| match own_file(scope).map(|file| file.state) {
            Some(state @ (FileState::Present | FileState::Missing)) => {
                one(Some(state.label().to_owned()))
            }
            _ => Told::Unknown,
        },
    ),
    field("file_size", "its size in bytes", Ground::Content, |scope| {
        content(scope, |content| Some(content.size.to_string()))
    }),
    field("sha256", "its SHA-256, in lower case", Ground::Content, |scope| {
        content(scope, |content| Some(content.digests.sha256.clone()))
    }),
    field("sha1", "its SHA-1, in lower case", Ground::Content, |scope| {
        content(scope, |content| Some(content.digests.sha1.clone()))
    }),
    field("md5", "its MD5, in lower case", Ground::Content, |scope| {
        content(scope, |content| Some(content.digests.md5.clone()))
    }),
    field("imphash", "its imphash, in lower case", Ground::Content, |scope| {
        content(scope, |content| content.executable.as_ref()?.imphash.clone())
    }),
    field("company", "the company its version resource names", Ground::Content, |scope| {
        version(scope, |version| version.company.clone())
    }),
    field("product", "the product its version resource names", Ground::Content, |scope| {
        version(scope, |version| version.product.clone())
    }),
    field(
        "file_description",
        "the description in its version resource",
        Ground::Content,
        |scope| version(scope, |version| version.description.clone()),
    ),
    field(
        "original_filename",
        "the file name its version resource was made with",
        Ground::Content,
        |scope| version(scope, |version| version.original_name.clone()),
    ),
    field(
        "signature_status",
        "`valid`, `valid_catalog`, `invalid`, `untrusted_root`, `expired_without_timestamp` or `unsigned`",
        Ground::Signature,
        |scope| match own_file(scope).map(|file| file.signature.status) {
            None | Some(SignatureStatus::Unknown) => Told::Unknown,
            Some(status) => one(Some(status.label().to_owned())),
        },
    ),
    field("signer", "who signed it", Ground::Signature, |scope| match own_file(scope) {
        Some(file) if file.signature.status != SignatureStatus::Unknown => {
            one(file.signature.signer().map(str::to_owned))
        }
        _ => Told::Unknown,
    }),
];

/// The field of that name, in lower case; values of the key have no row of their own.
pub(super) fn find(name: &str) -> Option<&'static ServiceField> {
    FIELDS.iter().find(|field| field.name == name)
}

/// What the evidence says of a field by its name, in lower case.
pub(super) fn tell(scope: &Scope<'_>, name: &str) -> Told {
    match (find(name), name.strip_prefix(VALUE)) {
        (Some(field), _) => (field.tell)(scope),
        (None, Some(value)) => key(scope, |config| value_of(config, value)),
        (None, None) => Told::Unknown,
    }
}

/// Where a field stands.
pub(super) fn cite(scope: &Scope<'_>, name: &str) -> Option<Citation> {
    let key = |value: &str| scope.config().map(|config| config.cite(value));
    match (find(name).map(|field| field.ground), name.strip_prefix(VALUE)) {
        (Some(Ground::File | Ground::Content | Ground::Signature), _) => {
            own_file(scope).map(|file| file.citation.clone())
        }
        (Some(Ground::Key(value)), _) | (None, Some(value)) => key(value),
        (Some(Ground::Command), _) if name == "display_name" => own_config(scope)
            .map(|config| config.cite("DisplayName"))
            .or_else(|| name_citation(scope)),
        (Some(Ground::Command), _) => own_config(scope)
            .map(|config| config.cite("ImagePath"))
            .or_else(|| name_citation(scope)),
        _ => name_citation(scope),
    }
}

/// What a field needs for an answer.
pub(super) fn need(name: &str) -> Option<Need> {
    match find(name).map_or(Ground::Key(""), |field| field.ground) {
        Ground::Anything => None,
        Ground::Command => Some(COMMAND),
        Ground::Key(_) => Some(HIVE),
        Ground::File => Some(Need::Files),
        Ground::Content => Some(Need::FileContents),
        Ground::Signature => Some(Need::Signatures),
    }
}

/// The data of a value by its name: numbers in decimal, a list with one value each, bytes in hexadecimal.
fn value_of(config: &ServiceConfig, name: &str) -> Vec<String> {
    use crate::host::config::Data;
    match config.value(name).map(|value| &value.data) {
        None => Vec::new(),
        Some(Data::Number(number)) => vec![number.to_string()],
        Some(Data::Text(text)) => vec![text.clone()],
        Some(Data::Texts(texts)) => texts.clone(),
        Some(Data::Bytes(bytes)) => vec![crate::text::hex(bytes)],
    }
}

fn option(value: Option<String>) -> Vec<String> {
    value.into_iter().collect()
}

fn one(value: Option<String>) -> Told {
    Told::Is(option(value))
}

fn flag(value: bool) -> Told {
    Told::Is(vec![value.to_string()])
}

/// Of a service without a key, nothing of the key is known.
fn key(scope: &Scope<'_>, tell: impl Fn(&ServiceConfig) -> Vec<String>) -> Told {
    scope.config().map_or(Told::Unknown, |config| Told::Is(tell(config)))
}

fn image(scope: &Scope<'_>, tell: impl Fn(&ImagePath) -> String) -> Told {
    match &scope.service.image {
        Some(image) => Told::Is(vec![tell(image)]),
        None if scope.service.in_registry() => Told::Is(Vec::new()),
        None => Told::Unknown,
    }
}

/// The file that is the service's own: its DLL, where it has one.
fn own_file<'a>(scope: &Scope<'a>) -> Option<&'a ProgramFile> {
    let purpose = match scope.service.dll {
        Some(_) => Purpose::ServiceDll,
        None => Purpose::Image,
    };
    scope.file(&purpose)
}

/// Of a file that is missing it is known that it has no bytes.
fn content(scope: &Scope<'_>, tell: impl Fn(&FileContent) -> Option<String>) -> Told {
    match own_file(scope) {
        Some(ProgramFile { content: Some(content), .. }) => one(tell(content)),
        Some(ProgramFile { state: FileState::Missing, .. }) => Told::Is(Vec::new()),
        _ => Told::Unknown,
    }
}

fn version(scope: &Scope<'_>, tell: impl Fn(&VersionResource) -> Option<String>) -> Told {
    content(scope, |content| tell(content.executable.as_ref()?.version.as_ref()?))
}

const fn order(order: ValueOrder) -> &'static str {
    match order {
        ValueOrder::CreateService => "create_service",
        ValueOrder::Alphabetical => "alphabetical",
        ValueOrder::Inf => "inf",
        ValueOrder::TooFew => "too_few",
        ValueOrder::Other => "other",
    }
}
