"""ana-fibd against a real kernel, in network namespaces of its own.

Run as root: python3 -m pytest tests/netns/test_fibd.py
The build directory is $ANA_BUILD (default: build beside tests).
"""
import ctypes
import errno
import multiprocessing
import os
import re
import resource
import select
import signal
import socket
import struct
import subprocess
import tempfile
import time

import pytest

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
FIBD = os.path.join(os.environ.get("ANA_BUILD", os.path.join(TOP, "build")),
                    "ana-fibd")
DEADLINE = float(os.environ.get("DEADLINE", "20"))

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

(HELLO, LISTEN, NHSET, NHSET_DROP, REPLACE, DELETE, END, FLUSH, WATCH,
 UNWATCH) = range(1, 11)
(READY, DONE, UPTO, FAM_DONE, LISTENER, NH_STATE, LINK, ADDR, STATE,
 OVERRUN, TRAFFIC, USAGE) = range(64, 76)
CONFLICT, GONE, CHANGED, PUTBACK = range(4)
ONLINK = 1


def run(cmd, check=True):
    p = subprocess.run(cmd.split(), capture_output=True, text=True)
    if check and p.returncode != 0:
        raise AssertionError(f"{cmd}: {p.stdout}{p.stderr}")
    return p.stdout


def until(what, want=True, deadline=None):
    """Polls until what() is (or satisfies) want; its last value if not."""
    end = time.monotonic() + (deadline or DEADLINE)
    while True:
        got = what()
        if want(got) if callable(want) else got == want:
            return got
        assert time.monotonic() < end, f"still {got!r}"
        select.select([], [], [], 0.01)


def addr(a, length=0, ifindex=0):
    fam = 2 if ":" in a else 1
    raw = socket.inet_pton(socket.AF_INET6 if fam == 2 else socket.AF_INET, a)
    return struct.pack("=BBxxI16s", fam, length, ifindex, raw.ljust(16, b"\0"))


def prefix(p):
    a, length = p.split("/")
    return addr(a, int(length))


def text_addr(b):
    fam, length, ifindex, raw = struct.unpack("=BBxxI16s", b)
    a = socket.inet_ntop(socket.AF_INET6 if fam == 2 else socket.AF_INET,
                         raw if fam == 2 else raw[:4])
    return a, length, ifindex


def cstr(b):
    return b.split(b"\0")[0].decode()


class Client:
    """A speaker: it keeps all it was told."""

    def __init__(self, path=None, sock=None):
        self.s = sock or socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if path:
            self.s.connect(path)
        self.s.setblocking(False)
        self.seq = 0
        self.upto = 0
        self.failed = {}
        self.ready = None
        self.fam_done = []
        self.listeners = []
        self.nh, self.via = {}, {}
        self.links, self.traffic, self.usage = {}, {}, None
        self.addrs = set()
        self.states = []
        self.overruns = 0
        self.closed = False
        self.batch = []

    # -- out
    def rec(self, kind, body, version=1, size=None):
        self.seq += 1
        return struct.pack("=BBHI", version, kind, size or 8 + len(body),
                           self.seq) + body

    def push(self, data):
        while not self.closed:
            try:
                self.s.send(data)
                return
            except BlockingIOError:
                self.poll(0.05)
            except (BrokenPipeError, ConnectionResetError):
                self.poll(0)
                self.closed = True

    def flush(self):
        while self.batch:
            self.push(b"".join(self.batch[:64]))
            del self.batch[:64]

    def send(self, kind, body, **kw):
        self.batch.append(self.rec(kind, body, **kw))
        seq = self.seq
        if len(self.batch) >= 64:
            self.flush()
        return seq

    def hello(self, netns, table=254, metric=20, keep=60, proto=179, src4=None,
              src6=None, reconcile=0, wait=True, recursive=0, send=True):
        none = bytes(24)
        self.ready = None
        self.send(HELLO, struct.pack("=QIIIIBB6x", netns, table, metric, keep,
                                     reconcile, proto, recursive) +
                  (addr(src4, 32) if src4 else none) +
                  (addr(src6, 128) if src6 else none))
        if send:
            self.flush()
        if wait:
            until(lambda: self.poll() or self.ready is not None or self.closed)
        return self.ready

    def nhset(self, number, nhs):
        """nhs: (address, ifindex[, weight[, flags]])."""
        body = b""
        fam = 1
        for nh in nhs:
            a, ifindex, weight, flags = tuple(nh) + (1, 0)[len(nh) - 2:]
            fam = 2 if ":" in a else 1
            body += addr(a)[8:] + struct.pack("=IBBxx", ifindex, weight, flags)
        return self.send(NHSET, struct.pack("=IBBxx", number, fam, len(nhs)) +
                         body.ljust(16 * 24, b"\0"))

    def drop(self, number):
        return self.send(NHSET_DROP, struct.pack("=II", number, 0))

    def replace(self, p, number):
        return self.send(REPLACE, prefix(p) + struct.pack("=II", number, 0))

    def remove(self, p):
        return self.send(DELETE, prefix(p))

    def end(self, fam):
        return self.send(END, struct.pack("=B23x", fam))

    def flush_routes(self, fam):
        return self.send(FLUSH, struct.pack("=B23x", fam))

    def watch(self, a, ifindex=0):
        return self.send(WATCH, addr(a, 0, ifindex))

    def listen(self, a, ifindex=0):
        return self.send(LISTEN, addr(a, 0, ifindex))

    # -- in
    def poll(self, wait=0.0):
        select.select([self.s], [], [], wait)
        while True:
            try:
                data, fds, _, _ = socket.recv_fds(self.s, 64 * 400, 1)
            except BlockingIOError:
                return
            except ConnectionResetError:
                continue
            if not data:
                self.closed = True
                return
            while data:
                _, kind, size, seq = struct.unpack("=BBHI", data[:8])
                self.on(kind, seq, data[8:size], fds)
                data = data[size:]

    def on(self, kind, seq, b, fds):
        if kind == READY:
            err, epoch, a4, a6, nmax, keep, port = struct.unpack(
                "=iIIIIIH", b[:26])
            self.ready = dict(err=err, v4=a4, v6=a6, max=nmax, keep=keep,
                              port=port, objects=b[30], text=cstr(b[32:]))
        elif kind == DONE:
            self.failed[seq] = (struct.unpack("=i", b[:4])[0], cstr(b[8:]))
        elif kind == UPTO:
            self.upto = seq
        elif kind == FAM_DONE:
            self.fam_done.append(struct.unpack("=BBxxI", b))
        elif kind == LISTENER:
            err = struct.unpack("=i", b[24:28])[0]
            self.listeners.append((text_addr(b[:24])[0], err, cstr(b[32:]),
                                   fds[0] if fds else -1))
        elif kind == NH_STATE:
            a, _, ifindex = text_addr(b[:24])
            self.nh[a] = ifindex if b[48] else 0
            self.via[a] = text_addr(b[24:48])[0]
        elif kind == LINK:
            ifindex, speed, up, carrier, gone = struct.unpack("=IIBBB", b[:11])
            self.links[ifindex] = dict(name=cstr(b[16:32]), speed=speed,
                                       up=up, carrier=carrier, gone=gone)
        elif kind == ADDR:
            a = text_addr(b[:24])
            (self.addrs.add if b[24] else self.addrs.discard)(a)
        elif kind == STATE:
            a, length, _ = text_addr(b[:24])
            self.states.append((f"{a}/{length}", b[24]))
        elif kind == OVERRUN:
            self.overruns += 1
        elif kind == TRAFFIC:
            ifindex, _, *count = struct.unpack("=IIQQQ", b)
            self.traffic[ifindex] = count
        elif kind == USAGE:
            self.usage = struct.unpack("=QQQQ", b)
        else:
            raise AssertionError(f"record type {kind}")

    def settle(self):
        """All that was asked is answered; the failures among them."""
        self.flush()
        until(lambda: self.poll(0.01) or self.closed or self.upto == self.seq)
        assert not self.closed, self.ready
        return self.failed

    def close(self):
        self.s.close()


