//! How the files behind services are read: which, and how large.

use clap::{Args, ValueEnum};

use super::evidence_args::bytes;
use crate::artifact::program::{FileOptions, Hashing};

/// What bears on the files behind services.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Files behind services")]
pub struct ProgramArgs {
    /// Which files are read to their end, for digests, what they are and who signed them. What the file system says of
    /// a file is told of all.
    #[arg(long, value_name = "WHICH", default_value = "all")]
    pub hash: HashArg,
    /// Files larger than that are not read to their end, which the report says; for example 100M or 2G.
    #[arg(long, value_name = "SIZE", default_value = "512M", value_parser = bytes)]
    pub hash_limit: u64,
}

/// Which files are read to their end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HashArg {
    /// No file: the quickest.
    None,
    /// Those of services that hives and logs alone give a reason to look at.
    Suspicious,
    /// Every file that a service runs or loads.
    All,
}

impl ProgramArgs {
    /// The options.
    pub(super) fn options(&self) -> FileOptions {
        let hashing = match self.hash {
            HashArg::None => Hashing::None,
            HashArg::Suspicious => Hashing::Suspicious,
            HashArg::All => Hashing::All,
        };
        FileOptions { hashing, largest: self.hash_limit }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    fn given(arguments: &[&str]) -> FileOptions {
        let line = ["svctriage", "scan", "x"].into_iter().chain(arguments.iter().copied());
        match Cli::try_parse_from(line).unwrap().command {
            Command::Scan(args) => args.judge.files.options(),
            _ => unreachable!("the line says scan"),
        }
    }

    #[test]
    fn files_are_read_as_asked() {
        assert_eq!(given(&[]), FileOptions::default(), "the help names another default");
        for (arguments, hashing, largest) in [
            (&["--hash", "none"][..], Hashing::None, 512 << 20),
            (&["--hash", "suspicious", "--hash-limit", "100M"], Hashing::Suspicious, 100 << 20),
            (&["--hash-limit", "2G"], Hashing::All, 2 << 30),
        ] {
            let options = given(arguments);
            assert_eq!((options.hashing, options.largest), (hashing, largest), "{arguments:?}");
            let label = options.hashing.label();
            let word = HashArg::from_str(label, false).unwrap();
            assert_eq!(word.to_possible_value().unwrap().get_name(), label);
        }
    }
}
