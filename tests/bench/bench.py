#!/usr/bin/python3
"""Measure ana-bgpd and the other daemons side by side; see doc/benchmarks.md.

usage: bench.py [-r ROUNDS] [-d DAEMON,...] [-t SECONDS] [-o FOLDER] [SCENARIO...]

Each scenario runs for each daemon in turn, ROUNDS times; medians are printed,
and everything is in FOLDER/results.json.  A daemon that needs more than the
bound in one round is not asked again.
"""

import argparse
import contextlib
import json
import os
import pathlib
import select
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import plot
from daemons import ADDR, DAEMONS, Peer, rest
from lab import Lab, LabError, run

HERE = pathlib.Path(__file__).resolve().parent
BASE = 20 << 24                 # of the generated prefixes: 20.0.0.0/24 ...
OTHER = "the others"


class Slow(Exception):
    """It took longer than the bound."""


class Feed:
    """tests/bench/feed.c in a namespace."""

    def __init__(self, program, ns):
        self.p = subprocess.Popen(
            ["ip", "netns", "exec", ns.full, program], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, bufsize=0)
        self.pending, self.events, self.n = b"", [], 0

    def say(self, *words):
        self.p.stdin.write((" ".join(map(str, words)) + "\n").encode())

    def _read(self, timeout):
        if not select.select([self.p.stdout], [], [], timeout)[0]:
            return
        data = os.read(self.p.stdout.fileno(), 1 << 20)
        if not data:
            raise LabError("the generator ended")
        self.pending += data
        while b"\n" in self.pending:
            line, self.pending = self.pending.split(b"\n", 1)
            e = json.loads(line)
            if e["ev"] == "error":
                raise LabError("generator: " + e["what"])
            self.events.append(e)

    def wait(self, bound, **want):
        """The next event that has all these fields; earlier ones stay."""
        end = time.monotonic() + bound
        while True:
            for i, e in enumerate(self.events):
                if all(e.get(k) == v for k, v in want.items()):
                    return self.events.pop(i)
            left = end - time.monotonic()
            if left <= 0:
                raise Slow("no %s within %g s" % (want, bound))
            self._read(min(left, 1))

    def ask(self, *words, ev=None):
        self.say(*words)
        return self.wait(120, ev=ev or words[0])

    def session(self, peer, count=False):
        self.say("session", peer.addr, ADDR, peer.asn, peer.hold,
                 "count" if count else "plain")
        self.n += 1
        return self.n - 1

    def heard(self, within):
        """What "stat" says once all of a short hold time were heard again."""
        since, end = self.ready(), time.monotonic() + within
        while True:
            st = self.ask("stat")
            if st["heard"] > since or time.monotonic() >= end:
                return st
            time.sleep(0.05)

    def ready(self):
        return self.ask("ping", ev="pong")["t"]

    def close(self):
        with contextlib.suppress(OSError):
            self.p.stdin.close()
        try:
            self.p.wait(5)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()


