"""Every reaction to what a peer must not send: the table of errors, row by
row, with raw octets.  Each case also sends a good route afterwards: on the
same session where it stays up, else on the next one."""

import os
import re
import socket
import struct
import subprocess

import pytest

from ana import Ana, sanitizer_reports
from lab import Lab, wait_until
from routers import Route
from speaker import (KEEPALIVE, MARKER, NOTIFICATION, OPEN, REFRESH, UPDATE,
                     Closed, Connection, as_path, attribute, capabilities,
                     capability, in_session, keepalive, message, mp_reach,
                     mp_unreach, nlri, notification, open_message, update)

US, PEER = 52580, 3292
ANA = "192.0.2.1"
HOP6, ANA6 = "2001:db8:1::2", "2001:db8:1::1"
MALFORMED, NEXT_HOP, FIRST_AS, BOGON_ASN, BOGON, AS_SET, LOOP, OTC = (
    1006, 5, 6, 7, 2, 1008, 1003, 1005)
NOT_GLOBAL, LENGTH = 10, 13
W, D = "withdraw", "discard"


def u16(v):
    return struct.pack("!H", v)


def u32(v):
    return struct.pack("!I", v)


def opened(asn=PEER, hold=90, caps=None, **kw):
    return open_message(asn, hold, caps=capabilities(asn, ("inet", "inet6"))
                        if caps is None else caps, **kw)


def raw_open(params, length=None, asn=PEER):
    return message(OPEN, struct.pack(
        "!BHH4sB", 4, asn, 90, b"\xc0\0\2\x63",
        len(params) if length is None else length) + params)


def body(conn, prefix, attrs=None, drop=(), origin=b"\0", path=None, hop=None,
         more=b"", withdrawn=b"", reach=None, first=b"", pref=None):
    """One UPDATE; what is not given is as it should be."""
    if attrs is None:
        attrs = {1: attribute(1, 0x40, origin),
                 2: attribute(2, 0x40, as_path(
                     [conn.asn] if path is None and not conn.internal else
                     path or [], conn.as4) if not isinstance(path, bytes)
                     else path),
                 3: attribute(3, 0x40, socket.inet_aton(conn.local)
                              if hop is None else hop)}
        if conn.internal:
            attrs[5] = attribute(5, 0x40, u32(100) if pref is None else pref)
        attrs = b"".join(v for k, v in sorted(attrs.items())
                         if k not in drop)
    return update(withdrawn, first + attrs + more,
                  nlri(prefix) if reach is None else reach)


def with_(**kw):
    return lambda c, p: body(c, p, **kw)


def mp(value, flags=0x80, kind=14, **kw):
    return lambda c, p: body(c, p, first=attribute(kind, flags, value), **kw)


def mp6(hop=HOP6, reach=b"", family=2, safi=1, hoplen=None, reserved=b"\0"):
    raw = socket.inet_pton(socket.AF_INET6, hop) if isinstance(hop, str) \
        else hop
    return u16(family) + bytes([safi, len(raw) if hoplen is None else hoplen
                                ]) + raw + reserved + reach


# ---- UPDATEs that the session survives -------------------------------------
# name, session, UPDATE of (connection, prefix), where the prefix is afterwards
# (reason of the rejection, None: accepted, "absent"), what was counted.

def flags_rows():
    right = {1: (0x40, b"\0"), 2: (0x40, None), 3: (0x40, None),
             4: (0x80, u32(1)), 5: (0x40, u32(1)), 6: (0x40, b""),
             7: (0xc0, u32(PEER) + b"\1\1\1\1"), 8: (0xc0, u32(1 << 16)),
             9: (0x80, u32(9)), 10: (0x80, u32(9)), 16: (0xc0, b"\0\2" * 4),
             17: (0xc0, b"\2\1" + u32(PEER)),
             18: (0xc0, u32(PEER) + b"\1\1\1\1"), 32: (0xc0, b"\0" * 12),
             35: (0xc0, u32(PEER))}
    rows = []
    for kind, (flags, value) in right.items():
        for bit in (0x80, 0x40):
            def make(c, p, kind=kind, bit=bit, flags=flags, value=value):
                v = value
                if kind == 2:
                    v = as_path([PEER])
                elif kind == 3:
                    v = socket.inet_aton(c.local)
                return body(c, p, drop=(kind,),
                            more=attribute(kind, flags ^ bit, v))
            # An unknown well-known attribute is another row: with Optional
            # away these are still known ones.
            rows.append(("flags-%d-%02x" % (kind, bit), "ext", make,
                         MALFORMED, W))
    return rows


