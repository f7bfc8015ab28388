//! Hives the lab writes, read by an independent reader.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly, as tests do"
)]

use jiff::Timestamp;
use svctriage::lab::regf::log::{Entry, new_format, old_format};
use svctriage::lab::regf::{BASE_BLOCK, BaseBlock, Data, Hive};

const DESCRIPTOR: &[u8] = &[1, 0, 4, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_600_000_000 + seconds).unwrap()
}

fn hive() -> Hive {
    Hive::new("ROOT", DESCRIPTOR, at(0))
}

fn open(bytes: &[u8]) -> nt_hive::Hive<&[u8]> {
    nt_hive::Hive::new(bytes).unwrap()
}

fn value_names(bytes: &[u8], path: &str) -> Vec<String> {
    let hive = open(bytes);
    let key = hive.root_key_node().unwrap().subpath(path).unwrap().unwrap();
    let Some(values) = key.values() else { return Vec::new() };
    values.unwrap().map(|value| value.unwrap().name().unwrap().to_string_lossy()).collect()
}

fn data(bytes: &[u8], path: &str, name: &str) -> Vec<u8> {
    let hive = open(bytes);
    let key = hive.root_key_node().unwrap().subpath(path).unwrap().unwrap();
    let value = key.value(name).unwrap().unwrap();
    value.data().unwrap().into_vec().unwrap()
}

#[test]
fn values_keep_the_order_in_which_they_were_set() {
    let mut hive = hive();
    let key = hive.create(r"ControlSet001\Services\Spooler", at(1));
    for (name, value) in [
        ("Type", Data::Dword(0x110)),
        ("Start", Data::Dword(2)),
        ("ImagePath", Data::ExpandText(r"%SystemRoot%\System32\spoolsv.exe".to_owned())),
        ("DependOnService", Data::Texts(vec!["RPCSS".to_owned(), "http".to_owned()])),
        ("", Data::Text("default".to_owned())),
    ] {
        hive.set(key, name, &value, at(2));
    }
    hive.set(key, "start", &Data::Dword(4), at(3));
    hive.unset(key, "Type", at(3));
    let bytes = hive.to_bytes(&BaseBlock::clean("SYSTEM", 7));
    let path = r"ControlSet001\Services\Spooler";
    assert_eq!(value_names(&bytes, path), ["Start", "ImagePath", "DependOnService", ""]);
    assert_eq!(data(&bytes, path, "Start"), 4_u32.to_le_bytes());
    assert_eq!(data(&bytes, path, "DependOnService").len(), (6 + 5 + 1) * 2);
}

#[test]
fn long_lists_unicode_names_and_big_data_are_found_again() {
    let mut hive = hive();
    let services = hive.create("Services", at(1));
    for number in 0..2500 {
        hive.create_child(services, &format!("Service{number}"), at(number));
    }
    let odd = hive.create_child(services, "\u{441}\u{43b}\u{443}\u{436}\u{431}\u{430}", at(1));
    let big: Vec<u8> = (0..40_000_u32).map(|n| n.to_le_bytes()[0] ^ n.to_le_bytes()[1]).collect();
    hive.set(odd, "\u{df} big", &Data::Binary(big.clone()), at(1));
    let exact = vec![9; 16_344];
    hive.set(odd, "exact", &Data::Binary(exact.clone()), at(1));
    hive.set(odd, "none", &Data::Binary(Vec::new()), at(1));
    let bytes = hive.to_bytes(&BaseBlock::clean("SYSTEM", 7));

    let reader = open(&bytes);
    let services = reader.root_key_node().unwrap().subkey("services").unwrap().unwrap();
    assert_eq!(services.subkeys().unwrap().unwrap().map(Result::unwrap).count(), 2501);
    assert!(services.subkey("SERVICE2499").unwrap().is_ok());
    let path = "Services\\\u{441}\u{43b}\u{443}\u{436}\u{431}\u{430}";
    assert_eq!(data(&bytes, path, "\u{df} big"), big);
    assert_eq!(data(&bytes, path, "exact"), exact);
    assert_eq!(data(&bytes, path, "none"), Vec::<u8>::new());
}

