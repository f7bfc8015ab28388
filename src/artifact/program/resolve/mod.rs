//! From the words of a service to a file, the way Windows goes.

mod environment;
mod plan;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use self::environment::Environment;
use self::plan::{Nowhere, Opener, Plan, plan};
use crate::evidence::{Evidence, EvidencePath, Whereabouts};
use crate::host::image_path::leaf;
use crate::host::program_file::{FileState, Owner, ProgramFile, Purpose, ServiceFile, Wanted};
use crate::host::{Citation, Host, Place, Provenance, Service};
use crate::text::fold;

/// The files that words lead to.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    /// Every file once, sorted by path.
    pub(super) files: Vec<ProgramFile>,
    /// One for each wanted file, in that order.
    pub(super) links: Vec<ServiceFile>,
}

/// Finds the files, on the threads of the current rayon pool.
pub(super) fn resolve(evidence: &dyn Evidence, host: &Host, wanted: &[Wanted]) -> Resolved {
    let finder = Finder { evidence, host, environment: Environment::of(evidence, host) };
    let found: Vec<Found> = wanted.par_iter().map(|one| finder.find_fused(one)).collect();
    let mut files: BTreeMap<String, ProgramFile> = BTreeMap::new();
    for file in found.iter().flat_map(|found| [Some(&found.file), found.meant.as_ref()]).flatten() {
        files.entry(fold(&file.path)).or_insert_with(|| file.clone());
    }
    let numbers: BTreeMap<&str, usize> =
        files.keys().enumerate().map(|(number, path)| (path.as_str(), number)).collect();
    let number = |file: &ProgramFile| numbers.get(fold(&file.path).as_str()).copied();
    let links = found.iter().zip(wanted).map(|(found, wanted)| ServiceFile {
        purpose: wanted.purpose.clone(),
        file: number(&found.file).unwrap_or(usize::MAX),
        meant: found.meant.as_ref().and_then(number),
        steps: found.steps.clone(),
    });
    let links = links.collect();
    Resolved { files: files.into_values().collect(), links }
}

/// What the words of one service lead to.
struct Found {
    file: ProgramFile,
    /// The file that was meant, where another one stands before it.
    meant: Option<ProgramFile>,
    steps: Vec<String>,
}

struct Finder<'h> {
    evidence: &'h dyn Evidence,
    host: &'h Host,
    environment: Environment,
}

