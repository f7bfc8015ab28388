//! Question 1: what the service is called (N).

use std::sync::{LazyLock, OnceLock};

use regex::Regex;

use super::basis::{COMMAND, HIVE, MEASURED};
use super::knowledge::programs::{self, ProgramKind};
use super::knowledge::stock::Comparison;
use super::knowledge::{agents, security, stock};
use super::known_good::{is_as_shipped, is_laid_down};
use super::place::{Class, class_of};
use super::staging::{ghost, half_read, no, unknown, yes};
use super::story::clip;
use super::subject::{image, is_per_user, is_win32, name_citation, own_config};
use super::{Family, Hit, Indicator, Question, Scene, Scope, known_good, technique};
use crate::host::ImagePath;
use crate::text;

const VERIFY_KEY: &str = r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name>";
const VERIFY_HOST: &str = "Look for the name on a clean host of the same build and at the vendor";

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] = &[
    RANDOM,
    NO_DISPLAY_NAME,
    NO_DESCRIPTION,
    TYPO,
    BORROWED_DISPLAY,
    PROCESS_NAME,
    ENCODED,
    DECEPTIVE,
    VENDOR,
];

/// Whether it is a program of its own whose key may be judged by what it lacks: no driver, no per-user
/// service, nothing Windows brings. Where `is_new_program` is content with the name, program and DLL have to be
/// Windows' here, and a key without `Type` counts unless its file is a driver's.
fn is_foreign_program(scope: &Scope<'_>) -> bool {
    is_win32(scope) && !is_per_user(scope) && !is_as_shipped(scope) && !is_laid_down(scope)
}

