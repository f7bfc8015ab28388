//! Judges hosts made to order and labelled logs, and prints how it went:
//! `cargo run --release --example evaluate -- CORPUS > docs/evaluation.md`.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a program of the project's own: it unpacks archives and prints a page"
)]

use std::error::Error;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use svctriage::lab::evaluation::hosts::*;
use svctriage::lab::evaluation::hosts::metrics::*;

fn main() -> Result<(), Box<dyn Error>> {
    let corpus = std::env::args_os().nth(1).map(PathBuf::from);
    let mut bases = Base::lab();
    if let Some(corpus) = &corpus {
        for spec in REAL_HIVES {
            let read = |suffix: String| unxz(&corpus.join(format!("hives/{}{suffix}.xz", spec.file)));
            let primary = read(String::new())?;
            let logs = (1..=spec.logs).map(|n| read(format!(".LOG{n}"))).collect::<Result<Vec<_>, _>>()?;
            bases.push(Base::real(spec, primary, logs)?);
        }
    }
    let start = std::time::Instant::now();
    let study = Study::run(bases)?;
    println!("{:?} {} hosts", start.elapsed(), study.hosts.len());
    for condition in [Condition::Whole, Condition::Registry] {
        for view in View::all() {
            let attacked: Vec<_> = study.under(condition).filter(|h| h.attack.is_some()).collect();
            let cases: Vec<Case> = attacked.iter().map(|h| Case { places: h.outcomes[&view].places.clone(), relevance: 1.0 }).collect();
            let q = Quality::of(&cases);
            let clean: Vec<_> = study.under(condition).filter(|h| h.attack.is_none()).collect();
            let loud = |f: &dyn Fn(&Outcome) -> usize| clean.iter().map(|h| f(&h.outcomes[&view])).sum::<usize>();
            println!("{condition:?} {view:?} {q:?} clean {} review {} escalate {}", clean.len(), loud(&|o| o.review), loud(&|o| o.escalate));
        }
    }
    for host in &study.hosts {
        if host.attack.is_none() || host.outcomes[&View::Shipped].places.iter().all(|p| *p != Some(1)) {
            println!("{} {} {:?} {:?} {:?}", study.bases[host.base].name, host.number, host.condition, host.attack.map(|p| &p.id), host.outcomes[&View::Shipped].places);
            for t in &host.told { println!("   {t:?}"); }
        }
    }
    println!("{:?}", study.untold);
    Ok(())
}

fn unxz(file: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut bytes = Vec::new();
    lzma_rs::xz_decompress(&mut BufReader::new(File::open(file)?), &mut bytes)
        .map_err(|error| format!("{}: {error:?}", file.display()))?;
    Ok(bytes)
}