impl Finder<'_> {
    /// The fuse: a panic over hostile words or folders is a fault of this program and costs one file.
    fn find_fused(&self, wanted: &Wanted) -> Found {
        catch_unwind(AssertUnwindSafe(|| self.find(wanted))).unwrap_or_else(|panic| {
            let path = wanted.path.raw.clone();
            let mut file = ProgramFile::at(path, FileState::Unreadable, self.cite(wanted));
            let words = crate::artifact::words(panic.as_ref());
            file.remark = Some(format!("looking for it failed, a fault of this program: {words}"));
            Found { file, meant: None, steps: Vec::new() }
        })
    }

    fn find(&self, wanted: &Wanted) -> Found {
        let opener = self.opener(wanted);
        match plan(
            &wanted.path,
            opener,
            wanted.is_redirected,
            &self.environment,
            &self.host.volumes,
        ) {
            Ok(plan) => self.try_all(plan, wanted),
            Err(Nowhere { path, reason }) => {
                let path = if path.is_empty() { wanted.path.raw.clone() } else { path };
                let mut file = ProgramFile::at(path, FileState::NotCollected, self.cite(wanted));
                file.remark = Some(reason);
                Found { file, meant: None, steps: Vec::new() }
            }
        }
    }

    fn opener(&self, wanted: &Wanted) -> Opener {
        let is_driver = self.service(wanted.owner).is_some_and(Service::is_driver);
        match wanted.purpose {
            Purpose::Image if is_driver => Opener::Kernel,
            Purpose::Image | Purpose::FailureCommand | Purpose::Wrapped => Opener::Process,
            Purpose::ServiceDll | Purpose::LoadPoint(_) | Purpose::Phantom(_) => Opener::Loader,
        }
    }

    fn service(&self, owner: Owner) -> Option<&Service> {
        match owner {
            Owner::Service(index) => self.host.services.get(index),
            Owner::Store(index) => self.host.stores.get(index),
        }
    }

    /// Tries paths as Windows does: the first file that is there is the one.
    fn try_all(&self, plan: Plan, wanted: &Wanted) -> Found {
        let Plan { tries, meant, told, mut steps } = plan;
        let mut answer = None;
        for (nth, one) in tries.iter().enumerate() {
            let whereabouts = self.look_up(&one.path);
            let is_present = matches!(whereabouts, Whereabouts::Present { .. });
            if is_present || nth == told {
                answer = Some((nth, whereabouts));
            }
            if is_present {
                break;
            }
        }
        let (nth, whereabouts) = answer
            .unwrap_or_else(|| (told, Whereabouts::NotCollected("nothing was tried".to_owned())));
        let one = tries.get(nth);
        steps.extend(one.and_then(|one| one.because.clone()));
        if let Whereabouts::Present { links, .. } = &whereabouts {
            steps.extend(links.iter().cloned());
        }
        let path = one.map_or("", |one| one.path.as_str());
        let is_present = matches!(whereabouts, Whereabouts::Present { .. });
        let file = self.file(path, whereabouts, wanted);
        // Without an extension nothing tells where the program was to end.
        let is_named = tries.get(meant).is_some_and(|one| leaf(&one.path).contains('.'));
        let behind = (is_present && nth < meant && is_named)
            .then(|| self.meant(tries.get(meant..=told.max(meant)).unwrap_or_default(), wanted));
        Found { file, meant: behind.flatten(), steps }
    }

    /// The file that words mean, where another one stands before it.
    fn meant(&self, tries: &[plan::Try], wanted: &Wanted) -> Option<ProgramFile> {
        let all: Vec<ProgramFile> =
            tries.iter().map(|one| self.file(&one.path, self.look_up(&one.path), wanted)).collect();
        let present = all.iter().find(|file| file.state == FileState::Present);
        present.or(all.last()).cloned()
    }

    fn look_up(&self, path: &str) -> Whereabouts {
        self.evidence.look_up(path, &self.environment.root)
    }

    fn file(&self, path: &str, whereabouts: Whereabouts, wanted: &Wanted) -> ProgramFile {
        match whereabouts {
            Whereabouts::Present { path, host_path, .. } => {
                ProgramFile::at(host_path, FileState::Present, cite_file(&path))
            }
            Whereabouts::Missing { folder, host_path } => {
                ProgramFile::at(host_path, FileState::Missing, cite_file(&folder))
            }
            Whereabouts::NotCollected(reason) => {
                let mut file = ProgramFile::at(path, FileState::NotCollected, self.cite(wanted));
                file.remark = Some(reason);
                file
            }
            Whereabouts::Unreadable { place, reason } => {
                let mut file = ProgramFile::at(path, FileState::Unreadable, cite_file(&place));
                file.remark = Some(reason);
                file
            }
        }
    }

    /// Where the words stand: the evidence of a file that is in no evidence.
    fn cite(&self, wanted: &Wanted) -> Citation {
        let value = match &wanted.purpose {
            // No value names a phantom DLL: the program itself looks for it.
            Purpose::Image | Purpose::Phantom(_) => "ImagePath",
            Purpose::ServiceDll => r"Parameters\ServiceDll",
            Purpose::FailureCommand => "FailureCommand",
            Purpose::Wrapped => r"Parameters\Application",
            Purpose::LoadPoint(value) => value,
        };
        let service = self.service(wanted.owner);
        let config = service.and_then(|one| one.config.as_ref().or(one.history.first()));
        let event = || {
            let link = service?.links.first()?;
            Some(self.host.events.get(link.event)?.citation.clone())
        };
        config
            .map(|config| config.cite(value))
            .or_else(event)
            .unwrap_or_else(|| cite_file(&EvidencePath::root()))
    }
}

/// A file or folder of the evidence.
fn cite_file(path: &EvidencePath) -> Citation {
    let artifact = if path.as_str().is_empty() { Arc::from("/") } else { path.shared() };
    Citation { artifact, place: Place::File, provenance: Provenance::Live }
}
