//! Signs that the literature names and that are not asked for, with the reason.

/// What, and why not.
pub(super) const REASONS: [(&str, &str); 9] = [
    (
        "created in the last 24 hours of the log (W07)",
        "in an exported log every event is that young, and on the benign hosts every update is; an analyst's window is \
         what `--approved` has windows for",
    ),
    (
        "never started, on demand, without a trigger (E09)",
        "clients log no 7036 for starts that succeed, so that no record of a start says nothing",
    ),
    (
        "a handle to the service control manager from afar (4674, 5145 svcctl) without an install",
        "remote administration and monitoring open it all day; the logs here that show nothing else cannot be told from \
         those. With an install it counts (W24)",
    ),
    (
        "RemoteRegistry opened or started",
        "secretsdump does, and so does every inventory; without the registry's own records there is nothing more to say",
    ),
    (
        "a start that failed (7000, 7009) without its install",
        "broken services fail at every boot; the name's shape is asked for, the failure alone is not",
    ),
    (
        "a log cleared, weighed by these logs",
        "their authors cleared them before recording: any weight fitted to them would learn the authors",
    ),
    (
        "another image than the service's in its own process (hollowing)",
        "a process is told by the program it was started from; Sysmon 25, which sees the exchange, is rarely on and not \
         read. A shorter program found first (E03), a shell that no service names (an incident) and a program put back \
         (W29) are asked for",
    ),
    (
        "a program below services.exe that no service names, where it is no shell",
        "without a hive that is every service the log did not see installed",
    ),
    (
        "one more finding for the whole chain logon, share, install, child (A38)",
        "its links are asked for one by one (W01, W24, E02, E04) and add up; a sum of them would count them twice",
    ),
];