const RANDOM: Indicator = Indicator {
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
    check: |scope| {
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

/// Whether a 7045 alone makes the service known: its name is then the display name, the key's is not known.
fn is_display_name_only(scope: &Scope<'_>) -> bool {
    let service = scope.service;
    own_config(scope).is_none()
        && service.display_name.as_deref().is_some_and(|name| text::same_name(name, &service.name))
}

/// Whether the program is the one that Windows runs for that service of its own.
fn runs_program_of(scope: &Scope<'_>, owner: &str) -> bool {
    let Some(image) = &scope.service.image else { return false };
    let is_named_so = text::same_name(image.leaf().trim_end_matches(".sys"), owner);
    stock::service(owner).is_some_and(|stock| stock.compare_image(image) == Comparison::Same)
        || is_named_so && image.is_below(r"c:\windows\system32\drivers")
}

const NO_DISPLAY_NAME: Indicator = Indicator {
    id: "N03",
    family: Family::Q1,
    checklist: Question::What,
    question: "Is there no display name, or only the key's name again?",
    why: "sc.exe and the tools of intruders leave the display name out or repeat the name; setup programs give one \
          for people.",
    innocent: "Twenty-three of 3,202 real services do without, among them Dropbox and in-house software.",
    verify: &[VERIFY_KEY],
    attack: &[technique("T1036.004")],
    weight: 5,
    hard: false,
    needs: &[HIVE],
    sources: &[MEASURED],
    since: "0.1.0",
    check: |scope| {
        let config = scope.config()?;
        if !is_foreign_program(scope) {
            return None;
        }
        let because = match config.display_name.as_deref().map(str::trim) {
            None | Some("") => "There is no DisplayName.".to_owned(),
            Some(display) if text::same_name(display, &config.name) => {
                format!("DisplayName only repeats the name \"{}\".", clip(display))
            }
            Some(_) => return None,
        };
        Some(Hit::new(because, config.cite("DisplayName")))
    },
    examples: &[
        yes("the name again", || Scene::service("hackervirus").text("DisplayName", "hackervirus")),
        yes("none", || Scene::service("KrbSCM").without("DisplayName")),
        no("a name for people", || Scene::service("Agent")),
        no("a driver", || Scene::driver("afd")),
    ],
};

const NO_DESCRIPTION: Indicator = Indicator {
    id: "N04",
    family: Family::Q1,
    checklist: Question::What,
    question: "Is there no description?",
    why: "Six of 1,307 real service programs have none, and three of those were PsExec, F-Response and an updater: \
          tools do not bother.",
    innocent: "In-house services and old updaters; that is why it weighs less than it measures.",
    verify: &[VERIFY_KEY, VERIFY_HOST],
    attack: &[technique("T1543.003")],
    weight: 10,
    hard: false,
    needs: &[HIVE],
    sources: &["Measured: 6 of 1,307 service programs in six hives; capped because vendors differ"],
    since: "0.1.0",
    check: |scope| {
        let config = scope.config()?;
        let none = config.description.as_deref().is_none_or(|text| text.trim().is_empty());
        (none && is_foreign_program(scope))
            .then(|| Hit::new("There is no Description.", config.citation.clone()))
    },
    examples: &[
        yes("a service made by a tool", || Scene::service("Updater").without("Description")),
        no("a vendor's service", || Scene::service("Agent")),
        no("a driver", || Scene::driver("afd")),
        no("a service of Windows 7 without one", || {
            Scene::service("TrustedInstaller")
                .image(r"%SystemRoot%\servicing\TrustedInstaller.exe")
                .without("Description")
        }),
    ],
};

const TYPO: Indicator = Indicator {
    id: "N05",
    family: Family::Q1,
    checklist: Question::What,
    question: "Is the name one slip away from that of a service of Windows?",
    why: "W64Time next to W32Time, or a letter swapped: the eye reads what it expects.",
    innocent: "Vendors with a family of names; newer versions of Windows rename services by a letter or two.",
    verify: &[VERIFY_KEY, "Compare both keys: description, program, DLL, value order"],
    attack: &[technique("T1036.004")],
    weight: 12,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED, "atomic-red-team T1543.003 test 4 (TinyTurla)"],
    since: "0.1.0",
    check: |scope| {
        let name = &scope.service.name;
        if name.chars().count() < 6
            || known_good::stock(scope).is_some()
            || !is_win32(scope)
            || is_per_user(scope)
            || is_laid_down(scope)
        {
            return None;
        }
        let model = stock_names().iter().find(|model| is_one_slip(&text::fold(name), model))?;
        let shown = stock::service(model).map_or(model.as_str(), |stock| stock.name);
        let because = format!("\"{}\" is one slip away from \"{shown}\".", clip(name));
        Some(Hit::new(because, name_citation(scope)?))
    },
    examples: &[
        yes("64 for 32", || {
            Scene::service("W64Time").image(r"C:\Windows\System32\svchost.exe -k TimeService")
        }),
        yes("two letters swapped", || Scene::service("Spoolre")),
        no("the service itself", || Scene::hosted("W32Time")),
        no("a driver of a family of network cards", || Scene::driver("b57nd60b")),
        unknown("part of the hive is unreadable", half_read),
    ],
};

/// Folded names of at least six characters of the service programs of Windows.
fn stock_names() -> &'static [String] {
    static NAMES: OnceLock<Vec<String>> = OnceLock::new();
    NAMES.get_or_init(|| {
        stock::all()
            .filter(|stock| !stock.is_driver())
            .map(|stock| text::fold(stock.name))
            // Three letters and "Svc" are too few to tell a slip from another abbreviation.
            .filter(|name| {
                name.trim_end_matches("SVC").chars().count().max(1) >= 5 && name.len() >= 6
            })
            .collect()
    })
}

/// Whether one insertion, deletion, substitution or swap of neighbours, or 64 for 32, makes one name of the
/// other. Both folded.
fn is_one_slip(name: &str, model: &str) -> bool {
    if name == model {
        return false;
    }
    if name.len().abs_diff(model.len()) > 4 {
        return false;
    }
    if name.replace("64", "32") == model {
        return true;
    }
    let (short, long): (Vec<char>, Vec<char>) = {
        let (a, b): (Vec<char>, Vec<char>) = (name.chars().collect(), model.chars().collect());
        if a.len() <= b.len() { (a, b) } else { (b, a) }
    };
    let front = short.iter().zip(&long).take_while(|(a, b)| a == b).count();
    let back = short.iter().rev().zip(long.iter().rev()).take_while(|(a, b)| a == b).count();
    match long.len().saturating_sub(short.len()) {
        // Digits number a family: Svc1 beside Svc2 is no slip.
        0 => match (short.get(front), long.get(front), front.saturating_add(back)) {
            (Some(a), Some(b), same) if same.saturating_add(1) == short.len() => {
                !(a.is_ascii_digit() && b.is_ascii_digit())
            }
            (Some(a), Some(b), same) if same.saturating_add(2) == short.len() => {
                let next = front.saturating_add(1);
                short.get(next) == Some(b) && long.get(next) == Some(a)
            }
            _ => false,
        },
        1 => front.saturating_add(back) >= short.len(),
        _ => false,
    }
}

