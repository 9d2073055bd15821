"""ana-bgpctl top, as a person sees it: in tmux, with captured screens."""

import os
import re
import subprocess

import pytest

from ana import Ana, program
from lab import wait_until
from routers import Route
from speaker import Speaker, keepalive, notification
from test_show import Scene


@pytest.fixture(scope="class")
def scene(class_lab):
    yield Scene(class_lab)


class Screen:
    def __init__(self, scene, tmp_path, *env):
        self.tmux_socket = str(tmp_path / "tmux")
        self.run("-f", "/dev/null", "new-session", "-d", "-x", "90", "-y",
                 "24", "env", "TERM=screen", "ASAN_OPTIONS=detect_leaks=0",
                 *env, program("ana-bgpctl"), "-s",
                 scene.ana.dir + "/run/control.sock", "top")

    def run(self, *words):
        return subprocess.run(["tmux", "-S", self.tmux_socket, *words],
                              text=True, capture_output=True, timeout=20)

    def text(self, *words):
        return self.run("capture-pane", "-p", *words).stdout

    def key(self, *keys):
        self.run("send-keys", *keys)

    def until(self, what):
        return wait_until(lambda: (lambda s: re.search(what, s) and s)(
            self.text()), 10, what="%r on the screen" % what)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.run("kill-server")


class TestTop:
    def test_screen(self, scene, tmp_path):
        with Screen(scene, tmp_path) as s:
            text = s.until(r"Events:")
            lines = text.splitlines()
            assert lines[0].startswith("ana-bgpd ") and \
                "  %s  AS52580" % scene.ana.name in lines[0]
            assert lines[1].startswith("sessions 1/2  routes 7 in, 2 accepted"
                                       ", 5 rejected  kernel 2 of 2")
            assert re.match(r"NOT READY  generation 1  longest turn \d+ ms  "
                            r"RSS \d+ MB", lines[2])
            assert lines[4].startswith("Neighbor ")
            assert re.match(r"partner +719 ", lines[5])
            assert re.match(r"absent +3292 ", lines[6])
            assert all(len(x) <= 90 for x in lines)
            colours = s.text("-e")
            assert "\x1b[32m" in colours or "\x1b[7;32m" in colours or \
                ";32m" in colours
            assert "31m" in colours
            s.key("Down")
            s.key("Enter")
            s.until(r"BGP neighbor is 192\.0\.2\.9")
            s.key("Enter")
            s.until(r"Events:")
            s.key("Up")
            s.key("r")
            s.until(r"62\.142\.128\.0/25 .*prefix-length")
            s.key("r")
            s.key("e")
            s.until(r"(?i)established")
            s.key("e")
            s.until(r"Events:")
            s.key("?")
            s.until("Enter +all about it")
            s.key("?")
            s.until(r"Events:")
            s.key("f")
            s.key("abse", "Enter")
            wait_until(lambda: "absent" in s.text() and
                       not re.search(r"^partner ", s.text(), re.M))
            s.key("f", "Enter")
            s.until(r"partner +719")
            s.key("p")
            s.until("paused")
            s.key("p")
            s.until("q end")
            s.key("q")
            wait_until(lambda: s.run("has-session").returncode != 0,
                       what="q ends it")

    def test_no_color(self, scene, tmp_path):
        with Screen(scene, tmp_path, "NO_COLOR=1") as s:
            s.until(r"Events:")
            assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", s.text("-e"))

    def test_pace(self, scene):
        """Messages a second, from one look to the next."""
        def received():
            text = scene.ana.cli("top", "--batch", "-n", "1")
            return float(re.search(r"^partner +719 +([\d.]+) ", text,
                                   re.M)[1])
        received()
        scene.peer.send(keepalive() * 2000)
        wait_until(lambda: received() > 1, 30, what="a pace")

    def test_batch(self, scene):
        text = scene.ana.cli("top", "--batch", "-n", "3")
        assert text.count("ana-bgpd ") == 3 and "\x1b" not in text
        assert text.count("\npartner ") == 3
        assert re.search(r"^Neighbor +AS +Rcvd/s +Sent/s +Up/Down +"
                         r"State/PrfRcvd +Accept +Reject +Told +Kernel +"
                         r"Last reason$", text, re.M)
        # Received, of how many, accepted, refused; two networks of ours.
        assert re.search(r"^partner +719 +[\d.]+ +[\d.]+ +\S+ +7/250 +#[.]{4} "
                         r"+2 +5 +2 +2$", text, re.M), text
        assert re.search(r"^absent +3292 +0.0 +0.0 Never +Active +waiting for "
                         r"the peer to connect", text, re.M)
        status, _, err = scene.ana.cli("top", check=False)
        assert status == 2 and "--batch" in err
        status, _, err = scene.ana.cli("top", "-n", "0", check=False)
        assert status == 2 and "number" in err
        p = subprocess.run([program("ana-bgpctl"), "-s", "/nonexistent",
                            "top", "--batch"], capture_output=True,
                           env=dict(os.environ, ASAN_OPTIONS="exitcode=99"))
        assert p.returncode == 3

    def test_json(self, scene):
        up, absent = scene.ana.ctl("top")["neighbors"]
        assert (up["fib"], up["last_reason"]) == (2, "")
        assert "waiting for the peer" in absent["last_reason"]

    def test_last_reason(self, scene):
        """Also of a neighbor that is back, and no colour comes of its words."""
        def row():
            return re.search(r"^partner .*", scene.ana.cli(
                "top", "--batch"), re.M)[0]
        scene.peer.send(notification(6, 4, b"\x06Active"))
        wait_until(lambda: re.search(
            '  the peer sent NOTIFICATION Cease, Administrative Reset: "Active"',
            row()), what="why it is down")
        scene.peer.close()
        scene.peer = Speaker(scene.p, "192.0.2.2", "192.0.2.1", 719,
                             ("inet", "inet6"))
        wait_until(lambda: row().endswith(
            '  the peer sent Cease, Administrative Reset: "Active"'),
            what="why it was down, of one that is up")
        scene.ana.reload()
        assert "  generation 2 (reloaded 00:00:0" in scene.ana.cli("top",
                                                                   "--batch")


