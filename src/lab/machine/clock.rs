//! Time on the host, and numbers that differ from run to run on real hosts but not here.

use jiff::{SignedDuration, Timestamp};

use crate::lab::random::Random;

/// The clock and the counters of a host.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    now: Timestamp,
    random: Random,
    next_pid: u32,
    next_logon: u64,
    host: u32,
}

impl Clock {
    pub(super) fn new(seed: u64, now: Timestamp) -> Clock {
        let mut random = Random::new(seed);
        let host = u32::try_from(random.next() >> 32).unwrap_or(0);
        let next_logon = 0x2_8000_u64.saturating_add(random.below(0x1000));
        Clock { now, random, next_pid: 2400, next_logon, host }
    }

    /// Moves to the beginning of an action, plus a fraction of a second.
    pub(super) fn begin(&mut self, at: Timestamp) {
        self.now = at;
        self.pass(0);
        let ticks = self.random.below(9_000_000);
        self.advance(ticks);
    }

    /// Lets about this many milliseconds pass and says what time it is then.
    pub(super) fn pass(&mut self, milliseconds: u64) -> Timestamp {
        let jitter = self.random.below(milliseconds.saturating_mul(2000).saturating_add(4000));
        self.advance(milliseconds.saturating_mul(9000).saturating_add(jitter));
        self.now
    }

    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// A number below `limit`.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.random.below(limit)
    }

    pub(super) fn pid(&mut self) -> u32 {
        let step = u32::try_from(self.random.below(40)).unwrap_or(0).saturating_add(1);
        self.next_pid = self.next_pid.saturating_add(step.saturating_mul(4));
        self.next_pid
    }

    pub(super) fn logon_id(&mut self) -> u64 {
        let step = self.random.below(0x4000).saturating_add(0x11);
        self.next_logon = self.next_logon.saturating_add(step);
        self.next_logon
    }

    /// Sysmon's process identifier: host, start time, process id.
    pub(super) fn process_guid(&self, pid: u32) -> [u8; 16] {
        let seconds = u128::from(self.now.as_second().unsigned_abs());
        (u128::from(self.host) | seconds << 32 | u128::from(pid) << 64).to_le_bytes()
    }

    /// A port from the ephemeral range.
    pub(super) fn port(&mut self) -> u16 {
        u16::try_from(self.random.below(16_000)).unwrap_or(0).saturating_add(49_200)
    }

    fn advance(&mut self, ticks: u64) {
        let nanoseconds = i64::try_from(ticks.saturating_mul(100)).unwrap_or(0);
        self.now =
            self.now.saturating_add(SignedDuration::from_nanos(nanoseconds)).unwrap_or(self.now);
    }
}
