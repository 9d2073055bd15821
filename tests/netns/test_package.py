"""The Debian packages in a clean system with systemd of its own.

    ./dev package && ANA_PACKAGE=1 ./dev test lab -k package

A Debian 12 made by debootstrap, with BIRD, FRR and OpenBGPD in it, is booted
by systemd-nspawn in a network namespace of the lab.  It is made once, in
build/package-root, which takes minutes; each run works on a layer above it.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess

import pytest

from ana import TOP
from lab import LabError, run, wait_until
from routers import Bird, Route
from speaker import Speaker, end_of_rib

pytestmark = pytest.mark.skipif(
    not os.environ.get("ANA_PACKAGE"), reason="ANA_PACKAGE is not set")

BASE, DEBS = TOP / "build/package-root", TOP / "build/package"
INSIDE = ["systemd", "systemd-sysv", "dbus", "iproute2", "procps"]
BESIDE = ["bird2", "frr", "openbgpd", "prometheus-node-exporter"]
MIRROR = "http://deb.debian.org/debian"
US, BIRD_AS, OTHER_AS = 52580, 719, 3292
ROUTES = [Route("62.142.0.0/16"), Route("46.182.112.0/21")]
OTHERS = [Route("2.104.0.0/16")]
CONF = """syntax 1;
global {
	as 52580;
	router-id 192.0.2.1;
	connect-retry 1s;
	shutdown-reason "box 7 goes down";
}
fib { on-stop keep 180s; }
prefix-set all { 0.0.0.0/0 8 24; }
policy all { rule all { accept; } }
neighbor 192.0.2.2 {
	remote-as 719; description "bird"; irr prefix-set all;
	import policy all; export none;
	graceful-restart { restart-time 120s; }
}
neighbor 192.0.2.6 {
	remote-as 3292; description "raw"; irr prefix-set all; passive yes;
	import policy all; export none;
}
"""


def make_base(deb):
    """Debian, the daemons to stand beside, and what our package needs."""
    needs = sorted(re.findall(r"(?:^|, )(lib[^ ,]+)", run(
        "dpkg-deb", "-f", str(deb), "Depends")))
    done = BASE / ".done"
    if done.exists() and done.read_text().split() == needs:
        return
    if not done.exists():
        subprocess.run(["rm", "-rf", "--one-file-system", str(BASE)],
                       check=True)
        run("debootstrap", "--variant=minbase",
            "--include=" + ",".join(INSIDE), "bookworm", str(BASE), MIRROR,
            timeout=1800)
    rc = BASE / "usr/sbin/policy-rc.d"
    rc.write_text("#!/bin/sh\nexit 101\n")
    rc.chmod(0o755)
    run("chroot", str(BASE), "env", "DEBIAN_FRONTEND=noninteractive",
        "apt-get", "-q", "-y", "install", "--no-install-recommends",
        *BESIDE, *needs, timeout=1800)
    run("chroot", str(BASE), "systemctl", "disable", "bird", "frr",
        "openbgpd", "prometheus-node-exporter")
    rc.unlink()
    done.write_text(" ".join(needs))


class Machine:
    """The booted system."""

    def __init__(self, lab, ns):
        self.lab, self.ns = lab, ns
        self.root = lab.path("root")
        for d in ("root", "upper", "work"):
            os.makedirs(lab.path(d))
        run("mount", "-t", "overlay", "overlay", "-o",
            "lowerdir=%s,upperdir=%s,workdir=%s" % (
                BASE, lab.path("upper"), lab.path("work")), self.root)
        lab.closers.append(lambda: run("umount", "-l", self.root))

    def boot(self):
        self.nspawn = self.lab.spawn("nspawn", [
            "systemd-nspawn", "-D", self.root, "--register=no", "--keep-unit",
            "--machine=ana%d" % os.getpid(), "--link-journal=no",
            "--network-namespace-path=/run/netns/" + self.ns.full,
            "--capability=CAP_NET_ADMIN", "--system-call-filter="
            "landlock_create_ruleset landlock_add_rule landlock_restrict_self",
            "--kill-signal=SIGRTMIN+4", "--console=passive", "-b"])
        self.pid = wait_until(self._init, what="the machine's init")
        wait_until(lambda: self("systemctl", "is-system-running",
                                check=False).strip() in
                   ("running", "degraded"), 120, what="booted")

    def _init(self):
        with open("/proc/%d/task/%d/children" % ((self.nspawn.pid,) * 2)) as f:
            pids = f.read().split()
        return pids and open("/proc/%s/comm" % pids[0]).read().strip() == \
            "systemd" and int(pids[0])

    def __call__(self, *argv, check=True, timeout=120):
        return run("nsenter", "-t", str(self.pid), "-a", "--wd=/", *argv,
                   check=check, timeout=timeout)

    def write(self, path, text):
        run("nsenter", "-t", str(self.pid), "-a", "--wd=/", "tee", path,
            input=text)

    def show(self, unit, what):
        return self("systemctl", "show", "-P", what, unit).strip()

    def main_pid(self, unit):
        """As the host counts; None while it does not run."""
        pid = self.show(unit, "MainPID")
        return pid if pid != "0" else None

    def ctl(self, *words):
        return json.loads(self("ana-bgpctl", "-j", *words))

    def install(self, deb):
        shutil.copy(deb, self.root + "/tmp.deb")
        return self("dpkg", "-i", "/tmp.deb", timeout=300)

    def off(self, how="poweroff"):
        with contextlib.suppress(LabError):
            self("systemctl", how)


def newer(lab, deb):
    """The same package under a higher version."""
    d = lab.path("newer")
    run("dpkg-deb", "-R", str(deb), d)
    with open(d + "/DEBIAN/control") as f:
        text = f.read()
    with open(d + "/DEBIAN/control", "w") as f:
        f.write(text.replace("\nVersion: ", "\nVersion: 9:"))
    run("dpkg-deb", "--root-owner-group", "-b", d, lab.path("newer.deb"))
    return lab.path("newer.deb")


class Scene:
    def __init__(self, lab):
        self.lab = lab
        self.a, b, c = lab.ns("ana"), lab.ns("bird"), lab.ns("raw")
        lab.link(self.a, b, v4="192.0.2.0/30")
        lab.link(self.a, c, v4="192.0.2.4/30")
        self.c = c
        self.bird = Bird(lab, b, BIRD_AS, "192.0.2.2")
        self.bird.neighbor("192.0.2.1", US, "192.0.2.2", restart=120)
        self.deb = sorted(DEBS.glob("ana-bgpd_*.deb"))[-1]
        self.m = Machine(lab, self.a)

    def connect(self):
        self.raw = Speaker(self.c, "192.0.2.6", "192.0.2.5", OTHER_AS)
        self.raw.announce(*OTHERS)
        self.raw.send(end_of_rib("inet"))

    def kernel(self):
        return set(self.a.routes(proto=179, family="-4"))

    def settle(self, raw=True):
        want = {r.prefix for r in ROUTES + (OTHERS if raw else [])}
        wait_until(lambda: self.kernel() == want, 60, what="the routes")

    def watch(self):
        """Everything that happens to our routes from now on."""
        p = self.a.spawn("monitor%d" % len(self.lab.processes),
                         ["ip", "-4", "-t", "monitor", "route"])
        # It has begun when it shows a route that is not ours.
        def begun():
            self.a.ip("route", "add", "203.0.113.0/24", "dev", "lo")
            self.a.ip("route", "del", "203.0.113.0/24", "dev", "lo")
            return "203.0.113.0/24" in p.tail()
        wait_until(begun, what="the monitor")
        return p


def deleted(monitor):
    with open(monitor.log) as f:
        return [x for x in f if x.startswith("Deleted") and
                ("proto 179" in x or "proto ana-bgpd" in x)]


@pytest.fixture
def scene(lab):
    debs = list(DEBS.glob("ana-bgpd_*.deb"))
    assert debs, "./dev package has not been run"
    make_base(debs[0])
    s = Scene(lab)
    try:
        yield s
    finally:
        if getattr(s.m, "pid", None) and s.m.nspawn.running():
            s.m.off("halt")
            with contextlib.suppress(AssertionError):
                wait_until(lambda: not s.m.nspawn.running(), 30)


def check_fresh(m):
    # What is linked into the programs is named.
    for lib in "libbsd", "libmd":
        assert os.path.getsize(
            m.root + "/usr/share/doc/ana-bgpd/copyright.%s.gz" % lib) > 0
    for unit in ("ana-bgpd", "ana-fibd", "ana-bgpd-shutdown"):
        assert m.show(unit, "ActiveState") == "active", \
            m("journalctl", "--no-pager", "-u", unit)
    for unit, text in (
            ("ana-bgpd", "0 of 0 neighbors up, 0 prefixes accepted"),
            ("ana-fibd", "0 IPv4 and 0 IPv6 routes, the speaker is connected")):
        wait_until(lambda: m.show(unit, "StatusText") == text, what=text)
    for unit, user, caps in (("ana-bgpd", "_ana-bgpd", 0),
                             ("ana-fibd", "_ana-fibd", 0x1400)):
        pid = m.main_pid(unit)
        status = m("cat", "/proc/%s/status" % pid)
        uid = m("id", "-u", user).strip()
        assert "Uid:\t" + "\t".join([uid] * 4) in status
        assert "CapEff:\t%016x" % caps in status
        assert "CapPrm:\t%016x" % caps in status
        assert "Seccomp:\t2" in status
        assert "NoNewPrivs:\t1" in status
    # It peers with nobody and listens nowhere.
    assert ":179 " not in m("ss", "-Hltn")
    assert m.ctl("show")["neighbors"] == []
    assert m("stat", "-c", "%U:%G %a", "/run/ana-bgpd/control.sock",
             "/run/ana-fibd/fibd.sock", "/var/lib/ana-bgpd").split("\n")[:3] \
        == ["_ana-bgpd:ana-bgpd-admin 660", "_ana-fibd:_ana-bgpd 660",
            "_ana-bgpd:_ana-bgpd 750"]
    for other in ("bird2", "frr", "openbgpd"):
        assert "ok installed" in m("dpkg-query", "-Wf", "${Status}", other)


def check_metrics(m):
    """The second package: a file that says that all is well."""
    m.install(sorted(DEBS.glob("ana-bgpd-prometheus_*.deb"))[-1])
    assert m.show("ana-bgpd-textfile.timer", "ActiveState") == "active"
    m("systemctl", "start", "ana-bgpd-textfile.service")
    text = m("cat", "/var/lib/prometheus/node-exporter/ana-bgpd.prom")
    assert "\nana_bgpd_up 1" in text
    m("dpkg", "-P", "ana-bgpd-prometheus")


def check_restart(s, act, units):
    """Whatever act does, no route goes and BIRD is not told to forget."""
    before = {u: s.m.main_pid(u) for u in units}
    monitor = s.watch()
    act()
    for u in units:
        wait_until(lambda: s.m.main_pid(u) not in (None, before[u]), 60,
                   what=u + " runs anew")
        wait_until(lambda: s.m.show(u, "ActiveState") == "active", 60)
    s.raw.closed.wait(30)
    end = s.raw.notification
    s.connect()
    wait_until(lambda: all(n["state"] == "Established" for n in
                           s.m.ctl("show")["neighbors"]), 90,
               what="all sessions are back")
    s.settle()
    wait_until(lambda: "all routes in place" in s.m(
        "ana-bgpctl", "check", "health", check=False), 60, what="health")
    assert deleted(monitor) == []
    monitor.end()
    return end


def test_life_of_the_package(scene):
    s, m = scene, scene.m
    m.boot()
    m.install(s.deb)
    check_fresh(m)
    check_metrics(m)
    s.bird.announce(*ROUTES)
    s.bird.start()
    m.write("/etc/ana-bgpd/ana-bgpd.conf", CONF)
    m("systemctl", "reload", "ana-bgpd")
    s.connect()
    s.settle()
    wait_until(lambda: m.show("ana-bgpd", "StatusText").startswith(
        "2 of 2 neighbors up, 3 prefixes"), what="the status")
    # A restart by systemd: RFC 4724 to those who have it, 6/2 to the others.
    end = check_restart(s, lambda: m("systemctl", "restart", "ana-bgpd"),
                        ["ana-bgpd"])
    assert end[:2] == (6, 2)
    check_restart(s, lambda: m("systemctl", "kill", "-s", "KILL", "ana-bgpd"),
                  ["ana-bgpd"])
    # An upgrade restarts both.
    check_restart(s, lambda: m.install(newer(s.lab, s.deb)),
                  ["ana-bgpd", "ana-fibd"])
    # One that hangs is found by the watchdog, and ended.
    check_restart(s, lambda: m("systemctl", "kill", "-s", "STOP", "ana-bgpd"),
                  ["ana-bgpd"])
    # A bad file does not keep it from starting.
    m.write("/etc/ana-bgpd/ana-bgpd.conf", CONF + "nonsense;\n")
    check_restart(s, lambda: m("systemctl", "restart", "ana-bgpd"),
                  ["ana-bgpd"])
    wait_until(lambda: "ALARM" in m.show("ana-bgpd", "StatusText"))
    m.write("/etc/ana-bgpd/ana-bgpd.conf", CONF)
    m("systemctl", "reload", "ana-bgpd")
    # The removal is the end for partners and kernel.
    m("dpkg", "-r", "ana-bgpd", timeout=300)
    assert s.raw.closed.wait(30)
    assert s.raw.notification[:2] == (6, 2)
    assert s.kernel() == set()
    assert os.path.exists(s.m.root + "/etc/ana-bgpd/ana-bgpd.conf")
    # There again, with what it had.
    m.install(s.deb)
    s.connect()
    s.settle()
    # The machine goes down: a real end again.
    m.off()
    assert s.raw.closed.wait(60)
    assert s.raw.notification[:2] == (6, 2)
    assert b"box 7 goes down" in s.raw.notification[2]
    wait_until(lambda: "Administrative shutdown" in s.bird.cli(
        "show", "protocols", "all"), 30, what="BIRD was told")
    wait_until(lambda: not m.nspawn.running(), 60, what="off")
