"""TCP MD5 and GTSM: with other daemons, and what an operator is told when a
key or a TTL is wrong, of which the peer itself gets to see nothing."""

import errno
import os
import pathlib
import pwd
import socket
import struct
import time

import pytest

import routers
from ana import BUILD, Ana, wait_for_log
from lab import run, wait_until
from routers import Route
from speaker import Connection, announcement, in_session, keepalive

US, PEER = 52580, 3292
TCP_MD5SIG, IP_MINTTL, TCP_AO_INFO = 14, 21, 40
ROUTES = [Route("2.104.0.0/14"), Route("2.108.0.0/15")]


def md5(sock, addr, key):
    """The key for all segments from and to that address; b"": none."""
    v6 = ":" in addr
    sa = struct.pack("=HHI16sI", socket.AF_INET6, 0, 0, socket.inet_pton(
        socket.AF_INET6, addr), 0) if v6 else struct.pack(
            "=HH4s", socket.AF_INET, 0, socket.inet_aton(addr))
    sock.setsockopt(socket.IPPROTO_TCP, TCP_MD5SIG, struct.pack(
        "=128sBBHi80s", sa, 0, 0, len(key), 0, key))


def ttl(sock, value):
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, value)
    else:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, value)


class Scene:
    def __init__(self, lab, key=None, v6=False, **kw):
        self.lab, self.a, self.p = lab, lab.ns("ana"), lab.ns("peer")
        lab.link(self.a, self.p, v4="192.0.2.0/30", v6="2001:db8:1::/64")
        self.ours, self.theirs = ("2001:db8:1::1", "2001:db8:1::2") if v6 \
            else ("192.0.2.1", "192.0.2.2")
        self.family = "inet6" if v6 else "inet"
        self.ana = kw.pop("ana", Ana)(lab, self.a, US, "192.0.2.1")
        more = list(kw.pop("more", ()))
        if key is not None:
            self.secret(key)
            more.append('tcp-md5 secret-file "secrets/peer";')
        self.n = self.ana.neighbor(self.theirs, PEER, self.ours, name="peer",
                                   families=(self.family,), more=tuple(more),
                                   **kw)

    def start(self):
        """It also listens then, so a refusal is none of a closed port."""
        self.ana.start()
        wait_until(lambda: ":179 " in self.a.run("ss", "-ltnH"), 10)

    def secret(self, key, mode=0o400, name="peer"):
        path = os.path.join(self.ana.dir, "etc", "secrets", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".new", "w") as f:
            f.write(key + "\n")
        os.chmod(path + ".new", mode)
        pw = pwd.getpwnam(self.ana.user)
        os.chown(path + ".new", pw.pw_uid, pw.pw_gid)
        os.rename(path + ".new", path)

    def socket(self, key=b"", hops=255):
        s = self.p.socket(socket.AF_INET6 if self.family == "inet6"
                          else socket.AF_INET)
        ttl(s, hops)
        s.settimeout(1.2)
        if key:
            md5(s, self.ours, key)
        s.bind((self.theirs, 0))
        return s

    def dial(self, key=b"", hops=255):
        s = self.socket(key, hops)
        try:
            s.connect((self.ours, 179))
        except OSError:
            s.close()
            raise
        return Connection(s)

    def unanswered(self, key=b""):
        """Its segments are dropped; refused is what nobody listens to."""
        def dropped():
            try:
                self.dial(key).close()
            except TimeoutError:
                return True
            except ConnectionRefusedError:
                return False
            raise AssertionError("a connection with the key %r" % key)
        wait_until(dropped, 10)

    def session(self, key=b"", hops=255, deadline=15):
        return in_session(lambda: self.dial(key, hops), PEER, deadline,
                          families=(self.family,))

    def dropped(self, counter):
        """How many segments the appliance's kernel threw away for that."""
        names, values = [x.split()[1:] for x in self.a.run(
            "cat", "/proc/net/netstat").splitlines()
            if x.startswith("TcpExt:")]
        return int(values[names.index(counter)])

    def lost(self, conn, prefix, counter):
        """What is sent now is dropped by the kernel."""
        before = self.dropped(counter)
        conn.send(announcement(Route(prefix), PEER, self.theirs))
        wait_until(lambda: self.dropped(counter) > before, 10, what=counter)
        assert prefix not in self.ana.rib("neighbor", self.theirs)

    def taken(self, conn, prefix, deadline=10):
        conn.send(announcement(Route(prefix), PEER, self.theirs))
        wait_until(lambda: prefix in self.ana.rib("neighbor", self.theirs),
                   deadline, what="route " + prefix)

    def why(self):
        """The sentence of "show neighbor"."""
        for line in self.ana.cli("show", "neighbor", "peer").splitlines():
            if line.startswith("  Not up: "):
                return line[10:]
        return ""

    def says(self, *texts):
        wait_until(lambda: all(t in self.why() for t in texts), 15,
                   what="%r, not %r" % (texts, self.why()))


