//! Writes `samples/<story>/evidence` anew from each `samples/<story>/scenario.toml`.
#![expect(
    clippy::disallowed_methods,
    reason = "evidence is made here, not examined: scenarios are read and files written"
)]

use std::error::Error;
use std::fs;
use std::path::Path;

use svctriage::lab::scenario::Scenario;

fn main() -> Result<(), Box<dyn Error>> {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    for story in fs::read_dir(samples)? {
        let story = story?.path();
        if story.join("scenario.toml").is_file() {
            make(&story)?;
        }
    }
    Ok(())
}

fn make(story: &Path) -> Result<(), Box<dyn Error>> {
    let scenario = Scenario::parse(&fs::read_to_string(story.join("scenario.toml"))?)?;
    let evidence = story.join("evidence");
    if evidence.is_dir() {
        fs::remove_dir_all(&evidence)?;
    }
    for file in scenario.evidence()? {
        let path = evidence.join(&file.path);
        fs::create_dir_all(path.parent().unwrap_or(&evidence))?;
        fs::write(path, file.bytes)?;
    }
    Ok(())
}
