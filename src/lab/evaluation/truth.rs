//! What people say of logs: which incidents stand in which of them, and what they are.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;

use crate::text;

/// What somebody holds an incident to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Label {
    /// Part of an attack.
    Malicious,
    /// Ordinary.
    Benign,
    /// Cannot be told from what is recorded.
    Unclear,
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malicious => "malicious",
            Self::Benign => "benign",
            Self::Unclear => "unclear",
        })
    }
}

/// A row of the truth: one labelled record.
#[derive(Debug, Deserialize)]
struct Row {
    file: String,
    service_name: String,
    display_name: String,
    label: Label,
    dual_use: String,
    incident: String,
    primary: String,
}

/// What belongs together: one service of one host on one day, however many records tell of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    /// `host|service|day`.
    pub incident: String,
    /// What it is.
    pub label: Label,
    /// Whether a record creates or changes the service; else it was only started, stopped or used.
    pub primary: bool,
    /// Whether administrators do the same.
    pub dual_use: bool,
    /// The logs it stands in, relative paths.
    pub files: BTreeSet<String>,
    /// The service's key and display names, folded; empty where the truth names none.
    pub names: BTreeSet<String>,
}

/// The truth about a set of logs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Truth {
    /// The incidents: those that create or change a service first, then by label and name.
    pub incidents: Vec<Labelled>,
    /// Logs with a malicious record that belongs to no incident: a client, a share, a process, a cleared log.
    pub loose: BTreeSet<String>,
    /// Logs with any malicious or unclear record.
    pub touched: BTreeSet<String>,
}

impl Truth {
    /// Reads a table with the columns `file`, `service_name`, `display_name`, `label`, `dual_use`, `incident` and
    /// `primary`.
    ///
    /// # Errors
    /// What is wrong with the table.
    pub fn parse(table: &str) -> Result<Self, csv::Error> {
        let mut truth = Self::default();
        let mut incidents: BTreeMap<(String, Label), Labelled> = BTreeMap::new();
        for row in csv::Reader::from_reader(table.as_bytes()).deserialize::<Row>() {
            let row = row?;
            if row.label != Label::Benign {
                truth.touched.insert(row.file.clone());
            }
            if row.incident.is_empty() {
                if row.label == Label::Malicious {
                    truth.loose.insert(row.file);
                }
                continue;
            }
            let key = (row.incident.clone(), row.label);
            let one = incidents.entry(key).or_insert_with(|| Labelled {
                incident: row.incident,
                label: row.label,
                primary: false,
                dual_use: false,
                files: BTreeSet::new(),
                names: BTreeSet::new(),
            });
            let primary = row.primary == "yes";
            // The records that create or change a service say where to look; the others follow from them.
            if primary && !one.primary {
                one.primary = true;
                one.files.clear();
            }
            if primary == one.primary {
                one.files.insert(row.file);
            }
            one.dual_use |= row.dual_use == "yes";
            let names = [row.service_name, row.display_name];
            one.names
                .extend(names.iter().filter(|name| !name.is_empty()).map(|name| text::fold(name)));
        }
        truth.incidents = incidents.into_values().collect();
        truth.incidents.sort_by(|left, right| {
            let order = |one: &Labelled| (!one.primary, one.label, one.incident.clone());
            order(left).cmp(&order(right))
        });
        truth.loose.retain(|file| !truth.incidents.iter().any(|one| one.files.contains(file)));
        Ok(truth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_one_service_and_day_are_one_incident() {
        let table = "file,service_name,display_name,label,dual_use,incident,primary\n\
                     a.evtx,,Long Name,malicious,,h|x|d,yes\n\
                     b.evtx,X,,malicious,yes,h|x|d,yes\n\
                     c.evtx,X,,malicious,,h|x|d,\n\
                     d.evtx,,,malicious,,,\n\
                     e.evtx,Y,,benign,,h|y|d,\n";
        let truth = Truth::parse(table).unwrap();
        let [x, y] = truth.incidents.as_slice() else { panic!("{truth:?}") };
        assert_eq!(
            (x.incident.as_str(), x.label, x.primary, x.dual_use),
            ("h|x|d", Label::Malicious, true, true)
        );
        assert!(
            x.files.iter().eq(["a.evtx", "b.evtx"]) && x.names.iter().eq(["LONG NAME", "X"]),
            "{x:?}"
        );
        assert_eq!((y.label, y.primary), (Label::Benign, false));
        assert!(truth.loose.iter().eq(["d.evtx"]));
        assert_eq!(truth.touched.len(), 4);
    }

    #[test]
    fn a_table_without_its_columns_is_refused() {
        assert!(Truth::parse("file,label\na,malicious\n").is_err());
        assert!(Truth::parse("").unwrap().incidents.is_empty());
    }
}
