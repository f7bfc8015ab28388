//! What a service was elsewhere: in other control sets, in backups, in deleted keys.

use serde::{Deserialize, Serialize};

use super::Stamp;
use super::configuration::Configuration;
use crate::host::config::{Confidence, Epoch, ServiceConfig};
use crate::host::{Citation, Host, Service};

/// Another state of a service and what differs between it and the current control set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    /// Which state: `ControlSet002`, `RegBack/SYSTEM`, `deleted key`.
    pub state: String,
    /// For a recovered key: how far it can be trusted.
    pub confidence: Option<Confidence>,
    /// The key; null where that state has none.
    pub citation: Option<Citation>,
    /// The key's last-write time.
    pub last_write: Option<Stamp>,
    /// The command as stored there.
    pub image_path: Option<String>,
    /// What differs.
    pub differences: Vec<Change>,
    /// The whole key, where the current control set has none.
    pub configuration: Option<Configuration>,
}

/// A value that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The value's name; empty where the whole key is missing in one of the two.
    pub field: String,
    /// What it was there; null where it was not there.
    pub before: Option<String>,
    /// What it is in the current control set; null where it is not.
    pub now: Option<String>,
    /// The next newer state that already has the value of now; null where there is none.
    pub until: Option<String>,
    /// The values in both states.
    pub citations: Vec<Citation>,
}

/// The service's key came or went between two states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passage {
    /// Whether it came rather than went.
    pub came: bool,
    /// The last state before.
    pub after: String,
    /// The first state after; null for the current one.
    pub before: Option<String>,
    /// What it means, in one sentence.
    pub summary: String,
    /// The places in both states: the key where it is there, the `Services` key where it is not.
    pub citations: Vec<Citation>,
}

/// When the service's key came and went.
pub(super) fn passages(host: &Host, service: &Service) -> Vec<Passage> {
    let label = |state: usize| {
        host.older_states.get(state).map(|state| state.label.clone()).unwrap_or_default()
    };
    let passages = service.passages.iter().map(|one| Passage {
        came: one.came,
        after: label(one.after),
        before: one.before.map(label),
        summary: one.sentence(&host.older_states),
        citations: one.citations.to_vec(),
    });
    passages.collect()
}

/// Every other state, those with a key first; differences against a state without a key follow.
pub(super) fn history(service: &Service) -> Vec<Earlier> {
    let whole = service.config.is_none();
    let mut states: Vec<Earlier> =
        service.history.iter().map(|config| Earlier::new(config, whole)).collect();
    for difference in &service.differences {
        let change = Change {
            field: difference.field.clone(),
            before: difference.before.clone(),
            now: difference.now.clone(),
            until: difference.until.clone(),
            citations: [&difference.citation, &difference.now_citation]
                .into_iter()
                .flatten()
                .cloned()
                .collect(),
        };
        // Two states may have one label; the hive tells them apart.
        let hive = |citation: &Option<Citation>| citation.as_ref().map(|one| one.artifact.clone());
        let is_it = |state: &&mut Earlier| {
            state.state == difference.against && hive(&state.citation) == hive(&difference.citation)
        };
        if let Some(state) = states.iter_mut().find(is_it) {
            state.differences.push(change);
        } else {
            states.push(Earlier {
                state: difference.against.clone(),
                confidence: None,
                citation: difference.citation.clone(),
                last_write: None,
                image_path: None,
                differences: vec![change],
                configuration: None,
            });
        }
    }
    states
}

impl Earlier {
    /// Whether it is as the current one, where there is a current one. A deleted key was not compared, nor a second current
    /// key whose name differs in case only.
    pub(super) fn is_the_same(&self, registry: bool) -> bool {
        let compared = self.confidence.is_none() && self.state != Epoch::Current.label();
        registry && compared && self.differences.is_empty()
    }

    fn new(config: &ServiceConfig, whole: bool) -> Self {
        Self {
            state: config.epoch.label(),
            confidence: config.epoch.confidence(),
            citation: Some(config.citation.clone()),
            last_write: config.last_write.map(Stamp),
            image_path: config.image_path.clone(),
            differences: Vec::new(),
            configuration: whole.then(|| Configuration::new(config)),
        }
    }
}
