//! Tools that install services: `nssm`, `instsrv`, `installutil`, PsExec and its like.

use super::secrets::GIVEN;
use super::{Change, ServiceCommand, Verb, host_of};

/// nssm's parameters and the registry values they end in.
const NSSM: [(&str, &str); 12] = [
    ("application", r"Parameters\Application"),
    ("appparameters", r"Parameters\AppParameters"),
    ("appdirectory", r"Parameters\AppDirectory"),
    ("description", "Description"),
    ("displayname", "DisplayName"),
    ("imagepath", "ImagePath"),
    ("objectname", "ObjectName"),
    ("start", "Start"),
    ("type", "Type"),
    ("dependonservice", "DependOnService"),
    ("appenvironmentextra", r"Parameters\AppEnvironmentExtra"),
    ("appexit", r"Parameters\AppExit"),
];

/// `nssm install name program [arguments]`, `set name parameter value`, `remove name confirm`, `start`, `stop`,
/// `restart`, `pause`, `continue`.
pub(super) fn nssm(words: &[String]) -> Option<ServiceCommand> {
    let verb = words.first()?.to_lowercase();
    let service = words.get(1)?;
    let rest = words.get(2..).unwrap_or_default();
    let (verb, changes) = match verb.as_str() {
        "install" => {
            let mut changes = Vec::new();
            if let Some((program, arguments)) = rest.split_first() {
                changes.push(Change::new(r"Parameters\Application", program));
                if !arguments.is_empty() {
                    changes.push(Change::new(r"Parameters\AppParameters", &arguments.join(" ")));
                }
            }
            (Verb::Create, changes)
        }
        "set" => {
            let (parameter, data) = rest.split_first()?;
            let known = NSSM.iter().find(|(name, _)| name.eq_ignore_ascii_case(parameter));
            let value = known.map_or_else(
                || format!(r"Parameters\{parameter}"),
                |(_, value)| (*value).to_owned(),
            );
            // `set name ObjectName account password`.
            let mut shown = data.to_vec();
            if value == "ObjectName"
                && let Some(password) = shown.get_mut(1)
            {
                GIVEN.clone_into(password);
            }
            (Verb::Configure, vec![Change::new(&value, &shown.join(" "))])
        }
        "remove" => (Verb::Delete, Vec::new()),
        "start" | "restart" | "continue" => (Verb::Start, Vec::new()),
        "stop" | "pause" => (Verb::Stop, Vec::new()),
        _ => return None,
    };
    Some(ServiceCommand { changes, ..ServiceCommand::new("nssm", service, verb) })
}

/// `instsrv name (program | REMOVE) [-a account] [-p password]` of the Resource Kit, mostly with srvany.exe.
pub(super) fn instsrv(words: &[String]) -> Option<ServiceCommand> {
    let service = words.first()?;
    let program = words.get(1)?;
    if program.eq_ignore_ascii_case("remove") {
        return Some(ServiceCommand::new("instsrv", service, Verb::Delete));
    }
    let mut changes = vec![Change::new("ImagePath", program)];
    let mut rest = words.iter().skip(2);
    while let Some(word) = rest.next() {
        match word.to_lowercase().as_str() {
            "-a" => changes.push(Change::new("ObjectName", rest.next()?)),
            "-p" => {
                rest.next();
                changes.push(Change::new("Password", GIVEN));
            }
            _ => {}
        }
    }
    Some(ServiceCommand { changes, ..ServiceCommand::new("instsrv", service, Verb::Create) })
}

/// `installutil [/u] [/name=value …] assembly.exe`: the service's name stands in the assembly, so that the command
/// names only its program.
pub(super) fn installutil(words: &[String]) -> Option<ServiceCommand> {
    let program = words.iter().rev().find(|word| !word.starts_with(['/', '-']))?;
    let uninstalls = words.iter().any(|word| {
        matches!(word.to_lowercase().as_str(), "/u" | "-u" | "/uninstall" | "-uninstall")
    });
    let verb = if uninstalls { Verb::Delete } else { Verb::Create };
    let changes = vec![Change::new("ImagePath", program)];
    Some(ServiceCommand { changes, ..ServiceCommand::new("installutil", "", verb) })
}

/// What a remote execution client was asked to do.
pub(super) struct RemoteRun {
    /// The hosts; empty for this one.
    pub(super) hosts: Vec<String>,
    /// The service it installs there.
    pub(super) service: String,
    /// How many of the words are its own; the command to run follows.
    pub(super) own: usize,
}

/// `psexec [\\host[,host…] | @file] [options] command [arguments]`, `PAExec` alike. The service is `PSEXESVC` unless `-r`
/// names it; that of `PAExec` has the client's process id and name, so that the command cannot tell it.
pub(super) fn psexec(words: &[String], paexec: bool) -> Option<RemoteRun> {
    /// Options that take a word.
    const VALUED: [&str; 12] = ["u", "p", "n", "r", "w", "a", "g", "rlo", "to", "lo", "p@", "csrc"];
    let mut run = RemoteRun {
        hosts: Vec::new(),
        service: if paexec { "PAExec".to_owned() } else { "PSEXESVC".to_owned() },
        own: 0,
    };
    let mut at = 0_usize;
    while let Some(word) = words.get(at) {
        if let Some(hosts) = word.strip_prefix(r"\\") {
            run.hosts = hosts.split(',').map(|host| host.trim_matches('\\').to_owned()).collect();
        } else if word.starts_with('@') {
            run.hosts = vec![word.clone()];
        } else if let Some(option) = word.strip_prefix(['-', '/']) {
            let option = option.to_lowercase();
            if VALUED.contains(&option.as_str()) {
                at = at.saturating_add(1);
                if option == "r"
                    && let Some(name) = words.get(at)
                {
                    run.service.clone_from(name);
                }
            }
            // `-i 2` names a session.
            if option == "i" && words.get(at.saturating_add(1)).is_some_and(|next| is_number(next))
            {
                at = at.saturating_add(1);
            }
        } else {
            break;
        }
        at = at.saturating_add(1);
        run.own = at;
    }
    run.hosts.retain(|host| !host.is_empty());
    // Without a host and a command it only shows its help.
    (!run.hosts.is_empty() || words.len() > run.own).then_some(run)
}

/// `csexec \\host command` (csexec.exe), `RemCom \\host command`, `winexe //host command`: their services have fixed
/// names.
pub(super) fn fixed(words: &[String], service: &str) -> Option<RemoteRun> {
    let at = words.iter().position(|word| word.starts_with(r"\\") || word.starts_with("//"))?;
    let host = words.get(at)?.trim_matches(['\\', '/']).to_owned();
    let own = at.saturating_add(1);
    Some(RemoteRun { hosts: vec![host], service: service.to_owned(), own })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The hosts that are others than this one.
pub(super) fn others(hosts: &[String]) -> Vec<String> {
    hosts.iter().filter_map(|host| host_of(host)).collect()
}
