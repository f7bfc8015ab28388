//! Which files a host's services need.

use super::phantom::phantoms;
use super::{FileState, ProgramFile, Purpose, ServiceFile};
use crate::host::image_path::Naming;
use crate::host::service::Service;
use crate::host::{Host, ImagePath};

/// Who needs a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// A service: index into [`Host::services`].
    Service(usize),
    /// A configuration key: index into [`Host::stores`].
    Store(usize),
}

/// A file that a service needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Who needs it.
    pub owner: Owner,
    /// What for.
    pub purpose: Purpose,
    /// How it is named.
    pub path: ImagePath,
    /// Whether Windows opens it as a 32-bit program would, where `System32` means `SysWOW64`: the value `WOW64`.
    pub is_redirected: bool,
}

/// Every file that the host's services and configuration keys need, in their order.
pub fn wanted(host: &Host) -> Vec<Wanted> {
    let services = host.services.iter().enumerate();
    let stores = host.stores.iter().enumerate();
    let mut found = Vec::new();
    for (index, service) in services.filter(|(_, service)| service.elsewhere.is_none()) {
        found.extend(of_service(Owner::Service(index), service));
    }
    for (index, store) in stores {
        found.extend(of_service(Owner::Store(index), store));
    }
    found
}

fn of_service(owner: Owner, service: &Service) -> Vec<Wanted> {
    let named = [
        (Purpose::Image, &service.image),
        (Purpose::ServiceDll, &service.dll),
        (Purpose::FailureCommand, &service.failure_command),
        (Purpose::Wrapped, &service.wrapped),
    ];
    let named = named.into_iter().filter_map(|(purpose, path)| Some((purpose, path.clone()?)));
    let named = named.flat_map(|(purpose, path)| {
        let script = script(&path).map(|script| (behind(&purpose), script));
        [Some((purpose, path)), script]
    });
    let named = named.flatten();
    let points = service
        .config
        .iter()
        .flat_map(|config| &config.load_points)
        .map(|point| (Purpose::LoadPoint(point.value.clone()), ImagePath::parse(&point.path)));
    let is_redirected = !service.is_driver()
        && service.config.as_ref().and_then(|config| config.wow64).is_some_and(|wow64| wow64 != 0);
    let phantoms = phantoms(&service.name).map(|library| {
        let path = ImagePath::parse(&format!(r"%SystemRoot%\System32\{library}"));
        (Purpose::Phantom(format!("phantom DLL {library}")), path)
    });
    named
        .chain(points)
        .chain(phantoms)
        .map(|(purpose, path)| Wanted { owner, purpose, path, is_redirected })
        .collect()
}

/// What a file behind a command interpreter is for: it is what a service really runs.
fn behind(purpose: &Purpose) -> Purpose {
    if *purpose == Purpose::Image { Purpose::Wrapped } else { purpose.clone() }
}

/// The script or program that the command interpreter is told to run, where that is clearly a file: a full path.
fn script(command: &ImagePath) -> Option<ImagePath> {
    if !matches!(command.leaf(), "cmd" | "cmd.exe") {
        return None;
    }
    let mut rest = command.arguments.trim_start();
    loop {
        let (word, tail) = rest.split_once(char::is_whitespace)?;
        if !word.starts_with('/') {
            return None;
        }
        rest = tail.trim_start();
        // cmd takes the letter wherever it stands: /q/c, /ccommand is not written by people.
        if word.to_lowercase().ends_with("/c") || word.to_lowercase().ends_with("/k") {
            break;
        }
    }
    // A doubled quote opens a command line that begins with a quoted path.
    let path =
        ImagePath::parse(rest.strip_prefix("\"\"").map_or(rest, |_| rest.get(1..).unwrap_or(rest)));
    (path.naming == Naming::Absolute && !path.extension().is_empty()).then_some(path)
}

impl Host {
    /// Puts the files that were found where their services point at them: `links` has one entry for each of
    /// `wanted`, in that order.
    pub fn attach_files(
        &mut self,
        wanted: &[Wanted],
        files: Vec<ProgramFile>,
        links: Vec<ServiceFile>,
    ) {
        self.files = files;
        for (wanted, link) in wanted.iter().zip(links) {
            let owner = match wanted.owner {
                Owner::Service(index) => self.services.get_mut(index),
                Owner::Store(index) => self.stores.get_mut(index),
            };
            if let Some(owner) = owner {
                let path = match wanted.purpose {
                    Purpose::Image => owner.image.as_mut(),
                    Purpose::ServiceDll => owner.dll.as_mut(),
                    Purpose::FailureCommand => owner.failure_command.as_mut(),
                    Purpose::Wrapped => owner.wrapped.as_mut(),
                    Purpose::LoadPoint(_) | Purpose::Phantom(_) => None,
                };
                if let (Some(path), Some(file)) = (path, self.files.get(link.file)) {
                    write_out(path, &wanted.path, file, &link);
                }
                owner.files.push(link);
            }
        }
    }
}

/// A short (8.3) name hides where a program lies. Where its file was found, its path is compared as its folders write it.
fn write_out(path: &mut ImagePath, wanted: &ImagePath, file: &ProgramFile, link: &ServiceFile) {
    let is_found = file.state == FileState::Present && link.meant.is_none();
    if is_found && path == wanted && path.normalized.contains('~') {
        path.normalized = ImagePath::of_file(&file.path).normalized;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_behind_the_interpreter_is_a_full_path() {
        for (command, expected) in [
            (r"cmd /c C:\a\x.bat", Some(r"c:\a\x.bat")),
            (r"%COMSPEC% /Q /c C:\a\x.bat 1 2", Some(r"c:\a\x.bat")),
            (r#"cmd.exe /c "C:\a b\x.cmd" 1"#, Some(r"c:\a b\x.cmd")),
            (r#"cmd.exe /c ""C:\a b\x.cmd" 1""#, Some(r"c:\a b\x.cmd")),
            (r"cmd.exe /c %SystemRoot%\x.bat", Some(r"c:\windows\x.bat")),
            ("cmd.exe /c echo a", None),
            ("cmd.exe /k tscon 1 /dest:rdp", None),
            (r"cmd.exe C:\a\x.bat", None),
            ("cmd.exe /c", None),
            (r"C:\a\x.exe /c C:\a\x.bat", None),
        ] {
            let found = script(&ImagePath::parse(command));
            assert_eq!(found.as_ref().map(|path| path.normalized.as_str()), expected, "{command}");
        }
    }
}
