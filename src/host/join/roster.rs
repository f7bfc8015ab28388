//! The services being joined, found by key name, display name or command.

use std::collections::BTreeMap;

use super::configuration;
use crate::host::device_path::Volumes;
use crate::host::event::ServiceNames;
use crate::host::image_path::{ImagePath, Naming, leaf};
use crate::host::service::{Link, Role, Service};
use crate::text;

/// The services of one host while events are being linked to them.
pub(super) struct Roster {
    services: Vec<Service>,
    by_key: BTreeMap<String, usize>,
    by_display: BTreeMap<String, Vec<usize>>,
    /// Display name → key name, learned from events that give both.
    aliases: BTreeMap<String, String>,
    by_program: BTreeMap<String, Vec<usize>>,
    by_library: BTreeMap<String, Vec<usize>>,
    volumes: Volumes,
    hive_read: bool,
}

impl Roster {
    /// A roster of the services that a hive configures; `hive_read` says whether there was one.
    pub(super) fn new(services: Vec<Service>, hive_read: bool) -> Self {
        let mut roster = Self {
            services: Vec::new(),
            by_key: BTreeMap::new(),
            by_display: BTreeMap::new(),
            aliases: BTreeMap::new(),
            by_program: BTreeMap::new(),
            by_library: BTreeMap::new(),
            volumes: Volumes::default(),
            hive_read,
        };
        for service in services {
            roster.add(service);
        }
        roster
    }

    /// Says which volumes carry which drive letters, for programs that logs name by their device.
    pub(super) fn set_volumes(&mut self, volumes: Volumes) {
        self.volumes = volumes;
    }

    /// Which volumes carry which drive letters.
    pub(super) fn volumes(&self) -> &Volumes {
        &self.volumes
    }

    fn add(&mut self, service: Service) -> usize {
        let index = self.services.len();
        self.by_key.entry(text::fold(&service.name)).or_insert(index);
        if let Some(display) = &service.display_name {
            self.by_display.entry(text::fold(display)).or_default().push(index);
        }
        if let Some(dll) = &service.dll {
            self.by_library.entry(dll.normalized.clone()).or_default().push(index);
        }
        self.services.push(service);
        self.index_program(index);
        index
    }

    /// Makes a service findable by its program; to be called again when an event supplies the command.
    fn index_program(&mut self, index: usize) {
        let Some(service) = self.services.get(index) else { return };
        for path in
            [&service.image, &service.failure_command, &service.wrapped].into_iter().flatten()
        {
            let entry = self.by_program.entry(program_key(path)).or_default();
            if !entry.contains(&index) {
                entry.push(index);
            }
        }
    }

    /// Remembers that a display name belongs to a key.
    pub(super) fn learn(&mut self, display: &str, key: &str) {
        if !text::same_name(display, key) {
            self.aliases.entry(text::fold(display)).or_insert_with(|| key.to_owned());
        }
    }

    /// The service that an event's names mean, where there is one.
    pub(super) fn find(&self, names: &ServiceNames) -> Option<usize> {
        if let Some(key) = &names.key {
            let folded = text::fold(key);
            return self.by_key.get(&folded).or_else(|| self.template(&folded)).copied();
        }
        let display = text::fold(names.display.as_deref()?);
        if let Some(key) = self.aliases.get(&display) {
            return self.by_key.get(&text::fold(key)).copied();
        }
        if let Some(index) = self.by_key.get(&display) {
            return Some(*index);
        }
        match self.by_display.get(&display).map(Vec::as_slice) {
            Some([only]) => Some(*only),
            // Several services of one display name: a guess would accuse the wrong one.
            _ => None,
        }
    }

    /// The template behind `Name_<hex>`: instances of per-user services come and go with sessions.
    fn template(&self, folded: &str) -> Option<&usize> {
        let (name, session) = folded.rsplit_once('_')?;
        let is_session = (4..=8).contains(&session.len())
            && session.bytes().all(|byte| byte.is_ascii_hexdigit());
        let index = self.by_key.get(name).filter(|_| is_session)?;
        let kind = self.get(*index)?.config.as_ref()?.service_type?;
        kind.is_user_template().then_some(index)
    }

    /// The service that an event's names mean; made when unknown. Without a hive every name makes a
    /// service. With one, a display name alone does so only where `proves` says that the event itself shows
    /// a service was there: stock display names are localised resources that no key holds.
    pub(super) fn find_or_add(&mut self, names: &ServiceNames, proves: bool) -> Option<usize> {
        if let Some(index) = self.find(names) {
            return Some(index);
        }
        let alias =
            names.display.as_deref().and_then(|display| self.aliases.get(&text::fold(display)));
        let name = names
            .key
            .clone()
            .or_else(|| alias.cloned())
            .or_else(|| names.display.clone().filter(|_| proves || !self.hive_read))?;
        if name.trim().is_empty() || self.hive_read && !proves {
            return None;
        }
        let mut service = Service::named(name);
        service.display_name.clone_from(&names.display);
        Some(self.add(service))
    }

