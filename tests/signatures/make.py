#!/usr/bin/env python3
"""Makes the signed images and catalogs of the tests, and the root they lead to.

Keys are made anew at each run and thrown away, so that what is committed can be checked but never signed again. Needs the
package `cryptography`. Usage: make.py FOLDER
"""

import datetime
import hashlib
import struct
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

OUT = Path(sys.argv[1])
BEGIN, END = datetime.datetime(2018, 1, 1), datetime.datetime(2020, 1, 1)
LONG = datetime.datetime(2048, 1, 1)


# DER


def tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def seq(*parts: bytes) -> bytes:
    return tlv(0x30, b"".join(parts))


def setof(*parts: bytes) -> bytes:
    return tlv(0x31, b"".join(sorted(parts)))


def oid(text: str) -> bytes:
    arcs = [int(part) for part in text.split(".")]
    octets = bytearray([arcs[0] * 40 + arcs[1]])
    for arc in arcs[2:]:
        chunk = [arc & 0x7F]
        while arc := arc >> 7:
            chunk.insert(0, 0x80 | arc & 0x7F)
        octets += bytes(chunk)
    return tlv(6, bytes(octets))


def octets(content: bytes) -> bytes:
    return tlv(4, content)


def integer(number: int) -> bytes:
    return tlv(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


NULL = tlv(5, b"")
DIGESTS = {
    "md5": "1.2.840.113549.2.5",
    "sha1": "1.3.14.3.2.26",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}
HASHES = {"sha1": hashes.SHA1, "sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha512": hashes.SHA512}


def digest_algorithm(name: str) -> bytes:
    return seq(oid(DIGESTS[name]), NULL)


def digest(name: str, content: bytes) -> bytes:
    return hashlib.new(name, content).digest()


# Certificates


class Party:
    """A key with its certificate."""

    def __init__(self, name, issuer=None, ca=False, usages=(), begin=BEGIN, end=LONG, key=None, organization="Example Ltd",
                 claimed_issuer=None):
        self.key = key or rsa.generate_private_key(65537, 2048)
        subject = x509.Name([
            x509.NameAttribute(NameOID.COUNTRY_NAME, "XX"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ])
        signer = issuer or self
        issuer_name = (claimed_issuer or issuer).cert.subject if issuer else subject
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer_name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
        )
        if usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(list(usages)), critical=bool(
                set(usages) == {ExtendedKeyUsageOID.TIME_STAMPING}))
        self.cert = builder.sign(signer.key, hashes.SHA256())
        self.der = self.cert.public_bytes(serialization.Encoding.DER)

    def identifier(self) -> bytes:
        return seq(self.cert.issuer.public_bytes(), integer(self.cert.serial_number))

    def sign(self, name: str, message: bytes, pss=False):
        """The algorithm and the signature."""
        kind = HASHES.get(name, hashes.SHA256)()
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            number = {"sha256": 2, "sha384": 3, "sha512": 4}[name]
            return seq(oid(f"1.2.840.10045.4.3.{number}")), self.key.sign(message, ec.ECDSA(kind))
        if pss:
            size = kind.digest_size
            parameters = seq(
                tlv(0xA0, digest_algorithm(name)),
                tlv(0xA1, seq(oid("1.2.840.113549.1.1.8"), digest_algorithm(name))),
                tlv(0xA2, integer(size)),
            )
            made = self.key.sign(message, padding.PSS(padding.MGF1(kind), size), kind)
            return seq(oid("1.2.840.113549.1.1.10"), parameters), made
        return seq(oid("1.2.840.113549.1.1.1"), NULL), self.key.sign(message, padding.PKCS1v15(), kind)


CODE = [ExtendedKeyUsageOID.CODE_SIGNING]
TIME = [ExtendedKeyUsageOID.TIME_STAMPING]
LIFETIME = [*CODE, ObjectIdentifier("1.3.6.1.4.1.311.10.3.13")]


# Signed messages


def attribute(kind: str, *values: bytes) -> bytes:
    return seq(oid(kind), setof(*values))


def utc_time(when: datetime.datetime) -> bytes:
    return tlv(0x17, when.strftime("%y%m%d%H%M%SZ").encode())


def signer_info(party, name, content, content_type, unsigned=(), pss=False, signing_time=None):
    attributes = [attribute("1.2.840.113549.1.9.4", octets(digest(name, content)))]
    if content_type:
        attributes.append(attribute("1.2.840.113549.1.9.3", oid(content_type)))
    if signing_time:
        attributes.append(attribute("1.2.840.113549.1.9.5", utc_time(signing_time)))
    signed = setof(*attributes)
    algorithm, signature = party.sign(name, signed, pss)
    unsigned = [one(signature) for one in unsigned]
    tail = tlv(0xA1, b"".join(sorted(unsigned))) if unsigned else b""
    return seq(integer(1), party.identifier(), digest_algorithm(name), b"\xa0" + signed[1:], algorithm, octets(signature),
               tail)


