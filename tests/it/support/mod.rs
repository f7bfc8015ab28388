//! What several tests need.

pub(crate) mod corpus;
pub(crate) mod logs;
