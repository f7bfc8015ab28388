//! Clients that work on the service control manager themselves, when they are run on the host that is examined.

use super::{Change, ServiceCommand, Verb, host_of};

/// The words after an option, in either of its spellings.
fn after<'a>(words: &'a [String], options: &[&str]) -> Option<&'a str> {
    let is_option = |word: &String| options.iter().any(|option| word.eq_ignore_ascii_case(option));
    let at = words.iter().position(is_option)?;
    words.get(at.saturating_add(1)).map(String::as_str)
}

/// `SharPersist -t service -c program -a arguments -n name -m add|remove`.
pub(super) fn sharpersist(words: &[String]) -> Option<ServiceCommand> {
    after(words, &["-t"]).filter(|what| what.eq_ignore_ascii_case("service"))?;
    let verb = match after(words, &["-m"])?.to_lowercase().as_str() {
        "add" => Verb::Create,
        "remove" => Verb::Delete,
        _ => return None,
    };
    let mut changes = Vec::new();
    if let Some(program) = after(words, &["-c"]) {
        let arguments = after(words, &["-a"]).unwrap_or_default();
        changes.push(Change::new("ImagePath", format!("{program} {arguments}").trim()));
    }
    Some(ServiceCommand {
        changes,
        ..ServiceCommand::new("sharpersist", after(words, &["-n"])?, verb)
    })
}

/// `SharpSC action=create computername=HOST service=name displayname=… binpath=…`.
pub(super) fn sharpsc(words: &[String]) -> Option<ServiceCommand> {
    let get = |name: &str| {
        words
            .iter()
            .filter_map(|word| word.split_once('='))
            .find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    };
    let verb = match get("action")?.to_lowercase().as_str() {
        "create" => Verb::Create,
        "start" => Verb::Start,
        "stop" => Verb::Stop,
        "delete" => Verb::Delete,
        _ => return None,
    };
    let values = [("binpath", "ImagePath"), ("displayname", "DisplayName")];
    let changes =
        values.iter().filter_map(|(name, value)| Some(Change::new(value, get(name)?))).collect();
    let remote = get("computername").and_then(host_of);
    Some(ServiceCommand {
        remote,
        changes,
        ..ServiceCommand::new("sharpsc", get("service")?, verb)
    })
}

/// `SCShell target service payload [domain user password]`: points the service at the payload, starts it, and points it
/// back; `local` is this host.
pub(super) fn scshell(words: &[String]) -> Option<ServiceCommand> {
    let [host, service, payload, ..] = words else { return None };
    let remote = host_of(host).filter(|host| !host.eq_ignore_ascii_case("local"));
    let changes = vec![Change::new("ImagePath", payload)];
    Some(ServiceCommand {
        remote,
        changes,
        ..ServiceCommand::new("scshell", service, Verb::Configure)
    })
}

/// The host in `[[domain/]user[:password]@]host` of impacket's scripts.
fn target(words: &[String]) -> Option<(usize, String)> {
    let is_target =
        |word: &String| word.contains('@') && word.contains(['/', ':']) && !word.starts_with('-');
    let at = words.iter().position(is_target)?;
    let (_, host) = words.get(at)?.rsplit_once('@')?;
    Some((at, host_of(host)?))
}

/// `psexec.py` and `smbexec.py`: the service has a random name unless `-service-name` gives one.
pub(super) fn impacket_run(words: &[String]) -> Option<ServiceCommand> {
    let (_, host) = target(words)?;
    let service = after(words, &["-service-name"]).unwrap_or_default();
    Some(ServiceCommand {
        remote: Some(host),
        ..ServiceCommand::new("impacket", service, Verb::Create)
    })
}

/// `services.py target create|change|delete|start|stop -name n [-path p] [-display d] [-start_type t] …`.
pub(super) fn impacket_services(words: &[String]) -> Option<ServiceCommand> {
    let (at, host) = target(words)?;
    let rest = words.get(at.saturating_add(1)..)?;
    let verb = rest.iter().find_map(|word| match word.to_lowercase().as_str() {
        "create" => Some(Verb::Create),
        "change" => Some(Verb::Configure),
        "delete" => Some(Verb::Delete),
        "start" => Some(Verb::Start),
        "stop" => Some(Verb::Stop),
        _ => None,
    })?;
    let values = [
        ("-path", "ImagePath"),
        ("-display", "DisplayName"),
        ("-start_type", "Start"),
        ("-service_type", "Type"),
        ("-start_name", "ObjectName"),
    ];
    let changes = values
        .iter()
        .filter_map(|(name, value)| Some(Change::new(value, after(rest, &[name])?)))
        .collect();
    let service = after(rest, &["-name"])?;
    Some(ServiceCommand {
        remote: Some(host),
        changes,
        ..ServiceCommand::new("impacket", service, verb)
    })
}

/// `nxc smb host … --exec-method smbexec -x command`: of its methods the only one that installs a service.
pub(super) fn netexec(words: &[String]) -> Option<ServiceCommand> {
    let [protocol, host, rest @ ..] = words else { return None };
    let smb = protocol.eq_ignore_ascii_case("smb");
    let method = after(rest, &["--exec-method"]);
    let runs = rest.iter().any(|word| word == "-x" || word == "-X");
    let smbexec =
        smb && runs && method.is_some_and(|method| method.eq_ignore_ascii_case("smbexec"));
    let remote = host_of(host);
    smbexec.then(|| ServiceCommand { remote, ..ServiceCommand::new("netexec", "", Verb::Create) })
}
