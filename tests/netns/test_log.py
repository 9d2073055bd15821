"""The log: its outputs, its keys, and what a peer cannot do to it.

The daemon runs with a /run and a /dev of its own, in which this test is the
journal and syslog."""

import contextlib
import fcntl
import json
import os
import re
import socket
import threading

import pytest

from ana import TOP, Ana
from lab import wait_until
from routers import Route
from speaker import Speaker, notification

PEER = 719
MOUNTS = r"""
set -e
mount -t tmpfs dev "$1"
for n in null zero full random urandom; do
	: >"$1/$n"
	mount --bind /dev/$n "$1/$n"
done
ln -s /run/syslog "$1/log"
mount --move "$1" /dev
mount --bind "$2" /run
mount -t tmpfs -o size=4k,mode=777 small "$3"
shift 3
exec "$@"
"""


class Boxed(Ana):
    """A /run and a /dev/log that belong to this test."""

    def argv(self):
        dirs = [os.path.join(self.dir, d) for d in ("dev", "boxed", "state/small")]
        return ["unshare", "-m", "sh", "-c", MOUNTS, "sh", *dirs,
                *super().argv()]

    def config(self):
        return re.sub(r"log \{.*?\}", "log { %s }" % self.log,
                      super().config(), count=1)


class Listener(threading.Thread):
    """Takes what comes, at once: its queue holds some ten only."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(path)
        os.chmod(path, 0o666)
        self.sock.settimeout(0.1)
        self.records, self.over = [], False
        self.reading = threading.Event()
        self.reading.set()
        self.start()

    def run(self):
        while not self.over:
            if not self.reading.wait(0.1):
                continue
            try:
                self.records.append(self.sock.recv(65536).decode())
            except TimeoutError:
                pass

    def take(self):
        """The next record."""
        return wait_until(lambda: self.records and [self.records.pop(0)],
                          what="a record")[0]

    def close(self):
        self.over = True
        self.join()
        self.sock.close()


class Scene:
    def __init__(self, lab):
        a, p = lab.ns("ana"), lab.ns("peer")
        lab.link(a, p, v4="192.0.2.0/24")
        self.lab, self.p = lab, p
        self.ana = Boxed(lab, a, 52580, "192.0.2.1")
        boxed = os.path.join(self.ana.dir, "boxed")
        os.makedirs(boxed + "/systemd/journal")
        for d in ("dev", "state/small"):
            os.makedirs(os.path.join(self.ana.dir, d))
        self.path = boxed + "/systemd/journal/socket"
        self.journal = Listener(self.path)
        self.syslog = Listener(boxed + "/syslog")
        self.ana.log = "destination journal; level info;"
        self.ana.neighbor("192.0.2.2", PEER, "192.0.2.1", passive=True,
                          name="S\u00e3o Paulo", hold=3,
                          more=('no max-prefix "a lab";',))
        self.ana.announce(Route("179.191.160.0/24"))
        self.ana.start()
        self.peer = None

    def speaker(self):
        """A session; what a test left behind is ended."""
        if self.peer:
            self.peer.close()
        self.peer = Speaker(self.p, "192.0.2.2", "192.0.2.1", PEER, hold=3)
        return self.peer

    def record(self, **want):
        """The journal's next record with these fields."""
        while True:
            data = self.journal.take()
            assert data.endswith("\n")
            fields = dict(x.split("=", 1) for x in data.splitlines())
            assert {"MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", "CODE_FILE",
                    "CODE_LINE"} <= set(fields)
            if all(fields.get(k) == v for k, v in want.items()):
                return fields

    def reload(self, log):
        self.ana.log = log
        self.ana.reload()


@pytest.fixture(scope="class")
def scene(class_lab):
    scene = Scene(class_lab)
    yield scene
    scene.journal.close()
    scene.syslog.close()


