//! Registry hives, written as Windows writes them: version 1.3 to 1.6 primary files and their logs.
//!
//! A [`Hive`] is changed like a registry — keys are created, values set, keys deleted — and can be turned into
//! bytes at any moment. Cells are allocated and freed on the way, so deleted keys leave what they leave in real
//! hives, and two moments differ in few pages, which is what [`log`] needs.
//!
//! Layout: Suhanov, "Windows registry file format specification" (CC-BY-4.0).

mod base_block;
mod bins;
mod hive;
mod import;
mod key;
pub mod log;
mod marvin32;
mod name;
mod security;
mod value;

pub use base_block::{BASE_BLOCK, BaseBlock};
pub use hive::{Hive, KeyId};
pub use value::Data;