class Scene:
    """One daemon with its partners connected; the numbers of one round."""

    def __init__(self, env, kind, peers, count=(), kernel=False):
        self.env, self.kind, self.peers, self.count = env, kind, peers, count
        self.kernel, self.bound = kernel, env.bound
        self.r = {}

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        lab = self.stack.enter_context(Lab())
        d, f = lab.ns("d"), lab.ns("f")
        lab.link(d, f)
        d.ip("addr", "add", ADDR + "/16", "dev", "to-f")
        batch = "".join("addr add %s/16 dev to-d noprefixroute\n" % p.addr
                        for p in self.peers)
        f.ip("-batch", "-", input=batch)
        f.ip("route", "add", "10.99.0.0/16", "dev", "to-d")
        self.ns = d
        self.feed = Feed(self.env.feed, f)
        self.stack.callback(self.feed.close)
        for i, p in enumerate(self.peers):
            self.feed.session(p, i in self.count)
        self.d = DAEMONS[self.kind](lab, d, self.peers, self.kernel)
        return self

    def __exit__(self, *exc):
        try:
            self.d.stop()
        finally:
            self.stack.close()
        return False

    def until_in_kernel(self, n, base, t0):
        """Until n prefixes from BASE on are there, beside the base of before.
        To count them all, the kernel walks its whole table and lets it wait
        for so long: that is done once each of a sample is there."""
        missing = list(range(0, n, n // 1000 | 1))
        with self.ns.socket(socket.AF_NETLINK, socket.SOCK_RAW) as sock:
            while missing or fib_count(self.ns) < base + n:
                if time.monotonic() - t0 > self.bound:
                    raise Slow("the kernel has %d" % fib_count(self.ns))
                while missing and in_kernel(sock, BASE + (missing[-1] << 8)):
                    missing.pop()
                time.sleep(0.005 if missing else 0.05)
        self.r["time_s"] = time.monotonic() - t0

    def start(self):
        """Start it, connect all; how long until the last was up."""
        self.feed.ready()
        t0 = time.monotonic()
        self.d.start()
        for i in range(len(self.peers)):
            self.feed.say("connect", i)
        last = 0
        for i in range(len(self.peers)):
            last = max(last, self.feed.wait(self.bound, ev="up", id=i)["t"])
        self.r["up_s"] = last - t0
        self.rest()
        self.idle = self.d.cost()
        self.r["idle_MB"] = self.idle[1] / 1e6

    def rest(self):
        """Until it does nothing any more, or never rests: 10 s."""
        def look():
            cpu, rss, _ = self.d.cost()
            return cpu, rss >> 20
        rest(look, 10)

    def timed(self, name, act, ev, watch=None):
        """Do act, wait for the event: seconds and CPU seconds into r."""
        cost0, gen0 = self.d.cost(), self.feed.ask("stat")
        self.feed.ask("phase")
        if watch:
            self.feed.say(*watch)
        t0 = act()
        t1 = self.feed.wait(self.bound, **ev)["t"]
        gen1, cost1 = self.feed.ask("stat"), self.d.cost()
        self.r[name + "_s"] = t1 - t0
        self.r[name + "_cpu_s"] = cost1[0] - cost0[0]
        busy = (gen1["cpu"] - gen0["cpu"]) / max(gen1["t"] - gen0["t"], 1e-9)
        self.r[name + "_generator_busy"] = busy
        return t1 - t0

    def send(self, *ids):
        ts = []
        for i in ids:
            self.feed.say("send", i)
        for i in ids:
            ts.append(self.feed.wait(self.bound, ev="send", id=i)["t"])
        return min(ts)

    def memory(self, routes=0):
        """Once it has come to rest: resident octets, and each route's."""
        self.rest()
        cost = self.d.cost()
        self.r["peak_MB"] = cost[2] / 1e6
        self.r["MB"] = cost[1] / 1e6
        if routes:
            self.r["octets_a_route"] = (cost[1] - self.idle[1]) / routes


def pair(hold=90, senders=1):
    """Senders 0..n-1, and one receiver behind them."""
    peers = [Peer("10.99.1.%d" % (i + 1), 16001 + i, hold=hold)
             for i in range(senders)]
    return peers + [Peer("10.99.2.1", 17000, export=True, hold=hold)]


# ---- scenarios -------------------------------------------------------------

def transit(env, kind, n, sets, then=(), series=False):
    with Scene(env, kind, pair(), count=(1,)) as s:
        s.feed.say("table", 0, BASE, n, sets, 0)
        s.start()
        s.timed("time", lambda: s.send(0), {"ev": "reached", "id": 1},
                ("fresh", 1, n))
        s.memory(n)
        if series:
            env.series[kind] = s.feed.ask("series", 1)["points"]
        for fn in then:
            fn(s, n, sets)
        return s.r


def s1(env, kind):
    """transit: 1,000,000 prefixes in 200,000 sets from one to another"""
    return transit(env, kind, env.n(1000000), env.n(200000), series=True)


def peer_goes(s, n, _sets):
    s.timed("time", lambda: s.feed.ask("close", 0, ev="closed")["t"],
            {"ev": "reached", "id": 1}, ("have", 1, 0))


def s5a(env, kind):
    """the only sender of s1 goes, until the receiver is empty"""
    return transit(env, kind, env.n(1000000), env.n(200000), [peer_goes])


def churn(s, n, sets):
    s.feed.say("table", 0, BASE, n // 5, sets // 5, 77)
    s.feed.ready()
    s.timed("time", lambda: s.send(0), {"ev": "reached", "id": 1},
            ("fresh", 1, n // 5))


def s6(env, kind):
    """200,000 re-announcements with other paths, in the state of s1"""
    return transit(env, kind, env.n(1000000), env.n(200000), [churn])


def real_table(env):
    """Messages of a real table for partner 16001, as (file, prefixes)."""
    import mrt
    name = "ris.bview.20020722.2337.gz"
    path = mrt.data_file(name)
    if path is None:
        raise LabError("%s is not there: name its folder in ANA_DATA" % name)
    sets = mrt.full_table(path, 1853)
    from policy import refusal
    from speaker import as_path, attribute, parse_as_path, parse_attributes
    good = {}
    for key, prefixes in sets.items():
        attrs = parse_attributes(key)
        way = parse_as_path(next(v for k, _, v in attrs if k == 2))
        way = [16001] + way[1:]
        keep = [p for p in prefixes if refusal(
            p, way, 16001, 20000, {4: 24, 6: 48}) is None]
        if keep:
            good.setdefault(b"".join(attribute(
                k, f, as_path(way) if k == 2 else v)
                for k, f, v in attrs), []).extend(keep)
    out = env.path("table.bin")
    n = 0
    with open(out, "wb") as f:
        for m in mrt.packed(good, "10.99.1.1"):
            f.write(m)
    n = sum(map(len, good.values()))
    return out, n


def s1r(env, kind):
    """transit of a real table of 2002"""
    if env.real is None:
        env.real = real_table(env)
    path, n = env.real
    with Scene(env, kind, pair(), count=(1,)) as s:
        s.feed.say("load", 0, path)
        s.start()
        s.timed("time", lambda: s.send(0), {"ev": "reached", "id": 1},
                ("fresh", 1, n))
        s.memory(n)
        return s.r


def s2(env, kind, then=None):
    """two senders with the same prefixes, other attributes"""
    n, sets = env.n(1000000), env.n(200000)
    with Scene(env, kind, pair(senders=2), count=(2,)) as s:
        # The path lengths differ by one, so that either is better at times.
        s.feed.say("table", 0, BASE, n, sets, 0)
        s.feed.say("table", 1, BASE, n, sets, 2)
        s.start()

        def both():
            return s.send(0, 1)
        s.timed("time", both, {"ev": "reached", "id": 2}, ("fresh", 2, n))
        # All was heard when it has come to rest.
        rest(lambda: (s.feed.ask("count", 2)["routes"],
                      round(s.d.cost()[0], 1)), s.bound, 0.2, 4)
        s.memory(n)
        if then:
            then(s, n)
        return s.r


def s5b(env, kind):
    """one of s2's two senders goes, until the receiver has the other's"""
    def goes(s, n):
        # What the receiver hears when the first goes is what was its best.
        s.timed("time", lambda: s.feed.ask("close", 0, ev="closed")["t"],
                {"ev": "reached", "id": 2}, ("fresh", 2, n // 2))
    return s2(env, kind, goes)


def partners(env, kind, n, per=250, bad=10):
    peers = []
    for i in range(n):
        first = i * (per + bad)
        peers.append(Peer("10.99.%d.%d" % (3 + i // 200, 1 + i % 200),
                          16001 + i, prefixes=[
            prefix(first + k) for k in range(per)]))
    peers.append(Peer("10.99.2.1", 17000, export=True))
    with Scene(env, kind, peers, count=(n,)) as s:
        for i in range(n):
            s.feed.say("table", i, BASE + (i * (per + bad) << 8), per + bad,
                       50, i)
        s.start()
        s.timed("time", lambda: s.send(*range(n)),
                {"ev": "reached", "id": n}, ("fresh", n, n * per))
        s.memory(n * per)
        got = s.feed.ask("count", n)["have"]
        if got != n * per:
            raise LabError("%s: %d routes instead of %d" % (kind, got,
                                                            n * per))
        return s.r


def prefix(i):
    a = BASE + (i << 8)
    return "%d.%d.%d.0/24" % (a >> 24, a >> 16 & 255, a >> 8 & 255)


def s3(env, kind):
    """100 partners x 250 prefixes with an exact list each, 10 refused each"""
    return partners(env, kind, 100)


def s3b(env, kind):
    """500 partners, likewise"""
    if DAEMONS[kind].many < 500:
        raise LabError("not measured: minutes")
    return partners(env, kind, 500)


def fib_count(ns):
    with ns.entered():
        with open("/proc/thread-self/net/fib_triestat") as f:
            return max([int(x.split()[1]) for x in f if "Prefixes:" in x] or
                       [0])


def in_kernel(sock, addr):
    """Whether the kernel has a route to an address (RTM_GETROUTE, which takes
    no lock); the lab's namespaces have no default route."""
    dst = struct.pack("=HHI", 8, 1, socket.htonl(addr))
    rtm = struct.pack("=BBBBBBBBI", socket.AF_INET, 32, 0, 0, 0, 0, 0, 0, 0)
    sock.send(struct.pack("=IHHII", 16 + len(rtm) + len(dst), 26, 1, 0, 0) +
              rtm + dst)
    return struct.unpack_from("=H", sock.recv(4096), 4)[0] == 24


def s4(env, kind, n=250000):
    """250,000 routes into the kernel"""
    if not DAEMONS[kind].kernel:
        raise LabError("does not write the kernel's table here")
    n = env.n(n)
    with Scene(env, kind, pair()[:1], kernel=True) as s:
        s.feed.say("table", 0, BASE, n, n // 5, 0)
        s.start()
        base, cost0 = fib_count(s.ns), s.d.cost()
        t0 = s.send(0)
        s.until_in_kernel(n, base, t0)
        s.r["time_cpu_s"] = s.d.cost()[0] - cost0[0]
        s.memory(n)
        return s.r


def s4m(env, kind):
    """1,000,000 routes into the kernel"""
    return s4(env, kind, 1000000)


def s7(env, kind):
    """footprint: two sessions, 250 routes, idle"""
    with Scene(env, kind, pair(), count=(1,)) as s:
        s.feed.say("table", 0, BASE, 250, 50, 0)
        s.start()
        s.timed("time", lambda: s.send(0), {"ev": "reached", "id": 1},
                ("fresh", 1, 250))
        s.memory()
        s.r["shared_once_MB"] = proportional(s.d.pids()) / 1e6
        s.r["stripped_kB"] = stripped(env, kind)
        return s.r


def proportional(pids):
    """Octets, a page that n processes share counted as one nth in each."""
    total = 0
    for pid in pids:
        with open("/proc/%s/smaps_rollup" % pid) as f:
            total += sum(int(x.split()[1]) for x in f if x.startswith("Pss:"))
    return total * 1024


def stripped(env, kind):
    total = 0
    for path in DAEMONS[kind].sizes():
        out = env.path("stripped")
        run("strip", "-o", out, path)
        total += os.path.getsize(out)
    return total / 1000


def s8(env, kind):
    """100 sessions with a hold time of 9 s while s1 runs"""
    n, sets = env.n(1000000), env.n(200000)
    peers = pair() + [Peer("10.99.3.%d" % (i + 1), 16101 + i, hold=9)
                      for i in range(100)]
    with Scene(env, kind, peers, count=(1,)) as s:
        s.feed.say("table", 0, BASE, n, sets, 0)
        s.start()
        s.timed("time", lambda: s.send(0), {"ev": "reached", "id": 1},
                ("fresh", 1, n))
        st = s.feed.heard(9)    # the hold time: who is not heard is lost
        s.r["lost"], s.r["worst_gap_s"] = st["lost"], st["gap"]
        s.memory(n)
        return s.r


def s9(env, kind):
    """lists: 100 partners with 1,000 entries, and one of 300,000"""
    peers = [Peer("10.99.3.%d" % (i + 1), 16001 + i,
                  prefixes=[prefix(i * 1000 + k) for k in range(1000)])
             for i in range(100)]
    peers.append(Peer("10.99.2.1", 17000,
                      prefixes=[prefix(k) for k in range(300000)]))
    if kind in ("gobgp", "frr"):
        raise LabError("not measured: minutes")
    with Scene(env, kind, peers) as s:
        s.start()
        argv = s.d.checking()
        t = time.monotonic()
        s.ns.run(*argv, timeout=s.bound, check=False)
        s.r["check_s"] = time.monotonic() - t
        s.memory()
        s.r["MB_before"] = s.r["MB"]
        cost = s.d.cost()
        t = time.monotonic()
        s.ns.run("sh", "-c", "mount -t tmpfs tmpfs /run 2>/dev/null; exec "
                 '"$@"', "sh", *s.d.command(), timeout=s.bound)
        s.r["time_s"] = time.monotonic() - t
        s.rest()
        s.r["time_cpu_s"] = s.d.cost()[0] - cost[0]
        s.memory()
        return s.r


def s10(env, kind):
    """growth: CPU a route, 10,000 to 2,000,000 routes, 1 to 500 partners"""
    r = {}
    # Of one that does not come so far, what it did is shown.
    with contextlib.suppress(Slow):
        for n in map(env.n, (10000, 100000, 1000000, 2000000)):
            one = transit(env, kind, n, n // 5)
            r["%dk_us_a_route" % (n // 1000)] = 1e6 * one["time_cpu_s"] / n
            r["%dk_octets" % (n // 1000)] = one["octets_a_route"]
    for n in (10, 100, 500):
        if n <= DAEMONS[kind].many:
            one = partners(env, kind, n)
            r["%d_partners_us_a_route" % n] = (
                1e6 * one["time_cpu_s"] / n / 260)
    return r


def s11(env, kind):
    """latency of one changed route, idle and while a table loads"""
    n, sets = env.n(1000000), env.n(200000)
    peers = pair(senders=2)
    with Scene(env, kind, peers, count=(2,)) as s:
        s.feed.say("table", 0, BASE, n, sets, 0)
        s.start()
        s.feed.say("probe", 1, 2, 199 << 24, 500, 0.002)
        probed(s, "idle")
        s.feed.ask("phase")
        s.feed.say("fresh", 2, n)
        s.feed.say("probe", 1, 2, 199 << 24, 100000, 0.001)
        t0 = s.send(0)
        s.r["time_s"] = s.feed.wait(s.bound, ev="reached", id=2)["t"] - t0
        s.feed.say("unprobe")
        probed(s, "load")
        return s.r


def probed(s, when):
    v = sorted(s.feed.wait(s.bound, ev="probed")["ms"]) or [1e4]
    s.r[when + "_median_ms"] = statistics.median(v)
    s.r[when + "_p99_ms"] = v[min(len(v) - 1, int(len(v) * 0.99))]
    s.r[when + "_probes"] = len(v)


def s11k(env, kind):
    """latency of one new route into the kernel, idle and while a table loads"""
    if not DAEMONS[kind].kernel:
        raise LabError("does not write the kernel's table here")
    n = env.n(1000000)
    with Scene(env, kind, pair(senders=2)[:2], kernel=True) as s:
        s.feed.say("table", 0, BASE, n, n // 5, 0)
        s.start()
        s.feed.say("kernel", s.ns.full)
        s.feed.say("probe", 1, -2, 199 << 24, 500, 0.002)
        probed(s, "idle")
        base = fib_count(s.ns)
        s.feed.say("probe", 1, -2, 200 << 24, 100000, 0.001)
        t0 = s.send(0)
        s.until_in_kernel(n, base, t0)
        s.feed.say("unprobe")
        probed(s, "load")
        return s.r


SCENARIOS = {f.__name__: f for f in (s1, s1r, s2, s3, s3b, s4, s4m, s5a, s5b,
                                     s6, s7, s8, s9, s10, s11, s11k)}
QUICK = ["s1", "s1r", "s3", "s4", "s5a", "s7"]


# ---- rounds, tables --------------------------------------------------------

class Env:
    def __init__(self, args, work):
        self.bound, self.scale, self.work = args.time, args.scale, work
        self.feed = self.path("feed")
        self.real, self.series = None, {}
        run("gcc", "-O2", "-D_GNU_SOURCE", "-o", self.feed,
            str(HERE / "feed.c"))

    def path(self, name):
        return os.path.join(self.work, name)

    def n(self, n):
        return max(50, int(n * self.scale))


def median(rounds):
    keys = [k for k in rounds[0] if all(k in r for r in rounds)]
    return {k: statistics.median(r[k] for r in rounds) for k in keys}


def measure(env, name, kinds, rounds):
    """{daemon: medians}; a daemon that failed has {"error": why}."""
    got, failed = {k: [] for k in kinds}, {}
    for _ in range(rounds):
        for kind in kinds:
            if kind in failed:
                continue
            try:
                got[kind].append(SCENARIOS[name](env, kind))
            except (LabError, Slow, AssertionError,
                    subprocess.SubprocessError) as e:
                failed[kind] = " ".join(str(e).split())[:200]
    out = {}
    for kind in kinds:
        if got[kind]:
            out[kind] = dict(median(got[kind]), rounds=len(got[kind]))
        else:
            out[kind] = {"error": failed[kind]}
    return out


def ratio(result, key):
    """Ours over the best of the others, or None."""
    best = [r[key] for k, r in result.items() if k != "ana" and
            r.get(key, 0) > 0]
    own = result.get("ana", {}).get(key)
    return own / min(best) if best and own is not None else None


def number(v):
    if v is None:
        return "-"
    if abs(v) >= 100:
        return "%.0f" % v
    return "%.3g" % v


HIDDEN = ("generator_busy", "rounds", "error")


def table(name, result):
    keys = []
    for r in result.values():
        keys += [k for k in r if k not in keys and
                 not k.endswith(HIDDEN)]
    kinds = list(result)
    lines = ["%s: %s" % (name, SCENARIOS[name].__doc__.splitlines()[0]),
             "  %-24s" % "" + "".join("%11s" % k for k in kinds) +
             "%13s" % "ana/best"]
    for k in keys:
        lines.append("  %-24s" % k + "".join(
            "%11s" % number(result[d].get(k)) for d in kinds) +
            "%13s" % number(ratio(result, k)))
    for d in kinds:
        if "error" in result[d]:
            lines.append("  %s: %s" % (d, result[d]["error"]))
        busy = [v for k, v in result[d].items()
                if k.endswith("generator_busy") and v > 0.9]
        if busy:
            lines.append("  %s: the generator was busy for %d %% of the time: "
                         "it may have been the bottleneck" % (
                             d, 100 * max(busy)))
    return "\n".join(lines)


NAMES = {"ana": "ana-bgpd", "bird": "BIRD", "frr": "FRR",
         "openbgpd": "OpenBGPD", "gobgp": "GoBGP"}
# The rows of the table in doc/benchmarks.md.
ROWS = (
    [(s, key, what) for s in ("s1", "s1r", "s2", "s3", "s3b", "s4", "s4m",
                              "s5a", "s5b", "s6", "s8")
     for key, what in (("time_s", "s"), ("time_cpu_s", "CPU s"))] +
    [(s, "octets_a_route", "octets a route") for s in ("s1", "s2", "s4m")] +
    [(s, "MB", "MB") for s in ("s1r", "s3", "s3b", "s7", "s9")] +
    [("s3", "up_s", "s until all sessions are up"),
     ("s3b", "up_s", "s until all sessions are up"),
     ("s7", "stripped_kB", "kB of programs"),
     ("s8", "lost", "sessions lost"), ("s8", "worst_gap_s", "longest gap, s"),
     ("s9", "check_s", "s to check"), ("s9", "time_s", "s to reload"),
     ("s9", "time_cpu_s", "CPU s to reload")] +
    [("s10", "%s_us_a_route" % n, "CPU us a route, " + n.replace("_", " "))
     for n in ("10k", "100k", "1000k", "2000k", "10_partners",
               "100_partners", "500_partners")] +
    [(s, "%s_%s_ms" % (when, v), "ms %s, %s" % (when, v))
     for s in ("s11", "s11k") for when in ("idle", "load")
     for v in ("median", "p99")])


def document(results, kinds):
    """The table of doc/benchmarks.md, of what was measured."""
    lines = ["| | %s | to the best |" % " | ".join(NAMES[k] for k in kinds),
             "|" + "---|" * (len(kinds) + 2)]
    for name, key, what in sorted(
            ROWS, key=lambda row: list(SCENARIOS).index(row[0])):
        r = results.get(name, {})
        if any(key in v for v in r.values()):
            best = ratio(r, key)
            lines.append("| %s: %s | %s | %s |" % (
                name, what, " | ".join(
                    number(r[k][key]) if key in r[k] else "" for k in kinds),
                "" if best is None else "%.2f" % best))
    return "\n".join(lines) + "\n"


def machine():
    cpu = ""
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                cpu = line.split(":", 1)[1].strip()
                break
    with open("/proc/meminfo") as f:
        mem = int(f.readline().split()[1]) // 1024
    return {"cpu": cpu, "cores": os.cpu_count(), "memory_MB": mem,
            "kernel": os.uname().release, "load": os.getloadavg()[0]}


def main():
    p = argparse.ArgumentParser(prog="./dev bench")
    p.add_argument("scenario", nargs="*", metavar="SCENARIO",
                   help=", ".join(SCENARIOS) + ", all")
    p.add_argument("-r", "--rounds", type=int, default=3)
    p.add_argument("-d", "--daemons", default=",".join(DAEMONS))
    p.add_argument("-t", "--time", type=float, default=60,
                   help="bound of each wait, in seconds")
    p.add_argument("-s", "--scale", type=float, default=1.0,
                   help="of the numbers of routes")
    p.add_argument("-o", "--out", default="build/bench")
    args = p.parse_args()
    names = args.scenario or QUICK
    if names == ["all"]:
        names = list(SCENARIOS)
    kinds = args.daemons.split(",")
    for what, known in ((names, SCENARIOS), (kinds, DAEMONS)):
        for n in what:
            if n not in known:
                p.error("no %s; there are: %s" % (n, ", ".join(known)))
    kinds = [k for k in kinds if DAEMONS[k].installed()]
    os.makedirs(args.out, exist_ok=True)
    everything = {"machine": machine(), "scale": args.scale, "results": {}}
    print("%(cpu)s, %(cores)d cores, %(memory_MB)d MB, Linux %(kernel)s, "
          "load %(load).1f" % everything["machine"], flush=True)
    with tempfile.TemporaryDirectory(prefix="anabench-") as work:
        os.chmod(work, 0o755)
        env = Env(args, work)
        for name in names:
            result = measure(env, name, kinds, args.rounds)
            everything["results"][name] = result
            print(table(name, result), flush=True)
            with open(os.path.join(args.out, "results.json"), "w") as f:
                json.dump(everything, f, indent=1)
                f.write("\n")
            with open(os.path.join(args.out, "results.md"), "w") as f:
                f.write(document(everything["results"], kinds))
            if name == "s1" and env.series:
                plot.lines(os.path.join(args.out, "s1.png"), env.series)
    return 0


if __name__ == "__main__":
    sys.exit(main())
