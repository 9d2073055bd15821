"""What the service manager is told (sd_notify(3)), by both programs."""

import os
import pwd
import select
import signal
import socket
import time

import pytest

import ana as ana_module
from ana import BUILD, Ana, program, sanitizer_reports
from lab import wait_until
from routers import Route
from speaker import Speaker

US, PEER = 52580, 719


class Manager:
    """$NOTIFY_SOCKET: keeps all lines that came."""

    def __init__(self, lab):
        self.path = lab.path("notify")
        self.s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.s.bind(self.path)
        os.chmod(self.path, 0o777)
        self.s.setblocking(False)
        self.lines = []

    def take(self, seconds=0):
        """What came since, waiting so long for something."""
        select.select([self.s], [], [], seconds)
        new = []
        try:
            while True:
                new += self.s.recv(65536).decode().split("\n")
        except BlockingIOError:
            pass
        self.lines += new
        return new

    def wait(self, want, start=0):
        """The first line from number `start` on that begins so."""
        def seen():
            self.take(0.05)
            return [x for x in self.lines[start:] if x.startswith(want)]
        return wait_until(seen, what="a line %r" % want)[0]

    def status(self, *words):
        def seen():
            self.take(0.05)
            last = [x for x in self.lines if x.startswith("STATUS=")][-1:]
            return last and all(w in last[0] for w in words)
        wait_until(seen, what="a status with %s" % (words,))


@pytest.fixture
def manager(lab, monkeypatch):
    m = Manager(lab)
    monkeypatch.setenv("NOTIFY_SOCKET", m.path)
    monkeypatch.setenv("WATCHDOG_USEC", "200000")
    yield m
    m.s.close()


def alive(manager):
    """Told again and again."""
    for _ in range(3):
        manager.wait("WATCHDOG=1", len(manager.lines))


@pytest.fixture
def ana(lab):
    a, p = lab.ns("ana"), lab.ns("peer")
    lab.link(a, p, v4="192.0.2.0/30")
    ana = Ana(lab, a, US, "192.0.2.1")
    ana.neighbor("192.0.2.2", PEER, "192.0.2.1", passive=True, name="carol")
    yield ana
    assert not sanitizer_reports(ana.process)


def test_speaker(lab, ana, manager):
    ana.start()
    manager.wait("READY=1")
    assert not [x for x in manager.lines if x.startswith("STOPPING")]
    manager.status("0 of 1 neighbors up", "carol")
    # Who keeps it from being ready is told, too.
    speaker = Speaker(lab.ns("peer"), "192.0.2.2", "192.0.2.1", PEER)
    speaker.announce(Route("62.142.0.0/16"), Route("46.182.112.0/21"))
    manager.status("1 of 1 neighbors up", "2 prefixes accepted")
    alive(manager)
    at = len(manager.lines)
    ana.reload()
    manager.wait("RELOADING=1", at)
    usec = int(manager.wait("MONOTONIC_USEC=", at).split("=")[1])
    assert abs(time.clock_gettime(time.CLOCK_MONOTONIC) - usec / 1e6) < 60
    manager.wait("READY=1", manager.lines.index("RELOADING=1", at))
    # One that is refused is over just as well.
    with open(ana.conf, "a") as f:
        f.write("nonsense;\n")
    at = len(manager.lines)
    assert ana.cli("reload", check=False)[0] == 1
    manager.wait("RELOADING=1", at)
    manager.wait("READY=1", manager.lines.index("RELOADING=1", at))
    at = len(manager.lines)
    ana.process.signal(signal.SIGTERM)
    manager.wait("STOPPING=1", at)
    assert ana.process.p.wait(30) == 0
    manager.take()
    end = manager.lines[manager.lines.index("STOPPING=1"):]
    assert "READY=1" not in end
    speaker.close()


