"""What is announced, and when: the appliance between BIRD and FRR, with
services that come and go.  Each step looks at what the partners have."""

import json
import os
import re
import signal
import socket

import jsonschema
import pytest

from ana import TOP, Ana, program, sanitizer_reports
from lab import run, wait_until
from routers import DRIVERS

ASN, PEERS = 52580, {"bird": 3292, "frr": 719}
FILE, ADDR, LEASE, PLAIN, LINK6 = (
    "179.191.160.0/24", "179.191.161.0/24", "179.191.162.0/24",
    "179.191.163.0/24", "2804:a8::/48")
ALL = {FILE, ADDR, LEASE, PLAIN, LINK6}
COMMAND = "179.191.164.0/24"
OWN = ["179.191.160.0/20 or-longer", "2804:a8::/32 or-longer"]


class Scene:
    """ana in the middle of one partner of each kind."""

    def __init__(self, lab, blocks, **kw):
        self.lab, self.partners = lab, {}
        a = lab.ns("ana")
        self.ana = Ana(lab, a, ASN, "192.0.2.1")
        self.ana.own = OWN
        self.health = self.ana.dir + "/health"
        self.ana.blocks = [b.replace("HEALTH", self.health) for b in blocks]
        for i, (kind, asn) in enumerate(PEERS.items()):
            p = lab.ns(kind)
            lab.link(a, p, v4="192.0.%d.0/24" % (20 + i),
                     v6="2001:db8:%d::/64" % (20 + i))
            us, it = "192.0.%d.1" % (20 + i), "192.0.%d.2" % (20 + i)
            six = "2001:db8:%d::" % (20 + i)
            self.ana.neighbor(it, asn, us, ("inet", "inet6"), name=kind,
                              other=six + "1", next_hop_peer=six + "2", **kw)
            r = DRIVERS[kind](lab, p, asn, it)
            r.neighbor(us, ASN, it, ("inet", "inet6"), other=six + "2", **kw)
            self.partners[kind] = r
            r.start()

    def start(self):
        self.ana.start()
        wait_until(lambda: all(r.all_up() for r in self.partners.values()),
                   what="all sessions are up")
        return self

    def have(self, *prefixes, **others):
        """Both partners have exactly these."""
        want = set(prefixes)
        for r in self.partners.values():
            wait_until(lambda: set(r.routes()) == want, what="%s has %s, and "
                       "nothing else" % (r.name, sorted(want)))

    def attrs(self, prefix):
        return {k: r.routes().get(prefix) for k, r in self.partners.items()}

    def net(self, prefix):
        return self.ana.ctl("show", "announcements",
                            prefix)["announcements"][0]

    def state(self, prefix):
        n = self.net(prefix)
        return n["state"], n["cause"]

    def wait_state(self, prefix, state, cause):
        wait_until(lambda: self.state(prefix) == (state, cause),
                   what="%s is %s by %s" % (prefix, state, cause))

    def touch(self, which=""):
        with open("%s%s" % (self.health, which), "w") as f:
            f.write("ok\n")

    def unlink(self, which=""):
        os.unlink("%s%s" % (self.health, which))

    def restart(self, sig=signal.SIGKILL):
        """The speaker dies as it is, and starts again."""
        self.ana.process.signal(sig)
        wait_until(lambda: not self.ana.process.running(), what="it ended")
        with open(self.ana.process.log) as f:
            before = len(f.read())
        self.ana._start()
        wait_until(self.ana._answers, what="it answers")
        return before

    def told(self, prefix, before):
        """Lines about an UPDATE with the prefix, since that place of the log.
        """
        with open(self.ana.process.log) as f:
            return [x for x in f.read()[before:].splitlines()
                    if "sent UPDATE" in x and prefix in x]


def network(prefix, *lines):
    return "network %s { no-export no; %s }" % (prefix, " ".join(lines))


@pytest.fixture(scope="class")
def begun(class_lab):
    s = Scene(class_lab, [
        "track web { lease 600s; }",
        network(FILE, 'track file "HEALTH";'),
        network(ADDR, 'track address 198.51.100.9 interface "lo";'),
        network(LEASE, "track web;", "on-fail med 500;", "med 5;"),
        network(PLAIN),
        network(LINK6, 'track link "svc0";', "on-fail prepend 3;")])
    s.ana.ns.ip("link", "add", "svc0", "type", "veth", "peer",
                 "name", "svc1")
    s.ana.ns.ip("link", "set", "svc1", "up")
    return s.start()


