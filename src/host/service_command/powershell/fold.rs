//! Constant expressions: what obfuscators build strings from.

use std::collections::BTreeMap;

use super::lexer::{Item, Statement, Text};
use crate::host::service_command::encoded;

/// How long a built string may be, in bytes.
const LONGEST: usize = 64 * 1024;
/// How many elements a list may have.
const MOST: usize = 16 * 1024;

/// The constants that a script gave to variables, by lower-case name without `$`.
pub(super) type Constants = BTreeMap<String, String>;

/// A value known without running anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) parts: Vec<String>,
    /// Whether it was put together, rather than written so.
    pub(super) built: bool,
}

impl Value {
    fn one(text: String, built: bool) -> Self {
        Self { parts: vec![text], built }
    }

    /// As text: the parts of a list with spaces between.
    pub(super) fn text(&self) -> String {
        self.parts.join(" ")
    }
}

/// The value of an expression whose parts are all known.
pub(super) fn constant(items: &[Item], constants: &Constants) -> Option<Value> {
    let mut rest = items;
    let value = binary(&mut rest, constants, 0)?;
    (rest.is_empty() && value.text().len() <= LONGEST).then_some(value)
}

/// How deep expressions may nest.
const DEPTH: u8 = 24;

fn binary(rest: &mut &[Item], constants: &Constants, depth: u8) -> Option<Value> {
    if depth > DEPTH {
        return None;
    }
    let mut left = list(rest, constants, depth)?;
    while let Some(Item::Text(operator)) = rest.first() {
        let operator = if operator.quoted { return None } else { operator.text.to_lowercase() };
        *rest = rest.get(1..)?;
        left = match operator.as_str() {
            "+" => {
                let right = list(rest, constants, depth)?;
                let mut text = match left.parts.as_mut_slice() {
                    [one] => std::mem::take(one),
                    parts => parts.concat(),
                };
                text.extend(right.parts);
                Value::one(text, true)
            }
            "-f" => {
                let right = list(rest, constants, depth)?;
                Value::one(formatted(left.parts.first()?, &right.parts)?, true)
            }
            "-join" => {
                let right = list(rest, constants, depth)?;
                Value::one(left.parts.join(right.parts.first()?), true)
            }
            "-replace" | "-creplace" | "-ireplace" => {
                let right = list(rest, constants, depth)?;
                let new = right.parts.get(1).map_or("", String::as_str);
                Value::one(replaced(left.parts.first()?, right.parts.first()?, new)?, true)
            }
            _ => return None,
        };
        if left.parts.iter().map(String::len).sum::<usize>() > LONGEST {
            return None;
        }
    }
    Some(left)
}

fn list(rest: &mut &[Item], constants: &Constants, depth: u8) -> Option<Value> {
    let mut value = unary(rest, constants, depth)?;
    while rest.first() == Some(&Item::Comma) {
        *rest = rest.get(1..)?;
        let next = unary(rest, constants, depth)?;
        value.parts.extend(next.parts);
        value.built |= next.built;
        if value.parts.len() > MOST {
            return None;
        }
    }
    Some(value)
}

fn unary(rest: &mut &[Item], constants: &Constants, depth: u8) -> Option<Value> {
    let (first, after) = rest.split_first()?;
    *rest = after;
    let mut value = match first {
        Item::Text(text) if text.quoted => {
            let (shown, substituted) = substituted(text, constants)?;
            Value::one(shown, substituted)
        }
        Item::Text(word) => bare(word, rest, constants, depth)?,
        Item::Group(inner) | Item::Table(inner) => group(inner, constants, depth)?,
        Item::Comma | Item::Pipe | Item::Block(_) => return None,
    };
    // `'…'.Replace('a','b')`
    while let Some((method, arguments, after)) = method(rest) {
        let arguments = group(arguments, constants, depth).map(|value| value.parts);
        let text = value.text();
        let text = match (method.as_str(), arguments.as_deref()) {
            (".replace", Some([old, new])) if !old.is_empty() => text.replace(old.as_str(), new),
            (".tolower" | ".tolowerinvariant", _) => text.to_lowercase(),
            (".toupper" | ".toupperinvariant", _) => text.to_uppercase(),
            (".trim" | ".tostring" | ".invoke", _) => text.trim().to_owned(),
            _ => return None,
        };
        if text.len() > LONGEST {
            return None;
        }
        value = Value::one(text, true);
        *rest = after;
    }
    Some(value)
}

/// `.Name( … )` at the start of what follows.
fn method<'a>(rest: &'a [Item]) -> Option<(String, &'a [Statement], &'a [Item])> {
    let [Item::Text(name), Item::Group(arguments), after @ ..] = rest else { return None };
    let named = !name.quoted && name.text.starts_with('.') && name.text.len() > 1;
    named.then(|| (name.text.to_lowercase(), arguments.as_slice(), after))
}

fn group(inner: &[Statement], constants: &Constants, depth: u8) -> Option<Value> {
    let [only] = inner else {
        return inner.is_empty().then(|| Value { parts: Vec::new(), built: false });
    };
    let mut rest = only.as_slice();
    let value = binary(&mut rest, constants, depth.checked_add(1)?)?;
    rest.is_empty().then_some(value)
}

