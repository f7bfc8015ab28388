//! The members of the zip archive that an image is.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use zip::{CompressionMethod, ZipArchive};

use super::super::damaged;
use crate::evidence::source::{Cursor, SharedSource, Window};

/// Members of one image: two for each 64 MiB at least, so that this is some 16 TiB.
const MOST: usize = 1 << 20;

pub(super) struct Members {
    source: SharedSource,
    members: BTreeMap<String, Member>,
}

/// Where a member's bytes are.
#[derive(Clone, Copy)]
pub(super) struct Member {
    start: u64,
    packed: u64,
    method: CompressionMethod,
}

impl Members {
    pub(super) fn read(source: &SharedSource) -> io::Result<Self> {
        // The one place where a panic of the library becomes an error.
        catch_unwind(AssertUnwindSafe(|| list(source)))
            .unwrap_or_else(|_| Err(damaged("the zip archive of the image makes its reader fail")))
            .map(|members| Self { source: Arc::clone(source), members })
    }

    pub(super) fn get(&self, name: &str) -> Option<Member> {
        self.members.get(name).copied()
    }

    /// The bytes of a member that is stored as it is.
    pub(super) fn stored(&self, name: &str) -> io::Result<Option<SharedSource>> {
        let Some(member) = self.get(name) else { return Ok(None) };
        if member.method != CompressionMethod::Stored {
            return Err(super::unsupported(format!("{name} in the image is compressed once more")));
        }
        Ok(Some(Arc::new(Window::new(Arc::clone(&self.source), member.start, member.packed))))
    }

    /// All bytes of a member, at most so many.
    pub(super) fn bytes(&self, name: &str, most: u64) -> io::Result<Option<Vec<u8>>> {
        let Some(member) = self.get(name) else { return Ok(None) };
        let window = Window::new(Arc::clone(&self.source), member.start, member.packed);
        let packed = Cursor::new(Arc::new(window));
        let limit = most.saturating_add(1);
        let mut bytes = Vec::new();
        match member.method {
            CompressionMethod::Stored => packed.take(limit).read_to_end(&mut bytes)?,
            CompressionMethod::Deflated => {
                flate2::read::DeflateDecoder::new(packed).take(limit).read_to_end(&mut bytes)?
            }
            other => return Err(super::unsupported(format!("{name} is compressed with {other}"))),
        };
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > most {
            return Err(damaged(format!("{name} in the image has more than {most} bytes")));
        }
        Ok(Some(bytes))
    }

    pub(super) fn text(&self, name: &str, most: u64) -> io::Result<Option<String>> {
        let bytes = self.bytes(name, most)?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }
}

fn list(source: &SharedSource) -> io::Result<BTreeMap<String, Member>> {
    let failed =
        |error: zip::result::ZipError| damaged(format!("the zip archive of the image: {error}"));
    let mut archive = ZipArchive::new(Cursor::new(Arc::clone(source))).map_err(failed)?;
    if archive.len() > MOST {
        return Err(damaged(format!("the image has more than {MOST} members")));
    }
    let mut members = BTreeMap::new();
    for index in 0..archive.len() {
        let file = archive.by_index_raw(index).map_err(failed)?;
        let (Some(start), Ok(name)) = (file.data_start(), file.name()) else { continue };
        let member = Member { start, packed: file.compressed_size(), method: file.compression() };
        members.insert(name.into_owned(), member);
    }
    Ok(members)
}