@pytest.mark.parametrize("kind,passive,gtsm", [
    ("Bird", False, True), ("Bird", True, False), ("Frr", False, True),
    # 7.7 on Linux has the key where it dials, not where it listens.
    ("OpenBgpd", True, True), ("GoBgp", False, True)])
def test_another_daemon(lab, kind, passive, gtsm):
    """A key, GTSM, and what both sides say when they stop (RFC 9003).

    passive: it dials us, so the key is the listener's."""
    driver = getattr(routers, kind)
    if not driver.installed():
        pytest.skip(kind + " is not installed")
    key = "a-long-secret" if kind == "Frr" else "a long secret"
    if kind == "OpenBgpd":
        key = "a_long_secret"
    s = Scene(lab, key=key, passive=passive,
              more=("ttl-security 1;",) if gtsm else ())
    other = driver(lab, s.p, PEER, "192.0.2.2")
    n = other.neighbor(s.ours, US, s.theirs, name="ana", password=key,
                       gtsm=gtsm, passive=not passive)
    other.announce(*ROUTES)
    s.start()
    other.start()

    hurried = time.monotonic()

    def routes():
        nonlocal hurried
        if time.monotonic() - hurried > 8 and not s.ana.up(s.n):
            other.hurry()       # which has it wait for some seconds again
            hurried = time.monotonic()
        return set(s.ana.rib("in", "neighbor", s.theirs)) == {
            r.prefix for r in ROUTES}
    wait_until(routes, 60, 1)
    text = s.ana.cli("show", "neighbor", "peer")
    assert "TCP MD5 signature" in text and key not in text
    assert not gtsm or "TTL security: 1 hops" in text
    s.ana.cli("neighbor", "peer", "down", "ticket 4711 \u00fc")
    wait_until(lambda: "ticket 4711 " in other.heard(n), 30,
               what="what %s heard" % kind)
    assert not s.ana.up(s.n)
    s.ana.cli("neighbor", "peer", "up")
    wait_until(routes, 60, 1)
    other.down(n, "moving house")
    s.says('the peer sent NOTIFICATION Cease, Administrative Shutdown: '
           '"moving house"')
    assert s.ana.show(s.n)["last_shutdown_reason"] == "moving house"
    other.enable(n)
    wait_until(routes, 60, 1)


def test_wrong_key(lab):
    s = Scene(lab, key="ours")
    other = routers.Bird(lab, s.p, PEER, "192.0.2.2")
    other.neighbor(s.ours, US, s.theirs, name="ana", password="theirs")
    s.start()
    other.start()
    s.says("TCP MD5 mismatch likely", "wrong signature")
    wait_for_log(s.ana.process, "TCP MD5 mismatch likely", 15)
    s.secret("theirs")
    s.ana.cli("reload")
    wait_until(lambda: s.ana.up(s.n), 30)
    assert s.why() == ""


def test_no_key_at_the_peer(lab):
    s = Scene(lab, key="ours", passive=True)
    s.start()
    s.unanswered()
    s.says("TCP MD5 mismatch likely", "without a signature")
    s.taken(s.session(b"ours"), "2.104.0.0/14")


