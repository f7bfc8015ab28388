//! A file in words: for a ticket, an explanation, a row of the table.
//!
//! Everything here quotes evidence as it stands; the sink of each format makes it safe.

use super::content::made_with;
use super::{
    ContentReport, ExecutableReport, FileReport, RecordReport, ServiceFileReport, SignatureReport,
    TimesReport,
};
use crate::host::program_file::{FileState, SignatureStatus, TimeAuthority};
use crate::report::Stamp;

/// Exports and libraries named one by one.
const NAMES_SHOWN: usize = 8;
/// Entropy in thousandths of a bit per byte from which a section is told: plain code stays below it.
const DENSE: u16 = 7_000;
/// Matching strings of a rule that are told.
const STRINGS_SHOWN: usize = 4;

/// One labelled line.
type Line = (&'static str, String);

/// `1234567` as `1,234,567 bytes`.
fn bytes(size: u64) -> String {
    let digits = size.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && digits.len().saturating_sub(index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{grouped} bytes")
}

/// Whether the file is there, in a few words: `missing (the evidence holds no volume D:)`.
fn state(file: &FileReport) -> String {
    // What the state says by itself is not said twice.
    match file.remark.as_ref().filter(|remark| !remark.ends_with(file.state.label())) {
        Some(remark) => format!("{} ({remark})", file.state.label()),
        None => file.state.label().to_owned(),
    }
}

/// Who vouches for it, in a few words.
fn vouched(signature: &SignatureReport) -> String {
    let signer = signature.signers.first();
    let name = signer.map_or("an unnamed signer", |signer| signer.name.as_str());
    let at = signer
        .and_then(|signer| signer.time.as_ref())
        .map(|time| format!(" at {}", time.time.short()))
        .unwrap_or_default();
    let why = signature.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    match signature.status {
        SignatureStatus::Valid => format!("signed by {name}{at}"),
        SignatureStatus::ValidCatalog => format!("signed by {name}{at}, through a catalog"),
        SignatureStatus::Invalid => format!("with an INVALID signature{why}"),
        SignatureStatus::UntrustedRoot => {
            format!("signed by {name}{at}, whose root is not one of the known roots{why}")
        }
        SignatureStatus::ExpiredWithoutTimestamp => {
            format!("signed by {name} with a certificate that has ended, at a time nobody attests")
        }
        SignatureStatus::Unsigned => "unsigned".to_owned(),
        SignatureStatus::Unknown => format!("signature unknown{why}"),
    }
}

/// The sentence of the checklist about one file: which runs, is it there, who signed it, when was it born. Absent
/// where nothing is known.
pub(in crate::report) fn state_sentence(
    link: &ServiceFileReport,
    file: &FileReport,
) -> Option<String> {
    let what = format!("The file of the {}", link.label());
    let before = match &link.meant {
        Some(meant) => format!(" (found before {meant}, which was meant)"),
        None => String::new(),
    };
    match file.state {
        FileState::Present => {
            let mut parts = Vec::new();
            parts.extend(file.size().map(bytes));
            parts.extend(file.born.map(|born| format!("born {}", born.short())));
            if file.signature.status != SignatureStatus::Unknown {
                parts.push(vouched(&file.signature));
            }
            let parts =
                if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
            Some(format!("{what} is there, {}{before}{parts}.", file.path))
        }
        FileState::Missing => Some(format!("{what} is {}: {}{before}.", state(file), file.path)),
        FileState::NotCollected | FileState::Unreadable => None,
    }
}

/// What of a file could not be known, one sentence each.
pub(in crate::report) fn open_points(file: &FileReport) -> Vec<String> {
    let path = &file.path;
    match file.state {
        FileState::Missing => return Vec::new(),
        FileState::NotCollected | FileState::Unreadable => {
            let state = state(file);
            return vec![format!(
                "Whether {path} is there, who signed it, when it was born: {state}"
            )];
        }
        FileState::Present => {}
    }
    let mut points = Vec::new();
    if let Some(unread) = &file.unread {
        points.push(format!("What {path} holds: {unread}"));
    }
    if file.signature.status == SignatureStatus::Unknown {
        let reason = file.signature.reason.as_deref().unwrap_or("nothing tells");
        points.push(format!("Who signed {path}: {reason}"));
    }
    if file.born.is_none() {
        points.push(format!("When {path} was born: the evidence keeps no times of files"));
    }
    points
}

/// A file of a service in one line of a ticket, without its path.
pub(in crate::report) fn in_a_line(link: &ServiceFileReport, file: &FileReport) -> String {
    let mut parts = vec![state(file)];
    if let Some(meant) = &link.meant {
        parts.push(format!("found before {meant}, which was meant"));
    }
    if file.state == FileState::Present {
        parts.push(vouched(&file.signature));
        parts.extend(file.size().map(bytes));
        parts.extend(file.born.map(|born| format!("born {}", born.short())));
        parts.extend(file.unread.clone());
    }
    parts.extend(
        file.listed.iter().map(|hit| format!("on a list: {} ({})", hit.list.label(), hit.source)),
    );
    parts.extend(file.rule_matches.iter().map(|hit| format!("YARA {}", hit.rule)));
    parts.extend(file.content.as_ref().map(|content| format!("SHA-256 {}", content.sha256)));
    parts.join("; ")
}

/// The one thing a table says of a service's files: that one is missing, is found in another's place, or that nobody known
/// vouches for it.
pub(in crate::report) fn remarkable(
    links: &[ServiceFileReport],
    files: &[FileReport],
) -> Option<String> {
    links.iter().filter(|link| !link.is_in_vain()).find_map(|link| {
        let file = find(files, &link.path)?;
        let says = match (file.state, file.signature.status) {
            _ if link.meant.is_some() => "stands before the file that was meant".to_owned(),
            (FileState::Missing, _) => "is missing".to_owned(),
            (
                FileState::Present,
                SignatureStatus::Unsigned
                | SignatureStatus::Invalid
                | SignatureStatus::UntrustedRoot,
            ) => {
                let born = file.born.map(|born| format!(", born {}", born.short()));
                format!("is {}{}", plain(file.signature.status), born.unwrap_or_default())
            }
            _ => return None,
        };
        Some(format!("file: {} {says}", crate::host::image_path::leaf(&file.path)))
    })
}

const fn plain(status: SignatureStatus) -> &'static str {
    match status {
        SignatureStatus::Invalid => "INVALIDLY signed",
        SignatureStatus::UntrustedRoot => "signed by an unknown root",
        _ => "unsigned",
    }
}

/// The host's file of that path; they are sorted by it.
pub(in crate::report) fn find<'a>(files: &'a [FileReport], path: &str) -> Option<&'a FileReport> {
    files.iter().find(|file| file.path == path)
}

