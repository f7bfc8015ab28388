#!/usr/bin/env python3
"""Measures a scan of one host in every form: wall time and peak memory, beside dissect.target where it is given.

    .ci/measure.py WINDOWS [--dissect PATH/target-query] [--runs 5] [--memory] [--keep FOLDER]
    .ci/measure.py --corpus CORPUS ...

WINDOWS is a folder that holds `Windows/System32/config/SYSTEM` and what else there is; --corpus composes one from
the real hives and logs of the tests' corpus. From it an NTFS volume on a disk of 512 MiB is made, from that the
containers. --memory measures instead whether peak memory grows with the disk (64 GiB) or with a log (4 GiB).

Prints Markdown for docs/performance.md. Needs root (ntfs-3g), python3 and the packages ntfs-3g gdisk qemu-utils
ewf-tools zip xz-utils; dissect.target is on PyPI. Nothing is measured twice at once; the files are in the page cache.
"""

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "target/release/svctriage"
MIB = 1 << 20


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}")


def corpus_host(corpus, folder):
    """A host with the hive of a Windows 10 1709 and the logs of another ordinary machine."""
    config, logs = folder / "Windows/System32/config", folder / "Windows/System32/winevt/Logs"
    config.mkdir(parents=True)
    logs.mkdir(parents=True)
    for suffix in ("", ".LOG1", ".LOG2"):
        packed = corpus / f"hives/win10-1709-dirty.SYSTEM{suffix}.xz"
        with open(config / f"SYSTEM{suffix}", "wb") as out:
            subprocess.run(["xz", "-dc", packed], stdout=out, check=True)
    run("tar", "-xJf", corpus / "evtx/win10-benign-vm.tar.xz", "-C", logs)
    for log in sorted(logs.rglob("*.evtx")):
        log.rename(logs / log.name)
    for below in logs.iterdir():
        if below.is_dir():
            shutil.rmtree(below)
    return folder


def volume(path, size, host, more=None):
    """An NTFS volume with the host's files; `more` may add to the mounted tree."""
    with open(path, "wb") as file:
        file.truncate(size)
    run("mkntfs", "-F", "-q", "-Q", "-s", 512, "-p", 2048, "-H", 255, "-S", 63, path)
    with tempfile.TemporaryDirectory() as mount:
        helper = subprocess.Popen(["ntfs-3g", "-o", "no_detach", path, mount], stderr=subprocess.DEVNULL)
        while not os.path.ismount(mount):
            if helper.poll() is not None:
                sys.exit("ntfs-3g cannot mount: root and /dev/fuse are needed")
            time.sleep(0.05)
        shutil.copytree(host, mount, dirs_exist_ok=True)
        if more:
            more(Path(mount))
        run("umount", mount)
        helper.wait()


def disk(path, size, content):
    """A GPT disk with the volume at 1 MiB; holes stay holes."""
    with open(path, "wb") as out:
        out.truncate(size)
    run("sgdisk", "-n", "1:2048:0", "-t", "1:0700", "-c", "1:Basic data partition", path)
    with open(content, "rb") as source, open(path, "r+b") as out:
        end = source.seek(0, os.SEEK_END)
        at = 0
        while at < end:
            try:
                at = os.lseek(source.fileno(), at, os.SEEK_DATA)
            except OSError:
                break
            until = os.lseek(source.fileno(), at, os.SEEK_HOLE)
            source.seek(at)
            out.seek(MIB + at)
            while at < until:
                part = source.read(min(16 * MIB, until - at))
                out.write(part)
                at += len(part)


def measured(command, runs):
    """Median seconds and the highest peak of resident memory in MiB."""
    seconds, peaks = [], []
    for _ in range(runs):
        began = time.monotonic()
        child = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        said = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        seconds.append(time.monotonic() - began)
        peaks.append(usage.ru_maxrss / 1024)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in (0, 2):
            return None, None, said.decode(errors="replace").strip().splitlines()[-1:]
    return statistics.median(seconds), max(peaks), None


