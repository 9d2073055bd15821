"""Whatever arrives on port 179 and on the control socket: the right answer,
and no other session notices."""

import os
import random
import re
import socket
import struct
import time

import pytest

from ana import Ana, sanitizer_reports
from lab import Lab, wait_equal, wait_until
from routers import Route, expected
from speaker import (KEEPALIVE, MARKER, OPEN, UPDATE, Connection,
                     Speaker, attribute, capabilities, keepalive, message,
                     mp_reach, nlri, notification, open_message,
                     route_attributes, update, as_path)

US, PEER, GOOD = 52580, 3292, 719
GOOD_ROUTES = [Route("62.142.0.0/16", communities=("719:1",)),
               Route("46.182.112.0/21")]
ATTRS = route_attributes(Route("2.104.0.0/14"), PEER, "192.0.2.2")


def opened(**kw):
    args = dict(asn=PEER, hold=90, caps=capabilities(PEER))
    args.update(kw)
    return open_message(**args)


# name, octets sent right after the connection is there, NOTIFICATION
BEFORE = [
    ("marker", b"\0" * 16 + struct.pack("!HB", 29, OPEN) + b"x" * 10,
     (1, 1, b"")),
    ("http", b"GET / HTTP/1.0\r\nHost: a\r\n\r\n", (1, 1, b"")),
    ("tls", bytes.fromhex("16030100c8010000c40303") + b"\x55" * 190,
     (1, 1, b"")),
    ("too-long", MARKER + struct.pack("!HB", 4097, KEEPALIVE),
     (1, 2, b"\x10\x01")),
    ("too-short", MARKER + struct.pack("!HB", 18, KEEPALIVE),
     (1, 2, b"\x00\x12")),
    ("length-0", MARKER + struct.pack("!HB", 0, OPEN), (1, 2, b"\0\0")),
    ("type-9", message(9), (1, 3, b"\x09")),
    ("short-open", message(OPEN, b"\4\0\0"), (1, 2, b"\0\x16")),
    ("keepalive-first", keepalive(), (5, 1, b"\x04")),
    ("update-first", update(), (5, 1, b"\x02")),
    ("version-3", opened(version=3), (2, 1, b"\0\4")),
    ("wrong-as", opened(asn=3293, caps=capabilities(3293)), (2, 2, b"")),
    ("as-0", opened(asn=0, caps=b""), (2, 2, b"")),
    ("hold-1", opened(hold=1), (2, 6, b"")),
    ("hold-below-our-minimum", opened(hold=3), (2, 6, b"")),
    ("id-0", opened(router_id="0.0.0.0"), (2, 3, b"")),
    ("parameter-1", message(OPEN, struct.pack("!BHH4sB", 4, PEER, 90,
                                              b"\xc0\0\2\x63", 4) +
                            b"\1\2\0\0"), (2, 4, b"")),
    ("parameter-overrun", message(OPEN, struct.pack(
        "!BHH4sB", 4, PEER, 90, b"\xc0\0\2\x63", 4) + b"\2\x20\0\0"),
     (2, 0, b"")),
]

# name, octets sent in Established, NOTIFICATION
AFTER = [
    ("open-again", opened(), (5, 3, b"\x01")),
    ("marker", b"\xfe" * 19, (1, 1, b"")),
    ("keepalive-20", message(KEEPALIVE, b"x"), (1, 2, b"\0\x14")),
    ("attributes-overrun", message(UPDATE, b"\0\0\xff\xff"), (3, 1, b"")),
    ("withdrawn-overrun", message(UPDATE, b"\xff\xff\0\0"), (3, 1, b"")),
    ("nlri-33", update(attrs=ATTRS, reach=b"\x21\2\2\2\2\2"), (3, 10, b"")),
    ("nlri-cut", update(attrs=ATTRS, reach=b"\x18\2\2"), (3, 10, b"")),
    ("withdrawn-33", update(withdrawn=b"\x21\2\2\2\2\2"), (3, 10, b"")),
    ("unknown-well-known", update(attrs=ATTRS + attribute(99, 0x40, b"ab"),
                                  reach=nlri("2.104.0.0/14")),
     (3, 2, attribute(99, 0x40, b"ab"))),
    ("two-mp-reach", update(attrs=2 * mp_reach("2001:db8::1", b"") + ATTRS),
     (3, 1, b"")),
]

