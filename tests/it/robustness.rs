//! The whole way from damaged or hostile evidence to every page of the report: no panic escapes, the work stays
//! in proportion to the evidence, no loss goes untold, and nothing in the output acts on a terminal.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the tests make their own evidence, and fail by panicking"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use svctriage::artifact;
use svctriage::evidence::{
    self, Content, Description, Evidence, EvidencePath, Listing, Metadata, Pattern,
};
use svctriage::host::Fact;
use svctriage::lab::regf::log::{Entry, new_format};
use svctriage::lab::regf::{BaseBlock, Data, Hive};
use svctriage::lab::scenario::Scenario;
use svctriage::report::{self, HostReport, Options, RENDERERS, Report};
use svctriage::scan::scan;
use svctriage::text;

use crate::support::pages::{assert_harmless, assert_inert};
use crate::support::scan::settings;
use crate::support::{Numbers, quiet_nt_hive};

const CONFIG: &str = "Windows/System32/config";
const LOGS: &str = "Windows/System32/winevt/Logs";
const PAGE: usize = 4096;

/// Paths inside the evidence with their bytes.
type Files = BTreeMap<String, Vec<u8>>;

/// Evidence that counts what is read of it.
struct Metered {
    inner: Box<dyn Evidence>,
    read: Arc<AtomicU64>,
}

struct MeteredContent {
    inner: Box<dyn Content>,
    read: Arc<AtomicU64>,
}

impl Evidence for Metered {
    fn describe(&self) -> &Description {
        self.inner.describe()
    }

    fn find(&self, wanted: &Pattern) -> Listing {
        self.inner.find(wanted)
    }

    fn beside(&self, path: &EvidencePath, suffixes: &[&str]) -> Listing {
        self.inner.beside(path, suffixes)
    }

    fn open(&self, path: &EvidencePath) -> io::Result<Box<dyn Content>> {
        let inner = self.inner.open(path)?;
        Ok(Box::new(MeteredContent { inner, read: Arc::clone(&self.read) }))
    }

    fn metadata(&self, path: &EvidencePath) -> io::Result<Metadata> {
        self.inner.metadata(path)
    }
}

