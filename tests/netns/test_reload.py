"""Changing the configuration: what it would do, the window, the way back."""

import json
import os
import pwd
import signal
import socket
import struct
import subprocess

import pytest

from ana import Ana, program, sanitizer_reports
from lab import wait_until
from routers import Route
from speaker import Closed, Connection, Speaker, announcement

US, ONE, TWO = 52580, 719, 3292
ROUTES = {
    ONE: ["62.142.%d.0/24" % i for i in range(30)] + ["46.182.112.0/21"],
    TWO: ["87.48.0.0/16", "80.62.0.0/16"],
}
OWN = Route("185.23.12.0/24")


class Scene:
    """Two partners, each with its set; one address of ours towards each."""

    def __init__(self, lab):
        self.lab, self.ns = lab, lab.ns("ana")
        self.peers = {ONE: lab.ns("one"), TWO: lab.ns("two")}
        lab.link(self.ns, self.peers[ONE], v4="192.0.2.0/30")
        lab.link(self.ns, self.peers[TWO], v4="198.51.100.0/30")
        self.ana = Ana(lab, self.ns, US, "192.0.2.1")
        self.ana.own = [OWN.prefix]
        self.ana.table[OWN.prefix] = OWN
        self.ana.sets = {"one": ["62.142.0.0/16 or-longer",
                                 "46.182.112.0/21"],
                         "two": ["80.0.0.0/4 or-longer"]}
        for asn, net, name in ((ONE, "192.0.2", "one"),
                               (TWO, "198.51.100", "two")):
            self.ana.neighbor(net + ".2", asn, net + ".1", passive=True,
                              irr=name)
        self.speakers = {}

    def start(self):
        self.ana.start()
        self.connect()

    def connect(self):
        for x in self.speakers.values():
            x.close()
        for asn, ns in self.peers.items():
            net = "192.0.2" if asn == ONE else "198.51.100"
            s = Speaker(ns, net + ".2", net + ".1", asn)
            s.announce(*[Route(p) for p in ROUTES[asn]])
            self.speakers[asn] = s

    def accepted(self, n, within=10):
        def count():
            return sum(f["accepted"] for x in
                       self.ana.ctl("show", "neighbor")["neighbors"]
                       for f in x.get("stats", {}).get("routes", {}).values()
                       if type(f) is dict and "accepted" in f)
        wait_until(lambda: count() == n, within,
                   what="%d routes accepted" % n)

    def restart(self):
        """Killed and started with the file as it is."""
        self.ana.process.kill()
        self.ana.write = lambda: None
        self.ana.start()
        self.connect()

    def file(self, name, change):
        """A copy of the configuration with texts replaced."""
        text = self.ana.config()
        for a, b in change.items():
            assert a in text, a
            text = text.replace(a, b)
        path = os.path.join(self.ana.dir, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    def edit(self, change):
        path = self.file("new.conf", change)
        with open(path) as f, open(self.ana.conf, "w") as g:
            g.write(f.read())

    def version(self):
        return self.ana.ctl("show", "version")["config"]


@pytest.fixture
def scene(lab):
    s = Scene(lab)
    s.start()
    s.accepted(33)
    yield s
    for x in s.speakers.values():
        x.close()
    if s.ana.process:
        assert not sanitizer_reports(s.ana.process)


SMALLER = {"\t62.142.0.0/16 or-longer;\n": ""}


def test_plan_says_what_then_happens(scene):
    """diff and reload -n name routes and sessions, and touch nothing."""
    path = scene.file("small.conf", SMALLER)
    before = scene.version()["generation"]
    plan = scene.ana.ctl("diff", path)
    assert plan["sessions_reset"] == 0 and plan["sessions_kept"] == 2
    r = plan["routes"]
    assert r["rejected"]["count"] == 30 and len(r["rejected"]["first"]) == 20
    assert "not in the filter" in r["rejected"]["first"][0]["reason"]
    assert r["rejected"]["first"][0]["neighbor"] == "192.0.2.2"
    assert r["removed"]["count"] == 30 and r["accepted"]["count"] == 0
    assert plan["accepted_now"] == 33 and plan["accepted_then"] == 3
    assert scene.version()["generation"] == before
    scene.accepted(33)

    # An announcement and a bounce.
    path = scene.file("more.conf", {
        "prefix-set azion {": "prefix-set azion {\n\t185.23.13.0/24;",
        "network 185.23.12.0/24 {":
            "network 185.23.13.0/24;\nnetwork 185.23.12.0/24 {",
        "\tremote-as 719;": "\tremote-as 719;\n\trole peer;"})
    plan = scene.ana.ctl("diff", path)
    assert plan["sessions_reset"] == 1 and plan["sessions_kept"] == 1
    assert {x["prefix"] for x in plan["routes"]["announced"]["first"]} == {
        "185.23.13.0/24"}
    assert plan["routes"]["announced"]["count"] == 2
    text = scene.ana.cli("check", path)
    assert "Sessions: 1 end or bounce, 1 stay up" in text

    # Now really, by the file itself.
    scene.edit(SMALLER)
    assert scene.ana.ctl("reload", "-n")["routes"]["rejected"]["count"] == 30
    up = scene.ana.ctl("show")["neighbors"]
    status, _, err = scene.ana.cli("reload", "if", "accepted", "within",
                                   "10%", check=False)
    assert status == 1 and "3 routes would be accepted, 33 are" in err
    assert scene.version()["generation"] == before
    scene.ana.cli("reload", "if", "accepted", "within", "95%")
    scene.accepted(3)
    for a, b in zip(up, scene.ana.ctl("show")["neighbors"]):
        assert b["last_updown_sec"] >= a["last_updown_sec"], "it bounced"


def test_plan_names_limits(scene):
    """Whose limit the change would cross, and that it is not done then."""
    def limited(more, **change):
        return {"\tremote-as 719;": "\tremote-as 719;\n\t%s;" % more,
                **change}
    path = scene.file("received.conf", limited("max-prefix 20"))
    plan = scene.ana.ctl("diff", path)
    assert plan["sessions_reset"] == 0
    (x,) = plan["limits"]
    assert (x["neighbor"], x["counter"], x["count"], x["limit"]) == (
        "192.0.2.2", "received", 31, 20)
    assert x["ends_session"] and "family" not in x
    assert "at 31 received prefixes, the limit is 20: its session would " \
        "end" in scene.ana.cli("diff", path)
    accepted = limited("max-prefix accepted inet 30 action warn")
    (x,) = scene.ana.ctl("diff", scene.file("a.conf", accepted))["limits"]
    assert (x["counter"], x["family"], x["count"]) == (
        "accepted", "IPv4 unicast", 31)
    assert not x["ends_session"]
    # With fewer routes accepted there is room.
    assert scene.ana.ctl("diff", scene.file(
        "b.conf", {**accepted, **SMALLER}))["limits"] == []
    more = {"prefix-set azion {": "prefix-set azion {\n\t185.23.13.0/24;",
            "network 185.23.12.0/24 {":
                "network 185.23.13.0/24;\nnetwork 185.23.12.0/24 {"}
    (x,) = scene.ana.ctl("diff", scene.file("c.conf", {
        **limited("send-max-prefix 1"), **more}))["limits"]
    assert (x["counter"], x["count"], x["action"]) == ("announced", 2,
                                                       "discard")
    before = scene.version()["generation"]
    scene.edit(limited("max-prefix 20"))
    status, _, err = scene.ana.cli("reload", "if", "sessions", "up",
                                   check=False)
    assert status == 1 and "over its limit of 20 received prefixes" in err
    assert scene.version()["generation"] == before
    scene.accepted(33)


def test_sessions_block_a_commit(scene):
    """A change that would bounce a session is not made on that condition."""
    before = scene.version()["generation"]
    up = {x["remote_addr"]: x["last_updown_sec"]
          for x in scene.ana.ctl("show")["neighbors"]}
    for change in ({"\tremote-as 719;": "\tremote-as 719;\n\trole peer;"},
                   {"\tremote-as 719;": "\tremote-as 719;\n\tenabled no;"}):
        path = scene.ana.conf
        with open(path) as f:
            old = f.read()
        scene.edit(change)
        status, out, err = scene.ana.cli("reload", "if", "sessions", "up",
                                         check=False)
        assert status == 1 and "would not stay up" in err, (out, err)
        # Both conditions: each of them can refuse.
        status, out, err = scene.ana.cli(
            "reload", "if", "sessions", "up", "if", "accepted", "within",
            "100%", check=False)
        assert status == 1 and "would not stay up" in err, (out, err)
        assert scene.version()["generation"] == before
        with open(path, "w") as f:
            f.write(old)
    # What bounces none and accepts as many goes through, both asked.
    scene.edit({"\tremote-as 719;":
                '\tremote-as 719;\n\tmax-prefix 200;'})
    scene.ana.cli("reload", "if", "sessions", "up", "if", "accepted",
                  "within", "1%")
    assert scene.version()["generation"] == before + 1
    for x in scene.ana.ctl("show")["neighbors"]:
        assert x["last_updown_sec"] >= up[x["remote_addr"]], "it bounced"


def test_confirmed_by_its_sessions(scene):
    """A session that does not come back: the change is undone."""
    scene.edit({"\tremote-as 719;": "\tremote-as 719;\n\trole peer;"})
    # It bounces, and nobody dials again.
    scene.ana.cli("reload", "confirm", "3s", "if", "sessions", "up")
    wait_until(lambda: "192.0.2.2 was up and is not" in
               scene.version()["alarm"], 30, what="it goes back")
    assert scene.version()["confirm_left_sec"] == -1


def test_signal_reloads(scene):
    """SIGHUP, also while one is under way: what is in the file at the end."""
    scene.edit(SMALLER)
    for _ in range(3):
        scene.ana.process.signal(signal.SIGHUP)
    scene.accepted(3, 30)
    scene.edit({"remote-as 719;": "remote-az 719;"})
    scene.ana.process.signal(signal.SIGHUP)
    wait_until(lambda: not scene.version()["last_reload_ok"], what="refused")
    scene.accepted(3)
    status, out, _ = scene.ana.cli("check", "health", check=False)
    assert status == 5 and "the last reload failed" in out
    scene.edit(SMALLER)
    scene.ana.cli("reload")
    status, out, _ = scene.ana.cli("check", "health", check=False)
    assert "reload" not in out


def test_bad_file_changes_nothing(scene):
    path = scene.file("bad.conf", {"remote-as 719;": "remote-az 719;"})
    status, out, _ = scene.ana.cli("check", path, check=False)
    assert status == 1 and "bad.conf" in out and "remote-as" in out
    assert scene.ana.cli("diff", path, check=False)[0] == 1
    status, _, err = scene.ana.cli("diff", "/no/such", check=False)
    assert status == 2 and "/no/such" in err
    scene.accepted(33)


def test_reload_says_all_problems(scene):
    """However many there are, and each key of the JSON once."""
    def once(pairs):
        assert len(dict(pairs)) == len(pairs), pairs
        return dict(pairs)

    names = ["unused%d" % i for i in range(30)]
    more = "".join("prefix-set %s { 5.44.0.0/16; }\n" % n for n in names)
    with open(scene.ana.conf, "a") as f:
        f.write(more)
    out = scene.ana.cli("reload")
    assert [n for n in names if '"%s" is never used' % n not in out] == []
    assert "30 problems (0 errors, 30 warnings); configuration in force" in out
    got = json.loads(scene.ana.cli("-j", "reload"), object_pairs_hook=once)
    assert got["status"] == "OK" and len(got["problems"]) == 30

    with open(scene.ana.conf, "a") as f:
        f.write("nonsense;\n")
    status, text, err = scene.ana.cli("-j", "reload", check=False)
    got = json.loads(text, object_pairs_hook=once)
    assert status == 1 and got["error"] in err
    assert "nonsense" in [p for p in got["problems"] if
                          p["severity"] == "error"][0]["message"]
    status, out, err = scene.ana.cli("reload", check=False)
    assert status == 1 and "nonsense" in out and "nothing was changed" in err


def test_window_ends_by_itself(scene):
    """Not confirmed: back as before; the file is not taken at a start."""
    scene.edit(SMALLER)
    assert "undone in 3 s" in scene.ana.cli("reload", "confirm", "3s")
    scene.accepted(3)
    assert scene.version()["confirm_left_sec"] in (0, 1, 2, 3)
    status, out, err = scene.ana.cli("reload", check=False)
    assert (status, out) == (1, "") and "waits to be confirmed" in err
    scene.accepted(33, 15)
    assert "not confirmed" in scene.version()["alarm"]
    status, out, _ = scene.ana.cli("check", "health", check=False)
    assert status == 5 and "not confirmed" in out

    # The window was over: the file is still the one that was not confirmed.
    scene.restart()
    assert "never confirmed" in scene.version()["alarm"]
    scene.accepted(33)
    # Told a second time, and confirmed.
    scene.ana.cli("reload", "confirm", "60s")
    scene.accepted(3)
    assert "confirmed" in scene.ana.cli("reload", "confirm")
    assert scene.version()["alarm"] == ""
    scene.restart()
    assert scene.version()["alarm"] == ""
    scene.accepted(3)
    # And the step back.
    scene.ana.cli("reload", "undo")
    scene.accepted(33)


def test_start_inside_the_window(scene):
    scene.edit(SMALLER)
    scene.ana.cli("reload", "confirm", "600s")
    scene.accepted(3)
    scene.restart()
    assert "never confirmed" in scene.version()["alarm"]
    scene.accepted(33)


def test_conditions_confirm(scene):
    scene.edit({"\t46.182.112.0/21;\n": ""})
    scene.ana.cli("reload", "confirm", "2s", "if", "sessions", "up", "if",
                  "accepted", "within", "10%")
    wait_until(lambda: scene.version()["confirm_left_sec"] == -1, 10, what="end")
    assert scene.version()["alarm"] == ""
    scene.accepted(32)
    scene.edit(SMALLER)
    scene.ana.cli("reload", "confirm", "2s", "if", "accepted", "within",
                  "10%")
    wait_until(lambda: "not within 10 %" in scene.version()["alarm"], 10,
               what="it goes back")
    scene.accepted(32)


def test_boot_with_a_bad_file(scene):
    """The last good one runs, with an alarm; -n says 1."""
    scene.edit({"remote-as 719;": "remote-az 719;"})
    scene.restart()
    assert "does not check" in scene.version()["alarm"]
    assert "ALARM" in scene.ana.cli("show", "version")
    assert scene.ana.cli("show").startswith("ALARM: ")
    status = subprocess.run([program("ana-bgpd"), "-n", "-f", scene.ana.conf],
                            stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL).returncode
    assert status == 1
    scene.accepted(33)
    os.unlink(os.path.join(scene.ana.dir, "state", "confirmed.conf"))
    scene.ana.process.kill()
    scene.ana._start()
    wait_until(lambda: not scene.ana.process.running(), 10, what="it ends")
    assert "remote-as" in scene.ana.process.tail()


def md5_key(sock, remote, key):
    """TCP_MD5SIG of linux/tcp.h: this key for what goes to that address."""
    addr = struct.pack("=HH4s", socket.AF_INET, 0, socket.inet_aton(remote))
    sock.setsockopt(socket.IPPROTO_TCP, 14, addr.ljust(128, b"\0") +
                    struct.pack("=BBHi", 0, 0, len(key), 0) +
                    key.ljust(80, b"\0"))


def test_another_key_does_not_bounce(scene):
    """Both ends change the TCP MD5 key; the session goes on."""
    def secret(text):
        path = os.path.join(scene.ana.dir, "etc", "key")
        with open(path, "w") as f:
            f.write(text + "\n")
        os.chmod(path, 0o600)
        pw = pwd.getpwnam(scene.ana.user)
        os.chown(path, pw.pw_uid, pw.pw_gid)

    secret("first")
    scene.speakers.pop(ONE).close()
    scene.edit({"\tremote-as 719;":
                '\tremote-as 719;\n\ttcp-md5 secret-file "key";'})
    scene.ana.cli("reload")

    def up():
        """None while the end of the session before is waited for."""
        s = scene.peers[ONE].socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("192.0.2.2", 0))
        md5_key(s, "192.0.2.1", b"first")
        s.settimeout(5)
        try:
            s.connect(("192.0.2.1", 179))
            conn = Connection(s)
            conn.handshake(timeout=5, asn=ONE)
        except (OSError, Closed):
            s.close()
            return None
        return conn
    conn = wait_until(up, 60, what="connected with the key")
    conn.send(announcement(Route("46.182.112.0/21"), ONE, "192.0.2.2"))
    scene.accepted(3)
    secret("second")
    assert "bounce" not in scene.ana.cli("reload", "-n").split("Sessions")[0]
    scene.ana.cli("reload")
    md5_key(conn.sock, "192.0.2.1", b"second")
    conn.send(announcement(Route("62.142.1.0/24"), ONE, "192.0.2.2"))
    scene.accepted(4)
    conn.close()


def test_what_is_in_force_is_shown(scene):
    """Origins, defaults, and a canonical form that a check reads."""
    text = scene.ana.cli("show", "config")
    line = next(x for x in text.splitlines() if "remote-as 719" in x)
    n = int(line.rsplit(":", 1)[1])
    assert "# ana-bgpd.conf:" in line
    with open(scene.ana.conf) as f:
        assert "remote-as 719" in f.readlines()[n - 1]
    text = scene.ana.cli("show", "config", "defaults")
    assert "hold-time 90s;\t# default" in text
    path = os.path.join(scene.ana.dir, "canonical.conf")
    with open(path, "w") as f:
        f.write(scene.ana.cli("show", "config", "canonical"))
    assert "The configuration is the one in force." in scene.ana.cli(
        "diff", path)