STAYS = flags_rows() + [
    # ---- the frame
    ("last-attribute-overruns", "ext",
     with_(more=b"\x80\x04\x20\0\0\0\1"), MALFORMED, W),
    ("one-octet-left", "ext", with_(more=b"\x80"), MALFORMED, W),
    ("two-octets-left", "ext", with_(more=b"\x80\x04"), MALFORMED, W),
    ("three-octets-left-extended", "ext", with_(more=b"\x90\x04\0"),
     MALFORMED, W),
    ("mp-of-another-family-counts-as-nlri", "v4only",
     lambda c, p: update(attrs=mp_reach(HOP6, nlri("2a01:4f8::/32")) +
                         attribute(1, 0x40, b"\7")), "absent", W),
    ("nlri-of-a-family-not-agreed-on", "v6only", with_(), "absent", None),
    ("withdrawn-of-a-family-not-agreed-on", "v6only",
     lambda c, p: update(withdrawn=nlri(p)), "absent", None),
    ("trailing-bits", "ext",
     lambda c, p: body(c, p, reach=nlri(p)[:3] + bytes([nlri(p)[3] | 1])
                       if p.endswith("/22") else nlri(p)), None, None),
    ("same-prefix-twice", "ext",
     lambda c, p: body(c, p, reach=nlri(p) * 2), None, None),
    ("announced-and-withdrawn", "ext",
     lambda c, p: body(c, p, withdrawn=nlri(p)), None, None),
    ("origin-twice", "ext", with_(more=attribute(1, 0x40, b"\7")), None,
     None),
    ("origin-twice-first-bad", "ext",
     with_(origin=b"\7", more=attribute(1, 0x40, b"\0")), MALFORMED, W),
    ("unknown-twice", "ext",
     with_(more=attribute(99, 0xc0, b"a") + attribute(99, 0xc0, b"b")), None,
     None),
    ("update-of-5000", "ext", with_(more=attribute(99, 0xc0, b"x" * 4900)),
     None, None),
    ("partial-on-well-known", "ext",
     with_(drop=(1,), first=attribute(1, 0x60, b"\0")), None, None),
    ("partial-on-med", "ext", with_(more=attribute(4, 0xa0, u32(1))), None,
     None),
    ("low-flag-bits", "ext",
     with_(drop=(1,), first=attribute(1, 0x4f & ~0x10, b"\0")), None, None),
    ("extended-length-of-1", "ext",
     with_(drop=(1,), first=attribute(1, 0x50, b"\0")), None, None),
    ("any-order", "ext",
     lambda c, p: body(c, p, attrs=attribute(3, 0x40, socket.inet_aton(
         c.local)) + attribute(2, 0x40, as_path([c.asn])) +
         attribute(1, 0x40, b"\0")), None, None),
    ("all-in-one", "ext",
     lambda c, p: body(c, p, withdrawn=nlri("2.77.0.0/16"), first=mp_reach(
         HOP6, nlri("2a01:4f8:1::/48")) + mp_unreach(nlri("2a01:4f8::/48"))),
     None, None),
    ("unknown-of-length-0", "ext", with_(more=attribute(99, 0xc0, b"")), None,
     None),
    ("no-origin", "ext", with_(drop=(1,)), MALFORMED, W),
    ("no-as-path", "ext", with_(drop=(2,)), MALFORMED, W),
    ("no-next-hop", "ext", with_(drop=(3,)), MALFORMED, W),
    ("mp-reach-stands-not-for-next-hop", "ext",
     with_(drop=(3,), first=mp_reach(HOP6, nlri("2a01:4f8:2::/48"))),
     MALFORMED, W),
    ("nothing-mandatory-without-nlri", "ext",
     lambda c, p: update(attrs=attribute(4, 0x80, u32(1))), "absent", None),
    ("attributes-and-nothing-else", "ext",
     lambda c, p: update(attrs=body(c, p)[23:-4]), "absent", None),
    ("no-local-pref-internal", "int", with_(drop=(5,)), MALFORMED, W),
    ("next-hop-ignored-without-nlri", "ext",
     lambda c, p: update(attrs=mp_reach(HOP6, nlri("2a01:4f8:3::/48")) +
                         attribute(1, 0x40, b"\0") + attribute(
                             2, 0x40, as_path([c.asn])) +
                         attribute(3, 0x40, b"\0\0\0\0")), "absent", None),
    ("unknown-transitive", "ext", with_(more=attribute(99, 0xc0, b"abc")),
     None, None),
    ("unknown-non-transitive", "ext", with_(more=attribute(99, 0x80, b"abc")),
     None, None),
    ("type-0", "ext", with_(more=attribute(0, 0xc0, b"abc")), None, D),
    ("end-of-rib", "ext", lambda c, p: update(), "absent", None),
    ("end-of-rib-inet6", "ext", lambda c, p: update(attrs=mp_unreach(b"")),
     "absent", None),
    ("end-of-rib-not-agreed-on", "v4only",
     lambda c, p: update(attrs=mp_unreach(b"")), "absent", None),
    ("multicast-prefix", "ext",
     lambda c, p: body(c, p, reach=nlri(p) + nlri("224.0.0.0/24")), None,
     None),
    # ---- ORIGIN
    ("origin-length-2", "ext", with_(origin=b"\0\0"), MALFORMED, W),
    ("origin-length-0", "ext", with_(origin=b""), MALFORMED, W),
    ("origin-3", "ext", with_(origin=b"\3"), MALFORMED, W),
    # ---- AS_PATH
    ("segment-type-0", "ext", with_(path=b"\0\1" + u32(PEER)), MALFORMED, W),
    ("segment-type-5", "ext", with_(path=b"\5\1" + u32(PEER)), MALFORMED, W),
    ("segment-overrun", "ext", with_(path=b"\2\2" + u32(PEER)), MALFORMED, W),
    ("segment-1-octet-left", "ext", with_(path=b"\2\1" + u32(PEER) + b"\2"),
     MALFORMED, W),
    ("segment-empty", "ext", with_(path=b"\2\1" + u32(PEER) + b"\2\0"),
     MALFORMED, W),
    ("two-octet-path", "ext", with_(path=b"\2\1" + u16(PEER)), MALFORMED, W),
    ("confed-sequence", "ext", with_(path=b"\3\1" + u32(PEER)), MALFORMED, W),
    ("confed-set", "ext", with_(path=b"\2\1" + u32(PEER) + b"\4\1" +
                                u32(719)), MALFORMED, W),
    ("as-set", "ext", with_(path=[PEER, {719, 720}]), AS_SET, None),
    ("as-0", "ext", with_(path=[PEER, 0, 719]), MALFORMED, W),
    ("first-as", "ext", with_(path=[719, PEER]), FIRST_AS, None),
    ("first-segment-set", "ext", with_(path=[{PEER, 719}]),
     (FIRST_AS, AS_SET), None),
    ("empty-path-external", "ext", with_(path=b""), FIRST_AS, None),
    ("empty-path-internal", "int", with_(path=[]), None, None),
    ("own-as", "ext", with_(path=[PEER, US]), LOOP, None),
    ("as-trans", "ext", with_(path=[PEER, 23456]), BOGON_ASN, None),
    ("private-asn", "ext", with_(path=[PEER, 64512]), BOGON_ASN, None),
    # ---- NEXT_HOP
    ("next-hop-length-3", "ext", with_(hop=b"\xc0\0\2"), MALFORMED, W),
    ("next-hop-length-0", "ext", with_(hop=b""), MALFORMED, W),
    ("next-hop-0", "ext", with_(hop=b"\0\0\0\0"), MALFORMED, W),
    ("next-hop-127", "ext", with_(hop=b"\x7f\0\0\1"), MALFORMED, W),
    ("next-hop-multicast", "ext", with_(hop=b"\xe0\0\0\1"), MALFORMED, W),
    ("next-hop-class-e", "ext", with_(hop=b"\xf0\0\0\1"), MALFORMED, W),
    ("next-hop-broadcast", "ext", with_(hop=b"\xff" * 4), MALFORMED, W),
    ("loopback-prefix", "ext",
     lambda c, p: body(c, p, reach=nlri(p) + nlri("127.0.0.0/8")), None,
     None),
    ("class-e-prefix", "ext",
     lambda c, p: body(c, p, reach=nlri(p) + nlri("240.0.0.0/24")), None,
     None),
    ("next-hop-ours", "ext", with_(hop=socket.inet_aton(ANA)), NEXT_HOP,
     None),
    ("next-hop-off-link", "ext", with_(hop=b"\x0a\1\1\1"), NEXT_HOP, None),
    # ---- the others
    ("med-length-3", "ext", with_(more=attribute(4, 0x80, b"abc")), MALFORMED,
     W),
    ("med-length-0", "ext", with_(more=attribute(4, 0x80, b"")), MALFORMED,
     W),
    ("local-pref-external", "ext", with_(more=attribute(5, 0x40, b"ab")),
     None, D),
    ("local-pref-internal-length", "int", with_(pref=b"abc"), MALFORMED, W),
    ("atomic-length-1", "ext", with_(more=attribute(6, 0x40, b"a")), None, D),
    ("aggregator-length-6", "ext", with_(more=attribute(7, 0xc0, b"abcdef")),
     None, D),
    ("aggregator-length-0", "ext", with_(more=attribute(7, 0xc0, b"")), None,
     D),
    ("aggregator-as-0", "ext",
     with_(more=attribute(7, 0xc0, u32(0) + b"\1\1\1\1")), None, D),
    ("aggregator-length-8-as2", "as2",
     with_(more=attribute(7, 0xc0, b"abcdefgh")), None, D),
    ("communities-length-0", "ext", with_(more=attribute(8, 0xc0, b"")),
     MALFORMED, W),
    ("communities-length-5", "ext", with_(more=attribute(8, 0xc0, b"abcde")),
     MALFORMED, W),
    ("originator-external", "ext", with_(more=attribute(9, 0x80, b"a")), None,
     D),
    ("originator-internal-length", "int",
     with_(more=attribute(9, 0x80, b"abc")), MALFORMED, W),
    ("originator-internal-ours", "int",
     with_(more=attribute(9, 0x80, socket.inet_aton(ANA))), LOOP, None),
    ("cluster-list-external", "ext", with_(more=attribute(10, 0x80, b"a")),
     None, D),
    ("cluster-list-internal-length", "int",
     with_(more=attribute(10, 0x80, b"abcde")), MALFORMED, W),
    ("cluster-list-internal-empty", "int",
     with_(more=attribute(10, 0x80, b"")), MALFORMED, W),
    ("ext-communities-length-0", "ext", with_(more=attribute(16, 0xc0, b"")),
     MALFORMED, W),
    ("ext-communities-length-9", "ext",
     with_(more=attribute(16, 0xc0, b"abcdefghi")), MALFORMED, W),
    ("cluster-list-internal", "int",
     with_(more=attribute(10, 0x80, u32(9))), None, None),
    ("large-any-value", "ext",
     with_(more=attribute(32, 0xc0, b"\xff" * 12)), None, None),
    ("code-not-known-here", "ext",
     with_(more=b"".join(attribute(k, 0xc0, b"abc") for k in (
         22, 23, 25, 27, 28, 38, 40, 128)) + b"".join(
             attribute(k, 0x80, b"abc") for k in (24, 26, 29, 33))),
     None, None),
    ("ext-communities-unknown-type", "ext",
     with_(more=attribute(16, 0xc0, b"\x3f\x3f" + b"abcdef")), None, None),
    ("as4-path-on-as4", "ext", with_(more=attribute(17, 0xc0, b"\x09\x09")), None,
     D),
    ("as4-aggregator-on-as4", "ext", with_(more=attribute(18, 0xc0, b"\0")),
     None, D),
    ("as4-path-odd", "as2", with_(more=attribute(
        17, 0xc0, b"\2\1" + u32(PEER) + b"a")), None, D),
    ("as4-path-short", "as2", with_(more=attribute(17, 0xc0, b"\2\0\0\0")),
     None, D),
    ("as4-path-bad-segment", "as2",
     with_(more=attribute(17, 0xc0, b"\7\1" + u32(PEER))), None, D),
    ("as4-path-as-0", "as2",
     with_(more=attribute(17, 0xc0, b"\2\1" + u32(0))), None, D),
    ("as4-path-confederation", "as2",
     with_(more=attribute(17, 0xc0, b"\3\1" + u32(65001) + b"\2\1" +
                          u32(PEER))), None, None),
    ("as4-path-set", "as2", with_(path=[PEER, 719], more=attribute(
        17, 0xc0, b"\2\1" + u32(PEER) + b"\1\1" + u32(719))),
     (MALFORMED, AS_SET), None),
    ("as4-path-longer", "as2",
     with_(more=attribute(17, 0xc0, b"\2\2" + u32(PEER) + u32(64512))), None,
     None),
    ("as4-path-beside-aggregator", "as2", with_(
        path=[PEER, 719], more=attribute(7, 0xc0, u16(719) + b"\1\1\1\1") +
        attribute(17, 0xc0, b"\2\2" + u32(PEER) + u32(64512)) +
        attribute(18, 0xc0, u32(64512) + b"\1\1\1\1")), None, None),
    ("as4-aggregator-length", "as2", with_(more=attribute(
        18, 0xc0, b"abcdefg")), None, D),
    ("as4-aggregator-as-0", "as2", with_(more=attribute(
        18, 0xc0, u32(0) + b"\1\1\1\1")), None, D),
    ("as-trans-left", "as2", with_(path=[PEER, 23456]), BOGON_ASN, None),
    ("large-length-0", "ext", with_(more=attribute(32, 0xc0, b"")), MALFORMED,
     W),
    ("large-length-13", "ext", with_(more=attribute(32, 0xc0, b"a" * 13)),
     MALFORMED, W),
    ("large-twice-the-same", "ext",
     with_(more=attribute(32, 0xc0, b"a" * 24)), None, None),
    ("otc-length-3", "ext", with_(more=attribute(35, 0xc0, b"abc")),
     MALFORMED, W),
    ("otc-0", "ext", with_(more=attribute(35, 0xc0, u32(0))), MALFORMED, W),
    ("otc-from-customer", "customer", with_(more=attribute(
        35, 0xc0, u32(PEER))), OTC, None),
    # ---- MP_REACH_NLRI, MP_UNREACH_NLRI
    ("mp-next-hop-unspecified", "ext",
     mp(mp6("::", nlri("2a01:4f8:4::/48"))), MALFORMED, W),
    ("mp-next-hop-loopback", "ext",
     mp(mp6("::1", nlri("2a01:4f8:4::/48"))), MALFORMED, W),
    ("mp-next-hop-multicast", "ext",
     mp(mp6("ff02::1", nlri("2a01:4f8:4::/48"))), MALFORMED, W),
    ("mp-next-hop-ours", "ext",
     mp(mp6(ANA6, nlri("2a01:4f8:5::/48"))), None, None),
    ("mp-second-half-global", "ext",
     mp(mp6(2 * socket.inet_pton(socket.AF_INET6, HOP6),
            nlri("2a01:4f8:6::/48"))), None, None),
    ("mp-reserved-octet", "ext",
     mp(mp6(reach=nlri("2a01:4f8:7::/48"), reserved=b"\7")), None, None),
    ("mp-no-prefix", "ext", mp(mp6()), None, None),
    ("mp-family-not-agreed-on", "v4only",
     mp(mp6(reach=nlri("2a01:4f8:8::/48"))), None, None),
    ("mp-family-unknown", "ext", mp(mp6(family=25, safi=70, reach=b"abc")),
     None, None),
    ("mp-unreach-family-unknown", "ext",
     mp(u16(25) + b"\x46" + b"abc", kind=15), None, None),
]

