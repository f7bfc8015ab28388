//! Writes a host's files at two moments below a folder, as `old` and `new`: `tests/images/make.sh` makes of them a
//! volume with a shadow copy.
#![expect(clippy::disallowed_methods, reason = "evidence is made here, not examined")]

#[path = "../tests/it/support/shadow_story.rs"]
mod shadow_story;

use std::error::Error;
use std::fs;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(std::env::args_os().nth(1).ok_or("give a folder to write to")?);
    for (name, files) in ["old", "new"].into_iter().zip(shadow_story::states()?) {
        for file in files {
            let path = out.join(name).join(&file.path);
            fs::create_dir_all(path.parent().unwrap_or(&out))?;
            fs::write(path, file.bytes)?;
        }
    }
    Ok(())
}