/// Everything known of a file, line by line.
pub(crate) fn facts(file: &FileReport) -> Vec<Line> {
    let mut lines = vec![("state", state(file))];
    lines.extend(file.born.map(|born| ("born", born.to_string())));
    if let Some(record) = &file.record {
        lines.extend(of_record(record));
    }
    lines.extend(file.unread.clone().map(|why| ("not read", why)));
    if file.state == FileState::Present {
        lines.extend(about_bytes(file));
    }
    for deleted in &file.deleted {
        let record = &deleted.record;
        let number = record.number.map(|number| format!("record {number}, ")).unwrap_or_default();
        let names = record.names.join(", ");
        let given = record.times.iter().filter(|times| times.source == "file_name");
        let created = given.chain(&record.times).find_map(|times| times.created);
        let created = created.map(|time| format!(", created {time}")).unwrap_or_default();
        lines.push(("deleted", format!("{names}: {number}{}{created}", bytes(record.size))));
    }
    lines
}

/// What is known of it beyond names, times and streams: where it came from, who may write it, what its bytes are and who
/// vouches for them.
pub(crate) fn beyond_metadata(file: &FileReport) -> Vec<Line> {
    let mut lines = file.record.as_ref().map(around).unwrap_or_default();
    lines.extend(file.unread.clone().map(|why| ("not read", why)));
    lines.extend(about_bytes(file));
    lines
}

/// What its bytes are, and who vouches for them.
fn about_bytes(file: &FileReport) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(content) = &file.content {
        lines.extend(of_content(content));
    }
    lines.extend(of_signature(&file.signature));
    for hit in &file.listed {
        let remark =
            if hit.remark.is_empty() { String::new() } else { format!(": {}", hit.remark) };
        lines.push((
            "on a list",
            format!("{}, by {} in {}{remark}", hit.list.label(), hit.by, hit.source),
        ));
    }
    for hit in &file.rule_matches {
        let strings = hit.strings.iter().take(STRINGS_SHOWN);
        let strings = strings.map(|one| format!("{} at {:#x}", one.identifier, one.offset));
        let strings: Vec<String> = strings.collect();
        lines.push(("YARA rule", format!("{} ({}): {}", hit.rule, hit.source, strings.join(", "))));
    }
    lines
}