# ---- what ends the session -------------------------------------------------
# name, octets of (connection) in Established, NOTIFICATION (None: nothing).
# "@attribute": the data is the attribute as it was sent.


def attr_reset(attr, code=3, sub=9):
    """The whole attribute is the data."""
    return (lambda c: body(c, "2.70.0.0/16", first=attr), (code, sub, attr))


ENDS = [
    ("marker", lambda c: b"\xff" * 15 + b"\xfe" + keepalive()[16:],
     (1, 1, b"")),
    ("length-18", lambda c: MARKER + u16(18) + b"\4", (1, 2, u16(18))),
    ("length-0", lambda c: MARKER + u16(0) + b"\4", (1, 2, u16(0))),
    ("keepalive-4097", lambda c: MARKER + u16(4097) + b"\4",
     (1, 2, u16(4097))),
    ("open-4097", lambda c: MARKER + u16(4097) + b"\1", (1, 2, u16(4097))),
    ("update-4097", lambda c: MARKER + u16(4097) + b"\2",
     (1, 2, u16(4097))),
    ("update-22", lambda c: MARKER + u16(22) + b"\2\0\0\0", (1, 2, u16(22))),
    ("keepalive-20", lambda c: message(KEEPALIVE, b"a"), (1, 2, u16(20))),
    ("notification-20", lambda c: message(NOTIFICATION, b"\6"),
     (1, 2, u16(20))),
    ("type-0", lambda c: message(0), (1, 3, b"\0")),
    ("type-6", lambda c: message(6), (1, 3, b"\6")),
    ("type-255", lambda c: message(255), (1, 3, b"\xff")),
    ("open-in-established", lambda c: opened(), (5, 3, b"\1")),
    ("bad-open-in-established", lambda c: raw_open(b"\2\x20"), (5, 3, b"\1")),
    ("notification", lambda c: notification(6, 4), None),
    ("notification-unknown", lambda c: notification(99, 99, b"x" * 50), None),
    ("notification-bad-text",
     lambda c: notification(6, 2, b"\xff\x1b[31mred\n"), None),
    ("notification-control", lambda c: notification(
        6, 2, b"\x0a\x1b[31m\xc2\x9bno\x7f"), None),
    ("hard-reset-empty", lambda c: notification(6, 9), None),
    ("withdrawn-overrun", lambda c: message(UPDATE, b"\xff\xff\0\0"),
     (3, 1, b"")),
    ("attributes-overrun", lambda c: message(UPDATE, b"\0\0\0\1"),
     (3, 1, b"")),
    ("withdraw-with-bad-attribute", lambda c: update(
        nlri("2.70.0.0/16"), attribute(1, 0x40, b"\7")), (3, 1, b"")),
    ("no-nlri-attribute-overruns", lambda c: update(attrs=b"\x40\1\2\0"),
     (3, 1, b"")),
    ("mp-empty-bad-attribute", lambda c: update(attrs=attribute(
        14, 0x80, mp6()) + attribute(1, 0x40, b"\7")), (3, 1, b"")),
    ("nlri-33", lambda c: body(c, "", reach=b"\x21\2\2\2\2\2"),
     (3, 10, b"")),
    ("nlri-overrun", lambda c: body(c, "", reach=b"\x18\2\2"), (3, 10, b"")),
    ("withdrawn-33", lambda c: update(b"\x21\2\2\2\2\2"), (3, 10, b"")),
    ("withdrawn-prefix-overrun", lambda c: update(b"\x18\2\2"), (3, 10, b"")),
    ("bad-attribute-and-nlri-33", lambda c: body(
        c, "", origin=b"\7", reach=b"\x21\2\2\2\2\2"), (3, 10, b"")),
    ("mp-reach-129", *attr_reset(attribute(
        14, 0x80, mp6(reach=b"\x81" + b"a" * 17)))),
    ("mp-reach-overrun", *attr_reset(attribute(
        14, 0x80, mp6(reach=b"\x30\2\2")))),
    ("mp-unreach-129", *attr_reset(attribute(
        15, 0x80, u16(2) + b"\1\x81" + b"a" * 17))),
    ("mp-reach-twice", lambda c: body(c, "2.70.0.0/16", first=2 * attribute(
        14, 0x80, mp6())), (3, 1, b"")),
    ("mp-unreach-twice", lambda c: update(attrs=2 * mp_unreach(b"")),
     (3, 1, b"")),
    ("mp-reach-flags", *attr_reset(attribute(14, 0xc0, mp6()))),
    ("mp-unreach-flags", *attr_reset(attribute(15, 0x40, u16(2) + b"\1"))),
    ("unknown-well-known", *attr_reset(attribute(99, 0x40, b"ab"), sub=2)),
    ("unknown-well-known-partial",
     *attr_reset(attribute(98, 0x60, b"ab"), sub=2)),
    ("mp-reach-length-4", *attr_reset(attribute(14, 0x80, b"\0\2\1\0"))),
    ("mp-reach-length-0", *attr_reset(attribute(14, 0x80, b""))),
    ("mp-next-hop-overrun", *attr_reset(attribute(
        14, 0x80, mp6(hoplen=32)))),
    ("mp-next-hop-length-4", *attr_reset(attribute(14, 0x80, mp6(b"abcd")))),
    ("mp-next-hop-length-0", *attr_reset(attribute(14, 0x80, mp6(b"")))),
    ("mp-inet-next-hop-3", *attr_reset(attribute(
        14, 0x80, mp6(b"abc", family=1)))),
    ("mp-unreach-overrun", *attr_reset(attribute(
        15, 0x80, u16(2) + b"\1\x30\2\2"))),
    ("mp-unreach-length-2", *attr_reset(attribute(15, 0x80, b"\0\2"))),
    ("refresh-of-1-octet", lambda c: message(REFRESH, b"\0"),
     (1, 2, u16(20))),
    ("borr-of-5-octets", lambda c: message(REFRESH, b"\0\1\1\1\0"),
     (7, 1, message(REFRESH, b"\0\1\1\1\0"))),
    ("eorr-of-3-octets", lambda c: message(REFRESH, b"\0\1\2"),
     (7, 1, message(REFRESH, b"\0\1\2"))),
    ("over-the-limit", lambda c: b"".join(
        body(c, "2.80.%d.0/24" % i) for i in range(4)),
     (6, 1, b"\0\1\1" + u32(3))),
]