@pytest.fixture
def scene(begun):
    """With all up that the tracks look at, whatever was before."""
    begun.touch()
    begun.ana.ns.ip("addr", "replace", "198.51.100.9/32", "dev", "lo")
    begun.ana.ns.ip("link", "set", "svc0", "up")
    assert "up" in begun.ana.cli("track", "web", "up")
    begun.have(*ALL)
    return begun


class TestSteps:
    def test_begin(self, begun):
        # What never was up goes with what on-fail says, or not at all.
        begun.have(PLAIN, LEASE, LINK6)
        assert begun.net(FILE)["tracks"][0]["state"] == "down"
        for a in begun.attrs(LINK6).values():
            assert a["as_path"] == [ASN] * 4
        for a in begun.attrs(LEASE).values():
            assert a["med"] == 500

    def test_up(self, scene):
        wait_until(lambda: all(a["as_path"] == [ASN] for a in
                               scene.attrs(LINK6).values()), what="no prepend")
        wait_until(lambda: all(a["med"] == 5 for a in
                               scene.attrs(LEASE).values()), what="the MED")

    def test_health(self, scene):
        """Without graceful restart FRR sends no End-of-RIB."""
        wait_until(lambda: scene.ana.cli("check", "health", check=False)
                   [:2] == (0, "ok: 2 of 2 neighbors up, all routes in place"
                            "\n"), what="healthy")
        frr, = [n for n in scene.ana.ctl("show", "neighbor")["neighbors"]
                if n["description"] == "frr"]
        assert frr["stats"]["update"]["received"]["eor"] == 0

    def test_show(self, scene):
        jsonschema.validate(
            scene.ana.ctl("show", "announcements"), json.loads(
                (TOP / "doc/schema/show-announcements.json").read_text()))
        n = scene.net(FILE)
        assert n["state"] == "announced" and n["cause"] == "healthy"
        assert n["required"] == 1 and n["tracks"][0]["state"] == "up"
        assert {x["neighbor"] for x in n["neighbors"] if x["told"]} == \
            set(PEERS)
        assert "as path %d" % ASN in n["neighbors"][0]["attributes"]
        text = scene.ana.cli("show", "announcements")
        assert FILE in text and "told to" in text and "track web" in text
        status, _, err = scene.ana.cli("show", "announcements",
                                       "198.18.0.0/24", check=False)
        assert status == 4 and "none of our networks" in err
        metrics = scene.ana.cli("show", "metrics")
        assert 'ana_bgpd_network_announced{prefix="%s"} 1' % FILE in metrics
        assert 'ana_bgpd_network_track_up{prefix="%s",track="web"} 1' % \
            LEASE in metrics

    def test_address_removed(self, scene):
        # The kernel says so, and nobody is sent here any more.
        flaps = scene.net(ADDR)["flaps"]
        scene.ana.ns.ip("addr", "del", "198.51.100.9/32", "dev", "lo")
        scene.have(*(ALL - {ADDR}))
        assert scene.state(ADDR) == ("withdrawn", "tracks")
        scene.ana.ns.ip("addr", "add", "198.51.100.9/32", "dev", "lo")
        scene.have(*ALL)
        assert scene.net(ADDR)["flaps"] == flaps + 1

    def test_link(self, scene):
        scene.ana.ns.ip("link", "set", "svc0", "down")
        wait_until(lambda: all(a["as_path"] == [ASN] * 4 for a in
                               scene.attrs(LINK6).values()), what="prepend")
        scene.ana.ns.ip("link", "set", "svc0", "up")
        wait_until(lambda: all(a["as_path"] == [ASN] for a in
                               scene.attrs(LINK6).values()), what="no prepend")

    def test_lease(self, scene):
        assert "up" in scene.ana.cli("track", "web", "refresh")
        scene.ana.cli("track", "web", "down", "disk full")
        assert scene.state(LEASE) == ("degraded", "tracks")
        assert scene.net(LEASE)["tracks"][0]["reason"] == "disk full"
        wait_until(lambda: all(a["med"] == 500 for a in
                               scene.attrs(LEASE).values()), what="the MED")
        status, _, err = scene.ana.cli("track", "web", "refresh", check=False)
        assert status == 1 and "say \"up\"" in err
        status, _, err = scene.ana.cli("track", "nosuch", "up", check=False)
        assert status == 4
        status, _, err = scene.ana.cli(
            "track", 'address 198.51.100.9 interface "lo"', "up", check=False)
        assert status == 1 and "no lease" in err
        scene.ana.cli("track", "web", "up")

    def test_commands(self, scene):
        for bad, words in (("0.0.0.0/0", "default"),
                           ("198.18.0.0/24", "own prefixes")):
            status, _, err = scene.ana.cli("network", "announce", bad,
                                           check=False)
            assert status == 1 and words in err
        assert "until withdrawn or a restart" in scene.ana.cli(
            "network", "announce", COMMAND)
        scene.have(COMMAND, *ALL)
        for a in scene.attrs(COMMAND).values():
            assert a["communities"] == ["65535:65281"]
        assert "or a restart" in scene.ana.cli("network", "withdraw", PLAIN)
        scene.have(COMMAND, *(ALL - {PLAIN}))
        assert scene.state(PLAIN) == ("withdrawn", "command")
        # A reload changes nothing of it.
        scene.ana.reload()
        scene.have(COMMAND, *(ALL - {PLAIN}))
        scene.ana.cli("network", "announce", PLAIN)
        scene.ana.cli("network", "withdraw", COMMAND)
        scene.have(*ALL)
        status, _, _ = scene.ana.cli("network", "withdraw", COMMAND,
                                     check=False)
        assert status == 4

    def test_thousand_flaps(self, scene):
        """In a state or the other at the end, and nobody lost."""
        two = ["addr %s 198.51.100.9/32 dev lo" % x for x in ("del", "add")]
        for _ in range(100):
            for line in two:
                scene.ana.ns.ip(*line.split())
        # And as fast as the kernel can.
        run("ip", "-n", scene.ana.ns.full, "-batch", "-",
            input="\n".join(two * 900) + "\n")
        scene.have(*ALL)
        assert scene.net(ADDR)["tracks"][0]["flaps"] > 10
        assert all(r.all_up() for r in scene.partners.values())

    def test_killed(self, scene):
        """Over kill -9 in each state: what was told is told, what was not is
        not, before and after somebody looked."""
        scene.ana.cli("network", "announce", COMMAND, "persistent")
        state = scene.ana.dir + "/state"
        os.chmod(state, 0o500)
        status, _, err = scene.ana.cli("network", "withdraw", PLAIN,
                                       "persistent", "ticket 7", check=False)
        assert status == 1 and "the state directory cannot be written" in err
        os.chmod(state, 0o755)
        scene.ana.cli("network", "withdraw", PLAIN, "persistent", "ticket 7")
        scene.ana.cli("drain", "prefix", PLAIN, "work 8")
        scene.restart()
        scene.have(COMMAND, *(ALL - {PLAIN}))
        assert scene.net(PLAIN)["comment"] == "ticket 7"
        assert scene.net(PLAIN)["drain_comment"] == "work 8"
        text = scene.ana.cli("show", "announcements", PLAIN)
        assert "over restarts too: ticket 7\n" in text
        assert re.search(r"drained by .*: work 8\n", text)
        scene.ana.cli("undrain", "prefix", PLAIN)
        assert scene.net(PLAIN)["comment"] == "ticket 7"
        assert "drain_comment" not in scene.net(PLAIN)
        wait_until(lambda: scene.state(LEASE) == ("announced", "healthy"),
                   what="the lease outlived it")
        scene.unlink()
        scene.have(COMMAND, *(ALL - {PLAIN, FILE}))
        scene.restart()
        scene.have(COMMAND, *(ALL - {PLAIN, FILE}))
        # It dies, and the service with it; or comes up meanwhile.
        scene.ana.process.signal(signal.SIGSTOP)
        scene.touch()
        scene.ana.ns.ip("addr", "del", "198.51.100.9/32", "dev", "lo")
        scene.restart()
        scene.have(COMMAND, *(ALL - {PLAIN, ADDR}))
        scene.ana.cli("network", "announce", PLAIN)
        scene.ana.cli("network", "withdraw", COMMAND)
        scene.ana.ns.ip("addr", "add", "198.51.100.9/32", "dev", "lo")
        scene.have(*ALL)
        assert not sanitizer_reports(scene.ana.process)