class Box:
    """A namespace with two links to routers of other namespaces."""

    def __init__(self, name):
        self.name = name
        self.peer = name + "p"
        self.procs = []
        self.dir = tempfile.TemporaryDirectory(prefix="fibd-")
        self.path = os.path.join(self.dir.name, "fibd.sock")
        for n in (self.name, self.peer):
            run(f"ip netns add {n}")
            run(f"ip -n {n} link set lo up")
        for i in (0, 1):
            self.link(i)
        self.netns = os.stat(f"/run/netns/{name}").st_ino

    def ip(self, args, check=True):
        return run(f"ip -n {self.name} {args}", check)

    def link(self, i):
        self.ip(f"link add v{i} type veth peer name w{i} netns {self.peer}")
        self.ip(f"link set v{i} up")
        run(f"ip -n {self.peer} link set w{i} up")
        self.ip(f"addr add 10.0.{i}.1/24 dev v{i}")
        self.ip(f"addr add fd00:{i}::1/64 dev v{i} nodad")
        until(lambda: "UP" in self.ip(f"link show v{i}") and
              "LOWER_UP" in self.ip(f"link show v{i}"))

    def ifindex(self, name):
        return int(self.ip(f"-o link show {name}").split(":")[0])

    def carrier(self, i, up):
        run(f"ip -n {self.peer} link set w{i} {'up' if up else 'down'}")

    def start(self, *args, fds=(), user="root"):
        cmd = ["ip", "netns", "exec", self.name, FIBD, "-d", "-s", self.path,
               "-u", user, "-U", "nobody", *args]
        env = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
        p = subprocess.Popen(cmd, stderr=subprocess.PIPE, pass_fds=fds,
                             env=env, text=True)
        self.procs.append(p)
        if not fds:
            line = p.stderr.readline()
            assert "ready" in line, line + p.stderr.read()
        return p

    def stop(self, p):
        p.send_signal(signal.SIGTERM)
        assert p.wait(DEADLINE) == 0, p.stderr.read()

    def client(self, **kw):
        c = Client(self.path)
        ready = c.hello(self.netns, **kw)
        assert ready and ready["err"] == 0, ready
        return c

    def routes(self, fam=4, proto=179, table="main"):
        """{prefix: set of (gateway, device)}"""
        out = {}
        dst = None
        for line in self.ip(f"-{fam} route show proto {proto} table "
                            f"{table}").splitlines():
            w = line.split()
            if not line[0].isspace():
                dst = w[0]
                out[dst] = set()
            if "via" in w:
                gw = w[w.index("via") + 1]
                if gw == "inet6":
                    gw = w[w.index("via") + 2]
                out[dst].add((gw, w[w.index("dev") + 1]))
        return out

    def close(self):
        for p in self.procs:
            if p.poll() is None:
                p.kill()
            p.wait()
            p.stderr.close()
        for n in (self.name, self.peer):
            # One that went to the background is nobody's child.
            for q in run(f"ip netns pids {n}", check=False).split():
                os.kill(int(q), signal.SIGKILL)
            run(f"ip netns del {n}", check=False)
        self.dir.cleanup()


@pytest.fixture
def box(request):
    b = Box(f"fib{os.getpid() % 10000}")
    yield b
    b.close()


@pytest.fixture(params=["objects", "plain"])
def form(request):
    return ("-T", "plain") if request.param == "plain" else ()


LAB = ("-4", "8-24", "-6", "16-48", "-a", "2001:db8::/32", "-a",
       "198.18.0.0/15")
A0, A1 = ("10.0.0.2", "v0"), ("10.0.1.2", "v1")
B0, B1 = ("fd00::2", "v0"), ("fd00:1::2", "v1")


def sets(box, c):
    """1: both links IPv4, 2: both IPv6, 3: first only, IPv4, 4: IPv6."""
    v0, v1 = box.ifindex("v0"), box.ifindex("v1")
    c.nhset(1, [("10.0.0.2", v0), ("10.0.1.2", v1)])
    c.nhset(2, [("fd00::2", v0), ("fd00:1::2", v1)])
    c.nhset(3, [("10.0.0.2", v0)])
    c.nhset(4, [("fd00::2", v0)])


def test_routes_as_asked(box, form):
    box.start(*LAB, *form)
    c = box.client()
    assert c.ready["objects"] == (0 if form else 1)
    sets(box, c)
    c.replace("198.18.0.0/24", 1)
    c.replace("198.18.1.0/24", 3)
    c.replace("2001:db8:1::/48", 2)
    c.replace("2001:db8:2::/48", 4)
    c.replace("198.19.0.0/24", 4)  # RFC 8950
    assert c.settle() == {}
    assert box.routes(4) == {"198.18.0.0/24": {A0, A1}, "198.18.1.0/24": {A0},
                             "198.19.0.0/24": {B0}}
    assert box.routes(6) == {"2001:db8:1::/48": {B0, B1},
                             "2001:db8:2::/48": {B0}}
    # one record moves all routes of a set
    c.nhset(1, [("10.0.1.2", box.ifindex("v1"))])
    # a route moves to another set; one goes
    c.replace("198.18.1.0/24", 1)
    c.replace("2001:db8:2::/48", 2)
    c.remove("2001:db8:1::/48")
    c.remove("198.19.0.0/24")
    assert c.settle() == {}
    assert until(box.routes, lambda r: r["198.18.0.0/24"] == {A1}) == {
        "198.18.0.0/24": {A1}, "198.18.1.0/24": {A1}}
    assert box.routes(6) == {"2001:db8:2::/48": {B0, B1}}
    n = c.drop(1)
    assert c.settle()[n][0] == errno.EBUSY
    # the number may mean other next hops now, not those of its routes
    c.nhset(1, [("10.0.0.2", box.ifindex("v0"))])
    c.settle()
    assert box.routes(4)["198.18.1.0/24"] == {A1}
    c.remove("198.18.0.0/24")
    c.remove("198.18.1.0/24")
    m = c.remove("198.18.1.0/24")
    k = c.drop(1)
    c.settle()
    assert c.failed[m][0] == errno.ENOENT and k not in c.failed
    assert box.routes() == {}


def test_weights_and_source(box, form):
    box.ip("addr add 198.18.255.1/32 dev lo")
    box.start(*LAB, *form)
    c = box.client(src4="198.18.255.1", metric=77)
    c.nhset(1, [("10.0.0.2", box.ifindex("v0"), 3),
                ("10.0.1.2", box.ifindex("v1"), 1)])
    c.replace("198.18.0.0/24", 1)
    assert c.settle() == {}
    out = box.ip("route show proto 179")
    assert "src 198.18.255.1" in out and "metric 77" in out
    assert "weight 3" in out and "weight 1" in out
    # the kernel drops routes with a preferred source, we put them back
    box.ip("addr del 198.18.255.1/32 dev lo")
    until(lambda: box.routes(), {})
    box.ip("addr add 198.18.255.1/32 dev lo")
    until(lambda: box.routes(), {"198.18.0.0/24": {A0, A1}})
    until(lambda: c.poll() or ("198.18.0.0/24", PUTBACK) in c.states)


def test_sixteen_next_hops(box, form):
    """The largest ECMP group, a weight for each."""
    box.start(*LAB, *form)
    c = box.client()
    v = [box.ifindex("v0"), box.ifindex("v1")]
    for n, fam, p in ((1, 4, "198.18.0.0/24"), (2, 6, "2001:db8:1::/48")):
        hops = [(f"10.0.{i % 2}.{10 + i}" if fam == 4 else
                 f"fd00:{i % 2}::{10 + i:x}", i % 2, 3 * i + 1)
                for i in range(16)]
        c.nhset(n, [(a, v[i], w) for a, i, w in hops])
        c.replace(p, n)
        assert c.settle() == {}
        text = box.ip(f"-{fam} route show {p}")
        got = re.findall(r"via (\S+) dev (\S+) weight (\d+)", text)
        want = {(a.replace("fd00:0:", "fd00:"), f"v{i}", str(w))
                for a, i, w in hops}
        assert len(got) == 16 and set(got) == want, text
    # half of it goes with a link, and comes back with its weights
    box.carrier(0, False)
    until(lambda: len(box.routes(4)["198.18.0.0/24"]), 8)
    box.carrier(0, True)
    until(lambda: len(box.routes(4)["198.18.0.0/24"]), 16)
    assert "weight 46" in box.ip("route show 198.18.0.0/24")