# name, configuration of the neighbor, octets before the session is there,
# NOTIFICATION (None: none is sent, "up": the session is Established).
CAPS = capabilities(PEER, ("inet", "inet6"))
EXT = b"\xff" + u16(len(CAPS) + 3) + b"\2" + u16(len(CAPS)) + CAPS
ROLE = "role provider;"
BEGINS = [
    ("http", (), b"GET / HTTP/1.0\r\n\r\n", (1, 1, b"")),
    ("open-28", (), message(OPEN, b"\4" + b"\0" * 8), (1, 2, u16(28))),
    ("version-3", (), opened(version=3), (2, 1, u16(4))),
    ("version-5", (), opened(version=5), (2, 1, u16(4))),
    ("wrong-as", (), opened(719), (2, 2, b"")),
    ("wrong-as-2-octets", (), raw_open(b"", asn=719), (2, 2, b"")),
    ("as-0", (), raw_open(b"", asn=0), (2, 2, b"")),
    ("as-0-in-capability", (), opened(
        caps=capability(65, u32(0))), (2, 2, b"")),
    ("as-trans-in-capability", (), opened(
        caps=capability(65, u32(23456))), (2, 2, b"")),
    ("as-trans-alone", (), raw_open(b"", asn=23456), (2, 2, b"")),
    ("two-as", (), opened(caps=capability(65, u32(719))), (2, 2, b"")),
    ("id-0", (), opened(router_id="0.0.0.0"), (2, 3, b"")),
    ("id-class-e", (), opened(router_id="240.0.0.1") + keepalive(), "up"),
    ("id-127", (), opened(router_id="127.0.0.1") + keepalive(), "up"),
    ("id-ours-external", (), opened(router_id=ANA) + keepalive(), "up"),
    ("id-ours-internal", ("int",), opened(US, router_id=ANA), (2, 3, b"")),
    ("hold-1", (), opened(hold=1), (2, 6, b"")),
    ("hold-2", (), opened(hold=2), (2, 6, b"")),
    ("hold-0", (), opened(hold=0), (2, 6, b"")),
    ("hold-below-minimum", ("hold-time-min 30s;",), opened(hold=29),
     (2, 6, b"")),
    ("hold-0-permitted", ("hold-time-min 0s;",), opened(hold=0) +
     keepalive(), "up"),
    ("hold-65535", (), opened(hold=65535) + keepalive(), "up"),
    ("parameter-1", (), raw_open(b"\1\2\0\0"), (2, 4, b"")),
    ("parameter-overrun", (), raw_open(b"\2\x20\0\0"), (2, 0, b"")),
    ("capability-overrun", (), raw_open(b"\2\4\1\4\0\1"), (2, 0, b"")),
    ("capability-1-octet", (), raw_open(b"\2\1\2"), (2, 0, b"")),
    ("parameters-overrun", (), raw_open(b"", 10), (2, 0, b"")),
    ("octets-left-over", (), raw_open(b"\2\0abc", 2), (2, 0, b"")),
    ("extended-form", (), raw_open(EXT, 255) + keepalive(), "up"),
    ("extended-form-length-ignored", (), raw_open(EXT, 1) + keepalive(),
     "up"),
    ("extended-form-overrun", (), raw_open(b"\xff" + u16(99) + b"\2\0\0",
                                           255), (2, 0, b"")),
    ("parameter-255-later", (), raw_open(
        bytes([2, len(CAPS)]) + CAPS + b"\xff\0"), (2, 4, b"")),
    ("several-parameters", (), raw_open(
        b"".join(bytes([2, len(c)]) + c for c in
                 (CAPS[:6], CAPS[6:12], CAPS[12:]))) + keepalive(), "up"),
    ("unknown-capability", (), opened(
        caps=CAPS + capability(0, b"a") + capability(199, b"abc")) +
     keepalive(), "up"),
    ("capability-of-wrong-length", (), opened(
        caps=CAPS + capability(2, b"abc") + capability(70, b"a")) +
     keepalive(), "up"),
    ("capability-twice", (), opened(caps=CAPS + CAPS) + keepalive(), "up"),
    ("capability-twice-different", (), opened(
        caps=CAPS + capability(65, u32(719))) + keepalive(), "up"),
    ("no-capability", (), raw_open(b"") + keepalive(), "up"),
    ("open-and-keepalive-at-once", (), opened() + keepalive(), "up"),
    ("no-common-family", (), opened(caps=capability(1, u16(25) + b"\0\x46") +
                                    capability(65, u32(PEER))),
     (2, 7, None)),
    ("required-capability", ("require capability [ enhanced-refresh ];",),
     opened(), (2, 7, b"\x46\0")),
    ("role-pair", (ROLE,), opened(caps=CAPS + capability(9, b"\0")),
     (2, 11, b"")),
    ("role-value", (ROLE,), opened(caps=CAPS + capability(9, b"\7")),
     (2, 11, b"")),
    ("role-twice", (ROLE,), opened(
        caps=CAPS + capability(9, b"\3") + capability(9, b"\0")),
     (2, 11, b"")),
    ("role-missing-strict", ("role provider strict;",), opened(),
     (2, 11, b"")),
    ("role-missing", (ROLE,), opened() + keepalive(), "up"),
    ("role-not-configured", (), opened(caps=CAPS + capability(9, b"\0")) +
     keepalive(), "up"),
    ("role-internal", ("int", ROLE), opened(
        US, caps=capabilities(US, ("inet", "inet6")) +
        capability(9, b"\0")) + keepalive(), "up"),
    ("keepalive-in-opensent", (), keepalive(), (5, 1, b"\4")),
    ("update-in-opensent", (), update(), (5, 1, b"\2")),
    ("refresh-in-opensent", (), message(REFRESH, b"\0\1\0\1"),
     (5, 1, b"\5")),
    ("open-in-openconfirm", (), opened() + opened(), (5, 2, b"\1")),
    ("update-in-openconfirm", (), opened() + update(), (5, 2, b"\2")),
    ("refresh-in-openconfirm", (), opened() + message(
        REFRESH, b"\0\1\0\1"), (5, 2, b"\5")),
    ("notification-in-opensent", (), notification(6, 5), None),
    ("notification-in-openconfirm", (), opened() + notification(6, 7), None),
    ("bad-open-in-openconfirm", (), opened() + raw_open(b"\2\x20"),
     (5, 2, b"\1")),
    ("marker-in-openconfirm", (), opened() + b"\xfe" * 19, (1, 1, b"")),
    ("notification-version", (), opened() + notification(2, 1, u16(4)),
     None),
    ("hold-timer", (), opened(hold=3) + keepalive(), (4, 0, b"")),
]
GOOD_IN_ENDS = "2.90.0.0/16"


# ---- graceful restart -------------------------------------------------------

def gr(n_bit=False, families=(1,), forwarding=True, restarting=False,
       seconds=60):
    """OPEN's capabilities with RFC 4724's."""
    flags = 8 * restarting + 4 * n_bit
    return CAPS + capability(64, u16(flags << 12 | seconds) + b"".join(
        u16(f) + b"\1" + bytes([0x80 * forwarding]) for f in families))


# name, capabilities, how it ends (octets; None: TCP is lost), are its routes
# kept, capabilities of the next session, and then, before its End-of-RIB?
GRACEFUL = [
    ("tcp-lost", gr(), None, True, gr(), True),
    ("forwarding-lost", gr(), None, True, gr(forwarding=False), False),
    ("family-missing", gr(), None, True, gr(families=(2,)), False),
    ("no-capability-any-more", gr(), None, True, CAPS, False),
    ("restarting", gr(), None, True, gr(restarting=True), True),
    ("no-capability", CAPS, None, False, CAPS, False),
    ("no-family", gr(families=()), None, False, gr(), False),
    ("other-family", gr(families=(2,)), None, False, gr(), False),
    ("not-back-in-time", gr(seconds=0), None, False, gr(), False),
    ("notification", gr(True), notification(6, 4), True, gr(True), True),
    ("notification-without-n", gr(), notification(6, 4), False, gr(), False),
    ("error-of-its-own", gr(True), message(9), True, gr(True), True),
    ("error-without-n", gr(), message(9), False, gr(), False),
    ("hard-reset", gr(True), notification(6, 9, b"\6\2\3bye"), False,
     gr(True), False),
    ("hard-reset-empty", gr(True), notification(6, 9), False, gr(True),
     False),
    ("hard-reset-without-n", gr(), notification(6, 9, b"\6\2"), False, gr(),
     False),
]
GR_CONF = "graceful-restart { restart-time 60s; }"

