//! Walks through a command line to the commands within it, within hard bounds.

use super::secrets::without_passwords;
use super::words::{self, clip};
use super::{
    MOST_COMMANDS, MOST_HOSTS, ServiceCommand, Verb, attack_tools, cmd, control, host_of, install,
    powershell, reg, sc, wmic,
};
use crate::host::image_path::leaf;

/// How many commands within commands (`cmd /c "powershell -enc …"`) are followed.
const DEPTH: u8 = 6;
/// How many bytes are looked at for one event, all layers together.
const WORK: usize = 4 * 1024 * 1024;
/// How much of a decoded line is shown, in bytes.
const SHOWN: usize = 2048;
/// How many words of a line are taken for a tool's name.
const WORDS: usize = 4096;

/// In which surroundings a command stands.
#[derive(Debug, Clone)]
pub(super) struct Context {
    depth: u8,
    /// The hosts on which a wrapper has it run; empty for this one.
    pub(super) hosts: Vec<String>,
    /// Whether the text is not the one that was logged.
    pub(super) decoded: bool,
}

impl Context {
    pub(super) fn new() -> Self {
        Self { depth: DEPTH, hosts: Vec::new(), decoded: false }
    }

    /// One layer further in; nothing where that is too deep.
    pub(super) fn inner(&self) -> Option<Self> {
        Some(Self { depth: self.depth.checked_sub(1)?, ..self.clone() })
    }

    /// The same, decoded.
    pub(super) fn decoded(mut self, decoded: bool) -> Self {
        self.decoded |= decoded;
        self
    }
}

/// A line in words: as typed, or already parted by PowerShell.
pub(super) struct Line<'a> {
    text: Option<&'a str>,
    words: Vec<String>,
    ends: Vec<usize>,
}

impl<'a> Line<'a> {
    pub(super) fn typed(text: &'a str) -> Self {
        let (words, ends) =
            words::split(text).into_iter().map(|word| (word.text, word.end)).unzip();
        Self { text: Some(text), words, ends }
    }

    pub(super) fn parted(words: Vec<String>) -> Self {
        Self { text: None, words, ends: Vec::new() }
    }

    /// What follows the word at that index, as typed.
    fn after(&self, at: usize) -> String {
        match (self.text, self.ends.get(at)) {
            (Some(text), Some(end)) => text.get(*end..).unwrap_or_default().trim_start().to_owned(),
            _ => joined(self.words.get(at.saturating_add(1)..).unwrap_or_default()),
        }
    }

    fn shown(&self) -> String {
        self.text.map_or_else(|| self.words.join(" "), str::to_owned)
    }
}

/// Words as PowerShell hands them to a program: in quotes where they hold white space.
fn joined(words: &[String]) -> String {
    if let [only] = words {
        return only.clone();
    }
    let mut line = String::new();
    for word in words {
        let quote =
            if word.contains(char::is_whitespace) && !word.contains('"') { "\"" } else { "" };
        let space = if line.is_empty() { "" } else { " " };
        line.extend([space, quote, word.as_str(), quote]);
    }
    line
}

/// Collects the commands of one event.
pub(super) struct Reader {
    found: Vec<ServiceCommand>,
    work: usize,
}

impl Reader {
    pub(super) fn new() -> Self {
        Self { found: Vec::new(), work: WORK }
    }

    pub(super) fn into_found(self) -> Vec<ServiceCommand> {
        self.found
    }

    /// Whether so many more bytes may be looked at.
    pub(super) fn spend(&mut self, bytes: usize) -> bool {
        let left = self.work.checked_sub(bytes.saturating_add(16));
        self.work = left.unwrap_or(0);
        left.is_some()
    }

    /// A process's command line; `original` is the original file name of its program.
    pub(super) fn process(&mut self, line: &str, original: Option<&str>) {
        let context = Context::new();
        let before = self.found.len();
        self.line(line, original, &context);
        // Logged without its interpreter, or given to one that is not known.
        if self.found.len() == before && line.contains(['^', '%', '!', '&', '|']) {
            self.command(line, &context);
        }
    }

    /// What the command interpreter was given.
    pub(super) fn command(&mut self, line: &str, context: &Context) {
        let Some(inner) = context.inner() else { return };
        if !self.spend(line.len()) {
            return;
        }
        for segment in cmd::segments(line) {
            self.line(&segment.text, None, &inner.clone().decoded(segment.decoded));
        }
    }

