#!/usr/bin/env python3
"""Opens every sample with readers that share no code with this project.

    .ci/independent_readers.py            check
    .ci/independent_readers.py --hashes   write the SHA-256 tables of the samples' README files

Also counts, in every log of the tests' corpus (SVCTRIAGE_CORPUS), the live records of the events that matter most.

Needs python3 with venv; python-evtx, evtx and regipy are installed into target/independent-readers.
"""

import hashlib
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import xml.etree.ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / "target" / "independent-readers"
PACKAGES = ["python-evtx==0.8.1", "evtx==0.14.0", "regipy==6.5.0"]
MARK = "<!-- hashes -->"
COUNTED = (7045, 4697, 4688, 1102)
SMALL = 200_000
SERVICES = "\\ControlSet001\\Services"


def in_venv():
    """Runs this script again with the readers installed."""
    if Path(sys.prefix) == VENV:
        return
    python = VENV / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    installed = subprocess.run([python, "-m", "pip", "freeze"], capture_output=True, text=True).stdout
    if not all(package in installed for package in PACKAGES):
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    os.execv(python, [str(python), __file__, *sys.argv[1:]])


def same(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: {found!r} instead of {expected!r}")


def samples():
    return sorted(path.parent for path in ROOT.glob("samples/*/scenario.toml"))


def files(story):
    return sorted(path for path in (story / "evidence").rglob("*") if path.is_file())


def hashes(story):
    rows = ["## Files", "", "| file | SHA-256 |", "|---|---|"]
    for path in files(story):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        rows.append(f"| `{path.relative_to(story / 'evidence').as_posix()}` | `{digest}` |")
    return "\n".join(rows) + "\n"


def readme(story, write):
    path = story / "README.md"
    before, _, table = path.read_text().partition(MARK)
    if write:
        path.write_text(f"{before}{MARK}\n{hashes(story)}")
    else:
        same(f"{path}: hashes", table.strip(), hashes(story).strip())


def event_log(path):
    """Event ids and records of a log, by two readers."""
    from Evtx.Evtx import Evtx
    import evtx

    seen = {}
    with Evtx(str(path)) as log:
        header = log.get_file_header()
        same(f"{path}: file header checksum", header.verify(), True)
        for chunk in header.chunks(include_inactive=True):
            same(f"{path}: chunk checksums", chunk.verify(), True)
            for record in chunk.records():
                root = xml.etree.ElementTree.fromstring(record.xml())
                seen[record.record_num()] = root
    fast = {}
    for record in evtx.PyEvtxParser(str(path)).records_json():
        fast[record["event_record_id"]] = json.loads(record["data"])["Event"]
    same(f"{path}: records", sorted(seen), sorted(fast))
    for number, event in fast.items():
        system = seen[number][0]
        event_id = event["System"]["EventID"]
        event_id = event_id["#text"] if isinstance(event_id, dict) else event_id
        same(f"{path}: record {number}: event id", int(system[1].text), event_id)
        same(f"{path}: record {number}: channel", system.find("{*}Channel").text, event["System"]["Channel"])
    return fast


def services(path):
    """Services of a hive with their values in order."""
    from regipy.registry import RegistryHive

    hive = RegistryHive(str(path))
    found = {}
    for key in hive.get_key(SERVICES).iter_subkeys():
        found[key.name] = [(value.name, value.value) for value in key.iter_values()]
        parameters = [sub for sub in key.iter_subkeys() if sub.name == "Parameters"]
        for sub in parameters:
            found[f"{key.name}\\Parameters"] = [(value.name, value.value) for value in sub.iter_values()]
    return found


def service_count(found):
    return sum(1 for name, values in found.items() if "\\" not in name and "Type" in dict(values))


def compromised_workstation(evidence):
    from regipy.recovery import apply_transaction_logs

    config = evidence / "Windows/System32/config"
    before = services(config / "SYSTEM")
    same("gdrvx without logs", "gdrvx" in before, False)
    with tempfile.TemporaryDirectory() as folder:
        # regipy applies the "secondary" log first, whatever its sequence numbers; here LOG1 comes first.
        restored, pages = apply_transaction_logs(
            str(config / "SYSTEM"),
            primary_log_path=str(config / "SYSTEM.LOG2"),
            secondary_log_path=str(config / "SYSTEM.LOG1"),
            restored_hive_path=os.path.join(folder, "restored"),
        )
        after = services(restored)
    same("one service more with logs", service_count(after), service_count(before) + 1)
    same("order of values", [name for name, _ in after["gdrvx"]], ["Type", "Start", "ErrorControl", "ImagePath"])
    same("swapped DLL", dict(after["WebClient\\Parameters"])["ServiceDll"], "C:\\ProgramData\\Intel\\webclnt.dll")
    command = dict(after["Spooler"])["FailureCommand"]
    same("failure command", command.startswith("cmd.exe /c"), True)
    same("no key of the ghost", "PSEXESVC" in after, False)
    logs = evidence / "Windows/System32/winevt/Logs"
    system = event_log(logs / "System.evtx")
    installs = [e["EventData"]["ServiceName"] for e in system.values() if "ServiceName" in (e.get("EventData") or {})]
    same("7045 names display names", "System Update Helper" in installs and "PSEXESVC" in installs, True)
    print(f"compromised-workstation: {service_count(before)} services, {pages} pages replayed, {len(system)} System records")


def clean_noisy_host(evidence):
    found = services(evidence / "Windows/System32/config/SYSTEM")
    same("a wrapped program", dict(found["windows_exporter\\Parameters"])["AppDirectory"], "C:\\Program Files\\windows_exporter")
    same("no description", "Description" in dict(found["NordvikTimeAgent"]), False)
    print(f"clean-noisy-host: {service_count(found)} services")


def collected_programs(evidence):
    found = services(evidence / "Windows/System32/config/SYSTEM")
    image = dict(found["NordvikBackupAgent"])["ImagePath"]
    same("an unquoted path", image, "C:\\Nordvik Backup\\agent\\nbagent.exe --service")
    programs = sorted(path for path in evidence.rglob("*.exe"))
    same("programs", [path.read_bytes()[:2] for path in programs], [b"MZ"] * 4)
    print(f"collected-programs: {service_count(found)} services, {len(programs)} programs")


def loose_files(evidence):
    found = services(evidence / "lab-pc-022_hklm-export.dat")
    same("the service", dict(found["WinAudioSync"])["Start"], 2)
    same("an unflushed log shows nothing", len(event_log(evidence / "System_backup.evtx")), 0)
    print(f"loose-files: {service_count(found)} services")


def counted_by_rust(path):
    """Live records by event id, as the crate `evtx` of another version renders them."""
    import evtx

    counts, records = dict.fromkeys(COUNTED, 0), 0
    for record in evtx.PyEvtxParser(str(path)).records_json():
        records += 1
        event_id = json.loads(record["data"])["Event"]["System"]["EventID"]
        event_id = int(event_id["#text"] if isinstance(event_id, dict) else event_id)
        if event_id in counts:
            counts[event_id] += 1
    return counts, records


def counted_by_python(path):
    """Live records by event id, as python-evtx renders them; it shares no code with anything else here."""
    from Evtx.Evtx import Evtx

    counts, records = dict.fromkeys(COUNTED, 0), 0
    with Evtx(str(path)) as log:
        for record in log.records():
            records += 1
            event_id = int(xml.etree.ElementTree.fromstring(record.xml())[0].find("{*}EventID").text)
            if event_id in counts:
                counts[event_id] += 1
    return counts, records


def corpus_counts():
    """Our counts against those of two readers.

    Live records are compared with live ones: neither reader sees a record of a chunk that was not written back, nor of
    unused space. python-evtx is slow, so it reads the logs of at most SMALL bytes that hold a counted record; and it
    leaves out records of some chunks of dirty logs, so it is a witness only where it reads as many records as there are.
    """
    corpus = Path(os.environ.get("SVCTRIAGE_CORPUS", ROOT.parent / "shared/corpus"))
    archives = sorted(corpus.glob("evtx/*.tar.xz"))
    if not archives:
        print("counts of events: skipped: no corpus")
        return
    with tempfile.TemporaryDirectory() as folder:
        for archive in archives:
            with tarfile.open(archive) as packed:
                packed.extractall(folder, filter="data")
        paths = sorted(str(path) for path in Path(folder).rglob("*.evtx"))
        command = ["cargo", "run", "--quiet", "--locked", "--example", "count_events", "--"]
        ids = ",".join(map(str, COUNTED))
        said = subprocess.run([*command, ids, *paths], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        totals, seen, agreed, fewer = dict.fromkeys(COUNTED, 0), 0, 0, 0
        for line in said.splitlines():
            ours = json.loads(line)
            counts = {number: ours["live"].get(str(number), 0) for number in COUNTED}
            same(f"{ours['log']}: evtx", counted_by_rust(ours["log"]), (counts, ours["records"]))
            if any(counts.values()) and os.path.getsize(ours["log"]) <= SMALL:
                found, read = counted_by_python(ours["log"])
                if read < ours["records"]:
                    fewer += 1
                else:
                    same(f"{ours['log']}: python-evtx", (found, read), (counts, ours["records"]))
                    agreed += 1
            seen += ours["records"]
            for number in COUNTED:
                totals[number] += counts[number]
    same("every log was counted", len(said.splitlines()), len(paths))
    same("python-evtx is a witness", agreed > fewer, True)
    print(f"{len(paths)} logs, {seen} live records, {totals}: as evtx counts; {agreed} of them as python-evtx counts, which"
          f" reads fewer records of {fewer} more")


def main():
    write = "--hashes" in sys.argv[1:]
    for story in samples():
        readme(story, write)
    if write:
        return
    in_venv()
    for story in samples():
        for path in files(story):
            if path.read_bytes()[:7] == b"ElfFile":
                print(f"{path.relative_to(ROOT)}: {len(event_log(path))} records")
        globals()[story.name.replace("-", "_")](story / "evidence")
    corpus_counts()
    print("independent readers: all samples open")


if __name__ == "__main__":
    main()
