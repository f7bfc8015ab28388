//! Judges labelled logs and prints how it went: `cargo run --release --example evaluate -- CORPUS > docs/evaluation.md`.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a program of the project's own: it unpacks archives and prints a page"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use svctriage::lab::evaluation::{Corpus, Folders};

fn main() -> Result<(), Box<dyn Error>> {
    let corpus = PathBuf::from(std::env::args_os().nth(1).ok_or("usage: evaluate CORPUS")?);
    let work = tempfile::tempdir()?;
    let unpacked = |name: &str| -> Result<PathBuf, Box<dyn Error>> {
        let goal = work.path().join(name);
        unpack(&corpus.join(format!("evtx/{name}.tar.xz")), &goal)?;
        Ok(goal)
    };
    let hosts = ["win10-benign-vm", "benign-system-logs", "server2016-capattack"];
    let folders = Folders {
        labelled: unpacked("evtx-to-mitre-attack")?,
        hosts: hosts
            .into_iter()
            .map(|name| Ok((name.to_owned(), unpacked(name)?)))
            .collect::<Result<BTreeMap<_, _>, Box<dyn Error>>>()?,
    };
    let truth = fs::read_to_string(corpus.join("evtx/truth.csv"))?;
    print!("{}", Corpus::scan(&truth, &folders)?.evaluation().markdown());
    Ok(())
}

fn unpack(archive: &Path, goal: &Path) -> Result<(), Box<dyn Error>> {
    let mut bytes = Vec::new();
    lzma_rs::xz_decompress(&mut BufReader::new(File::open(archive)?), &mut bytes)
        .map_err(|error| format!("{}: {error:?}", archive.display()))?;
    tar::Archive::new(bytes.as_slice()).unpack(goal)?;
    Ok(())
}
