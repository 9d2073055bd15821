"""Prefix sets: what bgpq4 writes, new content while running, bad lists."""

import hashlib
import os
import subprocess

import pytest

from irrd import IRRd
from lab import wait_until
from test_reload import ONE, TWO, Scene

SETS = {"AS-ONE": ["AS719", "AS-INNER"], "AS-INNER": ["AS64496", "AS3292"],
        "AS-EMPTY": []}
IN = {"AS719": ["62.142.0.0/16", "62.142.0.0/17", "62.142.128.0/17",
                "46.182.112.0/21", "2001:998::/32"],
      "AS3292": ["80.62.0.0/16", "87.48.0.0/12", "2001:6c8::/32"]}
FORMS = {"json": ["-j"], "openbgpd": ["-B", "-E"], "bird": ["-b"],
         "plain": ["-F", "%n/%l %a %A\\n"]}


@pytest.fixture
def irrd():
    made = []

    def make(**kw):
        made.append(IRRd(SETS, IN, **kw))
        return made[-1]
    yield make
    for x in made:
        x.close()


def bgpq4(server, *args):
    p = subprocess.run(["bgpq4", "-h", "127.0.0.1:%d" % server.port, "-S",
                        "RADB", "-l", "P", *args], text=True, timeout=30,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert p.returncode == 0, p.stderr
    return p.stdout


class Sets(Scene):
    """The set of each partner is in a file below the configuration."""

    def __init__(self, lab):
        super().__init__(lab)
        self.ana.sets = {}
        self.ana.blocks += ["prefix-set %s { file \"sets/%s\"; max-age 1d; }"
                            % (n, n) for n in ("one", "two")]
        self.put("one", "62.142.0.0/16 16 24\n46.182.112.0/21\n")
        self.put("two", "".join("80.%d.0.0/16\n" % i for i in range(256)) +
                 "87.48.0.0/16\n")

    def path(self, name):
        return os.path.join(self.ana.dir, "etc", "sets", name)

    def put(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w") as f:
            f.write(text)

    def set(self, name):
        (s,) = self.ana.ctl("show", "sets", name)["sets"]
        return s

    def run_again(self):
        """{AS: routes that were run through the policy again}"""
        return {int(x["remote_as"]): x["stats"]["routes"]["reimported"]
                for x in self.ana.ctl("show", "neighbor")["neighbors"]}


@pytest.fixture
def scene(lab):
    s = Sets(lab)
    s.start()
    s.accepted(33)
    yield s
    for x in s.speakers.values():
        x.close()


def test_bgpq4_writes_what_we_read(scene, irrd):
    """The same set in every form, both families, with and without !a."""
    for server in irrd(), irrd(aggregate=False):
        for form, args in FORMS.items():
            want = {}
            for family, version in (("inet", "-4"), ("inet6", "-6")):
                path = os.path.join(scene.ana.dir, form + family)
                with open(path, "w") as f:
                    f.write(bgpq4(server, version, "-A", *args, "AS-ONE"))
                want[family] = path
            for family, path in want.items():
                diff = scene.ana.ctl("set", "diff", "two", path)
                got = sorted(diff["added"]["first"])
                # 80.62.0.0/16 is in the set already.
                assert got == {
                    "inet": ["46.182.112.0/21", "62.142.0.0/16 16-17",
                             "87.48.0.0/12"],
                    "inet6": ["2001:6c8::/32", "2001:998::/32"]}[family], (
                        form, got)
                # All but it and the rest of its 256 are gone.
                assert diff["removed"]["count"] == \
                    {"inet": 256, "inet6": 257}[family], (form, diff)
        assert any(q.startswith("!a4" if server.aggregate else "!gas")
                   for q in server.seen), server.seen
    # An unknown as-set is an empty list and exit 0: refused here.
    for form, args in FORMS.items():
        path = os.path.join(scene.ana.dir, "none" + form)
        with open(path, "w") as f:
            f.write(bgpq4(irrd(), "-4", *args, "AS-NOBODY"))
        status, _, err = scene.ana.cli("set", "load", "one", path,
                                       check=False)
        assert status == 1 and "empty" in err, (form, err)
    scene.accepted(33)


def test_load_touches_its_own_peer_only(scene):
    before, ups = scene.run_again(), scene.version()["generation"]
    path = os.path.join(scene.ana.dir, "smaller")
    with open(path, "w") as f:
        f.write("62.142.0.0/20 24 24\n46.182.112.0/21\n")
    out = scene.ana.cli("set", "load", "one", path)
    assert "1 neighbors look at their routes again" in out
    scene.accepted(16 + 1 + 2)
    after = scene.run_again()
    assert after[ONE] - before[ONE] == 31 and after[TWO] == before[TWO]
    assert scene.version()["generation"] == ups
    with open(path, "rb") as f:
        digest = hashlib.sha256(f.read()).hexdigest()
    s = scene.set("one")
    assert s["by_hand"] and s["sources"][0]["sha256"] == digest
    assert s["sources"][0]["file"] == path and s["neighbors"] == 1
    # It outlives a restart and a reload, until the set's own file changes.
    scene.ana.cli("reload")
    scene.accepted(19)
    scene.restart()
    scene.accepted(19)
    assert scene.set("one")["by_hand"]
    scene.put("one", "62.142.0.0/16 16 24\n")
    scene.ana.cli("reload")
    scene.accepted(32)
    assert not scene.set("one")["by_hand"]
    # Its own file again, without a reload.
    scene.put("one", "62.142.0.0/16 16 24\n46.182.112.0/21\n")
    scene.ana.cli("set", "load", "one")
    scene.accepted(33)


BAD = {
    "half": ("80.62.0.0/16\n80.63.0.0", "line 2"),
    "bits": ("80.62.0.1/16\n", "80.62.0.0/16?"),
    "range": ("80.62.0.0/16 8 40\n", "cannot have lengths 8 to 40"),
    "cut": ('{ "P": [ { "prefix": "80.62.0.0\\/16", "exa', "JSON"),
    "nothing": ("", "would be empty"),
    "shrunk": ("80.62.0.0/16\n", "would shrink from 257 to 1 prefixes"),
    "grown": ("".join("10.%d.%d.0/24\n" % (i // 256, i % 256)
                      for i in range(2000)), "would grow from 257 to 2000"),
    "binary": ("\x00\x01\x02", "no known format"),
}


@pytest.mark.parametrize("what", ["load", "reload"])
def test_bad_list_hurts_nobody(scene, what):
    """Refused, and the old content stays in force, however it comes."""
    for name, (text, why) in BAD.items():
        path = os.path.join(scene.ana.dir, name)
        with open(path, "w") as f:
            f.write(text)
        if what == "load":
            status, _, err = scene.ana.cli("set", "load", "two", path,
                                           check=False)
            assert status == 1 and why in err and "stays" in err, (name, err)
        else:
            scene.put("two", text)
            out = scene.ana.cli("reload")
            assert why in out, (name, out)
            assert "keeps its content of before" in out
            assert "imports nothing" not in out, (name, out)
            assert scene.set("two")["refused"]
            assert why in scene.ana.cli("check", "health", check=False)[1]
        scene.accepted(33)
        assert scene.set("two")["inet"] == 257
    # CRLF and doubles are no fault.
    scene.put("two", "".join("80.%d.0.0/16\r\n" % i for i in range(256)) * 2 +
              "87.48.0.0/16\r\n")
    scene.ana.cli("reload")
    assert "refused" not in scene.set("two")
    assert scene.set("two")["inet"] == 257
    scene.accepted(33)


def copies(scene):
    state = os.path.join(scene.ana.dir, "state")
    return {f: os.path.join(state, f) for f in os.listdir(state)
            if f.startswith("set-") and f.endswith(".copy")}


def in_force(path):
    """The digest of what a copy was made from."""
    with open(path) as f:
        return f.readline().split()[1]


def kept(scene, n):
    """Each set's copy is there; {digest: path}."""
    wait_until(lambda: len(copies(scene)) == n, what="%d copies" % n)
    return {in_force(p): p for p in copies(scene).values()}


def test_start_with_a_bad_list(scene):
    """What was in force before the start goes on, with an alarm."""
    before = kept(scene, 2)
    for text, why in (("rubbish\n", "no known format"),
                      (None, "No such file"),
                      ("", "would be empty"),
                      ("80.62.0.0/16\n", "would shrink from 257 to 1")):
        if text is None:
            os.unlink(scene.path("two"))
        else:
            scene.put("two", text)
        scene.restart()
        scene.accepted(33)
        s = scene.set("two")
        assert why in s["refused"] and s["inet"] == 257, (text, s)
        assert why in scene.ana.cli("check", "health", check=False)[1]
        assert kept(scene, 2) == before
    # A copy that was cut, or is another's, is no copy.
    path = max(before.values(), key=os.path.getsize)
    with open(path) as f:
        whole = f.read()
    for bad in (whole[:len(whole) // 2], whole.replace("prefix-set", "x", 1)):
        with open(path, "w") as f:
            f.write(bad)
        scene.put("two", "rubbish\n")
        scene.restart()
        scene.accepted(31)
        assert "no known format" in scene.set("two")["refused"]
    # Put right: the alarm is over, and the copy is made anew.
    scene.put("two", "".join("80.%d.0.0/16\n" % i for i in range(256)) +
              "87.48.0.0/16\n")
    scene.ana.cli("reload")
    scene.accepted(33)
    assert "refused" not in scene.set("two")
    wait_until(lambda: set(kept(scene, 2)) == set(before), what="copied")
    # That of a set which is gone goes, too.
    scene.edit({'prefix-set two { file "sets/two"; max-age 1d; }':
                "prefix-set two { 80.0.0.0/4 or-longer; }"})
    scene.ana.cli("reload")
    kept(scene, 1)


def test_long_lists_are_read_in_slices(scene):
    """Many turns of the loop for one reload, or one set."""
    def slices():
        return scene.ana.ctl("show", "loop")["evloop"]["load_slices"]

    def lines(first):
        return "".join("80.%d.%d.0/24\n" % (i // 256, i % 256)
                       for i in range(first, 60000)) + "87.48.0.0/16\n" \
            "80.62.0.0/16\n"
    scene.edit({'file "sets/two";': 'file "sets/two"; growth-limit 1000000%;'})
    scene.put("two", lines(0))
    n = slices()
    scene.ana.cli("reload")
    assert slices() - n >= 60000 // 8192
    assert scene.set("two")["inet"] == 60002
    path = os.path.join(scene.ana.dir, "list")
    with open(path, "w") as f:
        f.write(lines(1))
    n = slices()
    scene.ana.cli("set", "load", "two", path)
    assert slices() - n >= 60000 // 8192
    assert scene.set("two")["inet"] == 60001
    n = slices()
    assert scene.ana.ctl("set", "diff", "two", scene.path("two"))[
        "added"]["count"] == 1
    assert slices() - n >= 60000 // 8192
    # The same lists again are only compared, which is some slices as well.
    scene.ana.cli("reload")
    scene.accepted(33)


def test_explain_names_the_line(scene, irrd):
    """Of a list: while it is what the set was made from."""
    def entry(prefix, key="entry"):
        (n,) = scene.ana.ctl("explain", prefix, "neighbor",
                             "192.0.2.2")["neighbors"]
        return n["set"][key]
    assert entry("62.142.3.0/24")["entry"] == "62.142.0.0/16 16-24"
    assert (entry("62.142.3.0/24")["file"],
            entry("62.142.3.0/24")["line"]) == ("sets/one", 1)
    assert entry("46.182.112.0/21")["line"] == 2
    assert entry("46.182.112.0/24", "nearest")["line"] == 2
    assert "(sets/one:2)" in scene.ana.cli("explain", "46.182.112.0/21")
    assert "(sets/one:1)" in scene.ana.cli(
        "test", "route", "62.142.99.0/24", "as-path", "719", "neighbor",
        "192.0.2.2")
    # As bgpq4 writes it, loaded by hand: under the name it was loaded as.
    path = os.path.join(scene.ana.dir, "list.json")
    with open(path, "w") as f:
        f.write(bgpq4(irrd(), "-4", "-j", "-A", "AS-ONE"))
    with open(path) as f:
        line = next(i for i, x in enumerate(f, 1) if "46.182.112.0" in x)
    scene.ana.cli("set", "load", "one", path)
    os.unlink(path)
    e = entry("46.182.112.0/21")
    assert (e["file"], e["line"]) == (path, line)
    scene.ana.cli("set", "load", "one")
    # Another file by now: no line is better than a wrong one.
    scene.put("one", "# a new head\n62.142.0.0/16 16 24\n46.182.112.0/21\n")
    assert "line" not in entry("46.182.112.0/21")
    scene.ana.cli("set", "load", "one")
    assert entry("46.182.112.0/21")["line"] == 3


def test_filter_store(scene, irrd):
    """irr as-set: the lists of the neighbor's AS, and of no other's."""
    def store(name, *args):
        path = os.path.join(scene.ana.dir, "etc", "filters", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(bgpq4(irrd(), *args, "-A", "-l", "AS-ONE", "AS-ONE"))
        return path
    lists = [store("AS719.v4.json", "-4", "-j"),
             store("AS719.v6", "-6", "-B", "-E")]
    scene.edit({"irr prefix-set one;": "irr as-set AS-ONE;",
                "prefix-set one {": "filter-store { empty refuse; }\n"
                                    "prefix-set one {"})
    scene.ana.cli("reload", check=False)
    # 62.142.0.0/16 and /17 are in it, the /24s are not.
    scene.accepted(1 + 2)
    s = scene.set("AS719")
    assert [x["file"] for x in s["sources"]] == ["filters/AS719.v4.json",
                                                 "filters/AS719.v6"]
    assert s["inet6"] == 2 and s["neighbors"] == 1
    (n,) = scene.ana.ctl("explain", "46.182.112.0/21", "neighbor",
                         "192.0.2.2")["neighbors"]
    assert n["set"]["entry"]["file"] == "filters/AS719.v4.json"
    wait_until(lambda: len(copies(scene)) == 3, what="a copy of it")
    # Another partner's list in its place, no list, and that over a start.
    with open(lists[0]) as f:
        text = f.read()
    for change in (text.replace("AS-ONE", "AS-TWO"), None):
        for path in lists:
            if change is None:
                os.unlink(path)
        if change is not None:
            with open(lists[0], "w") as f:
                f.write(change)
        scene.ana.cli("reload", check=False)
        why = scene.set("AS719")["refused"]
        assert ("the list of AS-TWO, not of AS-ONE" if change else
                "no list") in why
        assert scene.set("AS719")["inet6"] == 2
        scene.accepted(3)
    scene.restart()
    scene.accepted(3)
    assert "no list" in scene.set("AS719")["refused"]
    # By hand, where there is no list.
    scene.ana.cli("set", "load", "AS719", store("../by-hand", "-4", "-b"))
    assert "refused" not in scene.set("AS719")
    os.unlink(os.path.join(scene.ana.dir, "etc", "by-hand"))
    store("AS719.v4.json", "-4", "-j")
    scene.ana.cli("reload", check=False)
    assert "refused" not in scene.set("AS719")
    scene.accepted(3)


def test_without_a_set_nothing_is_imported(scene):
    """A start with a list that cannot be used: only its own peer suffers."""
    scene.put("two", "rubbish\n")
    kept(scene, 2)
    for path in copies(scene).values():
        os.unlink(path)
    scene.restart()
    scene.accepted(31)
    out = scene.ana.cli("show", "neighbor", "198.51.100.2")
    assert "NOT LOADED: nothing is imported" in out
    scene.put("two", "80.0.0.0/4 16 24\n")
    scene.ana.cli("set", "load", "two")
    scene.accepted(33)


def test_old_list_is_told(scene):
    os.utime(scene.path("one"), (1, 1))
    out = scene.ana.cli("reload")
    assert "older than its max-age" in out
    assert scene.set("one")["old"]
    status, out, _ = scene.ana.cli("check", "health", check=False)
    assert status == 5 and "max-age" in out
    scene.accepted(33)
    assert scene.ana.cli("show", "sets", "nosuch", check=False)[0] == 4
