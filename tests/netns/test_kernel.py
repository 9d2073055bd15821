"""The speaker and the kernel's table, under whatever happens to either.

The soak runs for $ANA_SOAK_SECONDS in each form (ten minutes by hand:
ANA_SOAK_SECONDS=600); it takes its course from $ANA_SEED, which it prints.
"""

import os
import random
import re
import signal
import time

import pytest

from ana import Ana, program, sanitizer_reports
from lab import run, wait_equal, wait_until
from routers import Route
from speaker import Speaker, end_of_rib

US, PEER, PROTO = 52580, 719, 179
SOAK = float(os.environ.get("ANA_SOAK_SECONDS", "20"))
NO_LIMIT = ("max-prefix 20000 action warn;",)


class Box:
    """The appliance with two links to a partner, ana-fibd as a service."""

    def __init__(self, lab, form=(), multipath=4, links=2, glob=()):
        self.lab, self.a = lab, lab.ns("ana")
        self.form, self.fibd = list(form), None
        self.ana = Ana(lab, self.a, US, "192.0.2.1")
        self.ana.glob += ["multipath %d;" % multipath, *glob]
        self.ends, self.speakers, self.dev = [], [], []
        for i in range(links):
            p = lab.ns("peer%d" % i)
            ours, theirs = lab.link(self.a, p, v4="192.0.2.%d/30" % (4 * i),
                                    v6="2001:db8:%x::/64" % (i + 1))
            self.dev.append((ours, p, theirs))
            for a, b in (("192.0.2.%d" % (4 * i + 1), "192.0.2.%d" %
                          (4 * i + 2)),
                         ("2001:db8:%x::1" % (i + 1), "2001:db8:%x::2" % (i + 1))):
                self.ana.neighbor(b, PEER, a,
                                  ("inet6",) if ":" in a else ("inet",),
                                  passive=True, more=NO_LIMIT)
                self.ends.append((p, b, a, PEER))
                self.speakers.append(None)
        self.path = self.ana.dir + "/run/fibd.sock"

    def start_fibd(self, *args):
        self.fibd = self.a.spawn("fibd", [
            program("ana-fibd"), "-s", self.path, "-d", "-u", self.ana.user,
            "-U", self.ana.fibd_user, *self.form, *args],
            env={"ASAN_OPTIONS": "detect_leaks=0"})
        self.lab.sanitized.append(self.fibd)
        wait_until(lambda: os.path.exists(self.path), what="ana-fibd")

    def connect(self, i):
        """One session, whatever became of it."""
        s = self.speakers[i]
        if s is None or not s.up():
            self.speakers[i] = Speaker(*self.ends[i], hold=90,
                                       router_id="192.0.2.%d" % (100 + i))
            return True
        return False

    def start(self, *fibd_args):
        self.start_fibd(*fibd_args)
        self.ana.start()
        for i in range(len(self.ends)):
            self.connect(i)
        wait_until(lambda: all(self.ana.up(n) for n in self.ana.neighbors))

    def announce(self, *routes, to=None):
        for i, s in enumerate(self.speakers):
            if to is None or i in to:
                s.announce(*[r for r in routes
                             if (":" in r.prefix) == (":" in s.local)])
                s.send(end_of_rib(s.families[0]))

    def kernel(self):
        return self.ana.kernel()

    def wanted(self):
        """What the speaker's Loc-RIB says should be in the kernel."""
        out = {}
        for r in self.ana.ctl("show", "rib")["rib"]:
            if r.get("best") or r.get("ecmp"):
                out.setdefault(r["prefix"], set()).add(r["exit_nexthop"])
        return out

    def states(self):
        return {r["prefix"]: r["state"]
                for r in self.ana.ctl("show", "fib")["fib"]}

    def objects(self):
        """Nexthop objects of ours: {id: line}."""
        return {int(x.split()[1]): x for x in self.a.ip(
            "nexthop", "show", "proto", str(PROTO)).splitlines()}

    def no_leaks(self):
        """Every group is named by a route, every member by a group."""
        objects = self.objects()
        text = self.a.ip("route") + self.a.ip("-6", "route")
        named = {int(x) for x in re.findall(r"nhid (\d+)", text)}
        for line in objects.values():
            for g in re.findall(r"group (\S+)", line):
                named |= {int(x.split(",")[0]) for x in g.split("/")}
        return {x for n, x in objects.items() if n not in named}

    def close(self):
        for s in self.speakers:
            if s is not None:
                s.close()


