"""What one peer does must not cost another one its session: floods, single
octets, garbage, connections that say nothing, a peer that never reads."""

import os
import random
import socket
import threading
import time

import pytest

from ana import Ana, sanitizer_reports
from lab import Lab, wait_until
from routers import Route
from speaker import (MARKER, Closed, Connection, Speaker, capabilities,
                     in_session, keepalive, nlri, notification, open_message,
                     refresh, route_attributes, update)

US, GOOD, BAD = 52580, 719, 3292
ANA = "192.0.2.1"
HOLD = 9
SECONDS = 12
HALF_OPEN = 200


class Listener(Speaker):
    """Remembers the longest silence of the daemon."""

    def __init__(self, *args, **kw):
        self.heard, self.silence = time.monotonic(), 0
        super().__init__(*args, **kw)

    def _take(self, kind, body):
        now = time.monotonic()
        self.silence = max(self.silence, now - self.heard)
        self.heard = now
        super()._take(kind, body)


class Scene:
    def __init__(self, lab):
        self.lab = lab
        self.a, self.p, good = lab.ns("ana"), lab.ns("bad"), lab.ns("good")
        lab.link(self.a, self.p, v4="192.0.2.0/24")
        lab.link(self.a, good, v4="198.51.100.0/30")
        self.ana = Ana(lab, self.a, US, ANA)
        self.ana.level = "info"
        own = [Route("179.191.%d.0/24" % i) for i in range(160, 176)]
        self.ana.table = {r.prefix: r for r in own}
        self.names, free = {}, iter(range(10, 100))
        for name in ("flood", "trickle", "trickled-open", "garbage",
                     "half-open", "deaf"):
            addr = "192.0.2.%d" % next(free)
            self.p.ip("addr", "add", addr + "/24", "dev", "to-ana")
            self.names[name] = self.ana.neighbor(
                addr, BAD, ANA, passive=True, name=name,
                more=("max-prefix 100000;",))
        self.p.ip("addr", "add", "192.0.2.250/24", "dev", "to-ana")
        self.n = self.ana.neighbor("198.51.100.2", GOOD, "198.51.100.1",
                                   passive=True, name="good", hold=HOLD)
        self.ana.start()
        self.good = Listener(good, "198.51.100.2", "198.51.100.1", GOOD,
                             hold=HOLD)
        wait_until(lambda: self.ana.up(self.n), 30)
        self.end, self.held = 0, []

    def running(self, times=1):
        """Until its time is over, but once at least."""
        return time.monotonic() < self.end or times == 0

    def dial(self, name):
        addr = name if name.startswith("192") else self.names[name].remote
        return Connection.dial(self.p, addr, ANA)

    def session(self, name):
        return in_session(lambda: self.dial(name), BAD)

    # What the bad ones do; each returns how often it did it.

    def flood(self):
        """Routes that come and go, as fast as the socket takes them."""
        c, n = self.session("flood"), 0
        attrs = [route_attributes(Route("2.0.0.0/8", med=i), BAD, c.local)
                 for i in range(2)]
        # As many to a message as there is room for.
        reach = b"".join(nlri("2.%d.%d.0/24" % (104 + i // 256, i % 256))
                         for i in range(900))
        data = b"".join(update(attrs=a, reach=reach) + update(reach)
                        for a in attrs)
        c.sock.settimeout(1)
        while self.running(n):
            try:
                c.send(data)
                n += 4
            except TimeoutError:
                # A part of a message was sent: of no more use.
                break
        self.held.append(c)
        return n

    def trickle(self):
        """One octet a segment, a session and an OPEN."""
        c, d = self.session("trickle"), self.dial("trickled-open")
        for s in (c.sock, d.sock):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        octets = keepalive() * 1000
        opening = open_message(BAD, caps=capabilities(BAD))
        n = 0
        while self.running(n):
            c.send(octets[n:n + 1])
            if n < len(opening) - 1:
                d.send(opening[n:n + 1])
            n += 1
        self.held += [c, d]
        return n

    def garbage(self):
        rng, n = random.Random(7), 0
        while self.running(n):
            try:
                c = self.dial("garbage")
                c.send(rng.randbytes(20000) if n % 2 else
                       open_message(BAD, caps=capabilities(BAD)) +
                       keepalive() + MARKER + rng.randbytes(20000))
                n += 1
                c.close()
            except OSError:
                pass
        return n

    def half_open(self):
        """200 of a neighbor and 200 of a stranger, and not a word."""
        n = 0
        for i in range(HALF_OPEN):
            for who in ("half-open", "192.0.2.250"):
                try:
                    self.held.append(self.dial(who))
                    n += 1
                except OSError:
                    pass
        return n

    def deaf(self):
        """Asks for the table again and again, and reads nothing."""
        c = self.session("deaf")
        c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        c.sock.settimeout(1)
        n = 0
        while self.running(n):
            try:
                c.send(refresh("inet") * 50)
                n += 50
            except TimeoutError:
                break
        self.held.append(c)
        return n


BADLY = ("flood", "trickle", "garbage", "half_open", "deaf")


@pytest.fixture(scope="module")
def scene():
    with Lab() as lab:
        s = Scene(lab)
        yield s
        for c in s.held:
            c.close()
        assert not sanitizer_reports(s.ana.process)


# Each for itself, to find out which it is: ANA_FAIR=1.
@pytest.mark.parametrize("how", ("all",) + (
    BADLY if os.environ.get("ANA_FAIR") else ()))
def test_others_go_on(scene, how):
    """The good session never hears nothing for a hold time, and what it sends
    is taken."""
    scene.good.silence, scene.good.heard = 0, time.monotonic()
    scene.end = time.monotonic() + SECONDS
    done, went = {}, BADLY if how == "all" else (how,)

    def run(name):
        done[name] = getattr(scene, name)()

    threads = [threading.Thread(target=run, args=(w,), daemon=True)
               for w in went]
    for t in threads:
        t.start()
    count = 0
    while scene.running():
        prefix = "62.142.%d.0/24" % (count % 100)
        count += 1
        scene.good.announce(Route(prefix))
        wait_until(lambda: prefix in scene.ana.rib("neighbor", "good"), 30,
                   what="a route of the good one")
        scene.good.withdraw(prefix)
    for t in threads:
        t.join(60)
    assert all(done.get(w) for w in went), done
    assert scene.good.up() and scene.ana.up(scene.n), done
    silence = max(scene.good.silence, time.monotonic() - scene.good.heard)
    assert silence < HOLD, done
    assert count > 0
    for c in scene.held:
        c.close()
    scene.held = []
    # Whoever misbehaved may come back; an operator ends its idle hold.
    for w in went:
        n = scene.names[w.replace("_", "-")]
        scene.ana.cli("neighbor", n.remote, "down")
        scene.ana.cli("neighbor", n.remote, "up")

        def back():
            c = scene.dial(n.name)
            try:
                c.handshake(BAD, timeout=5)
                c.send(notification(6, 2))
                return True
            except Closed:
                return False
            finally:
                c.close()
        wait_until(back, 60, what=n.name + " is back")
