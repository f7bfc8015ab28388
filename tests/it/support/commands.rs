//! Made-up command lines: fragments of what tools, shells and obfuscators write, in any order.

#![expect(clippy::indexing_slicing, reason = "the fragments are the test's own")]

use super::Numbers;

const FRAGMENTS: [&str; 72] = [
    "sc",
    "sc.exe",
    r"\\HOST",
    "create",
    "config",
    "failure",
    "binPath=",
    "start=",
    "=",
    "\"",
    "'",
    "\\\"",
    "^",
    "%",
    "%COMSPEC%",
    "%COMSPEC:~-7,1%",
    "%x:~",
    "!x!",
    "set x=sc",
    "&&",
    "&",
    "|",
    "(",
    ")",
    "{",
    "}",
    "@{",
    "@(",
    "$(",
    "$x",
    "$x=",
    "+",
    "-f",
    "-join",
    "[char]",
    "[char[]]",
    "115",
    "0x",
    ",",
    ";",
    "`",
    "\n",
    "#",
    "<#",
    "#>",
    "@'\n",
    "\n'@",
    "cmd /c",
    "powershell -enc",
    "cwBjACAAcwB0AG8AcAAgAHgA",
    "-c",
    "iex",
    "New-Service",
    "-Name",
    "-ComputerName",
    "Set-ItemProperty",
    r"HKLM:\SYSTEM\CurrentControlSet\Services\x",
    "wmic",
    "/node:",
    "service",
    "where name='x'",
    "call",
    "psexec",
    "reg add",
    "/v",
    "CommandInvocation(New-Service):",
    "ParameterBinding(New-Service): name=\"Name\"; value=\"",
    "\u{201c}",
    "\u{1F600}",
    "\u{202e}",
    "\0",
    "Invoke-Command",
];

/// A line of up to that many fragments, mostly with spaces between.
pub(crate) fn line(numbers: &mut Numbers, most: usize) -> String {
    let mut line = String::new();
    for _ in 0..numbers.below(most) {
        line.push_str(FRAGMENTS[numbers.below(FRAGMENTS.len())]);
        if numbers.below(3) > 0 {
            line.push(' ');
        }
    }
    line
}

/// Every fragment, and pairs of them, repeated to fill what is looked at of one event.
pub(crate) fn repeated(numbers: &mut Numbers) -> Vec<String> {
    const LONG: usize = 256 * 1024;
    let alone = FRAGMENTS.iter().map(|one| format!("{one} "));
    let mut units: Vec<String> = alone.collect();
    for _ in 0..48 {
        units.push(line(numbers, 6));
    }
    units.retain(|unit| !unit.is_empty());
    units.iter().map(|unit| unit.repeat(LONG / unit.len())).collect()
}
