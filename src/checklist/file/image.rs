//! PE images among a service's files: what checks of their content share.

use super::super::Scope;
use super::present;
use crate::host::program_file::{Executable, ProgramFile, Purpose};

/// The need that a check of images has: the bytes of the service's files.
pub(super) use super::super::Need::FileContents as CONTENTS;

/// A file of the service that is a PE image and was read.
pub(super) struct Image<'a> {
    pub(super) purpose: &'a Purpose,
    pub(super) file: &'a ProgramFile,
    pub(super) executable: &'a Executable,
}

impl Image<'_> {
    /// Whether somebody known vouches for its bytes.
    pub(super) fn is_vouched(&self) -> bool {
        self.file.signature.status.is_valid()
    }

    /// How a sentence about it begins: `The program C:\x.exe`.
    pub(super) fn named(&self) -> String {
        format!("The {} {}", self.purpose.label(), self.file.path)
    }
}

/// The images of a service, in the order of its files.
pub(super) fn images<'a>(scope: &Scope<'a>) -> impl Iterator<Item = Image<'a>> {
    present(scope)
        .filter_map(|(purpose, file)| Some(Image { purpose, file, executable: file.executable()? }))
}

/// Whether service programs may look that way to a check although they are packed: their code says so itself.
pub(super) fn is_packed(executable: &Executable) -> Option<String> {
    /// Above it code is compressed or encrypted: in 438 ordinary images no native code section reached 7.0.
    const DENSE: u16 = 7_200;
    /// Less code than this says little about its entropy.
    const LEAST: u64 = 16 << 10;
    if let Some(packer) = &executable.packer {
        return Some(format!("it bears the marks of {packer}"));
    }
    // .NET keeps its resources in the section of the code.
    if executable.is_made_with(crate::host::program_file::Hint::DotNet) {
        return None;
    }
    let dense = executable
        .sections
        .iter()
        .find(|section| section.is_code && section.entropy > DENSE && section.size >= LEAST)?;
    let (whole, rest) = (dense.entropy / 1000, dense.entropy % 1000 / 10);
    let name = super::super::story::clip(&dense.name);
    Some(format!("its code in section {name} has {whole}.{rest:02} bits of entropy per byte"))
}
