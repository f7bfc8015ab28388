//! What the README promises a newcomer.

#![expect(clippy::disallowed_methods, reason = "the test starts the program as the README says")]

use std::path::Path;
use std::process::Command;

/// The README's block of output, up to the line that says it goes on.
fn promised(readme: &str) -> String {
    let block = readme.split_once("```text\n").unwrap().1.split_once("\n```").unwrap().0;
    let lines: Vec<&str> = block.lines().take_while(|line| *line != "…").collect();
    lines.join("\n") + "\n"
}

#[test]
fn the_readme_shows_what_the_main_job_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let evidence = "samples/compromised-workstation/evidence";
    assert!(readme.contains(&format!("cargo run --release -- scan {evidence}\n")));
    let output = Command::new(env!("CARGO_BIN_EXE_svctriage"))
        .current_dir(root)
        .args(["scan", evidence])
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let promised = promised(&readme);
    assert!(promised.lines().count() > 20, "the README shows too little");
    assert!(printed.starts_with(&promised), "README.md differs from:\n{printed}");
}