impl Read for MeteredContent {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl Seek for MeteredContent {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

/// What became of one piece of evidence.
struct Outcome {
    host: HostReport,
    /// Keys under Services and events, whatever became of them.
    keys: usize,
    events: usize,
}

impl Outcome {
    /// Whether anything is said of damage that was not said of the other.
    fn tells_more_than(&self, other: &Outcome) -> bool {
        self.host.diagnostics.iter().any(|one| !other.host.diagnostics.contains(one))
    }
}

/// Reads, judges and renders, and holds the result against what must be true of any evidence.
fn examine(files: &Files) -> Option<Outcome> {
    let root = tempfile::tempdir().unwrap();
    for (path, bytes) in files {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let mut opened = evidence::open(&[root.path().to_owned()], &evidence::Options::default());
    let Some(inner) = opened.hosts.pop() else {
        assert!(!opened.errors.is_empty(), "neither a host nor an error");
        return None;
    };
    assert!(opened.errors.is_empty() && opened.hosts.is_empty());
    let read = Arc::new(AtomicU64::new(0));
    let evidence = Metered { inner, read: Arc::clone(&read) };
    let host = scan(&evidence, &settings(), &());
    let size: u64 = files.values().map(|bytes| bytes.len() as u64).sum();
    let read = read.load(Ordering::Relaxed);
    assert!(read <= 4 * size, "{read} bytes were read of {size}");
    let facts = artifact::read(&evidence, &()).facts;
    let of_a_key = |fact: &&Fact| matches!(fact, Fact::Service(_) | Fact::ConfigurationKey(_));
    let outcome = Outcome {
        keys: facts.iter().filter(of_a_key).count(),
        events: facts.iter().filter(|fact| matches!(fact, Fact::Event(_))).count(),
        host: host.clone(),
    };
    for one in &host.diagnostics {
        assert!(!one.message.contains("fault of this program"), "{one:?}");
    }
    assert_pages(host, size);
    Some(outcome)
}

fn assert_pages(host: HostReport, size: u64) {
    let settings = settings();
    let about = report::Settings::new(settings.window, &settings.tuning, None);
    let report = Report::new(about, vec![host]);
    for renderer in RENDERERS {
        // Forms that machines read hold every service in any case.
        let brief = matches!(renderer.id, "table" | "markdown");
        for all in [true, false].into_iter().take(1 + usize::from(brief)) {
            let options = Options { width: 100, all, ..Options::default() };
            let mut bytes = Vec::new();
            (renderer.render)(&report, &options, &mut bytes).unwrap();
            let page = String::from_utf8(bytes).unwrap();
            let limit = 64 * size + (4 << 20);
            assert!(page.len() as u64 <= limit, "{}: {} bytes", renderer.id, page.len());
            assert_harmless(&page);
            match renderer.id {
                "markdown" => assert_inert(&page),
                "json" => {
                    let again: Report = serde_json::from_str(&page).unwrap();
                    assert!(again == report, "the document says something else");
                }
                "csv" => assert_cells(&page),
                _ => {}
            }
        }
    }
}

/// No cell that a spreadsheet would compute.
fn assert_cells(sheet: &str) {
    for row in csv::Reader::from_reader(sheet.as_bytes()).records() {
        for cell in &row.unwrap() {
            let number = cell.parse::<i64>().is_ok();
            assert!(number || !cell.starts_with(['=', '+', '-', '@']), "{cell:.200}");
        }
    }
}

/// One damaged copy of some evidence, with words to find it again.
struct Damaged {
    what: String,
    files: Files,
    /// Whether what is lost must be told: a changed byte can also change a word into another.
    told: bool,
}

/// Examines all of them and says which failed, and how.
fn assert_survived(whole: &Files, damaged: &[Damaged]) {
    quiet_nt_hive();
    let before = examine(whole).unwrap();
    let failed: Vec<String> = damaged
        .par_iter()
        .filter_map(|one| {
            let survived = catch_unwind(AssertUnwindSafe(|| {
                let Some(after) = examine(&one.files) else { return };
                let lost = after.keys < before.keys || after.events < before.events;
                assert!(
                    !lost || !one.told || after.tells_more_than(&before),
                    "{} keys and {} events of {} and {}, and not a word: {:?}",
                    after.keys,
                    after.events,
                    before.keys,
                    before.events,
                    after.host.diagnostics,
                );
            }));
            let panic = survived.err()?;
            let words = panic.downcast_ref::<String>().cloned();
            let words = words.or_else(|| panic.downcast_ref::<&str>().map(|it| (*it).to_owned()));
            Some(format!("{}: {}", one.what, words.unwrap_or_default()))
        })
        .collect();
    let count = failed.len();
    assert!(failed.is_empty(), "{count} of {}:\n{}", damaged.len(), failed.join("\n"));
}

fn with(whole: &Files, path: &str, what: &str, told: bool, bytes: Vec<u8>) -> Damaged {
    let mut files = whole.clone();
    files.insert(path.to_owned(), bytes);
    Damaged { what: format!("{path} {what}"), files, told }
}

/// Cuts at the borders that formats know, just beside them, and in between.
fn cuts(whole: &Files, path: &str, count: usize) -> Vec<Damaged> {
    let bytes = &whole[path];
    let mut lengths: Vec<usize> =
        [0, 1, 8, 128, 511, 512, 1024, 4095, 4096, 4097, 8192, PAGE + 65_536]
            .into_iter()
            .chain([bytes.len() - 1, bytes.len() - 512, bytes.len() / PAGE / 2 * PAGE])
            .chain((1..count).map(|step| bytes.len() * step / count))
            .filter(|length| *length < bytes.len())
            .collect();
    lengths.sort_unstable();
    lengths.dedup();
    let cut = |length: usize| {
        // Windows itself leaves empty transaction logs beside a hive.
        let told = length > 0 || !path.contains(".LOG");
        with(whole, path, &format!("cut at {length}"), told, bytes[..length].to_vec())
    };
    lengths.into_iter().map(cut).collect()
}

/// Changes bytes at random places; half of the copies in few, the others in many.
fn flips(whole: &Files, path: &str, count: usize, told: bool) -> Vec<Damaged> {
    let mut numbers = Numbers(path.len() as u64);
    let flip = |round: usize| {
        let mut bytes = whole[path].clone();
        let changes =
            if round.is_multiple_of(2) { 1 + numbers.below(4) } else { 1 + numbers.below(2000) };
        for _ in 0..changes {
            let place = numbers.below(bytes.len());
            bytes[place] ^= 1 << numbers.below(8);
        }
        with(whole, path, &format!("with {changes} flips, round {round}"), told, bytes)
    };
    (0..count).map(flip).collect()
}

/// Overwrites whole pages, as a disk with bad sectors or an interrupted copy does.
fn pages(whole: &Files, path: &str, count: usize) -> Vec<Damaged> {
    let total = whole[path].len() / PAGE;
    let mut damaged = Vec::new();
    for (fill, name) in [(0, "zero"), (0xff, "ones")] {
        for step in 0..count {
            let page = total * step / count;
            let mut bytes = whole[path].clone();
            bytes[page * PAGE..][..PAGE].fill(fill);
            damaged.push(with(whole, path, &format!("page {page} of {name}"), true, bytes));
        }
    }
    damaged
}

/// Every file in the place of every other.
fn swaps(whole: &Files) -> Vec<Damaged> {
    let mut damaged = Vec::new();
    for (one, bytes) in whole {
        for (other, foreign) in whole.iter().filter(|(other, _)| *other > one) {
            let mut files = whole.clone();
            files.insert(one.clone(), foreign.clone());
            files.insert(other.clone(), bytes.clone());
            damaged.push(Damaged { what: format!("{one} <-> {other}"), files, told: true });
        }
    }
    damaged
}

fn sample(name: &str) -> Files {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name).join("evidence");
    let walk = walkdir::WalkDir::new(&root).into_iter().map(Result::unwrap);
    walk.filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let path = entry.path().strip_prefix(&root).unwrap();
            let names: Vec<&str> = path.iter().map(|name| name.to_str().unwrap()).collect();
            (names.join("/"), std::fs::read(entry.path()).unwrap())
        })
        .collect()
}

