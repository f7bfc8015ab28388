//! Passwords in command lines: a report names the command, not the password.

use std::sync::LazyLock;

use regex::Regex;

/// What stands in a password's place.
pub(super) const GIVEN: &str = "(given)";

/// Options whose argument is a password: `sc … password= x`, `-p x` after `-u y` of `PsExec` and of schtasks,
/// `/password:x` of wmic, `StartPassword=x`, `ConvertTo-SecureString "x"`, `net use … /user:y x`.
static PASSWORDS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    const VALUE: &str = r#"("(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s,"';)]+)"#;
    [
        format!(r"(?i)(\b(?:start)?password\s*=\s*){VALUE}"),
        format!(r"(?i)([/-]password\s*[:\s]\s*){VALUE}"),
        format!(r"(?i)([/-]u(?:ser)?[:\s]\s*\S+\s+[/-]r?p[:\s]\s*){VALUE}"),
        format!(r"(?i)([/-]ru[:\s]\s*\S+\s+[/-]rp[:\s]\s*){VALUE}"),
        // `domain/user:password@host` of impacket.
        r"(\S+/[^\s:@]+:)([^\s]+)(@)".to_owned(),
        format!(r"(?i)(convertto-securestring\s+(?:-string\s+)?){VALUE}"),
    ]
    .iter()
    .filter_map(|pattern| Regex::new(pattern).ok())
    .collect()
});

/// The line with every password that such an option gives replaced.
pub fn without_passwords(line: &str) -> String {
    let lower = line.to_ascii_lowercase();
    if !["password", "-p", "/p", "/rp", "-rp", "securestring", "@"]
        .iter()
        .any(|one| lower.contains(one))
    {
        return line.to_owned();
    }
    PASSWORDS.iter().fold(line.to_owned(), |line, pattern| {
        pattern.replace_all(&line, format!("${{1}}{GIVEN}${{3}}").as_str()).into_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        for (line, shown) in [
            ("sc config x obj= .\\a password= S3cret", "sc config x obj= .\\a password= (given)"),
            (
                "sc create x password=\"a b\" start= auto",
                "sc create x password=(given) start= auto",
            ),
            (r"psexec \\h -u c\a -p P@ss -s cmd", r"psexec \\h -u c\a -p (given) -s cmd"),
            (
                "wmic /node:h /user:a /password:pw service",
                "wmic /node:h /user:a /password:(given) service",
            ),
            ("schtasks /ru x /rp pw /tr y", "schtasks /ru x /rp (given) /tr y"),
            (
                "ConvertTo-SecureString 'a b' -AsPlainText",
                "ConvertTo-SecureString (given) -AsPlainText",
            ),
            (
                "services.py corp/eve:P@ss!@10.0.0.2 list",
                "services.py corp/eve:(given)@10.0.0.2 list",
            ),
            ("curl https://u.example/x@y", "curl https://u.example/x@y"),
            ("sc start x", "sc start x"),
            (r"mkdir C:\-p", r"mkdir C:\-p"),
        ] {
            assert_eq!(without_passwords(line), shown);
        }
    }

    #[test]
    fn every_pattern_is_in_use() {
        assert_eq!(PASSWORDS.len(), 6);
    }
}