#[test]
fn a_deleted_key_is_gone_but_its_bytes_are_not() {
    let mut hive = hive();
    let service = hive.create(r"Services\PSEXESVC", at(1));
    hive.set(
        service,
        "ImagePath",
        &Data::ExpandText(r"%SystemRoot%\PSEXESVC.exe".to_owned()),
        at(1),
    );
    hive.set_security(service, &[DESCRIPTOR, &[0; 8]].concat());
    let before = hive.to_bytes(&BaseBlock::clean("SYSTEM", 7));
    hive.delete(service, at(5));
    let after = hive.to_bytes(&BaseBlock::clean("SYSTEM", 8));
    assert_eq!(before.len(), after.len());
    let reader = open(&after);
    let services = reader.root_key_node().unwrap().subkey("Services").unwrap().unwrap();
    assert!(services.subkeys().is_none());
    let remains = |needle: &[u8]| after.windows(needle.len()).any(|bytes| bytes == needle);
    assert!(remains(b"PSEXESVC") && remains(b"ImagePath"));
    assert!(hive.find(r"Services\PSEXESVC").is_none());
}

#[test]
fn the_base_block_says_dirty_in_both_ways() {
    let mut hive = hive();
    let dirty = BaseBlock::clean("SYSTEM", 7).dirty();
    assert!(nt_hive::Hive::new(hive.to_bytes(&dirty).as_slice()).is_err());
    let wrong = BaseBlock { valid_checksum: false, ..BaseBlock::clean("SYSTEM", 7) };
    assert!(nt_hive::Hive::new(hive.to_bytes(&wrong).as_slice()).is_err());
    let bytes = hive.to_bytes(&dirty);
    assert!(nt_hive::Hive::without_validation(bytes.as_slice()).is_ok());
}

/// Applies the pages of one new-format entry, hashes left to the independent readers.
fn apply(primary: &mut Vec<u8>, entry: &[u8]) -> usize {
    let word = |at: usize| u32::from_le_bytes(entry[at..at + 4].try_into().unwrap()) as usize;
    assert_eq!(&entry[..4], b"HvLE");
    primary.resize(BASE_BLOCK + word(16), 0);
    let pages = word(20);
    let mut from = 40 + 8 * pages;
    for page in 0..pages {
        let (to, len) = (BASE_BLOCK + word(40 + 8 * page), word(44 + 8 * page));
        primary[to..to + len].copy_from_slice(&entry[from..from + len]);
        from += len;
    }
    word(4)
}

#[test]
fn logs_lead_from_the_primary_file_to_the_last_state() {
    let mut hive = hive();
    hive.create(r"ControlSet001\Services\Old", at(1));
    let base = BaseBlock { last_written: Some(at(1)), ..BaseBlock::clean("SYSTEM", 41) }.dirty();
    let mut states = vec![hive.to_bytes(&base)];
    for step in 0..3 {
        for number in 0..200 {
            hive.create(&format!(r"ControlSet001\Services\New{step}\{number}"), at(step));
        }
        states.push(hive.to_bytes(&base));
    }
    assert!(states[0].len() < states[3].len());
    let entries: Vec<Entry> = states
        .windows(2)
        .zip(41..)
        .map(|(pair, n)| Entry::between(&pair[0], &pair[1], n))
        .collect();
    let log = new_format(&base, &states[0], &entries);
    assert_eq!(&log[28..32], &6_u32.to_le_bytes());
    let (mut replayed, mut place) = (states[0].clone(), 512);
    for state in &states[1..] {
        place += apply(&mut replayed, &log[place..]);
        assert_eq!(replayed[BASE_BLOCK..], state[BASE_BLOCK..]);
    }
    assert_eq!(place, log.len());

    let old = old_format(&base, &states[0], &states[3]);
    let bits = &old[516..516 + (states[3].len() - BASE_BLOCK) / 4096];
    let pages: u32 = bits.iter().map(|byte| byte.count_ones()).sum();
    let bitmap = (4 + bits.len()).next_multiple_of(512);
    assert_eq!(old.len(), 512 + bitmap + 512 * pages as usize);
    assert_eq!(old[12..20], states[0][12..20]);
    assert!(new_format(&base, &states[0], &[]).is_empty());
}