# name, attributes, reason id in "show rejected" (None: accepted): the
# session stays.
KEPT = [
    ("origin-9", attribute(1, 0x40, b"\x09") + attribute(
        2, 0x40, as_path([PEER])) + attribute(3, 0x40, b"\xc0\0\2\2"), 1006),
    ("no-next-hop", attribute(1, 0x40, b"\0") + attribute(
        2, 0x40, as_path([PEER])), 1006),
    ("med-3-octets", ATTRS + attribute(4, 0x80, b"abc"), 1006),
    ("communities-5-octets", ATTRS + attribute(8, 0xc0, b"abcde"), 1006),
    ("as-path-cut", attribute(1, 0x40, b"\0") + attribute(
        2, 0x40, b"\2\4\0\0") + attribute(3, 0x40, b"\xc0\0\2\2"), 1006),
    ("origin-flags", attribute(1, 0xc0, b"\0") + attribute(
        2, 0x40, as_path([PEER])) + attribute(3, 0x40, b"\xc0\0\2\2"), 1006),
    ("atomic-1-octet", ATTRS + attribute(6, 0x40, b"x"), None),
    ("origin-twice", ATTRS + attribute(1, 0x40, b"\x09"), None),
    ("local-pref-from-outside", ATTRS + attribute(5, 0x40, b"\xff" * 4),
     None),
]


class Scene:
    """Every case has a neighbor of its own: an error makes the daemon wait
    before it takes that neighbor again."""

    def __init__(self, lab):
        self.lab = lab
        self.a, self.p = lab.ns("ana"), lab.ns("bad")
        good = lab.ns("good")
        lab.link(self.a, self.p, v4="192.0.2.0/24")
        lab.link(self.a, good, v4="198.51.100.0/30")
        self.ana = Ana(lab, self.a, US, "192.0.2.1")
        self.ana.hold_min = 9
        self.free = iter(range(20, 120))
        self.names = {}
        for name, *_ in BEFORE + AFTER + KEPT:
            self.add(name)
        for i in range(10):
            self.add("more-%d" % i)
        self.ana.neighbor("198.51.100.2", GOOD, "198.51.100.1", passive=True,
                          name="good")
        self.p.ip("addr", "add", "192.0.2.250/24", "dev", "to-ana")
        self.ana.start()
        self.good = Speaker(good, "198.51.100.2", "198.51.100.1", GOOD)
        self.good.announce(*GOOD_ROUTES)
        self.unharmed()

    def add(self, name):
        while name in self.names:
            name += "'"
        addr = "192.0.2.%d" % next(self.free)
        self.p.ip("addr", "add", addr + "/24", "dev", "to-ana")
        self.names[name] = self.ana.neighbor(addr, PEER, "192.0.2.1",
                                             passive=True, name=name)

    def dial(self, name):
        return Connection.dial(self.p, self.names[name].remote, "192.0.2.1")

    def established(self, name):
        c = self.dial(name)
        c.handshake(PEER)
        wait_until(lambda: self.ana.up(self.names[name]))
        return c

    def unharmed(self):
        want = expected(GOOD_ROUTES, GOOD, {4: "198.51.100.2"})
        wait_equal(lambda: self.ana.rib("in", "neighbor", "198.51.100.2"),
                   want, 20)
        assert self.good.up(), "the good session ended"
        assert self.ana.running()
        kernel = self.ana.kernel()
        assert {p for p, h in kernel.items() if h == {"198.51.100.2"}} == \
            set(want)


@pytest.fixture(scope="module")
def scene():
    with Lab() as made:
        s = Scene(made)
        yield s
        s.unharmed()
        s.good.close()
        assert not sanitizer_reports(s.ana.process)


def ids(rows):
    return [r[0] for r in rows]


@pytest.mark.parametrize("name,data,want", BEFORE, ids=ids(BEFORE))
def test_before_the_session(scene, name, data, want):
    c = scene.dial(name)
    c.send(data)
    assert c.wait_closed() == want
    c.close()
    scene.unharmed()


@pytest.mark.parametrize("name,data,want", AFTER, ids=ids(AFTER))
def test_in_the_session(scene, name, data, want):
    if name == "marker":
        name += "'"
    c = scene.established(name)
    c.send(data)
    assert c.wait_closed() == want
    c.close()
    wait_until(lambda: not scene.ana.up(scene.names[name]))
    said = scene.ana.show(scene.names[name])
    assert said["last_error_sent"], said
    scene.unharmed()


