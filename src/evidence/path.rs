//! Where a file is inside its evidence, written the same on every machine.

use std::fmt;
use std::sync::Arc;

/// The path of a file or folder inside evidence: relative to what was given on the command line, with `/`
/// between components, whatever the examining machine uses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EvidencePath(Arc<str>);

impl EvidencePath {
    /// A path from its text; `/` separates components.
    pub fn new(text: &str) -> Self {
        Self(Arc::from(text))
    }

    /// The evidence itself.
    pub fn root() -> Self {
        Self::new("")
    }

    /// The text, with `/` between components.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, shared: what citations hold.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// A file or folder in this folder.
    #[must_use]
    pub fn child(&self, name: &str) -> Self {
        if self.0.is_empty() {
            Self::new(name)
        } else {
            Self(Arc::from(format!("{}/{name}", self.0)))
        }
    }

    /// The folder it is in, and its name there.
    pub fn split(&self) -> (Self, &str) {
        match self.0.rsplit_once('/') {
            Some((folder, name)) => (Self::new(folder), name),
            None => (Self::root(), &self.0),
        }
    }

    /// The last component.
    pub fn name(&self) -> &str {
        self.split().1
    }

    /// The components from the evidence down.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|component| !component.is_empty())
    }
}

impl fmt::Display for EvidencePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_grow_and_split() {
        let config = EvidencePath::root().child("C").child("Windows");
        assert_eq!(config.as_str(), "C/Windows");
        assert_eq!(config.split(), (EvidencePath::new("C"), "Windows"));
        assert_eq!(EvidencePath::new("SYSTEM").split(), (EvidencePath::root(), "SYSTEM"));
        assert_eq!(config.components().collect::<Vec<_>>(), ["C", "Windows"]);
        assert_eq!(EvidencePath::root().components().count(), 0);
    }
}
