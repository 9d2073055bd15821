"""The JSON answers against their schemas (doc/schema), and against what
OpenBGPD's bgpctl prints about the same sessions: all of it is in ours, with
the same types."""

import copy
import json
import pathlib
import re
import socket

import jsonschema
import pytest

from ana import TOP, Ana
from lab import wait_until
from routers import OpenBgpd, Route
from speaker import attribute, message, nlri, notification
from test_show import Scene, answer, neighbor

SCHEMAS = {p.stem: json.loads(p.read_text())
           for p in sorted((TOP / "doc" / "schema").glob("*.json"))}
# What has no schema of its own has that of this one.
LIKE = {"show-summary": "show", "top": "show",
        "show-errors-neighbor": "show-errors", "trace-neighbor": "watch"}
# Asked of the scene; FILE and LIST are files that it writes.
COMMANDS = {
    "explain": [["explain", p] for p in (
        "62.142.0.0/16", "62.142.64.0/24", "10.1.0.0/16", "8.8.8.0/24",
        "179.191.160.0/24", "2001:998::/32", "192.0.2.1")] + [
            ["explain", "46.182.112.0/21", "neighbor", "partner"],
            ["explain", "62.142.0.0/16", "neighbor", "nosuch"]],
    "test-route": [["test", "route", p, "as-path", "719 3292", "community",
                    "719:1", "neighbor", "partner"] for p in (
                        "62.142.9.0/24", "46.0.0.0/8", "2001:998::/32")] + [
        ["test", "route", "62.142.9.0/24", "neighbor", "nosuch"]],
    "diff": [["diff", "FILE"], ["diff", "BAD"], ["reload", "-n"]],
    "check": [["check", "FILE"], ["check", "BAD"]],
    "set-diff": [["set", "diff", "as719", "LIST"],
                 ["set", "diff", "nosuch", "LIST"]],
    "set-load": [["set", "load", "as719"], ["set", "load", "nosuch"]],
    "reload": [["reload"]],
    "action": [["log", "level", "debug"], ["neighbor", "nosuch", "down"],
               ["neighbor", "absent", "refresh"], ["fib", "couple"],
               ["reload", "confirm"],
               ["network", "withdraw", "203.0.113.0/24"],
               ["neighbor", "absent", "clear-limit"]],
    "show-fib": [["show", "fib"], ["show", "fib", "drift"],
                 ["show", "fib", "conflicts"]],
    "show-announcements": [["show", "announcements"],
                           ["show", "announcements", "192.0.2.0/24"]],
    "show": [["show"], ["show", "summary"], ["top"]],
    "show-rib": [["show", "rib"], ["show", "rib", "in", "detail"],
                 ["show", "rib", "out"], ["show", "rib", "203.0.113.7"]],
    "show-errors": [["show", "errors", "neighbor", "partner"]],
    "show-neighbor": [["show", "neighbor"], ["show", "neighbor", "nosuch"]],
}


@pytest.fixture(scope="class")
def scene(class_lab):
    scene = Scene(class_lab)
    ana, etc = scene.ana, pathlib.Path(scene.ana.conf).parent
    (etc / "FILE").write_text(ana.config().replace(
        "62.142.0.0/16", "62.143.0.0/16").replace("med 3", "med 4"))
    (etc / "BAD").write_text("syntax 1; global { as 0; } nonsense;")
    (etc / "LIST").write_text("62.142.0.0/16\n")
    scene.files = {x: str(etc / x) for x in ("FILE", "BAD", "LIST")}
    yield scene


def check(scene, name):
    """Asks what COMMANDS has, or the name's words, and validates answers."""
    files = getattr(scene, "files", {})
    validator = jsonschema.Draft202012Validator(SCHEMAS[name])
    if name == "watch":
        return      # a stream, not an answer: below
    for words in COMMANDS.get(name, [name.split("-")]):
        words = [files.get(w, w) for w in words]
        status, text, err = scene.ana.cli("-j", *words, check=False)
        if status not in (0, 5):
            assert json.loads(text)["error"], words
        faults = [("/".join(map(str, e.absolute_path)), e.message)
                  for e in validator.iter_errors(json.loads(text))]
        assert not faults, (words, faults)


