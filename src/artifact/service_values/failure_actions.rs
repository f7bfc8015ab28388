//! `FailureActions`: what the service control manager does when a service fails.
//!
//! `SERVICE_FAILURE_ACTIONS_WOW64` of MS-SCMR 2.2.37, 32-bit on every Windows: reset period at 0, presence
//! flags of message and command at 4 and 8, number of actions at 12, a pointer at 16, the actions
//! (`SC_ACTION`: type, delay in milliseconds) at 20. The pointer is what a process had in memory: over 1,075
//! real values it is 0x14, 0, 0x700f31f9 or garbage, while the actions always stand at 20.

use crate::bytes::u32_at;
use crate::host::config::{FailureAction, FailureActions};

const HEADER: usize = 20;
const ACTION: usize = 8;

/// Decodes the data of `FailureActions`; with it, what is odd about it.
///
/// Bytes after the last action are left alone: cleaning tools write blocks of zeros of a fixed size.
///
/// # Errors
/// The data is too short for a header, as the 4 bytes of `ERSvc` in Windows Server 2003 are.
pub fn failure_actions(bytes: &[u8]) -> Result<(FailureActions, Option<String>), String> {
    let too_short =
        || format!("FailureActions has {} bytes, fewer than its header of {HEADER}", bytes.len());
    let body = bytes.get(HEADER..).ok_or_else(too_short)?;
    let reset_period = u32_at(bytes, 0).ok_or_else(too_short)?;
    let declared = u32_at(bytes, 12).ok_or_else(too_short)?;
    let actions: Vec<FailureAction> = body
        .chunks_exact(ACTION)
        .take(usize::try_from(declared).unwrap_or(usize::MAX))
        .filter_map(|action| {
            Some(FailureAction { kind: u32_at(action, 0)?, delay_ms: u32_at(action, 4)? })
        })
        .collect();
    let held = actions.len();
    let problem = (u32::try_from(held) != Ok(declared))
        .then(|| format!("FailureActions declares {declared} actions and holds {held}"));
    Ok((FailureActions { reset_period, actions }, problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(declared: u32, pointer: u32, actions: &[(u32, u32)], trailing: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        for field in [86_400, 0, 1, declared, pointer] {
            bytes.extend(field.to_le_bytes());
        }
        for (kind, delay) in actions {
            bytes.extend(kind.to_le_bytes());
            bytes.extend(delay.to_le_bytes());
        }
        bytes.resize(bytes.len() + trailing, 0);
        bytes
    }

    #[test]
    fn actions_stand_at_20_wherever_the_pointer_points() {
        for pointer in [0x14, 0, 0x700f_31f9, u32::MAX] {
            let bytes = blob(2, pointer, &[(1, 60_000), (3, 0)], 0);
            let (decoded, problem) = failure_actions(&bytes).unwrap();
            assert_eq!(decoded.reset_period, 86_400);
            assert_eq!(
                decoded.actions,
                [
                    FailureAction { kind: 1, delay_ms: 60_000 },
                    FailureAction { kind: 3, delay_ms: 0 },
                ]
            );
            assert!(decoded.runs_command());
            assert_eq!(problem, None);
        }
    }

    #[test]
    fn odd_blobs_are_clamped_and_named() {
        for (bytes, actions, problem) in [
            (blob(0, 0x14, &[], 24), 0, None),
            (blob(1, 0x14, &[(2, 1)], 3), 1, None),
            (blob(3, 0x14, &[(1, 1)], 4), 1, Some("FailureActions declares 3 actions and holds 1")),
            (
                blob(u32::MAX, 0, &[], 0),
                0,
                Some("FailureActions declares 4294967295 actions and holds 0"),
            ),
        ] {
            let (decoded, found) = failure_actions(&bytes).unwrap();
            assert_eq!(decoded.actions.len(), actions);
            assert_eq!(found.as_deref(), problem);
        }
        for length in 0..HEADER {
            assert_eq!(
                failure_actions(&vec![0x3a; length]).unwrap_err(),
                format!("FailureActions has {length} bytes, fewer than its header of 20")
            );
        }
    }
}
