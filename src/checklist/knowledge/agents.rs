//! Updaters, guest agents and deployment tools: services that look odd and are ordinary.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::{matches, rows};
use crate::host::ImagePath;

const LIST: &str = include_str!("agents.tsv");

/// A row of the list.
struct Entry {
    service: &'static str,
    path: &'static str,
    agent: Agent,
}

/// The list by the programs' file names; entries with a pattern for it are below the empty name.
static ENTRIES: LazyLock<BTreeMap<&'static str, Vec<Entry>>> = LazyLock::new(|| {
    let mut entries: BTreeMap<&'static str, Vec<Entry>> = BTreeMap::new();
    for row in rows(LIST) {
        let kind = match row.field(2) {
            "updater" => AgentKind::Updater,
            "deployment" => AgentKind::Deployment,
            "product" => AgentKind::Product,
            _ => AgentKind::Platform,
        };
        let (service, path) = (row.field(0), row.field(1));
        let leaf = path.rsplit('\\').next().filter(|leaf| !leaf.contains('*'));
        let agent = Agent { kind, product: row.field(3) };
        entries.entry(leaf.unwrap_or_default()).or_default().push(Entry { service, path, agent });
    }
    entries
});

/// What kind of ordinary service it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentKind {
    /// Keeps a product up to date.
    Updater,
    /// Belongs to the platform: guest additions of hypervisors and clouds, Defender's engine.
    Platform,
    /// Deploys or manages software from afar; often created and deleted within minutes.
    Deployment,
    /// A product whose service runs from a place where few services do: a vendor's helper in System32, a database
    /// in a folder of its own.
    Product,
}

/// An ordinary service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agent {
    /// What kind.
    pub kind: AgentKind,
    /// The product.
    pub product: &'static str,
}

/// The agent that a service of this name running this program is, by name and full path: the same names
/// elsewhere are a known disguise. Who may write to a folder is another question.
pub fn agent(service: &str, image: &ImagePath) -> Option<Agent> {
    let of = |leaf: &str| ENTRIES.get(leaf).map_or(&[][..], Vec::as_slice);
    let mut entries = of(image.leaf()).iter().chain(of("")).peekable();
    entries.peek()?;
    let name = service.to_lowercase();
    let path = image.normalized.replacen(r"c:\program files (x86)\", r"c:\program files\", 1);
    let found = entries.find(|one| matches(one.path, &path) && matches(one.service, &name))?;
    Some(found.agent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_is_well_formed() {
        super::super::tests::assert_well_formed(LIST, 4, 2);
        for row in rows(LIST) {
            let kinds = ["updater", "platform", "deployment", "product"];
            assert!(kinds.contains(&row.field(2)), "{:?}", row.0);
            assert!(row.field(1).starts_with("c:\\"), "{:?}: no full path", row.0);
            assert_eq!(row.field(0), row.field(0).to_lowercase());
        }
    }

    #[test]
    fn agents_are_known_by_name_and_path() {
        let of = |name, path| agent(name, &ImagePath::parse(path)).map(|agent| agent.kind);
        assert_eq!(
            of("gupdate", r#""C:\Program Files (x86)\Google\Update\GoogleUpdate.exe" /svc"#),
            Some(AgentKind::Updater)
        );
        assert_eq!(of("GoogleUpdate", r"C:\ProgramData\GoogleUpdate\GoogleUpdate.exe"), None);
        assert_eq!(
            of(
                "WinDefend",
                r#""C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.2-0\MsMpEng.exe""#
            ),
            Some(AgentKind::Platform)
        );
        assert_eq!(of("gupdate", r"C:\Program Files x\Google\Update\GoogleUpdate.exe"), None);
        let igfx = r"C:\Windows\System32\igfxCUIService.exe";
        assert_eq!(of("igfxCUIService2.0.0.0", igfx), Some(AgentKind::Product));
        assert_eq!(of("igfxCUIService2.0.0.0", r"C:\Windows\igfxCUIService.exe"), None);
        assert_eq!(of("VMTools", r"C:\Users\Public\vmtoolsd.exe"), None);
    }
}
