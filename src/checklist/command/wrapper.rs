//! Wrappers, and the programs behind them; tunnels.

use crate::checklist::basis::{COMMAND, MEASURED};
use crate::checklist::knowledge::programs::{self, ProgramKind};
use crate::checklist::place::{Class, class_of};
use crate::checklist::program::plain_leaf;
use crate::checklist::staging::{half_read, no, unknown, yes};
use crate::checklist::story::clip;
use crate::checklist::subject::{image, own_config};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, technique};
use crate::host::ImagePath;

pub(super) const WRAPPER: Indicator = Indicator {
    id: "P23",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Is a wrapper or a tunnel the program, and what does it run?",
    why: "nssm and srvany make a service of any program, so that ImagePath shows the wrapper and not what runs; \
          tunnels carry a way back in past the firewall.",
    innocent: "Wrappers are common for build agents, exporters and scripts of the house; cloudflared and plink are \
               used by administrators as well.",
    verify: &[
        r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name>\Parameters /s (Application, AppParameters)",
        "WinSW: read the XML file beside the program",
    ],
    attack: &[technique("T1543.003"), technique("T1572")],
    weight: 6,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED, "nssm registry.h; SigmaHQ and LOLRMM lists of tunnel tools"],
    since: "0.1.0",
    check: &|scope| {
        let one = image(scope)?;
        let is = |path: &ImagePath, kind| programs::is(&plain_leaf(path), kind);
        if is(one.path, ProgramKind::Tunnel) {
            let weight = if class_of(one.path) == Class::ProgramFiles { 15 } else { 25 };
            return Some(one.hit("a tunnel").weighing(weight));
        }
        let Some(target) = scope.service.wrapped.as_ref() else {
            return is(one.path, ProgramKind::Wrapper)
                .then(|| one.hit("a wrapper whose target the key does not name"));
        };
        let config = own_config(scope)?;
        let shell = ["cmd.exe", "powershell.exe", "pwsh.exe", "cmd", "powershell", "pwsh"];
        let (what, weight) = match class_of(target) {
            _ if is(target, ProgramKind::Tunnel) => ("a tunnel", 31),
            _ if shell.contains(&plain_leaf(target).as_str()) => ("a shell", 20),
            Class::UserWritable(_) | Class::Unc => ("in a folder others write to", 26),
            _ => ("as its target", 6),
        };
        let because = format!(
            "The wrapper {} runs \"{}\", {what}.",
            one.path.leaf(),
            clip(&format!("{} {}", target.expanded, target.arguments))
        );
        Some(Hit::new(because, config.cite("Parameters\\Application")).weighing(weight))
    },
    examples: &[
        yes("nssm runs a tunnel", || {
            Scene::service("sysmgmt")
                .image(r"C:\Tools\nssm.exe")
                .text("Parameters\\Application", r"C:\Users\Public\chisel.exe")
                .text("Parameters\\AppParameters", "client 203.0.113.9:443 R:socks")
        }),
        yes("nssm runs an exporter: worth six decibans", || {
            Scene::service("exporter")
                .image(r#""C:\Program Files\nssm\nssm.exe""#)
                .text("Parameters\\Application", r"C:\Program Files\exporter\exporter.exe")
        }),
        no("an ordinary service", || Scene::service("Agent")),
        unknown("part of the hive is unreadable", half_read),
    ],
};
