//! What the file system says about a file.

use jiff::Timestamp;

use crate::evidence::Metadata;

/// What the file system says about a file besides its bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileRecord {
    /// Names, size, number of the file record, all sets of times, streams.
    pub metadata: Metadata,
    /// The mark of the web.
    pub zone: Option<ZoneMark>,
    /// Who owns it and who may write it; absent where the evidence has no `$Secure`.
    pub access: Option<WriteAccess>,
    /// The file records around its own.
    pub neighborhood: Option<Neighborhood>,
}

/// The stream `Zone.Identifier`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ZoneMark {
    /// `ZoneId`: 3 is the internet, 4 untrusted.
    pub zone: Option<u8>,
    /// `HostUrl`: where it was loaded from.
    pub url: Option<String>,
    /// `ReferrerUrl`: the page that led there.
    pub referrer: Option<String>,
}

/// Who owns a file and who may write it, from the volume's `$Secure`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteAccess {
    /// The owner's SID, with its name where it is well known.
    pub owner: Option<String>,
    /// Groups of ordinary users who may change its bytes, delete it or change its access rules.
    pub writers: Vec<String>,
    /// The same for the folder it is in: whoever may add files there may exchange a DLL.
    pub folder_writers: Vec<String>,
}

/// When the files around a file's record were born: NTFS gives new files the first free record, so that neighbors
/// of one installation were born together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Neighborhood {
    /// How many records around it were looked at.
    pub looked_at: usize,
    /// The middle of the times at which their names were given (`$FILE_NAME`, which programs cannot set), UTC.
    pub middle: Option<Timestamp>,
    /// How many of them were born within ten minutes of it.
    pub born_together: usize,
}