def test_objects_of_others(box):
    """They stay as they are, also in the place that ours would take."""
    first = 179 << 22 | 1
    theirs = [f"nexthop add id {i} {what} proto 99" for i, what in (
        (7, "via 10.0.0.77 dev v0"), (8, "group 7,3"),
        (first, "via 10.0.1.77 dev v1"), (first + 1, f"group {first}"),
        (first + 3, "blackhole"))]
    for t in theirs:
        box.ip(t)
    box.ip("route add 198.19.0.0/24 nhid 8 proto 99")
    before = box.ip("nexthop show proto 99"), box.ip("route show proto 99")
    after = lambda: (box.ip("nexthop show proto 99"),
                     box.ip("route show proto 99"))
    p = box.start(*LAB)
    c = box.client()
    sets(box, c)
    for i in range(20):
        c.replace(f"198.18.{i}.0/24", 1 + 2 * (i % 2))
    c.replace("2001:db8:1::/48", 2)
    assert c.settle() == {}
    assert after() == before
    c.nhset(1, [("10.0.1.2", box.ifindex("v1"))])
    c.nhset(3, [("10.0.0.9", box.ifindex("v0"))])
    for i in range(20):
        c.remove(f"198.18.{i}.0/24")
    c.settle()
    assert after() == before
    c.flush_routes(1)
    c.flush_routes(2)
    c.settle()
    until(lambda: c.poll() or len(c.fam_done), 2)
    for n in (1, 2, 3, 4):
        c.drop(n)
    c.settle()
    assert box.ip("nexthop show proto 179") == ""       # none of ours leaks
    c.close()
    box.stop(p)
    run(f"ip netns exec {box.name} {FIBD} -X")
    assert after() == before


def test_fences(box):
    v0 = box.ifindex("v0")
    box.start("-g", "203.10.0.0/20", "-g", "2a00:1::/40", "-n", "3")
    c = box.client()
    sets(box, c)
    refused = {
        c.replace("0.0.0.0/0", 1): "default",
        c.replace("::/0", 2): "default",
        c.replace("11.0.0.0/25", 1): "lengths",
        c.replace("8.0.0.0/7", 1): "lengths",
        c.replace("2a01::/49", 2): "lengths",
        c.replace("10.1.0.0/16", 1): "martian",
        c.replace("192.0.2.0/24", 1): "martian",
        c.replace("2001:db8::/32", 2): "martian",
        c.replace("fc00::/16", 2): "martian",
        c.replace("203.10.1.0/24", 1): "protected",
        c.replace("203.0.0.0/8", 1): "protected",
        c.replace("2a00::/16", 2): "protected",
        c.replace("11.0.0.0/8", 9): "unknown",
        c.replace("2a01::/32", 1): "IPv6 route",
        c.nhset(20, [("10.9.9.9", v0)]): "connected",
        c.nhset(20, [("10.0.0.2", 4711)]): "interface",
        c.nhset(20, [("10.0.0.1", v0)]): "this machine",
        c.nhset(20, [("10.9.9.9", v0, 1, ONLINK)]): "on-link",
        c.nhset(20, [("127.0.0.1", v0)]): "host",
    }
    c.settle()
    for seq, word in refused.items():
        assert seq in c.failed, f"{word} was not refused"
        assert word in c.failed[seq][1], c.failed[seq]
    for i in range(4):
        last = c.replace(f"11.0.{i}.0/24", 1)
    c.settle()
    assert "cap" in c.failed[last][1]
    assert len(box.routes()) == 3 and box.routes(6) == {}


def test_opened_fences(box):
    v0 = box.ifindex("v0")
    box.start("-4", "0-32", "-6", "0-128", "-a", "10.0.0.0/8", "-o", "v0")
    c = box.client()
    c.nhset(1, [("10.9.9.9", v0, 1, ONLINK)])
    c.replace("0.0.0.0/0", 1)
    c.replace("10.1.2.3/32", 1)
    m = c.replace("192.168.0.0/16", 1)
    c.settle()
    assert list(c.failed) == [m]
    until(lambda: box.routes(), {"default": {("10.9.9.9", "v0")},
                                 "10.1.2.3": {("10.9.9.9", "v0")}})


def test_foreign_route(box, form):
    for fam, p, set_ in ((4, "198.18.0.0/24", 1), (6, "2001:db8:1::/48", 2)):
        via = "10.0.0.9" if fam == 4 else "fd00::9"
        box.ip(f"-{fam} route add {p} via {via} proto 99 metric 20")
    box.start(*LAB, *form)
    c = box.client()
    sets(box, c)
    seqs = [c.replace("198.18.0.0/24", 1), c.replace("2001:db8:1::/48", 2)]
    # a foreign route of another metric is nobody's business
    box.ip("route add 198.18.7.0/24 via 10.0.0.9 proto 99 metric 5")
    c.replace("198.18.7.0/24", 1)
    c.settle()
    assert sorted(c.failed) == seqs
    assert all(c.failed[s][0] == errno.EEXIST for s in seqs)
    assert sorted(c.states) == [("198.18.0.0/24", CONFLICT),
                                ("2001:db8:1::/48", CONFLICT)]
    assert box.routes(4, proto=99)["198.18.0.0/24"] == {("10.0.0.9", "v0")}
    assert box.routes(6, proto=99) == {"2001:db8:1::/48": {("fd00::9", "v0")}}
    assert box.routes(6) == {}
    assert list(box.routes(4)) == ["198.18.7.0/24"]
    # a delete cannot hit it either
    c.remove("198.18.0.0/24")
    assert sorted(c.settle()) == seqs
    assert "198.18.0.0/24" in box.routes(4, proto=99)
    c.replace("198.18.0.0/24", 1)
    c.settle()
    # when the foreign one goes, ours is put there
    box.ip("-4 route del 198.18.0.0/24 proto 99")
    box.ip("-6 route del 2001:db8:1::/48 proto 99")
    until(lambda: box.routes(4).get("198.18.0.0/24"), {A0, A1})
    until(lambda: box.routes(6), {"2001:db8:1::/48": {B0, B1}})
    until(lambda: c.poll() or ("2001:db8:1::/48", PUTBACK) in c.states)
    # and when a foreign one takes our place, it stays
    box.ip("-4 route replace 198.18.0.0/24 via 10.0.0.9 proto 99 metric 20")
    until(lambda: c.poll() or c.states.count(("198.18.0.0/24", CONFLICT)), 3)
    assert box.routes(4, proto=99)["198.18.0.0/24"] == {("10.0.0.9", "v0")}
    c.replace("198.18.0.0/24", 1)
    c.settle()
    assert box.routes(4, proto=99)["198.18.0.0/24"] == {("10.0.0.9", "v0")}


@pytest.mark.parametrize("fam", [4, 6])
def test_foreign_route_gone_with_a_link(box, form, fam):
    """It goes while our next hop cannot be used either: ours comes with the
    link, and waits for no audit (there is none here)."""
    p, gw, hop = (("198.18.0.0/24", "10.0.0.9", A0) if fam == 4 else
                  ("2001:db8:1::/48", "fd00::9", B0))
    routes = lambda proto=179: box.routes(fam, proto=proto).get(p)
    add = f"route add {p} via {gw} proto 99 metric 20"
    box.start(*LAB, *form)
    c = box.client()
    sets(box, c)
    box.ip(add)
    s = c.replace(p, 3 if fam == 4 else 4)
    assert c.settle()[s][0] == errno.EEXIST
    box.ip("link set v0 down")
    until(lambda: c.poll() or c.links[box.ifindex("v0")]["up"], 0)
    assert routes(99) is None
    box.ip("link set v0 up")
    box.ip("addr add fd00::1/64 dev v0 nodad", check=False)
    until(routes, {hop})
    # The same where it is taken away while the link is down.
    box.ip(add.replace("add", "replace"))
    until(lambda: c.poll() or c.states[-1], (p, CONFLICT))
    box.carrier(0, False)
    until(lambda: c.poll() or c.links[box.ifindex("v0")]["carrier"], 0)
    box.ip(f"route del {p} proto 99")
    box.carrier(0, True)
    until(routes, {hop})


