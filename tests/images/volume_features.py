#!/usr/bin/env python3
"""Makes volume-features.ntfs.xz and volume-features.json: a small NTFS volume with one of everything that is hard.

Needs root, FUSE, ntfs-3g (mkntfs too), wimlib (libwim15) and xz. Usage: volume_features.py [FOLDER]

The file contents are the same on every run; times, serial number and security identifiers are not, so the volume's
bytes differ from run to run. What the tests expect is in the JSON that is written beside it.
"""
import ctypes
import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

SIZE = 8 << 20
RECORD = 1024
CLUSTER = 1024
XPRESS, LZX = 1, 2
ALGORITHMS = {"xpress4k": (0, XPRESS, 4096), "lzx": (1, LZX, 32768),
              "xpress8k": (2, XPRESS, 8192), "xpress16k": (3, XPRESS, 16384)}
TICKS_2010 = 129067776000000000  # 2010-01-01T00:00:00Z


def noise(size, seed=b"svctriage"):
    """Bytes that cannot be compressed, the same on every run."""
    blocks = (hashlib.sha256(seed + struct.pack("<I", n)).digest() for n in range(size // 32 + 1))
    return b"".join(blocks)[:size]


def prose(size):
    """Bytes that can be compressed well."""
    lines = (b"service %d was started by %d\r\n" % (n // 97 % 61, n % 13) for n in range(size // 20))
    return b"".join(lines)[:size]


def calls(size):
    """Bytes like x86 code: calls (E8) forwards, backwards and out of the file, between others."""
    code = bytearray()
    n = 0
    while len(code) < size:
        target = (0x2000 - len(code), 0x40, -len(code) - 1, 12_000_000, 0x7fffffff)[n % 5]
        code += b"\x55\x8b\xec\xe8" + struct.pack("<i", target) + b"\x83\xc4\x08" + bytes([n % 7])
        n += 1
    return bytes(code[:size])


CONTENTS = {
    "tiny": b"tiny",
    "prose": prose(100_001),
    "noise": noise(36_000),
    "mixed": prose(30_000) + noise(6_000) + prose(30_003),
    "exact": prose(65_536),
    "calls": calls(40_000),
}


class Wim:
    """Compression as Windows' own, by wimlib."""

    def __init__(self):
        self.lib = ctypes.CDLL("libwim.so.15")
        self.lib.wimlib_create_compressor.argtypes = [ctypes.c_int, ctypes.c_size_t, ctypes.c_uint,
                                                      ctypes.POINTER(ctypes.c_void_p)]
        self.lib.wimlib_compress.restype = ctypes.c_size_t
        self.lib.wimlib_compress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t,
                                             ctypes.c_void_p]
        self.lib.wimlib_free_compressor.argtypes = [ctypes.c_void_p]

    def stream(self, data, kind, chunk):
        """The stream WofCompressedData: offsets of all chunks but the first, then the chunks."""
        handle = ctypes.c_void_p()
        assert self.lib.wimlib_create_compressor(kind, chunk, 0, ctypes.byref(handle)) == 0
        chunks = []
        for at in range(0, len(data), chunk):
            plain = data[at:at + chunk]
            room = ctypes.create_string_buffer(len(plain))
            size = self.lib.wimlib_compress(plain, len(plain), room, len(plain) - 1, handle)
            chunks.append(room.raw[:size] if size else plain)
        self.lib.wimlib_free_compressor(handle)
        offsets, at = [], 0
        for packed in chunks[:-1]:
            at += len(packed)
            offsets.append(struct.pack("<I", at))
        return b"".join(offsets) + b"".join(chunks)


def reparse(tag, data):
    return struct.pack("<IHH", tag, len(data), 0) + data


def junction(target):
    name = target.encode("utf-16-le")
    head = struct.pack("<HHHH", 0, len(name), len(name) + 2, 0)
    return reparse(0xA0000003, head + name + b"\0\0\0\0")


class Expected:
    """What the tests compare with."""

    def __init__(self):
        self.files, self.errors, self.entries = {}, {}, {}

    def file(self, path, data):
        self.files[path] = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def fill(root, expected):
    def write(path, data):
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        expected.file(path, data)
        return target

    wim = Wim()
    for name, (number, kind, chunk) in ALGORITHMS.items():
        for content, data in CONTENTS.items():
            path = f"overlay/{name}/{content}.dll"
            target = write(path, b"")
            expected.file(path, data)
            os.truncate(target, len(data))
            Path(f"{target}:WofCompressedData").write_bytes(wim.stream(data, kind, chunk))
            os.setxattr(target, "system.ntfs_reparse_data", reparse(0x80000017, struct.pack("<4I", 1, 2, 1, number)))
    for name, tag, data, why in [
        ("wim.dll", 0x80000017, struct.pack("<4I", 1, 1, 0, 0) + bytes(48), "external WIM"),
        ("deduplicated.dll", 0x80000013, bytes(64), "deduplicated"),
        ("cloud.txt", 0x9000601A, bytes(16), "OneDrive"),
        ("filter.dat", 0x80000099, bytes(8), "file system filter"),
        ("app.exe", 0x8000001B, bytes(8), "alias"),
    ]:
        target = write(f"elsewhere/{name}", bytes(5000))
        del expected.files[f"elsewhere/{name}"]
        expected.errors[f"elsewhere/{name}"] = why
        os.setxattr(target, "system.ntfs_reparse_data", reparse(tag, data))
    os.setxattr(root / "elsewhere/cloud.txt", "system.ntfs_attrib_be", struct.pack(">I", 0x401020))
    (root / "elsewhere/junction").mkdir()
    os.setxattr(root / "elsewhere/junction", "system.ntfs_reparse_data", junction("\\??\\C:\\Windows"))
    expected.entries["elsewhere/junction"] = "link"

    packed = root / "packed"
    packed.mkdir()
    os.setxattr(packed, "system.ntfs_attrib_be", struct.pack(">I", 0x810))
    for content, data in CONTENTS.items():
        write(f"packed/{content}.txt", data)
    write("packed/units.txt", noise(32_768) + prose(65_536) + prose(100))
    with open(packed / "holes.txt", "wb") as file:
        file.write(prose(70_000))
        file.seek(300_000)
        file.write(prose(70_000))
    expected.file("packed/holes.txt", prose(70_000) + bytes(230_000) + prose(70_000))
    write("packed/records.txt", b"".join(prose(3000) + bytes([n % 256]) * 62_536 for n in range(130)))

    with open(root / "pieces.bin", "wb") as file:
        data = bytearray()
        for n in range(0, 700, 2):
            file.seek(n * CLUSTER)
            file.write(bytes([n % 251]) * CLUSTER)
            data += bytes([n % 251]) * CLUSTER + bytes(CLUSTER)
        data = data[:-CLUSTER]
    expected.file("pieces.bin", bytes(data))

    write("many.bin", b"many streams")
    for n in range(300):
        Path(f"{root}/many.bin:stream{n:03}").write_bytes(b"stream %d" % n)
        if n % 50 == 49:
            expected.file(f"many.bin:stream{n:03}", b"stream %d" % n)
    write("\u00dcn\u00efc\u00f8d\u00e9 \u0416.dll", b"not only ASCII")
    write("case/Case.txt", b"upper")
    write("case/case.txt", b"lower")
    write("links/first.exe", b"one file, two names")
    os.link(root / "links/first.exe", root / "links/second.exe")
    expected.file("links/second.exe", b"one file, two names")
    write("Program Files/long name.exe", b"short name too")
    os.setxattr(root / "Program Files", "system.ntfs_dos_name", b"PROGRA~1")
    os.setxattr(root / "Program Files/long name.exe", "system.ntfs_dos_name", b"LONGNA~1.EXE")
    for n in range(160):
        path = f"large/a file with a rather long name {n:04}.txt"
        write(path, b"%d" % n)
        if n % 50 != 49:
            del expected.files[path]
    write("/".join(f"level{n}" for n in range(40)) + "/deep.txt", b"deep")
    write("empty.txt", b"")
    write("stomped.exe", b"times of 2010 in $STANDARD_INFORMATION")
    write("valid.bin", bytes(50_000))
    (root / "valid.bin").write_bytes(noise(20_000) + b"STALE" * 6_000)
    expected.file("valid.bin", noise(20_000) + bytes(30_000))
    write("secret.txt", noise(5000))
    del expected.files["secret.txt"]
    expected.errors["secret.txt"] = "Encrypting File System"
    write("deleted/gone.exe", noise(2000, b"gone"))
    expected.files["gone"] = expected.files.pop("deleted/gone.exe")
    write("deleted/many.bin", b"")
    del expected.files["deleted/many.bin"]
    for n in range(60):
        Path(f"{root}/deleted/many.bin:stream{n}").write_bytes(b"stream %d" % n)


class Volume:
    """The bytes of the volume, for what ntfs-3g cannot make."""

    def __init__(self, path):
        self.path = path
        self.bytes = bytearray(path.read_bytes())
        self.mft = struct.unpack_from("<Q", self.bytes, 48)[0] * CLUSTER

    def record(self, number):
        """A file record, its protection against torn writes taken off."""
        at = self.mft + number * RECORD
        record = self.bytes[at:at + RECORD]
        array, count = struct.unpack_from("<HH", record, 4)
        for block in range(1, count):
            record[block * 512 - 2:block * 512] = record[array + 2 * block:array + 2 * block + 2]
        return record

    def put(self, at, record):
        array, count = struct.unpack_from("<HH", record, 4)
        for block in range(1, count):
            record[array + 2 * block:array + 2 * block + 2] = record[block * 512 - 2:block * 512]
            record[block * 512 - 2:block * 512] = record[array:array + 2]
        self.bytes[at:at + RECORD] = record

    def put_record(self, number, record):
        self.put(self.mft + number * RECORD, record)

    @staticmethod
    def attributes(record):
        at = struct.unpack_from("<H", record, 20)[0]
        while struct.unpack_from("<I", record, at)[0] != 0xFFFFFFFF:
            yield struct.unpack_from("<I", record, at)[0], at, struct.unpack_from("<I", record, at + 4)[0]
            at += struct.unpack_from("<I", record, at + 4)[0]

    def attribute(self, record, kind):
        return next((at, size) for found, at, size in self.attributes(record) if found == kind)

    def patch(self, number, kind, offset, value, is_in_value=False):
        record = self.record(number)
        at, _ = self.attribute(record, kind)
        if is_in_value:
            at += struct.unpack_from("<H", record, at + 20)[0]
        record[at + offset:at + offset + len(value)] = value
        self.put_record(number, record)

    def break_mft(self):
        """Moves all but the first 128 records elsewhere and describes them in record 15, by an attribute list."""
        first = self.record(0)
        at, size = self.attribute(first, 0x80)
        runs = at + struct.unpack_from("<H", first, at + 32)[0]
        length = first[runs] & 15
        assert first[runs + 1 + length + (first[runs] >> 4)] == 0, "the $MFT is in pieces already"
        clusters = int.from_bytes(first[runs + 1:runs + 1 + length], "little")
        kept = 128 * RECORD // CLUSTER
        moved = clusters - kept
        targets = []
        while (left := moved - sum(count for count, _ in targets)) > 0:
            count = min(left, 12)
            target = self.free(count)
            start = self.mft + (kept + moved - left) * CLUSTER
            self.bytes[target * CLUSTER:(target + count) * CLUSTER] = self.bytes[start:start + count * CLUSTER]
            targets.append((count, target))
        start = self.mft + kept * CLUSTER
        self.bytes[start:start + moved * CLUSTER] = b"\xee" * (moved * CLUSTER)
        sizes = bytes(first[at + 40:at + 64])

        def piece(low, runs, instance):
            part, before = bytearray(64), 0
            for count, lcn in runs:
                part += b"\x22" + struct.pack("<Hh", count, lcn - before)
                before = lcn
            part += bytes(8 - len(part) % 8)
            struct.pack_into("<IIBBHHH", part, 0, 0x80, len(part), 1, 0, 64, 0, instance)
            struct.pack_into("<QQH", part, 16, low, low + sum(count for count, _ in runs) - 1, 64)
            part[40:64] = sizes if low == 0 else bytes(24)
            return bytes(part)
        others = {kind: bytes(first[a:a + s]) for kind, a, s in self.attributes(first)}
        instances = {kind: struct.unpack_from("<H", value, 14)[0] for kind, value in others.items()}
        entries = b"".join(
            struct.pack("<IHBBQQH6x", kind, 32, 0, 26, low, holder, instance)
            for kind, low, holder, instance in [
                (0x10, 0, 1 << 48, instances[0x10]), (0x30, 0, 1 << 48, instances[0x30]),
                (0x80, 0, 1 << 48, instances[0x80]), (0x80, kept, 15 | 15 << 48, 0),
                (0xB0, 0, 1 << 48, instances[0xB0])])
        listed = struct.pack("<IIBBHHHIHH", 0x20, 24 + len(entries), 0, 0, 24, 0, 9, len(entries), 24, 0) + entries
        lcn = self.mft // CLUSTER
        body = (others[0x10] + listed + others[0x30] + piece(0, [(kept, lcn)], instances[0x80]) + others[0xB0]
                + b"\xff\xff\xff\xff" + bytes(4))
        self.put_record(0, self.with_body(first, body))
        last = self.record(15)
        struct.pack_into("<HHHH", last, 16, 15, 0, 56, 1)
        struct.pack_into("<Q", last, 32, 1 << 48)
        self.put_record(15, self.with_body(last, piece(kept, targets, 0) + b"\xff\xff\xff\xff" + bytes(4)))
        mirror = struct.unpack_from("<Q", self.bytes, 56)[0] * CLUSTER
        self.bytes[mirror:mirror + RECORD] = self.bytes[self.mft:self.mft + RECORD]

    @staticmethod
    def with_body(record, body):
        start = struct.unpack_from("<H", record, 20)[0]
        assert start + len(body) <= RECORD - 8
        record = record[:start] + body + bytes(RECORD - start - len(body))
        struct.pack_into("<I", record, 24, start + len(body))
        return bytearray(record)

    def free(self, count):
        """Clusters in a row that are not in use, by $Bitmap; they are marked."""
        record = self.record(6)
        at, _ = self.attribute(record, 0x80)
        runs = at + struct.unpack_from("<H", record, at + 32)[0]
        length = record[runs] & 15
        offset = int.from_bytes(record[runs + 1 + length:runs + 1 + length + (record[runs] >> 4)], "little")
        base = offset * CLUSTER
        total = SIZE // CLUSTER - 1
        used = [self.bytes[base + n // 8] >> n % 8 & 1 for n in range(total)]
        start = next(n for n in range(total - count, 0, -1) if not any(used[n:n + count]))
        for n in range(start, start + count):
            self.bytes[base + n // 8] |= 1 << n % 8
        return start


def main():
    out = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    expected = Expected()
    with tempfile.TemporaryDirectory() as folder:
        path, root = Path(folder) / "volume", Path(folder) / "mounted"
        root.mkdir()
        path.write_bytes(b"")
        os.truncate(path, SIZE)
        subprocess.run(["mkntfs", "-F", "-q", "-Q", "-s", "512", "-c", str(CLUSTER), "-p", "0", "-H", "0", "-S", "0",
                        "-L", "Features", path], check=True)
        mount = ["ntfs-3g", "-o", "compression,streams_interface=windows,nocache", path, root]
        subprocess.run(mount, check=True)
        try:
            fill(root, expected)
            numbers = {name: (root / name).stat().st_ino
                       for name in ("stomped.exe", "valid.bin", "secret.txt", "deleted/gone.exe", "deleted/many.bin",
                                     "links/first.exe")}
        finally:
            subprocess.run(["umount", root], check=True)
        subprocess.run(mount, check=True)
        (root / "deleted/gone.exe").unlink()
        (root / "deleted/many.bin").unlink()
        subprocess.run(["umount", root], check=True)
        volume = Volume(path)
        volume.patch(numbers["stomped.exe"], 0x10, 0, struct.pack("<4Q", *[TICKS_2010 + n for n in range(4)]), True)
        volume.patch(numbers["valid.bin"], 0x80, 56, struct.pack("<Q", 20_000))
        volume.patch(numbers["secret.txt"], 0x80, 12, struct.pack("<H", 0x4000))
        volume.break_mft()
        path.write_bytes(volume.bytes)
        out.mkdir(parents=True, exist_ok=True)
        image = out / "volume-features.ntfs.xz"
        image.write_bytes(subprocess.run(["xz", "--delta=dist=2", "--lzma2=preset=9e", "-c", path],
                                         check=True, capture_output=True).stdout)
        (out / "volume-features.json").write_text(json.dumps(
            {"files": expected.files, "errors": expected.errors, "entries": expected.entries, "records": numbers},
            indent=0, sort_keys=True, ensure_ascii=False) + "\n")
        print(f"{image}: {image.stat().st_size} bytes")


if __name__ == "__main__":
    main()