    /// A service of another host, named in a command given here.
    pub(super) fn elsewhere(&mut self, host: &str, name: &str) -> usize {
        let full = format!(r"\\{host}\{name}");
        if let Some(index) = self.by_key.get(&text::fold(&full)) {
            return *index;
        }
        let mut service = Service::named(full);
        service.elsewhere = Some(host.to_owned());
        self.add(service)
    }

    /// Gives a service without configuration the command that an event shows.
    pub(super) fn supply_image(&mut self, index: usize, command: &str) {
        if let Some(service) = self.services.get_mut(index)
            && service.image.is_none()
            && !command.trim().is_empty()
        {
            service.image = Some(ImagePath::parse(command));
            self.index_program(index);
        }
    }

    /// Gives a service without configuration the DLL that an event shows.
    pub(super) fn supply_dll(&mut self, index: usize, path: &str) {
        if let Some(service) = self.services.get_mut(index)
            && service.config.is_none()
            && service.dll.is_none()
        {
            let dll = configuration::quoted(path);
            self.by_library.entry(dll.normalized.clone()).or_default().push(index);
            service.dll = Some(dll);
        }
    }

    /// Gives a service without configuration the failure command that an event shows.
    pub(super) fn supply_failure_command(&mut self, index: usize, command: &str) {
        if let Some(service) = self.services.get_mut(index)
            && service.config.is_none()
            && service.failure_command.is_none()
            && !command.trim().is_empty()
        {
            service.failure_command = Some(ImagePath::parse(command));
            self.index_program(index);
        }
    }

    /// Gives a service without configuration the display name that an event shows.
    pub(super) fn supply_display(&mut self, index: usize, display: Option<&str>) {
        if let Some(service) = self.services.get_mut(index)
            && service.display_name.is_none()
            && let Some(display) = display
        {
            service.display_name = Some(display.to_owned());
            self.by_display.entry(text::fold(display)).or_default().push(index);
        }
    }

    /// The services whose program, failure command or wrapped program is that one.
    ///
    /// A bare name (`cmd.exe /c …`) is found through the search path, so it is that program wherever it lies.
    /// A device path is looked for on the drive that the volume is; where that is not known, on every drive.
    pub(super) fn running(&self, normalized: &str) -> impl Iterator<Item = usize> + use<'_> {
        let named = |key: &str| self.by_program.get(key).map_or(&[] as &[usize], Vec::as_slice);
        let bare =
            Some(leaf(normalized)).filter(|leaf| *leaf != normalized).map_or(&[] as _, named);
        let paths = self.volumes.drive_paths(normalized);
        let full: Vec<usize> = paths.iter().flat_map(|path| named(path)).copied().collect();
        full.into_iter().chain(bare.iter().copied())
    }

    /// The services whose service DLL is that one.
    pub(super) fn loading(&self, normalized: &str) -> &[usize] {
        self.by_library.get(normalized).map_or(&[], Vec::as_slice)
    }

    /// Notes why an event belongs to a service.
    pub(super) fn link(&mut self, index: usize, role: Role, event: usize) {
        if let Some(service) = self.services.get_mut(index) {
            service.links.push(Link { role, event });
        }
    }

    /// One service.
    pub(super) fn get(&self, index: usize) -> Option<&Service> {
        self.services.get(index)
    }

    /// All services to change.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Service> {
        self.services.iter_mut()
    }

    /// All services with their indices.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Service)> {
        self.services.iter().enumerate()
    }

    /// One service to change.
    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut Service> {
        self.services.get_mut(index)
    }

    /// The services.
    pub(super) fn into_services(self) -> Vec<Service> {
        self.services
    }
}

/// Under which name a program is found: its path, or for a bare name the file that `CreateProcess` looks for.
pub(super) fn program_key(path: &ImagePath) -> String {
    if path.naming == Naming::Bare && path.extension().is_empty() {
        format!("{}.exe", path.normalized)
    } else {
        path.normalized.clone()
    }
}

/// Whether that program is the one a command names.
pub(super) fn is_program(path: &ImagePath, normalized: &str) -> bool {
    let key = program_key(path);
    key == normalized || path.naming == Naming::Bare && key == leaf(normalized)
}
