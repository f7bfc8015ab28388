#!/usr/bin/env python3
"""Measures the event part of a scan beside evtx_dump, and its memory on logs of 4 GiB.

    .ci/measure_events.py --corpus CORPUS --evtx-dump PATH [--runs 5] [--keep FOLDER]
    .ci/measure_events.py --memory [--runs 1] [--keep FOLDER]

evtx_dump is that of the crate `evtx` (cargo install evtx). From the tests' corpus are made: one Security, one System
and one Sysmon log of over 100 MB, of the real chunks of the corpus again and again, and the two folders of real hosts' logs.
--memory makes logs of 4 GiB with examples/make_large_log instead.

Prints Markdown for docs/performance.md. A ratio is that of the medians of runs taken in turn; everything is in the page cache.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "target/release/svctriage"
MAKER = ROOT / "target/release/examples/make_large_log"
HEADER, CHUNK = 4096, 65536
FOLDERS = {"Windows 10": "win10-benign-vm", "Server 2016": "server2016-capattack"}
# Name of the log, files of the corpus it is made of, and its size in bytes.
LARGE = [
    ("Security.evtx", "Security.evtx", 134_000_000),
    ("System.evtx", "System.evtx", 120_000_000),
    ("Sysmon.evtx", "Microsoft-Windows-Sysmon%4Operational.evtx", 120_000_000),
]


def unpack(corpus, work):
    for name in FOLDERS.values():
        with tarfile.open(corpus / f"evtx/{name}.tar.xz") as archive:
            archive.extractall(work / name, filter="data")
    with tarfile.open(corpus / "evtx/benign-system-logs.tar.xz") as archive:
        archive.extractall(work / "system", filter="data")


def large(work, name, source, size):
    """A log of the used chunks of every such log, again and again."""
    paths = sorted(path for path in work.rglob("*.evtx") if path.name == source)
    if name == "System.evtx":
        paths += sorted((work / "system").rglob("*.evtx"))
    header, chunks = None, []
    for path in paths:
        data = path.read_bytes()
        header = header or data[:HEADER]
        for at in range(HEADER, len(data) - CHUNK + 1, CHUNK):
            if data[at : at + 8] == b"ElfChnk\0":
                chunks.append(data[at : at + CHUNK])
    out = work / name
    with open(out, "wb") as file:
        file.write(header)
        while file.tell() < size:
            file.write(chunks[(file.tell() - HEADER) // CHUNK % len(chunks)])
    return out


def timed(commands):
    """Wall time of commands one after another in seconds, and the highest peak of resident memory in MiB."""
    began, peak = time.monotonic(), 0
    for command in commands:
        child = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        peak = max(peak, usage.ru_maxrss / 1024)
        if child.returncode not in (0, 1, 2):
            sys.exit(f"{command}: {child.returncode}")
    return time.monotonic() - began, peak


def scan(path):
    return [PROGRAM, "scan", "--quiet", "--format", "json", path]


def dumps(dump, path):
    paths = sorted(path.rglob("*.evtx")) if path.is_dir() else [path]
    return [[dump, "-t", "1", "-o", "jsonl", one] for one in paths]


def compare(options, work):
    unpack(options.corpus, work)
    rows = [(name, large(work, name, source, size)) for name, source, size in LARGE]
    rows += [(f"folder, {name}", work / folder) for name, folder in FOLDERS.items()]
    print("| logs | size | evtx_dump | svctriage scan | ratio | peak |\n|---|---|---|---|---|---|")
    for name, path in rows:
        files = [path] if path.is_file() else list(path.rglob("*.evtx"))
        size = sum(file.stat().st_size for file in files)
        theirs, ours, peak = [], [], 0
        for _ in range(options.runs + 1):
            theirs.append(timed(dumps(options.evtx_dump, path))[0])
            seconds, most = timed([scan(path)])
            ours.append(seconds)
            peak = max(peak, most)
        theirs, ours = statistics.median(theirs[1:]), statistics.median(ours[1:])
        print(f"| {name} | {size / 1e6:.0f} MB | {theirs:.3f} s | {ours:.3f} s | {ours / theirs:.2f} | {peak:.0f} MiB |", flush=True)


def memory(options, work):
    print("| log | svctriage scan | peak |\n|---|---|---|")
    for name, words in (
        ("4 GiB, 64 MiB of records, half of them read", (4096, 50, 64)),
        ("4 GiB of records, none of them read", (4096, 0)),
        ("4 GiB of records, 1 % of them read", (4096, 1)),
        ("4 GiB of records, 10 % of them read", (4096, 10)),
    ):
        path = work / "Security.evtx"
        if subprocess.run([str(word) for word in (MAKER, path, *words)]).returncode:
            sys.exit("cannot make the log")
        runs = [timed([scan(path)]) for _ in range(options.runs)]
        seconds, peak = statistics.median(run[0] for run in runs), max(run[1] for run in runs)
        print(f"| {name} | {seconds:.1f} s | {peak:.0f} MiB |", flush=True)
        path.unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--evtx-dump", type=Path)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    if not options.memory and not (options.corpus and options.evtx_dump):
        parser.error("--corpus and --evtx-dump are needed, or --memory")
    processor = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    print(f"median of {options.runs} runs; {processor}, {os.cpu_count()} processors; "
          f"{platform.system()} {platform.release().split('-')[0]}\n")
    with tempfile.TemporaryDirectory() as temporary:
        work = options.keep or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        if options.memory:
            memory(options, work)
        else:
            compare(options, work)


if __name__ == "__main__":
    main()
