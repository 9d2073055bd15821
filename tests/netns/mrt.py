"""MRT (RFC 6396) for tests: read tables and updates, send them fast."""

import collections
import gzip
import ipaddress
import os
import pathlib
import struct

from speaker import (UPDATE, as_path, attribute, mp_unreach, nlri,
                     parse_as_path, parse_attributes, update)

TABLE_DUMP, TABLE_DUMP_V2, BGP4MP = 12, 13, 16


def data_file(name):
    """A file of real routing data, or None: these are not in the project."""
    here = pathlib.Path(__file__).resolve().parents[2]
    for d in (os.environ.get("ANA_DATA"), here.parent / "shared" / "data"):
        if d and (pathlib.Path(d) / name).exists():
            return pathlib.Path(d) / name
    return None


def records(path):
    """(time, type, subtype, body) of each record."""
    opener = gzip.open if str(path).endswith(".gz") else open
    with opener(path, "rb") as f:
        while True:
            head = f.read(12)
            if not head:
                return
            if len(head) < 12:
                raise ValueError("%s: cut record" % path)
            when, kind, sub, size = struct.unpack("!IHHI", head)
            yield when, kind, sub, f.read(size)


def _wide_path(attrs, size):
    """The attributes with their AS_PATH in 4-octet form, no AS4_*."""
    out = b""
    for kind, flags, value in attrs:
        if kind == 2 and size == 2:
            value = as_path(parse_as_path(value, False))
        elif kind == 7 and len(value) == 6:
            value = b"\0\0" + value
        elif kind in (17, 18):
            continue
        out += attribute(kind, flags, value)
    return out


def table(path):
    """(peer ASN, prefix, [(type, flags, value)], ASN size) of a dump."""
    peers = []
    for _, kind, sub, b in records(path):
        if kind == TABLE_DUMP:
            size = 4 if sub == 1 else 16
            prefix = "%s/%d" % (ipaddress.ip_address(b[4:4 + size]),
                                b[4 + size])
            at = 4 + size + 2 + 4 + size
            asn, n = struct.unpack("!HH", b[at:at + 4])
            yield asn, prefix, parse_attributes(b[at + 4:at + 4 + n]), 2
        elif kind == TABLE_DUMP_V2 and sub == 1:
            peers = _peers(b)
        elif kind == TABLE_DUMP_V2 and sub in (2, 4, 8, 10):
            yield from _entries(b, peers, 4 if sub in (2, 8) else 16,
                                add_path=sub >= 8)


def _peers(b):
    n = struct.unpack("!H", b[4:6])[0]
    b = b[6 + n:]
    count, b, out = struct.unpack("!H", b[:2])[0], b[2:], []
    for _ in range(count):
        kind, b = b[0], b[1 + 4 + (16 if b[0] & 1 else 4):]
        size = 4 if kind & 2 else 2
        out.append(int.from_bytes(b[:size], "big"))
        b = b[size:]
    return out


def _entries(b, peers, width, add_path):
    bits = b[4]
    n = (bits + 7) // 8
    prefix = "%s/%d" % (ipaddress.ip_address(b[5:5 + n].ljust(width, b"\0")),
                        bits)
    count, b = struct.unpack("!H", b[5 + n:7 + n])[0], b[7 + n:]
    for _ in range(count):
        index, b = struct.unpack("!H", b[:2])[0], b[6:]
        if add_path:
            b = b[4:]
        size, b = struct.unpack("!H", b[:2])[0], b[2:]
        yield peers[index], prefix, parse_attributes(b[:size]), 4
        b = b[size:]


def full_table(path, asn):
    """{attribute set as octets (no next hop): [prefixes]} of one peer."""
    sets = collections.OrderedDict()
    for peer, prefix, attrs, size in table(path):
        if peer != asn:
            continue
        key = _wide_path([a for a in attrs if a[0] not in (3, 5)], size)
        sets.setdefault(key, []).append(prefix)
    return sets


def _with_next_hop(key, next_hop):
    out, done = b"", False
    hop = attribute(3, 0x40, ipaddress.ip_address(next_hop).packed)
    for kind, flags, value in parse_attributes(key):
        if kind > 3 and not done:
            out, done = out + hop, True
        out += attribute(kind, flags, value)
    return out if done else out + hop


def packed(sets, next_hop):
    """UPDATEs for a table of full_table(), as few as there can be."""
    for key, prefixes in sets.items():
        attrs = _with_next_hop(key, next_hop)
        room = 4096 - 23 - len(attrs)
        reach = b""
        for p in prefixes:
            n = nlri(p)
            if len(reach) + len(n) > room:
                yield update(attrs=attrs, reach=reach)
                reach = b""
            reach += n
        yield update(attrs=attrs, reach=reach)


def withdrawals(prefixes):
    gone = b""
    for p in prefixes:
        n = nlri(p)
        if len(gone) + len(n) > 4096 - 23:
            yield update(withdrawn=gone)
            gone = b""
        gone += n
    if gone:
        yield update(withdrawn=gone)


def send_all(speaker, messages, chunk=1 << 16):
    """Send UPDATEs in large writes; returns how many there were."""
    out, count = [], 0
    size = 0
    for m in messages:
        out.append(m)
        size += len(m)
        count += 1
        if size >= chunk:
            speaker.send(b"".join(out))
            out, size = [], 0
    speaker.send(b"".join(out))
    return count


def updates(path):
    """(peer ASN, peer address, UPDATE body, ASN size) of a BGP4MP file."""
    for _, kind, sub, b in records(path):
        if kind != BGP4MP or sub not in (1, 4):
            continue
        size = 4 if sub == 4 else 2
        asn = int.from_bytes(b[:size], "big")
        at = 2 * size + 2
        width = 4 if struct.unpack("!H", b[at:at + 2])[0] == 1 else 16
        peer = str(ipaddress.ip_address(b[at + 2:at + 2 + width]))
        msg = b[at + 2 + 2 * width:]
        if len(msg) >= 19 and msg[18] == UPDATE:
            yield asn, peer, msg[19:], size


def replayed(body, size, asn, hop4, hop6):
    """One recorded UPDATE as AS asn would send it: 4-octet path that begins
    with asn, our next hops.  None where nothing is left of it."""
    n = struct.unpack("!H", body[:2])[0]
    gone, body = body[2:2 + n], body[2 + n:]
    n = struct.unpack("!H", body[:2])[0]
    attrs, reach = parse_attributes(body[2:2 + n]), body[2 + n:]
    out, mp = b"", b""
    for kind, flags, value in attrs:
        if kind == 2:
            path = [asn] + parse_as_path(value, size == 4)
            out += attribute(2, 0x40, as_path(path))
        elif kind == 3:
            out += attribute(3, 0x40, ipaddress.ip_address(hop4).packed)
        elif kind == 7 and len(value) == 6:
            out += attribute(7, flags, b"\0\0" + value)
        elif kind in (5, 17, 18):
            continue
        elif kind == 14:
            if value[:3] != b"\0\x02\x01":
                continue
            mp += attribute(14, 0x80, b"\0\x02\x01\x10" +
                            ipaddress.ip_address(hop6).packed + b"\0" +
                            value[5 + value[3]:])
        elif kind == 15:
            if value[:3] == b"\0\x02\x01":
                mp += mp_unreach(value[3:])
        else:
            out += attribute(kind, flags, value)
    if not reach and not mp:
        return update(withdrawn=gone) if gone else None
    msg = update(gone, mp + out, reach)
    return msg if len(msg) <= 4096 else None
