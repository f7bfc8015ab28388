//! The header of a BitLocker volume: which variant, which cipher, which protectors.

use bitlocker::{BdeVariant, FveMetadata, VolumeHeader};

use super::guarded;
use super::protector;
use crate::evidence::source::{SharedSource, read_up_to};

/// `4967d63b-2e29-4ad8-8399-f6a339e3d001`: a volume encrypted as a whole or in its used space.
const BITLOCKER: [u8; 16] = [
    0x3b, 0xd6, 0x67, 0x49, 0x29, 0x2e, 0xd8, 0x4a, 0x83, 0x99, 0xf6, 0xa3, 0x39, 0xe3, 0xd0, 0x01,
];
/// `92a84d3b-dd80-4d0e-9e4e-b1e3284eaed8`: a volume encrypted as it is written, not finished.
const ENCRYPT_ON_WRITE: [u8; 16] = [
    0x3b, 0x4d, 0xa8, 0x92, 0x80, 0xdd, 0x0e, 0x4d, 0x9e, 0x4e, 0xb1, 0xe3, 0x28, 0x4e, 0xae, 0xd8,
];
/// Where the identifier is, by variant, in bytes from the start of the volume.
const IDENTIFIER: usize = 160;
const IDENTIFIER_TO_GO: usize = 424;
/// Bytes read of a metadata block; Windows reserves that much.
const METADATA: usize = 64 << 10;
/// Where the entries of a metadata block begin.
const ENTRIES: u64 = 112;
/// The sector size that encrypted sectors are counted in here, in bytes.
const SECTOR: u16 = 512;

/// The header of a BitLocker volume and its first readable metadata.
pub(super) struct Header {
    volume: VolumeHeader,
    /// Where `metadata` is, in bytes from the start of the volume.
    at: u64,
    metadata: FveMetadata,
}

/// Whether a first sector is that of a BitLocker volume. FAT volumes of any Windows may begin like To Go ones, so
/// that these are told by their identifier.
pub(super) fn is_bitlocker(sector: &[u8]) -> bool {
    let identifier = sector.get(IDENTIFIER_TO_GO..).and_then(|rest| rest.first_chunk::<16>());
    match sector.get(3..11) {
        Some(b"-FVE-FS-") => true,
        Some(b"MSWIN4.1") => {
            identifier.is_some_and(|id| *id == BITLOCKER || *id == ENCRYPT_ON_WRITE)
        }
        _ => false,
    }
}

impl Header {
    pub(super) fn read(source: &SharedSource) -> Result<Self, String> {
        let failed = |error: std::io::Error| error.to_string();
        let mut sector = [0; 512];
        read_up_to(source.as_ref(), 0, &mut sector).map_err(failed)?;
        let parsed = guarded(|| VolumeHeader::parse(&sector)).map_err(failed)?;
        let mut volume = parsed.map_err(|error| error.to_string())?;
        if sector.get(IDENTIFIER..).is_some_and(|rest| rest.starts_with(&ENCRYPT_ON_WRITE)) {
            volume.bitlocker_guid = ENCRYPT_ON_WRITE;
        }
        for at in volume.fve_metadata_offsets.into_iter().filter(|at| *at != 0) {
            let mut block = vec![0; METADATA];
            let read = read_up_to(source.as_ref(), at, &mut block).map_err(failed)?;
            block.truncate(read);
            let parse = || FveMetadata::parse(&block, volume.bytes_per_sector);
            if let Some(metadata) = guarded(parse).map_err(failed)? {
                return Ok(Self { volume, at, metadata });
            }
        }
        Err("none of its three metadata blocks can be read".to_owned())
    }

    /// `BitLocker, XTS-AES-128, protected by a password`.
    pub(super) fn words(&self) -> String {
        let cipher = cipher(self.metadata.encryption_method);
        let protectors = protector::words(&self.metadata.protector_types());
        format!("BitLocker, {cipher}, protected by {protectors}")
    }

    /// Where the first sectors of a volume are that is decrypted or not yet encrypted, and how many bytes they have.
    pub(super) fn first_sectors_of_plain(&self) -> Option<(u64, u64)> {
        let metadata = &self.metadata;
        let is_plain = metadata.encryption_method == 0 && metadata.encrypted_volume_size == 0;
        is_plain.then_some((metadata.volume_header_offset, metadata.volume_header_size))
    }

    /// Why no key would help.
    pub(super) fn unsupported(&self) -> Option<String> {
        let method = self.metadata.encryption_method;
        if self.volume.variant == BdeVariant::WindowsVista {
            return Some("the format of Windows Vista cannot be decrypted here".to_owned());
        }
        if self.volume.bitlocker_guid == ENCRYPT_ON_WRITE {
            return Some(
                "its encryption was not finished (used space only), which cannot be read here"
                    .to_owned(),
            );
        }
        if self.volume.bytes_per_sector != SECTOR {
            let size = self.volume.bytes_per_sector;
            return Some(format!("sectors of {size} bytes cannot be decrypted here"));
        }
        matches!(method, 0x8002..=0x8005 | 0x8000)
            .then_some(())
            .map_or_else(|| Some(format!("{} cannot be decrypted here", cipher(method))), |()| None)
    }

    /// Where the types of the protectors of one type are, in bytes from the start of the volume.
    pub(super) fn protectors(&self, wanted: u16) -> Vec<u64> {
        let mut positions = Vec::new();
        let mut at = self.at.saturating_add(ENTRIES);
        for entry in &self.metadata.entries {
            if entry.protection_type() == Some(wanted) {
                // The entry's header has 8 bytes; the type is 26 bytes into its data.
                positions.push(at.saturating_add(8 + 26));
            }
            let size = u64::try_from(entry.data.len()).unwrap_or(u64::MAX).saturating_add(8);
            at = at.saturating_add(size);
        }
        positions
    }

    /// What to give, after the named keys did not fit.
    pub(super) fn remedy(&self, tried: &[&str]) -> String {
        let failed = match tried {
            [] => String::new(),
            [one] => format!("; the {one} given does not fit"),
            [first, rest @ ..] if rest.iter().all(|other| other == first) => {
                format!("; none of the {} {first}s given fits", tried.len())
            }
            _ => format!("; none of the {} keys given fits", tried.len()),
        };
        let remedy = protector::remedy(&self.metadata.protector_types());
        format!("{}{failed}; {remedy}", self.words())
    }
}

fn cipher(method: u16) -> String {
    match method {
        0 => "no cipher".to_owned(),
        0x8000 => "AES-128-CBC with diffuser".to_owned(),
        0x8001 => "AES-256-CBC with diffuser".to_owned(),
        0x8002 => "AES-128-CBC".to_owned(),
        0x8003 => "AES-256-CBC".to_owned(),
        0x8004 => "XTS-AES-128".to_owned(),
        0x8005 => "XTS-AES-256".to_owned(),
        other => format!("unknown cipher {other:#06x}"),
    }
}
