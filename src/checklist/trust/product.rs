//! Agents and responders' tools, by name and file.

use super::witness;
use crate::checklist::knowledge::agents::AgentKind;
use crate::checklist::knowledge::responders;
use crate::checklist::known_good::agent;
use crate::checklist::staging::{no, unknown, yes};
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene};
use crate::host::Origin;

pub(super) const RESPONDER: Indicator = Indicator {
    id: "B07",
    family: Family::B,
    checklist: Question::What,
    question: "Is it a tool of incident responders, by service and file name?",
    why: "Memory imagers and evidence agents run from desktops and Temp folders as implants do; the case file knows \
          when they were used.",
    innocent: "Intruders rename their drivers too: the hash and the responder's notes decide, not the name.",
    verify: &[
        "Do the responder's notes mention the tool at that time?",
        "Hash the driver and compare it with the tool's release.",
    ],
    attack: &[],
    weight: -15,
    hard: false,
    needs: &[Need::AnyPart(&[Origin::SystemHive, Origin::SystemLog, Origin::SecurityLog])],
    sources: &["Measured: Mnemosyne, F-Response and AccessData's driver in public hives and logs"],
    since: "0.1.0",
    check: &|scope| {
        let tool = responders::tool(&scope.service.name, scope.service.image.as_ref()?)?;
        Some(Hit::new(format!("Named as {tool} names its service and file."), witness(scope)?))
    },
    examples: &[
        yes("a memory imager's driver", || {
            Scene::driver("Mnemosyne").image(r"\??\C:\Users\m\Desktop\Mnemosyne.sys")
        }),
        no("its name on another file", || {
            Scene::driver("Mnemosyne").image(r"\??\C:\Users\m\Desktop\x.sys")
        }),
        unknown("nothing to look at", || {
            Scene::driver("Mnemosyne").covered(Origin::SystemHive, crate::host::State::Lost)
        }),
    ],
};

pub(super) const AGENT: Indicator = Indicator {
    id: "B05",
    family: Family::B,
    checklist: Question::What,
    question: "Is it a known updater, guest agent or deployment tool, by name and full path?",
    why: "These look odd — transient, in ProgramData, created from afar — and are ordinary.",
    innocent: "Name and path can be imitated by an administrator; the signature cannot.",
    verify: &["Check the program's signature.", "Is the product in use on this network?"],
    attack: &[],
    weight: -10,
    hard: false,
    needs: &[Need::AnyPart(&[Origin::SystemHive, Origin::SystemLog, Origin::SecurityLog])],
    sources: &[
        "elastic/detection-rules 55c2bf58-2a39-4c58-a384-c8b1978153c2: exclusions",
        "vendors' documentation",
    ],
    since: "0.1.0",
    check: &|scope| {
        let agent = agent(scope)?;
        let kind = match agent.kind {
            AgentKind::Updater => "updater",
            AgentKind::Platform => "platform component",
            AgentKind::Deployment => "deployment tool",
            AgentKind::Product => "product",
        };
        let because = format!("Known {kind}: {}.", agent.product);
        Some(Hit::new(because, witness(scope)?))
    },
    examples: &[
        yes("Edge's updater", || {
            Scene::service("edgeupdate").image(
                r#""C:\Program Files (x86)\Microsoft\EdgeUpdate\MicrosoftEdgeUpdate.exe" /svc"#,
            )
        }),
        no("the same name from ProgramData", || {
            Scene::service("edgeupdate")
                .image(r"C:\ProgramData\EdgeUpdate\MicrosoftEdgeUpdate.exe /svc")
        }),
        unknown("nothing to look at", || {
            Scene::service("edgeupdate").covered(Origin::SystemHive, crate::host::State::Lost)
        }),
    ],
};
