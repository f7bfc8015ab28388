//! Names that a tool made up: drawn at random, or pieces of Base64.

use std::sync::LazyLock;

use regex::Regex;

use super::{VERIFY_HOST, VERIFY_KEY};
use crate::checklist::basis::COMMAND;
use crate::checklist::knowledge::security;
use crate::checklist::place::{Class, class_of};
use crate::checklist::staging::{ghost, half_read, no, unknown, yes};
use crate::checklist::story::clip;
use crate::checklist::subject::{is_per_user, is_win32, name_citation};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, known_good, technique};
use crate::host::ImagePath;
use crate::text;

pub(super) const RANDOM: Indicator = Indicator {
    id: "N02",
    family: Family::Q1,
    checklist: Question::What,
    question: "Does the name have the shape of one that a tool makes up?",
    why: "impacket, Metasploit and Cobalt Strike draw their names at random: 4, 8 or 16 letters in mixed case, 20 \
          capitals, or 7 characters that the program's name repeats.",
    innocent: "Some vendors choose names that look drawn (HwNClx0101); alone this says little.",
    verify: &[
        VERIFY_HOST,
        "Does the program have the same random name, and was it removed soon after?",
    ],
    attack: &[technique("T1569.002"), technique("T1036.004")],
    weight: 8,
    hard: false,
    needs: &[COMMAND],
    sources: &[
        "Measured on 884 real names: entropy and trigrams separate badly, tool shapes do",
        "SigmaHQ 6fb63b40-e02a-403e-9ffd-3bcc1d749442",
    ],
    since: "0.1.0",
    check: &|scope| {
        let service = scope.service;
        let known = known_good::stock(scope).is_some() || security::guard(&service.name).is_some();
        if known || !is_win32(scope) || is_per_user(scope) {
            return None;
        }
        let leaf = service.image.as_ref().map_or("", ImagePath::leaf);
        let stem = leaf.rsplit_once('.').map_or(leaf, |(stem, _)| stem);
        let in_root =
            service.image.as_ref().is_some_and(|path| class_of(path) == Class::WindowsRoot);
        let (what, weight) = shape(
            &service.name,
            service.display_name.as_deref().unwrap_or_default(),
            stem,
            in_root,
        )?;
        let because = format!("\"{}\" is {what}.", clip(&service.name));
        Some(Hit::new(because, name_citation(scope)?).weighing(weight))
    },
    examples: &[
        yes("eight letters and a display name of sixteen", || {
            Scene::service("iOWamcEn").text("DisplayName", "KgXItsbKgTJzdzwl")
        }),
        yes("impacket: four letters, and a program of eight in the Windows folder", || {
            ghost("kXqZ", r"%systemroot%\aBcDeFgH.exe")
        }),
        yes("seven characters, repeated by the program", || {
            ghost("a1b2c3d", r"\\10.0.0.9\ADMIN$\a1b2c3d.exe")
        }),
        no("McAfee's scanner", || Scene::service("McShield")),
        no("a name of two words", || Scene::service("ContosoAgent")),
        unknown("part of the hive is unreadable", half_read),
    ],
};

/// What tool shape a name has, with its weight.
fn shape(name: &str, display: &str, stem: &str, in_root: bool) -> Option<(&'static str, i16)> {
    let letters = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphabetic());
    let same = text::same_name(name, stem);
    let length = name.len();
    if letters(name)
        && matches!(length, 4 | 8 | 16)
        && in_root
        && letters(stem)
        && stem.len() == 8
        && !same
    {
        return Some((
            "short and random, as impacket's psexec makes it, with a random program",
            20,
        ));
    }
    if letters(name)
        && length == 8
        && letters(display)
        && display.len() == 16
        && flips(display) >= 3
    {
        return Some(("random, with a random display name of 16 letters (Metasploit)", 15));
    }
    if length == 20 && name.bytes().all(|b| b.is_ascii_uppercase()) {
        return Some(("20 capitals (Invoke-SMBExec)", 8));
    }
    let lower = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let digit = name.bytes().any(|b| b.is_ascii_digit());
    if length == 7 && same && digit && name.bytes().all(lower) {
        return Some(("seven random characters that the program repeats (Cobalt Strike)", 8));
    }
    (letters(name) && matches!(length, 4 | 8 | 16) && flips(name) >= 3 && !is_camel_case(name))
        .then_some(("letters in random case", 8))
}

/// Whether every capital begins a word of three letters or more, as people write compound names.
fn is_camel_case(name: &str) -> bool {
    let mut words: Vec<usize> = Vec::new();
    for byte in name.bytes() {
        match words.last_mut() {
            Some(length) if byte.is_ascii_lowercase() => *length = length.saturating_add(1),
            _ => words.push(1),
        }
    }
    words.iter().all(|length| *length >= 3)
}

/// How often upper and lower case change in a word.
fn flips(name: &str) -> usize {
    name.as_bytes()
        .windows(2)
        .filter(|pair| matches!(pair, [a, b] if a.is_ascii_uppercase() != b.is_ascii_uppercase()))
        .count()
}

static BASE64: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[A-Za-z0-9+/]{40,}={0,2}$").ok());

pub(super) const ENCODED: Indicator = Indicator {
    id: "N08",
    family: Family::Q1,
    checklist: Question::What,
    question: "Is a name a long piece of Base64?",
    why: "Tchopper carries a file into a host as hundreds of services whose display names are its pieces.",
    innocent: "No product is known to do so; identifiers in hexadecimal digits are not counted.",
    verify: &["Order the services by time and decode their names one after the other", VERIFY_KEY],
    attack: &[technique("T1027"), technique("T1569.002")],
    weight: 25,
    hard: false,
    needs: &[COMMAND],
    sources: &["Measured: 244 installs of one Tchopper run"],
    since: "0.1.0",
    check: &|scope| {
        let service = scope.service;
        let names = [Some(service.name.as_str()), service.display_name.as_deref()];
        let found = names.into_iter().flatten().find(|name| is_base64(name))?;
        let because = format!("\"{}\" is Base64.", clip(found));
        Some(Hit::new(because, name_citation(scope)?))
    },
    examples: &[
        yes("a piece of a script", || {
            Scene::service("seg1").text(
                "DisplayName",
                "IyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIw0KIyBUaGlzIFBvd2Vyc2",
            )
        }),
        no("a product's identifier in hexadecimal digits", || {
            Scene::driver("CorsairLLAccessC2D033F14715AA7325305EA42FBFC65BF867CC1D")
        }),
        no("a long name of words", || {
            Scene::service("Agent")
                .text("DisplayName", "Contoso Endpoint Management Agent Updater Service")
        }),
        unknown("part of the hive is unreadable", half_read),
    ],
};

fn is_base64(name: &str) -> bool {
    let hex_run = name.split(|c: char| !c.is_ascii_hexdigit()).map(str::len).max().unwrap_or(0);
    BASE64.as_ref().is_some_and(|pattern| pattern.is_match(name))
        && hex_run < 32
        && name.bytes().any(|byte| byte.is_ascii_lowercase())
        && name.bytes().any(|byte| byte.is_ascii_uppercase())
        && name.bytes().any(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'/' | b'='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flips_count_changes_of_case() {
        assert_eq!(flips("iOWamcEn"), 4);
        assert_eq!(flips("Spooler"), 1);
        assert_eq!(flips(""), 0);
    }
}
