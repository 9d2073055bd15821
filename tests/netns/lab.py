"""Network namespaces with routers in them, for tests and for the demo.

    with Lab() as lab:
        a, b = lab.ns("a"), lab.ns("b")
        lab.link(a, b, v4="192.0.2.0/30", v6="2001:db8:1::/64")
        ...

Everything that a Lab makes (namespaces, links, processes, one temporary
folder) is gone when it is closed, also after an exception, Ctrl-C or SIGTERM.
The names of the namespaces carry the process id, so that several labs live
side by side and what a killed lab left behind can be told from a living one.

Only the standard library is used.  Routers (BIRD, FRR, OpenBGPD, GoBGP,
ExaBGP, ours) have one interface and are in routers.py.
"""

import contextlib
import ctypes
import ipaddress
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

PREFIX = "ana"
CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


class LabError(Exception):
    """Something that the lab needs did not work; the text says what."""


def run(*argv, check=True, input=None, timeout=60):
    """Run a command, return its standard output as text."""
    p = subprocess.run(argv, input=input, text=True, timeout=timeout,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if check and p.returncode != 0:
        raise LabError("%s: exit %d: %s" % (" ".join(argv), p.returncode,
                                            (p.stderr or p.stdout).strip()))
    return p.stdout


def wait_until(fn, deadline=30, step=0.05, what=None):
    """Call fn until it returns something true; return that.

    Errors of a router that does not answer yet count as "not yet".  What was
    seen last is in the message of the AssertionError that ends the waiting.
    """
    end = time.monotonic() + deadline
    while True:
        try:
            last = fn()
            if last:
                return last
        except (LabError, OSError, ValueError, KeyError,
                subprocess.SubprocessError) as e:
            last = e
        if time.monotonic() >= end:
            raise AssertionError("not within %g s: %s (last seen: %r)" % (
                deadline, what or getattr(fn, "__name__", fn), last))
        time.sleep(step)
        step = min(step * 1.3, 0.5)


def differences(got, want):
    """Lines that say where two tables {key: value} differ."""
    lines = []
    for k in sorted(set(got) | set(want), key=str):
        if k not in got:
            lines.append("missing %s: %s" % (k, want[k]))
        elif k not in want:
            lines.append("too much %s: %s" % (k, got[k]))
        elif got[k] != want[k]:
            if isinstance(got[k], dict) and isinstance(want[k], dict):
                lines.append("%s: %s" % (k, "; ".join(
                    "%s is %r, should be %r" % (f, got[k].get(f),
                                                want[k].get(f))
                    for f in sorted(set(got[k]) | set(want[k]))
                    if got[k].get(f) != want[k].get(f))))
            else:
                lines.append("%s: is %r, should be %r" % (k, got[k], want[k]))
    return lines


def wait_equal(fn, want, deadline=30, what="tables"):
    """Poll until fn() == want; else fail with the differences."""
    seen = {}

    def equal():
        seen["got"] = fn()
        return seen["got"] == want

    try:
        wait_until(equal, deadline, what=what)
    except AssertionError as e:
        if "got" not in seen:
            raise
        diff = differences(seen["got"], want)
        if not diff:
            raise
        text = "\n  ".join(diff[:20])
        if len(diff) > 20:
            text += "\n  ... %d differences" % len(diff)
        raise AssertionError("%s differ after %g s:\n  %s" % (
            what, deadline, text)) from e


class Ns:
    """One network namespace."""

    def __init__(self, lab, name):
        self.lab, self.name = lab, name
        self.full = "%s%s-%s" % (PREFIX, lab.id, name)
        run("ip", "netns", "add", self.full)
        self.ip("link", "set", "lo", "up")

    def ip(self, *argv, **kw):
        return run("ip", "-n", self.full, *argv, **kw)

    def run(self, *argv, **kw):
        return run("ip", "netns", "exec", self.full, *argv, **kw)

    def routes(self, proto=None, family=None):
        """The kernel's table: {prefix: sorted list of (gateway, device)}."""
        table = {}
        for fam in ([family] if family else ["-4", "-6"]):
            argv = ["-j", fam, "route", "show"]
            if proto is not None:
                argv += ["proto", str(proto)]
            text = run("ip", "-n", self.full, *argv)
            for r in json.loads(text or "[]"):
                dst = r["dst"]
                if dst == "default":
                    dst = "0.0.0.0/0" if fam == "-4" else "::/0"
                elif "/" not in dst:
                    dst += "/32" if fam == "-4" else "/128"
                hops = r.get("nexthops", [r])
                table.setdefault(dst, []).extend(
                    (h.get("gateway") or h.get("via", {}).get("host"),
                     h.get("dev")) for h in hops)
        return {p: sorted(h, key=str) for p, h in table.items()}

    @contextlib.contextmanager
    def entered(self):
        """The calling thread is inside the namespace (to make sockets)."""
        with open("/proc/thread-self/ns/net") as old, \
                open("/run/netns/" + self.full) as new:
            if _libc.setns(new.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns " + self.full)
            try:
                yield
            finally:
                _libc.setns(old.fileno(), CLONE_NEWNET)

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_STREAM):
        with self.entered():
            return socket.socket(family, kind)

    def spawn(self, name, argv, **kw):
        """Start a process in the namespace; its output goes to a log."""
        return self.lab.spawn(name, ["ip", "netns", "exec", self.full] + argv,
                              **kw)


class Process:
    """A process of the lab: ended with the lab, its output in a file."""

    def __init__(self, lab, name, argv, env=None, cwd=None):
        self.name = name
        self.log = os.path.join(lab.dir, "%s.log" % name)
        with open(self.log, "ab") as out:
            self.p = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env=dict(os.environ, **(env or {})), cwd=cwd or lab.dir,
                start_new_session=True)

    @property
    def pid(self):
        return self.p.pid

    def running(self):
        return self.p.poll() is None

    def signal(self, sig):
        if self.running():
            self.p.send_signal(sig)

    def end(self, patience=5):
        """SIGTERM, then SIGKILL; a stopped process is woken first."""
        if self.running():
            self.p.send_signal(signal.SIGTERM)
            self.p.send_signal(signal.SIGCONT)
            try:
                self.p.wait(patience)
            except subprocess.TimeoutExpired:
                self.p.kill()
        return self.p.wait()

    def kill(self):
        if self.running():
            self.p.kill()
        self.p.wait()

    def tail(self, lines=30):
        with open(self.log, errors="replace") as f:
            return "".join(f.readlines()[-lines:])