def message(party, content_type, inner, chain, name="sha256", certificates=(), wrap=False, **options):
    """A signed message; `inner` is the content of the value that is signed."""
    value = octets(inner) if wrap else tlv(0x30, inner)
    listed = sorted({one.der for one in [*chain, *certificates]})
    data = seq(
        integer(3 if wrap else 1),
        setof(digest_algorithm(name)),
        seq(oid(content_type), tlv(0xA0, value)),
        tlv(0xA0, b"".join(listed)),
        setof(signer_info(party, name, inner, content_type, **options)),
    )
    return seq(oid("1.2.840.113549.1.7.2"), tlv(0xA0, data))


def rfc3161(authority, when, chain):
    """An unsigned attribute with a token."""

    def stamp(signature: bytes) -> bytes:
        info = seq(
            integer(1), oid("1.2.3.4"), seq(digest_algorithm("sha256"), octets(digest("sha256", signature))),
            integer(7), tlv(0x18, when.strftime("%Y%m%d%H%M%SZ").encode()),
        )
        token = message(authority, "1.2.840.113549.1.9.16.1.4", info, chain, wrap=True)
        return attribute("1.3.6.1.4.1.311.3.3.1", token)

    return stamp


def pkcs9(authority, when):
    """An unsigned attribute with a countersignature."""
    return lambda signature: attribute(
        "1.2.840.113549.1.9.6",
        signer_info(authority, "sha1", signature, "1.2.840.113549.1.7.1", signing_time=when))


# Images


def image() -> bytes:
    """The smallest image that readers accept: one section, no imports."""
    optional = struct.pack("<HBBIIIIIQIIHHHHHHIIIIHHQQQQII", 0x20B, 14, 0, 0x200, 0, 0, 0x1000, 0x1000, 0x140000000, 0x1000,
                           0x200, 6, 0, 0, 0, 6, 0, 0, 0x2000, 0x200, 0, 3, 0, 0x100000, 0x1000, 0x100000, 0x1000, 0, 16)
    directories = bytes(8 * 16)
    header = b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 1, 0x5E000000, 0, 0, len(optional) + len(directories), 0x22)
    section = b".text\0\0\0" + struct.pack("<IIIIIIHHI", 0x10, 0x1000, 0x200, 0x200, 0, 0, 0, 0, 0x60000020)
    start = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40)
    whole = (start + header + optional + directories + section).ljust(0x200, b"\0")
    return whole + b"\x33\xc0\xc3".ljust(0x200, b"\xcc")


ENTRY = 0x40 + 24 + 112 + 4 * 8
CHECKSUM = 0x40 + 24 + 64


def authentihash(name: str, whole: bytes) -> bytes:
    return digest(name, whole[:CHECKSUM] + whole[CHECKSUM + 4:ENTRY] + whole[ENTRY + 8:])


def indirect(name: str, value: bytes) -> bytes:
    """The content of an SpcIndirectDataContent."""
    link = tlv(0xA0, tlv(0xA2, tlv(0x80, b"")))
    return seq(oid("1.3.6.1.4.1.311.2.1.15"), seq(tlv(3, b"\0"), link)) + seq(digest_algorithm(name), octets(value))


SPC = "1.3.6.1.4.1.311.2.1.4"