# name, capabilities, what an operator does, NOTIFICATION
CEASES = [
    ("shutdown", CAPS, ("down", "bye\u00fc"), (6, 2, b"\5bye\xc3\xbc")),
    ("shutdown-without-text", CAPS, ("down",), (6, 2, b"")),
    ("shutdown-n", gr(True), ("down", "bye"), (6, 9, b"\6\2\3bye")),
    ("reset", CAPS, ("clear", "again"), (6, 4, b"\5again")),
    ("reset-n", gr(True), ("clear", "again"), (6, 4, b"\5again")),
    ("reset-hard", gr(True), ("clear", "hard", "again"),
     (6, 9, b"\6\4\5again")),
    ("removed", CAPS, None, (6, 3, b"")),
    ("removed-n", gr(True), None, (6, 9, b"\6\3")),
    ("changed", CAPS, "hold-time-min 8s;", (6, 6, b"")),
    ("changed-n", gr(True), "hold-time-min 8s;", (6, 6, b"")),
]


class Peer(Connection):
    asn, as4, internal = PEER, True, False


class Scene:
    def __init__(self, lab):
        self.a, self.p = lab.ns("ana"), lab.ns("bad")
        lab.link(self.a, self.p, v4="192.0.2.0/24", v6="2001:db8:1::/64")
        self.ana = Ana(lab, self.a, US, ANA)
        self.free, self.names = iter(range(3, 250)), {}
        both = ("inet", "inet6")
        for kind, kw in (
                ("ext", dict(families=both)), ("as2", dict(families=both)),
                ("int", dict(remote_as=US)), ("v4only", {}),
                ("v6only", dict(families=("inet6",))),
                ("customer", dict(more=(ROLE,))), ("second", {}),
                ("refresh", {}), ("plain-refresh", {})):
            self.add(kind, **kw)
        for name, more, *_ in BEGINS:
            kw = {"more": tuple(m for m in more if m != "int")}
            if "int" in more:
                kw["remote_as"] = US
            self.add("begin-" + name, families=both, **kw)
        for name, *_ in ENDS:
            self.add("end-" + name, families=both, more=(
                {"over-the-limit": "max-prefix 3;",
                 "update-4097": "extended-message no;"}.get(name, ""),))
        for name, *_ in GRACEFUL:
            self.add("gr-" + name, families=both, more=(GR_CONF,))
        for name, *_ in CEASES:
            self.add("cease-" + name, families=both, more=(GR_CONF,))
        self.add("replaced", more=(GR_CONF,))
        self.add("refused")
        own = Route("179.191.0.0/24")
        self.ana.table = {own.prefix: own}
        self.ana.start()
        wait_until(lambda: ANA + ":179" in self.a.run("ss", "-Hltn"), 30,
                   what="the listening socket")
        self.conns, self.count = {}, 0
        self.ended, self.begun = {}, {}

    def add(self, name, remote_as=PEER, more=(), families=("inet",)):
        addr = "192.0.2.%d" % next(self.free)
        self.p.ip("addr", "add", addr + "/24", "dev", "to-ana")
        self.names[name] = self.ana.neighbor(
            addr, remote_as, ANA, passive=True, name=name, families=families,
            next_hop_peer=HOP6 if "inet6" in families else None, more=more)

    def dial(self, name):
        n = self.names[name]
        c = Peer.dial(self.p, n.remote, ANA)
        c.asn, c.internal = n.remote_as, n.remote_as == US
        return c

    def established(self, name, caps=None, deadline=15):
        """Again and again: the daemon may still wait after an error."""
        asn, as4 = self.names[name].remote_as, name != "as2"
        c = in_session(lambda: self.dial(name), asn, deadline, caps=(
            caps if caps is not None else
            capabilities(asn, self.names[name].families, as4)))
        c.as4 = as4
        return c

    def session(self, name):
        if name not in self.conns:
            self.conns[name] = self.established(name)
        return self.conns[name]

    def prefixes(self):
        self.count += 1
        return ("2.%d.%d.0/22" % (100 + self.count // 32,
                                  self.count % 32 * 8),
                "2.%d.%d.0/22" % (100 + self.count // 32,
                                  self.count % 32 * 8 + 4))

    def errors(self, name):
        got, = self.ana.ctl("show", "errors", "neighbor",
                            self.names[name].remote)["neighbors"]
        return got

    def where(self, name, prefix):
        """None: accepted; the reason it is rejected for; "absent"."""
        remote = self.names[name].remote
        if prefix in self.ana.rib("neighbor", remote):
            return None
        return self.ana.rejected("neighbor", remote).get((remote, prefix),
                                                         "absent")

    def good(self, name, conn, prefix):
        """A good route is taken, on whatever the session carries."""
        if "inet" not in self.names[name].families:
            prefix = "2a01:4f8:%x::/48" % (0x1000 + self.count)
            conn.send(update(attrs=mp_reach(HOP6, nlri(prefix)) + attribute(
                1, 0x40, b"\0") + attribute(2, 0x40, as_path([conn.asn]))))
        else:
            conn.send(body(conn, prefix))
        wait_until(lambda: self.where(name, prefix) is None, 10,
                   what="good route of " + name)

    def run_ends(self):
        """All of them side by side: each peer has to wait for its turn."""
        if self.ended:
            return
        held = {}
        for name, make, _ in ENDS:
            c = held[name] = self.established("end-" + name, caps=CAPS +
                                              capability(70))
            c.send(body(c, "2.60.0.0/16"))
            c.send(make(c))
        for name, _, _ in ENDS:
            self.ended[name] = held[name].wait_closed()
            held[name].close()

    def run_begins(self):
        if self.begun:
            return
        held = {}
        for name, _, data, _ in BEGINS:
            c = held[name] = self.dial("begin-" + name)
            c.send(data)
        for name, _, _, want in BEGINS:
            if want == "up":
                wait_until(lambda: self.ana.up(self.names["begin-" + name]),
                           10, what=name)
                self.begun[name] = "up"
            else:
                self.begun[name] = held[name].wait_closed()
            if want != "up":
                held[name].close()
            self.conns["begin-" + name] = held[name]


@pytest.fixture(scope="module")
def scene():
    with Lab() as made:
        s = Scene(made)
        yield s
        assert s.ana.running()
        assert not sanitizer_reports(s.ana.process)


def ids(rows):
    return [r[0] for r in rows]


@pytest.mark.parametrize("name,kind,make,place,counted", STAYS,
                         ids=ids(STAYS))
def test_session_stays(scene, name, kind, make, place, counted):
    c = scene.session(kind)
    bad, fine = scene.prefixes()
    before = scene.errors(kind)["malformed"]
    sent = make(c, bad)
    c.send(sent)
    scene.good(kind, c, fine)
    got = scene.where(kind, bad)
    assert got in place if isinstance(place, tuple) else got == place
    after = scene.errors(kind)
    want = {k: before[k] + (k == counted) for k in before}
    assert after["malformed"] == want
    assert scene.ana.up(scene.names[kind])
    if counted:
        seen = after["messages"][0]
        assert seen["octets"] == sent.hex()
        assert seen["reaction"] == counted
        assert 18 < seen["octet"] < len(sent) + 1
        assert re.match(r"RFC \d", seen["rfc"]) and seen["why"]


@pytest.mark.parametrize("name,make,want", ENDS, ids=ids(ENDS))
def test_session_ends(scene, name, make, want):
    scene.run_ends()
    assert scene.ended[name] == want
    n = "end-" + name
    errors = scene.errors(n)
    if want is not None and want[0] != 6:
        seen = errors["messages"][0]
        assert (seen["reaction"], seen["error_code"],
                seen["error_subcode"]) == ("reset", want[0], want[1])
        assert errors["malformed"]["reset"] == 1
    elif want is None:
        last = errors["notifications"][0]
        assert last["received"] if "received" in last else True
        text = scene.ana.cli("show", "errors", "neighbor",
                             scene.names[n].remote)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)
    if name == "over-the-limit":
        scene.ana.cli("neighbor", scene.names[n].remote, "clear-limit")
    # Its routes are gone, and a good one is taken on the next session.
    c = scene.established(n)
    scene.good(n, c, GOOD_IN_ENDS)
    assert scene.where(n, "2.60.0.0/16") == "absent"
    c.close()


