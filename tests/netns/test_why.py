"""Why a session is not up, in one sentence of "show neighbor", for each cause
that an operator meets.  Wrong keys and too low TTLs are in test_auth.py."""

import socket

import pytest

from ana import Ana, sanitizer_reports
from lab import wait_equal, wait_until
from routers import Route
from speaker import (OPEN, Connection, announcement, capabilities,
                     capability, in_session, keepalive, notification, open_message)

US, PEER = 52580, 3292
HOST, HERE = "192.0.2.2", "192.0.2.1"
TCP_SAVE_SYN, TCP_SAVED_SYN, IP_MINTTL = 27, 28, 21


class Scene:
    def __init__(self, lab):
        self.lab, self.a, self.p = lab, lab.ns("ana"), lab.ns("peer")
        self.dev = lab.link(self.a, self.p, v4="192.0.2.0/26",
                            v6="2001:db8:1::/64")[0]
        self.ana = Ana(lab, self.a, US, HERE)
        self.ana.listen = [HERE]
        self.n = 0

    def neighbor(self, addr, *more, **kw):
        kw.setdefault("families", ("inet6",) if ":" in addr else ("inet",))
        local = "2001:db8:1::1" if ":" in addr else HERE
        return self.ana.neighbor(addr, PEER, kw.pop("local", local),
                                 more=more, **kw)

    def why(self, n):
        for line in self.ana.cli("show", "neighbor", n.remote).splitlines():
            if line.startswith("  Not up: "):
                return line[10:]
        return ""

    def says(self, n, *texts):
        wait_until(lambda: all(t in self.why(n) for t in texts), 30,
                   what="%s: %r" % (n.remote, texts))
        # The same in JSON.
        wait_until(lambda: all(t in self.ana.show(n)["why_down"]
                               for t in texts))

    def host(self, i):
        """One more address of the peer."""
        addr = "192.0.2.%d" % i
        self.p.ip("addr", "add", addr + "/26", "dev", "to-ana")
        return addr


def test_before_there_is_a_connection(lab):
    """All at once: each neighbor has its own trouble."""
    s = Scene(lab)
    slow = "connect-retry 30s;"
    for n in (3, 4):
        s.host(n)
    no_route = s.neighbor("203.0.113.1", slow)
    no_arp = s.neighbor("192.0.2.40", slow)
    no_nd = s.neighbor("2001:db8:1::40", slow)
    refused = s.neighbor(HOST, slow)
    mute = s.neighbor("192.0.2.41")
    far = s.neighbor("192.0.2.42", "multihop 3;")
    for i, n in enumerate((mute, far)):     # a frame that nobody takes
        s.a.ip("neigh", "replace", n.remote, "lladdr", "02:00:00:00:00:0%d" %
               (i + 1), "nud", "permanent", "dev", s.dev)
    foreign = s.neighbor("192.0.2.3", slow, local="192.0.2.60")
    waiting = s.neighbor("192.0.2.4", passive=True)
    disabled = s.neighbor("192.0.2.5", "enabled no;")
    stopped = s.neighbor("192.0.2.6")
    s.ana.start()
    s.says(no_route, "connecting failed: no route leads to it", "missing here")
    s.says(no_arp, "it does not answer ARP", "VLAN or cable")
    s.says(no_nd, "it does not answer neighbor discovery")
    s.says(refused, "it refuses the connection", "no neighbor with our addr")
    s.says(mute, "no answer: a packet filter, or no way back")
    s.says(far, "more hops than multihop allows")
    s.says(foreign, "local-address is no address of this machine")
    s.says(waiting, "waiting for the peer to connect (passive yes)")
    s.says(disabled, 'the configuration says "enabled no"')
    s.ana.cli("neighbor", stopped.remote, "down", "ticket \u00e9 42")
    s.says(stopped, "an operator stopped it (neighbor X up starts it)",
           "reason given: ticket \u00e9 42")
    # No route, a bad one, one that leads nowhere.
    s.a.ip("route", "add", "unreachable", "203.0.113.0/24")
    s.ana.cli("neighbor", no_route.remote, "clear")
    s.says(no_route, "a route of this machine forbids it")
    s.a.ip("route", "replace", "203.0.113.0/24", "via", HOST)
    s.p.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    s.ana.cli("neighbor", no_route.remote, "clear")
    s.says(no_route, "a router on the way has no route to it")
    for p in lab.sanitized:
        assert not sanitizer_reports(p), p.name