    /// One program with its arguments.
    pub(super) fn line(&mut self, text: &str, original: Option<&str>, context: &Context) {
        if !self.spend(text.len()) {
            return;
        }
        let line = Line::typed(text);
        if let Some((head, rest)) =
            line.words.first().and_then(|first| first.split_once([',', ';']))
            && !rest.is_empty()
            && Tool::named(head).is_some()
        {
            let text = cmd::without_separators(text);
            self.words(&Line::typed(&text), original, &context.clone().decoded(true));
            return;
        }
        self.words(&line, original, context);
    }

    /// One program with its arguments, parted.
    pub(super) fn words(&mut self, line: &Line<'_>, original: Option<&str>, context: &Context) {
        for (at, word) in line.words.iter().enumerate().take(WORDS) {
            let original = original.filter(|_| at == 0).and_then(Tool::originally);
            if let Some(tool) = Tool::named(word).or(original) {
                let rest = line.words.get(at.saturating_add(1)..).unwrap_or_default();
                let size = rest.iter().map(String::len).sum();
                if !self.spend(size) || self.tool(tool, line, at, rest, context) {
                    return;
                }
            } else if at > 0
                && word.contains(char::is_whitespace)
                && let Some(inner) = context.inner()
            {
                self.command(word, &inner);
            }
        }
    }

    /// Whether the rest of the line belongs to that tool.
    fn tool(
        &mut self,
        tool: Tool,
        line: &Line<'_>,
        at: usize,
        rest: &[String],
        context: &Context,
    ) -> bool {
        match tool {
            Tool::Service(parse) => {
                let Some(command) = parse(rest) else { return false };
                self.push(command, &line.shown(), context);
            }
            Tool::Wmic => {
                let Some((hosts, what)) = wmic::parse(rest) else { return false };
                let mut context = context.clone();
                if !hosts.is_empty() {
                    context.hosts = hosts;
                }
                match what {
                    wmic::Wmic::Service(command) => self.push(command, &line.shown(), &context),
                    wmic::Wmic::Run(line) => self.command(&line, &context),
                }
            }
            Tool::Cmd => {
                let after = line.after(at);
                let Some(inner) = cmd::after_switch(&after) else { return false };
                self.command(inner, context);
            }
            Tool::PowerShell => {
                if let Some(inner) = context.inner()
                    && let Some((script, decoded)) = powershell::host::script_of(rest)
                {
                    powershell::read(self, &script, &inner.decoded(decoded));
                }
            }
            Tool::Forfiles => {
                let text = rest.join(" ").replace("0x22", "\"").replace("0x26", "&");
                let decoded = rest.iter().any(|word| word.contains("0x2"));
                self.command(&text, &context.clone().decoded(decoded));
            }
            Tool::WinRs => {
                let mut context = context.clone();
                let host = rest.iter().find_map(|word| {
                    let (option, host) = word.split_once(':')?;
                    let option = option.get(1..)?.to_lowercase();
                    (!option.is_empty() && "remote".starts_with(&option)).then(|| host.to_owned())
                });
                context.hosts = host.as_deref().and_then(host_of).into_iter().collect();
                self.command(&rest.join(" "), &context);
            }
            Tool::Remote(parse) => {
                let Some(run) = parse(rest) else { return false };
                self.remote_run(&run, line, at, context);
            }
        }
        true
    }

    fn remote_run(
        &mut self,
        run: &install::RemoteRun,
        line: &Line<'_>,
        at: usize,
        context: &Context,
    ) {
        let mut context = context.clone();
        context.hosts = install::others(&run.hosts);
        let client = ServiceCommand::new("psexec", &run.service, Verb::Create);
        self.push(client, &line.shown(), &context);
        let inner = line.after(at.saturating_add(run.own));
        self.command(&inner, &context);
    }

    /// Keeps a command, once for every host it is done on.
    pub(super) fn push(&mut self, mut command: ServiceCommand, shown: &str, context: &Context) {
        if context.decoded {
            command.decoded = Some(clip(&without_passwords(shown), SHOWN).to_owned());
        }
        if command.remote.is_some() || context.hosts.is_empty() {
            self.keep(command);
            return;
        }
        for host in context.hosts.iter().take(MOST_HOSTS) {
            self.keep(ServiceCommand { remote: Some(host.clone()), ..command.clone() });
        }
    }

