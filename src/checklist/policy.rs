//! What the analyst says is approved: changes with tickets, deployment tools, accounts, change windows.

/// The contents of `--approved FILE`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {}