@pytest.fixture(scope="module")
def scene():
    from lab import Lab
    with Lab() as lab:
        s = Scene(lab)
        s.peers = {}
        for i, (name, more) in enumerate((
                ("as", ()), ("hold", ("hold-time-min 30s;",)),
                ("family", ()), ("limit", ("max-prefix 1 action stop;",)),
                ("collision", ()), ("said", ()), ("binary", ()),
                ("long", ()), ("params", ()), ("as-there", ()),
                ("caps", ("require capability [ refresh, as4 ];",)))):
            s.peers[name] = s.neighbor(s.host(10 + i), *more, passive=True,
                                       name=name)
        s.ana.start()
        yield s
        for p in lab.sanitized:
            assert not sanitizer_reports(p), p.name


def shake(ana, ns, n, here):
    """A session that the peer dials."""
    c = in_session(lambda: Connection.dial(ns, n.remote, here), PEER)
    wait_until(lambda: ana.up(n))
    return c


def meet(s, n, *messages, session=False):
    """A connection that says these, in a session or as the first thing.

    While the idle hold after an error runs, what it dials is closed.
    """
    if session:
        c = shake(s.ana, s.p, n, HERE)
    else:
        c = Connection.dial(s.p, n.remote, HERE)
    for m in messages:
        c.send(m)
    return c


def caps(*families):
    return capabilities(PEER, families or ("inet",))


@pytest.mark.parametrize("name,opened,code,texts", [
    ("as", open_message(3293, caps=capabilities(3293)), (2, 2),
     ("the peer's AS is 3293, and not 3292 (remote-as)",)),
    ("hold", open_message(PEER, hold=20, caps=caps()), (2, 6),
     ("hold time of 20 s is below our minimum of 30 s (hold-time-min)",)),
    ("family", open_message(PEER, caps=caps("inet6")), (2, 7),
     ("no address family in common",)),
    ("caps", open_message(PEER, caps=capability(1, b"\0\1\0\1")), (2, 7),
     ("lacks required capabilities: 4-octet AS number, route refresh",)),
])
def test_its_open(scene, name, opened, code, texts):
    n = scene.peers[name]
    c = meet(scene, n, opened)
    assert c.wait_closed()[:2] == code
    c.close()
    scene.says(n, "we sent NOTIFICATION OPEN Message Error", *texts)


def test_prefix_limit(scene):
    n = scene.peers["limit"]
    c = meet(scene, n, *[announcement(Route("2.%d.0.0/16" % (104 + i)), PEER,
                                      n.remote) for i in range(2)],
             session=True)
    assert c.wait_closed()[:2] == (6, 1)
    c.close()
    scene.says(n, "it went over its prefix limit",
               "neighbor X clear-limit ends the hold")


def shutdown(data):
    return notification(6, 2, bytes([len(data)]) + data)


@pytest.mark.parametrize("name,sent,texts", [
    ("collision", notification(6, 7),
     ("the peer sent NOTIFICATION Cease, Connection Collision Resolution",)),
    ("as-there", notification(2, 2),
     ("OPEN Message Error, Bad Peer AS", "another AS than our 52580")),
    ("said", shutdown("ticket \u00e9 42".encode()),
     ('the peer sent NOTIFICATION Cease, Administrative Shutdown: "ticket '
      '\u00e9 42"',)),
    # RFC 9003 4: what it says reaches no terminal.
    ("binary", shutdown(b"a\x1b[2Jb\r\nc\x00d\xc2\x9bm\x7f"),
     ("a\\x1b[2Jb\\x0d\\x0ac\\x00d\\xc2\\x9bm\\x7f",)),
    ("binary", shutdown(b"x\xff\xfe\xc0\xafy"), ("Administrative Shutdown",)),
    ("long", notification(6, 2, bytes([200]) + b"short"),
     ("Administrative Shutdown",)),
    ("long", shutdown(b"z" * 255), ("z" * 100,)),
])
def test_its_notification(scene, name, sent, texts):
    n = scene.peers[name]
    c = meet(scene, n, session=True)
    c.send(sent)
    c.wait_closed()
    c.close()
    scene.says(n, *texts)
    for words in (("show", "neighbor", n.remote), ("show", "history"),
                  ("show", "errors", "neighbor", n.remote)):
        text = scene.ana.cli(*words)
        assert not any(ord(ch) < 32 and ch not in "\n\t" or
                       0x7f <= ord(ch) < 0xa0 for ch in text), text
    shown = scene.ana.ctl("show", "neighbor", n.remote)
    assert shown["neighbors"][0]["last_error_received"]