SERVICE = """
import http.server, os, sys
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        good = self.path == "/health" and os.path.exists(sys.argv[1])
        self.send_response(200 if good else 503)
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("192.0.2.77", 8080), H).serve_forever()
"""
FAST = "interval 1s; timeout 1s; rise 1; fall 2; keep 2s;"


class Probed(Scene):
    def __init__(self, lab):
        super().__init__(lab, [
            "track tcp { tcp 192.0.2.77 port 8080; source 192.0.2.77; %s }"
            % FAST,
            'track http { http "http://192.0.2.77:8080/health"; %s }' % FAST,
            "track exec { exec check; %s }" % FAST,
            network(FILE, "track tcp;"), network(ADDR, "track http;"),
            network(LEASE, "track exec;"), network(PLAIN)])
        self.ana.ns.ip("addr", "add", "192.0.2.77/32", "dev", "lo")
        self.ok = self.ana.dir + "/serving"
        self.programs = self.ana.dir + "/tracks"
        os.makedirs(self.programs)
        os.chmod(self.programs, 0o755)
        self.program("exit 0")
        self.count = 0
        self.healthy(True)
        self.serve()
        self.track()

    def program(self, text):
        path = self.programs + "/check"
        with open(path + ".new", "w") as f:
            f.write("#!/bin/sh\n" + text + "\n")
        os.chmod(path + ".new", 0o755)
        os.rename(path + ".new", path)

    def healthy(self, yes):
        if yes:
            open(self.ok, "w").close()
        else:
            os.unlink(self.ok)

    def spawn(self, name, argv):
        self.count += 1         # a log of its own
        return self.ana.ns.spawn("%s%d" % (name, self.count), argv, env={
            "ASAN_OPTIONS": "detect_leaks=0:exitcode=99"})

    def serve(self):
        self.service = self.spawn("service", [
            "/usr/bin/python3", "-c", SERVICE, self.ok])

    def track(self):
        self.trackd = self.spawn("trackd", [
            program("ana-trackd"), "-s", self.ana.dir + "/run/trackd.sock",
            "-u", self.ana.user, "-U", self.ana.fibd_user, "-p",
            self.programs, "-c", "4"])
        self.lab.sanitized.append(self.trackd)

    def why(self, prefix):
        return self.net(prefix)["tracks"][0]["reason"]

    def sleeps(self):
        """Processes that a program left behind."""
        pids = run("ip", "netns", "pids", self.ana.ns.full).split()
        out = run("ps", "-o", "comm=", "-p", ",".join(pids), check=False)
        return out.split().count("sleep")


