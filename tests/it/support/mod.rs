//! What several tests need.

pub(crate) mod corpus;
pub(crate) mod golden;
pub(crate) mod logs;
pub(crate) mod story;
