#!/usr/bin/env python3
"""Writes a shadow copy into an NTFS volume: the copy is the volume OLD, the volume stays NEW.

    shadow_copy.py reserve FILE             fills the file the store goes into, on the mounted OLD volume
    shadow_copy.py write OLD NEW OUT TIME   OUT is NEW with a shadow copy made at TIME (seconds since 1970, UTC)

NEW is a copy of OLD whose files were changed and whose reserved file was left alone. Source of the layout: Joachim
Metz, "Volume Shadow Snapshot (VSS) format" (libvshadow documentation). Everything is little-endian, in blocks of
16 KiB: the catalog, the store's header, ranges, bitmap and block list, then the older bytes of each block that
differs. As Windows does, the store describes every block that differs, except those of the store itself.
"""
import struct
import sys
import uuid

BLOCK = 0x4000
CLUSTER = 4096
RESERVED = 120 * BLOCK
VOLUME_HEADER_AT = 0x1E00
VOLUME_HEADER, CATALOG, BLOCK_LIST, STORE_HEADER, RANGES, BITMAP = range(1, 7)

IDENTIFIER = uuid.UUID("3808876b-c176-4e48-b7ae-04046e6cc752").bytes_le
VOLUME = uuid.UUID("53564354-0000-4000-8000-000000000300").bytes_le
STORE = uuid.UUID("53564354-0000-4000-8000-000000000301").bytes_le
COPY = uuid.UUID("53564354-0000-4000-8000-000000000302").bytes_le
SET = uuid.UUID("53564354-0000-4000-8000-000000000303").bytes_le
COMPUTER = "FIN-WS-014".encode("utf-16-le")

# How vssadmin's "ClientAccessibleWriters" are marked: persistent, client-accessible, no auto release, differential,
# auto recovered.
CLIENT_ACCESSIBLE_WRITERS, PROVIDER, ATTRIBUTES = 0x0D, 1, 0x0042000D
KEPT_BY_CLIENT = 0x40  # what the catalog says of copies since Windows Vista


def marked(number):
    """A cluster of the reserved file, which is found again by these bytes."""
    return (b"reserved for the shadow copy %08d\n" % number * CLUSTER)[:CLUSTER]


def reserve(path):
    with open(path, "wb") as file:
        for number in range(RESERVED // CLUSTER):
            file.write(marked(number))


def reserved(volume):
    """Where the whole blocks of the reserved file are: it must lie in one piece."""
    start = volume.index(marked(0))
    for number in range(RESERVED // CLUSTER):
        at = start + number * CLUSTER
        if volume[at:at + CLUSTER] != marked(number):
            raise SystemExit("the reserved file is in pieces")
    first = -(-start // BLOCK)
    return range(first, (start + RESERVED) // BLOCK)


def record(kind, relative, at, following, rest, size=0):
    """One block: a header of 128 bytes and what it is about."""
    head = IDENTIFIER + struct.pack("<IIQQQQ", 1, kind, relative, at, following, size)
    block = head.ljust(128, b"\0") + rest
    assert len(block) <= BLOCK
    return block.ljust(BLOCK, b"\0")


def chained(kind, store, places, contents):
    """Records that point to each other: block number to bytes."""
    made = {}
    for index, (place, rest) in enumerate(zip(places, contents)):
        following = places[index + 1] * BLOCK if index + 1 < len(contents) else 0
        made[place] = record(kind, (place - store) * BLOCK, place * BLOCK, following, rest)
    return made


def split(entries):
    """Entries, so many to a block as fit."""
    most = (BLOCK - 128) // len(entries[0])
    return [b"".join(entries[at:at + most]) for at in range(0, len(entries), most)]


def write(old, new, seconds):
    """The bytes of NEW with a shadow copy that is OLD."""
    out = bytearray(new)
    region = reserved(new)
    if reserved(old) != region:
        raise SystemExit("the reserved file moved")
    changed = [block for block in range(-(-len(old) // BLOCK))
               if block not in region and old[block * BLOCK:][:BLOCK] != new[block * BLOCK:][:BLOCK]]

    free = iter(region)
    catalog, store, ranges, bitmap = (next(free) for _ in range(4))
    listed = [next(free) for _ in range(-(-len(changed) * 32 // (BLOCK - 128)))]
    descriptors, made = [], {}
    for block in changed:
        kept = next(free, None)
        if kept is None:
            raise SystemExit(f"{len(changed)} blocks differ: more than are reserved")
        made[kept] = old[block * BLOCK:][:BLOCK]
        relative = (kept - store) * BLOCK
        descriptors.append(struct.pack("<QQQII", block * BLOCK, relative, kept * BLOCK, 0, 0))
    made |= chained(BLOCK_LIST, store, listed, split(descriptors))

    size = (region.stop - store) * BLOCK
    made[ranges] = record(RANGES, (ranges - store) * BLOCK, ranges * BLOCK, 0,
                          struct.pack("<QQQ", store * BLOCK, 0, size))
    # A set bit would mean that the block was free when the copy was made.
    made[bitmap] = record(BITMAP, (bitmap - store) * BLOCK, bitmap * BLOCK, 0, b"")
    about = bytes(16) + COPY + SET
    about += struct.pack("<IIII", CLIENT_ACCESSIBLE_WRITERS, PROVIDER, ATTRIBUTES, 0)
    about += 2 * (struct.pack("<H", len(COMPUTER)) + COMPUTER)
    made[store] = record(STORE_HEADER, 0, store * BLOCK, 0, about, len(about))

    created = (seconds + 11644473600) * 10_000_000
    entries = struct.pack("<QQ", 2, len(old)) + STORE + struct.pack("<QQQ", 1, KEPT_BY_CLIENT, created)
    entries = entries.ljust(128, b"\0")
    entries += struct.pack("<QQ", 3, listed[0] * BLOCK) + STORE
    entries += struct.pack("<QQQQQQ", store * BLOCK, ranges * BLOCK, bitmap * BLOCK, 0, size, 0)
    made[catalog] = record(CATALOG, 0, catalog * BLOCK, 0, entries)
    for place, block in made.items():
        out[place * BLOCK:(place + 1) * BLOCK] = block
    # What the reserved file has beyond the store is of no use to anybody.
    for place in free:
        out[place * BLOCK:(place + 1) * BLOCK] = bytes(BLOCK)

    header = IDENTIFIER + struct.pack("<IIQQQQQ", 1, VOLUME_HEADER, VOLUME_HEADER_AT, VOLUME_HEADER_AT, 0,
                                      catalog * BLOCK, 0) + VOLUME + VOLUME
    out[VOLUME_HEADER_AT:VOLUME_HEADER_AT + 512] = header.ljust(512, b"\0")
    return out


def main(arguments):
    match arguments:
        case ["reserve", path]:
            reserve(path)
        case ["write", old, new, out, seconds]:
            old, new = (open(path, "rb").read() for path in (old, new))
            with open(out, "wb") as file:
                file.write(write(old, new, int(seconds)))
        case _:
            raise SystemExit(__doc__)


main(sys.argv[1:])