@pytest.fixture(scope="class")
def prober(class_lab):
    return Probed(class_lab).start()


@pytest.fixture
def probed(prober):
    prober.have(PLAIN, FILE, ADDR, LEASE)
    return prober


class TestProbes:
    """ana-trackd's.  Each leaves all up."""

    def test_up(self, probed):
        assert probed.why(FILE) == "connected"
        assert probed.why(ADDR) == "HTTP status 200"
        assert probed.why(LEASE) == "exit status 0"

    def test_status(self, probed):
        probed.healthy(False)
        probed.have(PLAIN, FILE, LEASE)
        assert probed.why(ADDR) == "HTTP status 503"
        probed.healthy(True)
        probed.have(PLAIN, FILE, ADDR, LEASE)

    def test_killed(self, probed):
        probed.service.kill()
        probed.have(PLAIN, LEASE)
        probed.serve()
        probed.have(PLAIN, FILE, ADDR, LEASE)

    def test_hung(self, probed):
        """It accepts, and never answers."""
        probed.service.signal(signal.SIGSTOP)
        probed.have(PLAIN, FILE, LEASE)
        assert "no answer within" in probed.why(ADDR)
        probed.service.signal(signal.SIGCONT)
        probed.have(PLAIN, FILE, ADDR, LEASE)

    def test_program(self, probed):
        probed.program("exit 3")
        probed.have(PLAIN, FILE, ADDR)
        assert probed.why(LEASE) == "exit status 3"
        probed.program("exec sleep 1000")
        wait_until(lambda: "killed" in probed.why(LEASE), what="killed")
        # It inherits the filter.
        probed.program("exec grep -q 'Seccomp:.2' /proc/self/status")
        probed.have(PLAIN, FILE, ADDR, LEASE)
        # What others may write is not run.
        os.chmod(probed.programs + "/check", 0o775)
        probed.have(PLAIN, FILE, ADDR)
        assert probed.why(LEASE) == (
            "its program: it is not root's, or others may write it")
        os.chmod(probed.programs + "/check", 0o755)
        probed.have(PLAIN, FILE, ADDR, LEASE)

    def test_children(self, probed):
        """A hundred that want to outlive their parent, in each second."""
        probed.program("i=0; while [ $i -lt 100 ]; do setsid sleep 1000 & "
                       "i=$((i+1)); done 2>/dev/null; exit 0")
        wait_until(lambda: probed.sleeps() > 0, what="they run")
        probed.program("exit 0")
        wait_until(lambda: probed.sleeps() == 0, what="all are killed")
        probed.have(PLAIN, FILE, ADDR, LEASE)

    def test_speaker_killed(self, probed):
        probed.restart()
        probed.have(PLAIN, FILE, ADDR, LEASE)
        probed.healthy(False)
        probed.have(PLAIN, FILE, LEASE)
        probed.restart()
        probed.have(PLAIN, FILE, LEASE)
        probed.healthy(True)
        probed.have(PLAIN, FILE, ADDR, LEASE)

    def test_trackd_killed(self, probed):
        """The last state holds for a while, and is down then."""
        probed.trackd.kill()
        wait_until(lambda: probed.net(FILE)["tracks"][0]["overdue"] or
                   probed.state(FILE)[0] == "withdrawn", what="overdue")
        status, text, _ = probed.ana.cli("check", "health", check=False)
        assert status == 5 and "ana-trackd" in text
        probed.have(PLAIN)
        assert "no result came" in probed.why(FILE)
        probed.track()
        probed.have(PLAIN, FILE, ADDR, LEASE)
        assert "ALARM" not in probed.ana.cli("check", "health", check=False)[1]
        assert not sanitizer_reports(probed.ana.process)

    def test_trackd_mute(self, probed):
        """It takes the connection, and never says READY."""
        path = probed.ana.dir + "/run/trackd.sock"
        probed.trackd.kill()
        os.unlink(path)
        mute = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        mute.bind(path)
        os.chmod(path, 0o777)
        mute.listen()
        wait_until(lambda: "does not answer" in probed.ana.cli(
            "check", "health", check=False)[1], what="an alarm")
        mute.close()
        probed.track()
        wait_until(lambda: "ALARM" not in probed.ana.cli(
            "check", "health", check=False)[1], what="no alarm")
        probed.have(PLAIN, FILE, ADDR, LEASE)


