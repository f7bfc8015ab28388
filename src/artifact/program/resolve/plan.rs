//! From words to the paths that Windows tries, in its order. Pure: nothing is looked up here.

use super::environment::Environment;
use crate::host::Volumes;
use crate::host::image_path::{ImagePath, Prefix, leaf};

/// Prefixes of an unquoted command that are tried.
const MOST_PREFIXES: usize = 32;

/// Who opens a file, and so how its name is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opener {
    /// `CreateProcess` with a command line: arguments, quotes, a search path, `.exe` by itself.
    Process,
    /// The loader: the whole text is a path or a name, `.dll` by itself.
    Loader,
    /// The kernel: the whole text is a path, relative to the Windows folder.
    Kernel,
}

/// The paths that Windows tries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    /// In order; never empty.
    pub(super) tries: Vec<Try>,
    /// The first of those by which the words' own file is tried; what stands before it intercepts.
    pub(super) meant: usize,
    /// The one that is told where none is there.
    pub(super) told: usize,
    /// How the words became these paths.
    pub(super) steps: Vec<String>,
}

/// One path that Windows tries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Try {
    pub(super) path: String,
    /// Why Windows comes to it, where that needs a word.
    pub(super) because: Option<String>,
}

/// Words that lead to no place in a file system, or to one that is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Nowhere {
    /// As far as they could be understood.
    pub(super) path: String,
    pub(super) reason: String,
}

/// The paths that Windows tries for words.
///
/// # Errors
/// Where the words name no file on a drive of the host.
pub(super) fn plan(
    words: &ImagePath,
    opener: Opener,
    is_redirected: bool,
    environment: &Environment,
    volumes: &Volumes,
) -> Result<Plan, Nowhere> {
    let mut steps = Vec::new();
    let whole = match opener {
        Opener::Loader | Opener::Kernel if !words.quoted && !words.arguments.is_empty() => {
            format!("{} {}", words.program, words.arguments)
        }
        _ => words.program.clone(),
    };
    let nowhere = |path: &str, reason: String| Nowhere { path: path.to_owned(), reason };
    if whole.trim().is_empty() {
        return Err(nowhere("", "no file is named".to_owned()));
    }
    let expanded = environment
        .expand(&whole, &mut steps)
        .map_err(|name| nowhere(&whole, format!("what %{name}% means is not known offline")))?;
    if words.implied {
        steps.push("no ImagePath: a driver's own name in System32\\drivers".to_owned());
    }
    let named = name(&expanded, words.prefix, opener, environment, volumes, &mut steps)?;
    let mut plan = Plan { tries: Vec::new(), meant: 0, told: 0, steps };
    match named {
        Named::Full(path) => {
            let unquoted = opener == Opener::Process && !words.quoted;
            let prefixes = if unquoted { prefixes(&path, &words.arguments) } else { Vec::new() };
            let (before, after): (Vec<_>, Vec<_>) =
                prefixes.into_iter().partition(|prefix| prefix.len() < path.len());
            for prefix in before {
                let because = format!("unquoted: Windows tries {prefix} first");
                plan.add(&prefix, opener, Some(because));
            }
            plan.meant = plan.tries.len();
            plan.add(&path, opener, None);
            plan.told = plan.tries.len().saturating_sub(1);
            for prefix in after {
                plan.add(&prefix, opener, Some(format!("unquoted: then Windows tries {prefix}")));
            }
        }
        Named::Searched(name) => {
            for (nth, folder) in environment.search_path().iter().enumerate() {
                let because =
                    format!("{name} is looked for along the search path, here in {folder}");
                plan.add(&format!(r"{folder}\{name}"), opener, Some(because));
                if nth == 0 {
                    plan.told = plan.tries.len().saturating_sub(1);
                }
            }
        }
    }
    if is_redirected && opener != Opener::Kernel {
        plan.redirect(environment);
    }
    Ok(plan)
}

impl Plan {
    /// Adds a path and, where its name has no extension, what the opener makes of it.
    fn add(&mut self, path: &str, opener: Opener, because: Option<String>) {
        let extension = match opener {
            Opener::Process => ".exe",
            Opener::Loader => ".dll",
            Opener::Kernel => "",
        };
        let is_bare = !extension.is_empty() && !leaf(path).contains('.');
        // CreateProcess takes a file without extension if there is one; the loader never does.
        if !is_bare || opener == Opener::Process {
            self.tries.push(Try { path: path.to_owned(), because: because.clone() });
        }
        if is_bare {
            let added = format!("Windows adds {extension}");
            let because = because.map_or_else(|| added.clone(), |why| format!("{why}; {added}"));
            self.tries.push(Try { path: format!("{path}{extension}"), because: Some(because) });
        }
    }