@pytest.mark.parametrize("fam", [4, 6])
def test_next_hop_refused_for_a_while(box, form, fam):
    """The address is there and its route is not, as in the middle of a
    change: the kernel refuses that next hop, and is asked again."""
    p, number, hops, net = (
        ("198.18.0.0/24", 1, {A0, A1}, "10.0.0.0/24 dev v0 proto kernel "
         "scope link src 10.0.0.1") if fam == 4 else
        ("2001:db8:1::/48", 2, {B0, B1}, "fd00::/64 dev v0 proto kernel "
         "metric 256"))
    box.ip(f"-{fam} route del {net}")
    box.start(*LAB, *form)
    c = box.client()
    sets(box, c)
    c.replace(p, number)
    c.settle()
    assert len(box.routes(fam).get(p, ())) < 2
    box.ip(f"-{fam} route add {net}")
    until(lambda: box.routes(fam).get(p), hops)


def test_drift(box, form):
    box.start(*LAB, *form)
    c = box.client()
    sets(box, c)
    c.replace("198.18.0.0/24", 1)
    c.replace("2001:db8:1::/48", 2)
    c.settle()
    box.ip("-4 route del 198.18.0.0/24")
    box.ip("-6 route del 2001:db8:1::/48")
    until(lambda: box.routes(4), {"198.18.0.0/24": {A0, A1}})
    until(lambda: box.routes(6), {"2001:db8:1::/48": {B0, B1}})
    until(lambda: c.poll() or {("198.18.0.0/24", PUTBACK),
                               ("2001:db8:1::/48", PUTBACK)} <= set(c.states))
    box.ip("route replace 198.18.0.0/24 via 10.0.0.9 proto 179 metric 20")
    until(lambda: c.poll() or ("198.18.0.0/24", CHANGED) in c.states)
    until(lambda: box.routes(4), {"198.18.0.0/24": {A0, A1}})
    if not form:
        # somebody removes the nexthop objects: routes go without a word
        box.ip("nexthop flush")
        until(lambda: box.routes(4), {"198.18.0.0/24": {A0, A1}})
        until(lambda: box.routes(6), {"2001:db8:1::/48": {B0, B1}})


def test_reconcile(box):
    """Drift of which no event tells: two tables of one number space."""
    box.start(*LAB)
    c = box.client(reconcile=1)
    sets(box, c)
    c.replace("198.18.0.0/24", 1)
    c.settle()
    box.ip("route add 198.18.9.0/24 via 10.0.0.2 proto 179 metric 20")
    until(lambda: box.routes(), {"198.18.0.0/24": {A0, A1}})


@pytest.mark.parametrize("how", ["carrier", "admin"])
def test_link_loss(box, form, how):
    box.start(*LAB, *form)
    c = box.client()
    sets(box, c)
    c.watch("10.0.0.2")
    c.watch("fd00:1::2")
    p4 = {f"198.18.{i}.0/24" for i in range(50)}
    p6 = {f"2001:db8:{i:x}::/48" for i in range(1, 50)}
    for p in p4:
        c.replace(p, 1)
    for p in p6:
        c.replace(p, 2)
    c.replace("198.19.0.0/24", 3)
    assert c.settle() == {}
    until(lambda: c.poll() or c.nh, {"10.0.0.2": box.ifindex("v0"),
                                     "fd00:1::2": box.ifindex("v1")})
    v0 = box.ifindex("v0")
    if how == "carrier":
        box.carrier(0, False)
    else:
        box.ip("link set v0 down")
    t0 = time.monotonic()
    until(lambda: box.routes(4), {p: {A1} for p in p4})
    until(lambda: box.routes(6), {p: {B1} for p in p6})
    assert time.monotonic() - t0 < 5
    until(lambda: c.poll() or c.nh["10.0.0.2"], 0)
    until(lambda: c.poll() or c.links[v0]["carrier"], 0)
    # asked for while the link is down: it waits
    n = c.replace("198.19.1.0/24", 3)
    assert c.settle()[n][0] == errno.ENETDOWN
    if how == "carrier":
        box.carrier(0, True)
    else:
        box.ip("link set v0 up")
        box.ip("addr add fd00:0::1/64 dev v0 nodad")  # the kernel dropped it
    until(lambda: box.routes(4), {**{p: {A0, A1} for p in p4},
                                  "198.19.0.0/24": {A0},
                                  "198.19.1.0/24": {A0}})
    until(lambda: box.routes(6), {p: {B0, B1} for p in p6})
    until(lambda: c.poll() or c.nh["10.0.0.2"], v0)
    until(lambda: c.poll() or ("198.19.1.0/24", PUTBACK) in c.states)
    assert list(c.failed) == [n]


def test_flap(box):
    box.start(*LAB)
    c = box.client()
    sets(box, c)
    want4 = {f"198.18.{i}.0/24": {A0, A1} for i in range(100)}
    for p in want4:
        c.replace(p, 1)
    assert c.settle() == {}
    for i in range(100):
        box.carrier(i % 2, False)
        box.carrier(i % 2, True)
    until(lambda: box.routes(4), want4)
    # both at once: all gone; then all back
    box.carrier(0, False)
    box.carrier(1, False)
    until(lambda: box.routes(4), {})
    box.carrier(0, True)
    box.carrier(1, True)
    until(lambda: box.routes(4), want4)


def test_flap_unseen(box, form):
    """A link without IPv6 goes and comes while ana-fibd looks elsewhere: it
    sees nothing but a link that is up, and its routes are gone."""
    run(f"ip netns exec {box.name} "
        "sysctl -qw net.ipv6.conf.all.disable_ipv6=1")
    p = box.start(*LAB, *form)
    c = box.client()
    c.nhset(1, [("10.0.0.2", box.ifindex("v0"))])
    c.replace("198.18.0.0/24", 1)
    assert c.settle() == {}
    p.send_signal(signal.SIGSTOP)
    box.ip("link set v0 down")
    assert box.routes(4) == {}
    box.ip("link set v0 up")
    until(lambda: ",LOWER_UP" in box.ip("link show v0") and
          "state UP" in box.ip("link show v0"))
    p.send_signal(signal.SIGCONT)
    until(lambda: box.routes(4), {"198.18.0.0/24": {A0}})


def test_new_speaker_adopts(box, form):
    box.start(*LAB, *form)
    c = box.client()
    sets(box, c)
    for i in range(20):
        c.replace(f"198.18.{i}.0/24", 1)
    c.replace("2001:db8:1::/48", 2)
    c.settle()
    before = box.routes(4)
    c.close()  # as if killed
    mon = subprocess.Popen(["ip", "-n", box.name, "-o", "monitor", "route",
                            "nexthop"], stdout=subprocess.PIPE, text=True)
    assert len(box.routes(4)) == 20
    c = box.client()
    assert (c.ready["v4"], c.ready["v6"]) == (20, 1)
    # other numbers, another order: the same sets all the same
    c.nhset(7, [("10.0.1.2", box.ifindex("v1")),
                ("10.0.0.2", box.ifindex("v0"))])
    for i in range(10):
        c.replace(f"198.18.{i}.0/24", 7)
    assert c.settle() == {}
    assert box.routes(4) == before
    c.end(1)
    c.settle()
    until(lambda: c.poll() or c.fam_done, [(1, 0, 10)])
    assert box.routes(4) == {f"198.18.{i}.0/24": {A0, A1} for i in range(10)}
    assert len(box.routes(6)) == 1
    c.flush_routes(2)
    c.settle()
    until(lambda: c.poll() or c.fam_done, [(1, 0, 10), (2, 1, 1)])
    assert box.routes(6) == {}
    mon.kill()
    out, _ = mon.communicate()
    # equal routes were not written again
    assert not re.search(r"^198\.18\.[0-9]\.0/24", out, re.M), out


def test_keep_time(box):
    box.start(*LAB)
    c = box.client(keep=1)
    sets(box, c)
    c.replace("198.18.0.0/24", 1)
    c.settle()
    c.close()
    t0 = time.monotonic()
    until(lambda: box.routes(), {})
    assert time.monotonic() - t0 > 0.5
    until(lambda: box.ip("nexthop"), "")