    fn keep(&mut self, command: ServiceCommand) {
        if self.found.len() < MOST_COMMANDS
            && !self.found.iter().any(|other| other.same_act(&command))
        {
            self.found.push(command);
        }
    }
}

type Parse = fn(&[String]) -> Option<ServiceCommand>;

/// A program whose arguments are understood.
#[derive(Clone, Copy)]
enum Tool {
    /// It works on services itself.
    Service(Parse),
    Wmic,
    Cmd,
    PowerShell,
    Forfiles,
    WinRs,
    /// It installs a service of its own and runs a command with it.
    Remote(fn(&[String]) -> Option<install::RemoteRun>),
}

const EXE: &str = ".exe";

/// Programs by file name without extension.
const TOOLS: [(&str, Tool); 39] = [
    ("sc", Tool::Service(sc::parse)),
    ("net", Tool::Service(control::net)),
    ("net1", Tool::Service(control::net)),
    ("reg", Tool::Service(reg::parse)),
    ("wmic", Tool::Wmic),
    ("psservice", Tool::Service(control::psservice)),
    ("psservice64", Tool::Service(control::psservice)),
    ("nssm", Tool::Service(install::nssm)),
    ("nssm64", Tool::Service(install::nssm)),
    ("instsrv", Tool::Service(install::instsrv)),
    ("installutil", Tool::Service(install::installutil)),
    ("fltmc", Tool::Service(control::fltmc)),
    ("bcdedit", Tool::Service(control::bcdedit)),
    ("sharpersist", Tool::Service(attack_tools::sharpersist)),
    ("sharpsc", Tool::Service(attack_tools::sharpsc)),
    ("scshell", Tool::Service(attack_tools::scshell)),
    ("psexec.py", Tool::Service(attack_tools::impacket_run)),
    ("smbexec.py", Tool::Service(attack_tools::impacket_run)),
    ("impacket-psexec", Tool::Service(attack_tools::impacket_run)),
    ("impacket-smbexec", Tool::Service(attack_tools::impacket_run)),
    ("services.py", Tool::Service(attack_tools::impacket_services)),
    ("impacket-services", Tool::Service(attack_tools::impacket_services)),
    ("nxc", Tool::Service(attack_tools::netexec)),
    ("netexec", Tool::Service(attack_tools::netexec)),
    ("crackmapexec", Tool::Service(attack_tools::netexec)),
    ("cme", Tool::Service(attack_tools::netexec)),
    ("cmd", Tool::Cmd),
    ("%comspec%", Tool::Cmd),
    ("$env:comspec", Tool::Cmd),
    ("powershell", Tool::PowerShell),
    ("pwsh", Tool::PowerShell),
    ("forfiles", Tool::Forfiles),
    ("winrs", Tool::WinRs),
    ("psexec", Tool::Remote(|words| install::psexec(words, false))),
    ("psexec64", Tool::Remote(|words| install::psexec(words, false))),
    ("paexec", Tool::Remote(|words| install::psexec(words, true))),
    ("csexec", Tool::Remote(|words| install::fixed(words, "csexecsvc"))),
    ("remcom", Tool::Remote(|words| install::fixed(words, "RemComSvc"))),
    ("winexe", Tool::Remote(|words| install::fixed(words, "winexesvc"))),
];

impl Tool {
    /// By the name it is called by.
    fn named(word: &str) -> Option<Self> {
        let word = word.trim_start_matches(['&', '"', '\'', '(', '@']);
        let leaf = leaf(word).trim_end_matches(['"', '\'']);
        let stem = leaf.len().checked_sub(EXE.len()).and_then(|at| leaf.split_at_checked(at));
        let name = match stem {
            Some((stem, extension)) if extension.eq_ignore_ascii_case(EXE) => stem,
            _ => leaf,
        };
        TOOLS
            .iter()
            .find(|(tool, _)| tool.len() == name.len() && tool.eq_ignore_ascii_case(name))
            .map(|(_, tool)| *tool)
    }

    /// By the original file name in its version resource: renamed copies keep it.
    fn originally(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase();
        let stem = [".exe", ".dll", ".c", ".mui"]
            .iter()
            .fold(name.as_str(), |name, extension| name.strip_suffix(extension).unwrap_or(name));
        TOOLS.iter().find(|(tool, _)| *tool == stem).map(|(_, tool)| *tool)
    }
}
