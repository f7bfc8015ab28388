//! What the lab hands over: files with the paths a collector would keep.

/// One file of evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Relative path, with `/`.
    pub path: String,
    /// The content.
    pub bytes: Vec<u8>,
}
