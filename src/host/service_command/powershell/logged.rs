//! Module logging (event 4103, and the details of 800): cmdlets with the values their parameters were given.

use super::cmdlet::{self, Parameter};
use crate::host::service_command::ServiceCommand;

/// How many cmdlets of one pipeline are read.
const MOST: usize = 64;

/// The commands in lines `CommandInvocation(X): "X"` and `ParameterBinding(X): name="N"; value="V"`. A value may hold
/// line ends; the next such line ends it.
pub(super) fn commands(text: &str) -> Vec<ServiceCommand> {
    let mut invoked: Vec<(String, Vec<Parameter>)> = Vec::new();
    let mut starts: Vec<(usize, &str)> =
        text.match_indices(INVOCATION).chain(text.match_indices(BINDING)).collect();
    starts.sort_unstable();
    for (index, (start, head)) in starts.iter().enumerate() {
        let from = start.saturating_add(head.len());
        let end = starts.get(index.saturating_add(1)).map_or(text.len(), |(next, _)| *next);
        let Some((name, body)) = text.get(from..end).and_then(|entry| entry.split_once(')')) else {
            continue;
        };
        let name = name.to_lowercase();
        if *head == INVOCATION {
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

const INVOCATION: &str = "CommandInvocation(";
const BINDING: &str = "ParameterBinding(";

fn binding(body: &str) -> Option<Parameter> {
    let (_, pair) = body.split_once("name=\"")?;
    let (name, rest) = pair.split_once('"')?;
    let (_, value) = rest.split_once("value=\"")?;
    let end = value.rfind('"').unwrap_or(value.len());
    let value = value.get(..end)?.to_owned();
    Some(Parameter { name: name.to_lowercase(), values: vec![value], ..Parameter::default() })
}