def test_restart_adopts(box, form):
    p = box.start(*LAB, *form)
    c = box.client()
    sets(box, c)
    for i in range(20):
        c.replace(f"198.18.{i}.0/24", 1)
    c.replace("2001:db8:1::/48", 2)
    c.settle()
    before = box.routes(4), box.routes(6)
    objects = box.ip("nexthop")
    for sig in (signal.SIGTERM, signal.SIGKILL):
        p.send_signal(sig)
        p.wait(DEADLINE)
        until(lambda: c.poll() or c.closed)
        assert (box.routes(4), box.routes(6)) == before
        p = box.start(*LAB, *form)
        c = box.client()
        assert (c.ready["v4"], c.ready["v6"]) == (20, 1)
        sets(box, c)
        for i in range(20):
            c.replace(f"198.18.{i}.0/24", 1)
        c.replace("2001:db8:1::/48", 2)
        c.end(1)
        c.end(2)
        assert c.settle() == {}
        until(lambda: c.poll() or sorted(c.fam_done), [(1, 0, 0), (2, 0, 0)])
        assert (box.routes(4), box.routes(6)) == before
        assert len(box.ip("nexthop").splitlines()) == len(objects.splitlines())


def test_adopts_many_in_slices(box):
    """While 200,000 old routes are read a speaker is answered; what it asks
    for is as if they had been known from the start."""
    n = 200000
    args = ("-n", "300000", "-4", "8-32", "-a", "20.0.0.0/8")
    p = box.start(*args)
    c = box.client()
    sets(box, c)
    c.replace("20.254.0.0/24", 1)  # keeps its set
    assert c.settle() == {}
    own, = re.findall(r"^id (\d+) group \S+ +proto 179", box.ip("nexthop"),
                      re.M)[:1]
    # by one of our sets, in less time than through us
    with tempfile.NamedTemporaryFile("w") as f:
        for i in range(n):
            f.write(f"route add 20.{i >> 16}.{i >> 8 & 255}.{i & 255}/32 "
                    f"nhid {own} proto 179 metric 20\n")
        f.write("route add 2001:db8:1::/48 via fd00::2 dev v0 proto 179 "
                "metric 20\n")
        f.flush()
        c.close()
        box.stop(p)
        run(f"ip -n {box.name} -batch {f.name}")
    count = lambda: int(subprocess.run(
        f"ip -n {box.name} route show proto 179 | grep -c ^20",
        shell=True, capture_output=True, text=True).stdout)
    mon = subprocess.Popen(["ip", "-n", box.name, "-o", "monitor", "route"],
                           stdout=subprocess.PIPE, text=True)
    p = box.start(*args)
    p.send_signal(signal.SIGSTOP)  # while it reads them
    # one that dies with a request unanswered is not in its successor's way
    c = Client(box.path)
    c.hello(box.netns, wait=False, send=False)
    sets(box, c)
    c.flush()
    p.send_signal(signal.SIGCONT)
    until(lambda: c.poll(0.001) or c.ready is not None)
    p.send_signal(signal.SIGSTOP)
    c.close()
    c = Client(box.path)
    told = []
    on = c.on
    c.on = lambda kind, seq, *rest: (told.append((kind, seq)),
                                     on(kind, seq, *rest))
    c.hello(box.netns, wait=False)
    t0 = time.monotonic()
    p.send_signal(signal.SIGCONT)
    until(lambda: c.poll(0.001) or c.ready is not None)
    assert time.monotonic() - t0 < 0.1 and c.ready["err"] == 0
    p.send_signal(signal.SIGSTOP)
    # requests for the last of them, and for one that is not there
    sets(box, c)
    last = f"20.{n - 1 >> 16}.{n - 1 >> 8 & 255}.{n - 1 & 255}"
    other = "20.255.0.0/24"
    c.replace(last + "/32", 1)
    c.replace(other, 1)
    c.flush()
    c.poll()
    told.clear()
    box.ip("addr add 10.9.9.1/24 dev v1")
    p.send_signal(signal.SIGCONT)
    assert 0 < c.ready["v4"] < n, "adopted at once: the test shows nothing"
    # the family that it has not come to
    assert c.ready["v6"] == 1
    # an event is told before they are answered
    until(lambda: c.poll(0.01) or c.upto == c.seq)
    assert [kind for kind, _ in told].index(ADDR) < told.index((UPTO, c.seq))
    assert c.settle() == {}
    assert box.routes(4)[last] == box.routes(4)[other] == {A0, A1}
    assert count() == n + 2
    for fam in (1, 2):
        c.end(fam)
    c.settle()
    until(lambda: c.poll() or sorted(c.fam_done), [(1, 0, n), (2, 0, 1)])
    assert sorted(box.routes(4)) == [other, last]
    assert box.routes(6) == {}
    mon.kill()
    out, _ = mon.communicate()
    # it was never taken away, nor written again
    assert not re.search(rf"^{last} .*nhid", out, re.M), out[-2000:]


def test_form_changes(box):
    """Plain routes become routes over objects, and the other way."""
    args = ((), ("-T", "plain"), ())
    for i, form in enumerate(args):
        p = box.start(*LAB, *form)
        c = box.client()
        assert c.ready["v4"] == (2 if i else 0)
        sets(box, c)
        c.replace("198.18.0.0/24", 1)
        c.replace("198.18.1.0/24", 1)
        c.end(1)
        assert c.settle() == {}
        until(lambda: box.routes(4), {"198.18.0.0/24": {A0, A1},
                                      "198.18.1.0/24": {A0, A1}})
        out = box.ip("route show proto 179")
        assert ("nhid" in out) == (not form)
        box.stop(p)


def test_metric_changes(box):
    box.start(*LAB)
    c = box.client()
    sets(box, c)
    c.replace("198.18.0.0/24", 1)
    c.settle()
    assert c.hello(box.netns, metric=30)["v4"] == 1
    sets(box, c)
    c.replace("198.18.0.0/24", 1)
    c.end(1)
    assert c.settle() == {}
    out = box.ip("route show proto 179")
    assert "metric 30" in out and "metric 20" not in out


def test_tables(box):
    box.start(*LAB, "-t", "main", "-t", "1000")
    c = box.client(table=1000)
    sets(box, c)
    c.replace("198.18.0.0/24", 1)
    assert c.settle() == {}
    assert box.routes(4) == {}
    assert list(box.routes(4, table="1000")) == ["198.18.0.0/24"]
    c.close()
    c = box.client(table=254)
    assert c.ready["v4"] == 1
    c.end(1)
    c.settle()
    until(lambda: box.ip("route show table 1000"), "")


def test_hello_refused(box):
    box.start(*LAB)
    for words, kw in (("protocol 12", dict(proto=12)),
                      ("table 7", dict(table=7)), ("metric", dict(metric=0)),
                      ("keep", dict(keep=99999)),
                      ("namespace", dict(netns=1)),
                      ("source", dict(src4="127.0.0.1"))):
        c = Client(box.path)
        kw = dict(dict(netns=box.netns), **kw)
        ready = c.hello(kw.pop("netns"), **kw)
        assert ready["err"] != 0 and words in ready["text"], ready
        until(lambda: c.poll() or c.closed)
    # a request before the HELLO, another version, half a record
    for data in (Client.rec(Client(box.path), REPLACE, bytes(32)),
                 Client.rec(Client(box.path), HELLO, bytes(80), version=9),
                 Client.rec(Client(box.path), 99, bytes(80)), b"abc"):
        until(lambda: True)
        c = Client(box.path)
        c.push(data)
        until(lambda: c.poll() or c.closed)
        assert c.ready["err"] != 0, data


def test_one_speaker_of_the_right_user(box):
    p = box.start(*LAB)
    first = box.client()
    second = Client(box.path)
    until(lambda: second.poll() or second.closed)
    assert "another speaker" in second.ready["text"]
    first.settle()
    box.stop(p)
    box.start(*LAB, user="daemon")
    c = Client(box.path)
    until(lambda: c.poll() or c.closed)
    assert c.ready["err"] == errno.EPERM and "user 0" in c.ready["text"]


def test_refused_and_sends_on(box):
    """One who may connect and is not the speaker keeps ana-fibd busy for a
    moment only, whatever is sent."""
    box.start(*LAB, user="daemon")
    pid, = map(int, run(f"ip netns pids {box.name}").split())
    os.kill(pid, signal.SIGSTOP)  # until there is much to read
    c = Client(box.path)
    c.s.setblocking(True)
    senders = set()
    try:
        for _ in range(32):
            child = os.fork()
            if child == 0:
                try:
                    while True:
                        c.s.send(b"x")
                except OSError:
                    os._exit(0)
            senders.add(child)
        until(lambda: select.select([], [c.s], [], 0)[1], [])
        until(lambda: {open(f"/proc/{q}/stat").read().split()[2]
                       for q in senders}, {"S"})
        os.kill(pid, signal.SIGCONT)
        until(lambda: senders.difference_update(
            [q for q in senders if os.waitpid(q, os.WNOHANG)[0]]) or senders,
            set(), 5)
    finally:
        for q in senders:
            os.kill(q, signal.SIGKILL)
            os.waitpid(q, 0)


