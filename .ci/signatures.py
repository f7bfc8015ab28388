#!/usr/bin/env python3
"""Compares what svctriage says of signatures with what osslsigncode says, on signed files of public packages.

Fetches the packages (win_amd64 wheels, by pip) once to target/signed, where a test looks for them too. osslsigncode verifies
certificates at the time of the clock where it knows none, so it is run under `faketime` at the time of the time stamp. It
fails each file whose revocation list it cannot fetch; what it says of digests, signatures and chains is compared instead.
"""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SIGNED = ROOT / "target/signed"
PEM = ROOT / "src/artifact/signature/roots/roots.pem"
MADE = ROOT / "tests/signatures/made"
# Small packages with files signed by Microsoft, and by others with one and with two signatures, old and new.
PACKAGES = ["msvc-runtime", "intel-openmp", "onnxruntime", "ninja", "debugpy", "gurobipy", "pywinpty"]
MOST_OF_A_PACKAGE = 12
NOW = "2026-06-01T00:00:00Z"


def fetch() -> None:
    """Unpacks what is not there yet; a package that cannot be had is named and left out."""
    SIGNED.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        name = package.replace("-", "_")
        if any(SIGNED.glob(f"{name}-*")):
            continue
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        command += ["--platform", "win_amd64", "--python-version", "3.12", "--dest", str(SIGNED), package]
        if subprocess.run(command, check=False).returncode != 0:
            print(f"skipped: {package} cannot be fetched")
            continue
        for wheel in SIGNED.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                for member in archive.namelist():
                    if member.lower().endswith((".dll", ".exe", ".pyd")):
                        archive.extract(member, SIGNED / wheel.stem)
            wheel.unlink()


def ours(files: list[Path], *options: str) -> list[list[str]]:
    """One row a file: path, answer, signer, time of the time stamp, reason, remarks."""
    command = ["cargo", "run", "--quiet", "--locked", "--example", "check_signatures", "--", *options]
    run = subprocess.run(command + [str(file) for file in files], check=True, capture_output=True, text=True, cwd=ROOT)
    return [line.split("\t") for line in run.stdout.splitlines()]


def theirs(file: Path, roots: Path, when: str) -> str:
    """`valid`, `changed`, `untrusted` or `unsigned`, of the first signature."""
    command = ["faketime", when.replace("T", " ").rstrip("Z"), "osslsigncode", "verify", "-in", str(file), "-ignore-cdp"]
    command += ["-CAfile", str(roots), "-TSA-CAfile", str(roots)]
    run = subprocess.run(command, check=False, capture_output=True)
    text = (run.stdout + run.stderr).decode("utf-8", "replace")
    if "No signature found" in text:
        return "unsigned"
    first = text.split("Signature Index: 1")[0]
    digests = re.findall(r"(?:Current|Calculated) message digest\s*: ([0-9A-F]+)", first)
    if len(digests) < 2 or digests[0] != digests[1]:
        return "changed"
    return "untrusted" if "PKCS7_verify" in first or "Failed signing certificate chain" in first else "valid"


SAME = {
    "valid": {"valid"},
    "unsigned": {"unknown", "unsigned"},
    "changed": {"invalid"},
    "untrusted": {"untrusted_root", "expired_without_timestamp", "invalid"},
}
# Made images on which the two differ, and why: osslsigncode accepts MD5, knows no PSS in signatures of files, does not end
# signatures of lifetime certificates, looks at one entry of the table only, and says no more than "failed" of the usage.
DIFFER = {"md5", "pss", "lifetime", "two-entries", "web-server"}


def compare(files: list[Path], roots: Path, now: str, *options: str) -> list[str]:
    """What differs."""
    wrong, counts = [], {}
    for row in ours(files, f"--at={now}", *options):
        file, answer, stamp = Path(row[0]), row[1], row[3]
        other = theirs(file, roots, now if stamp == "-" else stamp)
        counts[answer, other] = counts.get((answer, other), 0) + 1
        if answer not in SAME[other] and file.stem not in DIFFER:
            wrong.append(f"{file}: {answer} ({row[4]}), osslsigncode says {other}")
    for (answer, other), count in sorted(counts.items()):
        print(f"{count:4} files: {answer}, osslsigncode: {other}")
    return wrong


def main() -> int:
    fetch()
    files = []
    for folder in sorted(path for path in SIGNED.iterdir() if path.is_dir()):
        files += sorted(path for path in folder.rglob("*") if path.is_file())[:MOST_OF_A_PACKAGE]
    wrong = compare(files, PEM, NOW) if files else []
    made = sorted(MADE.glob("*.exe"))
    # Behind the last byte of each image's code is filling; changing it must be seen by both.
    changed = ROOT / "target/changed"
    changed.mkdir(parents=True, exist_ok=True)
    for file in made[:6] + files[:6]:
        content = bytearray(file.read_bytes())
        content[0x300 if file.parent == MADE else 0x1000] ^= 1
        (changed / file.name).write_bytes(content)
    wrong += compare(made, MADE / "root.pem", NOW, f"--roots={MADE / 'root.pem'}")
    wrong += compare(sorted(changed.glob("*")), PEM, NOW)
    for line in wrong:
        print(line, file=sys.stderr)
    print(f"{len(files) + len(made)} files compared, {len(wrong)} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
