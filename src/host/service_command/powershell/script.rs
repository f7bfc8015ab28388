//! Statements and pipelines of a script, one after the other.

use std::collections::BTreeMap;

use super::cmdlet::{self, Parameter};
use super::fold::{self, Constants, constant};
use super::lexer::{self, Item, Statement};
use super::wmi;
use crate::host::service_command::reader::{Context, Line, Reader};
use crate::host::service_command::reg::{join_subkey, service_of_key};
use crate::host::service_command::{Change, MOST_HOSTS, ServiceCommand, Verb, host_of};

/// How many variables of a script are remembered.
const VARIABLES: usize = 1024;
/// Parameters that stand alone.
const SWITCHES: [&str; 10] = [
    "force", "passthru", "verbose", "whatif", "confirm", "nowait", "recurse", "asjob", "debug",
    "wait",
];

/// A WMI object in a variable or pipeline: which service it stands for, and where.
#[derive(Debug, Clone, Default)]
struct Object {
    service: Option<String>,
    hosts: Vec<String>,
}

/// An argument of a command.
#[derive(Debug, Clone, Default)]
struct Argument {
    values: Vec<String>,
    table: Vec<(String, String)>,
    /// A bare word, which may be a parameter's name.
    bare: bool,
    /// Put together or freed of escapes.
    built: bool,
}

struct Script<'r> {
    reader: &'r mut Reader,
    constants: Constants,
    tables: BTreeMap<String, Vec<(String, String)>>,
    objects: BTreeMap<String, Object>,
}

/// What goes from one command of a pipeline to the next.
#[derive(Default)]
struct Piped {
    services: Vec<String>,
    object: Option<Object>,
    text: Option<String>,
}

/// Reads a script; its commands go to the reader.
pub(in super::super) fn read(reader: &mut Reader, script: &str, context: &Context) {
    let Some(context) = context.inner() else { return };
    if !reader.spend(script.len()) {
        return;
    }
    let statements = lexer::parse(script);
    let mut script = Script {
        reader,
        constants: Constants::new(),
        tables: BTreeMap::new(),
        objects: BTreeMap::new(),
    };
    script.statements(&statements, &context);
}

