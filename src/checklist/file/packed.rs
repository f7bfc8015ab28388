//! Code that nobody can read as it lies in the file.

use super::super::staging::{no, unknown, yes};
use super::image::{CONTENTS, images, is_packed};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, technique};
use crate::host::program_file::{Hint, ProgramFile, ProgramSection};

/// The weight where somebody known vouches for the bytes: games, copy protection and anti-cheat drivers are packed.
const VOUCHED_WEIGHT: i16 = 3;

pub(super) const PACKED: Indicator = Indicator {
    id: "V06",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Is its code packed or encrypted?",
    why: "Packers hide what a program does from scanners and analysts; ordinary service programs have no reason to be packed.",
    innocent: "Copy protection, anti-cheat drivers and some small vendors pack their programs; those are signed as a rule, which \
               lowers the weight.",
    verify: &[
        "Look at the sections: names, entropy, sizes in memory and in the file",
        "Unpack it (upx -d on a copy) and look at strings and imports",
    ],
    attack: &[technique("T1027.002")],
    weight: 8,
    hard: false,
    needs: &[CONTENTS],
    sources: &[
        "Lyda, Hamrock: Using Entropy Analysis to Find Encrypted and Packed Malware (IEEE S&P 2007)",
        "Measured: of 438 ordinary images none has native code above 7.0 bits per byte; one .NET library has 7.53 with its resources",
    ],
    since: "0.1.0",
    check: &|scope| {
        let packed = images(scope).find_map(|image| {
            let why = is_packed(image.executable)?;
            Some((image, why))
        });
        let (image, why) = packed?;
        let weight = if image.is_vouched() { VOUCHED_WEIGHT } else { PACKED.weight };
        let because = format!("{} is packed: {why}.", image.named());
        Some(Hit::new(because, image.file.citation.clone()).weighing(weight))
    },
    examples: &[
        yes("UPX", || {
            Scene::service("Agent").program(|file| with_code(file, "UPX1", 7_900, Some("UPX")))
        }),
        yes("code that looks like noise", || {
            Scene::service("Agent").program(|file| with_code(file, ".text", 7_650, None))
        }),
        no("ordinary code", || {
            Scene::service("Agent").program(|file| with_code(file, ".text", 6_400, None))
        }),
        no(".NET, whose resources lie with the code", || {
            Scene::service("Agent").program(|file| {
                with_code(file, ".text", 7_500, None);
                let content = file.content.as_mut();
                if let Some(executable) = content.and_then(|content| content.executable.as_mut()) {
                    executable.hints.push(Hint::DotNet);
                }
            })
        }),
        unknown("its bytes were not read", || {
            Scene::service("Agent").program(|file| file.content = None)
        }),
    ],
};

fn with_code(file: &mut ProgramFile, name: &str, entropy: u16, packer: Option<&str>) {
    let content = file.content.as_mut();
    if let Some(executable) = content.and_then(|content| content.executable.as_mut()) {
        executable.packer = packer.map(str::to_owned);
        executable.sections = vec![ProgramSection {
            name: name.to_owned(),
            size: 0x1_0000,
            entropy,
            is_code: true,
            is_writable_code: packer.is_some(),
        }];
    }
}