def scan(path):
    return [PROGRAM, "scan", "--quiet", "--all", "--format", "json", path]


def cell(seconds, peak, said):
    return f"{said[0] if said else 'failed'} | " if seconds is None else f"{seconds:.2f} s | {peak:.0f} MiB"


def forms(host, work):
    """The host as a folder, as a disk in every container, and as a zip."""
    volume(work / "volume", 508 * MIB, host)
    raw = work / "host.raw"
    disk(raw, 512 * MIB, work / "volume")
    (work / "volume").unlink()
    run("ewfacquire", "-u", "-q", "-t", work / "host", "-f", "encase6", "-c", "fast", "-m", "fixed", "-M", "physical",
        "-b", 64, "-o", 0, "-C", "1", "-D", "1", "-E", "1", "-e", "1", "-N", "1", raw)
    run("qemu-img", "convert", "-O", "vhdx", "-o", "subformat=dynamic", raw, work / "host.vhdx")
    run("qemu-img", "convert", "-O", "qcow2", "-c", raw, work / "host.qcow2")
    run("zip", "-q", "-r", work / "host.zip", ".", cwd=host)
    return [("folder", host), ("raw", raw), ("E01", work / "host.E01"), ("VHDX", work / "host.vhdx"),
            ("QCOW2, compressed", work / "host.qcow2"), ("zip", work / "host.zip")]


def compare(host, work, dissect, runs):
    print("| evidence | svctriage | peak | dissect.target | peak | ratio of time |\n|---|---|---|---|---|---|")
    for name, path in forms(host, work):
        ours = measured(scan(path), runs)
        theirs = measured([dissect, "-q", "-f", "services", "-j", path], runs) if dissect else (None, None, ["-"])
        ratio = f"{theirs[0] / ours[0]:.1f}" if ours[0] and theirs[0] else "-"
        print(f"| {name} | {cell(*ours)} | {cell(*theirs)} | {ratio} |", flush=True)


def memory(host, work, runs):
    """The same host on a small disk, on a disk of 64 GiB, and with a Security log of 4 GiB."""
    def huge_log(mount):
        log = mount / "Windows/System32/winevt/Logs/Security.evtx"
        with open(log, "r+b" if log.exists() else "wb") as file:
            if not log.stat().st_size:
                sys.exit("the host has no Security.evtx to enlarge")
            file.truncate(4096 * MIB)

    print("| evidence | svctriage | peak |\n|---|---|---|")
    for name, size, more in (("raw disk of 512 MiB", 512 * MIB, None), ("raw disk of 64 GiB", 65536 * MIB, None),
                             ("raw disk of 8 GiB, Security.evtx of 4 GiB", 8192 * MIB, huge_log)):
        volume(work / "volume", size - 4 * MIB, host, more)
        disk(work / "host.raw", size, work / "volume")
        (work / "volume").unlink()
        print(f"| {name} | {cell(*measured(scan(work / 'host.raw'), runs))} |", flush=True)


def about(host, dissect, runs):
    files = [path for path in host.rglob("*") if path.is_file()]
    processor = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    print(f"{len(files)} files, {sum(path.stat().st_size for path in files) / MIB:.0f} MiB; median of {runs} runs; "
          f"{processor}, {os.cpu_count()} processors; {platform.system()} {platform.release().split('-')[0]}")
    if dissect:
        version = [Path(dissect).with_name("python"), "-c",
                   "from importlib.metadata import version; print(version('dissect.target'))"]
        print("dissect.target", subprocess.run(version, capture_output=True, text=True).stdout.strip())
    print()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("windows", nargs="?", type=Path)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--dissect")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = options.keep or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        host = options.windows or corpus_host(options.corpus, Path(temporary) / "host")
        about(host, options.dissect, options.runs)
        if options.memory:
            memory(host, work, options.runs)
        else:
            compare(host, work, options.dissect, options.runs)


if __name__ == "__main__":
    main()