FILES = (FILE, ADDR, LEASE)


@pytest.fixture(scope="class")
def restarts(class_lab):
    return Scene(class_lab, [
        network(p, 'track file "HEALTH%d" max-age 1h;' % i)
        for i, p in enumerate(FILES)] + [network(PLAIN)], restart=60).start()


@pytest.fixture
def restarted(restarts):
    """The services of FILE and LEASE are up."""
    for i in (0, 2):
        restarts.touch(i)
    if os.path.exists(restarts.health + "1"):
        restarts.unlink(1)
    restarts.have(PLAIN, FILE, LEASE)
    return restarts


class TestRestart:
    """With graceful restart: the partners keep what they had until we say
    End-of-RIB, which waits for the tracks."""

    def test_same(self, restarted):
        before = restarted.restart()
        wait_until(lambda: all(restarted.ana.up(n) for n in
                               restarted.ana.neighbors), what="up again")
        restarted.have(PLAIN, FILE, LEASE)
        assert not restarted.told("withdraw", before)
        assert not restarted.told(ADDR, before)

    def test_changed_meanwhile(self, restarted):
        """One died with the speaker, one came to life."""
        restarted.ana.process.signal(signal.SIGSTOP)
        restarted.unlink(0)
        restarted.touch(1)
        before = restarted.restart()
        restarted.have(PLAIN, ADDR, LEASE)
        assert restarted.state(FILE) == ("withdrawn", "tracks")
        # Nobody was told of it for a moment.
        assert restarted.told(ADDR, before)
        assert not restarted.told(FILE, before)

    def test_stopped(self, restarted):
        before = restarted.restart(signal.SIGTERM)
        wait_until(lambda: all(restarted.ana.up(n) for n in
                               restarted.ana.neighbors), what="up again")
        restarted.have(PLAIN, FILE, LEASE)
        assert not restarted.told("withdraw", before)

    def test_min_healthy(self, restarted):
        restarted.touch(1)
        restarted.have(PLAIN, *FILES)
        restarted.ana.blocks.append("announcements { min-healthy 50%; }")
        restarted.ana.reload()
        for i in range(3):
            restarted.unlink(i)
        wait_until(lambda: [restarted.state(p)[1] for p in
                            FILES].count("min-healthy") == 2,
                   what="two of three are kept")
        wait_until(lambda: all(len(r.routes()) == 3 for r in
                               restarted.partners.values()), what="and told")
        status, text, _ = restarted.ana.cli("check", "health", check=False)
        assert status == 5 and "min-healthy" in text
        assert "ana_bgpd_network_kept 2" in \
            restarted.ana.cli("show", "metrics")
        # Over a restart, too.
        restarted.restart()
        wait_until(lambda: all(len(r.routes()) == 3 for r in
                               restarted.partners.values()), what="still")
        for i in range(3):
            restarted.touch(i)
        restarted.have(PLAIN, *FILES)
        assert not sanitizer_reports(restarted.ana.process)
