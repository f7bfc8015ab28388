//! The `svctriage` program.
fn main() {}