const BORROWED_DISPLAY: Indicator = Indicator {
    id: "N06",
    family: Family::Q1,
    checklist: Question::What,
    question: "Does it carry the display name or description of another service?",
    why: "services.msc shows the display name: a second Windows Update in the list is taken for the first.",
    innocent: "Between versions Windows renamed keys and kept display names (TimeBroker, TimeBrokerSvc).",
    verify: &[
        "Compare with the service whose name it is: program, DLL, account, value order",
        VERIFY_KEY,
    ],
    attack: &[technique("T1036.004")],
    weight: 15,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED],
    since: "0.1.0",
    check: |scope| {
        let service = scope.service;
        if known_good::stock(scope).is_some() || is_per_user(scope) || is_laid_down(scope) {
            return None;
        }
        let display = service.display_name.as_deref().unwrap_or_default();
        let owners = stock::by_display(display);
        if is_display_name_only(scope) && owners.iter().any(|owner| runs_program_of(scope, owner)) {
            return None;
        }
        if let Some(owner) = owners.iter().find(|owner| !related(&service.name, owner)) {
            let because = format!("DisplayName \"{}\" is that of Windows' {owner}.", clip(display));
            return Some(Hit::new(because, name_citation(scope)?));
        }
        let config = scope.config()?;
        let description = config.description.as_deref().unwrap_or_default().trim();
        if description.chars().count() < 20 || !is_win32(scope) {
            return None;
        }
        let owner = scope.host.services.iter().find(|other| {
            let of_other = other.config.as_ref().and_then(|config| config.description.as_deref());
            of_other.is_some_and(|text| text.trim() == description)
                && stock::service(&other.name).is_some()
                && !related(&service.name, &other.name)
        })?;
        let because = format!("Description \"{}\" is that of {}.", clip(description), owner.name);
        Some(Hit::new(because, config.cite("Description")))
    },
    examples: &[
        yes("Windows Update's display name", || {
            Scene::service("wuausvc").text("DisplayName", "Windows Update")
        }),
        yes("a description copied from the spooler", || {
            Scene::service("PrintHelp")
                .text("Description", "Loads files to memory for later printing")
                .beside(
                    Scene::service("Spooler")
                        .image(r"%SystemRoot%\System32\spoolsv.exe")
                        .text("Description", "Loads files to memory for later printing"),
                )
        }),
        no("the service itself", || {
            Scene::hosted("wuauserv").text("DisplayName", "Windows Update")
        }),
        no("a name of its own", || Scene::service("Agent")),
        unknown("part of the hive is unreadable", half_read),
    ],
};

/// Whether one name begins with the other: a key that was renamed between versions.
fn related(left: &str, right: &str) -> bool {
    let (left, right) = (text::fold(left), text::fold(right));
    left.starts_with(&right) || right.starts_with(&left)
}

const PROCESS_NAME: Indicator = Indicator {
    id: "N07",
    family: Family::Q1,
    checklist: Question::What,
    question: "Is the service or its program named like a process of Windows, or almost?",
    why: "svchost, lsass and spoolsv are expected in every list of processes; svch0st and scvhost count on a quick \
          eye.",
    innocent: "A few drivers and tools have such names by accident.",
    verify: &[
        VERIFY_KEY,
        "Compare the file with the one of that name in System32: size, signature, times",
    ],
    attack: &[technique("T1036.005"), technique("T1036.004")],
    weight: 15,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED],
    since: "0.1.0",
    check: |scope| {
        if known_good::stock(scope).is_some() || !is_win32(scope) {
            return None;
        }
        let name = scope.service.name.to_lowercase();
        if programs::is(&name, ProgramKind::System) {
            let because = format!("The service is named like the process {}.", clip(&name));
            return Some(Hit::new(because, name_citation(scope)?));
        }
        let one = image(scope)?;
        let leaf = one.path.leaf();
        let model = looks_like_a_process(leaf)?;
        let because = format!("The program {} looks like {model}.", clip(leaf));
        Some(Hit::new(because, one.citation))
    },
    examples: &[
        yes("a service called taskmgr", || Scene::service("taskmgr")),
        yes("a zero for an o", || Scene::service("Host").image(r"C:\Program Files\h\svch0st.exe")),
        no("the spooler", || Scene::service("Spooler").image(r"C:\Windows\System32\spoolsv.exe")),
        no("a program called service.exe", || {
            Scene::service("Agent").image(r#""C:\Program Files\Contoso\service.exe""#)
        }),
        unknown("part of the hive is unreadable", half_read),
    ],
};