@pytest.mark.parametrize("name,more,data,want", BEGINS, ids=ids(BEGINS))
def test_session_begins(scene, name, more, data, want):
    scene.run_begins()
    got, n = scene.begun[name], "begin-" + name
    if want == "up":
        assert got == "up"
        c = scene.conns[n]
        if name == "no-capability":
            c.as4 = False
    else:
        if want is not None and want[2] is None:
            assert got[:2] == want[:2] and got[2]
        else:
            assert got == want
        shown = scene.errors(n)
        if want is not None and want[0] != 4:
            seen = shown["messages"][0]
            assert (seen["reaction"], seen["error_code"],
                    seen["error_subcode"]) == ("reset", want[0], want[1])
            assert seen["octets"] and seen["why"]
            assert re.match(r"RFC \d", seen["rfc"])
        last = shown["notifications"][0]
        if want is not None:
            assert (last["code"], last["subcode"]) == want[:2]
        if name.startswith("role-") or name == "required-capability":
            # What is configured forbids it: nothing good may follow.
            caps = CAPS + capability(9, b"\3") + capability(70)
            c = scene.established(n, caps)
        else:
            c = scene.established(n)
    scene.good(n, c, GOOD_IN_ENDS)
    c.close()


@pytest.fixture(scope="module")
def graceful(scene):
    """All of them side by side: {name: (after the end, when it is back)}."""
    held, out, old = {}, {}, "2.60.0.0/16"
    for name, caps, *_ in GRACEFUL:
        held[name] = c = scene.established("gr-" + name, caps)
        c.send(body(c, old))
    for name, _, ends, _, _, _ in GRACEFUL:
        wait_until(lambda: scene.where("gr-" + name, old) is None, 30)
        if ends is None:
            held[name].reset()
        else:
            held[name].send(ends)
            held[name].wait_closed(30)
            held[name].close()
    for name, _, _, kept, caps, _ in GRACEFUL:
        n = "gr-" + name
        wait_until(lambda: not scene.ana.up(scene.names[n]), 30)
        if not kept:
            wait_until(lambda: scene.where(n, old) == "absent", 30)
        ended = scene.where(n, old)
        held[name] = scene.established(n, caps, 30)
        out[name] = (held[name], ended)
    return out


@pytest.mark.parametrize("name,caps,ends,kept,again,still", GRACEFUL,
                         ids=ids(GRACEFUL))
def test_graceful(scene, graceful, name, caps, ends, kept, again, still):
    """What stays of a session that ended, and what of that when it is back;
    nothing of it after End-of-RIB."""
    n, old = "gr-" + name, "2.60.0.0/16"
    c, ended = graceful[name]
    assert ended == (None if kept else "absent")
    # The good route was read after the OPEN, so what that does is done.
    scene.good(n, c, GOOD_IN_ENDS)
    if still:
        assert scene.where(n, old) is None
    else:
        wait_until(lambda: scene.where(n, old) == "absent", 30)
    c.send(update() + update(attrs=mp_unreach(b"")))
    wait_until(lambda: scene.where(n, old) == "absent", 30)
    assert scene.where(n, GOOD_IN_ENDS) is None
    assert scene.ana.up(scene.names[n])
    c.close()


@pytest.mark.parametrize("name,caps,does,want", CEASES, ids=ids(CEASES))
def test_cease(scene, name, caps, does, want):
    n = scene.names["cease-" + name]
    c = scene.established("cease-" + name, caps, 30)
    wait_until(lambda: scene.ana.up(n), 30)
    place = scene.ana.neighbors.index(n)
    if does is None:
        scene.ana.neighbors.remove(n)
        scene.ana.reload()
    elif isinstance(does, str):
        n.more += (does,)
        scene.ana.reload()
    else:
        scene.ana.cli("neighbor", n.remote, *does)
    assert c.wait_closed(30) == want
    c.close()
    if does is None:
        scene.ana.neighbors.insert(place, n)
        scene.ana.reload()
    elif does[0] == "down":
        # Idle refuses whoever comes (8.2.2).
        d = scene.dial("cease-" + name)
        assert d.wait_closed(30) is None
        d.close()
        scene.ana.cli("neighbor", n.remote, "up")
    c = scene.established("cease-" + name, caps, 30)
    scene.good("cease-" + name, c, GOOD_IN_ENDS)
    c.close()


def test_replaced_by_a_restarted_one(scene):
    """It forgot its session: the new one counts, the routes stay."""
    n, old = scene.names["replaced"], "2.60.0.0/16"
    c = scene.established("replaced", gr())
    c.send(body(c, old) + update())
    wait_until(lambda: scene.where("replaced", old) is None, 30)
    d = scene.dial("replaced")
    # A connection alone does nothing.
    scene.good("replaced", c, GOOD_IN_ENDS)
    d.handshake(PEER, caps=gr(restarting=True))
    assert c.wait_closed(30) is None
    c.close()
    scene.good("replaced", d, "2.91.0.0/16")
    assert scene.where("replaced", old) is None
    d.send(update())
    wait_until(lambda: scene.where("replaced", old) == "absent", 30)
    assert scene.ana.up(n)
    d.close()


def test_our_open(scene):
    """Each capability once, our AS in both places, the short form."""
    c = scene.dial("second")
    theirs = c.wait_for(OPEN, 30)
    c.close()
    assert theirs[:5] == b"\4" + u16(US) + u16(90)
    assert theirs[5:9] == socket.inet_aton(ANA)
    assert theirs[9] == len(theirs) - 10
    caps, seen, data = [], {}, theirs[10:]
    while data:
        assert data[0] == 2
        caps, data = caps + [data[2:2 + data[1]]], data[2 + data[1]:]
    for part in caps:
        while part:
            assert part[0] not in seen
            seen[part[0]] = part[2:2 + part[1]]
            part = part[2 + part[1]:]
    assert seen == {1: b"\0\1\0\1", 2: b"", 6: b"", 65: u32(US), 70: b""}


def test_messages_in_pieces(scene):
    c = scene.session("ext")
    first, second = scene.prefixes()
    data = body(c, first) + keepalive() + body(c, second)
    c.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for i in range(0, len(data), 7):
        c.send(data[i:i + 7])
    wait_until(lambda: scene.where("ext", second) is None)
    assert scene.where("ext", first) is None
    both = scene.prefixes()
    c.send(body(c, both[0]) + body(c, both[1]))
    wait_until(lambda: scene.where("ext", both[1]) is None)
    assert scene.where("ext", both[0]) is None


def test_second_connection(scene):
    """The OPEN of a second one gets 6/7, the first stays: Established, or
    still without our KEEPALIVE."""
    n = scene.names["second"]
    for state in ("OpenConfirm", "Established"):
        if state == "OpenConfirm":
            c = scene.conns["second"] = scene.dial("second")
            c.send(opened(caps=capabilities(PEER)))
            for kind in (OPEN, KEEPALIVE):
                c.wait_for(kind, 30)
        else:
            c.send(keepalive())
            wait_until(lambda: scene.ana.up(n), 30, what="second")
        d = scene.dial("second")
        d.send(opened(caps=capabilities(PEER)))
        assert d.wait_closed(30) == (6, 7, b""), state
        d.close()
    scene.good("second", c, scene.prefixes()[0])


def test_stranger(scene):
    scene.p.ip("addr", "add", "192.0.2.250/24", "dev", "to-ana")
    c = Connection.dial(scene.p, "192.0.2.250", ANA)
    assert c.wait_closed() is None
    c.close()


REFRESHES = [
    # name, session, body, is the table sent again?
    ("request", "refresh", b"\0\1\0\1", True),
    ("family-not-agreed-on", "refresh", b"\0\2\0\1", False),
    ("family-unknown", "refresh", b"\0\x19\0\x46", False),
    ("subtype-3", "refresh", b"\0\1\3\1", False),
    ("orf", "refresh", b"\0\1\0\1" + b"abcdef", True),
    ("eorr-without-borr", "refresh", b"\0\1\2\1", False),
    ("plain-subtype-1", "plain-refresh", b"\0\1\1\1", True),
]


@pytest.mark.parametrize("name,kind,data,again", REFRESHES,
                         ids=ids(REFRESHES))
def test_refresh(scene, name, kind, data, again):
    c = scene.established(kind, capabilities(PEER) + (
        capability(70) if kind == "refresh" else b""))
    # Our one network, then End-of-RIB.
    while c.wait_for(UPDATE) != update()[19:]:
        pass
    c.send(message(REFRESH, data))
    scene.good(kind, c, scene.prefixes()[0])
    # All that it had to say comes before the end.
    scene.ana.cli("neighbor", scene.names[kind].remote, "clear")
    seen = []
    with pytest.raises(Closed):
        while True:
            seen.append(c.recv()[0])
    sign = REFRESH if kind == "refresh" else UPDATE
    assert (sign in seen) == again, seen