def test_no_key_here(lab):
    s = Scene(lab, passive=True)
    s.start()
    s.unanswered(b"theirs")
    s.says("TCP MD5 mismatch likely", "no key is configured here")
    s.taken(s.session(), "2.104.0.0/14")


@pytest.mark.parametrize("v6", [False, True], ids=["inet", "inet6"])
def test_key_changes_on_both_sides(lab, v6):
    """The session stays, and what comes next needs the new key."""
    s = Scene(lab, key="first", v6=v6, passive=True)
    p = ["2.%d.0.0/16" % (104 + i) for i in range(4)] if not v6 else [
        "2a01:4f8:%d::/48" % (i + 1) for i in range(4)]
    s.start()
    c = s.session(b"first")
    s.taken(c, p[0])
    s.secret("second")
    assert "configuration in force" in s.ana.cli("reload")
    # Theirs is still the old one: nothing arrives, and nothing is lost.
    s.lost(c, p[1], "TCPMD5Failure")
    md5(c.sock, s.ours, b"second")
    wait_until(lambda: p[1] in s.ana.rib("neighbor", s.theirs), 20)
    # Another file with another key.
    s.secret("third", name="other")
    s.n.more = ('tcp-md5 secret-file "secrets/other";',)
    s.ana.reload()
    md5(c.sock, s.ours, b"third")
    s.taken(c, p[2], 20)
    said = s.ana.cli("show", "neighbor", "peer")
    assert "established 1 times" in said
    s.unanswered(b"second")
    c.close()
    s.taken(s.session(b"third"), p[3])


def test_key_is_taken_away(lab):
    """To begin or to cease to sign bounces the session."""
    s = Scene(lab, key="ours", passive=True)
    s.start()
    c = s.session(b"ours")
    with_key, s.n.more = s.n.more, ()
    s.ana.reload()
    assert c.wait_closed()[:2] == (6, 6)
    c.close()
    c = s.session()
    s.taken(c, "2.104.0.0/14")
    s.n.more = with_key
    s.ana.reload()
    assert c.wait_closed()[:2] == (6, 6)
    c.close()
    s.unanswered()
    s.taken(s.session(b"ours"), "2.104.0.0/14")


def test_the_kernel_refuses(lab):
    """Without the key nothing is taken, nor dialled."""
    s = Scene(lab, key="ours")
    with_key, s.n.more = s.n.more, ()
    s.start()
    c = s.session()
    path = "net.core.optmem_max"
    old = s.a.run("sysctl", "-n", path).strip()
    s.a.run("sysctl", "-qw", path + "=1")
    s.n.more = with_key
    s.ana.reload()
    assert c.wait_closed()[:2] == (6, 6)
    c.close()
    s.says("the kernel refused its TCP MD5 key", "optmem_max")
    for key in (b"", b"ours"):
        with pytest.raises(OSError):
            s.dial(key).handshake(PEER)
    assert not s.ana.up(s.n)
    s.a.run("sysctl", "-qw", "%s=%s" % (path, old))
    s.ana.cli("reload")
    s.taken(s.session(b"ours"), "2.104.0.0/14")


def kernel_has_ao(s):
    probe = s.p.socket()
    try:
        probe.getsockopt(socket.IPPROTO_TCP, TCP_AO_INFO, 48)
    except OSError as e:
        return e.errno != errno.ENOPROTOOPT
    finally:
        probe.close()
    return True