fn of_record(record: &RecordReport) -> Vec<Line> {
    let mut lines = vec![("size", format!("{}, stored {}", bytes(record.size), record.storage))];
    lines.extend(record.number.map(|number| ("file record", number.to_string())));
    if record.names.len() > 1 {
        lines.push(("names", record.names.join(", ")));
    }
    if !record.attributes.is_empty() {
        lines.push(("attributes", record.attributes.join(", ")));
    }
    lines.extend(record.times.iter().map(|times| ("times", of_times(times))));
    let streams =
        record.streams.iter().map(|stream| format!("{} ({})", stream.name, bytes(stream.size)));
    lines.extend(streams.map(|stream| ("stream", stream)));
    lines.extend(around(record));
    lines
}

/// Where it came from, who may write it, and what is beside it.
fn around(record: &RecordReport) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(zone) = &record.zone {
        let number = zone.zone.map(|zone| zone_words(zone).to_owned());
        let from = zone.url.as_ref().map(|url| format!("from {url}"));
        let page = zone.referrer.as_ref().map(|page| format!("by the page {page}"));
        let parts: Vec<String> = number.into_iter().chain(from).chain(page).collect();
        lines.push(("mark of web", parts.join(", ")));
    }
    if let Some(access) = &record.access {
        lines.extend(access.owner.clone().map(|owner| ("owner", owner)));
        lines.push(("writable", who(&access.writers, "it")));
        lines.push(("folder", who(&access.folder_writers, "its folder")));
    }
    if let Some(around) = &record.neighborhood
        && let Some(middle) = around.middle
    {
        let text = format!(
            "{} of {} files with records around its own were born within ten minutes of it; the middle of their times is {middle}",
            around.born_together, around.looked_at
        );
        lines.push(("neighbors", text));
    }
    lines
}

fn who(groups: &[String], what: &str) -> String {
    if groups.is_empty() {
        format!("no group of ordinary users may write {what}")
    } else {
        format!("{} may write {what}", groups.join(", "))
    }
}

/// The zones of Internet Explorer (URLZONE, urlmon.h), which marks still use.
const fn zone_words(zone: u8) -> &'static str {
    match zone {
        0 => "zone 0, this computer",
        1 => "zone 1, intranet",
        2 => "zone 2, trusted sites",
        3 => "zone 3, internet",
        4 => "zone 4, untrusted sites",
        _ => "an unknown zone",
    }
}

fn of_times(times: &TimesReport) -> String {
    let each = [
        ("created", times.created),
        ("modified", times.modified),
        ("changed", times.changed),
        ("accessed", times.accessed),
    ];
    let each: Vec<String> =
        each.into_iter().filter_map(|(what, when)| Some(format!("{what} {}", when?))).collect();
    format!("{}: {}", times.label(), each.join(", "))
}

fn of_content(content: &ContentReport) -> Vec<Line> {
    let mut lines = vec![
        ("SHA-256", content.sha256.clone()),
        ("SHA-1", content.sha1.clone()),
        ("MD5", content.md5.clone()),
    ];
    lines.extend(content.collector_disagrees.clone().map(|words| ("collector", words)));
    match &content.executable {
        None => lines.push(("kind", content.kind.clone())),
        Some(executable) => lines.extend(of_executable(executable, &content.kind)),
    }
    lines
}

fn of_executable(executable: &ExecutableReport, kind: &str) -> Vec<Line> {
    let what = if executable.library { "library" } else { "program" };
    let mut lines =
        vec![("kind", format!("{kind}: {what}, {}, {}", executable.machine, executable.subsystem))];
    lines.push(match executable.linked {
        Some(linked) => ("linked", linked.to_string()),
        None if executable.reproducible => {
            ("linked", "unknown: a digest stands in place of the time".to_owned())
        }
        None => ("linked", "unknown".to_owned()),
    });
    if let Some(version) = &executable.version {
        for (label, value) in [
            ("company", &version.company),
            ("product", &version.product),
            ("description", &version.description),
            ("original", &version.original_name),
            ("internal", &version.internal_name),
            ("version", &version.version),
        ] {
            lines.extend(value.clone().map(|value| (label, value)));
        }
    }
    let mut marks: Vec<String> = Vec::new();
    marks.extend(executable.packer.as_ref().map(|packer| format!("packed by {packer}")));
    marks.extend(executable.made_with.iter().map(|hint| format!("made with {}", made_with(*hint))));
    let dense = executable.sections.iter().filter(|section| section.entropy >= DENSE);
    marks
        .extend(dense.map(|one| format!("section {} has entropy {}", one.name, bits(one.entropy))));
    let writable = executable.sections.iter().filter(|section| section.is_writable_code);
    marks.extend(writable.map(|one| format!("section {} is code that may be written", one.name)));
    let overlay = executable.overlay.as_ref();
    marks.extend(overlay.map(|one| {
        format!("{} after the last section, entropy {}", bytes(one.size), bits(one.entropy))
    }));
    if executable.exports_service_main {
        marks.push("exports ServiceMain".to_owned());
    }
    if executable.imports_dispatcher {
        marks.push("imports the service dispatcher".to_owned());
    } else if executable.names_dispatcher {
        marks.push("names the service dispatcher without importing it".to_owned());
    }
    lines.extend(marks.into_iter().map(|mark| ("mark", mark)));
    let exports = usize::try_from(executable.export_count).unwrap_or(usize::MAX);
    lines.extend(names("exports", &executable.exports, exports));
    lines.extend(names("imports from", &executable.libraries, executable.libraries.len()));
    lines.extend(executable.imphash.clone().map(|hash| ("imphash", hash)));
    let hashes = executable.authentihashes.iter();
    lines.extend(hashes.map(|(algorithm, hash)| ("authentihash", format!("{algorithm} {hash}"))));
    lines.extend(executable.pdb.clone().map(|pdb| ("PDB", pdb)));
    lines.extend(executable.damage.iter().map(|damage| ("damage", damage.clone())));
    lines
}

