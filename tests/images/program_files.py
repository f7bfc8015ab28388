#!/usr/bin/env python3
"""Makes program-files.ntfs.xz: an NTFS volume whose services name their programs in every way.

Needs root, FUSE, ntfs-3g (mkntfs too), faketime, wimlib (libwim15) and xz.
Usage: program_files.py FILES [FOLDER]     FILES: what `cargo run --example make_programs -- FILES` wrote

Beside the files as they are: one is compressed as CompactOS does (LZX), one has the mark of the web, one was deleted, one
has times of 2010 in $STANDARD_INFORMATION, one may be written by ordinary users, two names have 8.3 names. Files are born on
2023-11-14 from 21:00 on, an hour before the services were installed; two of them on 2023-11-20. Fractions of seconds, serial
number and security identifiers differ from run to run.
"""
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from volume_features import LZX, TICKS_2010, Volume, Wim, reparse

SIZE = 6 << 20


def sid(*parts):
    """A SID of NT AUTHORITY."""
    return struct.pack("<BB6B", 1, len(parts), 0, 0, 0, 0, 0, 5) + struct.pack(f"<{len(parts)}I", *parts)


def descriptor(owner, *entries):
    """A security descriptor with an owner and allowed masks, in order."""
    aces = b"".join(struct.pack("<BBHI", 0, 0, 8 + len(who), mask) + who for who, mask in entries)
    dacl = struct.pack("<BBHHH", 2, 0, 8 + len(aces), len(entries), 0) + aces
    return struct.pack("<BBHIIII", 1, 0, 0x8004, 20, 20 + len(owner), 0, 20 + 2 * len(owner)) + owner + owner + dacl


SYSTEM, ADMINS, USERS = sid(18), sid(32, 544), sid(32, 545)
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
LATE = ("Users/Public/fallen.exe", "Acme.exe")
FULL, MODIFY, READ = 0x1F01FF, 0x1301BF, 0x1200A9


def fill(root, files):
    late = [str(files / path) for path in LATE]
    shutil.copytree(files, root, dirs_exist_ok=True, copy_function=shutil.copyfile, ignore=lambda folder, names: [
        name for name in names if f"{folder}/{name}" in late])
    packed = root / "Windows/System32/packed.exe"
    data = packed.read_bytes()
    packed.write_bytes(b"")
    os.truncate(packed, len(data))
    Path(f"{packed}:WofCompressedData").write_bytes(Wim().stream(data, LZX, 32768))
    os.setxattr(packed, "system.ntfs_reparse_data", reparse(0x80000017, struct.pack("<4I", 1, 2, 1, 1)))
    os.setxattr(root / "Program Files", "system.ntfs_dos_name", b"PROGRA~1")
    folder = root / "Program Files/long folder name"
    os.setxattr(folder, "system.ntfs_dos_name", b"LONGNA~1")
    os.setxattr(folder / "long program name.exe", "system.ntfs_dos_name", b"LONGPR~1.EXE")
    protect([root, *sorted(root.rglob("*"))])


def add_late(root, files):
    """What came after the services: the program from the web, and the one in another's place."""
    for path in LATE:
        shutil.copyfile(files / path, root / path)
    Path(f"{root}/Users/Public/fallen.exe:Zone.Identifier").write_bytes(
        b"[ZoneTransfer]\r\nZoneId=3\r\nReferrerUrl=http://203.0.113.45/\r\nHostUrl=http://203.0.113.45/fallen.exe\r\n")
    protect([root / path for path in LATE])
    (root / "ProgramData/gone.exe").unlink()


def protect(paths):
    """Ordinary users may read, and write in two folders."""
    usual = descriptor(ADMINS, (SYSTEM, FULL), (ADMINS, FULL), (USERS, READ))
    loose = descriptor(ADMINS, (SYSTEM, FULL), (ADMINS, FULL), (USERS, MODIFY))
    for path in paths:
        is_loose = "Acme Open" in path.parts or "Public" in path.parts
        os.setxattr(path, "system.ntfs_acl", loose if is_loose else usual)


def main():
    files = Path(sys.argv[1])
    out = Path(sys.argv[2] if len(sys.argv) > 2 else Path(__file__).parent)
    with tempfile.TemporaryDirectory() as folder:
        path, root = Path(folder) / "volume", Path(folder) / "mounted"
        root.mkdir()
        path.write_bytes(b"")
        os.truncate(path, SIZE)
        subprocess.run(["mkntfs", "-F", "-q", "-Q", "-s", "512", "-c", "1024", "-p", "0", "-H", "0", "-S", "0",
                        "-L", "Windows", path], check=True)
        for time, put in [("@2023-11-14 21:00:00", fill), ("@2023-11-20 03:14:07", add_late)]:
            clock = {**os.environ, "TZ": "UTC", "LD_PRELOAD": FAKETIME, "FAKETIME": time}
            options = "streams_interface=windows,nocache"
            subprocess.run(["ntfs-3g", "-o", options, path, root], check=True, env=clock)
            try:
                put(root, files)
                stomped = (root / "Windows/System32/stomped.exe").stat().st_ino
            finally:
                subprocess.run(["umount", root], check=True)
        volume = Volume(path)
        volume.patch(stomped, 0x10, 0, struct.pack("<4Q", *[TICKS_2010] * 4), True)
        path.write_bytes(volume.bytes)
        out.mkdir(parents=True, exist_ok=True)
        image = out / "program-files.ntfs.xz"
        packed = subprocess.run(["xz", "-9e", "-c", path], check=True, capture_output=True).stdout
        image.write_bytes(packed)
        print(f"{image}: {len(packed)} bytes")


if __name__ == "__main__":
    main()