def test_tcp_ao_on_a_kernel_without(lab):
    """Nothing unsigned is taken, nor dialled, and it is said; no secret is."""
    s = Scene(lab, more=('tcp-ao key 1 secret-file "secrets/one";',
                         'tcp-ao key 2 receive-id 3 secret-file '
                         '"secrets/two" algorithm aes-128-cmac;'))
    if kernel_has_ao(s):
        pytest.skip("this kernel has TCP-AO")
    s.secret("first-secret", name="one")
    s.secret("second-secret", name="two")
    listener = Connection.listen(s.p, s.theirs)
    listener.settimeout(3)
    s.start()
    s.says("it has tcp-ao, and this kernel has none", "Linux 6.7")
    with pytest.raises(TimeoutError):
        listener.accept()
    with pytest.raises(OSError):
        s.dial().handshake(PEER)
    for words in (("show", "neighbor", "peer"), ("show", "config",
                                                 "defaults"),
                  ("show", "support")):
        text = s.ana.cli(*words)
        assert "first-secret" not in text and "second-secret" not in text
    text = s.ana.cli("show", "neighbor", "peer")
    assert "TCP-AO key 1 (receive 1), hmac-sha-1, asked for" in text
    assert "TCP-AO key 2 (receive 3), aes-128-cmac" in text
    # Without it there is a session again; it begins with a reload.
    s.n.more = ()
    s.ana.reload()
    listener.settimeout(20)
    c = Connection(listener.accept()[0])
    c.handshake(PEER)
    s.taken(c, "2.104.0.0/14")
    listener.close()
    # And it is no way around the missing kernel to begin on a session.
    s.n.more = ('tcp-ao key 1 secret-file "secrets/one";',)
    s.ana.reload()
    assert c.wait_closed()[:2] == (6, 6)
    s.says("it has tcp-ao, and this kernel has none")


class FakeAo(Ana):
    """The release build, which thinks that the kernel has TCP-AO."""

    def argv(self):
        shim = self.lab.path("fakeao.so")
        run("cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", shim,
            str(pathlib.Path(__file__).with_name("fakeao.c")), "-ldl")
        return ["env", "LD_PRELOAD=" + shim,
                str(BUILD.parent / "release" / "ana-bgpd"),
                *super().argv()[1:]]

    def asked(self):
        """What the kernel was asked for since the last time."""
        with open(self.process.log) as f:
            lines = [x[4:].strip() for x in f if x.startswith("ao: ")]
        new, self.seen = lines[self.seen:], len(lines)
        return new

    seen = 0


def test_tcp_ao_rolls_over(lab):
    """What is asked of the kernel, for a new key on a session that stays."""
    s = Scene(lab, ana=FakeAo)
    for name in ("one", "two", "three"):
        s.secret("key-" + name, name=name)

    def key(i, name, more=""):
        return 'tcp-ao key %d %ssecret-file "secrets/%s";' % (i, more, name)
    s.n.more = (key(1, "one"), key(2, "two", "receive-id 9 ")[:-1] +
                " algorithm aes-128-cmac;")
    one = "add 1/1 hmac(sha1) mac 12 /32 key key-one"
    two = "add 2/9 cmac(aes128) mac 12 /32 key key-two"
    listener = Connection.listen(s.p, s.theirs)
    listener.settimeout(20)
    s.start()
    c = Connection(listener.accept()[0])
    c.handshake(PEER)
    s.taken(c, "2.104.0.0/14")
    asked = s.ana.asked()
    # The listener's keys, and those of the connection that it dialled.
    assert set(asked) == {"socket " + x for x in (
        one, two, one + " first")}, asked
    assert sorted(asked)[:2] == ["socket " + one, "socket " + one + " first"]
    # A third, and the second one is gone: the session stays.
    s.n.more = (key(3, "three"), key(1, "one"))
    s.ana.reload()
    three = "add 3/3 hmac(sha1) mac 12 /32 key key-three"
    asked = s.ana.asked()
    assert [x for x in asked if x.startswith("connection")] == [
        "connection " + three, "connection ask 3",
        "connection del 2/9 next 3/3"], asked
    assert "socket " + three in asked
    assert "socket del 2/9 next 0/0" in asked
    s.taken(c, "2.108.0.0/15")
    assert "established 1 times" in s.ana.cli("show", "neighbor", "peer")
    # Another secret under an old id cannot be had without a new session.
    s.secret("key-other", name="one")
    assert "becomes another under its old id" in s.ana.cli("reload", "-n")
    s.ana.cli("reload")
    assert c.wait_closed()[:2] == (6, 6)
    # An accepted connection has the listener's keys.
    c.close()
    listener.close()
    s.taken(s.session(), "2.104.0.0/14")
    s.n.more = ()
    s.ana.reload()
    assert {"socket del 3/3 next 0/0", "socket del 1/1 next 0/0"} <= set(
        s.ana.asked())