@pytest.mark.parametrize("name,attrs,reason", KEPT, ids=ids(KEPT))
def test_session_stays(scene, name, attrs, reason):
    n = scene.names[name]
    prefix = "2.21.28.0/22"
    # The next hop has to be the neighbor's own address.
    attrs = attrs.replace(b"\xc0\0\2\2", socket.inet_aton(n.remote))
    c = scene.established(name)
    c.send(update(attrs=attrs, reach=nlri(prefix)))
    if reason is None:
        wait_until(lambda: prefix in scene.ana.rib("neighbor", n.remote))
    else:
        wait_equal(lambda: scene.ana.rejected("neighbor", n.remote),
                   {(n.remote, prefix): reason}, 10)
    assert scene.ana.up(n)
    c.close()
    wait_until(lambda: not scene.ana.up(n))
    scene.unharmed()


def test_half_messages(scene):
    for n, cut in enumerate((1, 18, 19, 28)):
        c = scene.dial("more-%d" % n)
        c.wait_for(OPEN)
        c.send(opened()[:cut])
        c.close()
    scene.unharmed()


def test_octet_by_octet(scene):
    """A message may come in any pieces."""
    c = scene.dial("more-4")
    c.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for octet in opened() + keepalive():
        c.send(bytes([octet]))
    c.wait_for(KEEPALIVE)
    wait_until(lambda: scene.ana.up(scene.names["more-4"]))
    c.send(notification(6, 2))
    c.close()
    scene.unharmed()


def test_random_octets(scene):
    seed = int(os.environ.get("ANA_SEED", random.randrange(1 << 32)))
    rng = random.Random(seed)
    print("seed", seed)
    c = scene.established("more-5")
    try:
        for _ in range(200):
            c.send(message(rng.choice([2, 2, 2, 5]),
                           rng.randbytes(rng.randrange(64))))
    except ConnectionError:
        pass
    c.wait_closed()
    c.close()
    scene.unharmed()


def test_strangers(scene):
    """500 connections from an address that is no neighbor's."""
    held, since = [], time.monotonic()
    for i in range(500):
        s = scene.p.socket()
        s.settimeout(5)
        s.bind(("192.0.2.250", 0))
        s.connect(("192.0.2.1", 179))
        try:
            if i % 2:
                s.send(opened())
        except ConnectionError:
            pass
        held.append(s)
    scene.unharmed()
    # Each is closed at once, without a message or with 6/5.
    for s in held:
        try:
            data = s.recv(100)
            assert data == b"" or data == notification(6, 5)
        except ConnectionError:
            pass
        s.close()
    scene.unharmed()
    took = time.monotonic() - since
    with open(scene.ana.process.log, errors="replace") as f:
        lines = [x for x in f if "no such neighbor is configured" in x]
    assert 1 <= len(lines) <= 2 + took / 60
    assert "192.0.2.250" in lines[0]
    counted = re.search(r"^ana_bgpd_unknown_connections_total (\d+)",
                        scene.ana.cli("show", "metrics"), re.M)
    assert int(counted[1]) >= 500


def test_many_connections_of_one_neighbor(scene):
    """A neighbor may open as many as it likes and has one session."""
    held = []
    for _ in range(50):
        try:
            c = scene.dial("more-6")
            c.send(opened())
            held.append(c)
        except OSError:
            pass
    assert held
    scene.unharmed()
    for c in held:
        c.close()
    scene.unharmed()


@pytest.mark.parametrize("data", [
    b"", b"\0", b"\xff" * 70000, b"\x63show\0\0", b"\1" + b"x" * 100000,
    b"\1show\0nonsense\0\0", b"show\n", b"\1\0", b"\1show"],
    ids=["nothing", "zero", "ff", "version", "long", "words", "text", "empty",
         "half"])
def test_control_socket(scene, data):
    for path in ("control.sock", "restricted.sock"):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(15)
        s.connect(os.path.join(scene.ana.dir, "run", path))
        try:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            while s.recv(65536):
                pass
        except ConnectionError:
            pass
        s.close()
    assert "good" in scene.ana.cli("show")
    scene.unharmed()


def test_control_clients(scene):
    """Many that say nothing do not keep the operator out for ever."""
    held = []
    for _ in range(100):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(1)
        try:
            s.connect(os.path.join(scene.ana.dir, "run", "restricted.sock"))
            held.append(s)
        except OSError:
            s.close()
    assert held
    assert "good" in scene.ana.cli("show")
    for s in held:
        s.close()
    scene.unharmed()


def test_commands_that_are_wrong(scene):
    for words, status in (
            (("show", "neighbor", "203.0.113.77"), 4),
            (("neighbor", "nosuch", "clear"), 4),
            (("show", "rib", "10.0.0.0/33"), 2), (("nonsense",), 2),
            (("show", "rejected", "reason", "nosuch"), None)):
        got, out, err = scene.ana.cli(*words, check=False)
        if status is not None:
            assert got == status, (words, out, err)
            assert err.strip(), words
    scene.unharmed()
