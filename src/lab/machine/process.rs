//! Processes: what events say about who did something.

use super::account::{SYSTEM_LOGON, Session};
use crate::lab::Sid;
use crate::lab::random::Random;

/// A running program.
#[derive(Debug, Clone)]
pub(super) struct Process {
    pub(super) pid: u32,
    /// Sysmon's identifier.
    pub(super) guid: [u8; 16],
    pub(super) image: String,
    pub(super) command: String,
    pub(super) session: Session,
}

impl Process {
    fn elevated(&self) -> bool {
        self.session.logon_id > SYSTEM_LOGON
    }

    /// The integrity level as a mandatory label.
    pub(super) fn integrity(&self) -> Sid {
        if self.elevated() { Sid::label(12288) } else { Sid::label(16384) }
    }

    /// The integrity level in words.
    pub(super) fn integrity_name(&self) -> &'static str {
        if self.elevated() { "High" } else { "System" }
    }

    /// Sysmon's identifier of the logon: the host's part of the process identifier, then the logon id.
    pub(super) fn logon_guid(&self) -> [u8; 16] {
        let host = u128::from_le_bytes(self.guid) & 0xffff_ffff;
        (u128::from(self.session.logon_id) << 64 | host).to_le_bytes()
    }

    /// A SHA-256 that belongs to no real file: made from the path, 64 hexadecimal digits.
    pub(super) fn hash(&self) -> String {
        let seed = self.image.bytes().fold(7_u64, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(u64::from(byte.to_ascii_lowercase()))
        });
        let mut random = Random::new(seed);
        let parts: Vec<String> = (0..4).map(|_| format!("{:016X}", random.next())).collect();
        parts.concat()
    }
}