def test_all_of_a_reload_is_told(ana, manager):
    """From its first slice on; a dry run, and one that is given up, too."""
    big = os.path.join(os.path.dirname(ana.conf), "big")
    os.makedirs(os.path.dirname(big))

    def write(n):
        with open(big, "w") as f:
            f.writelines("62.%d.%d.%d/32\n" % (i >> 16, i >> 8 & 255, i & 255)
                         for i in range(n))

    write(2)
    ana.blocks.append('prefix-set big { file "%s"; }' % big)
    ana.neighbors[0].irr = "big"
    ana.start()
    manager.wait("READY=1")
    write(500000)
    at = len(manager.lines)
    assert ana.cli("diff", ana.conf)
    assert "RELOADING=1" not in manager.take() + manager.lines[at:]
    at, begun = len(manager.lines), time.clock_gettime(time.CLOCK_MONOTONIC)
    ana.process.signal(signal.SIGHUP)
    manager.wait("RELOADING=1", at)
    assert ana.ctl("show", "version")["config"]["generation"] == 1
    manager.wait("READY=1", manager.lines.index("RELOADING=1", at))
    took = time.clock_gettime(time.CLOCK_MONOTONIC) - begun
    usec = int([x for x in manager.lines[at:] if x.startswith(
        "MONOTONIC_USEC=")][0].split("=")[1])
    assert usec / 1e6 - begun < took / 2
    assert ana.ctl("show", "version")["config"]["generation"] == 2
    # Who asked goes away in its midst.
    write(400000)
    at = len(manager.lines)
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(ana.dir + "/run/control.sock")
        s.sendall(b"\1reload\0\0")
        manager.wait("RELOADING=1", at)
    manager.wait("READY=1", manager.lines.index("RELOADING=1", at))


def test_the_shutdown_command_stops_too(lab, ana, manager):
    ana.glob = ['shutdown-reason "box 7 goes down";']
    ana.start()
    speaker = Speaker(lab.ns("peer"), "192.0.2.2", "192.0.2.1", PEER)
    at = len(manager.lines)
    ana.cli("shutdown")
    manager.wait("STOPPING=1", at)
    assert ana.process.p.wait(30) == 0
    assert speaker.closed.wait(30)
    assert speaker.notification[:2] == (6, 2)
    assert b"box 7 goes down" in speaker.notification[2]


def test_a_watchdog_of_another_process(ana, manager, monkeypatch):
    monkeypatch.setenv("WATCHDOG_PID", "1")
    ana.start()
    manager.wait("STATUS=")

    def told():
        ana.reload()
        at = len(manager.lines)
        return int(manager.wait("MONOTONIC_USEC=", at).split("=")[1])
    # In more than twice the time in which it would have told.
    first = told()
    wait_until(lambda: told() - first > 300000, what="later lines")
    assert "WATCHDOG=1" not in manager.lines


def test_no_manager_there(ana, manager):
    manager.s.close()
    os.unlink(manager.path)
    ana.start()
    ana.reload()


def test_speaker_filtered(lab, monkeypatch):
    """A build with AddressSanitizer leaves the filter out."""
    if not (BUILD.parent / "release/ana-bgpd").exists():
        pytest.skip("needs a release build: ./dev build")
    monkeypatch.setattr(ana_module, "BUILD", BUILD.parent / "release")
    ana = Ana(lab, lab.ns("ana"), US, "192.0.2.1")
    ana.start()
    with open("/proc/%d/status" % ana.process.pid) as f:
        status = f.read()
    assert "NoNewPrivs:\t1" in status and "Seccomp:\t2" in status


def test_fibd(lab, manager):
    ns = lab.ns("ana")
    fibd = ns.spawn("fibd", [program("ana-fibd"), "-d", "-s",
                             lab.path("fibd.sock"), "-u", "nobody", "-U",
                             "daemon"],
                    env={"ASAN_OPTIONS": "exitcode=99:detect_leaks=0"})
    manager.wait("READY=1")
    manager.status("0 IPv4 and 0 IPv6 routes", "no speaker")
    # It runs in its sandbox, where no socket could be made.
    with open("/proc/%d/status" % fibd.pid) as f:
        status = f.read()
    assert "Seccomp:\t2" in status
    assert "Uid:\t%d" % pwd.getpwnam("daemon").pw_uid in status
    alive(manager)
    at = len(manager.lines)
    fibd.signal(signal.SIGTERM)
    manager.wait("STOPPING=1", at)
    assert fibd.p.wait(30) == 0
    assert not sanitizer_reports(fibd)