fn names(label: &'static str, names: &[String], count: usize) -> Option<Line> {
    let shown: Vec<&str> = names.iter().take(NAMES_SHOWN).map(String::as_str).collect();
    let more = count.saturating_sub(shown.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!shown.is_empty()).then(|| (label, format!("{}{more}", shown.join(", "))))
}

/// Thousandths of a bit as `7.912 bits per byte`.
fn bits(entropy: u16) -> String {
    format!("{}.{:03} bits per byte", entropy / 1_000, entropy % 1_000)
}

fn of_signature(signature: &SignatureReport) -> Vec<Line> {
    let digest = signature.digest.as_ref().map(|digest| format!(", over {digest}"));
    let word = signature.status.label();
    let text = match (signature.status, &signature.reason) {
        (SignatureStatus::Unsigned, None) => word.to_owned(),
        (
            SignatureStatus::Invalid | SignatureStatus::Unknown | SignatureStatus::Unsigned,
            Some(why),
        ) => format!("{word}: {why}"),
        _ => format!("{word}: {}", vouched(signature)),
    };
    let mut lines = vec![("signature", format!("{text}{}", digest.unwrap_or_default()))];
    for signer in &signature.signers {
        lines.push(("signer", signer.name.clone()));
        for one in &signer.chain {
            let until = match (one.not_before, one.not_after) {
                (Some(from), Some(to)) => format!(", good {} to {}", day(from), day(to)),
                _ => String::new(),
            };
            let text =
                format!("{} (serial {}, SHA-1 {}{until})", one.subject, one.serial, one.thumbprint);
            lines.push(("certificate", text));
        }
        if let Some(time) = &signer.time {
            let by = match time.authority {
                TimeAuthority::Countersignature => "countersignature",
                TimeAuthority::Rfc3161 => "RFC 3161 time stamp",
            };
            lines.push(("signed at", format!("{} ({by} of {})", time.time, time.name)));
        }
    }
    lines.extend(signature.catalog.as_ref().map(|catalog| ("catalog", catalog.to_string())));
    let namesake = signature.namesake.as_ref();
    lines.extend(namesake.map(|catalog| {
        ("namesake", format!("{catalog} lists a file of this name with other bytes"))
    }));
    lines.extend(signature.remarks.iter().map(|remark| ("remark", remark.clone())));
    lines
}

fn day(stamp: Stamp) -> String {
    stamp.0.strftime("%Y-%m-%d").to_string()
}

/// Commands that show the same with other eyes, with this case's paths. A path that a shell could act on is not put
/// into a command: `PATH` stands there instead.
pub(crate) fn verify_commands(file: &FileReport, evidence: &str) -> Vec<String> {
    let path = if is_inert(&file.path) { &file.path } else { "PATH" };
    let evidence = if is_inert(evidence) { evidence } else { "EVIDENCE" };
    let mut commands = vec![format!("svctriage file '{evidence}' '{path}'")];
    match file.state {
        FileState::Present => {
            commands.extend([
                format!("Get-AuthenticodeSignature -LiteralPath '{path}'"),
                format!("sigcheck64 -accepteula -h -i \"{path}\""),
                format!("certutil -hashfile \"{path}\" SHA256"),
            ]);
        }
        FileState::Missing => commands.push(
            "look for it among deleted files ($MFT, $UsnJrnl, Amcache, Prefetch) and in shadow copies".to_owned(),
        ),
        FileState::NotCollected | FileState::Unreadable => {
            commands.push(format!("get the file from the host or its image: {path}"));
        }
    }
    let number = file.record.as_ref().and_then(|record| record.number);
    commands.extend(number.map(|number| format!("istat -o SECTOR IMAGE {number}")));
    commands.extend(number.map(|number| format!("MFTECmd -f $MFT --de {number}")));
    commands
}