class Lab:
    _count = itertools.count()

    def __init__(self, lab_id=None):
        if os.geteuid() != 0:
            raise LabError("the lab needs root: it makes network namespaces")
        # "123", then "123.1" for a second lab of the same process.
        n = next(self._count)
        self.id = lab_id or "%d%s" % (os.getpid(), ".%d" % n if n else "")
        self.dir = None
        self.spaces, self.processes, self.closers = {}, [], []
        self.sanitized = []     # processes whose logs a test looks through
        self._handlers = {}

    def __enter__(self):
        remove_dead_labs()
        self.dir = tempfile.mkdtemp(prefix="%s%s-" % (PREFIX, self.id))
        os.chmod(self.dir, 0o755)
        with contextlib.suppress(ValueError):   # not the main thread
            for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                self._handlers[s] = signal.signal(s, interrupted)
        return self

    def __exit__(self, *exc):
        # A second Ctrl-C must not leave half a lab behind.
        held = {}
        with contextlib.suppress(ValueError):
            for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                held[s] = signal.signal(s, signal.SIG_IGN)
        try:
            self.close()
        finally:
            for s, h in held.items():
                signal.signal(s, self._handlers.get(s, h))
        return False

    def ns(self, name):
        if name not in self.spaces:
            self.spaces[name] = Ns(self, name)
        return self.spaces[name]

    def spawn(self, name, argv, **kw):
        p = Process(self, name, argv, **kw)
        self.processes.append(p)
        return p

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".new", "w") as f:
            f.write(text)
        os.chmod(path + ".new", mode)
        os.rename(path + ".new", path)
        return path

    def link(self, a, b, v4=None, v6=None, name=None):
        """A veth pair; the first host address is a's, the second b's.

        Returns (device in a, device in b).
        """
        dev_a, dev_b = name or "to-" + b.name, name or "to-" + a.name
        run("ip", "link", "add", dev_a, "netns", a.full, "type", "veth",
            "peer", "name", dev_b, "netns", b.full)
        for net in filter(None, (v4, v6)):
            net = ipaddress.ip_network(net)
            # The all-zeros address of an IPv6 subnet is the routers' anycast.
            hosts = [str(net[1]), str(net[2])]
            for ns, dev, host in ((a, dev_a, hosts[0]), (b, dev_b, hosts[1])):
                ns.ip("addr", "add", "%s/%d" % (host, net.prefixlen), "dev",
                      dev, *(["nodad"] if net.version == 6 else []))
        for ns, dev in ((a, dev_a), (b, dev_b)):
            # Addresses are there at once, and stay when a link goes down.
            for key in ("accept_dad=0", "keep_addr_on_down=1"):
                ns.run("sysctl", "-qw", "net.ipv6.conf.%s.%s" % (dev, key))
            ns.ip("link", "set", dev, "up")
        return dev_a, dev_b

    def close(self):
        for fn in reversed(self.closers):
            with contextlib.suppress(Exception):
                fn()
        for p in reversed(self.processes):
            p.signal(signal.SIGTERM)
            p.signal(signal.SIGCONT)
        for p in reversed(self.processes):
            with contextlib.suppress(Exception):
                p.end(patience=3)
        for ns in self.spaces.values():
            remove_ns(ns.full)
        if self.dir:
            shutil.rmtree(self.dir, ignore_errors=True)
        self.spaces, self.processes, self.closers = {}, [], []

    def detach(self):
        """Leave everything where it is: closing this Lab does nothing."""
        self.spaces, self.processes, self.closers = {}, [], []
        self.dir = None

    def logs(self):
        """The ends of all logs, for the report of a failed test."""
        return "\n".join("==== %s (pid %d)\n%s" % (p.name, p.pid, p.tail())
                         for p in self.processes if p.tail().strip())


def interrupted(sig, _frame):
    raise KeyboardInterrupt(signal.Signals(sig).name)


def remove_ns(full):
    """End what still runs inside a namespace of ours and remove it."""
    for sig in (signal.SIGTERM, signal.SIGKILL):
        end = time.monotonic() + 2
        while True:
            pids = run("ip", "netns", "pids", full, check=False).split()
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), sig)
            if not pids or time.monotonic() > end:
                break
            time.sleep(0.02)
    run("ip", "netns", "del", full, check=False)


def remove_dead_labs():
    """Remove what labs left behind whose process was killed."""
    for line in run("ip", "netns", "list").splitlines():
        name = line.split()[0] if line.split() else ""
        number = name[len(PREFIX):].split("-")[0].split(".")[0]
        if name.startswith(PREFIX) and "-" in name and number.isdigit() \
                and not os.path.exists("/proc/" + number):
            remove_ns(name)
