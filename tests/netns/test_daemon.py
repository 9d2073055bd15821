"""Start, stop, crash: what the operator and the kernel's table see."""

import os
import signal
import socket
import subprocess

import pytest

from ana import Ana, Watch, program, sanitizer_reports
from lab import wait_equal, wait_until
from routers import Route
from speaker import Connection, Speaker

US, PEER = 52580, 719
ROUTES = [Route("62.142.0.0/16"), Route("46.182.112.0/21"),
          Route("31.132.12.0/24", path=(3292,))]
ROUTES6 = [Route("2001:998::/41"), Route("2001:671::/47")]


class Scene:
    def __init__(self, lab):
        self.lab, self.a, self.p = lab, lab.ns("ana"), lab.ns("peer")
        lab.link(self.a, self.p, v4="192.0.2.0/30", v6="2001:db8:1::/64")
        self.ana = Ana(lab, self.a, US, "192.0.2.1")
        self.ana.neighbor("192.0.2.2", PEER, "192.0.2.1", passive=True)
        self.ana.neighbor("2001:db8:1::2", PEER, "2001:db8:1::1", ("inet6",),
                          passive=True)
        self.speakers = []

    def connect(self):
        self.speakers = [
            Speaker(self.p, "192.0.2.2", "192.0.2.1", PEER),
            Speaker(self.p, "2001:db8:1::2", "2001:db8:1::1", PEER)]
        self.speakers[0].announce(*ROUTES)
        self.speakers[1].announce(*ROUTES6)

    def want(self):
        return {**{r.prefix: {"192.0.2.2"} for r in ROUTES},
                **{r.prefix: {"2001:db8:1::2"} for r in ROUTES6}}

    def close(self):
        for s in self.speakers:
            s.close()


@pytest.fixture
def scene(lab):
    s = Scene(lab)
    yield s
    s.close()
    if s.ana.process:
        assert not sanitizer_reports(s.ana.process)


def failed_start(scene, *change, ns=True):
    """Runs the daemon to its end: (status, what it said)."""
    scene.ana.write()
    argv = scene.ana.argv() + list(change)
    if ns:
        argv = ["ip", "netns", "exec", scene.a.full] + argv
    p = subprocess.run(argv, text=True, timeout=30, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                       env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))
    return p.returncode, p.stdout


def one_sentence(out, *words):
    lines = [x for x in out.splitlines() if "error" in x.lower() or any(
        w in x for w in words)]
    assert any(all(w in x for w in words) for x in lines), out
    assert len(out.splitlines()) <= 5, out


def test_directory_is_missing(scene):
    status, out = failed_start(scene, "-R", scene.ana.dir + "/no/such/dir")
    assert status != 0
    one_sentence(out, "/no/such/dir")


def test_state_directory_is_missing(scene):
    status, out = failed_start(scene, "-S", scene.ana.dir + "/no/such/dir")
    assert status != 0
    one_sentence(out, "/no/such/dir")


def test_user_is_missing(scene):
    status, out = failed_start(scene, "-u", "no-such-user")
    assert status != 0
    one_sentence(out, "no-such-user")


def test_configuration_is_missing(scene):
    status, out = failed_start(scene, "-f", scene.ana.dir + "/none.conf")
    assert status != 0
    one_sentence(out, "none.conf")


def test_its_own_fibd_does_not_start(scene):
    status, out = failed_start(scene, "-A", "-4 99-100")
    assert status != 0
    one_sentence(out, "ana-fibd", "ended")


def test_port_is_taken(scene):
    other = Connection.listen(scene.a, "192.0.2.1")
    try:
        status, out = failed_start(scene)
        assert status != 0
        one_sentence(out, "179")
    finally:
        other.close()


def test_started_twice(scene):
    """The second one ends before it touches a socket or a neighbor."""
    scene.ana.start()
    scene.connect()
    wait_until(scene.ana.all_up, what="sessions")
    status, out = failed_start(scene)
    assert status != 0
    one_sentence(out, "control.sock", "another ana-bgpd answers there")
    assert "Connect" not in out, out
    assert scene.ana.all_up()
    scene.ana.cli("reload")

    # What a killed one left is no obstacle, a file of somebody else is.
    scene.ana.kill()
    scene.close()
    scene.ana.start()
    scene.ana.stop()
    path = scene.ana.dir + "/run/control.sock"
    with open(path, "w") as f:
        f.write("a file")
    status, out = failed_start(scene)
    assert status != 0
    one_sentence(out, path, "no socket")
    with open(path) as f:
        assert f.read() == "a file"


def test_standard_descriptors_are_closed(scene):
    scene.ana.write()
    scene.ana.process = scene.a.spawn("closed", [
        "sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"] + scene.ana.argv())
    wait_until(lambda: "Active" in scene.ana.cli("show", check=False)[1],
               what="ana-fibd is there and sessions begin")


def test_nobody_at_the_socket_of_fibd(scene):
    """Why no session starts is said from the first moment on."""
    path = scene.ana.dir + "/run/fibd.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.bind(path)
    scene.ana.start()
    for n in scene.ana.ctl("show", "neighbor")["neighbors"]:
        assert "ana-fibd is not there" in n["why_down"]


def test_check_of_a_bad_configuration(scene):
    scene.ana.write()
    with open(scene.ana.conf) as f:
        text = f.read()
    with open(scene.ana.conf, "w") as f:
        f.write(text.replace("remote-as 719", "remote-as banana", 1) +
                "\nglobel { }\n")
    p = subprocess.run([program("ana-bgpd"), "-n", "-f", scene.ana.conf],
                       text=True, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE)
    assert p.returncode == 1
    said = p.stdout + p.stderr
    assert "banana" in said and "globel" in said and '"global"' in said, said
    assert "ana-bgpd.conf:%d:" % (text.count("\n") + 2) in said, said


