//! Expected output, kept in files.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at a surprise")]

use std::path::Path;

/// Compares with the file at `path` below `tests/golden`, or writes it with `UPDATE_GOLDEN=1`.
pub(crate) fn assert_golden(path: &str, actual: &str) {
    assert_file(&format!("tests/golden/{path}"), actual);
}

/// Compares with the file at `path` below the package, or writes it with `UPDATE_GOLDEN=1`.
#[expect(clippy::disallowed_methods, reason = "expected output is no evidence")]
pub(crate) fn assert_file(path: &str, actual: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, actual).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    if expected != actual {
        let differs = expected.lines().zip(actual.lines()).position(|(left, right)| left != right);
        let line = differs.map_or("at the end".to_owned(), |line| format!("at line {}", line + 1));
        panic!("{path} differs {line}; look at it, then UPDATE_GOLDEN=1 cargo test\n{actual}");
    }
}
