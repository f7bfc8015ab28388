//! The compression methods of disk images. The one place where a panic of a decoder becomes an error.

use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::damaged;

/// How a unit of a disk is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// RFC 1950, with its own checksum.
    Zlib,
    /// RFC 1951.
    Deflate,
    /// RFC 8878.
    Zstd,
    /// The block format of Snappy.
    Snappy,
    /// The frame format of LZ4.
    Lz4,
    /// As it is, followed by its Adler-32 (EWF).
    Summed,
}

/// The bytes of a unit: at least `wanted`, never more than `most`.
///
/// # Errors
/// Bytes that no encoder wrote, a wrong checksum, or fewer bytes than wanted: never zeros in their place.
pub(super) fn unpack(
    method: Method,
    packed: &[u8],
    wanted: usize,
    most: usize,
) -> io::Result<Vec<u8>> {
    let unpacked = catch_unwind(AssertUnwindSafe(|| decode(method, packed, most)))
        .unwrap_or_else(|_| Err(damaged("a compressed part makes its decoder fail")))?;
    if unpacked.len() < wanted {
        return Err(damaged(format!("a compressed part has {} of {wanted} bytes", unpacked.len())));
    }
    Ok(unpacked)
}

fn decode(method: Method, packed: &[u8], most: usize) -> io::Result<Vec<u8>> {
    match method {
        Method::Zlib => bounded(flate2::read::ZlibDecoder::new(packed), most),
        Method::Deflate => bounded(flate2::read::DeflateDecoder::new(packed), most),
        Method::Zstd => {
            let decoder = ruzstd::decoding::StreamingDecoder::new(packed)
                .map_err(|error| damaged(format!("a compressed part is damaged: {error}")))?;
            bounded(decoder, most)
        }
        Method::Snappy => snappy(packed, most),
        Method::Lz4 => bounded(lz4_flex::frame::FrameDecoder::new(packed), most),
        Method::Summed => summed(packed, most),
    }
}

/// Reads one byte further than allowed, so that a checksum at the end is checked and too much is noticed.
fn bounded(decoder: impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut unpacked = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    decoder
        .take(limit)
        .read_to_end(&mut unpacked)
        .map_err(|error| damaged(format!("a compressed part is damaged: {error}")))?;
    if unpacked.len() > most {
        return Err(damaged(format!("a compressed part has more than {most} bytes")));
    }
    Ok(unpacked)
}

fn snappy(packed: &[u8], most: usize) -> io::Result<Vec<u8>> {
    let failed = |error| damaged(format!("a compressed part is damaged: {error}"));
    // The size comes first, and would be allocated whatever it says.
    if snap::raw::decompress_len(packed).map_err(failed)? > most {
        return Err(damaged(format!("a compressed part has more than {most} bytes")));
    }
    snap::raw::Decoder::new().decompress_vec(packed).map_err(failed)
}

fn summed(packed: &[u8], most: usize) -> io::Result<Vec<u8>> {
    let Some((bytes, sum)) =
        packed.split_last_chunk::<4>().filter(|(bytes, _)| bytes.len() <= most)
    else {
        return Err(damaged("a part has an impossible size"));
    };
    if adler32(bytes) != u32::from_le_bytes(*sum) {
        return Err(damaged("a part does not match its checksum"));
    }
    Ok(bytes.to_vec())
}

/// RFC 1950, section 8.2.
pub(super) fn adler32(bytes: &[u8]) -> u32 {
    const PRIME: u32 = 65_521;
    let (mut low, mut high) = (1_u32, 0_u32);
    // So many bytes can be added before either sum needs more than 32 bits.
    for chunk in bytes.chunks(5552) {
        for byte in chunk {
            low = low.wrapping_add(u32::from(*byte));
            high = high.wrapping_add(low);
        }
        low %= PRIME;
        high %= PRIME;
    }
    high << 16 | low
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn units_are_exact_or_an_error() {
        assert_eq!(adler32(b"Wikipedia"), 0x11E6_0398);
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&[7; 1000]).unwrap();
        let packed = encoder.finish().unwrap();
        assert_eq!(unpack(Method::Zlib, &packed, 1000, 1000).unwrap(), [7; 1000]);
        assert_eq!(unpack(Method::Zlib, &packed, 900, 1000).unwrap().len(), 1000);
        assert!(unpack(Method::Zlib, &packed, 1001, 2000).is_err(), "no padding");
        assert!(unpack(Method::Zlib, &packed, 900, 999).is_err(), "no cutting");
        let cut = &packed[..packed.len() - 1];
        assert!(unpack(Method::Zlib, cut, 1000, 1000).is_err(), "no checksum");
        assert!(unpack(Method::Zstd, &packed, 0, 1000).is_err());
        let mut stored = b"Wikipedia".to_vec();
        stored.extend(0x11E6_0398_u32.to_le_bytes());
        assert_eq!(unpack(Method::Summed, &stored, 9, 9).unwrap(), b"Wikipedia");
        stored[0] ^= 1;
        assert!(unpack(Method::Summed, &stored, 9, 9).is_err());
        assert!(unpack(Method::Summed, &stored[..3], 0, 9).is_err());
    }
}