class TestLog:
    def test_journal(self, scene):
        peer = scene.speaker()
        up = scene.record(ANA_EVENT="peer_up")
        assert up["PRIORITY"] == "6"
        assert (up["ANA_PEER"], up["ANA_PEER_AS"], up["ANA_DESCR"]) == (
            "192.0.2.2", str(PEER), "S\u00e3o Paulo")
        assert (up["ANA_FROM"], up["ANA_TO"]) == ("OpenConfirm",
                                                  "Established")
        assert up["MESSAGE"].startswith(
            "neighbor 192.0.2.2 (S\u00e3o Paulo) AS719: state change "
            "OpenConfirm -> Established, reason: ")
        source = (TOP / up["CODE_FILE"]).read_text().splitlines()
        assert "event" in source[int(up["CODE_LINE"]) - 1]
        # A peer that would write fields, move the cursor or break the text.
        said = b"bye\nPRIORITY=0\n\x1b[2J\xff\xc3"
        peer.send(notification(6, 2, bytes([len(said)]) + said))
        note = scene.record(ANA_EVENT="notification")
        assert (note["ANA_DIRECTION"], note["ANA_CODE"],
                note["ANA_SUBCODE"], note["PRIORITY"]) == ("received", "6",
                                                           "2", "4")
        assert "bye" in note["ANA_SHUTDOWN_MESSAGE"]
        assert "PRIORITY=0" in note["ANA_SHUTDOWN_MESSAGE"]
        assert "\x1b" not in "".join(note.values())
        scene.record(ANA_EVENT="peer_down")
        scene.ana.reload()
        assert scene.record(ANA_EVENT="reload")["ANA_GENERATION"] == "2"
        peer.close()

    def test_message_ids(self, scene):
        """One for each event, and the manual page has them all."""
        rows = re.findall(r'\[EVENT_\w+\] = \{\s*EVENT_\w+,\s*"\w+",\s*"(\w+)"'
                          r',\s*"([0-9a-f]{32})"', (TOP / "bgpd/events.c")
                          .read_text())
        assert len(rows) > 15 and len({i for _, i in rows}) == len(rows)
        page = (TOP / "man/ana-bgpd.8").read_text()
        assert re.findall(r"^\.It Cm (\w+) Pq Ql ([0-9a-f]{32})$", page,
                          re.M) == rows

    def test_journal_that_stands_still(self, scene):
        """Nobody reads: the sessions go on, and what is lost is told."""
        scene.journal.reading.clear()
        scene.reload("destination journal; level debug;")
        peer = scene.speaker()
        before = peer.keepalives
        # More than its queue holds (net.unix.max_dgram_qlen), by far.
        peer.announce(*(Route("62.%d.%d.0/24" % (i >> 8, i & 255), med=i)
                        for i in range(1500)))
        wait_until(lambda: peer.keepalives >= before + 4)
        assert peer.up()
        scene.journal.reading.set()
        lost = None
        while lost is None:
            text = scene.record()["MESSAGE"]
            lost = re.fullmatch(r"(\d+) lines before this one are lost: the "
                                r"log did not take them", text)
        assert int(lost[1]) > 100
        peer.close()

    def test_syslog(self, scene):
        scene.reload("destination syslog; level info;")
        peer = scene.speaker()
        seen = ""
        while "-> Established" not in seen:
            seen = scene.syslog.take()
        assert re.fullmatch(
            r"<30>[A-Z][a-z]{2} [ 123]\d \d\d:\d\d:\d\d ana-bgpd\[\d+\]: "
            r"neighbor 192\.0\.2\.2 \(S\u00e3o Paulo\) AS719: .*", seen)
        peer.close()

    def test_file(self, scene):
        path = scene.ana.dir + "/state/log.json"
        dest = 'destination file "%s"; level info; format json;' % path
        scene.reload(dest)
        peer = scene.speaker()

        def events(which):
            with open(path) as f:
                return [x for x in map(json.loads, f)
                        if x.get("event") == which]

        up = wait_until(lambda: events("peer_up"))[-1]
        assert list(up)[:4] == ["time", "level", "message", "event"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
                            up["time"])
        assert up["level"] == "info" and up["from"] == "OpenConfirm"
        assert up["neighbor"] == {
            "remote_addr": "192.0.2.2", "remote_as": str(PEER),
            "description": "S\u00e3o Paulo"}
        said = b"quote \" back\\slash\n\x1b[2J\xff"
        peer.send(notification(6, 4, bytes([len(said)]) + said))
        note = wait_until(lambda: [x for x in events("notification")
                                   if x["subcode"] == "4"])[0]
        assert note["code"] == "6"
        assert "\x1b" not in note["message"] and "quote" in note["message"]
        # The file was moved away: a reload begins a new one.
        os.rename(path, path + ".1")
        scene.ana.reload()
        assert wait_until(lambda: events("reload"))
        assert os.stat(path).st_mode & 0o7777 == 0o640
        status, text, _ = scene.ana.cli("show", "version", check=False)
        assert status == 0
        scene.ana.log = dest.replace(path, "/etc/log.json")
        scene.ana.write()
        status, text, _ = scene.ana.cli("reload", check=False)
        assert status == 1 and "log files are below" in text
        peer.close()

    def test_full_disk(self, scene):
        """Not one line is waited for, and their number is told."""
        scene.reload('destination file "%s/state/small/log"; level debug;' %
                     scene.ana.dir)
        peer = scene.speaker()
        peer.announce(*(Route("62.142.%d.0/24" % i) for i in range(100)))
        wait_until(lambda: scene.ana.show(scene.ana.neighbors[0])["stats"]
                   ["prefixes"]["received"] == 100)
        peer.close()
        scene.reload("destination stderr; level info;")
        wait_until(lambda: re.search(r"[1-9]\d* lines before this one are lost",
                                     scene.ana.process.tail(1000)))

    def test_no_journal(self, scene):
        """One that is not there is replaced by standard error."""
        os.unlink(scene.path)
        scene.reload("destination journal; level info;")
        wait_until(lambda: re.search(
            r"^\S+Z info: reload of \S+ done, generation \d+$",
            scene.ana.process.tail(1000), re.M))


