//! The `svctriage` program: parses the command line, runs it, returns the exit code.

use std::panic;
use std::process::ExitCode;
use std::sync::Mutex;

use clap::Parser as _;
use svctriage::cli::exit::Exit;
use svctriage::cli::{Cli, run};

/// Event logs are many small strings made on several threads: with this allocator a scan of large logs takes a third less time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Where the last panic happened.
static LAST_PANIC: Mutex<String> = Mutex::new(String::new());

fn main() -> ExitCode {
    // A panic over an artifact costs that artifact and is in the report; its message would only disturb the
    // reader. A panic elsewhere is a bug of ours, and says where.
    panic::set_hook(Box::new(|info| {
        if let Ok(mut last) = LAST_PANIC.lock() {
            *last = info.to_string();
        }
    }));
    match Cli::try_parse() {
        Ok(cli) => panic::catch_unwind(|| run::run(cli)).map_or_else(|_| bug(), ExitCode::from),
        Err(error) => {
            let asked = !error.use_stderr();
            let _nowhere_to_tell = error.print();
            if asked { Exit::Complete.into() } else { Exit::Usage.into() }
        }
    }
}

#[expect(clippy::print_stderr, reason = "the last words of the program")]
fn bug() -> ExitCode {
    let place = LAST_PANIC.lock().map(|last| last.clone()).unwrap_or_default();
    eprintln!("svctriage: this is a bug, please report it: {place}");
    ExitCode::from(101)
}
