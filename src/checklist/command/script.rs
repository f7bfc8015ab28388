//! Commands written for a shell: redirection, pipes, hidden and encoded scripts.

use std::sync::LazyLock;

use regex::Regex;

use super::{VERIFY_INSTALL, VERIFY_KEY};
use crate::checklist::basis::{COMMAND, MEASURED};
use crate::checklist::known_good::is_as_shipped;
use crate::checklist::program::plain;
use crate::checklist::staging::{ghost, half_read, no, unknown, yes};
use crate::checklist::story::clip;
use crate::checklist::subject::{Part, Runs, is_win32, runs};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, Scope, technique};

static SHELL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\becho\s|2>&1|\s&&\s|\s>>?\s|\\{2}\.\\pipe\\|\s\|\s").ok());

pub(super) const SHELL_SYNTAX: Indicator = Indicator {
    id: "P10",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does the command use a shell's redirection, chaining or a named pipe?",
    why: "Redirected output and chained commands belong to an operator at a prompt; echo to a named pipe is how \
          getsystem of Meterpreter and Cobalt Strike becomes SYSTEM.",
    innocent: "Home-made services that start a batch through cmd and redirect its output to a log.",
    verify: &[
        VERIFY_KEY,
        "Sysmon 17 and 18 for the pipe; 7009 and 7000 within a minute of the install",
    ],
    attack: &[technique("T1134.001"), technique("T1059.003"), technique("T1569.002")],
    weight: 25,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED, "SigmaHQ 843544a7-56e0-4dcc-a44f-5cc266dd97d6"],
    since: "0.1.0",
    check: &|scope| {
        let (one, command) = script(scope)?;
        let found = SHELL.as_ref()?.find(&command)?;
        let because =
            format!("The command contains `{}`: `{}`.", found.as_str().trim(), clip(&one.path.raw));
        Some(Hit::new(because, one.citation))
    },
    examples: &[
        yes("echo into a pipe", || ghost("hgabms", r"cmd.exe /c echo hgabms > \\.\pipe\hgabms")),
        no("an ampersand in a web address", || {
            Scene::service("ScreenConnect Client (1a2b)").image(
                r#""C:\Program Files (x86)\ScreenConnect Client (1a2b)\ScreenConnect.ClientService.exe" "?e=Access&y=Guest&h=x.example&p=443""#,
            )
        }),
        no("an ordinary service", || Scene::hosted("Themes")),
        unknown("part of the hive is unreadable", half_read),
    ],
};

static HIDDEN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)
        \s[-/]e(?:nc?|nco\w*|c)?\s+[a-z0-9+/=]{16,}
        | \s[-/]w(?:in\w*)?\s+(?:hidden|1\b)
        | \s[-/]nop(?:r\w*)?\b
        | frombase64string
        | download(?:string|file|data)
        | \biex\b | invoke-(?:expression|webrequest|restmethod) | \biwr\b
        | start-bitstransfer | net\.webclient
        | -urlcache | javascript: | vbscript:
        | \btscon(?:\.exe)?\b .* /dest:
        ",
    )
    .ok()
});

pub(super) const HIDDEN_SCRIPT: Indicator = Indicator {
    id: "P11",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does the command hide, decode or download a script, or take over a session?",
    why: "-nop -w hidden -enc, FromBase64String, DownloadString and IEX are the vocabulary of payloads; tscon as \
          SYSTEM takes over somebody's desktop without a password.",
    innocent: "A few management products start PowerShell with a hidden window or an encoded command.",
    verify: &[
        VERIFY_KEY,
        "PowerShell 4104 and 400 in the minutes after the install; decode what is encoded",
        VERIFY_INSTALL,
    ],
    attack: &[technique("T1059.001"), technique("T1027"), technique("T1563.002")],
    weight: 25,
    hard: false,
    needs: &[COMMAND],
    sources: &[
        MEASURED,
        "SigmaHQ a2e5019d-a658-4c6a-92bf-7197b54e2cae",
        "atomic-red-team T1563.002",
    ],
    since: "0.1.0",
    check: &|scope| {
        let (one, command) = script(scope)?;
        let found = HIDDEN.as_ref()?.find(&command)?;
        let because =
            format!("The command contains `{}`: `{}`.", clip(found.as_str()), clip(&one.path.raw));
        Some(Hit::new(because, one.citation))
    },
    examples: &[
        yes("Metasploit's PowerShell", || {
            ghost(
                "iOWamcEn",
                "%COMSPEC% /b /c start /b /min powershell.exe -nop -w hidden -noni -c \"if([IntPtr]::Size -eq 4){}\"",
            )
        }),
        yes("a session taken over", || {
            Scene::service("sesshijack").image("cmd.exe /k tscon 1337 /dest:rdp-tcp#55")
        }),
        no("acpiex contains iex and is a driver of Windows", || {
            Scene::driver("acpiex").image(r"System32\Drivers\acpiex.sys")
        }),
        no("-k netsvcs -p", || Scene::hosted("Themes")),
        unknown("part of the hive is unreadable", half_read),
    ],
};

/// The first file of the service whose command matters to a shell, with the whole command as [`plain`] text.
fn script<'a>(scope: &Scope<'a>) -> Option<(Runs<'a>, String)> {
    if !is_win32(scope) || is_as_shipped(scope) && scope.service.wrapped.is_none() {
        return None;
    }
    let mut files = runs(scope);
    // A wrapper's own arguments are its name; what matters is the program behind it.
    files.sort_by_key(|one| one.part != Part::Wrapped);
    let one = files.into_iter().find(|one| one.part != Part::Dll)?;
    let whole = match one.part {
        Part::Wrapped => format!("{} {}", one.path.program, one.path.arguments),
        _ => one.path.raw.clone(),
    };
    let command = plain(&whole);
    Some((one, command))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checklist::knowledge::stock::Catalog;

    #[test]
    fn patterns_compile_and_leave_ordinary_commands_alone() {
        let shell = SHELL.as_ref().unwrap();
        let hidden = HIDDEN.as_ref().unwrap();
        for stock in Catalog::shipped().services() {
            for image in stock.images() {
                let command = plain(&image.raw);
                assert!(!shell.is_match(&command) && !hidden.is_match(&command), "{command}");
            }
        }
    }
}