def test_borr_sweeps(scene):
    c = scene.established("end-type-0", capabilities(PEER) + capability(70))
    old, new = scene.prefixes()
    c.send(body(c, old) + body(c, new))
    wait_until(lambda: scene.where("end-type-0", new) is None)
    for _ in range(2):          # a second BoRR marks again
        c.send(message(REFRESH, b"\0\1\1\1"))
    c.send(body(c, new) + message(REFRESH, b"\0\1\2\1"))
    wait_until(lambda: scene.where("end-type-0", old) == "absent")
    assert scene.where("end-type-0", new) is None
    c.close()


# ---- evidence --------------------------------------------------------------


def dumped(path):
    return subprocess.run(["tcpdump", "-nn", "-v", "-r", path], text=True,
                          check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT).stdout


def test_evidence_in_text(scene):
    c = scene.session("ext")
    bad, fine = scene.prefixes()
    for _ in range(3):
        c.send(body(c, bad, origin=b"\x1b"))
    scene.good("ext", c, fine)
    text = scene.ana.cli("show", "errors", "neighbor", "ext")
    last = text.split("the octet at fault between")[1].split("\n\n")[1]
    assert "ORIGIN is not 0, 1 or 2 (RFC 7606 7.1)" in last
    assert "attribute 1" in last and "3 times since" in last
    assert "treated as withdrawn" in last
    # marker, length, type, 0, length, flags, type, length: octet 26
    assert "octet 26 of" in last
    assert ">1b<" in last and bad in last
    assert "\x1b" not in text
    seen = scene.errors("ext")["messages"][0]
    assert seen["count"] == 3 and seen["octet"] == 26


def test_evidence_is_bounded(scene):
    c = scene.session("ext")
    for i in range(40):
        c.send(body(c, "2.99.%d.0/24" % i, origin=b"\x1b"))
        c.send(body(c, "2.98.0.0/16", more=attribute(99, 0xc0, b"x" * 3900) +
                    attribute(4, 0x80, bytes([i]))))
    scene.good("ext", c, scene.prefixes()[0])
    seen = scene.errors("ext")["messages"]
    assert len(seen) <= 16
    for why in {m["why"] for m in seen}:
        assert len([m for m in seen if m["why"] == why]) <= 4
    path = scene.ana.dir + "/state/evidence-%s.pcap" % \
        scene.names["ext"].remote
    wait_until(lambda: os.path.getsize(path) > 4096, what="the file")
    assert os.path.getsize(path) < 80 * 1024


def test_evidence_as_pcap(scene, tmp_path):
    n = scene.names["end-marker"]
    scene.run_ends()
    for name in ("ext", "end-unknown-well-known"):
        path = str(tmp_path / (name + ".pcap"))
        scene.ana.cli("show", "errors", "neighbor", name, "pcap", path)
        text = dumped(path)
        assert "SYSLOG" in text or "ana-bgpd: octet" in text
        assert scene.names[name].remote in text
        assert "cksum" not in text or "incorrect" not in text
        assert "Update Message (2)" in text
    got, _, err = scene.ana.cli("show", "errors", "neighbor", "nosuch",
                                "pcap", str(tmp_path / "no"), check=False)
    assert got == 4 and "no such neighbor" in err
    assert not (tmp_path / "no").exists()
    got, _, err = scene.ana.cli("show", "errors", "neighbor", n.remote,
                                "pcap", "/nonexistent/x", check=False)
    assert got != 0 and "cannot write" in err


def test_evidence_survives_a_restart(scene):
    """Last: the daemon starts again."""
    before = scene.errors("ext")["messages"]
    assert before
    ended = scene.errors("end-unknown-well-known")["messages"]
    assert len(ended) == 1
    # A file that somebody has cut does no harm.
    broken = scene.ana.dir + "/state/evidence-%s.pcap" % \
        scene.names["end-marker"].remote
    scene.ana.process.end()
    with open(broken, "r+b") as f:
        f.truncate(os.path.getsize(broken) - 3)
    for name, old, new in (
            ("end-type-6", rb"verdict 3", b"verdict 0"),
            ("end-type-255", rb"last \d{13}", b"last " + b"9" * 13)):
        path = scene.ana.dir + "/state/evidence-%s.pcap" % \
            scene.names[name].remote
        with open(path, "rb") as f:
            data = f.read()
        assert re.search(old, data)
        with open(path, "wb") as f:
            f.write(re.sub(old, new, data))
    scene.ana.start()
    assert scene.errors("end-type-6")["messages"] == []
    assert scene.errors("end-type-255")["messages"] == []
    assert scene.errors("ext")["messages"] == before
    assert scene.errors("end-unknown-well-known")["messages"] == ended
    assert scene.errors("end-marker")["messages"] == []

# ---- the table -------------------------------------------------------------
# Each row of what a speaker must do with what is wrong, and the cases that
# hold it: rows of the tables above by their names, functions of this file, or
# FILE:FUNCTION.