def test_peer_without_parameters(scene):
    """2/4: once without capabilities, and it is told; then a session."""
    n = scene.peers["params"]

    def once():
        try:
            c = Connection.dial(scene.p, n.remote, HERE)
            c.send(open_message(PEER))
            kind, body = c.recv()
        except OSError:   # its idle hold
            return None
        assert kind == OPEN
        return c, body
    c, body = once()
    assert body[9] > 0
    c.send(notification(2, 4))
    c.wait_closed()
    c.close()
    c, body = wait_until(once)
    assert body[9] == 0             # no optional parameter at all
    c.send(keepalive())
    wait_until(lambda: scene.ana.up(n))
    c.send(announcement(Route("2.104.0.0/16"), PEER, n.remote, as4=False))
    wait_until(lambda: "2.104.0.0/16" in scene.ana.rib(
        "neighbor", n.remote))
    c.close()


# ---- multihop --------------------------------------------------------------

def test_behind_a_router(lab):
    """Its TTL, its next hop over the static route, and the sentences."""
    a, r, p = lab.ns("ana"), lab.ns("router"), lab.ns("peer")
    dev = lab.link(a, r, v4="192.0.2.0/30")[0]
    lab.link(r, p, v4="192.0.2.8/30")
    r.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    a.ip("route", "add", "192.0.2.8/30", "via", "192.0.2.2", "dev", dev)
    p.ip("route", "add", "192.0.2.0/30", "via", "192.0.2.9")
    far, prefix = "192.0.2.10", "2.104.0.0/16"
    listener = p.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, TCP_SAVE_SYN, 1)
    listener.bind((far, 179))
    listener.listen(8)
    ana = Ana(lab, a, US, "192.0.2.1")
    n = ana.neighbor(far, PEER, "192.0.2.1", more=("multihop 7;",))
    ana.start()

    def session():
        listener.settimeout(30)
        c = Connection(listener.accept()[0])
        ttl = c.sock.getsockopt(socket.IPPROTO_TCP, TCP_SAVED_SYN, 128)[8]
        c.handshake(PEER)
        wait_until(lambda: ana.up(n))
        c.send(announcement(Route(prefix), PEER, far))
        wait_until(lambda: prefix in ana.rib("in", "neighbor", far))
        return c, ttl
    c, ttl = session()
    assert ttl == 6                 # 7, less the router
    text = ana.cli("show", "neighbor", far)
    assert "Multihop (7)" in text
    # The next hop is on no link: nothing in the kernel, and it is said.
    assert "its next hop cannot be reached" in ana.cli("explain", prefix)
    assert ana.kernel() == {}
    status, _, err = ana.cli("check", ana.conf, check=False)
    out = ana.cli("check", ana.conf)
    assert 'only with "fib { nexthop recursive; }"' in out + err, out
    c.close()
    # As it is told to.
    ana.blocks.append("fib { nexthop recursive; }")
    n.more = ("multihop 2;",)
    ana.stop()
    ana.start()
    c, ttl = session()
    assert ttl == 1
    wait_equal(ana.kernel, {prefix: {"192.0.2.2"}})
    # Accepted ones, too: what it sends arrives with TTL 1.
    c.close()
    n.passive = True
    ana.reload()
    listener.close()
    d = shake(ana, p, n, "192.0.2.1")
    d.sock.setsockopt(socket.IPPROTO_IP, IP_MINTTL, 2)
    before = drops(p)
    ana.cli("neighbor", far, "refresh", "in")
    wait_until(lambda: drops(p) > before)
    for x in lab.sanitized:
        assert not sanitizer_reports(x), x.name


def drops(ns):
    """Segments that the kernel threw away for their TTL."""
    names, values = [x.split()[1:] for x in ns.run(
        "cat", "/proc/net/netstat").splitlines() if x.startswith("TcpExt:")]
    return int(values[names.index("TCPMinTTLDrop")])

