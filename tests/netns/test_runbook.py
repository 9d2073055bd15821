"""doc/runbook.md does what it says: its commands, in their order, in a lab.

A block "conf" is added to the configuration, in "sh" each line with $ is run
and must succeed, and the lines below it must be in what it shows, in their
order; "..." fits anything.  A comment <!-- lab: ... --> is what happens
meanwhile, EVENTS below.
"""

import json
import os
import re
import subprocess

import pytest

from ana import TOP, Ana, program, sanitizer_reports
from lab import wait_until
from routers import Route
from speaker import Speaker, end_of_rib

US, PARTNER = 52580, 64500
# Of other programs, that the lab does not have as the box has them.
NOT_HERE = ("systemctl ", "journalctl ", "bgpq4 ")
START = """syntax 1;
global {
	as 52580;
	router-id 192.0.2.10;
	connect-retry 1s;
	lab-mode documentation;
}
log { destination stderr; level debug; }
prefix-set ours { 192.0.2.0/24; }
policy in { rule all { accept; } }
policy out { rule ours { match origin-local; accept; } }
network 192.0.2.0/24;
"""
GOOD = ["203.0.113.0/24", "203.0.112.0/24"]
UNKNOWN = "203.0.114.0/24"


class Scene:
    def __init__(self, lab):
        self.lab, self.ns, self.p = lab, lab.ns("ana"), lab.ns("partner")
        lab.link(self.p, self.ns, v4="198.51.100.0/30")
        self.ana = Ana(lab, self.ns, US, "192.0.2.10",
                       fibd_args="-a 203.0.112.0/22")
        self.text, self.speaker = START, None
        self.ana.config = lambda: self.text
        self.list(GOOD)
        self.ana.start()

    def list(self, prefixes):
        """As bgpq4 -j writes it."""
        path = os.path.join(os.path.dirname(self.ana.conf), "sets")
        os.makedirs(path, exist_ok=True)
        with open(path + "/example-telecom.json", "w") as f:
            json.dump({"example-telecom": [
                {"prefix": p, "exact": True} for p in prefixes]}, f)

    def connect(self, prefixes):
        if self.speaker:
            self.speaker.close()
        self.speaker = Speaker(self.p, "198.51.100.1", "198.51.100.2",
                               PARTNER)
        self.speaker.announce(*[Route(p) for p in prefixes])
        self.speaker.send(end_of_rib("inet"))

    def configured(self, block):
        self.text += re.sub("^   ", "", block, flags=re.M)
        self.ana.write()

    # ---- what happens between the commands

    def up(self):
        self.connect(GOOD + [UNKNOWN])
        wait_until(lambda: self.ana.ctl("show", "neighbor")["neighbors"][0][
            "stats"]["prefixes"]["received"] == 3, what="its routes")
        wait_until(lambda: self.ana.cli("check", "health", check=False)[0]
                   == 0, what="health")

    def more_in_list(self):
        self.list(GOOD + [UNKNOWN])

    def flood(self):
        self.speaker.announce(*[Route("203.0.%d.0/24" % i)
                                for i in range(254)])
        assert self.speaker.closed.wait(30)

    def sober(self):
        self.speaker.close()

    def run(self, command):
        """Status and text, as in a shell of the box."""
        command = command.replace("/etc/ana-bgpd/", os.path.dirname(
            self.ana.conf) + "/")
        if command == "ana-bgpd -n":
            command += " -f " + self.ana.conf
        p = subprocess.run(
            ["ip", "netns", "exec", self.ns.full, "sh", "-c", command],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=60, cwd=self.lab.dir, env=dict(
                os.environ, ASAN_OPTIONS="exitcode=99:detect_leaks=0",
                PATH=os.path.dirname(program("ana-bgpctl")) + ":" +
                os.environ["PATH"],
                ANA_BGPD_SOCKET=self.ana.dir + "/run/control.sock"))
        return p.returncode, p.stdout


EVENTS = {
    "the session is up": Scene.up,
    "the list has the prefix": Scene.more_in_list,
    "the partner sends too much": Scene.flood,
    "the partner sends what it should": Scene.sober,
}


@pytest.fixture
def scene(lab):
    s = Scene(lab)
    yield s
    if s.speaker:
        s.speaker.close()
    assert not sanitizer_reports(s.ana.process)


def steps(text):
    """("lab"|"conf"|"sh", what, lines to be seen)"""
    for m in re.finditer(r"<!-- lab: (.*?) -->|^ *```(\w+)\n(.*?)^ *```$",
                         text, re.S | re.M):
        if m[1]:
            yield "lab", m[1], []
        elif m[2] == "conf":
            yield "conf", m[3], []
        else:
            lines = [x.strip() for x in m[3].splitlines()]
            assert lines[0].startswith("$ "), m[3]
            at = [i for i, x in enumerate(lines) if x.startswith("$ ")]
            for a, b in zip(at, at[1:] + [len(lines)]):
                yield "sh", lines[a][2:], lines[a + 1:b]


def fits(shown, lines):
    rest = shown
    for line in lines:
        words = [re.escape(w.strip()) for w in line.split("...")]
        words = [re.sub(r"(\\ )+", r"\\s+", w) for w in words]
        m = re.search(r"^\s*" + r".*?".join(words), rest, re.M)
        if m is None:
            return line
        rest = rest[m.end():]
    return None


def test_lab_mode_is_the_first_line(scene):
    assert scene.ana.cli("show").startswith("LAB MODE: documentation numbers")
    assert "LAB MODE" not in scene.ana.cli("show", "summary", "terse")


def test_runbook(scene):
    ran = 0
    for kind, what, lines in steps((TOP / "doc/runbook.md").read_text()):
        if kind == "lab":
            EVENTS[what](scene)
        elif kind == "conf":
            scene.configured(what)
        elif not what.startswith(NOT_HERE):
            ran += 1
            seen = []

            def good():
                seen[:] = scene.run(what)
                return seen[0] == 0 and fits(seen[1], lines) is None
            # Shown at once, or soon: sessions take a moment.
            if what.startswith("ana-bgpctl show"):
                try:
                    wait_until(good)
                except AssertionError:
                    pass
            else:
                good()
            if os.environ.get("ANA_RUNBOOK"):
                print("$ %s\n%s" % (what, seen[1]))
            assert seen[0] == 0, "$ %s\n%s" % (what, seen[1])
            assert fits(seen[1], lines) is None, "%r is not in\n$ %s\n%s" % (
                fits(seen[1], lines), what, seen[1])
    assert ran > 20