/// A word in an expression: a variable, a number, a cast, or a call of one of the decoding methods.
fn bare(word: &Text, rest: &mut &[Item], constants: &Constants, depth: u8) -> Option<Value> {
    let lower = word.text.to_lowercase();
    if lower == "-join" {
        let value = list(rest, constants, deeper(depth)?)?;
        return Some(Value::one(value.parts.concat(), true));
    }
    if let Some(name) = lower.strip_prefix('$') {
        return constants.get(name).map(|value| Value::one(value.clone(), true));
    }
    if let Some(code) = lower.strip_prefix("[char]") {
        let code = if code.is_empty() {
            unary(rest, constants, deeper(depth)?)?.text()
        } else {
            code.to_owned()
        };
        return Some(Value::one(character(&code)?.to_string(), true));
    }
    if lower == "[char[]]" {
        let codes = unary(rest, constants, deeper(depth)?)?;
        let parts: Option<Vec<String>> =
            codes.parts.iter().map(|code| Some(character(code)?.to_string())).collect();
        return Some(Value { parts: parts?, built: true });
    }
    if let Some(Item::Group(arguments)) = rest.first() {
        let argument = group(arguments, constants, depth)?;
        *rest = rest.get(1..)?;
        if lower.ends_with("::frombase64string") {
            return Some(Value::one(encoded::decode(&argument.text())?, true));
        }
        let passes = lower.ends_with(".getstring")
            || lower.ends_with("[scriptblock]::create")
            || lower.ends_with("::join");
        return passes.then(|| Value::one(argument.parts.concat(), true));
    }
    if matches!(lower.as_str(), "[string]" | "[scriptblock]" | "[text]") {
        return unary(rest, constants, deeper(depth)?);
    }
    let number = lower.trim_start_matches("0x");
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_number.then(|| Value::one(word.text.clone(), false))
}

fn deeper(depth: u8) -> Option<u8> {
    depth.checked_add(1).filter(|depth| *depth <= DEPTH)
}

fn character(code: &str) -> Option<char> {
    let code = code.trim_matches(['(', ')', ' ']);
    let number = match code.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => code.parse().ok(),
    };
    let one = || {
        let mut chars = code.chars();
        chars.next().filter(|_| chars.next().is_none())
    };
    number.and_then(char::from_u32).or_else(one)
}

/// `-f`: `{0}` and so on, without format strings.
fn formatted(format: &str, parts: &[String]) -> Option<String> {
    let mut out = String::new();
    let mut rest = format;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (index, after) = after.split_once('}')?;
        out.push_str(parts.get(index.trim().parse::<usize>().ok()?)?);
        if out.len() > LONGEST {
            return None;
        }
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

/// `-replace` with a pattern that is plain text or an escaped character.
fn replaced(text: &str, pattern: &str, new: &str) -> Option<String> {
    let plain = pattern.replace('\\', "");
    let is_plain = !plain.is_empty()
        && !pattern.contains(['*', '+', '?', '[', '(', '.', '|', '^', '$'].as_slice());
    let out = is_plain.then(|| text.replace(plain.as_str(), new))?;
    (out.len() <= LONGEST).then_some(out)
}

/// The text with the variables in it that are known; nothing where one is not and the text is only that.
pub(super) fn substituted(text: &Text, constants: &Constants) -> Option<(String, bool)> {
    if text.literal || !text.text.contains('$') || constants.is_empty() {
        return Some((text.text.clone(), false));
    }
    let mut out = String::new();
    let mut rest = text.text.as_str();
    let mut changed = false;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let (name, tail) = braced.unwrap_or_else(|| {
            let end = after.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(after.len());
            after.split_at_checked(end).unwrap_or((after, ""))
        });
        if let Some(value) = constants.get(&name.to_lowercase()).filter(|_| !tail.starts_with(':'))
        {
            out.push_str(value);
            rest = tail;
            changed = true;
        } else {
            out.push('$');
            rest = after;
        }
        if out.len() > LONGEST {
            return None;
        }
    }
    out.push_str(rest);
    Some((out, changed))
}

#[cfg(test)]
mod tests {
    use super::super::lexer::parse;
    use super::*;

    #[test]
    fn built_strings_are_put_together() {
        let constants = Constants::from([("a".to_owned(), "vc".to_owned())]);
        for (script, expected) in [
            ("'a'+'b'", Some("ab")),
            ("'{1}{0}'-f 'ice','New-Serv'", Some("New-Service")),
            ("-join ('s','c')", Some("sc")),
            ("('s','c') -join ''", Some("sc")),
            ("[char]115+[char]0x63", Some("sc")),
            ("[char](115)", Some("s")),
            ("-join [char[]](115,99)", Some("sc")),
            ("'sXc'.Replace('X','')", Some("sc")),
            ("'sXc' -replace 'X',''", Some("sc")),
            ("\"s$a\"", Some("svc")),
            ("$a", Some("vc")),
            ("$b", None),
            (
                "[System.Text.Encoding]::Unicode.GetString([Convert]::FromBase64String('cwBjACAAcwB0AG8AcAAgAHgA'))",
                Some("sc stop x"),
            ),
            ("Get-Date", None),
            ("'{9}' -f 'a'", None),
            ("'a' -replace '.*','b'", None),
        ] {
            let items = parse(script).remove(0);
            assert_eq!(
                constant(&items, &constants).map(|value| value.text()).as_deref(),
                expected,
                "{script}"
            );
        }
    }
}
