//! Module logging (event 4103, and the details of 800): cmdlets with the values their parameters were given.

use super::cmdlet::{self, Parameter};
use crate::host::service_command::ServiceCommand;

/// How many cmdlets of one pipeline are read.
const MOST: usize = 64;

/// The commands in lines `CommandInvocation(X): "X"` and `ParameterBinding(X): name="N"; value="V"`. A value may hold
/// line ends; the next such line ends it.
pub(super) fn commands(text: &str) -> Vec<ServiceCommand> {
    let mut invoked: Vec<(String, Vec<Parameter>)> = Vec::new();
    let mut rest = text;
    while let Some(at) = next_entry(rest) {
        let entry = rest.get(at..).unwrap_or_default();
        let (head, after) = entry.split_once('(').unwrap_or((entry, ""));
        let end = next_entry(after).unwrap_or(after.len());
        let (body, remaining) = after.split_at_checked(end).unwrap_or((after, ""));
        rest = remaining;
        let Some((name, body)) = body.split_once(')') else { continue };
        let name = name.to_lowercase();
        if head == INVOCATION {
            if invoked.len() < MOST {
                invoked.push((name, Vec::new()));
            }
        } else if let Some(parameter) = binding(body)
            && let Some((_, parameters)) =
                invoked.iter_mut().rev().find(|(cmdlet, _)| *cmdlet == name)
        {
            parameters.push(parameter);
        }
    }
    invoked.iter().flat_map(|(name, parameters)| cmdlet::read(name, parameters, &[])).collect()
}

const INVOCATION: &str = "CommandInvocation";
const BINDING: &str = "ParameterBinding";

fn next_entry(text: &str) -> Option<usize> {
    let of = |word: &str| text.find(&format!("{word}("));
    [of(INVOCATION), of(BINDING)].into_iter().flatten().min()
}

fn binding(body: &str) -> Option<Parameter> {
    let (_, pair) = body.split_once("name=\"")?;
    let (name, rest) = pair.split_once('"')?;
    let (_, value) = rest.split_once("value=\"")?;
    let end = value.rfind('"').unwrap_or(value.len());
    let value = value.get(..end)?.to_owned();
    Some(Parameter { name: name.to_lowercase(), values: vec![value], ..Parameter::default() })
}