def test_listen(box):
    box.start("-p", "1790")
    c = box.client()
    assert c.ready["port"] == 1790
    c.listen("0.0.0.0")
    c.listen("::")
    c.listen("10.77.0.1")  # not there yet: IP_FREEBIND; but taken by 0.0.0.0
    c.settle()
    until(lambda: c.poll() or len(c.listeners), 3)
    got = {a: (err, fd) for a, err, _, fd in c.listeners}
    assert got["0.0.0.0"][0] == 0 and got["::"][0] == 0
    for a, fam in (("0.0.0.0", socket.AF_INET), ("::", socket.AF_INET6)):
        s = socket.socket(fileno=got[a][1])
        assert s.family == fam and s.getsockname()[1] == 1790
        assert s.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) == 1
        s.listen()
        script = ("import socket; socket.create_connection(('%s', 1790))" %
                  ("127.0.0.1" if fam == socket.AF_INET else "::1"))
        cmd = f"ip netns exec {box.name} python3 -c".split() + [script]
        assert subprocess.run(cmd).returncode == 0
        s.close()
        # ana-fibd kept no copy: nobody answers any more
        assert subprocess.run(cmd, stderr=subprocess.DEVNULL).returncode == 1
    for _ in range(9):
        c.listen("::1")
    c.settle()
    until(lambda: c.poll() or len(c.listeners), 12)
    assert any("cap" in text for _, _, text, _ in c.listeners)


def test_hello_again_before_the_sockets(box):
    """Sockets that wait to be sent when another HELLO comes are not wanted
    any more: however many HELLOs, there are as many as may be."""
    p = box.start()
    count = lambda: len(os.listdir(f"/proc/{p.pid}/fd"))
    before = count()
    c = Client(box.path)
    for _ in range(7):  # all in one datagram: nothing is sent in between
        c.hello(box.netns, wait=False, send=False)
        for i in range(8):
            c.listen(f"192.0.2.{i + 1}")
    assert c.settle() == {}
    until(lambda: c.poll() or len(c.listeners), 8)
    assert [(a, err) for a, err, _, _ in c.listeners] == \
        [(f"192.0.2.{i + 1}", 0) for i in range(8)]
    for listener in c.listeners:
        os.close(listener[3])
    # the connection, and nothing else is left
    until(count, before + 1)


def test_socket_cannot_be_passed(box):
    """A speaker that has too many descriptors on their way to it is sent
    away; ana-fibd does not go round and round over it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    try:
        p = box.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    os.setresuid(65534, 0, 0)   # they count for each user
    try:
        socket.send_fds(ours, [b"x"], [ours.fileno()] * 100)
    finally:
        os.setresuid(0, 0, 0)
    c = box.client()
    c.listen("192.0.2.1")
    c.flush()
    until(lambda: c.poll() or c.closed)
    assert c.ready["err"] == errno.ETOOMANYREFS
    until(lambda: "cannot be passed: Too many ref" in p.stderr.readline())
    ours.close()
    theirs.close()
    c = box.client()
    c.listen("192.0.2.1")
    assert c.settle() == {}
    until(lambda: c.poll() or len(c.listeners), 1)
    os.close(c.listeners[0][3])


def test_port_taken(box):
    other = subprocess.Popen(
        ["ip", "netns", "exec", box.name, "python3", "-c", "import socket\n"
         "s = socket.socket(); s.bind(('0.0.0.0', 179)); s.listen()\n"
         "print(1, flush=True); input()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    other.stdout.readline()
    box.start()
    c = box.client()
    c.listen("0.0.0.0")
    c.settle()
    until(lambda: c.poll() or len(c.listeners), 1)
    assert c.listeners[0][1] == errno.EADDRINUSE
    assert "179" in c.listeners[0][2]
    other.communicate(b"\n")


def test_links_and_next_hops(box):
    box.start(*LAB)
    c = box.client()
    v0, v1 = box.ifindex("v0"), box.ifindex("v1")
    c.settle()
    until(lambda: c.poll() or {v0, v1} <= set(c.links))
    assert c.links[v0] == dict(name="v0", speed=10000, up=1, carrier=1, gone=0)
    assert ("10.0.0.1", 24, v0) in c.addrs
    for a in ("10.0.0.2", "10.0.0.1", "10.5.0.9", "fd00:1::2"):
        c.watch(a)
    c.watch("fe80::1", v1)
    n = c.watch("fe80::2")
    assert "interface" in c.settle()[n][1]
    until(lambda: c.poll() or c.nh, {"10.0.0.2": v0, "10.0.0.1": 0,
                                     "10.5.0.9": 0, "fd00:1::2": v1,
                                     "fe80::1": v1})
    box.ip("addr add 10.5.0.1/24 dev v1")
    until(lambda: c.poll() or c.nh["10.5.0.9"], v1)
    until(lambda: c.poll() or ("10.5.0.1", 24, v1) in c.addrs)
    box.ip("addr del 10.0.0.1/24 dev v0")
    until(lambda: c.poll() or c.nh["10.0.0.2"], 0)
    box.ip("link set v1 down")
    until(lambda: c.poll() or (c.nh["fe80::1"], c.nh["10.5.0.9"]), (0, 0))
    until(lambda: c.poll() or c.links[v1]["up"], 0)
    box.ip("link del v1")
    until(lambda: c.poll() or c.links[v1]["gone"], 1)


def test_traffic(box):
    """Octets of each link, told again and again."""
    box.start()
    c = box.client()
    v0 = box.ifindex("v0")
    until(lambda: c.poll(0.1) or v0 in c.traffic)
    first = c.traffic[v0]
    box.ip("neigh replace 10.0.0.2 lladdr 02:00:00:00:00:01 dev v0")
    run(f"ip netns exec {box.name} ping -q -c 10 -i 0.01 -s 1000 -W 1 "
        "10.0.0.2", check=False)
    until(lambda: c.poll(0.1) or c.traffic[v0][2] >= first[2] + 10000)
    assert c.traffic[v0][0] > first[0]
    # And what ana-fibd itself uses.
    until(lambda: c.poll(0.1) or c.usage is not None)
    cpu_us, start_s, virtual, resident = c.usage
    assert 0 < cpu_us < 1e9 and 0 <= time.time() - start_s < 600
    assert virtual > resident > 1 << 20


def test_recursive_next_hops(box):
    """Over routes of others, where asked for; not over a default route."""
    box.start(*LAB)
    v0, v1 = box.ifindex("v0"), box.ifindex("v1")
    c = box.client()
    box.ip("route add 10.9.0.0/16 via 10.0.0.2")
    c.watch("10.9.0.1")
    c.settle()
    until(lambda: c.poll() or c.nh, {"10.9.0.1": 0})
    c.close()
    c = box.client(recursive=1)
    see = lambda a: c.poll() or (c.nh.get(a), c.via.get(a))
    for a in ("10.9.0.1", "10.0.0.2", "10.7.0.1", "fd77::1", "10.0.0.1"):
        c.watch(a)
    c.settle()
    until(lambda: see("10.9.0.1"), (v0, "10.0.0.2"))
    until(lambda: see("10.0.0.2"), (v0, "10.0.0.2"))
    # a route comes, changes, is more specific, goes
    box.ip("route add default via 10.0.0.2")
    box.ip("-6 route add fd77::/64 via fd00:1::2")
    until(lambda: see("fd77::1"), (v1, "fd00:1::2"))
    assert c.nh["10.7.0.1"] == 0 and c.nh["10.0.0.1"] == 0
    box.ip("route add 10.9.0.0/24 via 10.0.1.2")
    until(lambda: see("10.9.0.1"), (v1, "10.0.1.2"))
    box.ip("route replace 10.9.0.0/24 via 10.0.1.3")
    until(lambda: see("10.9.0.1"), (v1, "10.0.1.3"))
    # several next hops: one that can be used; also of a nexthop object
    box.ip("route replace 10.9.0.0/24 nexthop via 10.0.0.3 dev v0 nexthop "
           "via 10.0.1.4 dev v1")
    until(lambda: see("10.9.0.1"), (v0, "10.0.0.3"))
    box.carrier(0, False)
    until(lambda: see("10.9.0.1"), (v1, "10.0.1.4"))
    box.carrier(0, True)
    until(lambda: see("10.9.0.1"), (v0, "10.0.0.3"))
    box.ip("nexthop add id 7 via 10.0.1.9 dev v1")
    box.ip("route replace 10.9.0.0/24 nhid 7")
    until(lambda: see("10.9.0.1"), (v1, "10.0.1.9"))
    box.ip("route del 10.9.0.0/24")
    until(lambda: see("10.9.0.1"), (v0, "10.0.0.2"))
    box.ip("route replace blackhole 10.9.0.0/16")
    box.ip("route del 10.9.0.0/16 via 10.0.0.2", check=False)
    until(lambda: c.poll() or c.nh["10.9.0.1"], 0)
    # never over a route of ours
    box.ip("route del blackhole 10.9.0.0/16")
    box.ip("route add 10.9.0.0/16 via 10.0.0.2 proto 179 metric 7")
    c.watch("10.9.0.2")
    c.settle()
    assert c.nh["10.9.0.1"] == 0 and c.nh["10.9.0.2"] == 0


def test_inherited_connection(box):
    """A lab's form: one end of a pair; it ends with its speaker."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    p = box.start(*LAB, "-i", str(theirs.fileno()), fds=(theirs.fileno(),))
    theirs.close()
    c = Client(sock=ours)
    assert c.hello(box.netns)["err"] == 0
    sets(box, c)
    c.replace("198.18.0.0/24", 1)
    assert c.settle() == {}
    c.close()
    assert p.wait(DEADLINE) == 0
    assert list(box.routes()) == ["198.18.0.0/24"]
    assert not os.path.exists(box.path)