def test_check_of_a_good_configuration(scene):
    scene.ana.write()
    p = subprocess.run([program("ana-bgpd"), "-n", "-f", scene.ana.conf],
                       text=True, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE)
    assert p.returncode == 0, p.stderr


def test_bad_reload_changes_nothing(scene):
    scene.ana.start()
    scene.connect()
    wait_equal(scene.ana.kernel, scene.want())
    with open(scene.ana.conf, "a") as f:
        f.write("neighbor 192.0.2.9 { remote-as; }\n")
    status, out, err = scene.ana.cli("reload", check=False)
    assert status == 1 and "ana-bgpd.conf:" in out + err, (status, out, err)
    assert scene.ana.kernel() == scene.want()
    assert all(s.up() for s in scene.speakers)


def test_unprivileged_in_memory(scene):
    """-F memory -p PORT needs neither root nor ana-fibd."""
    scene.ana.bgpd_args = ["-F", "memory", "-p", "1790"]
    scene.ana.write()
    argv = ["setpriv", "--reuid", scene.ana.user, "--clear-groups", "--"] + \
        scene.ana.argv()
    scene.ana.process = scene.a.spawn("memory", argv, env={
        "ASAN_OPTIONS": "detect_leaks=0"})
    wait_until(scene.ana._answers)
    c = Connection.dial(scene.p, "192.0.2.2", "192.0.2.1", port=1790)
    c.handshake(PEER)
    wait_until(lambda: scene.ana.up(scene.ana.neighbors[0]))
    c.close()
    assert scene.ana.kernel() == {}
    uid = os.stat("/proc/%d" % scene.ana.process.pid).st_uid
    assert uid != 0


def test_two_users_without_privileges(scene):
    """The speaker is not root and has no capability."""
    scene.ana.start()
    with open("/proc/%d/status" % scene.ana.process.pid) as f:
        status = dict(line.rstrip().split(":", 1) for line in f)
    assert "0" not in status["Uid"].split()
    for key in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status[key], 16) == 0, (key, status[key])
    assert status["NoNewPrivs"].strip() == "1"


@pytest.mark.parametrize("own_fibd", [True, False], ids=["lab", "service"])
def test_killed_speaker_leaves_its_routes(scene, own_fibd):
    fibd = None
    if not own_fibd:
        fibd = scene.a.spawn("fibd", [
            program("ana-fibd"), "-s", scene.ana.dir + "/run/fibd.sock",
            "-d", "-u", scene.ana.user, "-U", scene.ana.fibd_user],
            env={"ASAN_OPTIONS": "detect_leaks=0"})
        wait_until(lambda: os.path.exists(scene.ana.dir + "/run/fibd.sock"))
    scene.ana.start()
    scene.connect()
    wait_equal(scene.ana.kernel, scene.want())
    watch = Watch(scene.a)
    scene.ana.process.kill()
    for s in scene.speakers:
        assert s.closed.wait(10)
    assert scene.ana.kernel() == scene.want()
    scene.ana.start()
    assert scene.ana.kernel() == scene.want()
    scene.connect()
    wait_until(lambda: all(scene.ana.up(n) for n in scene.ana.neighbors))
    wait_equal(lambda: {p for p in scene.ana.rib()},
               set(scene.want()), 20)
    wait_equal(scene.ana.kernel, scene.want())
    assert not watch.deleted(), watch.deleted()
    # They are the new speaker's: it takes them away.
    scene.speakers[0].withdraw(*[r.prefix for r in ROUTES])
    wait_equal(scene.ana.kernel, {r.prefix: {"2001:db8:1::2"}
                                  for r in ROUTES6})
    if fibd:
        assert fibd.running()
        assert not sanitizer_reports(fibd)


def test_stop_keeps_and_shutdown_removes(scene):
    scene.ana.start()
    scene.connect()
    wait_equal(scene.ana.kernel, scene.want())
    scene.ana.process.signal(signal.SIGTERM)
    wait_until(lambda: not scene.ana.running(), 15)
    assert scene.ana.process.p.returncode == 0
    assert scene.ana.kernel() == scene.want()
    for s in scene.speakers:
        assert s.closed.wait(5)
        assert s.notification and s.notification[:2] == (6, 2)
    scene.ana.start()
    scene.connect()
    wait_until(lambda: all(scene.ana.up(n) for n in scene.ana.neighbors))
    scene.ana.cli("shutdown", "end of the test")
    wait_until(lambda: not scene.ana.running(), 15)
    assert scene.ana.process.p.returncode == 0
    assert scene.ana.kernel() == {}


def test_foreign_routes_are_left_alone(scene):
    """A destination that somebody else holds is not ours to take."""
    scene.a.ip("route", "add", ROUTES[0].prefix, "via", "192.0.2.2", "metric",
               "20", "proto", "static")
    scene.a.ip("-6", "route", "add", ROUTES6[0].prefix, "via",
               "2001:db8:1::2", "metric", "20", "proto", "static")
    scene.ana.start()
    scene.connect()
    want = scene.want()
    del want[ROUTES[0].prefix], want[ROUTES6[0].prefix]
    wait_equal(scene.ana.kernel, want)
    foreign = scene.a.routes("static")
    assert set(foreign) == {ROUTES[0].prefix, ROUTES6[0].prefix}
    scene.ana.cli("shutdown")
    wait_until(lambda: not scene.ana.kernel(), 15)
    assert scene.a.routes("static") == foreign