@pytest.mark.parametrize("mode", [0o404, 0o440, 0o420])
def test_open_file(lab, mode):
    s = Scene(lab, key="ours", passive=True)
    s.start()
    c = s.session(b"ours")
    s.secret("other", mode)
    if mode == 0o440:           # of the speaker's own group: it may
        assert "in force" in s.ana.cli("reload")
        md5(c.sock, s.ours, b"other")
        s.taken(c, "2.104.0.0/14", 20)
        return
    status, out, err = s.ana.cli("reload", check=False)
    assert status == 1 and "secret file \"secrets/peer\"" in out + err
    assert "other" not in (out + err).replace("others", "")
    s.taken(c, "2.104.0.0/14")
    s.ana.process.end()
    s.ana._start()
    assert s.ana.process.p.wait(10) != 0
    assert "secret file" in s.ana.process.tail()


def test_unreadable_file(lab):
    """A key that the speaker cannot read is never no key."""
    s = Scene(lab, key="ours", passive=True)
    s.start()
    c = s.session(b"ours")
    s.secret("ours")
    os.chown(os.path.join(s.ana.dir, "etc/secrets/peer"), 0, 0)
    status, out, err = s.ana.cli("reload", check=False)
    assert status == 1 and "cannot read" in out + err
    s.taken(c, "2.104.0.0/14")


@pytest.mark.parametrize("v6", [False, True], ids=["inet", "inet6"])
def test_ttl_of_an_accepted_one(lab, v6):
    s = Scene(lab, v6=v6, passive=True, more=("ttl-security 1;",))
    s.start()
    for hops in (1, 254):
        try:
            c = s.dial(hops=hops)
            assert c.wait_closed() is None
            c.close()
        except OSError:
            pass
        s.says("TTL %d seen" % hops, "must send TTL 255")
    c = s.session()
    p = ["2a01:4f8:%d::/48" % (i + 1) for i in range(3)] if v6 else [
        "2.%d.0.0/16" % (104 + i) for i in range(3)]
    s.taken(c, p[0])
    # In an open session, too.
    ttl(c.sock, 254)
    s.lost(c, p[1], "TCPMinTTLDrop")
    ttl(c.sock, 255)
    wait_until(lambda: p[1] in s.ana.rib("neighbor", s.theirs), 20)
    assert s.ana.up(s.n)


def test_ttl_of_a_dialled_one(lab):
    s = Scene(lab, more=("ttl-security 1;",))
    # Refuses nothing, answers with TTL 64: all its segments are dropped.
    listener = Connection.listen(s.p, s.theirs)
    ttl(listener, 64)
    s.start()
    s.says("TTL too low", "must send TTL 255")
    ttl(listener, 255)
    listener.settimeout(20)
    c = Connection(listener.accept()[0])
    c.handshake(PEER)
    # Our own segments leave with 255: the peer may ask for that.
    c.sock.setsockopt(socket.IPPROTO_IP, IP_MINTTL, 255)
    s.taken(c, "2.104.0.0/14")
    c.send(keepalive())
    listener.close()


def test_ttl_security_of_more_hops(lab):
    s = Scene(lab, passive=True, more=("ttl-security 3;",))
    s.start()
    try:
        assert s.dial(hops=252).wait_closed() is None
    except OSError:
        pass
    s.says("TTL 252 seen, at least 253 required")
    s.taken(s.session(hops=253), "2.104.0.0/14")


def test_ttl_is_not_looked_at_unless_asked(lab):
    s = Scene(lab, passive=True)
    s.start()
    s.taken(s.session(hops=1), "2.104.0.0/14")
    assert "its last connection came with TTL 1" in s.ana.cli(
        "show", "neighbor", "peer")
