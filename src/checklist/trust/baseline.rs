//! Services that are on a baseline of the analyst's.

use crate::checklist::baseline::By;
use crate::checklist::basis::HIVE;
use crate::checklist::staging::{GOLD_BUILD, USER, gold, no, on_gold_build, rules, unknown, yes};
use crate::checklist::story::clip;
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene};
use crate::host::Origin;
use crate::host::config::Data;
use crate::host::program_file::SignatureStatus;

pub(super) const ON_BASELINE: Indicator = Indicator {
    id: "B11",
    family: Family::B,
    checklist: Question::What,
    question: "Is it on your baseline: name, program and account, and the bytes, the signer or the installed values?",
    why: "Hosts that you called good have the same service with the same program, and the tool found nothing of weight against it \
          there.",
    innocent: "A baseline is as good as its hosts were: what had come to all of them before it was made is on it. It takes back \
               nothing that a failure command, access rules, a disabled protection, an account or a file's bytes add.",
    verify: &[
        "Read the line of the baseline that is cited; when was it made, and of which host?",
        "svctriage diff EVIDENCE gold.jsonl: nothing may differ",
    ],
    attack: &[],
    weight: -20,
    hard: false,
    needs: &[HIVE, Need::Part(Origin::Baseline)],
    sources: &["The analyst's own baseline: docs/baseline.md"],
    since: "0.1.0",
    check: &|scope| {
        let vouched = scope.baseline()?.vouch(scope.host, scope.service)?;
        let (by, weight) = match vouched.by {
            By::Digest => ("and bytes", -20),
            By::Signer => ("and signer", -20),
            By::Values => ("and values", -20),
            By::ValuesOnly => ("and values, the bytes of its file are not on it: half weight", -10),
        };
        let (build, weight) = if vouched.is_comparable {
            ("", weight)
        } else {
            (" of another build of Windows, or of one that is not known: half weight", weight / 2)
        };
        let because = format!(
            "On your baseline{build} ({}) with this program, account {by}.",
            clip(&vouched.place.label())
        );
        Some(Hit::new(because, scope.config()?.citation.clone()).weighing(weight))
    },
    examples: &[
        yes("the same values, no files in the evidence", || {
            on_gold_build(Scene::service("Agent")).baseline(gold(vec![Scene::service("Agent")], 0))
        }),
        yes("the same bytes, started by hand here", || {
            on_gold_build(Scene::service("Agent").number("Start", 3).program(|_| ()))
                .baseline(gold(vec![Scene::service("Agent").program(|_| ())], 0))
        }),
        yes("a baseline of another build: half", || {
            Scene::service("Agent")
                .windows("Windows 7 Professional", "7601")
                .baseline(gold(vec![Scene::service("Agent")], 0))
        }),
        no("another program", || {
            on_gold_build(Scene::service("Agent").image(r"C:\x.exe"))
                .baseline(gold(vec![Scene::service("Agent")], 0))
        }),
        no("other bytes", || {
            on_gold_build(Scene::service("Agent").program(|file| {
                if let Some(content) = &mut file.content {
                    content.digests.sha256 = "44".repeat(32);
                }
            }))
            .baseline(gold(vec![Scene::service("Agent").program(|_| ())], 0))
        }),
        no("no bytes on the baseline, and a file without a signature here", || {
            on_gold_build(Scene::service("Agent").program(|file| {
                file.signature.status = SignatureStatus::Unsigned;
            }))
            .baseline(gold(vec![Scene::service("Agent")], 0))
        }),
        no("a failure command that the baseline does not have", || {
            on_gold_build(Scene::service("Agent").text("FailureCommand", "C:\\x.bat"))
                .baseline(gold(vec![Scene::service("Agent")], 0))
        }),
        no("another account", || {
            on_gold_build(Scene::service("Agent").text("ObjectName", r"CORP\anna"))
                .baseline(gold(vec![Scene::service("Agent")], 0))
        }),
        no("access rules that the baseline does not have", || {
            on_gold_build(Scene::service("Agent").access(true, USER, 0xf01ff))
                .baseline(gold(vec![Scene::service("Agent")], 0))
        }),
        no("a user owns its key", || {
            on_gold_build(Scene::service("Agent").configure(|config| {
                config.key_security = Some(rules(USER, true, USER, 0xf003f));
            }))
            .baseline(gold(vec![Scene::service("Agent")], 0))
        }),
        no("its protection is gone", || {
            on_gold_build(Scene::service("Agent"))
                .baseline(gold(vec![Scene::service("Agent").number("LaunchProtected", 3)], 0))
        }),
        no("a further DLL that it makes Windows load", || {
            on_gold_build(Scene::service("Agent").value(
                "Performance\\Library",
                1,
                Data::Text(r"C:\x.dll".to_owned()),
            ))
            .baseline(gold(vec![Scene::service("Agent")], 0))
        }),
        no("the name of a per-user instance, and a type that is none", || {
            let instance = |name: &str, kind| {
                Scene::hosted(name).number("Type", kind).without("Parameters\\ServiceDll")
            };
            on_gold_build(instance("ContosoUserSvc_3a1f2", 0x20))
                .baseline(gold(vec![instance("ContosoUserSvc_77b01", 0xe0)], 0))
        }),
        yes("the instance of another user", || {
            let instance = |name: &str| {
                Scene::hosted(name).number("Type", 0xe0).without("Parameters\\ServiceDll")
            };
            on_gold_build(instance("ContosoUserSvc_3a1f2"))
                .baseline(gold(vec![instance("ContosoUserSvc_77b01")], 0))
        }),
        unknown("no baseline was given", || {
            Scene::service("Agent").windows("Windows 10 Pro", GOLD_BUILD)
        }),
    ],
};