fn at(second: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(1_640_000_000 + second).unwrap()
}

/// A SYSTEM hive of few services whose last one stands in its logs only.
fn small_hive() -> Files {
    const DESCRIPTOR: &[u8] = &[1, 0, 4, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut hive = Hive::new("ROOT", DESCRIPTOR, at(0));
    let select = hive.create("Select", at(0));
    hive.set(select, "Current", &Data::Dword(1), at(0));
    let add = |hive: &mut Hive, number: i64| {
        let path = format!(r"ControlSet001\Services\Agent{number}");
        let key = hive.create(&path, at(number));
        hive.set(key, "Type", &Data::Dword(0x10), at(number));
        hive.set(key, "Start", &Data::Dword(2), at(number));
        let command = Data::ExpandText(format!(r"C:\Program Files\Agent\{number}.exe -k"));
        hive.set(key, "ImagePath", &command, at(number));
        hive.set(key, "ObjectName", &Data::Text("LocalSystem".into()), at(number));
        hive.set(
            key,
            "Blob",
            &Data::Binary(vec![7; 600 * usize::try_from(number).unwrap()]),
            at(number),
        );
    };
    (1..30).for_each(|number| add(&mut hive, number));
    let base = BaseBlock::clean("SYSTEM", 311).dirty();
    let mut states = vec![hive.to_bytes(&base)];
    for number in 30..34 {
        add(&mut hive, number);
        states.push(hive.to_bytes(&base));
    }
    let entries: Vec<Entry> = (311..)
        .zip(states.windows(2))
        .map(|(sequence, pair)| Entry::between(&pair[0], &pair[1], sequence))
        .collect();
    let log = |entries: &[Entry]| new_format(&base, &states[0], entries);
    Files::from([
        (format!("{CONFIG}/SYSTEM"), states[0].clone()),
        (format!("{CONFIG}/SYSTEM.LOG1"), log(&entries[..2])),
        (format!("{CONFIG}/SYSTEM.LOG2"), log(&entries[2..])),
    ])
}

/// The small hive with the logs of the compromised workstation.
fn small_host() -> Files {
    let mut files = small_hive();
    let logs = sample("compromised-workstation").into_iter();
    files.extend(logs.filter(|(path, _)| path.starts_with(LOGS)));
    files
}

#[test]
fn damaged_hives_are_survived_and_their_losses_told() {
    let whole = small_hive();
    let mut damaged = Vec::new();
    for path in whole.keys() {
        damaged.extend(cuts(&whole, path, 16));
        damaged.extend(flips(&whole, path, 40, false));
        damaged.extend(pages(&whole, path, 8));
    }
    damaged.extend(swaps(&whole));
    assert!(damaged.len() > 220, "{}", damaged.len());
    assert_survived(&whole, &damaged);
}

#[test]
fn damaged_logs_are_survived_and_their_losses_told() {
    let whole = small_host();
    let mut damaged = Vec::new();
    for path in whole.keys().filter(|path| path.starts_with(LOGS)) {
        damaged.extend(cuts(&whole, path, 15));
        damaged.extend(flips(&whole, path, 16, true));
        damaged.extend(pages(&whole, path, 4));
    }
    damaged.extend(swaps(&whole));
    assert!(damaged.len() > 130, "{}", damaged.len());
    assert_survived(&whole, &damaged);
}

/// Whole samples cost more than the small host, so that each gets only some damage of every kind.
#[test]
fn damaged_samples_are_survived_and_their_losses_told() {
    for name in ["compromised-workstation", "loose-files"] {
        let whole = sample(name);
        let mut damaged = Vec::new();
        for path in whole.keys() {
            damaged.extend(cuts(&whole, path, 2).into_iter().step_by(4));
            damaged.extend(flips(&whole, path, 2, false));
            damaged.extend(pages(&whole, path, 1));
        }
        // A file of any name is evidence by its first bytes alone, and without them none.
        for one in damaged.iter_mut().filter(|one| one.what.contains(".dat ")) {
            one.told = false;
        }
        assert_survived(&whole, &damaged);
    }
}

/// Stand for half of a surrogate pair and for NUL, which no string of this language and no TOML can hold.
const SURROGATE: char = '\u{e123}';
const NUL: char = '\u{e124}';

fn hostile() -> Vec<String> {
    let mut names: Vec<String> = [
        "\u{1b}]0;owned\u{7}\u{1b}[2J",
        "\u{9b}31mred",
        "\u{202e}exe.gpj\u{2066}",
        "=cmd|' /C calc'!A0",
        "+1\t-2",
        "-k",
        "@SUM(1)",
        "line\r\nbreak\u{2028}and\u{85}more",
        "`` ` ``` |x|</script><script>alert(1)</script>",
        "[click](http://evil.example) www.evil.example @all *b* _i_ ![x](y)",
        "\"quotes\", commas; and 'more'",
        "%s%n%x {0} ${HOME} $(id) %SystemRoot%",
        "\u{200b}\u{feff}",
        " ",
        "..",
        "\u{e123}lone",
        "in\u{e124}side",
        "日本語の名前",
    ]
    .into_iter()
    .map(str::to_owned)
    .collect();
    // An event of the longest still fits into a chunk of a log.
    names.push("A".repeat(4_000));
    names.push(format!("a{}", "\u{300}".repeat(2_000)));
    names
}

/// A host on which every name, command, account and script is hostile.
fn hostile_host() -> Files {
    let mut story = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/compromised-workstation/scenario.toml"),
    )
    .unwrap();
    // The logs of a hive have checksums over what is stained below; all goes into its primary file.
    story = story.replace("flush-hives", "service-logon");
    for (number, evil) in hostile().iter().enumerate() {
        // What JSON escapes, TOML reads.
        let evil = serde_json::Value::from(evil.as_str()).to_string();
        let minute = number % 60;
        write!(
            story,
            r#"
[[user]]
name = {evil}
domain = {evil}
sid = "S-1-5-21-1740622861-3121938274-906331275-{sid}"
[[action]]
at = "2022-03-22T14:{minute:02}:00Z"
do = "install-service"
service = {evil}
display-name = {evil}
description = {evil}
image-path = {evil}
account = {evil}
group = {evil}
depends-on = [{evil}]
by = {evil}
command = {evil}
parameters = [{{ name = {evil}, data = {evil} }}, {{ name = "ServiceDll", data = {evil} }}]
[[action]]
at = "2022-03-22T14:{minute:02}:10Z"
do = "set-recovery"
service = {evil}
reset = 0
actions = [[3, 1000]]
command = {evil}
by = {evil}
with = {evil}
[[action]]
at = "2022-03-22T14:{minute:02}:20Z"
do = "start-service"
service = {evil}
children = [{evil}]
connections = [{{ to = {evil}, port = 443, host = {evil} }}]
[[action]]
at = "2022-03-22T14:{minute:02}:30Z"
do = "power-shell"
user = {evil}
script = {evil}
command = {evil}
[[action]]
at = "2022-03-22T14:{minute:02}:40Z"
do = "crash"
service = {evil}
times = 1
"#,
            sid = 2000 + number,
        )
        .unwrap();
    }
    let files = Scenario::parse(&story).unwrap().evidence().unwrap();
    files.into_iter().map(|file| (file.path, stained(file.bytes))).collect()
}