impl Script<'_> {
    fn statements(&mut self, statements: &[Statement], context: &Context) {
        for statement in statements {
            self.statement(statement, context);
        }
    }

    fn statement(&mut self, items: &[Item], context: &Context) {
        let items = self.assigned(items);
        self.methods(items, context);
        let mut piped = Piped::default();
        for stage in items.split(|item| *item == Item::Pipe) {
            self.command(stage, &mut piped, context);
        }
    }

    /// Remembers what a variable is given; what is left to be looked at as commands.
    fn assigned<'i>(&mut self, items: &'i [Item]) -> &'i [Item] {
        let [Item::Text(name), rest @ ..] = items else { return items };
        let Some(name) = name.text.strip_prefix('$').filter(|_| !name.quoted) else { return items };
        let name = name.rsplit(':').next().unwrap_or_default().to_lowercase();
        let (adds, value) = match rest {
            [Item::Text(sign), value @ ..] if sign.text == "=" => (false, value),
            [Item::Text(plus), Item::Text(sign), value @ ..]
                if plus.text == "+" && sign.text == "=" =>
            {
                (true, value)
            }
            _ => return items,
        };
        if self.constants.len().saturating_add(self.tables.len()) >= VARIABLES {
            return value;
        }
        if let [Item::Table(table)] = value {
            let table = self.table(table);
            self.tables.insert(name, table);
            return &[];
        }
        if let Some(value) = constant(value, &self.constants) {
            let before = if adds { self.constants.remove(&name) } else { None };
            self.constants.insert(name, before.unwrap_or_default() + &value.text());
            return &[];
        }
        self.constants.remove(&name);
        if let Some(object) = self.object(value) {
            self.objects.insert(name, object);
        }
        value
    }

    /// The fields of `@{ a = b; … }`.
    fn table(&self, statements: &[Statement]) -> Vec<(String, String)> {
        let field = |statement: &Statement| {
            let [Item::Text(name), rest @ ..] = statement.as_slice() else { return None };
            let (name, value) = match (name.text.split_once('='), rest) {
                (_, [Item::Text(sign), value @ ..]) if sign.text == "=" => {
                    (name.text.as_str(), self.value(value)?)
                }
                (Some((name, value)), []) => (name, value.to_owned()),
                (Some((name, "")), value) => (name, self.value(value)?),
                _ => return None,
            };
            Some((name.to_lowercase(), value))
        };
        statements.iter().filter_map(field).collect()
    }

    /// A constant, or a single word as it stands.
    fn value(&self, items: &[Item]) -> Option<String> {
        if let Some(value) = constant(items, &self.constants) {
            return Some(value.text());
        }
        match items {
            [Item::Text(text)] => Some(text.text.clone()),
            _ => None,
        }
    }

    /// The WMI object of `Win32_Service` that an expression gives.
    fn object(&mut self, items: &[Item]) -> Option<Object> {
        let mut texts = Vec::new();
        flatten(items, &mut texts);
        let size = texts.iter().map(|text| text.len()).sum();
        if !self.reader.spend(size) {
            return None;
        }
        texts.iter().find(|text| is_service_class(text))?;
        let mut object = Object::default();
        let mut texts = texts.into_iter().peekable();
        while let Some(text) = texts.next() {
            let option = text.strip_prefix('-').unwrap_or_default().to_lowercase();
            if option.len() > 1 && ("computername".starts_with(&option) || option == "cn") {
                object.hosts = texts.next().into_iter().filter_map(host_of).collect();
            } else if let Some(path) = text.find(r"\\").and_then(|at| text.get(at..))
                && is_service_class(path)
            {
                let host = path.trim_start_matches('\\').split('\\').next();
                object.hosts = host.into_iter().filter_map(host_of).collect();
            } else if let Some(name) = wmi::filtered(text) {
                object.service = Some(name);
            }
        }
        Some(object)
    }

    /// `….Create( … )` of a class or object, and `[Microsoft.Win32.Registry]::SetValue( … )`.
    fn methods(&mut self, items: &[Item], context: &Context) {
        for (at, pair) in items.windows(2).enumerate() {
            let [Item::Text(call), Item::Group(arguments)] = pair else { continue };
            if call.quoted {
                continue;
            }
            let (receiver, method) =
                match call.text.rfind(['.', ':']).and_then(|at| call.text.split_at_checked(at)) {
                    Some((receiver, method)) => (receiver, method.trim_start_matches(['.', ':'])),
                    None => continue,
                };
            let setting = method.eq_ignore_ascii_case("setvalue");
            let verb = super::super::wmic::verb_of(method);
            if !setting && verb.is_none() {
                continue;
            }
            let values = self.arguments(arguments);
            let shown = || format!("{}({})", call.text, values.join(", "));
            if setting {
                if let Some(command) = set_value(&values) {
                    self.reader.push(command, &shown(), context);
                }
                continue;
            }
            let variable = receiver.trim_start_matches('$').to_lowercase();
            let before = items.get(..at.saturating_add(1)).unwrap_or_default();
            let object = self.objects.get(&variable).cloned().or_else(|| self.object(before));
            let Some(object) = object else { continue };
            if let Some(command) = wmi::by_position(method, &values, object.service.as_deref()) {
                let mut context = context.clone();
                if !object.hosts.is_empty() {
                    context.hosts = object.hosts;
                }
                self.reader.push(command, &shown(), &context);
            }
        }
    }

    fn arguments(&self, statements: &[Statement]) -> Vec<String> {
        let Some(only) = statements.first() else { return Vec::new() };
        only.split(|item| *item == Item::Comma)
            .map(|items| self.value(items).unwrap_or_default())
            .collect()
    }

    /// One command of a pipeline.
    fn command(&mut self, items: &[Item], piped: &mut Piped, context: &Context) {
        let whole = match items.first() {
            Some(Item::Text(text)) if !text.quoted && !text.text.starts_with(['$', '[', '-']) => {
                None
            }
            _ => constant(items, &self.constants),
        };
        let (arguments, blocks) = self.gather(items, context);
        let name =
            arguments.first().and_then(|one| one.values.first()).cloned().unwrap_or_default();
        let name = name.rsplit('\\').next().unwrap_or_default().to_lowercase();
        let mut inner = context.clone();
        let parameters = Self::parameters(arguments.get(1..).unwrap_or_default());
        let built = arguments.iter().any(|argument| argument.built);
        let decoded = context.clone().decoded(built);
        let shown = || {
            let words = arguments.iter().map(|argument| argument.values.join(", "));
            words.collect::<Vec<_>>().join(" ")
        };
        match name.as_str() {
            "iex" | "invoke-expression" => self.expression(&parameters, piped, &decoded),
            "invoke-command" | "icm" => {
                let hosts = hosts_of(&parameters);
                if !hosts.is_empty() {
                    inner.hosts = hosts;
                }
            }
            "invoke-wmimethod" | "iwmi" | "invoke-cimmethod" | "icim" => {
                self.invoke(&parameters, piped, &shown(), &decoded);
            }
            "remove-wmiobject" | "rwmi" | "remove-ciminstance" | "rcim" => {
                if let Some(object) = &piped.object
                    && let Some(command) =
                        wmi::by_position("delete", &[], object.service.as_deref())
                {
                    let context = on(object, &decoded);
                    self.reader.push(command, &shown(), &context);
                }
            }
            "get-wmiobject" | "gwmi" | "get-ciminstance" | "gcim" => {
                piped.object = self.object(items);
            }
            "get-service" | "gsv" => {
                let names = parameters
                    .iter()
                    .filter(|one| matches!(one.name.as_str(), "" | "name" | "n" | "displayname"));
                piped.services = names.flat_map(|one| one.values.clone()).collect();
            }
            "start-process" | "saps" | "start" => self.process(&parameters, &decoded),
            _ if cmdlet::named(&name).is_some() => {
                for command in cmdlet::read(&name, &parameters, &piped.services) {
                    self.reader.push(command, &shown(), &decoded);
                }
            }
            // Other cmdlets take text for text.
            name if is_cmdlet(name) => {}
            _ => {
                let words: Vec<String> =
                    arguments.iter().flat_map(|one| one.values.clone()).collect();
                self.reader.words(&Line::parted(words), None, &decoded);
            }
        }
        piped.text = whole.as_ref().map(fold::Value::text);
        if let Some(deeper) = inner.inner() {
            for block in blocks {
                self.statements(block, &deeper);
            }
        }
    }

    /// The arguments of a command with what is known put in; script blocks apart. Groups that are commands
    /// themselves are read on the way.
    fn gather<'i>(
        &mut self,
        items: &'i [Item],
        context: &Context,
    ) -> (Vec<Argument>, Vec<&'i [Statement]>) {
        let mut arguments: Vec<Argument> = Vec::new();
        let mut blocks = Vec::new();
        let mut joins = false;
        for (at, item) in items.iter().enumerate() {
            let argument = match item {
                Item::Comma => {
                    joins = true;
                    continue;
                }
                Item::Pipe => continue,
                Item::Block(block) => {
                    blocks.push(block.as_slice());
                    continue;
                }
                Item::Text(text) => self.word(text),
                Item::Table(table) => Argument { table: self.table(table), ..Argument::default() },
                Item::Group(inner) => {
                    let Some(value) = constant(std::slice::from_ref(item), &self.constants) else {
                        if let Some(deeper) = context.inner() {
                            self.statements(inner, &deeper);
                        }
                        continue;
                    };
                    let creates = at.checked_sub(1).and_then(|at| items.get(at)).is_some_and(|before| {
                        matches!(before, Item::Text(text) if text.text.to_lowercase().ends_with("[scriptblock]::create"))
                    });
                    if creates && let Some(deeper) = context.inner() {
                        read(self.reader, &value.text(), &deeper.decoded(true));
                    }
                    Argument { built: value.built, values: value.parts, ..Argument::default() }
                }
            };
            match arguments.last_mut().filter(|_| std::mem::take(&mut joins)) {
                Some(list) => {
                    list.values.extend(argument.values);
                    list.built |= argument.built;
                }
                None => arguments.push(argument),
            }
        }
        (arguments, blocks)
    }

    fn word(&self, text: &lexer::Word) -> Argument {
        let splatted = text.text.strip_prefix('@').filter(|_| !text.quoted);
        if let Some(table) = splatted.and_then(|name| self.tables.get(&name.to_lowercase())) {
            return Argument { table: table.clone(), bare: true, ..Argument::default() };
        }
        let variable = text.text.strip_prefix('$').filter(|_| !text.quoted);
        if let Some(table) = variable.and_then(|name| self.tables.get(&name.to_lowercase())) {
            return Argument { table: table.clone(), ..Argument::default() };
        }
        let (shown, substituted) =
            fold::substituted(text, &self.constants).unwrap_or_else(|| (text.text.clone(), false));
        Argument {
            values: vec![shown],
            bare: !text.quoted,
            built: text.escaped || substituted,
            ..Argument::default()
        }
    }

    fn parameters(arguments: &[Argument]) -> Vec<Parameter> {
        let mut parameters = Vec::new();
        let mut arguments = arguments.iter().peekable();
        while let Some(argument) = arguments.next() {
            if argument.bare && !argument.table.is_empty() {
                parameters.extend(cmdlet::of_table(&argument.table));
                continue;
            }
            let Some(name) = parameter_name(argument) else {
                parameters.push(Parameter {
                    name: String::new(),
                    values: argument.values.clone(),
                    table: argument.table.clone(),
                });
                continue;
            };
            let (name, inline) = match name.split_once(':') {
                Some((name, value)) if !value.is_empty() => (name, Some(value.to_owned())),
                _ => (name.trim_end_matches(':'), None),
            };
            let name = name.to_lowercase();
            let alone = SWITCHES.contains(&name.as_str());
            let next = if inline.is_none() && !alone {
                arguments.next_if(|next| parameter_name(next).is_none())
            } else {
                None
            };
            let mut values: Vec<String> = inline.into_iter().collect();
            values.extend(next.iter().flat_map(|one| one.values.clone()));
            let table = next.map(|one| one.table.clone()).unwrap_or_default();
            parameters.push(Parameter { name, values, table });
        }
        parameters
    }

    /// `iex`: its arguments, or what was piped to it.
    fn expression(&mut self, parameters: &[Parameter], piped: &Piped, context: &Context) {
        let given = parameters.iter().map(|one| one.values.join(" ")).collect::<Vec<_>>().join(" ");
        let text =
            if given.trim().is_empty() { piped.text.clone().unwrap_or_default() } else { given };
        if let Some(deeper) = context.inner() {
            read(self.reader, &text, &deeper.decoded(true));
        }
    }

    /// `Invoke-WmiMethod`, `Invoke-CimMethod`.
    fn invoke(&mut self, parameters: &[Parameter], piped: &Piped, shown: &str, context: &Context) {
        let invoked = wmi::invoked(parameters);
        let mut context = context.clone();
        let hosts = hosts_of(parameters);
        let object = piped.object.clone().unwrap_or_default();
        if !hosts.is_empty() || !object.hosts.is_empty() {
            context.hosts = if hosts.is_empty() { object.hosts } else { hosts };
        }
        if invoked.class.contains("win32_process") && invoked.method.eq_ignore_ascii_case("create")
        {
            let line = invoked
                .table
                .iter()
                .find(|(name, _)| name == "commandline")
                .map(|(_, line)| line.clone());
            let line = line.or_else(|| invoked.values.first().cloned()).unwrap_or_default();
            self.reader.command(&line, &context);
            return;
        }
        if !is_service_class(&invoked.class) && piped.object.is_none() {
            return;
        }
        let name = invoked.object.or(object.service);
        let command = if invoked.table.is_empty() {
            wmi::by_position(&invoked.method, &invoked.values, name.as_deref())
        } else {
            wmi::by_name(&invoked.method, &invoked.table, name.as_deref())
        };
        if let Some(command) = command {
            self.reader.push(command, shown, &context);
        }
    }

    /// `Start-Process file -ArgumentList …`.
    fn process(&mut self, parameters: &[Parameter], context: &Context) {
        let named = |full: &str| {
            parameters.iter().find(|one| !one.name.is_empty() && full.starts_with(&one.name))
        };
        let mut positional = parameters.iter().filter(|one| one.name.is_empty());
        let Some(file) = named("filepath").or_else(|| positional.next()) else { return };
        let arguments =
            named("argumentlist").or_else(|| named("args")).or_else(|| positional.next());
        let mut line = file.values.join(" ");
        for value in arguments.iter().flat_map(|one| &one.values) {
            line.push(' ');
            line.push_str(value);
        }
        self.reader.command(&line, context);
    }
}

