//! Program files that lie on a scenario's host.

use jiff::Timestamp;
use serde::Deserialize;

use crate::host::program_file::VersionResource;
use crate::lab::evidence::File;
use crate::lab::pe::Program;

/// A program file: where it lies, and what it says of itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ProgramSpec {
    /// Its path in the evidence, with `/` between components: `Program Files/Acme/agent.exe`.
    pub path: String,
    /// `CompanyName` of its version resource; without one it has no such resource.
    pub company: Option<String>,
    /// `ProductName`.
    pub product: Option<String>,
    /// `FileDescription`.
    pub description: Option<String>,
    /// `OriginalFilename`, where it is not the file's own name.
    pub original_name: Option<String>,
    /// `FileVersion`.
    pub version: Option<String>,
    /// When it says that it was linked.
    pub linked: Option<Timestamp>,
    /// The path of its debug information.
    pub pdb: Option<String>,
    /// Whether it is packed.
    #[serde(default)]
    pub packed: bool,
    /// Whether it is .NET.
    #[serde(default)]
    pub dot_net: bool,
}

impl ProgramSpec {
    /// The file, always the same for the same words.
    pub(super) fn file(&self) -> File {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        let mut program = Program::new(name);
        if self.company.is_some() {
            let original = self.original_name.clone().unwrap_or_else(|| name.to_owned());
            program = program.version(VersionResource {
                company: self.company.clone(),
                product: self.product.clone(),
                description: self.description.clone(),
                original_name: Some(original),
                internal_name: None,
                version: self.version.clone(),
            });
        }
        let linked = self.linked.and_then(|linked| u32::try_from(linked.as_second()).ok());
        if let Some(linked) = linked {
            program = program.linked(linked);
        }
        if let Some(pdb) = &self.pdb {
            program = program.pdb(pdb);
        }
        if self.packed {
            program = program.packed();
        }
        if self.dot_net {
            program = program.dot_net();
        }
        File { path: self.path.clone(), bytes: program.build() }
    }
}
