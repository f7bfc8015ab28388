//! Signs that the literature names and that are not asked for, with the reason.

/// What, and why not.
pub(super) const REASONS: [(&str, &str); 6] = [
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
        "remote administration and monitoring open it all day; 17 logs here show nothing else, and they cannot be told \
         from those",
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
];
