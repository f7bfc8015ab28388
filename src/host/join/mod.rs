//! The only place where artifacts meet.

use jiff::SignedDuration;

use super::ImagePath;
use super::config::Epoch;
use super::fact::{Fact, IdentityItem};
use super::service::Service;
use super::{Coverage, Host};
use crate::text;

/// Joins facts into a host.
pub(super) fn join(facts: Vec<Fact>, coverage: Coverage, window: SignedDuration) -> Host {
    let mut host = Host { coverage, window, ..Host::default() };
    for fact in facts {
        match fact {
            Fact::Identity(identity) => {
                if let IdentityItem::ComputerName(name) = identity.item {
                    host.identity.name = Some(name);
                }
            }
            Fact::Service(config) => {
                let mut service = Service::named(config.name.clone());
                service.image = config.image_path.as_deref().map(ImagePath::parse);
                if config.epoch == Epoch::Current {
                    service.config = Some(*config);
                    host.services.push(service);
                }
            }
            Fact::ConfigurationKey(key) => host.configuration_keys.push(key),
            Fact::SvchostGroup(group) => {
                host.svchost_groups.insert(text::fold(&group.name), group);
            }
            Fact::SafeBoot(entry) => host.safe_boot.push(entry),
            Fact::Setting(setting) => host.settings.push(setting),
            Fact::Event(event) => host.events.push(*event),
        }
    }
    host
}
