//! The SOFTWARE hive: which Windows it is, and which services share a svchost.

mod posture;

pub(super) use posture::retention;

use super::hive::{Hive, Key};
use super::hive_file::{self, unless_damaged};
use super::{ArtifactKind, Sink};
use crate::evidence::{Magic, Pattern, Place};
use crate::host::config::Epoch;
use crate::host::fact::{Identity, IdentityItem, SvchostGroup};
use crate::host::{Citation, Fact, Origin, Provenance};
use jiff::Timestamp;

/// The SOFTWARE hive.
pub const KIND: ArtifactKind = ArtifactKind {
    name: "SOFTWARE hive",
    pattern: Pattern {
        magic: Magic::Hive,
        places: &[
            Place::current("System32/config/SOFTWARE"),
            Place::history("System32/config/RegBack/SOFTWARE", "RegBack"),
            Place::history("repair/SOFTWARE", "repair"),
        ],
    },
    origin: Some(Origin::SoftwareHive),
    without_it: "the Windows version, and whether a service belongs to the svchost group it names",
    read: hive_file::read,
};

const CURRENT_VERSION: &str = "Microsoft\\Windows NT\\CurrentVersion";

/// Whether a root key is that of a SOFTWARE hive.
pub(super) fn is_software(root: &Key<'_>) -> bool {
    ["Microsoft\\Windows NT", "Microsoft\\Windows\\CurrentVersion"]
        .iter()
        .any(|path| matches!(root.subkey(path), Ok(Some(_))))
}

pub(super) fn read(_hive: &Hive<'_>, root: &Key<'_>, sink: &mut Sink) {
    let Some(version) = unless_damaged(root.subkey(CURRENT_VERSION), sink) else {
        return sink.partial(format!("no {CURRENT_VERSION} in it"));
    };
    sink.newest = version.last_write();
    identity(&version, sink);
    posture::read(root, &version, sink);
    if let Some(groups) = unless_damaged(version.subkey("Svchost"), sink) {
        svchost_groups(&groups, sink);
    }
}

fn identity(version: &Key<'_>, sink: &mut Sink) {
    let text = |name: &str, sink: &mut Sink| {
        let value = unless_damaged(version.value(name), sink)?;
        value.text().filter(|text| !text.is_empty())
    };
    let number = |name: &str, sink: &mut Sink| {
        unless_damaged(version.value(name), sink).and_then(|value| value.dword())
    };
    // NT 4 has no product name; its version number stands in.
    let product = text("ProductName", sink)
        .or_else(|| text("CurrentVersion", sink).map(|version| format!("Windows NT {version}")));
    let build = text("CurrentBuild", sink).or_else(|| text("CurrentBuildNumber", sink));
    let build = match (text("CurrentBuildNumber", sink).or(build), number("UBR", sink)) {
        (Some(build), Some(revision)) => Some(format!("{build}.{revision}")),
        (build, _) => build,
    };
    let release = text("DisplayVersion", sink)
        .or_else(|| text("ReleaseId", sink))
        .or_else(|| text("CSDVersion", sink));
    let installed = number("InstallDate", sink)
        .filter(|seconds| *seconds != 0)
        .and_then(|seconds| Timestamp::from_second(i64::from(seconds)).ok());
    if let Some(product) = product {
        let item = IdentityItem::Windows { product, build, version: release, installed };
        say(item, cite(version, sink), sink);
    }
    if let Some(root) = text("SystemRoot", sink) {
        say(IdentityItem::SystemRoot(root), cite(version, sink), sink);
    }
}

fn say(item: IdentityItem, citation: Citation, sink: &mut Sink) {
    sink.fact(Fact::Identity(Identity { item, epoch: Epoch::Current, citation }));
}

fn cite(key: &Key<'_>, sink: &Sink) -> Citation {
    let from_log = key.from_log();
    let provenance = if from_log { Provenance::TransactionLog } else { Provenance::Live };
    sink.cite(key.path(), None, key.offset(), provenance)
}

fn svchost_groups(groups: &Key<'_>, sink: &mut Sink) {
    let listing = groups.values();
    for damage in &listing.damaged {
        sink.partial(format!("{}: {damage}", groups.path()));
    }
    for value in listing.items {
        let Some(members) = value.texts() else { continue };
        let offset = u64::try_from(value.offset).unwrap_or(u64::MAX);
        let citation = cite(groups, sink).value(&value.name, offset, cite(groups, sink).provenance);
        sink.fact(Fact::SvchostGroup(SvchostGroup { name: value.name, members, citation }));
    }
}