class Piped(Ana):
    """Its standard error is a pipe, of four pages, that only this test reads."""

    def argv(self):
        self.pipe = os.path.join(self.dir, "pipe")
        os.mkfifo(self.pipe)
        self.fd = os.open(self.pipe, os.O_RDWR | os.O_NONBLOCK)
        fcntl.fcntl(self.fd, fcntl.F_SETPIPE_SZ, 16384)
        return ["sh", "-c", 'pipe=$1; shift; exec "$@" 2>"$pipe"', "sh",
                self.pipe, *super().argv()]

    def read(self):
        """All that is in the pipe now, in lines."""
        try:
            return os.read(self.fd, 1 << 20).decode().splitlines()
        except BlockingIOError:
            return []


@pytest.mark.parametrize("form", ["text", "json"])
def test_pipe_that_nobody_reads(lab, form):
    """Standard error: the same, though it is no descriptor of ours alone."""
    a, p = lab.ns("ana"), lab.ns("peer")
    lab.link(a, p, v4="192.0.2.0/24")
    ana = Piped(lab, a, 52580, "192.0.2.1")
    n = ana.neighbor("192.0.2.2", PEER, "192.0.2.1", passive=True, hold=3,
                     more=('no max-prefix "a lab";',))
    if form == "json":
        ana.level = "debug; format json"
    ana.start()
    with contextlib.closing(Speaker(p, "192.0.2.2", "192.0.2.1", PEER,
                                    hold=3)) as peer:
        peer.announce(*(Route("62.%d.%d.0/24" % (i >> 8, i & 255), med=i)
                        for i in range(500)))
        wait_until(lambda: ana.show(n)["stats"]["prefixes"]["received"] == 500)
        before = peer.keepalives
        wait_until(lambda: peer.keepalives >= before + 4)
        assert peer.up() and ana.process.running()
        lost = int(re.search(r"^ana_bgpd_log_lost_total (\d+)$",
                             ana.cli("show", "metrics"), re.M)[1])
        assert lost > 100
        lines = []
        wait_until(lambda: lines.extend(ana.read()) or any(
            "lines before this one are lost" in x for x in lines))
    # All but one that was cut short are whole lines.
    whole = [x for x in lines if (
        x[:1] == "{" and x[-1:] == "}" if form == "json" else
        re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z \w+: ", x))]
    assert len(whole) >= len(lines) - 1 and len(whole) > 5
    os.close(ana.fd)