    /// Puts before each path the one that a 32-bit program gets for it.
    fn redirect(&mut self, environment: &Environment) {
        let mut tries = Vec::with_capacity(self.tries.len());
        let (mut meant, mut told) = (0, 0);
        for (nth, one) in std::mem::take(&mut self.tries).into_iter().enumerate() {
            if nth == self.meant {
                meant = tries.len();
            }
            if nth == self.told {
                told = tries.len();
            }
            if let Some(path) = environment.redirected(&one.path) {
                let because = "a 32-bit service: System32 is SysWOW64".to_owned();
                tries.push(Try { path, because: Some(because) });
            }
            tries.push(one);
        }
        (self.tries, self.meant, self.told) = (tries, meant, told);
    }
}

enum Named {
    /// A path on a drive.
    Full(String),
    /// A name, or a path below the folders of the search path.
    Searched(String),
}

/// Understands an expanded path: where it begins.
fn name(
    path: &str,
    prefix: Prefix,
    opener: Opener,
    environment: &Environment,
    volumes: &Volumes,
    steps: &mut Vec<String>,
) -> Result<Named, Nowhere> {
    let lower = path.to_lowercase();
    let nowhere = |reason: &str| Nowhere { path: path.to_owned(), reason: reason.to_owned() };
    let root = &environment.root;
    for start in [r"\systemroot\", r"systemroot\"] {
        if let Some(rest) = path.get(start.len()..).filter(|_| lower.starts_with(start)) {
            steps.push(format!(r"\SystemRoot -> {root}"));
            return Ok(Named::Full(format!(r"{root}\{rest}")));
        }
    }
    if lower.starts_with(r"\device\") {
        let resolved = volumes.resolve(path).ok_or_else(|| {
            nowhere("a device path; nothing tells which drive letter that volume had")
        })?;
        steps.push("the volume's drive letter, as events tell it".to_owned());
        return Ok(Named::Full(resolved));
    }
    if lower.starts_with(r"\driver\") || lower.starts_with(r"\filesystem\") {
        return Err(nowhere("the name of a driver object, which is no file"));
    }
    let is_namespace = prefix != Prefix::None;
    if is_namespace && ["globalroot\\", "pipe\\", "volume{"].iter().any(|s| lower.starts_with(s)) {
        return Err(nowhere("a device, of which nothing tells what drive it is"));
    }
    let share = match lower.strip_prefix(r"\\") {
        Some(_) => path.get(2..),
        None if is_namespace && lower.starts_with(r"unc\") => path.get(4..),
        None => None,
    };
    if let Some(share) = share {
        return match own_share(share, environment) {
            Some(local) => {
                steps.push(format!("a share of the host itself: {local}"));
                Ok(Named::Full(local))
            }
            None => Err(nowhere("on another computer")),
        };
    }
    let mut letters = lower.chars();
    match (letters.next(), letters.next(), letters.next()) {
        (Some('a'..='z'), Some(':'), Some('\\')) => Ok(Named::Full(path.to_owned())),
        (Some('a'..='z'), Some(':'), _) => {
            Err(nowhere("relative to a drive's current folder, which is not known"))
        }
        (Some('\\'), _, _) => Ok(Named::Full(format!("{}{path}", environment.drive))),
        _ if opener == Opener::Kernel => {
            steps.push(format!("relative to {root}"));
            Ok(Named::Full(format!(r"{root}\{path}")))
        }
        _ => Ok(Named::Searched(path.to_owned())),
    }
}

/// The local path of an administrative share of the host itself: `127.0.0.1\ADMIN$\x.exe`.
fn own_share(share: &str, environment: &Environment) -> Option<String> {
    let (host, rest) = share.split_once('\\')?;
    let (share, rest) = rest.split_once('\\')?;
    let is_own =
        ["127.0.0.1", "localhost", "::1", "."].iter().any(|own| own.eq_ignore_ascii_case(host))
            || !environment.host_name.is_empty() && host.to_uppercase() == environment.host_name;
    if !is_own {
        return None;
    }
    if share.eq_ignore_ascii_case("ADMIN$") {
        return Some(format!(r"{}\{rest}", environment.root));
    }
    let mut letters = share.chars();
    let drive = letters.next().filter(char::is_ascii_alphabetic)?;
    (letters.as_str() == "$").then(|| format!(r"{drive}:\{rest}"))
}

/// The parts of an unquoted command that end at a space: `CreateProcess` tries each for the program, the shortest
/// first. The program itself is left out. Source: Microsoft, "`CreateProcessW`", `lpCommandLine`.
fn prefixes(program: &str, arguments: &str) -> Vec<String> {
    let command = format!("{program} {arguments}");
    let spaces = command.char_indices().filter(|(_, c)| matches!(c, ' ' | '\t'));
    let ends = spaces.map(|(at, _)| at).chain([command.len()]);
    let mut found: Vec<String> = Vec::new();
    for end in ends.take(MOST_PREFIXES) {
        let prefix = command.get(..end).unwrap_or_default().trim_end();
        let is_new = found.last().is_none_or(|last| last.as_str() != prefix);
        // Nobody's file is called like a folder.
        if is_new && prefix != program && !prefix.ends_with(['\\', '/']) {
            found.push(prefix.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(words: &ImagePath, opener: Opener, is_redirected: bool) -> Result<Plan, Nowhere> {
        let environment = Environment::new(Some(r"C:\Windows"), "PC7", false);
        plan(words, opener, is_redirected, &environment, &Volumes::default())
    }

    fn paths(plan: &Plan) -> Vec<&str> {
        plan.tries.iter().map(|one| one.path.as_str()).collect()
    }

    #[test]
    fn an_unquoted_command_is_tried_at_every_space() {
        let plan = tried(
            &ImagePath::parse(r"C:\Program Files\Foo Bar\x.exe -k /y"),
            Opener::Process,
            false,
        );
        let plan = plan.unwrap();
        assert_eq!(
            paths(&plan),
            [
                r"C:\Program",
                r"C:\Program.exe",
                r"C:\Program Files\Foo",
                r"C:\Program Files\Foo.exe",
                r"C:\Program Files\Foo Bar\x.exe",
                r"C:\Program Files\Foo Bar\x.exe -k",
                r"C:\Program Files\Foo Bar\x.exe -k /y",
                r"C:\Program Files\Foo Bar\x.exe -k /y.exe",
            ]
        );
        assert_eq!((plan.meant, plan.told), (4, 4));
        let quoted = ImagePath::parse(r#""C:\Program Files\Foo Bar\x.exe" -k"#);
        let plan = tried(&quoted, Opener::Process, false).unwrap();
        assert_eq!(paths(&plan), [r"C:\Program Files\Foo Bar\x.exe"]);
        let driver = ImagePath::parse(r"\??\C:\Program Files\Foo Bar\x.sys");
        let plan = tried(&driver, Opener::Kernel, false).unwrap();
        assert_eq!(paths(&plan), [r"C:\Program Files\Foo Bar\x.sys"]);
    }

    #[test]
    fn words_become_the_paths_that_windows_tries() {
        use Opener::{Kernel, Loader, Process};
        // words, opener, 32-bit, the paths of which at least these are tried first, the one told
        for (words, opener, is_redirected, expected, told) in [
            (r"%SystemRoot%\x.exe", Process, false, vec![r"C:\Windows\x.exe"], r"C:\Windows\x.exe"),
            (
                "x.exe",
                Process,
                false,
                vec![r"C:\Windows\System32\x.exe", r"C:\Windows\System\x.exe", r"C:\Windows\x.exe"],
                r"C:\Windows\System32\x.exe",
            ),
            (r"C:\a\x", Process, false, vec![r"C:\a\x", r"C:\a\x.exe"], r"C:\a\x.exe"),
            (r"C:\a\x", Loader, false, vec![r"C:\a\x.dll"], r"C:\a\x.dll"),
            (r"C:\a\x", Kernel, false, vec![r"C:\a\x"], r"C:\a\x"),
            (
                r"system32\drivers\x.sys",
                Kernel,
                false,
                vec![r"C:\Windows\system32\drivers\x.sys"],
                r"C:\Windows\system32\drivers\x.sys",
            ),
            (r"\SystemRoot\x.sys", Kernel, false, vec![r"C:\Windows\x.sys"], r"C:\Windows\x.sys"),
            ("x.sys", Kernel, false, vec![r"C:\Windows\x.sys"], r"C:\Windows\x.sys"),
            (r"\??\D:\x.sys", Kernel, false, vec![r"D:\x.sys"], r"D:\x.sys"),
            (r"\\?\C:\x.exe", Process, false, vec![r"C:\x.exe"], r"C:\x.exe"),
            (
                r"\\127.0.0.1\ADMIN$\x.exe",
                Process,
                false,
                vec![r"C:\Windows\x.exe"],
                r"C:\Windows\x.exe",
            ),
            (r"\\pc7\d$\x.exe", Process, false, vec![r"d:\x.exe"], r"d:\x.exe"),
            (
                r"%SystemRoot%\System32\svchost.exe -k netsvcs",
                Process,
                true,
                vec![r"C:\Windows\SysWOW64\svchost.exe", r"C:\Windows\System32\svchost.exe"],
                r"C:\Windows\SysWOW64\svchost.exe",
            ),
        ] {
            let plan = tried(&ImagePath::parse(words), opener, is_redirected).unwrap();
            assert!(paths(&plan).starts_with(&expected), "{words}: {:?}", paths(&plan));
            assert_eq!(plan.tries[plan.told].path, told, "{words}");
        }
    }

    #[test]
    fn words_that_lead_nowhere_say_why() {
        for (words, opener, reason) in [
            (r"\\other\share\x.exe", Opener::Process, "on another computer"),
            (r"\\?\UNC\other\share\x.exe", Opener::Process, "on another computer"),
            (r"%APPDATA%\x.exe", Opener::Process, "%APPDATA%"),
            (r"\Device\HarddiskVolume3\x.exe", Opener::Process, "device"),
            (r"\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy1\x", Opener::Process, "device"),
            (r"\Driver\PnpManager", Opener::Kernel, "driver object"),
            (r"D:x.exe", Opener::Process, "current folder"),
            ("", Opener::Process, "no file"),
        ] {
            let error = tried(&ImagePath::parse(words), opener, false).unwrap_err();
            assert!(error.reason.contains(reason), "{words}: {}", error.reason);
        }
    }
}
