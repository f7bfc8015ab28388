//! `file`: what the evidence knows about one file, or its bytes.

mod known;

use std::io::{self, IsTerminal as _, Write as _};

use super::FileArgs;
use super::exit::Exit;
use super::run::{fail, open, print, warn, write_stdout};
use crate::error::Error;
use crate::evidence::{Content, Evidence};
use crate::text;

/// Bytes that are copied at a time.
const PIECE: usize = 1 << 20;

/// Runs `svctriage file`.
pub(super) fn run(args: &FileArgs) -> Exit {
    let opened = match open(std::slice::from_ref(&args.evidence), &args.opening) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let all: Vec<&dyn Evidence> =
        opened.hosts.iter().chain(&opened.bare).map(AsRef::as_ref).collect();
    let hosts: Vec<&dyn Evidence> = match args.host {
        None => all,
        Some(number) => {
            let index = number.checked_sub(1);
            let host = index.and_then(|index| all.get(index));
            let Some(host) = host else {
                warn(&format!("no host {number}: the evidence holds {}", all.len()));
                return Exit::Usage;
            };
            vec![*host]
        }
    };
    match (hosts.is_empty(), args.bytes) {
        (true, _) => Exit::Unreadable,
        (false, true) => bytes(args, &hosts),
        (false, false) => facts(args, &hosts),
    }
}

fn facts(args: &FileArgs, hosts: &[&dyn Evidence]) -> Exit {
    let mut page = String::new();
    let mut complete = true;
    let mut missing = Vec::new();
    for host in hosts {
        match known::look_up(*host, &args.path) {
            Ok(known) => {
                complete &= known.is_complete();
                page.push_str(&known.describe(host.describe()));
            }
            Err(error) => missing.push(error),
        }
    }
    if page.is_empty() {
        for error in &missing {
            not_there(&args.path, error);
        }
        return Exit::Unreadable;
    }
    match print(&page) {
        Exit::Complete if !complete => Exit::Incomplete,
        exit => exit,
    }
}

fn not_there(path: &str, error: &io::Error) {
    let why = match error.kind() {
        io::ErrorKind::NotFound => "not in the evidence".to_owned(),
        _ => error.to_string(),
    };
    warn(&format!("{}: {}", text::terminal_safe(path), text::terminal_safe(&why)));
}

/// The bytes must be those of one file: where several hosts have it, none is chosen.
fn bytes(args: &FileArgs, hosts: &[&dyn Evidence]) -> Exit {
    let path = text::terminal_safe(&args.path);
    if io::stdout().is_terminal() {
        warn("--bytes writes to no terminal; send stdout to a file or another program");
        return Exit::Usage;
    }
    let mut failed = None;
    let mut found = Vec::new();
    for host in hosts {
        match known::open(*host, &args.path) {
            Ok(content) => found.push((host.describe(), content)),
            Err(error) => failed = Some(error),
        }
    }
    if found.len() > 1 {
        warn(&format!(
            "{path} is in {} hosts of this evidence; name one with --host N:",
            found.len()
        ));
        for (description, _) in &found {
            warn(&format!("  {}", text::terminal_safe(&description.path)));
        }
        return Exit::Usage;
    }
    let Some((_, mut content)) = found.pop() else {
        if let Some(error) = failed {
            not_there(&args.path, &error);
        }
        return Exit::Unreadable;
    };
    copy(content.as_mut(), &path)
}

/// Writes what it reads to stdout. A reader that stops early (`| head`) is no error.
fn copy(content: &mut dyn Content, path: &str) -> Exit {
    let mut piece = vec![0; PIECE];
    loop {
        let read = match content.read(&mut piece) {
            Ok(0) => return write_stdout(&[]),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                warn(&format!("{path}: cut off: {}", text::terminal_safe(&error.to_string())));
                return Exit::Incomplete;
            }
        };
        let written = io::stdout().lock().write_all(piece.get(..read).unwrap_or_default());
        match written {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Exit::Complete,
            Err(error) => return fail(&Error::Output(error), Exit::Output),
        }
    }
}
