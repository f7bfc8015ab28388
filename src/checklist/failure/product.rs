//! Failure commands that run a program of the service's own product.

use super::{MEASURED, MS_SCMR, own_command, run_action};
use crate::checklist::basis::HIVE;
use crate::checklist::known_good::stock;
use crate::checklist::place::is_in_program_files;
use crate::checklist::staging::{no, yes};
use crate::checklist::story::clip;
use crate::checklist::{Family, Hit, Indicator, Question, Scene, Scope, technique};
use crate::host::ImagePath;

pub(super) const ARMED: Indicator = Indicator {
    id: "F07",
    family: Family::F,
    checklist: Question::Runs,
    question: "Does a failure action run a program of the product's own folder in Program Files?",
    why: "Only administrators can write there, and one of them may be an intruder: the command still runs as LocalSystem \
          whenever the service fails.",
    innocent: "Backup, monitoring and display products report or repair this way; it is what the option is for.",
    verify: &[
        "sc qfailure <name> (live): which program, after which failure?",
        "Is the program signed by the product's vendor, and as old as the product?",
    ],
    attack: &[technique("T1543.003")],
    weight: 14,
    hard: false,
    needs: &[HIVE],
    sources: &[MS_SCMR, MEASURED],
    since: "0.1.0",
    check: &|scope| {
        let (config, command) = own_command(scope)?;
        let (position, count, delay) = run_action(config)?;
        if !is_of_product(scope, command) {
            return None;
        }
        let because = format!(
            "Failure command `{}` of the product's own folder is armed: action {position} of {count} runs it {} s after a \
             failure.",
            clip(command),
            delay / 1000
        );
        Some(Hit::new(because, config.cite("FailureCommand")).and(config.cite("FailureActions")))
    },
    examples: &[
        yes("a notifier beside the program", || {
            Scene::service("Agent")
                .text("FailureCommand", r#""C:\Program Files\Contoso\notify.exe" /failed"#)
                .failure_actions(&[1, 1, 3])
        }),
        yes("a script of the product", || {
            Scene::service("Agent")
                .text("FailureCommand", r#"cmd.exe /c "C:\Program Files\Contoso\restart.cmd" 1"#)
                .failure_actions(&[3])
        }),
        no("a script of the product, and something after it", || {
            Scene::service("Agent")
                .text(
                    "FailureCommand",
                    r#"cmd.exe /c "C:\Program Files\Contoso\restart.cmd" & C:\ProgramData\s.bat"#,
                )
                .failure_actions(&[3])
        }),
        no("another product's folder", || {
            Scene::service("Agent")
                .text("FailureCommand", r#""C:\Program Files\Other\notify.exe""#)
                .failure_actions(&[3])
        }),
        no("a service of Windows", || {
            Scene::service("Spooler")
                .text("FailureCommand", r#""C:\Program Files\Contoso\notify.exe""#)
                .failure_actions(&[3])
        }),
    ],
};

/// Whether a command runs one program or batch file and nothing else, and that lies in the folder of Program Files in which
/// the service's own program lies.
pub(super) fn is_of_product(scope: &Scope<'_>, command: &str) -> bool {
    let own = scope.service.image.as_ref().filter(|image| is_in_program_files(image));
    let Some(folder) = own.and_then(|image| product(&image.normalized)) else { return false };
    if stock(scope).is_some() || command.contains(['&', '|', '<', '>', '^', '\n', '\r']) {
        return false;
    }
    let run = ImagePath::parse(command);
    let file = match run.leaf() {
        "cmd.exe" => batch_file(&run.arguments),
        _ => Some(run),
    };
    file.is_some_and(|file| file.is_below(folder))
}

/// The batch file that `/c` names.
fn batch_file(arguments: &str) -> Option<ImagePath> {
    let (option, rest) = arguments.trim().split_once(' ')?;
    let file = ImagePath::parse(rest.trim());
    let is_batch = matches!(file.extension(), "cmd" | "bat");
    (option.eq_ignore_ascii_case("/c") && is_batch).then_some(file)
}

/// `c:\program files\contoso` of a path further down.
fn product(normalized: &str) -> Option<&str> {
    let (at, _) = normalized.match_indices('\\').nth(2)?;
    normalized.get(..at)
}
