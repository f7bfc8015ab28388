//! Tools that start, stop or switch: `net`, `psservice`, `fltmc`, `bcdedit`, `devcon`-like ones left aside.

use super::{Change, ServiceCommand, Verb, host_of};
use crate::host::service::SERVICE_CONTROL_MANAGER;

/// `net start|stop|pause|continue name`; a name of several words may stand without quotes.
pub(super) fn net(words: &[String]) -> Option<ServiceCommand> {
    let verb = match words.first()?.to_lowercase().as_str() {
        "start" | "continue" => Verb::Start,
        "stop" | "pause" => Verb::Stop,
        _ => return None,
    };
    let name: Vec<&str> = words
        .iter()
        .skip(1)
        .map(String::as_str)
        .take_while(|word| !word.starts_with('/') && !is_redirection(word))
        .collect();
    let service = name.join(" ");
    (!service.is_empty()).then(|| ServiceCommand::new("net", &service, verb))
}

fn is_redirection(word: &str) -> bool {
    word.starts_with(['>', '<']) || matches!(word, "&" | "&&" | "|" | "||")
}

/// `psservice [\\host [-u user] [-p password]] start|stop|restart|pause|cont|setconfig name [auto|demand|disabled]`.
pub(super) fn psservice(words: &[String]) -> Option<ServiceCommand> {
    let mut words = words.iter().map(String::as_str).peekable();
    let mut remote = None;
    let verb = loop {
        let word = words.next()?;
        if let Some(host) = word.strip_prefix(r"\\") {
            remote = host_of(host);
        } else if matches!(word.to_lowercase().as_str(), "-u" | "-p" | "/u" | "/p") {
            words.next();
        } else if !word.starts_with(['-', '/']) {
            break word.to_lowercase();
        }
    };
    let service = words.next()?;
    let (verb, changes) = match verb.as_str() {
        "start" | "restart" | "cont" => (Verb::Start, Vec::new()),
        "stop" | "pause" => (Verb::Stop, Vec::new()),
        "setconfig" => (Verb::Configure, vec![Change::new("Start", words.next()?)]),
        _ => return None,
    };
    Some(ServiceCommand { remote, changes, ..ServiceCommand::new("psservice", service, verb) })
}

/// `fltmc load|unload filter`: a filter goes by the name of its service.
pub(super) fn fltmc(words: &[String]) -> Option<ServiceCommand> {
    let verb = match words.first()?.to_lowercase().as_str() {
        "load" => Verb::Start,
        "unload" => Verb::Stop,
        _ => return None,
    };
    Some(ServiceCommand::new("fltmc", words.get(1)?, verb))
}

/// `bcdedit /set [{id}] safeboot minimal|network|dsrepair` and `/deletevalue [{id}] safeboot`: which services start at
/// the next boot.
pub(super) fn bcdedit(words: &[String]) -> Option<ServiceCommand> {
    let mut words = words.iter().map(|word| word.to_lowercase());
    let verb = words
        .find(|word| matches!(word.as_str(), "/set" | "-set" | "/deletevalue" | "-deletevalue"))?;
    let element = words.find(|word| !word.starts_with('{'))?;
    if !element.starts_with("safeboot") {
        return None;
    }
    let data = if verb.ends_with("set") { words.next()? } else { String::new() };
    let value =
        if element == "safeboot" { "SafeBoot".to_owned() } else { format!("SafeBoot ({element})") };
    let changes = vec![Change::new(&value, &data)];
    let command = ServiceCommand::new("bcdedit", SERVICE_CONTROL_MANAGER, Verb::Configure);
    Some(ServiceCommand { changes, ..command })
}