/// `Verb-Noun`, or the aliases that only show text.
fn is_cmdlet(name: &str) -> bool {
    let verb_noun = name.split_once('-').is_some_and(|(verb, noun)| {
        let letters =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic());
        letters(verb) && letters(noun)
    });
    verb_noun || matches!(name, "echo" | "write")
}

fn parameter_name(argument: &Argument) -> Option<&str> {
    let word = argument.values.first().filter(|_| argument.bare)?;
    let name = word.strip_prefix(['-', '\u{2013}', '\u{2014}'])?;
    name.starts_with(|c: char| c.is_ascii_alphabetic()).then_some(name)
}

fn hosts_of(parameters: &[Parameter]) -> Vec<String> {
    parameters
        .iter()
        .filter(|one| {
            one.name.len() > 1 && ("computername".starts_with(&one.name) || one.name == "cn")
        })
        .flat_map(|one| one.values.iter())
        .filter_map(|host| host_of(host))
        .take(MOST_HOSTS)
        .collect()
}

fn on(object: &Object, context: &Context) -> Context {
    let mut context = context.clone();
    if !object.hosts.is_empty() {
        context.hosts.clone_from(&object.hosts);
    }
    context
}

fn is_service_class(text: &str) -> bool {
    let lower = text.to_lowercase();
    lower.contains("win32_service")
        || lower.contains("win32_systemdriver")
        || lower.contains("win32_baseservice")
}

/// `[Microsoft.Win32.Registry]::SetValue(path, name, data)`.
fn set_value(values: &[String]) -> Option<ServiceCommand> {
    let [path, name, data, ..] = values else { return None };
    let (service, subkey) = service_of_key(path)?;
    let changes = vec![Change::new(&join_subkey(&subkey, name), data)];
    Some(ServiceCommand { changes, ..ServiceCommand::new("powershell", &service, Verb::Configure) })
}

fn flatten<'i>(items: &'i [Item], out: &mut Vec<&'i str>) {
    const MOST: usize = 10_000;
    for item in items {
        if out.len() > MOST {
            return;
        }
        match item {
            Item::Text(text) => out.push(&text.text),
            Item::Group(inner) | Item::Block(inner) | Item::Table(inner) => {
                for statement in inner {
                    flatten(statement, out);
                }
            }
            Item::Comma | Item::Pipe => {}
        }
    }
}