def objects(schema, answer, path=()):
    """Every (path, object, key) that the schema requires."""
    if isinstance(answer, dict):
        for key in schema.get("required", ()):
            yield path, key
        for key, value in answer.items():
            sub = schema.get("properties", {}).get(key, {})
            yield from objects(sub, value, path + (key,))
    elif isinstance(answer, list) and answer:
        yield from objects(schema.get("items", {}), answer[0], path + (0,))


class TestSchema:
    @pytest.mark.parametrize("name", SCHEMAS)
    def test_schema(self, scene, name):
        jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])
        assert SCHEMAS[name]["title"].startswith("ana-bgpctl -j ")
        check(scene, name)

    def test_every_command_has_one(self, scene):
        """No command of the table answers -j without a schema."""
        flags = {}
        for flag, path in re.findall(
                r'^\t\{ CMD_\w+, ([\w |]+), "([^"]+)"',
                (TOP / "lib/cmd.c").read_text(), re.M):
            flags[path] = flag
        assert len(flags) > 40
        for path, flag in flags.items():
            if "CMD_AT_CLIENT" in flag:
                continue
            words = [w for w in path.split() if not w.isupper()]
            name = LIKE.get("-".join(words), "-".join(words))
            if name not in SCHEMAS and "CMD_ADMIN" in flag:
                name = "action"
            assert name in SCHEMAS, path

    def test_what_alice_reads(self, scene):
        """Alice-LG ends where one of these is missing, also of a neighbor
        that was never up."""
        for n in scene.ana.ctl("show", "neighbor")["neighbors"]:
            assert int(n["remote_as"]) > 0 and n["remote_addr"]
            assert n["state"] and n["description"]
            assert re.fullmatch(r"Never|\d\d:\d\d:\d\d|\dd\d\dh\d\dm|"
                                r"\d\dw\dd\d\dh|\d+w", n["last_updown"])
            for way in ("sent", "received"):
                assert type(n["stats"]["prefixes"][way]) is int
        rows = scene.ana.ctl("show", "rib", "in", "detail")["rib"]
        assert len(rows) > 5
        for r in rows:
            assert {"prefix", "origin", "true_nexthop", "last_update",
                    "aspath", "neighbor"} <= set(r)
            assert r["neighbor"]["remote_addr"] == "192.0.2.2"
            assert type(r["localpref"]) is int
            for kind in ("communities", "large_communities",
                         "extended_communities"):
                assert isinstance(r.get(kind, []), list)

    def test_watch(self, scene):
        validator = jsonschema.Draft202012Validator(SCHEMAS["watch"])
        _, text, _ = scene.ana.cli("-j", "-t", "1", "watch", "from", "0",
                                   check=False)
        lines = [json.loads(x) for x in text.splitlines()]
        assert len(lines) > 3
        for line in lines:
            assert not list(validator.iter_errors(line)), line

    def test_refusals(self, scene):
        """Said in JSON, too, by either socket."""
        validator = jsonschema.Draft202012Validator(SCHEMAS["action"])
        for path, words in (("restricted.sock", ["reload"]),
                            ("control.sock", ["frob"]),
                            ("control.sock", ["show", "rib", "10.0.0.1/8"])):
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(20)
            s.connect(scene.ana.dir + "/run/" + path)
            s.sendall(b"\1" + b"".join(w.encode() + b"\0" for w in
                                       ["-j"] + words) + b"\0")
            text, err, code = answer(s)
            assert not list(validator.iter_errors(json.loads(text))), text
            assert code in (1, 2) and err

    @pytest.mark.parametrize("name", ["show", "show-neighbor", "show-rib"])
    def test_missing_keys_are_found(self, scene, name):
        """A schema that nothing can break would be worth nothing."""
        answer = scene.ana.ctl(*name.split("-"))
        validator = jsonschema.Draft202012Validator(SCHEMAS[name])
        places = list(objects(SCHEMAS[name], answer))
        assert len(places) > 8
        for path, key in places:
            bad = copy.deepcopy(answer)
            at = bad
            for step in path:
                at = at[step]
            del at[key]
            assert not validator.is_valid(bad), (path, key)
        bad = copy.deepcopy(answer)
        bad[list(bad)[0]][0]["surprise"] = 1
        assert validator.is_valid(bad)      # keys may be added

    def test_after_trouble(self, scene):
        attrs = attribute(3, 0x40, bytes([192, 0, 2, 2]))
        scene.peer.send(message(2, b"\0\0" + len(attrs).to_bytes(2, "big") +
                                attrs + nlri("62.142.200.0/24")))
        wait_until(lambda: scene.ana.ctl("show", "rejected", "reason",
                                         "malformed")["rib"])
        for name in SCHEMAS:
            check(scene, name)
        scene.peer.send(notification(6, 2, b"\x04bye\xff"))
        wait_until(lambda: neighbor(scene)["state"] != "Established")
        scene.ana.cli("neighbor", "absent", "down", "maintenance 42")
        for name in SCHEMAS:
            check(scene, name)


