#!/usr/bin/env python3
"""Makes the databases of tests/lists with SQLite itself: small pages, so that a few rows make trees of several levels.

Each row's digests are those of its number in decimal digits; the row's name is `file <number>.exe`.
"""

import hashlib
import pathlib
import sqlite3
import sys

HERE = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent
ROWS = 120


def row(number: int, case) -> tuple:
    data = str(number).encode()
    digests = [hashlib.new(name, data).hexdigest() for name in ("sha256", "sha1", "md5")]
    return (*map(case, digests), f"file {number}.exe")


def make(name: str, encoding: str, statements: list[str], insert: str, rows) -> None:
    path = HERE / name
    path.unlink(missing_ok=True)
    base = sqlite3.connect(path)
    base.execute("PRAGMA page_size = 512")
    base.execute(f"PRAGMA encoding = '{encoding}'")
    for statement in statements:
        base.execute(statement)
    base.executemany(insert, rows)
    base.commit()
    base.execute("VACUUM")
    base.close()


# As RDSv3 has it: the primary key makes an index that begins with SHA-256.
make(
    "rds-indexed.sqlite3",
    "UTF-8",
    [
        "CREATE TABLE VERSION (version VARCHAR NOT NULL, build_set VARCHAR)",
        "CREATE TABLE FILE (sha256 VARCHAR NOT NULL, sha1 VARCHAR NOT NULL, md5 VARCHAR NOT NULL, "
        "file_name VARCHAR NOT NULL, file_size BIGINT NOT NULL, package_id BIGINT NOT NULL, "
        "CONSTRAINT PK_FILE PRIMARY KEY (sha256, sha1, md5, file_name, file_size, package_id))",
        "CREATE VIEW DISTINCT_HASH AS SELECT DISTINCT sha256, sha1, md5 FROM FILE",
    ],
    "INSERT INTO FILE VALUES (?, ?, ?, ?, 1, 2)",
    (row(number, str.lower) for number in range(ROWS)),
)
# Without an index, with a record that fills several pages, in UTF-16 and in upper case.
make(
    "plain-utf16.sqlite3",
    "UTF-16le",
    ["CREATE TABLE METADATA (id INTEGER PRIMARY KEY, [SHA-256] TEXT, sha1 TEXT, md5 TEXT, file_name TEXT, rest TEXT)"],
    "INSERT INTO METADATA ([SHA-256], sha1, md5, file_name, rest) VALUES (?, ?, ?, ?, ?)",
    ((*row(number, str.upper), "x" * (number * 7)) for number in range(ROWS // 3)),
)
# Digests as bytes, behind a long text.
make(
    "bytes.sqlite3",
    "UTF-8",
    ["CREATE TABLE hashes (remark TEXT, md5 BLOB)"],
    "INSERT INTO hashes VALUES (?, ?)",
    (("r" * 900 + str(number), hashlib.md5(str(number).encode()).digest()) for number in range(20)),
)
make("none.sqlite3", "UTF-8", ["CREATE TABLE t (name TEXT)"], "INSERT INTO t VALUES (?)", [("x",)])
