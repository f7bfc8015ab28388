//! The structure that docs/architecture.md promises, held against the sources.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::string_slice,
    reason = "the sources are no evidence"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// A module may import only those that stand before it in this list; what has the same number is a unit.
const ORDER: [(&str, u8); 13] = [
    ("bytes", 0),
    ("text", 0),
    ("time", 0),
    ("sid", 0),
    ("diagnostic", 0),
    ("error", 0),
    ("evidence", 1),
    // `host` owns the vocabulary of facts, so `artifact` imports it: the one exception.
    ("artifact", 2),
    ("host", 2),
    ("checklist", 3),
    ("rank", 4),
    ("report", 5),
    ("scan", 6),
];

/// A library and the only places that may name it.
const CONFINED: [(&str, &[&str]); 17] = [
    ("crypto_bigint", &["src/artifact/signature/"]),
    ("p256", &["src/artifact/signature/"]),
    ("p384", &["src/artifact/signature/"]),
    ("p521", &["src/artifact/signature/"]),
    ("nt_hive", &["src/artifact/hive/"]),
    ("evtx", &["src/artifact/event_log/"]),
    ("boreal", &["src/artifact/yara/engine.rs"]),
    ("rsigma_eval", &["src/artifact/sigma/"]),
    ("rsigma_parser", &["src/artifact/sigma/"]),
    ("comfy_table", &["src/report/table.rs", "src/report/table/"]),
    ("clap", &["src/cli/", "src/main.rs"]),
    ("walkdir", &["src/evidence/folder.rs", "src/evidence/folder/"]),
    ("indicatif", &["src/cli/"]),
    ("ntfs", &["src/evidence/disk/volume/"]),
    ("object", &["src/artifact/program/executable/"]),
    (
        "sevenz_rust2",
        &["src/evidence/archive/seven_z.rs", "src/evidence/archive/seven_z_header.rs"],
    ),
    ("ruzstd", &["src/evidence/archive/compressed.rs", "src/evidence/disk/container/unpack.rs"]),
];

fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    walk(&root.join("src"), &mut files);
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
            let text = fs::read_to_string(&path).unwrap();
            (name, text)
        })
        .collect()
}

fn level(module: &str) -> Option<u8> {
    ORDER.iter().find(|(name, _)| *name == module).map(|(_, level)| *level)
}

#[test]
fn modules_import_only_from_their_left() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let module = file.trim_start_matches("src/").split(['/', '.']).next().unwrap_or_default();
        let Some(own) = level(module) else { continue };
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for part in line.split("crate::").skip(1) {
                let end =
                    part.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(part.len());
                let imported = &part[..end];
                let allowed = match level(imported) {
                    Some(other) => {
                        other < own || imported == module || other == own && matches!(own, 0 | 2)
                    }
                    // `cli` and `lab` are seen by nothing in the pipeline; unit tests may have evidence made.
                    None => imported != "cli" && (imported != "lab" || file.ends_with("/tests.rs")),
                };
                if !allowed {
                    wrong.push(format!("{file} imports {imported}: {}", line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn libraries_are_named_in_one_place_only() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        for (library, places) in CONFINED {
            if places.iter().any(|place| file.starts_with(place)) {
                continue;
            }
            for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
                if line.contains(&format!("use {library}::"))
                    || line.contains(&format!(" {library}::"))
                {
                    wrong.push(format!("{file} names {library}: {}", line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Judging a service costs what the service has, not what its host has: only the overview, made once for a host, walks over
/// all events, services or files. What is asked about one service goes through its links.
#[test]
fn no_indicator_scans_all_events() {
    // May name the events, to look up those that a service's links, commands or acts name by index.
    let by_index = ["src/checklist/mod.rs", "src/checklist/story.rs", "src/checklist/subject.rs"];
    let once = "src/checklist/overview.rs";
    let all =
        ["host.events", "host.services", "host.processes", "host.rule_hits", "host.incidents"];
    for (name, text) in sources() {
        if !name.starts_with("src/checklist/") || name == once {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            let place = format!("{name}:{}: {}", number + 1, line.trim());
            for what in all {
                let Some(at) = line.find(what) else { continue };
                let rest = &line[at + what.len()..];
                // An index of a link, a command or a hit is a look at one of them.
                if rest.starts_with(".get(") {
                    continue;
                }
                let handed_on = by_index.contains(&name.as_str()) && what == "host.events";
                assert!(
                    handed_on && rest.starts_with([')', ';', ',']),
                    "{place}\n{what} is walked over by Overview, once for a host"
                );
            }
            assert!(
                !line.contains("host.files.iter()") && !line.contains("in &scope.host."),
                "{place}\nwalks over the whole host for one service"
            );
        }
    }
}
