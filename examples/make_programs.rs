//! Writes the files of a host whose services name programs in every way below a folder: `tests/images/program_files.py` puts
//! them on a volume.
#![expect(clippy::disallowed_methods, reason = "evidence is made here, not examined")]

#[path = "../tests/it/support/program_story.rs"]
mod program_story;

use std::error::Error;
use std::fs;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(std::env::args_os().nth(1).ok_or("give a folder to write to")?);
    for file in program_story::files() {
        let path = out.join(&file.path);
        fs::create_dir_all(path.parent().unwrap_or(&out))?;
        fs::write(path, file.bytes)?;
    }
    Ok(())
}
