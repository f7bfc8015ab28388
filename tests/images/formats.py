#!/usr/bin/env python3
"""Writes the disk image parts that no packaged tool writes, for tests/images/make.sh.

    formats.py mbr DISK START-SECTORS...      MBR: primaries, the last in an extended partition
    formats.py gpt4k DISK SIZE VOLUME         GPT with sectors of 4096 bytes
    formats.py serial VOLUME HEX              the serial number of an NTFS volume
    formats.py aff4 DISK OUT zlib|snappy|map  AFF4 Standard v1.0
    formats.py ex01 DISK OUT plain|patterns   EWF2
    formats.py vhd-differencing PARENT CHILD  VHD that needs its parent

Layouts: UEFI 2.10 chapter 5 (GPT); AFF4 Standard v1.0 (aff4.org); libyal's description of the Expert Witness
Compression Format version 2; Microsoft's Virtual Hard Disk Image Format Specification 1.0. All identifiers and
times are fixed, so the same disk gives the same bytes.
"""

import hashlib
import struct
import sys
import uuid
import zipfile
import zlib
from pathlib import Path

CHUNK = 32 * 1024


def guid(number):
    return uuid.UUID(int=0x53564354_0000_4000_8000_000000000000 + number)


# Partition tables.


def mbr_entry(kind, start, count):
    # CHS fields that say "see LBA".
    return struct.pack("<B3sB3sII", 0, b"\xfe\xff\xff", kind, b"\xfe\xff\xff", start, count)