def test_remove_all(box):
    p = box.start(*LAB)
    c = box.client()
    sets(box, c)
    box.ip("route add 198.19.9.0/24 via 10.0.0.9 proto 99")
    for i in range(100):
        c.replace(f"198.18.{i}.0/24", 1)
    c.replace("2001:db8:1::/48", 2)
    c.settle()
    box.stop(p)
    out = run(f"ip netns exec {box.name} {FIBD} -X")
    assert "101 routes" in out
    assert box.routes(4) == {} and box.routes(6) == {}
    assert box.ip("nexthop") == ""
    assert list(box.routes(4, proto=99)) == ["198.19.9.0/24"]


def test_overrun(box):
    """Tiny receive buffers: events and answers are lost, nothing else is."""
    box.start("-4", "8-32", "-a", "198.18.0.0/15", "-T", "rcvbuf=4096")
    c = box.client()
    sets(box, c)
    want = {f"198.18.{i}.0/24": {A0, A1} for i in range(200)}
    for p in want:
        c.replace(p, 1)
    c.settle()
    # a storm of others' events, and our own routes go in the middle of it
    with tempfile.NamedTemporaryFile("w") as f:
        for r in range(3):
            for i in range(2000):
                f.write(f"route add 172.16.{i >> 8}.{i & 255}/32 via "
                        "10.0.0.9 proto 99\n")
            f.write("\n".join(f"route del {p}" for p in want) + "\n"
                    if r == 0 else "")
            f.write("route flush proto 99\n")
        f.flush()
        p = box.procs[0]
        os.kill(p.pid, signal.SIGSTOP)  # it looks away meanwhile
        try:
            run(f"ip -n {box.name} -batch {f.name}")
        finally:
            os.kill(p.pid, signal.SIGCONT)
    until(lambda: box.routes(4), want)
    until(lambda: c.poll() or c.overruns > 0)
    # answers: 900 conflicts in one batch do not fit the buffer
    with tempfile.NamedTemporaryFile("w") as f:
        for i in range(900):
            f.write(f"route add 198.19.{i >> 8}.{i & 255}/32 via 10.0.0.9 "
                    "proto 99 metric 20\n")
        f.flush()
        run(f"ip -n {box.name} -batch {f.name}")
    n = c.overruns
    for i in range(900):
        c.replace(f"198.19.{i >> 8}.{i & 255}/32", 1)
    c.settle()
    until(lambda: c.poll() or c.overruns > n)
    until(lambda: c.poll() or len({p for p, s in c.states if s == CONFLICT}),
          900)
    assert len(box.routes(4, proto=99)) == 900
    until(lambda: box.routes(4), want)


def test_many(box):
    """A table of 100,000: programmed, moved by one record, swept."""
    box.start("-n", "200000", "-4", "8-32", "-a", "198.18.0.0/15", "-a",
              "20.0.0.0/8")
    c = box.client()
    sets(box, c)
    c.settle()
    t0 = time.monotonic()
    for i in range(100000):
        c.replace(f"20.{i >> 16}.{i >> 8 & 255}.{i & 255}/32", 1)
    assert c.settle() == {}
    t1 = time.monotonic()
    print(f"100000 routes: {t1 - t0:.2f} s (with this client)")
    count = lambda: int(subprocess.run(
        f"ip -n {box.name} route show proto 179 | grep -c ^20",
        shell=True, capture_output=True, text=True).stdout)
    assert count() == 100000
    t0 = time.monotonic()
    c.nhset(1, [("10.0.1.2", box.ifindex("v1"))])
    assert c.settle() == {}
    print(f"moved: {time.monotonic() - t0:.4f} s")
    c.close()
    c = box.client()
    assert c.ready["v4"] == 100000
    t0 = time.monotonic()
    c.end(1)
    c.settle()
    until(lambda: c.poll() or c.fam_done, [(1, 0, 100000)])
    print(f"swept: {time.monotonic() - t0:.2f} s")
    assert count() == 0
    # flushed, with its set in use: the set can be used again
    sets(box, c)
    for i in range(5000):
        c.replace(f"20.1.{i >> 8 & 255}.{i & 255}/32", 1)
    assert c.settle() == {} and count() == 5000
    c.flush_routes(1)
    c.settle()
    until(lambda: c.poll() or c.fam_done[1:], [(1, 1, 5000)])
    assert count() == 0
    c.replace("198.18.0.0/24", 1)
    assert c.settle() == {}
    assert box.routes(4) == {"198.18.0.0/24": {A0, A1}}


@pytest.mark.parametrize("args,words", [
    (("-u", "no-such-user"), "no-such-user"),
    (("-U", "no-such-user"), "no-such-user"),
    (("-s", "/no/such/directory/s"), "directory"),
    (("-4", "24"), "lengths"),
    (("-a", "10.0.0.1/8"), "prefix"),
    (("-P", "2"), "number"),
    (("-t", "255"), "local"),
    (("-i", "77"), "connection"),
])
def test_start_failures(box, args, words):
    p = subprocess.run(["ip", "netns", "exec", box.name, FIBD, "-d", "-s",
                        box.path, "-u", "root", "-U", "nobody", *args],
                       capture_output=True, text=True, timeout=DEADLINE)
    assert p.returncode != 0
    assert words in p.stderr and len(p.stderr.splitlines()) == 1, p.stderr


def test_start_in_use_and_without_right(box):
    box.start()
    cmd = ["ip", "netns", "exec", box.name, FIBD, "-d", "-s", box.path, "-u",
           "root", "-U", "nobody"]
    p = subprocess.run(cmd, capture_output=True, text=True, timeout=DEADLINE)
    assert p.returncode != 0 and "in use" in p.stderr
    cmd[7:8] = [box.path + "2"]
    p = subprocess.run(cmd[:4] + ["setpriv", "--reuid=65534", "--clear-groups",
                                  FIBD, "-d", "-s", "/tmp/fibd-test-none",
                                  "-u", "root"],
                       capture_output=True, text=True, timeout=DEADLINE)
    if os.path.exists("/tmp/fibd-test-none"):
        os.unlink("/tmp/fibd-test-none")
    assert p.returncode != 0 and "CAP_NET_ADMIN" in p.stderr, p.stderr


