//! Judges hosts made to order and labelled logs, and prints how it went:
//! `cargo run --release --example evaluate -- CORPUS > docs/evaluation.md`.
//!
//! Without CORPUS only the lab's own hosts are judged. `--csv FILE` writes a row for each host as well; `--every N` takes
//! every Nth attack only, for a quick look.
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

use svctriage::lab::evaluation::hosts::{Base, REAL_HIVES, Study};
use svctriage::lab::evaluation::{Corpus, Evaluation, Folders, page, plants};

/// Many threads that ask for memory at once: the system's allocator takes half as long again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn Error>> {
    let mut corpus: Option<PathBuf> = None;
    let mut csv: Option<PathBuf> = None;
    let mut every = 1_usize;
    let mut arguments = std::env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--csv" {
            csv = Some(arguments.next().ok_or("--csv needs a file")?.into());
        } else if argument == "--every" {
            let number = arguments.next().ok_or("--every needs a number")?;
            every = number.to_string_lossy().parse()?;
        } else {
            corpus = Some(argument.into());
        }
    }
    let mut bases = Base::lab();
    if let Some(corpus) = &corpus {
        bases.extend(real_bases(corpus)?);
    }
    let attacks: Vec<_> = plants::attacks().iter().step_by(every.max(1)).collect();
    let study = Study::of(bases, &attacks)?;
    if let Some(file) = csv {
        fs::write(file, study.csv()?)?;
    }
    let labelled = corpus.as_deref().map(labelled_logs).transpose()?;
    print!("{}", page(&study, labelled.as_ref()));
    Ok(())
}

fn real_bases(corpus: &Path) -> Result<Vec<Base>, Box<dyn Error>> {
    let mut bases = Vec::new();
    for spec in REAL_HIVES {
        let read = |suffix: &str| unxz(&corpus.join(format!("hives/{}{suffix}.xz", spec.file)));
        let logs = (1..=spec.logs).map(|number| read(&format!(".LOG{number}")));
        let logs = logs.collect::<Result<Vec<_>, _>>()?;
        bases.push(Base::real(spec, read("")?, logs)?);
    }
    Ok(bases)
}

fn labelled_logs(corpus: &Path) -> Result<Evaluation, Box<dyn Error>> {
    let work = tempfile::tempdir()?;
    let unpacked = |name: &str| -> Result<PathBuf, Box<dyn Error>> {
        let goal = work.path().join(name);
        let archive = unxz(&corpus.join(format!("evtx/{name}.tar.xz")))?;
        tar::Archive::new(archive.as_slice()).unpack(&goal)?;
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
    Ok(Corpus::scan(&truth, &folders)?.evaluation())
}

fn unxz(file: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut bytes = Vec::new();
    lzma_rs::xz_decompress(&mut BufReader::new(File::open(file)?), &mut bytes)
        .map_err(|error| format!("{}: {error:?}", file.display()))?;
    Ok(bytes)
}
