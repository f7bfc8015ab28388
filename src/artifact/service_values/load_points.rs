//! Values other than `ImagePath` and `ServiceDll` that make Windows load a file into a process of its own.

use crate::host::citation::Citation;
use crate::host::config::{Data, LoadPoint, RawValue};
use crate::text::same_name;

/// A value whose text is a file that Windows loads.
struct Pattern {
    /// The service it means something for; every service where absent.
    service: Option<&'static str>,
    /// The value below the service key; `*` stands for one sub-key of any name.
    value: &'static str,
}

/// Which values load a file, and who loads it.
const PATTERNS: [Pattern; 11] = [
    // Performance counters: every reader of counters, WMI as SYSTEM among them.
    Pattern { service: None, value: "Performance\\Library" },
    // Network providers: mpnotify and winlogon, with the password of who logs on.
    Pattern { service: None, value: "NetworkProvider\\ProviderPath" },
    // Windows Sockets helpers: every process that opens a socket of that transport.
    Pattern { service: None, value: "Parameters\\Winsock\\HelperDllName" },
    Pattern { service: Some("W32Time"), value: "TimeProviders\\*\\DllName" },
    // Every process that opens a socket.
    Pattern { service: Some("WinSock2"), value: "Parameters\\AutodialDLL" },
    Pattern { service: Some("WinSock2"), value: "Parameters\\NameSpace_Callout" },
    // lsass on domain controllers and elsewhere.
    Pattern { service: Some("NTDS"), value: "DirectoryServiceExtPt" },
    Pattern { service: Some("NTDS"), value: "LsaDbExtPt" },
    Pattern { service: Some("DNS"), value: "Parameters\\ServerLevelPluginDll" },
    Pattern { service: Some("DHCPServer"), value: "Parameters\\CalloutDlls" },
    Pattern { service: Some("RemoteAccess"), value: "RouterManagers\\*\\DllPath" },
];

/// The load points among the values of a key under Services; `key` is the citation of that key.
pub fn load_points(service: &str, key: &Citation, values: &[RawValue]) -> Vec<LoadPoint> {
    let mut points = Vec::new();
    for value in values {
        if !is_load_point(service, &value.name) {
            continue;
        }
        let paths = match &value.data {
            Data::Text(path) => std::slice::from_ref(path),
            Data::Texts(paths) => paths.as_slice(),
            Data::Number(_) | Data::Bytes(_) => continue,
        };
        points.extend(paths.iter().filter(|path| !path.is_empty()).map(|path| LoadPoint {
            value: value.name.clone(),
            path: path.clone(),
            citation: key.value(&value.name, value.offset, value.provenance),
        }));
    }
    points
}

/// Whether a value below a service key makes Windows load a file.
pub fn is_load_point(service: &str, value: &str) -> bool {
    PATTERNS.iter().any(|pattern| pattern.fits(service, value))
}

impl Pattern {
    fn fits(&self, service: &str, value: &str) -> bool {
        let mut found = value.split('\\');
        self.service.is_none_or(|name| same_name(name, service))
            && self.value.split('\\').all(|wanted| {
                found.next().is_some_and(|name| wanted == "*" || same_name(wanted, name))
            })
            && found.next().is_none()
    }
}