def signed_image(*messages: bytes, trailing=b"") -> bytes:
    plain = image()
    table = b""
    for one in messages:
        one += trailing
        one = one.ljust(-(-len(one) // 8) * 8, b"\0")
        table += struct.pack("<IHH", len(one) + 8, 0x200, 2) + one
    whole = bytearray(plain)
    struct.pack_into("<II", whole, ENTRY, len(plain), len(table))
    return bytes(whole) + table


def signature(party, chain, name="sha256", over=None, **options) -> bytes:
    over = over or name
    inner = indirect(over, authentihash(over, image()))
    return message(party, SPC, inner, chain, name=name, **options)


def catalog(party, chain, members, **options) -> bytes:
    """`members`: the digest, and whether it is filed in text as catalogs before Windows 8 do."""
    entries = []
    for value, name, in_text in members:
        filed = (value.hex().upper() + "\0").encode("utf-16-le") if in_text else value
        about = [attribute(SPC, tlv(0x30, indirect("sha1" if len(value) == 20 else "sha256", value)))]
        if name:
            text = (name + "\0").encode("utf-16-le")
            about.append(attribute("1.3.6.1.4.1.311.12.2.1", seq(tlv(0x1E, "File".encode("utf-16-be")), integer(0x10010001),
                                                                octets(text))))
        entries.append(seq(octets(filed), setof(*about)))
    inner = (
        seq(oid("1.3.6.1.4.1.311.12.1.1")) + octets(bytes(range(16))) + utc_time(datetime.datetime(2019, 6, 1))
        + seq(oid("1.3.6.1.4.1.311.12.1.3"), NULL) + seq(*entries)
    )
    return message(party, "1.3.6.1.4.1.311.10.1", inner, chain, **options)


def indefinite(whole: bytes) -> bytes:
    """The same message with its two outermost values of indefinite length."""
    body = whole[4:]
    kind, rest = body[:11], body[11:]
    data = rest[4:]
    return b"\x30\x80" + kind + b"\xa0\x80" + data + b"\0\0\0\0"


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    root = Party("Example Root", ca=True)
    middle = Party("Example Code Signing CA", root, ca=True)
    leaf = Party("Example Publisher", middle, usages=CODE)
    old = Party("Example Publisher of Old", middle, usages=CODE, end=END)
    mortal = Party("Example Mortal Publisher", middle, usages=LIFETIME, end=END)
    clock = Party("Example Time Authority", middle, usages=TIME)
    chain = [leaf, middle]
    curves = {
        "p256": (ec.SECP256R1(), "sha256"), "p384": (ec.SECP384R1(), "sha384"), "p521": (ec.SECP521R1(), "sha512"),
    }
    in_time, late = datetime.datetime(2019, 3, 4, 5, 6, 7), datetime.datetime(2021, 3, 4, 5, 6, 7)
    stranger = Party("Example Stranger", usages=CODE)
    small = Party("Example Small Shop", leaf, usages=CODE)
    web = Party("Example Web Server", middle, usages=[ExtendedKeyUsageOID.SERVER_AUTH])
    forger = Party("Example Forger CA", ca=True)
    forged = Party("Example Publisher", forger, usages=CODE, claimed_issuer=middle)
    good = signature(leaf, chain)
    nested = signature(leaf, chain, name="sha384")
    images = {
        "plain": image(),
        "sha256": signed_image(good),
        "sha1": signed_image(signature(leaf, chain, name="sha1")),
        "sha512": signed_image(signature(leaf, chain, name="sha512")),
        "pss": signed_image(signature(leaf, chain, pss=True)),
        "md5": signed_image(signature(leaf, chain, over="md5")),
        "self-signed": signed_image(signature(stranger, [stranger])),
        "expired": signed_image(signature(old, [old, middle])),
        "stamped": signed_image(signature(old, [old, middle], unsigned=[rfc3161(clock, in_time, [clock, middle])])),
        "countersigned": signed_image(
            signature(old, [old, middle], certificates=[clock], unsigned=[pkcs9(clock, in_time)])),
        "stamped-late": signed_image(signature(old, [old, middle], unsigned=[rfc3161(clock, late, [clock, middle])])),
        "stamped-by-publisher": signed_image(
            signature(old, [old, middle], unsigned=[rfc3161(leaf, in_time, [leaf, middle])])),
        "lifetime": signed_image(signature(mortal, [mortal, middle], unsigned=[rfc3161(clock, in_time, [clock, middle])])),
        "nested": signed_image(signature(
            leaf, chain, name="sha1", unsigned=[lambda _: attribute("1.3.6.1.4.1.311.2.4.1", nested)])),
        "two-entries": signed_image(good, nested),
        "issued-by-publisher": signed_image(signature(small, [small, leaf, middle])),
        "web-server": signed_image(signature(web, [web, middle])),
        "forged-issuer": signed_image(signature(forged, [forged, middle])),
        "without-issuer": signed_image(signature(leaf, [leaf])),
        "trailing": signed_image(good, trailing=b"payload behind the signature"),
        "indefinite": signed_image(indefinite(good)),
    }
    for name, (curve, algorithm) in curves.items():
        party = Party(f"Example {name} Publisher", middle, usages=CODE, key=ec.generate_private_key(curve))
        images[name] = signed_image(signature(party, [party, middle], name=algorithm))
    for name, whole in images.items():
        (OUT / f"{name}.exe").write_bytes(whole)
    plain = image()
    other = bytes(20)
    members = [(other, "other.exe", False), (authentihash("sha256", plain), "plain.exe", False)]
    (OUT / "new.cat").write_bytes(catalog(leaf, chain, members))
    (OUT / "old.cat").write_bytes(
        catalog(old, [old, middle], [(authentihash("sha1", plain), "plain.exe", True)], name="sha1",
                unsigned=[rfc3161(clock, in_time, [clock, middle])]))
    (OUT / "stranger.cat").write_bytes(catalog(stranger, [stranger], members))
    pem = root.cert.public_bytes(serialization.Encoding.PEM).decode()
    thumbprint = root.cert.fingerprint(hashes.SHA1()).hex()
    (OUT / "root.pem").write_text(f"# {thumbprint}; Example; code, time; Example Root\n{pem}")


if __name__ == "__main__":
    main()