/// Whether a path is safe between quotes of any shell.
fn is_inert(path: &str) -> bool {
    let plain = |c: char| {
        c.is_alphanumeric()
            || [' ', '\\', '/', ':', '.', '_', '-', '(', ')', '~', '+', ',', '=', '#'].contains(&c)
    };
    path.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::host::program_file::{ProgramFile, Signature};
    use crate::host::{Place, Provenance};

    fn file(path: &str, state: FileState, status: SignatureStatus) -> FileReport {
        let (artifact, provenance) = (Arc::from(path), Provenance::Live);
        let citation = crate::host::Citation { artifact, place: Place::File, provenance };
        let signature = Signature { status, ..Signature::default() };
        FileReport::new(&ProgramFile { signature, ..ProgramFile::at(path, state, citation) })
    }

    fn link(file: &FileReport, purpose: &str) -> ServiceFileReport {
        ServiceFileReport {
            purpose: purpose.to_owned(),
            value: None,
            named: None,
            path: file.path.clone(),
            meant: None,
            steps: Vec::new(),
            state: file.state,
            sha256: None,
            signature: file.signature.status,
            signer: None,
            born: None,
        }
    }

    #[test]
    fn sizes_are_read_in_groups() {
        for (size, expected) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1_000, "1,000 bytes"),
            (1_234_567, "1,234,567 bytes"),
        ] {
            assert_eq!(bytes(size), expected);
        }
    }

    #[test]
    fn no_name_of_a_file_reaches_a_shell() {
        for (path, is_shown) in [
            (r"C:\Program Files (x86)\A\a-b_1.exe", true),
            (r"C:\Users\jürgen\x.exe", true),
            (r"C:\x'; rm -rf ~; '.exe", false),
            (r#"C:\x" & calc & ".exe"#, false),
            (r"C:\%COMSPEC%.exe", false),
            ("C:\\x\u{2019}; calc.exe", false),
            (r"C:\$(calc).exe", false),
            ("C:\\`calc`.exe", false),
        ] {
            let file = file(path, FileState::Present, SignatureStatus::Unsigned);
            for command in verify_commands(&file, "x") {
                assert!(
                    command.contains(path) == is_shown || command.contains("IMAGE"),
                    "{command}"
                );
            }
            let command = verify_commands(&file, path).join("\n");
            assert_eq!(command.contains("EVIDENCE"), !is_shown, "{command}");
        }
    }

    #[test]
    fn three_answers_are_three_sentences() {
        use FileState::{Missing, NotCollected, Present, Unreadable};
        for (state, said, open) in [
            (Present, "is there", 2),
            (Missing, "is missing", 0),
            (NotCollected, "", 1),
            (Unreadable, "", 1),
        ] {
            let file = file(r"C:\a.exe", state, SignatureStatus::Unknown);
            let sentence = state_sentence(&link(&file, "image"), &file).unwrap_or_default();
            assert_eq!(sentence.is_empty(), said.is_empty(), "{sentence}");
            assert!(sentence.contains(said), "{sentence}");
            assert_eq!(open_points(&file).len(), open, "{state:?}");
        }
    }

    #[test]
    fn the_table_speaks_of_what_nobody_vouches_for() {
        use SignatureStatus::{Invalid, Unknown, Unsigned, Valid};
        for (state, status, purpose, expected) in [
            (FileState::Present, Valid, "image", None),
            (FileState::Present, Unknown, "image", None),
            (FileState::Present, Unsigned, "image", Some("file: a.exe is unsigned")),
            (FileState::Present, Invalid, "service_dll", Some("file: a.exe is INVALIDLY signed")),
            (FileState::Missing, Unknown, "image", Some("file: a.exe is missing")),
            (FileState::Missing, Unknown, "phantom", None),
            (FileState::NotCollected, Unknown, "image", None),
        ] {
            let file = file(r"C:\a.exe", state, status);
            let links = [link(&file, purpose)];
            assert_eq!(remarkable(&links, &[file]).as_deref(), expected, "{state:?} {status:?}");
        }
    }
}
