"""Answers of any length: to readers that stand still, go away or are slow, of a
daemon whose memory stays what it was and whose sessions do not notice."""

import os
import select
import socket
import struct
import subprocess
import time

import pytest

import ana as ana_module
from ana import BUILD, Ana
from lab import wait_until
from routers import Route
from speaker import UPDATE, Speaker, message, nlri, route_attributes

PEER, US = 719, 52580
ROUTES, PACKED = 120000, 900    # in an UPDATE
RELEASE = BUILD.parent / "release"
MB = 1 << 20
# Of one reader: what it was not sent, a walk, the socket's buffer is the
# kernel's.
EACH, ALL = MB // 4, MB
READERS = 24
MARK = b'"true_nexthop"'     # once a route


class Stream(Ana):
    def rss(self):
        with open("/proc/%d/statm" % self.process.pid) as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")


class Reader:
    """One request; what comes is read when somebody wants it."""

    def __init__(self, ana, *words):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.settimeout(30)
        self.s.connect(ana.dir + "/run/control.sock")
        self.s.sendall(b"\1" + b"".join(w.encode() + b"\0" for w in words) +
                       b"\0")

    def answers(self):
        """Something is there to be read."""
        return bool(select.select([self.s], [], [], 0)[0])

    def frames(self):
        """(type, payload) of each, as slowly as they are taken."""
        data = bytearray()
        while True:
            while len(data) < 4 or len(data) < 4 + int.from_bytes(
                    data[1:4], "big"):
                more = self.s.recv(65536)
                if not more:
                    return
                data += more
            n = int.from_bytes(data[1:4], "big")
            yield data[:1], bytes(data[4:4 + n])
            del data[:4 + n]


@pytest.fixture(scope="class")
def ana(class_lab):
    """The release build: the sanitizer's memory would be what is measured."""
    if not (RELEASE / "ana-bgpd").exists():
        pytest.skip("needs a release build: ./dev build")
    lab = class_lab
    with pytest.MonkeyPatch.context() as m:
        m.setattr(ana_module, "BUILD", RELEASE)
        a, p = lab.ns("ana"), lab.ns("peer")
        lab.link(a, p, v4="192.0.2.0/30")
        ana = Stream(lab, a, US, "192.0.2.1")
        ana.level = "info"
        n = ana.neighbor("192.0.2.2", PEER, "192.0.2.1", passive=True, hold=3,
                         more=('no max-prefix "a lab";', "fib no;"))
        ana.start()
        ana.peer = Speaker(p, "192.0.2.2", "192.0.2.1", PEER, hold=3)
        prefixes = ["%d.%d.%d.0/24" % (20 + (i >> 16), i >> 8 & 255, i & 255)
                    for i in range(ROUTES)]
        for at in range(0, ROUTES, PACKED):
            attrs = route_attributes(Route("0.0.0.0/0", path=[
                3000 + at // PACKED]), PEER, "192.0.2.2")
            ana.peer.send(message(UPDATE, struct.pack("!HH", 0, len(attrs)) +
                                  attrs + b"".join(
                                      nlri(p) for p in
                                      prefixes[at:at + PACKED])))
        wait_until(lambda: ana.show(n)["stats"]["routes"]["inet"]["best"] ==
                   ROUTES, 120, what="all routes")
        # The first whole answer has what every later one needs.
        for words in (["-j", "show", "rib", "detail"], ["show", "rejected"]):
            for _ in Reader(ana, *words).frames():
                pass
        yield ana
        assert ana.peer.up() and ana.process.running()
        ana.peer.close()


def goes_on(ana, rounds=3):
    """Keepalives come, and another's question is answered."""
    before = ana.peer.keepalives
    assert "AS52580" in ana.cli("show", "version")
    wait_until(lambda: ana.peer.keepalives >= before + rounds)
    assert ana.peer.up()


class TestStream:
    def test_readers_that_stand_still(self, ana):
        before = ana.rss()
        held = [Reader(ana, "-j", "show", "rib", "detail")
                for _ in range(READERS)]
        wait_until(lambda: all(r.answers() for r in held))
        goes_on(ana)
        assert ana.rss() - before < READERS * EACH, (ana.rss() - before) / READERS
        # They go away in the middle, all at once.
        for r in held:
            r.s.close()
        goes_on(ana, 1)
        wait_until(lambda: 'control.sock"} 1\n' in ana.cli("show", "metrics"))
        assert ana.rss() - before < READERS * EACH, (ana.rss() - before) / READERS

    def test_a_slow_reader(self, ana):
        """The answer is whole, many times what the daemon had of it at once."""
        before, most, total, rows, tail = ana.rss(), 0, 0, 0, b""
        keepalives = ana.peer.keepalives
        for kind, payload in Reader(ana, "-j", "show", "rib",
                                    "detail").frames():
            total += len(payload)
            most = max(most, ana.rss() - before)
            time.sleep(0.005)
            if kind != b"O":
                assert (kind, payload) == (b"X", b"\0")
                break
            rows += (tail + payload).count(MARK) - tail.count(MARK)
            tail = payload[-len(MARK):]
        assert rows == ROUTES
        assert total > 50 * ALL and most < ALL, (total, most)
        assert ana.peer.keepalives > keepalives and ana.peer.up()

    def test_a_client_that_stands_still(self, ana):
        """The real one, whose output is a pipe that nobody reads."""
        before = ana.rss()
        p = subprocess.Popen([ana_module.program("ana-bgpctl"), "-s",
                              ana.dir + "/run/control.sock", "show", "rib"],
                             stdout=subprocess.PIPE)
        wait_until(lambda: select.select([p.stdout], [], [], 0)[0])
        goes_on(ana)
        assert p.poll() is None and ana.rss() - before < ALL
        lines = p.stdout.read().decode().splitlines()
        assert p.wait(30) == 0
        assert len([x for x in lines if "192.0.2.2" in x]) == ROUTES
