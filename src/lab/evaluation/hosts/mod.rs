//! How the ranking does on hosts made to order, of which it is known what was done to them.
//!
//! A host is a base (the lab's own or a real hive) on which odd but harmless services are put, and on every other one an
//! attack. All of it follows from the tables of [`super::plants`] and from seeds.

mod base;
mod csv;
mod figures;
mod judged;
pub mod metrics;
mod page;
mod reestimate;
mod story;
mod study;

pub use base::{Base, REAL_HIVES, RealHive};
pub use figures::{Alarms, Target};
pub use judged::{ABLATED, KNOW_TOOLS, Outcome, Told, View};
pub use story::Story;
pub use study::{Condition, JudgedHost, Study, Untold};
