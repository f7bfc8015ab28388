//! What the analyst gives to judge by, beside the evidence.

use std::sync::Arc;

use super::knowledge::stock::Catalog;
use super::{Baseline, Indicator, Policy, Suppression};

/// What the analyst says of the host and of ordinary services; nothing of it is evidence.
#[derive(Clone, Default)]
pub struct Given {
    /// What is approved, where he says so.
    pub policy: Option<Policy>,
    /// What is known of the services of Windows; absent: all that is shipped.
    pub windows: Option<Arc<Catalog>>,
    /// Indicators of his own, asked after the built-in ones, in the order of their files.
    pub own: Vec<&'static Indicator>,
    /// Findings that are listed and not counted, in the order of their files.
    pub suppressions: Vec<Suppression>,
    /// Which services are ordinary on his site, where he made baselines.
    pub baseline: Option<Arc<Baseline>>,
}

impl std::fmt::Debug for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let own: Vec<&str> = self.own.iter().map(|indicator| indicator.id).collect();
        let windows = if self.windows.is_some() { "given" } else { "shipped" };
        f.debug_struct("Given")
            .field("policy", &self.policy)
            .field("windows", &windows)
            .field("own", &own)
            .field("suppressions", &self.suppressions)
            .field("baseline", &self.baseline.is_some())
            .finish()
    }
}
