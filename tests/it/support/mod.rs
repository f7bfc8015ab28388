//! What several tests need.

pub(crate) mod authentihash;
pub(crate) mod collections;
pub(crate) mod commands;
pub(crate) mod corpus;
pub(crate) mod files;
pub(crate) mod golden;
pub(crate) mod images;
pub(crate) mod lab;
pub(crate) mod logs;
pub(crate) mod pack;
pub(crate) mod pages;

use std::sync::Once;

/// Keeps the panics of nt-hive, which are caught, out of the test output; the program does the same.
pub(crate) fn quiet_nt_hive() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !panic.location().is_some_and(|place| place.file().contains("nt-hive")) {
                usual(panic);
            }
        }));
    });
}

/// A fixed sequence of numbers, so that a failing mutation can be repeated.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    /// The next number below a limit (Knuth's MMIX generator, upper bits).
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit.max(1)
    }
}
pub(crate) mod program_story;
pub(crate) mod scan;
pub(crate) mod shadow_story;
pub(crate) mod story;