/// The process of Windows that a program's file name imitates.
fn looks_like_a_process(leaf: &str) -> Option<&'static str> {
    const IMITATED: [&str; 13] = [
        "conhost.exe",
        "csrss.exe",
        "dllhost.exe",
        "explorer.exe",
        "lsass.exe",
        "services.exe",
        "spoolsv.exe",
        "svchost.exe",
        "taskhost.exe",
        "taskhostw.exe",
        "wininit.exe",
        "winlogon.exe",
        "wmiprvse.exe",
    ];
    // A word of its own, and much used.
    if programs::is(leaf, ProgramKind::System) || matches!(leaf, "service.exe" | "explore.exe") {
        return None;
    }
    let (name, extension) = leaf.rsplit_once('.')?;
    IMITATED.into_iter().find(|model| {
        let plain = model.trim_end_matches(".exe");
        extension == "exe" && is_one_slip(name, plain)
    })
}

static BASE64: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[A-Za-z0-9+/]{40,}={0,2}$").ok());

const ENCODED: Indicator = Indicator {
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
    check: |scope| {
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

const DECEPTIVE: Indicator = Indicator {
    id: "N09",
    family: Family::Q1,
    checklist: Question::What,
    question: "Does a name hold characters that deceive: mixed scripts, invisible ones, blanks at the end?",
    why: "A Cyrillic letter, a zero-width space or a blank at the end makes a second key that looks like the first \
          and that tools fail to open.",
    innocent: "Display names in other languages are ordinary and not counted; keys are in Latin letters everywhere.",
    verify: &[
        "Export the key and read its name in hexadecimal digits (Registry Explorer shows them)",
    ],
    attack: &[technique("T1036.002"), technique("T1036.004")],
    weight: 20,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED],
    since: "0.1.0",
    check: |scope| {
        let service = scope.service;
        let name = service.name.as_str();
        let display = service.display_name.as_deref().unwrap_or_default();
        let turned = |text: &str| text.chars().any(|c| matches!(c, '\u{202a}'..='\u{202e}'));
        let (what, weight) = if turned(name) || turned(display) {
            ("a character that turns the text around", 35)
        } else if name.chars().chain(display.chars()).any(is_invisible) {
            ("an invisible character", 20)
        } else if name != name.trim() {
            ("a blank at its edge", 20)
        } else if is_mixed_script(name) {
            ("letters of several scripts", 20)
        } else {
            return None;
        };
        let shown =
            if turned(display) || display.chars().any(is_invisible) { display } else { name };
        let because = format!("\"{}\" holds {what}.", text::terminal_safe(&clip_raw(shown)));
        Some(Hit::new(because, name_citation(scope)?).weighing(weight))
    },
    examples: &[
        yes("a Cyrillic o", || Scene::service("Sp\u{43e}oler")),
        yes("a blank at the end", || Scene::service("Spooler ")),
        yes("a right-to-left override", || {
            Scene::service("x").text("DisplayName", "Agent\u{202e}exe")
        }),
        no("a display name in Russian", || {
            Scene::service("Agent")
                .text("DisplayName", "\u{421}\u{43b}\u{443}\u{436}\u{431}\u{430}")
        }),
        unknown("part of the hive is unreadable", half_read),
    ],
};

/// Cut without trimming: a blank at the edge is what the sentence is about.
fn clip_raw(name: &str) -> String {
    name.chars().take(160).collect()
}

fn is_invisible(c: char) -> bool {
    text::is_deceptive(c) && !matches!(c, '\r' | '\n' | '\t' | '\0')
}

/// Latin letters beside letters that look like them.
fn is_mixed_script(name: &str) -> bool {
    let latin = name.chars().any(|c| c.is_ascii_alphabetic());
    let twin = name.chars().any(
        |c| matches!(c, '\u{370}'..='\u{52f}' | '\u{13a0}'..='\u{13ff}' | '\u{ff21}'..='\u{ff5a}'),
    );
    latin && twin
}

const VENDOR: Indicator = Indicator {
    id: "N10",
    family: Family::Q1,
    checklist: Question::What,
    question: "Does the display name claim a vendor whose folders the program is not in?",
    why: "\"Windows Service Update\" or \"Google Update\" from a folder of its own is a disguise: those vendors install \
          into Windows or Program Files.",
    innocent: "Products for Windows or Microsoft servers that begin with the name of what they serve.",
    verify: &["Signature of the program: is it the vendor's?", VERIFY_KEY],
    attack: &[technique("T1036.005"), technique("T1036.004")],
    weight: 15,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED, "SigmaHQ 8c15dd74-9570-4f48-80b2-29996fd91ee6 (Goofy Guineapig)"],
    since: "0.1.0",
    check: |scope| {
        const VENDORS: [&str; 7] =
            ["microsoft ", "windows ", "google ", "adobe ", "mozilla ", "intel ", "nvidia "];
        if !is_win32(scope) || is_as_shipped(scope) {
            return None;
        }
        let one = image(scope)?;
        let display = scope.service.display_name.as_deref().unwrap_or_default();
        let lower = format!("{} ", display.trim().to_lowercase());
        let vendor = VENDORS.into_iter().find(|vendor| lower.starts_with(vendor))?.trim();
        let inside = matches!(
            class_of(one.path),
            Class::ProgramFiles | Class::System | Class::Drivers | Class::BelowWindows
        );
        let own = one.path.normalized.contains(&format!("\\{vendor}"));
        let agent = agents::agent(&scope.service.name, one.path).is_some();
        if inside
            || agent
            || own && matches!(class_of(one.path), Class::OwnFolder | Class::ProgramData)
        {
            return None;
        }
        let because = format!(
            "DisplayName \"{}\" claims a vendor in whose folders \"{}\" does not lie.",
            clip(display),
            clip(&one.path.expanded)
        );
        Some(Hit::new(because, one.citation).and(name_citation(scope)?))
    },
    examples: &[
        yes("Windows in ProgramData", || {
            Scene::service("WinSvcUpdate")
                .text("DisplayName", "Windows Service Update")
                .image(r"C:\ProgramData\svchost.exe")
        }),
        no("Google Update in Program Files", || {
            Scene::service("gupdate")
                .text("DisplayName", "Google Update Service (gupdate)")
                .image(r#""C:\Program Files (x86)\Google\Update\GoogleUpdate.exe" /svc"#)
        }),
        no("Azure's guest agent in its folder", || {
            Scene::service("WindowsAzureGuestAgent")
                .text("DisplayName", "Windows Azure Guest Agent")
                .image(r"C:\WindowsAzure\GuestAgent_2.7.1\GuestAgent\WindowsAzureGuestAgent.exe")
        }),
        unknown("part of the hive is unreadable", half_read),
    ],
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn slips_are_counted_once() {
        for (name, model, expected) in [
            ("W64TIME", "W32TIME", true),
            ("SPOOLRE", "SPOOLER", true),
            ("SPOOLERS", "SPOOLER", true),
            ("SPOLER", "SPOOLER", true),
            ("SPOOLEE", "SPOOLER", true),
            ("SPOOLER", "SPOOLER", false),
            ("SPOLERS", "SPOOLER", false),
            ("SERVICE1", "SERVICE2", false),
            ("ABCDEF", "UVWXYZ", false),
        ] {
            assert_eq!(is_one_slip(name, model), expected, "{name} {model}");
        }
    }

    #[test]
    fn no_stock_service_is_a_slip_of_another() {
        let mut pairs = BTreeSet::new();
        for left in stock_names() {
            for right in stock_names() {
                if left < right && is_one_slip(left, right) {
                    pairs.insert((left.clone(), right.clone()));
                }
            }
        }
        assert!(pairs.len() < 4, "{pairs:?}");
    }

    #[test]
    fn flips_count_changes_of_case() {
        assert_eq!(flips("iOWamcEn"), 4);
        assert_eq!(flips("Spooler"), 1);
        assert_eq!(flips(""), 0);
    }
}