def kind(value):
    return {bool: "boolean", int: "integer", str: "string", dict: "object",
            list: "array"}[type(value)]


def missing(theirs, ours, path=""):
    """What is in theirs and not, or with another type, in ours."""
    if kind(theirs) != kind(ours):
        yield "%s is %s there, %s here" % (path, kind(theirs), kind(ours))
    elif isinstance(theirs, dict):
        for key, value in theirs.items():
            if key not in ours:
                yield "%s/%s" % (path, key)
            else:
                yield from missing(value, ours[key], path + "/" + key)
    elif isinstance(theirs, list) and theirs and ours:
        # Elements of a kind: ours that is most like it.
        for value in theirs:
            yield from min((list(missing(value, o, path + "[]"))
                            for o in ours), key=len)


@pytest.mark.skipif(not pathlib.Path("/usr/sbin/bgpctl").exists(),
                    reason="OpenBGPD is not installed")
def test_superset_of_openbgpd(lab):
    """Both ends of one session print about it, each with its own program."""
    a, p = lab.ns("ana"), lab.ns("peer")
    lab.link(a, p, v4="192.0.2.0/30")
    ana = Ana(lab, a, 52580, "192.0.2.1")
    obgp = OpenBgpd(lab, p, 719, "192.0.2.2")
    more = ("max-prefix 100;",)
    # Both dial: OpenBGPD waits long after an attempt that came too early.
    ana.neighbor("192.0.2.2", 719, "192.0.2.1", more=more)
    ana.neighbor("192.0.2.9", 3292, "192.0.2.1", passive=True)
    obgp.neighbor("192.0.2.1", 52580, "192.0.2.2")
    ana.glob.append("graceful-restart { restart-time 60s; }")
    ana.announce(Route("179.191.160.0/24", med=3, communities=("8308:1",),
                       large=("263009:1:1",)))
    obgp.announce(Route("62.142.0.0/16", med=7, communities=("719:1",),
                        large=("719:1:2",), ext=("rt 719:5",)))
    ana.start()
    obgp.start()
    wait_until(lambda: ana.ctl("show", "rib", "62.142.0.0/16")["rib"]
               if ana.cli("show", "rib", "62.142.0.0/16",
                          check=False)[0] == 0 else None)
    wait_until(lambda: "179.191.160.0/24" in obgp.cli("show", "rib"))
    # There our own networks stand in the Adj-RIB-In of a neighbor LOCAL.
    spare = {("in", "/rib[]/announced")}
    # The kernel's route to a next hop, optional there, is not known here.
    spare |= {("nexthop", "/nexthops[]/" + x)
              for x in ("prefix", "priority", "nexthop")}
    for words in (["show"], ["show", "neighbor"], ["show", "rib"],
                  ["show", "rib", "in"], ["show", "rib", "out"],
                  ["show", "rib", "detail"], ["show", "nexthop"]):
        theirs = obgp.json(*words)
        ours = ana.ctl(*words)
        lacks = {(words[-1], x) for x in missing(theirs, ours)} - spare
        assert not lacks
