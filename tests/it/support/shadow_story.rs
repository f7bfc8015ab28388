//! A host at two moments: when a shadow copy of its volume was made, and when the disk was taken.
//!
//! It is the workstation of `samples/compromised-workstation`, with one service's program exchanged as well. The
//! recipe of the image and the tests that read the image tell the same story, so that either can be held against it.

use std::error::Error;

use jiff::Timestamp;
use svctriage::lab::File;
use svctriage::lab::scenario::Scenario;

/// When the shadow copy was made: the morning before the intrusion.
pub(crate) const COPIED: &str = "2022-03-22T08:00:00Z";
/// The first record of the System log that was still there then, and its time.
const FIRST_THEN: (u64, &str) = (18_206, "2020-01-01T00:00:00Z");

const SAMPLE: &str = include_str!("../../../samples/compromised-workstation/scenario.toml");
const EXCHANGED: &str = r#"
[[action]]
at = "2022-03-22T13:15:30Z"
do = "set-value"
key = 'Services\KestrelScanAgent'
value = { name = "ImagePath", type = "expand-sz", data = 'C:\ProgramData\Kestrel\scanagent.exe' }
by = "adm-tveit"
command = 'reg  add HKLM\SYSTEM\CurrentControlSet\Services\KestrelScanAgent /v ImagePath /t REG_EXPAND_SZ /d C:\ProgramData\Kestrel\scanagent.exe /f'
"#;

/// The host's files when the shadow copy was made, and now.
pub(crate) fn states() -> Result<[Vec<File>; 2], Box<dyn Error>> {
    let copied: Timestamp = COPIED.parse()?;
    let mut now = Scenario::parse(&format!("{SAMPLE}{EXCHANGED}"))?;
    // The times of noise are drawn before the story begins: both states must draw the same.
    for noise in &mut now.noise {
        noise.until = noise.until.min(copied);
    }
    let mut then = now.clone();
    then.actions.retain(|step| step.at < copied);
    // Its System log has rolled over since.
    if let Some(log) = then.host.logs.get_mut("System") {
        (log.first_record, log.begins) = (Some(FIRST_THEN.0), Some(FIRST_THEN.1.parse()?));
    }
    Ok([then.evidence()?, now.evidence()?])
}
