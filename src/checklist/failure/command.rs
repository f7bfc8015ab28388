//! The failure command in the key: armed, or inert.

use super::product::is_of_product;
use super::{MEASURED, MS_SCMR, SIGMA, own_command, run_action};
use crate::checklist::basis::HIVE;
use crate::checklist::place::{Class, class_of};
use crate::checklist::staging::{no, yes};
use crate::checklist::story::clip;
use crate::checklist::{Family, Hit, Indicator, Question, Scene, technique};
use crate::host::ImagePath;

pub(super) const ARMED: Indicator = Indicator {
    id: "F01",
    family: Family::F,
    checklist: Question::Runs,
    question: "Does a failure action run a command that neither Windows nor a known vendor sets?",
    why: "Whoever makes the service fail gets the command run as LocalSystem, while ImagePath, which \
          everybody looks at, stays untouched.",
    innocent: "Backup and monitoring agents restart themselves or report through a script of their own; the \
               script then lies in the product's folder.",
    verify: &[
        r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name> /v FailureCommand",
        "sc qfailure <name> (live): look for RUN PROCESS among the actions",
        "Read the program or script it names, and when it was written.",
    ],
    attack: &[technique("T1543.003")],
    weight: 35,
    hard: true,
    needs: &[HIVE],
    sources: &[MS_SCMR, MEASURED, SIGMA],
    since: "0.1.0",
    check: &|scope| {
        let (config, command) = own_command(scope)?;
        let (position, count, delay) = run_action(config)?;
        if is_of_product(scope, command) {
            return None;
        }
        Some(
            Hit::new(
                format!(
                    "Failure command `{}` is armed: action {position} of {count} runs it {} s after a failure.",
                    clip(command),
                    delay / 1000
                ),
                config.cite("FailureCommand"),
            )
            .and(config.cite("FailureActions")),
        )
    },
    examples: &[
        yes("a script in ProgramData, first action", || {
            Scene::service("Spooler")
                .text("FailureCommand", r"cmd.exe /c C:\ProgramData\s.bat")
                .failure_actions(&[3, 1])
        }),
        no("a notifier beside the program, which is a question of its own", || {
            Scene::service("Agent")
                .text("FailureCommand", r#""C:\Program Files\Contoso\notify.exe" /failed"#)
                .failure_actions(&[1, 1, 3])
        }),
        no("the same command, but every action restarts the service", || {
            Scene::service("Agent").text("FailureCommand", r"C:\x.bat").failure_actions(&[1, 1, 0])
        }),
        no("Defender's own command, armed by default", || {
            Scene::service("WinDefend")
                .text(
                    "FailureCommand",
                    r#"C:\Windows\system32\mrt.exe /EHB /ServiceFailure "CAMP=4.12.1" /StartService /Defender /q"#,
                )
                .failure_actions(&[1, 1, 3])
        }),
        no("NVIDIA's recovery script", || {
            Scene::service("NVDisplay.ContainerLocalSystem")
                .text(
                    "FailureCommand",
                    r"cmd.exe /C %windir%\NvContainerRecovery.bat NVDisplay.ContainerLocalSystem C:\ProgramData\NVIDIA\NvContainerRecoveryNVDisplay.ContainerLocalSystem.log",
                )
                .failure_actions(&[1, 3, 3])
        }),
        no("restart actions alone", || Scene::service("Agent").failure_actions(&[1, 1, 1])),
    ],
};

/// Decibans of an inert command that runs a program of the service's own product.
const OF_PRODUCT: i16 = 4;

/// Decibans of an inert command that runs a program from where ordinary users, or nobody's setup, put programs.
const WRITABLE: i16 = 22;

pub(super) const DORMANT: Indicator = Indicator {
    id: "F05",
    family: Family::F,
    checklist: Question::Runs,
    question: "Is there a failure command of its own that no action runs (inert)?",
    why: "One write to FailureActions arms it; a half-finished setup and a command whose actions were reset look \
          alike.",
    innocent: "Administrators leave a command behind when they choose another recovery option; Windows itself \
               ships three such commands, which are known.",
    verify: &[
        r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name> /v FailureActions",
        "Compare with ControlSet002 and with RegBack: was an action of type 3 there?",
    ],
    attack: &[technique("T1543.003")],
    weight: 14,
    hard: false,
    needs: &[HIVE],
    sources: &[MS_SCMR, MEASURED],
    since: "0.1.0",
    check: &|scope| {
        let (config, command) = own_command(scope)?;
        if run_action(config).is_some() {
            return None;
        }
        let anywhere = |class| {
            matches!(
                class,
                Class::UserWritable(_) | Class::Unc | Class::DriveRoot | Class::ProgramDataRoot
            )
        };
        let weight = if is_of_product(scope, command) {
            OF_PRODUCT
        } else if anywhere(class_of(&ImagePath::parse(command))) {
            WRITABLE
        } else {
            DORMANT.weight
        };
        let hit = Hit::new(
            format!(
                "Failure command `{}` is set but inert: no failure action runs a program.",
                clip(command)
            ),
            config.cite("FailureCommand"),
        );
        Some(hit.weighing(weight))
    },
    examples: &[
        yes("a command without any actions", || {
            Scene::service("Agent").text("FailureCommand", r"C:\ProgramData\x.exe")
        }),
        yes("a command beside restart actions", || {
            Scene::service("Agent")
                .text("FailureCommand", r"C:\Tools\notify.cmd")
                .failure_actions(&[1, 1, 0])
        }),
        no("iSCSI's default", || {
            Scene::hosted("MSiSCSI")
                .text("FailureCommand", "customScript.cmd")
                .failure_actions(&[1, 1, 0])
        }),
        no("the embedded keyboard host's default", || {
            Scene::hosted("WEPHOSTSVC").text("FailureCommand", "not used").failure_actions(&[1])
        }),
        no("an empty command", || Scene::service("Agent").text("FailureCommand", " ")),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checklist::Answer;
    use crate::host::config::Data;

    #[test]
    fn only_an_armed_command_is_hard() {
        let scene = || Scene::service("Agent").text("FailureCommand", r"C:\x.exe -a");
        let ask = |scene: Scene, indicator: &Indicator| {
            scene.ask(|scope| indicator.answer(scope)).unwrap() != Answer::No
        };
        assert!(ask(scene().failure_actions(&[3]), &ARMED));
        assert!(!ask(scene().failure_actions(&[3]), &DORMANT));
        assert!(!ask(scene(), &ARMED) && ask(scene(), &DORMANT));
        assert_eq!((ARMED.hard, DORMANT.hard), (true, false));
        let odd = scene().value("FailureActions", 3, Data::Bytes(vec![1, 2, 3]));
        assert!(ask(odd, &DORMANT), "a damaged FailureActions arms nothing");
    }
}