ROWS = {
    "header": {
        "marker": "marker http",
        "length below 19 or above 4096": "length-18 length-0 update-4097",
        "extended length": "update-of-5000 keepalive-4097 open-4097",
        "longer ones are sent to who asked only":
            "netns/test_restart.py:test_long_message",
        "too short for its type": "open-28 update-22 keepalive-20",
        "short NOTIFICATION": "notification-20",
        "type": "type-0 type-6 type-255",
        "1/x, not 5/x": "marker marker-in-openconfirm",
        "pieces": "test_messages_in_pieces",
    },
    "open": {
        "version": "version-3 version-5",
        "wrong AS": "wrong-as wrong-as-2-octets",
        "AS 0, AS_TRANS": "as-0 as-0-in-capability as-trans-in-capability "
                          "as-trans-alone",
        "two different AS": "two-as",
        "identifier": "id-0 id-ours-internal",
        "any other identifier": "id-class-e id-127 id-ours-external",
        "hold time 1, 2": "hold-1 hold-2",
        "hold time 0": "hold-0 hold-0-permitted sim/test_raw.c:test_hold_0",
        "other hold times": "hold-65535 hold-below-minimum "
                            "sim/test_raw.c:test_keepalives",
        "unknown parameter": "parameter-1",
        "framing": "parameter-overrun capability-overrun capability-1-octet "
                   "parameters-overrun octets-left-over "
                   "extended-form-overrun",
        "extended form": "extended-form extended-form-length-ignored",
        "255 later": "parameter-255-later",
        "several parameters": "several-parameters",
        "unknown capability": "unknown-capability",
        "capability of wrong length": "capability-of-wrong-length",
        "capability twice": "capability-twice capability-twice-different",
        "no capability": "no-capability",
        "missing family or capability":
            "no-common-family required-capability",
        "2/4 received": "sim/test_schedules.c:test_without_capabilities",
        "role pair": "role-pair role-value role-twice",
        "role missing": "role-missing-strict role-missing",
        "role without meaning": "role-internal role-not-configured",
        "our OPEN": "test_our_open",
    },
    "fsm": {
        "in OpenSent": "keepalive-in-opensent update-in-opensent "
                       "refresh-in-opensent",
        "in OpenConfirm": "open-in-openconfirm bad-open-in-openconfirm "
                          "update-in-openconfirm refresh-in-openconfirm",
        "OPEN in Established": "open-in-established bad-open-in-established",
        "NOTIFICATION": "notification notification-unknown "
                        "notification-bad-text notification-control "
                        "notification-in-opensent "
                        "notification-in-openconfirm",
        "2/1": "notification-version sim/test_raw.c:test_retry_counter",
        "afterwards": "shutdown netns/test_fair.py:test_others_go_on",
        "TCP lost": "tcp-lost sim/test_sim.c:test_hang_up",
        "no OPEN": "sim/test_raw.c:test_open_wait",
        "hold timer": "hold-timer sim/test_raw.c:test_hold",
        "what restarts it": "sim/test_raw.c:test_hold_is_restarted",
        "send hold": "sim/test_schedules.c:test_send_hold",
        "collision": "sim/test_schedules.c:test_collisions",
        "second one": "test_second_connection",
        "second one, restarted": "test_replaced_by_a_restarted_one",
        "stranger": "test_stranger netns/test_bad_input.py:test_strangers",
        "at once": "open-and-keepalive-at-once",
    },
    "cease": {
        "maximum prefixes": "over-the-limit",
        "shutdown": "shutdown shutdown-without-text shutdown-n",
        "de-configured": "removed removed-n",
        "reset": "reset reset-n reset-hard",
        "configuration change": "changed changed-n",
        "collision": "test_second_connection",
        "hard reset": "hard-reset hard-reset-empty hard-reset-without-n",
        "text": "notification-bad-text notification-control",
    },
    "frame": {
        "lengths": "withdrawn-overrun attributes-overrun",
        "last attribute": "last-attribute-overruns one-octet-left "
                          "two-octets-left three-octets-left-extended",
        "nothing to withdraw": "withdraw-with-bad-attribute "
                               "no-nlri-attribute-overruns "
                               "mp-empty-bad-attribute",
        "MP_REACH of another family": "mp-of-another-family-counts-as-nlri",
        "NLRI": "nlri-33 nlri-overrun bad-attribute-and-nlri-33",
        "withdrawn": "withdrawn-33 withdrawn-prefix-overrun",
        "MP NLRI": "mp-reach-129 mp-reach-overrun mp-unreach-129 "
                   "mp-unreach-overrun",
        "IPv4 not agreed on": "nlri-of-a-family-not-agreed-on "
                              "withdrawn-of-a-family-not-agreed-on",
        "trailing bits": "trailing-bits",
        "same prefix": "same-prefix-twice announced-and-withdrawn",
        "no unicast": "multicast-prefix loopback-prefix class-e-prefix",
        "MP twice": "mp-reach-twice mp-unreach-twice",
        "others twice": "origin-twice origin-twice-first-bad unknown-twice",
        "flags": "flags-1-80 flags-1-40 flags-35-80 flags-35-40",
        "flags of MP": "mp-reach-flags mp-unreach-flags",
        "flags, discard": "code-not-known-here",
        "Partial": "partial-on-well-known partial-on-med",
        "low bits": "low-flag-bits extended-length-of-1",
        "order": "any-order all-in-one",
        "length 0": "origin-length-0 next-hop-length-0 med-length-0 "
                    "aggregator-length-0 communities-length-0 "
                    "unknown-of-length-0",
        "missing": "no-origin no-as-path no-next-hop "
                   "mp-reach-stands-not-for-next-hop",
        "missing without NLRI": "nothing-mandatory-without-nlri",
        "no LOCAL_PREF": "no-local-pref-internal",
        "NEXT_HOP without NLRI": "next-hop-ignored-without-nlri",
        "unknown well-known": "unknown-well-known unknown-well-known-partial",
        "unknown transitive": "unknown-transitive "
                              "netns/test_interop.py:test_routes_both_ways",
        "unknown non-transitive": "unknown-non-transitive",
        "type 0": "type-0",
        "End-of-RIB": "end-of-rib end-of-rib-inet6 end-of-rib-not-agreed-on",
        "no prefix": "attributes-and-nothing-else",
    },
    "attributes": {
        "ORIGIN": "origin-length-2 origin-3",
        "AS_PATH segments": "segment-type-0 segment-type-5 segment-overrun "
                            "segment-1-octet-left segment-empty "
                            "two-octet-path",
        "confederation": "confed-sequence confed-set",
        "AS_SET": "as-set",
        "AS 0": "as-0",
        "first AS": "first-as first-segment-set empty-path-external",
        "internal": "empty-path-internal",
        "loop": "own-as",
        "AS_TRANS, private": "as-trans as-trans-left private-asn",
        "NEXT_HOP length": "next-hop-length-3",
        "no host": "next-hop-0 next-hop-127 next-hop-multicast "
                   "next-hop-class-e next-hop-broadcast",
        "ours, off-link": "next-hop-ours next-hop-off-link",
        "MED": "med-length-3",
        "LOCAL_PREF external": "local-pref-external",
        "LOCAL_PREF internal": "local-pref-internal-length",
        "ATOMIC_AGGREGATE": "atomic-length-1",
        "AGGREGATOR": "aggregator-length-6 aggregator-length-8-as2 "
                      "aggregator-as-0",
        "COMMUNITIES": "communities-length-0 communities-length-5",
        "ORIGINATOR_ID external": "originator-external",
        "ORIGINATOR_ID internal": "originator-internal-length",
        "ORIGINATOR_ID ours": "originator-internal-ours",
        "CLUSTER_LIST external": "cluster-list-external",
        "CLUSTER_LIST internal": "cluster-list-internal "
                                 "cluster-list-internal-length "
                                 "cluster-list-internal-empty",
        "MP_REACH length": "mp-reach-length-4 mp-reach-length-0 "
                           "mp-next-hop-overrun mp-next-hop-length-4 "
                           "mp-next-hop-length-0 mp-inet-next-hop-3",
        "MP next hop": "mp-next-hop-unspecified mp-next-hop-loopback "
                       "mp-next-hop-multicast",
        "MP next hop ours": "mp-next-hop-ours",
        "MP second half": "mp-second-half-global",
        "MP reserved": "mp-reserved-octet",
        "MP no prefix": "mp-no-prefix",
        "MP not agreed on": "mp-family-not-agreed-on mp-family-unknown "
                            "mp-unreach-family-unknown",
        "MP_UNREACH length": "mp-unreach-length-2",
        "EXTENDED COMMUNITIES": "ext-communities-length-0 "
                                "ext-communities-length-9",
        "unknown ones": "ext-communities-unknown-type",
        "AS4_PATH on 4 octets": "as4-path-on-as4",
        "AS4_PATH": "as4-path-odd as4-path-short as4-path-bad-segment "
                    "as4-path-as-0",
        "AS4_PATH confederation": "as4-path-confederation",
        "AS4_PATH AS_SET": "as4-path-set",
        "AS4_PATH longer": "as4-path-longer",
        "AS4 beside AGGREGATOR": "as4-path-beside-aggregator",
        "AS4_AGGREGATOR": "as4-aggregator-on-as4 as4-aggregator-length "
                          "as4-aggregator-as-0",
        "LARGE COMMUNITIES": "large-length-0 large-length-13",
        "large values": "large-any-value large-twice-the-same",
        "OTC": "otc-length-3 otc-0",
        "codes not known": "code-not-known-here",
    },
    "refresh": {
        "request": "request",
        "not agreed on": "family-not-agreed-on family-unknown",
        "plain": "plain-subtype-1",
        "subtype": "subtype-3",
        "length": "borr-of-5-octets eorr-of-3-octets refresh-of-1-octet",
        "ORF": "orf",
        "BoRR": "test_borr_sweeps",
        "early BoRR": "sim/test_raw.c:test_early_borr",
        "EoRR": "test_borr_sweeps eorr-without-borr",
        "no EoRR": "sim/test_raw.c:test_no_eorr",
    },
    "graceful": {
        "End-of-RIB": "netns/test_restart.py:test_it_restarts",
        "TCP lost": "tcp-lost no-capability no-family other-family",
        "lost again": "sim/test_raw.c:test_lost_again",
        "back": "tcp-lost restarting notification",
        "back without": "forwarding-lost family-missing "
                        "no-capability-any-more not-back-in-time "
                        "sim/test_sim.c:test_gr_restart_time",
        "no N bit": "notification-without-n error-without-n "
                    "sim/test_sim.c:test_gr_notification",
        "N bit": "notification error-of-its-own "
                 "sim/test_sim.c:test_gr_hold_timer",
        "hard": "hard-reset hard-reset-empty shutdown-n",
        "it restarts": "restarting",
        "we restart": "sim/test_sim.c:test_gr_own_restart "
                      "sim/test_sim.c:test_gr_own_deadline "
                      "netns/test_restart.py:test_we_restart",
    },
    "otc": {
        "leaks": "otc-from-customer netns/test_told.py:test_roles",
        "added, kept": "netns/test_told.py:test_roles",
    },
    "policy": {
        "none": "netns/test_told.py:test_no_policy",
        "well-known communities": "netns/test_told.py:test_communities",
        "GRACEFUL_SHUTDOWN": "netns/test_told.py:test_graceful_shutdown",
        "MED, LOCAL_PREF": "netns/test_told.py:test_what_external_ones_see",
        "full segment": "netns/test_told.py:test_a_full_segment",
        "internal routes": "netns/test_told.py:"
                           "test_internal_ones_are_not_passed_on_internally",
        "GTSM": "netns/test_auth.py:test_ttl_of_an_accepted_one "
                "netns/test_auth.py:test_ttl_of_a_dialled_one",
        "MD5": "netns/test_auth.py:test_the_kernel_refuses "
               "netns/test_auth.py:test_no_key_at_the_peer",
    },
}


def test_each_row_has_a_case():
    """And each case of the tables holds a row."""
    tables = (STAYS, ENDS, BEGINS, REFRESHES, GRACEFUL, CEASES)
    named = {row[0] for table in tables for row in table}
    top, held = os.path.dirname(os.path.dirname(__file__)), set()
    for part, rows in ROWS.items():
        assert rows
        for row, cases in rows.items():
            assert cases.split(), (part, row)
            for case in cases.split():
                path, _, name = case.rpartition(":")
                if path:
                    with open(os.path.join(top, path)) as f:
                        assert re.search(r"^( *def |)%s\(" % name, f.read(),
                                         re.M), case
                else:
                    assert case in named or case in globals(), case
                    held.add(case)
    lost = {n for n in named - held if not n.startswith("flags-")}
    assert not lost, lost