/// Puts what the placeholders stand for in their place. The checksums of the logs are wrong then.
fn stained(mut bytes: Vec<u8>) -> Vec<u8> {
    for (placeholder, unit) in [(SURROGATE, 0xd800_u16), (NUL, 0)] {
        let mut wanted = [0; 1];
        let wanted = placeholder.encode_utf16(&mut wanted)[0].to_le_bytes();
        for place in 0..bytes.len() - 1 {
            if bytes[place..place + 2] == wanted {
                bytes[place..place + 2].copy_from_slice(&unit.to_le_bytes());
            }
        }
    }
    bytes
}

#[test]
fn hostile_names_reach_the_report_and_do_nothing_there() {
    quiet_nt_hive();
    let outcome = examine(&hostile_host()).unwrap();
    let names: Vec<&str> = outcome.host.services.iter().map(|one| one.name.as_str()).collect();
    for evil in hostile() {
        let evil = evil.replace(SURROGATE, "\u{fffd}").replace(NUL, "\0");
        let shown: String = evil.chars().take(60).collect();
        assert!(names.iter().any(|name| text::same_name(name, &evil)), "{shown:?}");
    }
}

#[test]
fn nothing_that_is_no_evidence_is_taken_for_a_host_without_services() {
    quiet_nt_hive();
    for bytes in
        [vec![], vec![0; 70_000], vec![b'*'; 70_000], b"regf".to_vec(), b"ElfFile\0".to_vec()]
    {
        for path in [format!("{CONFIG}/SYSTEM"), format!("{LOGS}/System.evtx"), "x".to_owned()] {
            let told = bytes.len();
            if let Some(outcome) = examine(&Files::from([(path.clone(), bytes.clone())])) {
                assert!(
                    !outcome.host.diagnostics.is_empty(),
                    "{path} of {told} bytes: {:?}",
                    outcome.host.diagnostics
                );
            }
        }
    }
}
