"""Events, history, the text for a ticket, and clients of the control socket
that do not behave."""

import json
import os
import pwd
import re
import select
import socket
import subprocess
import time

import jsonschema
import pytest

from ana import TOP, Ana, program
from lab import wait_until
from routers import Route
from speaker import Speaker, notification
from test_show import PEER, Scene, answer, ask, neighbor


@pytest.fixture(scope="class")
def scene(class_lab):
    yield Scene(class_lab)


class Watch:
    """ana-bgpctl watch, read line by line."""

    def __init__(self, scene, *words, text=False, command="watch"):
        self.text = text
        self.p = subprocess.Popen(
            [program("ana-bgpctl"), "-s", scene.ana.dir + "/run/control.sock",
             *(() if text else ("-j",)), command, *words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=dict(os.environ, ASAN_OPTIONS="exitcode=99"))
        self.rest = b""
        self.begin = self.line()

    def line(self, deadline=10):
        end = time.monotonic() + deadline
        while b"\n" not in self.rest:
            left = end - time.monotonic()
            assert left > 0, "no event came"
            if select.select([self.p.stdout], [], [], left)[0]:
                part = os.read(self.p.stdout.fileno(), 65536)
                assert part, "the stream ended"
                self.rest += part
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode() if self.text else json.loads(line)

    def until(self, **want):
        seen = []
        while not seen or any(seen[-1].get(k) != v for k, v in want.items()):
            seen.append(self.line())
        return seen

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.p.kill()
        self.p.communicate()


DOWN = notification(6, 2, b"\x08down\"\x1b[J")


class TestWatch:
    def test_stream(self, scene):
        with Watch(scene, "limits") as quiet, Watch(scene) as all_, \
                Watch(scene, "routes", "peers") as routes, \
                Watch(scene, text=True) as text:
            assert all_.begin["event"] == "begin"
            cursor = all_.begin["cursor"]
            assert re.fullmatch(r"\d+-%d" % all_.begin["seq"], cursor)
            scene.peer.send(DOWN)
            events = all_.until(event="down")
            assert [e["event"] for e in events][:1] == ["notification"]
            note, down = events[0], events[-1]
            assert note["class"] == "peers" and note["code"] == "6"
            assert note["direction"] == "received"
            assert "down" in note["shutdown_message"]
            assert "\x1b" not in json.dumps(events, ensure_ascii=False)
            assert down["neighbor"] == {"remote_addr": "192.0.2.2",
                                        "remote_as": str(PEER),
                                        "description": "partner"}
            assert (down["from"], down["to"]) == ("Established", "Idle")
            numbers = [e["seq"] for e in events]
            assert numbers == sorted(set(numbers))
            gone = routes.until(event="unreachable",
                                prefix="62.142.0.0/16")
            assert {e["class"] for e in gone} <= {"routes", "peers"}
            line = text.line()
            assert "partner" in line and "\x1b" not in line
            scene.ana.reload()
            reload = all_.until(event="reload")[-1]
            assert reload["class"] == "config"
            # Nothing of it is about limits.
            assert not select.select([quiet.p.stdout], [], [], 0)[0]
        # Again from a cursor: the same, not one lost or twice.
        with Watch(scene, "from", cursor) as again:
            seen = again.until(event="reload")
            want = [e for e in events + [reload]]
            assert [e for e in seen if e["seq"] in
                    {x["seq"] for x in want}] == want
            assert seen[-1] == reload
        with Watch(scene, "peers", "from", events[0]["cursor"]) as peers:
            assert peers.line()["seq"] > events[0]["seq"]
        with Watch(scene, "from", "0") as oldest:
            assert oldest.line()["event"] != "gap"
        with Watch(scene, "from", "77-5") as other:
            assert other.begin["event"] == "gap"
        status, _, err = scene.ana.cli("watch", "from", "x-1", check=False)
        assert status == 2 and "no cursor" in err

    def test_ring_and_slow_reader(self, scene):
        """More events than the ring keeps, while a reader stands still."""
        with Watch(scene, "config") as first:
            cursor = first.begin["cursor"]
            slow = ask(scene, "-j", "watch", "config", "from", cursor)
            for _ in range(300):
                s = ask(scene, "reload")
                assert answer(s)[2] == 0
            events = [first.line() for _ in range(300)]
            assert [e["event"] for e in events] == ["reload"] * 300
        with Watch(scene, "config", "from", cursor) as late:
            # The gap is told once, then what is kept, the last one whole.
            gap = late.line()
            assert gap["event"] == "gap"
            rest = late.until(seq=events[-1]["seq"])
            assert rest == events[-256:]
            assert gap["seq"] == events[-257]["seq"]
        slow.close()
        assert scene.ana.ctl("show", "version")["version"]

    def test_watcher_goes_away(self, scene):
        def clients():
            return [f for f in scene.ana.ctl("show", "metrics")["metrics"]
                    if f["name"] == "ana_bgpd_control_clients"][0][
                        "samples"][0]["value"]

        before = clients()
        socks = [ask(scene, "watch", "routes") for _ in range(5)]
        for s in socks:
            assert s.recv(1) == b"O"
        assert int(clients()) == int(before) + 5
        for s in socks:
            s.close()
        wait_until(lambda: clients() == before, what="their places are free")

    def test_history(self, scene):
        if scene.peer.up():
            scene.peer.send(DOWN)
            wait_until(lambda: neighbor(scene)["state"] != "Established")
        scene.ana.reload()
        n, absent = scene.ana.ctl("show", "history")["neighbors"]
        kinds = [h["type"] for h in n["history"]]
        assert "notification" in kinds and "state" in kinds
        last = [h for h in n["history"] if h["type"] == "notification"][0]
        assert (last["direction"], last["code"]) == ("received", 6)
        assert "down" in last["shutdown_message"]
        times = [h["time"] for h in n["history"]]
        assert times == sorted(times, reverse=True)
        assert n["established"] == 1 and absent["established"] == 0
        text = scene.ana.cli("show", "history", "neighbor", "partner")
        assert "NOTIFICATION received: Cease" in text
        assert "absent" not in text and "\x1b" not in text
        # What we say is kept, too, and a reload forgets nothing.
        scene.peer = Speaker(scene.p, "192.0.2.2", "192.0.2.1", PEER,
                             ("inet", "inet6"))
        scene.ana.cli("neighbor", "partner", "clear", "ticket 7")
        scene.ana.reload()
        n = scene.ana.ctl("show", "history", "neighbor",
                          "partner")["neighbors"][0]
        sent = [h for h in n["history"] if h["type"] == "notification"][0]
        assert (sent["direction"], sent["code"], sent["shutdown_message"]) == (
            "sent", 6, "ticket 7")
        assert n["established"] == 2
        assert scene.ana.cli("show", "history", "neighbor", "x",
                             check=False)[0] == 4

    def test_support(self, scene):
        key = "s3cret-md5-key"
        path = os.path.join(scene.ana.dir, "etc", "md5.key")
        with open(path, "w") as f:
            f.write(key + "\n")
        os.chmod(path, 0o600)
        os.chown(path, pwd.getpwnam(scene.ana.user).pw_uid, -1)
        scene.n.more += ('tcp-md5 secret-file "md5.key";',)
        scene.ana.reload()
        text = scene.ana.cli("show", "support")
        for part in ("show version", "show neighbor", "show rejected",
                     "show config defaults", "the last events"):
            assert "==== %s\n" % part in text
        assert "md5.key" in text
        j = scene.ana.ctl("show", "support")
        assert {"version", "neighbors", "metrics", "config", "events",
                "ana"} <= set(j)
        assert isinstance(j["neighbors"]["neighbors"], list)
        for words in ([], ["-j"]):
            for cmd in (["show", "support"], ["show", "config"],
                        ["show", "neighbor"], ["show", "metrics"],
                        ["watch", "config"]):
                got = scene.ana.cli(*words, "-t", "1", *cmd, check=False)
                assert key not in got[1] + got[2], cmd
        assert key not in scene.ana.process.tail(100000)
        scene.n.more = scene.n.more[:-1]
        scene.ana.reload()

    def test_memory_has_the_ring(self, scene):
        events = scene.ana.ctl("show", "memory")["memory"]["events"]
        assert 0 < events["count"] and 1000 < events["size"] < 8 << 20


def test_trace(lab):
    """One neighbor's messages, both ways, decoded; nobody else's."""
    a, p = lab.ns("ana"), lab.ns("peer")
    lab.link(a, p, v4="192.0.2.0/24")
    p.ip("addr", "add", "192.0.2.3/24", "dev", "to-ana")
    ana = Ana(lab, a, 52580, "192.0.2.1")
    for i in (2, 3):
        ana.neighbor("192.0.2.%d" % i, PEER, "192.0.2.1", passive=True,
                     name="n%d" % i, hold=3)
    ana.announce(Route("179.191.160.0/24"))
    ana.level = "info"          # messages are not in the log
    ana.start()
    ana.lab = lab
    scene = type("S", (), {"ana": ana})
    with Watch(scene, "neighbor", "n2", command="trace") as trace, \
            Watch(scene, "neighbor", "192.0.2.2", command="trace",
                  text=True) as text, Watch(scene, "peers") as peers:
        other = Speaker(p, "192.0.2.3", "192.0.2.1", PEER, hold=3)
        peer = Speaker(p, "192.0.2.2", "192.0.2.1", PEER, hold=3)
        peer.announce(Route("62.1.0.0/16"))
        seen = trace.until(direction="received", type="UPDATE")
        assert {e["neighbor"]["remote_addr"] for e in seen} == {"192.0.2.2"}
        assert {e["class"] for e in seen} == {"trace"}
        schema = json.loads((TOP / "doc/schema/watch.json").read_text())
        for e in seen:
            jsonschema.validate(e, schema)
        assert [e["type"] for e in seen if e["direction"] == "received"] == [
            "OPEN", "KEEPALIVE", "UPDATE"]
        assert "announce 62.1.0.0/16" in seen[-1]["text"]
        assert int(seen[-1]["length"]) == 46, seen[-1]
        sent = [e for e in seen if e["direction"] == "sent"]
        assert "OPEN" == sent[0]["type"] and "AS 52580" in sent[0]["text"]
        lines = [text.line() for _ in range(3)]
        assert any("neighbor 192.0.2.2 (n2) AS719: sent OPEN" in x
                   for x in lines), lines
        # "watch" does not have them.
        assert all(e["class"] == "peers" for e in peers.until(event="up"))
        ana.cli("neighbor", "n2", "down", "bye")
        end = trace.until(type="NOTIFICATION")[-1]
        assert end["direction"] == "sent" and "bye" in end["text"]
        # A neighbor that is removed ends its trace, and the daemon goes on.
        ana.neighbors.pop(0)
        ana.reload()
        assert trace.p.wait(20) == 4
        other.close()
        peer.close()
    status, _, err = ana.cli("trace", "neighbor", "nosuch", check=False)
    assert status == 4 and "no such neighbor" in err
    with Watch(scene, "neighbor", "n3", command="trace"):
        pass                    # its reader goes away
    wait_until(lambda: ana.ctl("show")["neighbors"])
    assert "Received" in ana.cli("show", "neighbor", "n3")


class Short:
    """A session with a hold time of three seconds, and many routes."""

    def __init__(self, lab):
        a, p = lab.ns("ana"), lab.ns("peer")
        lab.link(a, p, v4="192.0.2.0/24")
        self.ana = Ana(lab, a, 52580, "192.0.2.1")
        self.n = self.ana.neighbor("192.0.2.2", PEER, "192.0.2.1",
                                   passive=True, name="partner", hold=3,
                                   more=('no max-prefix "a lab";',))
        self.ana.announce(Route("179.191.160.0/24"))
        self.ana.start()
        self.peer = Speaker(p, "192.0.2.2", "192.0.2.1", PEER, hold=3)
        self.peer.announce(*(Route("62.%d.%d.0/24" % (i >> 8, i & 255))
                             for i in range(2000)))
        wait_until(lambda: neighbor(self)["stats"]["prefixes"]["received"] ==
                   2000, what="all routes are in")


class TestClients:
    """What others do on the socket leaves the sessions alone."""

    @pytest.fixture(scope="class")
    def scene(self, class_lab):
        yield Short(class_lab)

    def test_a_thousand(self, scene):
        path = scene.ana.dir + "/run/control.sock"
        before, socks, refused = neighbor(scene), [], 0
        try:
            for i in range(1000):
                s = socket.socket(socket.AF_UNIX)
                socks.append(s)
                s.settimeout(10)
                # Its backlog may be full.
                wait_until(lambda: s.connect(path) is None, step=0.01)
                try:
                    # Some ask and read nothing, some ask half, some nothing.
                    s.sendall((b"\1-j\0show\0support\0\0",
                               b"\1show\0ri", b"", b"\1" + b"x" * 400,
                               b"\1watch\0routes\0\0")[i % 5])
                except (BrokenPipeError, ConnectionResetError):
                    pass
            for s in socks:
                s.settimeout(0.01)
                try:
                    refused += b"are asking already" in s.recv(65536)
                except (TimeoutError, ConnectionError):
                    pass
            assert refused > 900
            # Some had their time and are gone: others take their place.
            def full():
                status, _, err = scene.ana.cli("show", check=False)
                if status == 3 and "try again" in err:
                    return True
                s = socket.socket(socket.AF_UNIX)
                socks.append(s)
                s.connect(path)
                return False
            wait_until(full, what="no room")
            # They stay for longer than the hold time of three seconds.
            told = scene.peer.keepalives
            wait_until(lambda: scene.peer.keepalives >= told + 4, 10,
                       what="keepalives while they hang")
            assert scene.peer.up()
        finally:
            for s in socks:
                s.close()
        wait_until(lambda: scene.ana.cli("show", check=False)[0] == 0)
        n = neighbor(scene)
        assert n["state"] == "Established" and n["stats"]["established"] == 1
        for way in ("sent", "received"):
            assert n["stats"]["message"][way]["keepalives"] >= 2 + \
                before["stats"]["message"][way]["keepalives"]
        loop = scene.ana.ctl("show", "loop")["evloop"]
        assert loop["max_turn_usec"] < 1000000
        assert scene.ana.process.tail(5000).count("clients are the most") <= 2

    def test_requests_that_are_none(self, scene):
        path = scene.ana.dir + "/run/control.sock"
        for octets, says in ((b"\2show\0\0", "version"),
                             (b"\1show\0\xff\xfe\0\0", "stand here"),
                             (b"\1" + b"x\0" * 5000, ""),
                             (b"\1\0", "")):
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(10)
            s.connect(path)
            try:
                s.sendall(octets)
            except ConnectionError:
                pass
            try:
                _, err, code = answer(s)
            except ConnectionResetError:
                assert says == ""
                continue
            assert code == 2 and says in err and err.endswith("\n")

    def test_another_user_reads_only(self, scene):
        """Any user may read; what changes something needs the other socket,
        which the file's mode keeps from him."""
        run_dir = scene.ana.dir + "/run"
        # The way there, which the lab's directory closes.
        at = scene.ana.dir
        while at != "/tmp" and at != "/":
            os.chmod(at, os.stat(at).st_mode | 0o011)
            at = os.path.dirname(at)
        os.chmod(run_dir, 0o755)
        ctl = program("ana-bgpctl")
        other = pwd.getpwnam("games").pw_uid

        def run(*words, sock="control.sock", fall_back=False):
            where = [] if fall_back else ["-s", run_dir + "/" + sock]
            pid_env = dict(os.environ, ANA_BGPD_SOCKET=run_dir + "/" + sock,
                           ASAN_OPTIONS="exitcode=99:detect_leaks=0")
            # The program may lie where this user cannot go.
            with open("/proc/self/fd/%d" % os.open(ctl, os.O_RDONLY),
                      "rb") as f:
                binary = f.read()
            exe = "/tmp/ana-bgpctl-test-%d" % os.getpid()
            with open(exe, "wb") as f:
                f.write(binary)
            os.chmod(exe, 0o755)
            try:
                p = subprocess.run([exe, *where, *words], user=other,
                                   group=other, extra_groups=[], text=True,
                                   capture_output=True, timeout=30,
                                   env=pid_env, cwd="/")
            finally:
                os.unlink(exe)
            return p.returncode, p.stdout, p.stderr

        status, _, err = run("show")
        assert status == 3 and "ana-bgpd-admin" in err
        status, text, err = run("show", fall_back=True)
        assert status == 0 and "partner" in text
        assert "asking the read-only" in err
        status, text, _ = run("show", sock="restricted.sock")
        assert status == 0 and "partner" in text
        up = neighbor(scene)["stats"]["established"]
        for words in (["neighbor", "partner", "clear"], ["reload"],
                      ["shutdown"], ["log", "level", "debug"],
                      ["neighbor", "partner", "down"]):
            status, text, err = run(*words, sock="restricted.sock")
            assert status == 1 and "permission denied" in err, words
        assert neighbor(scene)["stats"]["established"] == up
        assert neighbor(scene)["admin_state"] == "up"


def test_completion(lab):
    """In a real bash: commands, arguments, and neighbors from the daemon."""
    a = lab.ns("ana")
    ana = Ana(lab, a, 52580, "192.0.2.1")
    ana.listen = []
    ana.announce(Route("179.191.160.0/24"))
    ana.neighbor("192.0.2.2", PEER, "127.0.0.1", passive=True, name="partner")
    ana.start()
    ctl = program("ana-bgpctl")

    def complete(*words):
        script = """
            eval "$(ana-bgpctl completion bash)"
            COMP_LINE="ana-bgpctl $*" COMP_POINT=${#COMP_LINE}
            _ana_bgpctl
            printf '%s\\n' "${COMPREPLY[@]}"
        """
        p = subprocess.run(["bash", "-c", script, "bash", *words], text=True,
                           capture_output=True, timeout=60, env=dict(
                               os.environ, PATH=os.path.dirname(ctl) + ":" +
                               os.environ["PATH"], ANA_BGPD_SOCKET=ana.dir +
                               "/run/control.sock"))
        assert p.stderr == ""
        return p.stdout.split()

    assert {"show", "neighbor", "reload", "watch"} <= set(complete(""))
    assert complete("sho") == ["show"]
    assert set(complete("show", "re")) == {"rejected"}
    assert set(complete("neighbor", "")) == {"192.0.2.2", "partner"}
    assert set(complete("neighbor", "partner", "cl")) == {"clear",
                                                          "clear-limit"}
    assert set(complete("show", "rib", "b")) == {"best"}
    assert set(complete("show", "rib", "neighbor", "pa")) == {"partner"}
    assert set(complete("-j", "log", "level", "")) == {"error", "warning",
                                                       "info", "debug"}
    p = subprocess.run([ctl, "completion"], capture_output=True)
    assert p.returncode == 2
    p = subprocess.run([ctl, "completion", "zsh"], capture_output=True,
                       text=True)
    assert p.returncode == 0 and p.stdout.startswith("#compdef ana-bgpctl\n")
