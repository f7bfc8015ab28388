#!/usr/bin/env python3
"""Every dependency's licence is on the list, or the build stops.

The program is GPL-3.0-or-later: nt-hive is GPL-2.0-or-later, and code that is only under Apache-2.0 cannot be
combined with GPL version 2.
"""

import json
import subprocess
import sys

ALLOWED = {
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "GPL-2.0-or-later",
    "GPL-3.0-or-later",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
    "bzip2-1.0.6",
}


def acceptable(expression: str) -> bool:
    """Whether an SPDX expression can be met with allowed licences: any side of OR, every side of AND."""
    text = expression.replace("/", " OR ").replace("(", " ").replace(")", " ")
    if " AND " in text and " OR " in text:
        # Only one shape occurs among our dependencies: "(A OR B) AND C".
        parts = [part.strip(" ()") for part in expression.replace("/", " OR ").split(" AND ")]
        return all(acceptable(part) for part in parts)
    if " AND " in text:
        return all(part.strip() in ALLOWED for part in text.split(" AND "))
    return any(part.strip() in ALLOWED for part in text.split(" OR "))


def main() -> int:
    metadata = json.loads(
        subprocess.run(
            ["cargo", "metadata", "--format-version", "1", "--locked"],
            check=True,
            capture_output=True,
        ).stdout
    )
    refused = [
        f"{package['name']} {package['version']}: {package['license']}"
        for package in metadata["packages"]
        if not package["license"] or not acceptable(package["license"])
    ]
    for line in refused:
        print(f"not on the list: {line}", file=sys.stderr)
    print(f"{len(metadata['packages'])} packages, {len(refused)} refused")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