def mbr(disk, volumes):
    """An MBR disk of 512-byte sectors: every volume but the last is primary, the last one is logical."""
    start, placed = 2048, []
    for volume in volumes:
        data = Path(volume).read_bytes()
        placed.append((start, data))
        start += (len(data) // 512 + 2047) // 2048 * 2048 + 2048
    image = bytearray(start * 512)
    entries = [mbr_entry(0x07, at, len(data) // 512) for at, data in placed[:-1]]
    at, data = placed[-1]
    extended = at - 2048
    entries.append(mbr_entry(0x0F, extended, start - extended))
    boot = b"".join(entries).ljust(64, b"\0") + b"\x55\xaa"
    image[440:444] = struct.pack("<I", 0x53564354)
    image[446:512] = boot
    logical = mbr_entry(0x07, at - extended, len(data) // 512).ljust(64, b"\0") + b"\x55\xaa"
    image[extended * 512 + 446 : extended * 512 + 512] = logical
    for at, data in placed:
        image[at * 512 : at * 512 + len(data)] = data
    Path(disk).write_bytes(image)


BASIC_DATA = uuid.UUID("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7")


def gpt4k(disk, size, volume):
    """A GPT disk whose sectors are 4096 bytes long, with one basic data partition at 1 MiB."""
    sector, data = 4096, Path(volume).read_bytes()
    last = int(size) // sector - 1
    first = (1 << 20) // sector
    entry = struct.pack("<16s16sQQQ", BASIC_DATA.bytes_le, guid(1).bytes_le, first, first + len(data) // sector - 1, 0)
    entries = (entry + "Basic data partition".encode("utf-16-le").ljust(72, b"\0")).ljust(128 * 128, b"\0")

    def header(here, other, table):
        fields = struct.pack(
            "<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, here, other, 6, last - 5,
            guid(0).bytes_le, table, 128, 128, zlib.crc32(entries),
        )
        return fields[:16] + struct.pack("<I", zlib.crc32(fields)) + fields[20:]

    image = bytearray(int(size))
    image[446:512] = mbr_entry(0xEE, 1, last).ljust(64, b"\0") + b"\x55\xaa"
    image[sector : sector + 92] = header(1, last, 2)
    image[2 * sector : 2 * sector + len(entries)] = entries
    image[(last - 4) * sector : (last - 4) * sector + len(entries)] = entries
    image[last * sector : last * sector + 92] = header(last, 1, last - 4)
    image[1 << 20 : (1 << 20) + len(data)] = data
    Path(disk).write_bytes(image)


def serial(volume, digits):
    """The serial number is at 72 of the boot sector and of its copy in the last sector."""
    with open(volume, "r+b") as file:
        size = file.seek(0, 2)
        sector = 512
        file.seek(11)
        sector = struct.unpack("<H", file.read(2))[0]
        for boot in (0, size - sector):
            file.seek(boot + 3)
            if file.read(4) == b"NTFS":
                file.seek(boot + 72)
                file.write(bytes.fromhex(digits)[::-1])


# AFF4.


def snappy(data):
    """The raw format of Snappy: literals, and copies found through a table of four-byte words."""
    out, table, at, literal = bytearray(), {}, 0, 0
    length = len(data)
    while True:
        out.append(length & 0x7F | (0x80 if length > 0x7F else 0))
        length >>= 7
        if not length:
            break

    def flush(end):
        nonlocal literal
        while literal < end:
            part = data[literal : min(end, literal + 60)]
            out.append(len(part) - 1 << 2)
            out.extend(part)
            literal += len(part)

    while at + 4 <= len(data):
        word = data[at : at + 4]
        before = table.get(word)
        table[word] = at
        if before is None:
            at += 1
            continue
        size = 4
        while size < 64 and at + size < len(data) and data[before + size] == data[at + size]:
            size += 1
        flush(at)
        out.extend(struct.pack("<BH", (size - 1) << 2 | 2, at - before))
        at += size
        literal = at
    flush(len(data))
    return bytes(out)


AFF4 = "http://aff4.org/Schema#"
COMPRESSION = {
    "zlib": "https://www.ietf.org/rfc/rfc1950.txt",
    "snappy": "http://code.google.com/p/snappy/",
    "map": "https://www.ietf.org/rfc/rfc1950.txt",
}


def runs_of_data(image, step):
    """The parts of an image that are not zeros, as (start, end), on multiples of a step."""
    runs, zero = [], bytes(step)
    for at in range(0, len(image), step):
        if image[at : at + step] != zero[: len(image) - at]:
            if runs and runs[-1][1] == at:
                runs[-1][1] = min(at + step, len(image))
            else:
                runs.append([at, min(at + step, len(image))])
    return runs


def aff4(disk, out, method):
    """One image stream below a map. With "map", only what is not zeros is in the stream."""
    image = Path(disk).read_bytes()
    volume, stream, whole = (f"aff4://{guid(number)}" for number in (16, 17, 18))
    if method == "map":
        runs = runs_of_data(image, 1 << 16)
        content = b"".join(image[start:end] for start, end in runs)
    else:
        runs, content = [[0, len(image)]], image
    entries, at = [], 0
    for start, end in runs:
        entries.append(struct.pack("<QQQI", start, end - start, at, 0))
        at += end - start
    per_bevy = 256
    turtle = f"""@prefix aff4: <{AFF4}> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .

<{whole}>
    a aff4:DiskImage, aff4:Image, aff4:Map ;
    aff4:dependentStream <{stream}> ;
    aff4:mapGapDefaultStream aff4:Zero ;
    aff4:size {len(image)} ;
    aff4:stored <{volume}> .

<{stream}>
    a aff4:ImageStream ;
    aff4:chunkSize {CHUNK} ;
    aff4:chunksInSegment {per_bevy} ;
    aff4:compressionMethod <{COMPRESSION[method]}> ;
    aff4:hash "{hashlib.sha256(content).hexdigest()}"^^aff4:SHA256 ;
    aff4:size {len(content)} ;
    aff4:stored <{volume}> .
"""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.comment = volume.encode()

        def member(name, data):
            archive.writestr(zipfile.ZipInfo(name), data)

        def path(arn, name):
            return arn.replace(":", "%3A").replace("/", "%2F") + "/" + name

        member("container.description", volume)
        member("version.txt", "major=1\nminor=0\ntool=svctriage tests/images/formats.py\n")
        pack = snappy if method == "snappy" else lambda data: zlib.compress(data, 9)
        for number, first in enumerate(range(0, len(content), per_bevy * CHUNK)):
            bevy, index = bytearray(), bytearray()
            for at in range(first, min(first + per_bevy * CHUNK, len(content)), CHUNK):
                plain = content[at : at + CHUNK]
                packed = pack(plain)
                if len(packed) >= len(plain):
                    packed = plain
                index += struct.pack("<QI", len(bevy), len(packed))
                bevy += packed
            member(path(stream, f"{number:08x}"), bytes(bevy))
            member(path(stream, f"{number:08x}.index"), bytes(index))
        member(path(whole, "map"), b"".join(entries))
        member(path(whole, "idx"), stream + "\n")
        member("information.turtle", turtle)


# EWF version 2.


def ex01(disk, out, style):
    """One segment file. With "patterns", chunks of one repeated value are said to be a pattern, as EnCase does."""
    image = Path(disk).read_bytes()
    body = bytearray(struct.pack("<8sBBHI16s", b"EVF2\r\n\x81\0", 2, 1, 1, 1, guid(32).bytes_le))
    previous = 0

    def section(kind, data, hashed=True):
        nonlocal previous
        padding = -len(data) % 16
        body.extend(data + bytes(padding))
        descriptor = struct.pack(
            "<IIQQII16s12x", kind, 1 if hashed else 0, previous, len(data) + padding, 64, padding,
            hashlib.md5(data + bytes(padding)).digest() if hashed else bytes(16),
        )
        previous = len(body)
        body.extend(descriptor + struct.pack("<I", zlib.adler32(descriptor)))

    def text(lines):
        plain = b"\xff\xfe" + "\n".join(lines).encode("utf-16-le")
        return zlib.compress(plain, 9)

    sectors = str(len(image) // 512)
    count = str(-(-len(image) // CHUNK))
    section(1, text(["1", "main", "ts\tdt\tbp\tph", f"{sectors}\tf\t512\t1", "", ""]))
    section(2, text(["1", "main", "cn\ten\tex\ttb\tcp\tsb", f"svctriage\t1\ttests\t{count}\t1\t64", "", ""]))
    entries, data, base = bytearray(), bytearray(), len(body)
    for at in range(0, len(image), CHUNK):
        plain = image[at : at + CHUNK]
        packed = zlib.compress(plain, 9)
        if style == "patterns" and plain == plain[:8] * (len(plain) // 8):
            entries += plain[:8] + struct.pack("<II", 0, 1 | 4)
            continue
        if len(packed) < len(plain):
            entries += struct.pack("<QII", base + len(data), len(packed), 1)
        else:
            packed = plain + struct.pack("<I", zlib.adler32(plain))
            entries += struct.pack("<QII", base + len(data), len(packed), 2)
        data += packed + bytes(-len(packed) % 16)
    section(3, bytes(data), hashed=False)
    header = struct.pack("<QI4x", 0, len(entries) // 16)
    header += struct.pack("<I12x", zlib.adler32(header))
    section(4, header + entries + struct.pack("<I12x", zlib.adler32(bytes(entries))))
    for kind, digest in ((8, hashlib.md5(image).digest()), (9, hashlib.sha1(image).digest())):
        section(kind, digest + struct.pack("<I", zlib.adler32(digest)))
    section(15, b"")
    Path(out).write_bytes(body)


# VHD.


def vhd_differencing(parent, child):
    """An empty differencing VHD: every block is the parent's."""
    base = Path(parent).read_bytes()
    footer, header = bytearray(base[:512]), bytearray(base[512:1536])
    parent_id = footer[68:84]
    footer[60:64] = struct.pack(">I", 4)
    footer[68:84] = guid(48).bytes
    header[40:56] = parent_id
    name = Path(parent).name
    header[64:576] = name.encode("utf-16-be").ljust(512, b"\0")
    entries = struct.unpack(">I", header[28:32])[0]
    table = b"\xff\xff\xff\xff" * entries
    table += bytes(-len(table) % 512)
    locator = name.encode("utf-16-le")
    place = 1536 + len(table)
    header[576:600] = struct.pack(">4sIIIQ", b"W2ru", 512, len(locator), 0, place)
    for part, at in ((footer, 64), (header, 36)):
        part[at : at + 4] = bytes(4)
        part[at : at + 4] = struct.pack(">I", ~sum(part) & 0xFFFFFFFF)
    Path(child).write_bytes(footer + header + table + locator.ljust(512, b"\0") + footer)


def main():
    command, *rest = sys.argv[1:]
    {
        "mbr": lambda disk, *volumes: mbr(disk, volumes),
        "gpt4k": gpt4k,
        "serial": serial,
        "aff4": aff4,
        "ex01": ex01,
        "vhd-differencing": vhd_differencing,
    }[command](*rest)


if __name__ == "__main__":
    main()