class Named:
    """Neighbors whose names are long, or not ASCII."""
    names = ("São Paulo, second link of ring 2", "Köln – Übergabe", "plain")

    def __init__(self, lab):
        a, p = lab.ns("ana"), lab.ns("peer")
        lab.link(a, p, v4="192.0.2.0/24")
        self.ana = Ana(lab, a, 52580, "192.0.2.1")
        self.ana.sets["as719"] = ["62.142.0.0/16 or-longer"]
        for i, name in enumerate(self.names):
            self.ana.neighbor("192.0.2.%d" % (2 + i), 719 + i, "192.0.2.1",
                              passive=True, name=name, irr="as719")
        self.ana.start()
        self.p = p


def test_names(lab, tmp_path):
    """The column grows with them, in characters, and top knows them whole."""
    scene = Named(lab)
    peer = Speaker(scene.p, "192.0.2.2", "192.0.2.1", 719)
    peer.announce(Route("10.1.0.0/16"))
    wait_until(lambda: "10.1.0.0/16" in scene.ana.cli("show", "rejected"),
               what="a refused route")
    width = max(map(len, scene.names))
    for words in ("show",), ("top", "--batch", "-n", "1"):
        lines = scene.ana.cli(*words).splitlines()
        head = next(x for x in lines if x.startswith("Neighbor  "))
        end = head.index(" AS ") + len(" AS")
        for i, name in enumerate(scene.names):
            line, = (x for x in lines if x.startswith(name))
            assert line[:end] == "%-*s %8d" % (width, name, 719 + i)
    head, row = scene.ana.cli("show", "rejected").splitlines()
    assert row.index(scene.names[0]) == head.index("neighbor")
    assert re.match(r"\d\d:\d\d:\d\d", row[head.index("since"):])
    with Screen(scene, tmp_path) as s:
        s.until(r"Events:")
        s.key("Enter")
        s.until(r"BGP neighbor is 192\.0\.2\.2")
        s.key("Enter")
        s.until(r"Events:")
        s.key("Down", "Enter")  # at once
        s.until(r"BGP neighbor is 192\.0\.2\.3")
    peer.close()


def test_many(lab, tmp_path):
    """More than the screen has rows; and a daemon that goes."""
    a = lab.ns("ana")
    ana = Ana(lab, a, 52580, "192.0.2.1")
    ana.listen = []
    for i in range(2, 42):
        ana.neighbor("192.0.2.%d" % i, 719, "127.0.0.1", passive=True,
                     name="partner%d" % i)
    ana.start()
    scene = type("Scene", (), {"ana": ana})
    with Screen(scene, tmp_path) as s:
        s.until(r"(?m)^partner2 ")
        for _ in range(35):
            s.key("Down")
        s.until(r"(?m)^partner37 ")
        s.key("Enter")
        text = s.until(r"BGP neighbor is 192\.0\.2\.37,")
        assert "Last state changes" not in text
        for _ in range(60):
            s.key("Down")
        text = s.until(r"Timers that run")
        assert "BGP neighbor is" not in text
        for _ in range(60):
            s.key("Up")
        s.until(r"BGP neighbor is 192\.0\.2\.37,")
        s.key("Enter")
        s.until(r"(?m)^partner37 ")
        for _ in range(40):
            s.key("Up")
        s.until(r"(?m)^partner2 ")
        ana.process.end()
        text = s.until("cannot reach")
        assert "ana-bgpd 0" not in text and "partner" not in text
        ana.start()
        s.until(r"(?m)^partner2 ")