@pytest.fixture
def made(lab):
    boxes = []

    def make(*args, **kw):
        boxes.append(Box(lab, *args, **kw))
        return boxes[-1]
    yield make
    for b in boxes:
        b.close()
    for p in lab.sanitized:
        assert not sanitizer_reports(p), p.name


FORMS = [pytest.param((), id="objects"),
         pytest.param(("-T", "plain"), id="plain")]


# ---- the soak -------------------------------------------------------------

class Soak:
    """Random events; after a few of them all must be as the RIB says."""

    POOL = ["62.%d.%d.0/24" % (a, b) for a in range(140, 148)
            for b in range(0, 250, 2)] + [
        "2a00:%x::/48" % x for x in range(0x1000, 0x1000 + 300)]

    def __init__(self, box, rng):
        self.box, self.rng = box, rng
        self.tables = [dict() for _ in box.ends]
        self.foreign = {}
        self.down = set()
        self.counts = {}

    def fitting(self, i, n):
        v6 = ":" in self.box.ends[i][1]
        return self.rng.sample([p for p in self.POOL if (":" in p) == v6], n)

    def session(self):
        i = self.rng.randrange(len(self.tables))
        s = self.box.speakers[i]
        return i, s if s is not None and s.up() else None

    def send(self, s, fn, *args):
        try:
            fn(*args)
        except OSError:
            pass                # the speaker was killed: told again later

    def announce(self):
        i, s = self.session()
        routes = {p: Route(p, path=(3292,) * self.rng.randrange(2))
                  for p in self.fitting(i, self.rng.choice([1, 20, 250]))}
        self.tables[i].update(routes)
        if s:
            self.send(s, s.announce, *routes.values())

    def withdraw(self):
        i, s = self.session()
        some = [p for p in self.tables[i] if self.rng.random() < 0.5]
        for p in some:
            del self.tables[i][p]
        if s:
            self.send(s, s.withdraw, *some)

    def kill_speaker(self):
        self.box.ana.process.kill()

    def kill_fibd(self):
        self.box.fibd.kill()

    def kill_both(self):
        self.kill_fibd()
        self.kill_speaker()

    def link(self):
        ours, p, theirs = self.rng.choice(self.box.dev)
        how = self.rng.randrange(3)
        if how == 0:
            p.ip("link", "set", theirs, "down")
            self.down.add((p, theirs))
        elif how == 1:
            self.box.a.ip("link", "set", ours, "down")
            self.down.add((self.box.a, ours))
        else:
            for _ in range(5):
                p.ip("link", "set", theirs, "down")
                p.ip("link", "set", theirs, "up")

    def address(self):
        i = self.rng.randrange(len(self.box.ends))
        addr = self.box.ends[i][2] + ("/64" if i % 2 else "/30")
        dev = self.box.dev[i // 2][0]
        for what in ("del", "add"):
            self.box.a.ip("addr", what, addr, "dev", dev,
                          *(["nodad"] if i % 2 else []), check=False)

    def flush(self):
        fam = self.rng.choice(["-4", "-6"])
        self.box.a.ip(fam, "route", "flush", "proto", str(PROTO), check=False)

    def flush_objects(self):
        if not self.box.form:
            self.box.a.ip("nexthop", "flush", "proto", str(PROTO),
                          check=False)

    def drift(self):
        v6 = self.rng.random() < 0.5
        gw = "2001:db8:1::77" if v6 else "192.0.2.2"
        for i in range(20):
            p = self.fitting(1 if v6 else 0, 1)[0]
            if p in self.foreign:
                continue
            self.box.a.ip("route", self.rng.choice(["del", "change"]), p,
                          "via", gw, "proto", str(PROTO), "metric", "20",
                          check=False)

    def foreigner(self):
        for p in list(self.foreign):
            if self.rng.random() < 0.5:
                self.box.a.ip("route", "del", p, "proto", "99", "metric",
                              "20", check=False)
                del self.foreign[p]
        for p in self.fitting(0, 5) + self.fitting(1, 5):
            gw = "2001:db8:1::77" if ":" in p else "192.0.2.2"
            # Refused where ours is: then there is none.
            self.box.a.ip("route", "add", p, "via", gw, "proto", "99",
                          "metric", "20", check=False)
            self.foreign[p] = gw

    def networkd(self):
        """All routes of a link that it does not know of, as systemd-networkd
        does when it takes the link over."""
        self.box.a.ip(self.rng.choice(["-4", "-6"]), "route", "flush", "dev",
                      self.rng.choice(self.box.dev)[0], "proto", str(PROTO),
                      check=False)

    def reboot(self):
        """Both killed, and nothing in the kernel."""
        self.kill_both()
        for fam in "-4", "-6":
            self.box.a.ip(fam, "route", "flush", "proto", str(PROTO),
                          check=False)
        self.flush_objects()

    def storm(self):
        """More events than a receive buffer holds, while it looks away."""
        self.box.fibd.signal(signal.SIGSTOP)
        lines = []
        for i in range(3000):
            lines += ["route add 172.16.%d.%d/32 via 192.0.2.2 proto 98" %
                      (i >> 8, i & 255)]
        lines += ["route flush proto 98"]
        if self.rng.random() < 0.5:
            lines += ["route flush proto %d" % PROTO]
        try:
            run("ip", "-n", self.box.a.full, "-batch", "-",
                input="\n".join(lines) + "\n", check=False)
        finally:
            self.box.fibd.signal(signal.SIGCONT)

    def heal(self):
        """All links up, both programs there, all sessions, all told."""
        box = self.box
        for ns, dev in self.down:
            ns.ip("link", "set", dev, "up")
        self.down.clear()
        for i, (p, _, ours, _) in enumerate(box.ends):
            box.a.ip("addr", "add", ours + ("/64" if i % 2 else "/30"), "dev",
                     box.dev[i // 2][0], *(["nodad"] if i % 2 else []),
                     check=False)
        if not box.fibd.running():
            if os.path.exists(box.path):
                os.unlink(box.path)
            small = ["-T", "rcvbuf=4096"] if self.rng.random() < 0.5 else []
            box.start_fibd(*small)
        if not box.ana.running():
            # Its last words may have been lost with a link.
            for s in box.speakers:
                s.close(notify=False)
            box.ana.start()
        for i in range(len(box.ends)):
            for _ in range(3):
                try:
                    if box.connect(i):
                        s = box.speakers[i]
                        s.announce(*self.tables[i].values())
                        s.send(end_of_rib(s.families[0]))
                    break
                except OSError:
                    continue

    def model(self):
        """{prefix: next hops} from what was announced."""
        out = {}
        for i, t in enumerate(self.tables):
            for p, r in t.items():
                out.setdefault(p, []).append((len(r.path),
                                              self.box.ends[i][1]))
        return {p: {gw for n, gw in c if n == min(c)[0]}
                for p, c in out.items()}

    def explain(self, wrong):
        """What each believes, for whoever has to find out."""
        for p in wrong[:3]:
            print(self.box.a.ip("-d", "route", "show", "exact", p,
                                check=False), self.box.ana.cli(
                                    "show", "fib", p, check=False))
        print(self.box.a.ip("nexthop"), self.box.ana.cli("show", "nexthop"),
              self.box.ana.cli("show", "interfaces"), self.box.fibd.tail(20))

    def check(self):
        box = self.box
        want = self.model()
        wait_equal(box.wanted, want, 60, "Loc-RIB and announcements")

        def kernel():
            got, theirs = box.kernel(), set(box.a.routes("99"))
            return {"ours": got, "theirs": theirs & set(want)}

        def equal():
            k = kernel()
            return k["ours"] == {p: n for p, n in want.items()
                                 if p not in k["theirs"]}
        try:
            wait_until(equal, 60)
        except AssertionError:
            k = kernel()
            want = {p: n for p, n in want.items() if p not in k["theirs"]}
            self.explain([p for p in {**want, **k["ours"]}
                          if want.get(p) != k["ours"].get(p)])
            wait_equal(lambda: k["ours"], want, 0, "kernel and Loc-RIB")
        theirs = set(box.a.routes("99"))
        wait_equal(box.states, {
            p: "conflict" if p in theirs else "installed" for p in want}, 60,
            "show fib")
        # A route that waits for a foreign one to go holds its set.
        if not box.form and not theirs:
            wait_until(lambda: box.no_leaks() == set() or print(
                "unnamed", box.no_leaks()), 60, what="no leaks")

    def run(self, seconds):
        events = [self.announce] * 6 + [self.withdraw] * 3 + [
            self.kill_speaker, self.kill_fibd, self.kill_both, self.link,
            self.link, self.address, self.flush, self.flush_objects,
            self.drift, self.foreigner, self.storm, self.networkd,
            self.reboot]
        end, rounds = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            names = []
            for _ in range(self.rng.randrange(1, 7)):
                e = self.rng.choice(events)
                names.append(e.__name__)
                self.counts[e.__name__] = self.counts.get(e.__name__, 0) + 1
                e()
            print("round %d: %s" % (rounds, " ".join(names)))
            self.heal()
            self.check()
            rounds += 1
        return rounds


@pytest.mark.parametrize("form", FORMS)
def test_soak(made, form):
    seed = int(os.environ.get("ANA_SEED", random.randrange(1 << 30)))
    print("seed", seed)
    box = made(form)
    # No repair may wait for the look at all routes.
    box.ana.blocks.append("fib { reconcile 1h; }")
    box.start()
    box.announce()              # End-of-RIB
    soak = Soak(box, random.Random(seed))
    for _ in range(4):
        soak.announce()
    rounds = soak.run(SOAK)
    print("%d rounds, %s" % (rounds, soak.counts))
    assert rounds > 0
    assert not soak.box.ana.process.p.poll()


# ---- what the operator asks for --------------------------------------------

ROUTES = [Route("62.%d.0.0/16" % i) for i in range(140, 150)]
ROUTES6 = [Route("2a00:%x::/32" % i) for i in range(0x1000, 0x1005)]
HOPS4, HOPS6 = {"192.0.2.2", "192.0.2.6"}, {"2001:db8:1::2", "2001:db8:2::2"}
WANT = {**{r.prefix: HOPS4 for r in ROUTES}, **{r.prefix: HOPS6
                                                for r in ROUTES6}}


@pytest.fixture
def box(made):
    b = made()
    b.start()
    b.announce(*ROUTES, *ROUTES6)
    wait_equal(b.kernel, WANT)
    return b


def test_decoupled_keeps(box):
    gone, new = ROUTES[0].prefix, "62.200.0.0/16"
    assert "keeps" in box.ana.cli("fib", "decouple")
    for s in box.speakers[::2]:
        s.withdraw(gone)
        s.announce(Route(new))
    rib = {**WANT, new: HOPS4}
    del rib[gone]
    wait_equal(box.wanted, rib)
    assert box.kernel() == WANT
    # What is in the kernel is still held there, and over a new ana-fibd.
    box.a.ip("-4", "route", "del", ROUTES[1].prefix)
    wait_equal(box.kernel, WANT)
    status, out, _ = box.ana.cli("check", "health", check=False)
    assert status == 5 and "decouple" in out
    assert box.ana.cli("show", "fib").startswith("decoupled")
    assert box.ana.ctl("show", "version")["fib"]["coupled"] is False
    box.ana.cli("fib", "couple")
    wait_equal(box.kernel, rib)
    assert box.ana.cli("fib", "couple", check=False)[0] == 1
    wait_until(lambda: box.ana.cli("check", "health"))


def test_decoupled_removes(box):
    box.ana.cli("fib", "decouple", "remove")
    wait_equal(box.kernel, {})
    for s in box.speakers[::2]:
        s.announce(Route("62.200.0.0/16"))
        s.withdraw(ROUTES[0].prefix)
    rib = {**WANT, "62.200.0.0/16": HOPS4}
    del rib[ROUTES[0].prefix]
    wait_equal(box.wanted, rib)
    assert box.kernel() == {}
    box.ana.cli("fib", "couple")
    wait_equal(box.kernel, rib)
    wait_equal(box.states, dict.fromkeys(rib, "installed"))
    # and a shutdown takes all of it
    box.ana.cli("shutdown")
    wait_equal(box.kernel, {}, 15)
    wait_until(lambda: not box.objects())


def test_drift_and_conflicts(box):
    one, two, three = (r.prefix for r in ROUTES[:3])
    assert box.ana.ctl("show", "fib", "drift")["fib"] == []
    box.a.ip("route", "del", one)
    wait_equal(box.kernel, WANT)
    wait_until(lambda: box.ana.ctl("show", "fib", "drift")["fib"])
    box.a.ip("route", "change", two, "via", "192.0.2.2", "proto", str(PROTO),
             "metric", "20")
    wait_until(lambda: len(box.ana.ctl("show", "fib", "drift")["fib"]) == 2)
    wait_equal(box.kernel, WANT)
    box.a.ip("route", "replace", three, "via", "192.0.2.2", "proto", "99",
             "metric", "20")
    rows = wait_until(lambda: box.ana.ctl("show", "fib", "conflicts")["fib"])
    assert [(r["prefix"], r["state"]) for r in rows] == [(three, "conflict")]
    assert "foreign" in rows[0]["error"]
    got = [(r["prefix"], r["what"])
           for r in box.ana.ctl("show", "fib", "drift")["fib"]]
    assert got == [(three, "conflict"), (two, "changed"), (one, "put-back")]
    assert "2 changes of our routes" in box.ana.cli("show", "fib", "drift")

    def prefixes(*which):
        return [r["prefix"] for r in box.ana.ctl("show", "fib", *which)["fib"]]
    assert prefixes("drift", two) == prefixes(
        "drift", two.replace("0.0/16", "7.7")) == [two]
    assert prefixes("conflicts", three) == [three]
    assert prefixes("conflicts", two) == []
    fib = box.ana.ctl("show", "version")["fib"]
    assert (fib["drift"], fib["conflicts"], fib["overruns"]) == (2, 1, 0)
    box.a.ip("route", "del", three, "proto", "99")
    wait_equal(box.kernel, WANT)
    wait_equal(box.states, dict.fromkeys(WANT, "installed"))
    # It had waited: that is no drift.
    assert box.ana.ctl("show", "version")["fib"]["drift"] == 2


def test_link_down_is_no_loss(box):
    """A deliberate second look is neither counted nor told as a loss."""
    ours, _, _ = box.dev[0]
    box.a.ip("link", "set", ours, "down")
    box.a.ip("-6", "addr", "del", "2001:db8:1::1/64", "dev", ours)
    wait_equal(box.kernel, {p: h - {"192.0.2.2", "2001:db8:1::2"}
                            for p, h in WANT.items()})
    box.a.ip("link", "set", ours, "up")
    box.a.ip("-6", "addr", "add", "2001:db8:1::1/64", "dev", ours, "nodad")
    wait_equal(box.kernel, WANT)
    assert "were lost" not in box.fibd.tail(1000)
    assert "lost events" not in box.ana.process.tail(10000)
    assert box.ana.ctl("show", "version")["fib"]["overruns"] == 0


def test_lost_next_hop_moves_no_route(box):
    """The group gets smaller; the routes stay on it, in the speaker, too."""
    def groups():
        text = box.a.ip("route") + box.a.ip("-6", "route")
        return set(re.findall(r"nhid (\d+)", text))
    before = groups()
    assert len(before) == 2         # one a family
    _, p, theirs = box.dev[0]
    p.ip("link", "set", theirs, "down")
    rest = {p: h - {"192.0.2.2", "2001:db8:1::2"} for p, h in WANT.items()}
    wait_equal(box.wanted, rest)
    wait_equal(box.kernel, rest)
    wait_equal(box.states, dict.fromkeys(WANT, "installed"))
    assert groups() == before
    p.ip("link", "set", theirs, "up")
    wait_equal(box.wanted, WANT)
    wait_equal(box.kernel, WANT)
    wait_equal(box.states, dict.fromkeys(WANT, "installed"))
    wait_until(lambda: box.no_leaks() == set())


def test_weights_by_speed(made):
    """Two links of one speed (what other speeds make: test_fibsync.c)."""
    box = made()
    box.ana.blocks.append("fib { multipath-weight link-speed; }")
    box.start_fibd()
    box.ana.start()
    for i in range(len(box.ends)):
        box.connect(i)
    box.announce(*ROUTES)
    want = {r.prefix: HOPS4 for r in ROUTES}
    wait_equal(box.kernel, want)

    def weights():
        hops = box.ana.ctl("show", "fib", ROUTES[0].prefix)["fib"][0][
            "nexthops"]
        return {h["address"]: h["weight"] for h in hops}
    assert weights() == {"192.0.2.2": 1, "192.0.2.6": 1}


TAP = """
import fcntl, os, signal, socket, struct
tap = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tap, 0x400454CA, struct.pack("16sH22x", b"fast", 0x1002))
s = socket.socket()
def ethtool(b):
    import ctypes
    buf = ctypes.create_string_buffer(b, len(b))
    fcntl.ioctl(s, 0x8946, struct.pack("16sQ", b"fast",
                                       ctypes.addressof(buf)))
    return buf.raw
cmd = bytearray(ethtool(struct.pack("=I40x", 1)))
cmd[0:4], cmd[12:14] = struct.pack("=I", 2), struct.pack("=H", 40000)
ethtool(bytes(cmd))
signal.pause()
"""


def test_weights_by_different_speeds(made):
    """A veth of 10 Gbit/s and a tap that says 40."""
    if not os.path.exists("/dev/net/tun"):
        pytest.skip("no /dev/net/tun to make a link of another speed with")
    box = made()
    box.ana.blocks.append("fib { multipath-weight link-speed; }")
    for n in box.ana.neighbors:
        n.more += ('no require next-hop-is-peer "a lab";',)
    box.a.spawn("tap", ["/usr/bin/python3", "-c", TAP])
    wait_until(lambda: "fast" in box.a.ip("link", "show", "fast"))
    box.a.ip("addr", "add", "198.51.100.1/24", "dev", "fast")
    box.a.ip("link", "set", "fast", "up")
    box.start()
    speed = {x["name"]: x.get("baudrate") for x in box.ana.ctl(
        "show", "interfaces")["interfaces"]}
    assert speed["fast"] == 40 * 10 ** 9 and speed[box.dev[0][0]] == 10 ** 10
    p = ROUTES[0].prefix
    box.speakers[0].announce(ROUTES[0])
    box.speakers[2].announce(ROUTES[0], next_hop="198.51.100.2")
    wait_equal(box.kernel, {p: {"192.0.2.2", "198.51.100.2"}})
    text = box.a.ip("route", "show", p)
    assert re.search(r"192.0.2.2 \S+ \S+ weight 1 ", text), text
    assert re.search(r"198.51.100.2 \S+ \S+ weight 4 ", text), text


def test_the_kernels_own_words(made):
    """Why a route is refused, in show fib and explain; and asked again."""
    box = made()
    src = "198.51.100.77"
    box.ana.blocks.append("fib { prefer-source inet %s; }" % src)
    box.start()
    box.announce(*ROUTES)
    p = ROUTES[0].prefix
    wait_until(lambda: box.states().get(p) == "failed")
    row = box.ana.ctl("show", "fib", p)["fib"][0]
    assert "prefsrc" in row["error"], row
    assert "prefsrc" in box.ana.cli("show", "fib", p)
    assert "prefsrc" in box.ana.cli("explain", p)
    assert box.kernel() == {}
    box.a.ip("addr", "add", src + "/32", "dev", "lo")
    wait_equal(box.kernel, {r.prefix: HOPS4 for r in ROUTES})
    assert "src " + src in box.a.ip("route", "show", p)
    wait_equal(box.states, {r.prefix: "installed" for r in ROUTES})


def test_feed_only_neighbor(made):
    """"fib no": in the RIB, told to others, never in the kernel."""
    box = made()
    for n in box.ana.neighbors[2:]:
        n.more += ("fib no;",)
    box.start()
    box.announce(*ROUTES, *ROUTES6)
    only = {p: {h for h in hops if h in ("192.0.2.2", "2001:db8:1::2")}
            for p, hops in WANT.items()}
    wait_equal(box.kernel, only)
    box.announce(Route("62.200.0.0/16"), to=[2])
    wait_until(lambda: "62.200.0.0/16" in box.wanted())
    for s in box.speakers[:2]:
        s.close()
    wait_equal(box.kernel, {})
    assert "62.200.0.0/16" in box.wanted()


def test_interfaces_name_their_sessions(box):
    for i, row in enumerate(
            x for x in box.ana.ctl("show", "interfaces")["interfaces"]
            if x["name"] != "lo"):
        assert set(row["neighbors"]) == {"192.0.2.%d" % (4 * i + 2),
                                         "2001:db8:%d::2" % (i + 1)}
        assert "neighbor n%d" % (2 * i + 1) in box.ana.cli(
            "show", "interfaces")


def test_interfaces_count_traffic(box):
    """Octets as the kernel counts them, and how fast they come."""
    dev = box.dev[0][0]

    def row():
        return next(x for x in box.ana.ctl("show", "interfaces")["interfaces"]
                    if x["name"] == dev)

    def sysfs(what):
        return int(box.a.run("cat", "/sys/class/net/%s/statistics/%s" %
                             (dev, what)))
    ping = box.a.spawn("ping", ["ping", "-q", "-i", "0.002", "-s", "1400",
                                "192.0.2.2"])
    wait_until(lambda: row()["tx_bits_per_second"] > 200000 and
               row()["rx_bits_per_second"] > 200000)
    assert "bit/s in" in box.ana.cli("show", "interfaces")
    ping.end()
    # Only keepalives now: both are looked at with nothing between.
    wait_until(lambda: row()["tx_bits_per_second"] < 100000)
    wait_until(lambda: [row()["rx_octets"], row()["tx_octets"]] ==
               [sysfs("rx_bytes"), sysfs("tx_bytes")])


def test_recursive_next_hop(made):
    """A third-party next hop, reached over somebody's static route."""
    box = made(links=2)
    box.ana.blocks.append("fib { nexthop recursive; }")
    for n in box.ana.neighbors:
        n.more += ('no require next-hop-is-peer "a lab";',)
    box.start()
    for s in box.speakers[:2]:
        s.announce(*[r for r in ROUTES + ROUTES6
                     if (":" in r.prefix) == (":" in s.local)],
                   next_hop="2001:db8:77::1" if ":" in s.local
                   else "203.0.113.1")
    wait_until(lambda: len(box.ana.rib("in", "neighbor", "n1")) == 10)
    assert box.kernel() == {}

    def over(v4, v6):
        box.a.ip("route", "replace", "203.0.113.0/24", "via", v4)
        box.a.ip("route", "replace", "2001:db8:77::/64", "via", v6)
        wait_equal(box.kernel, {**{r.prefix: {v4} for r in ROUTES},
                                **{r.prefix: {v6} for r in ROUTES6}})
        rows = {r["address"]: r for r in box.ana.ctl(
            "show", "nexthop")["nexthops"]}
        assert rows["203.0.113.1"]["via"] == v4
        assert rows["203.0.113.1"]["connected"] is False
        assert "reachable by " + v4 in box.ana.cli("show", "nexthop")
    over("192.0.2.2", "2001:db8:1::2")
    over("192.0.2.6", "2001:db8:2::2")
    box.a.ip("route", "del", "203.0.113.0/24")
    wait_equal(box.kernel, {r.prefix: {"2001:db8:2::2"} for r in ROUTES6})


def test_ping_over_restarts(made, lab):
    """Forwarding does not notice that the speaker, or ana-fibd, is killed."""
    box, host = made(), lab.ns("host")
    lab.link(box.a, host, v4="198.51.100.0/30", v6="2001:db8:99::/64")
    host.ip("route", "add", "62.140.0.1", "via", "198.51.100.1")
    host.ip("-6", "route", "add", "2a00:1000::1", "via", "2001:db8:99::1")
    for key in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
        box.a.run("sysctl", "-qw", key + "=1")
    for i, (_, p, _) in enumerate(box.dev):
        p.ip("addr", "add", "62.140.0.1/32", "dev", "lo")
        p.ip("addr", "add", "2a00:1000::1/128", "dev", "lo", "nodad")
        p.ip("route", "add", "198.51.100.0/30", "via",
             "192.0.2.%d" % (4 * i + 1))
        p.ip("route", "add", "2001:db8:99::/64", "via",
             "2001:db8:%d::1" % (i + 1))
    box.start()
    box.announce(*ROUTES, *ROUTES6)
    wait_equal(box.kernel, WANT)
    pings = [host.spawn("ping%d" % i, [
        "ping", "-f", "-q", "-W", "2", "-w", "60", to])
        for i, to in enumerate(("62.140.0.1", "2a00:1000::1"))]

    def again():
        for s in box.speakers:
            assert s.closed.wait(10)
        box.ana.start()
        for i in range(len(box.ends)):
            box.connect(i)
        box.announce(*ROUTES, *ROUTES6)
        wait_until(lambda: "swept" in box.fibd.tail(4))
        wait_equal(box.states, dict.fromkeys(WANT, "installed"))

    box.ana.process.kill()
    again()
    box.ana.process.signal(signal.SIGTERM)      # as an upgrade does
    wait_until(lambda: not box.ana.running(), 15)
    again()
    box.fibd.kill()
    os.unlink(box.path)
    box.start_fibd()
    wait_until(lambda: box.states() == dict.fromkeys(WANT, "installed"))
    box.fibd.kill()
    box.ana.process.kill()
    os.unlink(box.path)
    box.start_fibd()
    again()
    for p in pings:
        p.signal(signal.SIGINT)
        p.p.wait(10)
        said = p.tail()
        print(said)
        sent, got = map(int, re.search(
            r"(\d+) packets transmitted, (\d+) received", said).groups())
        assert sent > 500 and sent - got <= 1   # one may be under way