def test_background(box):
    """Without -d it goes to the background when all is ready."""
    cmd = ["ip", "netns", "exec", box.name, FIBD, "-s", box.path, "-u",
           "root", "-U", "nobody", *LAB]
    p = subprocess.run(cmd, capture_output=True, text=True, timeout=DEADLINE)
    assert p.returncode == 0, p.stderr
    c = box.client()
    assert c.ready["err"] == 0
    try:
        pids = run(f"ip netns pids {box.name}").split()
        assert len(pids) == 1
        status = open(f"/proc/{pids[0]}/status").read()
        assert re.search(r"^Uid:\t65534", status, re.M)
        assert "NoNewPrivs:\t1" in status and "Seccomp:\t2" in status
        caps = int(re.search(r"CapEff:\t(\w+)", status).group(1), 16)
        assert caps == 1 << 12 | 1 << 10  # NET_ADMIN, NET_BIND_SERVICE
        assert re.search(r"CapBnd:\t0+(1400)?$", status, re.M)
    finally:
        for q in run(f"ip netns pids {box.name}").split():
            os.kill(int(q), signal.SIGTERM)
    until(lambda: run(f"ip netns pids {box.name}"), "")


@pytest.mark.parametrize("how", ["carrier", "admin"])
def test_link_loss_in_time(box, form, how):
    """From the kernel's news of it to a table that does not use the link."""
    box.start(*LAB, *form)
    c = box.client()
    sets(box, c)
    c.watch("10.0.0.2")
    for i in range(500):
        c.replace(f"198.18.{i % 250}.0/24" if i < 250 else
                  f"198.19.{i % 250}.0/24", 1)
    assert c.settle() == {}
    v0, best = box.ifindex("v0"), 9
    until(lambda: c.poll() or c.nh, {"10.0.0.2": v0})
    mon = subprocess.Popen(["ip", "-n", box.name, "-o", "monitor", "link"],
                           stdout=subprocess.PIPE)
    os.set_blocking(mon.stdout.fileno(), False)
    try:
        mtu = iter(range(1400, 1500))
        until(lambda: box.ip(f"link set v1 mtu {next(mtu)}") or
              select.select([mon.stdout], [], [], 0.05)[0] != [])
        for _ in range(20):     # a busy machine may have bad moments
            mon.stdout.read()
            if how == "carrier":
                box.carrier(0, False)
            else:
                box.ip("link set v0 down")
            select.select([mon.stdout], [], [], DEADLINE)
            t0 = time.monotonic()
            until(lambda: "dev v0" not in box.ip("route show proto 179"))
            until(lambda: c.poll() or c.nh["10.0.0.2"], 0)
            best = min(best, time.monotonic() - t0)
            if best < 0.2:
                break
            box.carrier(0, True)
            box.ip("link set v0 up")
            until(lambda: len([r for r in box.routes(4).values()
                               if r == {A0, A1}]), 500)
            until(lambda: c.poll() or c.nh["10.0.0.2"], v0)
        print(f"{best * 1000:.0f} ms")
        assert best < 0.2
    finally:
        mon.kill()
        mon.wait()
        mon.stdout.close()


def test_a_thousand_flaps(box, form):
    box.start(*LAB, *form)
    c = box.client()
    sets(box, c)
    want = {f"198.18.{i}.0/24": {A0, A1} for i in range(100)}
    want6 = {f"2001:db8:{i:x}::/48": {B0, B1} for i in range(1, 50)}
    for p in want:
        c.replace(p, 1)
    for p in want6:
        c.replace(p, 2)
    assert c.settle() == {}
    with tempfile.NamedTemporaryFile("w") as f:
        for i in range(1000):
            f.write(f"link set w{i % 2} down\nlink set w{i % 2} up\n")
        f.flush()
        t0 = time.monotonic()
        run(f"ip -n {box.peer} -batch {f.name}")
    until(lambda: c.poll() or box.routes(4), want)
    until(lambda: box.routes(6), want6)
    print(f"1000 flaps: {time.monotonic() - t0:.2f} s")
    assert len(box.ip("nexthop").splitlines()) == (0 if form else 8)
    box.ip("link set v0 down")
    until(lambda: box.routes(4), {p: {A1} for p in want})


def attack(box, path, pid, out):
    """What a speaker that was taken over could try, as its user."""
    got = {}
    with open(f"/run/netns/{box.name}") as ns:
        ctypes.CDLL(None).setns(ns.fileno(), 0x40000000)
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)

    def refused(name, fn):
        try:
            fn()
            got[name] = "done"
        except OSError as e:
            got[name] = errno.errorcode[e.errno]

    def direct():
        nl = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        nl.settimeout(5)
        msg = struct.pack("=BBBBBBBBI", 2, 24, 0, 0, 254, 179, 0, 1, 0)
        msg += struct.pack("=HH4sHHI", 8, 1, bytes([11, 0, 0, 0]), 8, 4,
                           box.v0)
        nl.send(struct.pack("=IHHII", 16 + len(msg), 24, 0x605, 1, 0) + msg)
        err = struct.unpack("=i", nl.recv(4096)[16:20])[0]
        if err:
            raise OSError(-err, "netlink")

    refused("netlink", direct)
    refused("port", lambda: socket.socket().bind(("0.0.0.0", 179)))
    refused("kill", lambda: os.kill(pid, signal.SIGKILL))
    refused("memory", lambda: open(f"/proc/{pid}/mem", "r+b").close())
    refused("files", lambda: os.listdir(f"/proc/{pid}/fd"))
    refused("socket", lambda: os.unlink(path))
    c = Client(path)
    assert c.hello(box.netns)["err"] == 0
    v0 = box.v0
    c.nhset(1, [("10.0.0.2", v0)])
    seqs = [c.replace(p, 1) for p in (
        "0.0.0.0/0", "11.1.1.0/25", "8.0.0.0/7", "127.0.0.0/8",
        "10.0.0.0/16", "224.0.0.0/8", "203.10.4.0/24", "203.8.0.0/13")]
    seqs += [c.nhset(2, [("10.99.0.1", v0)]), c.nhset(2, [("10.0.0.1", v0)]),
             c.nhset(2, [("10.99.0.1", v0, 1, ONLINK)]),
             c.nhset(2, [("10.0.0.2", 1)]), c.remove("172.30.0.0/16"),
             c.replace("11.5.0.0/16", 1)]       # a foreign one is there
    for i in range(100):
        c.replace(f"12.{i}.0.0/16", 1)
    failed = c.settle()
    got["allowed"] = [s for s in seqs if s not in failed]
    got["over the cap"] = sum(1 for e, t in failed.values() if "cap" in t)
    c.end(1)
    c.flush_routes(1)
    c.flush_routes(2)
    c.settle()
    for kw in (dict(proto=4), dict(table=255), dict(netns=1), dict(metric=0),
               dict(keep=1 << 31)):
        c.close()
        c = Client(path)
        kw = dict(dict(netns=box.netns), **kw)
        got[str(sorted(kw))] = c.hello(kw.pop("netns"), **kw)["err"]
    for data in (b"", b"\0" * 4000, b"\xff" * 70000, os.urandom(5000)):
        c.close()
        c = Client(path)
        c.push(data or b"\1")
        until(lambda: c.poll() or c.closed)
    out.send(got)


def test_speaker_taken_over(box):
    """Its user can do no more than the fences permit."""
    os.chmod(box.dir.name, 0o755)
    box.v0 = box.ifindex("v0")
    p = box.start("-n", "10", "-g", "203.10.0.0/20", "-U", "daemon",
                  user="nobody")
    for r in ("11.5.0.0/16 via 10.0.0.9 metric 20", "172.30.0.0/16 via "
              "10.0.0.9 metric 20", "default via 10.0.0.9"):
        box.ip(f"route add {r} proto 99")
    before = box.ip("route show")
    pids = [int(x) for x in run(f"ip netns pids {box.name}").split()]
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(
        target=attack, args=(box, box.path, pids[0], theirs))
    child.start()
    assert ours.poll(60), "it ended early"
    got = ours.recv()
    child.join()
    assert got.pop("allowed") == []
    assert got.pop("over the cap") == 91    # what waits counts, too
    assert {got.pop(k) for k in list(got) if k.startswith("[")} <= {
        errno.EPERM, errno.EINVAL}
    assert set(got.values()) <= {"EPERM", "EACCES"}, got
    assert len(got) == 6
    until(lambda: box.ip("route show"), before)
    assert p.poll() is None
    box.stop(p)
