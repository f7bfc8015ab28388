//! Comparing paths across versions and hosts.

use crate::host::ImagePath;

/// How a path compares with what Windows ships.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Nothing is known to compare with.
    Unknown,
    /// The same file in the same folder in some version (version folders aside).
    Same,
    /// The same file name in another folder.
    Moved,
    /// Another file name.
    Other,
}

/// The paths of one file of a service in the versions known, each once.
#[derive(Debug, Clone, Default)]
pub(super) struct Paths(Vec<(String, ImagePath)>);

impl Paths {
    pub(super) fn push(&mut self, path: ImagePath) {
        let key = versionless(&path.normalized);
        let is_known = self.0.iter().any(|(known, one)| *known == key && one.raw == path.raw);
        if !is_known {
            self.0.push((key, path));
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &ImagePath> {
        self.0.iter().map(|(_, path)| path)
    }

    pub(super) fn compare(&self, path: &ImagePath) -> Comparison {
        if self.0.is_empty() {
            return Comparison::Unknown;
        }
        let wanted = versionless(&path.normalized);
        if self.0.iter().any(|(known, _)| *known == wanted) {
            return Comparison::Same;
        }
        let leaf = path.leaf();
        if self.iter().any(|known| known.leaf() == leaf) {
            Comparison::Moved
        } else {
            Comparison::Other
        }
    }
}

/// A normalised path with the parts that differ between hosts of one kind replaced: version folders, the
/// hash of a driver package, GUIDs.
pub fn versionless(normalized: &str) -> String {
    let mut result = String::with_capacity(normalized.len());
    for (place, component) in normalized.split('\\').enumerate() {
        if place > 0 {
            result.push('\\');
        }
        if is_version(component) {
            result.push_str("<version>");
        } else if is_guid(component) {
            result.push_str("{*}");
        } else if let Some(package) = driver_package(component) {
            result.push_str(package);
            result.push_str("_*");
        } else {
            result.push_str(component);
        }
    }
    result
}

fn is_guid(component: &str) -> bool {
    component.len() == 38 && component.starts_with('{') && component.ends_with('}')
}

/// The part before the hash in the folder of a driver package: `oem3.inf_amd64` of `oem3.inf_amd64_0123456789abcdef`.
fn driver_package(component: &str) -> Option<&str> {
    let (package, hash) = component.rsplit_once('_')?;
    let is_hash = hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_hash && package.contains(".inf_")).then_some(package)
}

/// `4.18.1904.1-0`, `v4.0.30319`, `109.0.1518.61`: digits and dots, at least two dots.
fn is_version(component: &str) -> bool {
    let digits = component.strip_prefix('v').unwrap_or(component);
    digits.bytes().filter(|byte| *byte == b'.').count() >= 2
        && digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_between_hosts_is_left_out() {
        for (path, expected) in [
            (r"c:\windows\system32\a.exe", r"c:\windows\system32\a.exe"),
            (r"c:\x\4.18.1904.1-0\msmpeng.exe", r"c:\x\<version>\msmpeng.exe"),
            (r"c:\x\v4.0.30319\a.exe", r"c:\x\<version>\a.exe"),
            (r"c:\x\1.0\a.exe", r"c:\x\1.0\a.exe"),
            (r"c:\s\oem3.inf_amd64_0123456789abcdef\a.sys", r"c:\s\oem3.inf_amd64_*\a.sys"),
            (r"c:\s\{01234567-0123-0123-0123-0123456789ab}\a.sys", r"c:\s\{*}\a.sys"),
        ] {
            assert_eq!(versionless(path), expected);
        }
    }
}
