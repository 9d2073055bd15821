"""What an operator and a script read: columns, JSON, exit codes.

One appliance, one partner that is up (our own speaker, so that every octet
is known) and one that never comes.  The tests look at one scene; the last ones
change it, so each passes alone, but not in any order.
"""

import json
import os
import pty
import re
import socket
import subprocess

import pytest

from ana import Ana, program
from lab import wait_equal, wait_until
from routers import Route
from speaker import Speaker, attribute, end_of_rib, message, nlri, notification

ASN, PEER, NEVER = 52580, 719, 3292
GOOD = Route("62.142.0.0/16", path=(3292, 8434), origin="EGP", med=77,
             communities=("719:1",), large=("719:1:2",), ext=("rt 719:5",),
             aggregator=(8434, "62.142.0.1"), atomic=True,
             unknown=((99, 0xc0, "00112233"),))
GOOD6 = Route("2001:998::/32")
REFUSED = {                     # prefix: (route, reason, words of the sentence)
    "62.142.128.0/25": ("prefix-length", "/24"),
    "0.0.0.0/0": ("default-route", "default route"),
    "10.1.0.0/16": ("bogon-prefix", "RFC 1918"),
    "46.182.112.0/21": ("not-in-set", "as719"),
    "62.142.64.0/24": ("policy-rule", "bad"),
}
OWN = Route("179.191.160.0/24", med=3)
OWN6 = Route("2804:a8::/48")
SPAN = re.compile(r"Never|\d\d:\d\d:\d\d|\dd\d\dh\d\dm|\d\dw\dd\d\dh|\d+w")
COUNTS = ("open", "notifications", "updates", "keepalives", "route_refresh",
          "total")


class Scene:
    def __init__(self, lab):
        a, p = lab.ns("ana"), lab.ns("peer")
        lab.link(a, p, v4="192.0.2.0/24", v6="2001:db8:1::/64")
        self.ana = Ana(lab, a, ASN, "192.0.2.1")
        self.ana.sets["as719"] = ["62.142.0.0/16 or-longer",
                                  "2001:998::/32 or-longer"]
        self.ana.blocks.append(
            "policy strict { rule bad { match community 719:666; reject; } "
            "rule rest { accept; } }")
        self.n = self.ana.neighbor(
            "192.0.2.2", PEER, "192.0.2.1", ("inet", "inet6"), passive=True,
            name="partner", irr="as719", importing="strict",
            other="2001:db8:1::1", next_hop_peer="2001:db8:1::2",
            more=('no require first-as "a lab";',))
        self.ana.neighbor("192.0.2.9", NEVER, "192.0.2.1", passive=True,
                          name="absent", irr="as719")
        self.ana.announce(OWN, OWN6)
        self.ana.start()
        self.p = p
        self.peer = Speaker(p, "192.0.2.2", "192.0.2.1", PEER,
                            ("inet", "inet6"))
        self.peer.announce(GOOD, *(
            Route(r, communities=("719:666",) if v[0] == "policy-rule" else ())
            for r, v in REFUSED.items()))
        self.peer.announce(GOOD6, next_hop="2001:db8:1::2")
        wait_until(lambda: self.ana.ctl("show", "neighbor", "192.0.2.2")
                   ["neighbors"][0]["stats"]["prefixes"]["received"] ==
                   2 + len(REFUSED), what="all routes are in")
        wait_until(lambda: len(self.ana.ctl("show", "fib")["fib"]) == 2 and all(
            r["state"] == "installed"
            for r in self.ana.ctl("show", "fib")["fib"]), what="kernel")


@pytest.fixture(scope="class")
def scene(class_lab):
    yield Scene(class_lab)


def table(text, first):
    """Rows below the line that starts with `first`, as words."""
    lines = text.splitlines()
    at = next(i for i, x in enumerate(lines) if x.startswith(first))
    return lines[at], lines[at + 1:]


def spans(value):
    """Every "x", "x_sec" pair of an answer."""
    if isinstance(value, list):
        for v in value:
            yield from spans(v)
    elif isinstance(value, dict):
        for k, v in value.items():
            if k + "_sec" in value:
                yield k, v, value[k + "_sec"]
            yield from spans(v)


def neighbor(scene, which=0):
    return scene.ana.ctl("show", "neighbor")["neighbors"][which]


class TestShow:
    def test_summary(self, scene):
        head, (up, never) = table(scene.ana.cli("show"), "Neighbor")
        assert head == ("Neighbor                   AS    MsgRcvd    MsgSent"
                        "  OutQ Up/Down  State/PrfRcvd  Accept Reject")
        assert re.fullmatch(
            r"partner {18} 719 +\d+ +\d+ {5}0 00:0\d:\d\d {6}7/250 {8} +2"
            r" {6}5", up), up
        # Each number ends under its column's name.
        for word in ("AS", "MsgRcvd", "MsgSent", "OutQ", "Accept", "Reject"):
            end = head.index(word) + len(word)
            assert up[end - 1].isdigit() and up[end:end + 1] in ("", " ")
        assert never.split() == ["absent", "3292", "0", "0", "0", "Never",
                                 "Active"]
        assert scene.ana.cli("show", "summary", "terse") == (
            "partner 719 Established\nabsent 3292 Active\n")
        numeric = scene.ana.cli("-n", "show")
        assert "192.0.2.2 " in numeric and "partner" not in numeric

    def test_colour(self, scene):
        """On a terminal only, and never with NO_COLOR."""
        def on_terminal(*words, **env):
            master, slave = pty.openpty()
            p = subprocess.Popen(
                [program("ana-bgpctl"), "-s", scene.ana.dir +
                 "/run/control.sock", *words], stdout=slave,
                env=dict({k: v for k, v in os.environ.items()
                          if k != "NO_COLOR"}, **env))
            os.close(slave)
            text = b""
            try:
                while part := os.read(master, 65536):
                    text += part
            except OSError:     # EIO: the other end is closed
                pass
            os.close(master)
            assert p.wait(30) == 0
            return text.decode().replace("\r\n", "\n")

        def plain(text):
            return re.sub(r"\x1b\[\d+m", "", text)

        red, green, yellow, end = ("\x1b[%dm" % n for n in (31, 32, 33, 0))
        text = on_terminal("show")
        assert green + "7/250" + end in text and red + "Active" + end in text
        assert re.search(r" 2 +\x1b\[33m5\x1b\[0m$", text, re.M), text
        piped = scene.ana.cli("show")
        blank = re.compile(r"\d+")     # counters go on
        assert blank.sub("0", plain(text)).split() == \
            blank.sub("0", piped).split()
        assert "\x1b" not in piped
        assert "\x1b" not in on_terminal("show", NO_COLOR="1")
        assert green in on_terminal("show", NO_COLOR="")
        assert "\x1b" not in on_terminal("-j", "show")
        assert "\x1b" not in on_terminal("show", "summary", "terse")
        text = on_terminal("show", "neighbor")
        assert "BGP state = " + green + "Established" + end + ", up" in text
        assert "BGP state = " + red + "Active" + end + ", est" in text
        assert text.count("\x1b") == 4

    def test_summary_json(self, scene):
        up, never = scene.ana.ctl("show")["neighbors"]
        assert up["remote_as"] == "719" and up["description"] == "partner"
        assert up["remote_addr"] == "192.0.2.2"
        assert up["bgpid"] == "192.0.2.99" and up["state"] == "Established"
        assert "bgpid" not in never
        assert never["last_updown"] == "Never" and \
            never["last_updown_sec"] == -1

    @pytest.mark.parametrize("words, key", [
        (["show"], "neighbors"), (["show", "neighbor"], "neighbors"),
        (["show", "rib"], "rib"), (["show", "rib", "in"], "rib"),
        (["show", "rib", "out"], "rib"), (["show", "rejected"], "rib"),
        (["show", "rib", "in", "detail"], "rib"),
        (["show", "fib"], "fib"), (["show", "nexthop"], "nexthops"),
        (["show", "interfaces"], "interfaces"), (["show", "version"], None),
        (["show", "loop"], None), (["show", "memory"], None),
        (["show", "config"], None), (["show", "metrics"], "metrics"),
        (["show", "errors", "neighbor", "partner"], "neighbors")])
    def test_every_answer(self, scene, words, key):
        answer = scene.ana.ctl(*words)
        assert list(answer)[-1] == "ana"
        assert set(answer["ana"]) == {"version", "hostname", "time",
                                      "generation"}
        assert answer["ana"]["hostname"] == scene.ana.name
        if key:
            assert isinstance(answer[key], list) and answer[key]
        for name, text, sec in spans(answer):
            assert SPAN.fullmatch(text), (name, text)
            assert (text == "Never") == (sec == -1)
        text = scene.ana.cli(*words)
        assert text.endswith("\n") and "(null)" not in text

    def test_neighbor_json(self, scene):
        up, never = scene.ana.ctl("show", "neighbor")["neighbors"]
        for n in (up, never):
            st = n["stats"]
            assert set(st["prefixes"]) == {"sent", "received"}
            for way in ("sent", "received"):
                assert tuple(st["message"][way]) == COUNTS
                assert tuple(st["update"][way]) == ("updates", "withdraws",
                                                    "eor")
                assert tuple(st["route-refresh"][way]) == ("request", "borr",
                                                           "eorr")
            assert tuple(st["update"]["pending"]) == ("updates", "withdraws")
            for fam in ("inet", "inet6"):
                assert set(st["routes"][fam]) >= {
                    "received", "accepted", "rejected", "best", "fib",
                    "stale", "advertised"}
            c = n["config"]
            assert c["announce_capabilities"] is True
            assert c["max_prefix"] == 250 and c["down"] is False
            assert {"template", "cloned", "passive", "multihop",
                    "ttl_security", "holdtime", "min_holdtime"} <= set(c)
        assert up["stats"]["prefixes"] == {"sent": 2, "received": 7}
        assert up["stats"]["routes"]["inet"] == {
            "received": 6, "accepted": 1, "rejected": 5, "best": 1, "fib": 1,
            "stale": 0, "malformed": 0, "held": 0, "advertised": 1}
        assert up["stats"]["routes"]["inet6"]["fib"] == 1
        assert up["stats"]["update"]["sent"] == {
            "updates": 2, "withdraws": 0, "eor": 2}
        assert up["stats"]["rejects"] == {v[0]: 1 for v in REFUSED.values()}
        assert up["filter"]["set"] == "as719"
        assert up["filter"]["entries"] == 2
        assert up["policy"]["off"] == [{"guard": "first-as",
                                        "reason": "a lab"}]
        both = up["session"]["capabilities"]
        assert both["multiprotocol"] == ["IPv4 unicast", "IPv6 unicast"]
        assert both["as4byte"] and both["refresh"]
        assert not both["enhanced_refresh"]
        assert up["session"]["local"]["capabilities"]["enhanced_refresh"]
        assert up["session"]["remote"]["address"] == "192.0.2.2"
        assert up["session"]["local"]["port"] == 179
        assert up["history"][0]["to"] in ("Established", "Idle")
        assert "why_down" not in up and "session" not in never
        assert "passive" in never["why_down"]

    def test_neighbor_text(self, scene):
        text = scene.ana.cli("show", "neighbor", "partner")
        order = ["BGP neighbor is 192.0.2.2, remote AS 719, Passive",
                 " Description: partner", " Max-prefix received: 250",
                 "  BGP version 4, remote router-id 192.0.2.99",
                 "  BGP state = Established, up for 00:0", "  Last read 0",
                 "  Neighbor capabilities:", "  Negotiated capabilities:",
                 "  Message statistics:", "  Update statistics:",
                 "  Route Refresh statistics:", "  Routes:",
                 "  Rejected by reason:", "OFF: first-as (a lab)",
                 "prefix-set as719, 2 prefixes", "  Last state changes:",
                 "  Local host: ", "  Remote host: "]
        at = [text.index(x) for x in order]
        assert at == sorted(at)
        absent = scene.ana.cli("show", "neighbor", "192.0.2.9")
        assert "Not up: waiting for the peer to connect (passive yes)" \
            in absent

    def test_rib_text(self, scene):
        head, rows = table(scene.ana.cli("show", "rib"), "flags ")
        assert head == ("flags ovs destination          gateway          lpref"
                        "   med aspath origin")
        assert rows == [
            "*>      N 62.142.0.0/16        192.0.2.2         100    77 "
            "719 3292 8434 e",
            "AI*>    N 179.191.160.0/24     0.0.0.0           100     3 i",
            "*>      N 2001:998::/32        2001:db8:1::2     100     0 719 i",
            "AI*>    N 2804:a8::/48         ::                100     0 i"]
        _, rows = table(scene.ana.cli("show", "rib", "in"), "flags ")
        refused = {r.split()[2]: r for r in rows if r.startswith("F ")}
        assert set(refused) == set(REFUSED)
        for prefix, (reason, _) in REFUSED.items():
            assert refused[prefix].endswith(" [%s]" % reason)
        _, rows = table(scene.ana.cli("show", "rib", "neighbor", "partner",
                                      "best"), "flags ")
        assert [r.split()[2] for r in rows] == ["62.142.0.0/16",
                                                "2001:998::/32"]
        _, rows = table(scene.ana.cli("show", "rib", "out", "neighbor",
                                      "partner"), "flags ")
        assert [r.split()[2:4] for r in rows] == [
            ["179.191.160.0/24", "192.0.2.1"],
            ["2804:a8::/48", "2001:db8:1::1"]]

    def test_rib_json(self, scene):
        r, = scene.ana.ctl("show", "rib", "62.142.0.0/16")["rib"]
        since = r.pop("last_update_sec")
        assert 0 <= since < 60 and SPAN.fullmatch(r.pop("last_update"))
        assert r == {
            "prefix": "62.142.0.0/16", "aspath": "719 3292 8434",
            "exit_nexthop": "192.0.2.2", "true_nexthop": "192.0.2.2",
            "neighbor": {"description": "partner", "remote_addr": "192.0.2.2",
                         "bgp_id": "192.0.2.99"},
            "valid": True, "best": True, "source": "external",
            "ovs": "not-found", "avs": "unknown", "origin": "EGP",
            "metric": 77, "localpref": 100, "weight": 0, "dmetric": 5,
            "afi": "inet", "aspath_list": [719, 3292, 8434],
            "fib": "installed"}
        own, = scene.ana.ctl("show", "rib", OWN.prefix)["rib"]
        assert own["announced"] and own["fib"] == "not-wanted"
        assert own["source"] == "internal"
        assert own["neighbor"]["description"] == "LOCAL"

    def test_rib_detail(self, scene):
        r, = scene.ana.ctl("show", "rib", "in", "detail",
                           "62.142.0.0/16")["rib"]
        assert r["communities"] == ["719:1"]
        assert r["large_communities"] == ["719:1:2"]
        assert r["extended_communities"] == ["rt 719:5"]
        assert r["decision"] == "best"
        by = {a["type"]: a for a in r["attributes"]}
        for a in r["attributes"]:
            assert set(a["flags"]) == {"partial", "transitive", "optional"}
            assert isinstance(a["length"], int)
        assert by["ORIGIN"]["origin"] == "EGP"
        assert by["AS_PATH"]["aspath"] == "719 3292 8434"
        assert by["NEXT_HOP"]["nexthop"] == "192.0.2.2"
        assert by["MULTI_EXIT_DISC"]["metric"] == 77
        assert by["AGGREGATOR"]["AS"] == "8434"
        assert by["AGGREGATOR"]["router_id"] == "62.142.0.1"
        assert "ATOMIC_AGGREGATE" in by
        unknown = by["Unknown Attribute #99"]
        assert unknown["data"] == "00112233" and unknown["length"] == 4
        assert unknown["flags"]["transitive"] and unknown["flags"]["partial"]
        text = scene.ana.cli("show", "rib", "detail", "62.142.9.9")
        for line in ("BGP routing table entry for 62.142.0.0/16",
                     "    719 3292 8434",
                     "    Nexthop 192.0.2.2 (via 192.0.2.2) Neighbor partner "
                     "(192.0.2.99)", "    Communities: 719:1",
                     "    Aggregator: 8434 [62.142.0.1]",
                     "    Decision: best", "    Kernel: installed"):
            assert line in text.splitlines()

    def test_rejected(self, scene):
        got = {r["prefix"]: r for r in scene.ana.ctl("show",
                                                     "rejected")["rib"]}
        assert set(got) == set(REFUSED)
        text = scene.ana.cli("show", "rejected")
        head, rows = table(text, "destination")
        assert head.split() == ["destination", "reason", "neighbor", "since",
                                "why"]
        columns = [head.index(w) for w in head.split()]
        for line in rows:
            prefix, reason, name, since, why = [
                line[a:b].strip() for a, b in zip(columns, columns[1:] +
                                                  [None])]
            want, words = REFUSED[prefix]
            assert (reason, name) == (want, "partner")
            assert SPAN.fullmatch(since)
            assert words in why
            r = got[prefix]["reason"]
            assert (r["name"], r["text"]) == (want, why)
            assert got[prefix]["valid"] is False
            assert got[prefix]["filtered"] is True
        rule = got["62.142.64.0/24"]["reason"]
        assert rule["id"] == 1002 and re.search(r":\d+$", rule["where"])
        only = scene.ana.ctl("show", "rejected", "reason", "12")["rib"]
        assert [r["prefix"] for r in only] == ["46.182.112.0/21"]
        same = scene.ana.ctl("show", "rejected", "neighbor", "partner",
                             "reason", "not-in-set")["rib"]
        assert [r["prefix"] for r in same] == ["46.182.112.0/21"]
        none = scene.ana.ctl("show", "rejected", "neighbor", "absent")
        assert none["rib"] == []

    def test_fib(self, scene):
        head, rows = table(scene.ana.cli("show", "fib"), "flags ")
        assert [r.split()[:4] for r in rows] == [
            ["*B", "20", "62.142.0.0/16", "192.0.2.2"],
            ["*B", "20", "2001:998::/32", "2001:db8:1::2"]]
        r, = scene.ana.ctl("show", "fib", "62.142.7.7")["fib"]
        assert r["prefix"] == "62.142.0.0/16" and r["origin"] == "bgp"
        assert r["nexthop"] == "192.0.2.2" and r["state"] == "installed"
        assert r["nexthops"][0]["interface"] == "to-peer"
        hop = {h["address"]: h for h in
               scene.ana.ctl("show", "nexthop")["nexthops"]}["192.0.2.2"]
        assert hop["valid"] and hop["interface"]["name"] == "to-peer"
        dev = {i["name"]: i for i in
               scene.ana.ctl("show", "interfaces")["interfaces"]}["to-peer"]
        assert dev["is_up"] and "192.0.2.1/24" in dev["addresses"]

    def test_unknown_reason(self, scene):
        status, _, err = scene.ana.cli("show", "rejected", "reason", "irr",
                                       check=False)
        assert status == 2 and "no such reason: irr; these are: " in err
        for reason in REFUSED.values():
            assert " %s," % reason[0] in err

    @pytest.mark.parametrize("words, key, says", [
        (["show", "neighbor", "nosuch"], "neighbors", "no such neighbor"),
        (["show", "errors", "neighbor", "nosuch"], "neighbors",
         "no such neighbor"),
        (["show", "rib", "neighbor", "nosuch"], "rib", "no such neighbor"),
        (["show", "rejected", "neighbor", "192.0.2.77"], "rib",
         "no such neighbor"),
        (["show", "rib", "62.142.0.0/17"], "rib", "no such route"),
        (["show", "rib", "8.8.8.8"], "rib", "no such route"),
        (["show", "rib", "10.1.2.3"], "rib", "show rib in says why"),
        (["show", "rib", "out", "62.142.0.0/16"], "rib", "no such route"),
        (["show", "fib", "8.8.8.0/24"], "fib", "8.8.8.0/24")])
    def test_not_found(self, scene, words, key, says):
        status, text, err = scene.ana.cli(*words, check=False)
        assert (status, text) == (4, "") and says in err
        status, text, err = scene.ana.cli("-j", *words, check=False)
        assert status == 4 and json.loads(text)[key] == []
        assert says in err

    def test_bad_reason(self, scene):
        status, _, err = scene.ana.cli("show", "rejected", "reason", "nope",
                                       check=False)
        assert status == 2 and "nope" in err

    def test_not_established(self, scene):
        status, text, err = scene.ana.cli(
            "-j", "show", "rib", "out", "neighbor", "absent", check=False)
        assert status == 0 and json.loads(text)["rib"] == []
        assert "not established" in err

    def test_health(self, scene):
        scene.peer.send(end_of_rib("inet") + end_of_rib("inet6"))
        wait_until(lambda: neighbor(scene)["stats"]["update"]["received"]
                   ["eor"] == 2)
        status, text, _ = scene.ana.cli("check", "health", check=False)
        assert text == ("degraded: neighbor 192.0.2.9 (absent) AS3292 is "
                        "Active: waiting for the peer to connect (passive "
                        "yes)\n")
        status, text, _ = scene.ana.cli("-j", "check", "health", check=False)
        assert status == 5 and json.loads(text)["health"] == "degraded"

    # ---- from here on the scene changes

    def test_malformed(self, scene):
        """An UPDATE without ORIGIN and AS_PATH is treated as withdrawn."""
        attrs = attribute(3, 0x40, bytes([192, 0, 2, 2]))
        scene.peer.send(message(2, b"\0\0" + len(attrs).to_bytes(2, "big") +
                                attrs + nlri("62.142.200.0/24")))
        r, = wait_until(lambda: scene.ana.ctl(
            "show", "rejected", "reason", "malformed")["rib"])
        assert r["prefix"] == "62.142.200.0/24" and r["malformed"]
        assert r["aspath"] == "" and r["valid"] is False
        _, rows = table(scene.ana.cli("show", "rib", "in", "62.142.200.0/24"),
                        "flags ")
        assert rows[0].startswith("E       N ")
        errors, = scene.ana.ctl("show", "errors", "neighbor",
                                "partner")["neighbors"]
        assert errors["malformed"] == {"discard": 0, "withdraw": 1,
                                       "reset": 0}

    def test_words_of_the_peer(self, scene):
        """The peer's text can neither move the cursor nor break the JSON."""
        said = "bye\x1b[2J\"\n".encode()
        scene.peer.send(notification(6, 2, bytes([len(said)]) + said))
        down = wait_until(lambda: (lambda n: n["state"] != "Established" and n)(
            neighbor(scene)))
        last = down["last_notification"]
        assert (last["direction"], last["code"], last["subcode"]) == (
            "received", 6, 2)
        assert bytes.fromhex(last["data_hex"])[1:] == said
        assert "bye" in down["last_shutdown_reason"]
        assert "\x1b" not in json.dumps(down, ensure_ascii=False)
        assert down["last_error_received"].startswith(
            "Cease, Administrative Shutdown")
        assert "the peer sent NOTIFICATION Cease" in down["why_down"]
        for words in (["show"], ["show", "neighbor"],
                      ["show", "errors", "neighbor", "partner"]):
            assert "\x1b" not in scene.ana.cli(*words)
        wait_until(lambda: scene.ana.ctl("show", "rib", "in")["rib"] == [])
        assert neighbor(scene)["stats"]["prefixes"] == {"sent": 0,
                                                        "received": 0}
        assert neighbor(scene)["stats"]["update"]["sent"]["updates"] == 2

    def test_down(self, scene):
        scene.ana.cli("neighbor", "absent", "down", "maintenance 42")
        _, rows = table(scene.ana.cli("show"), "Neighbor")
        assert rows[1].endswith("Never    Idle (down: maintenance 42)")
        absent = neighbor(scene, 1)
        assert absent["config"]["down"] is True
        assert absent["admin_state"] == "down"
        assert absent["my_shutdown_reason"] == "maintenance 42"
        assert "neighbor X up" in absent["why_down"]
        assert ("neighbor NEIGHBOR down asked by uid 0: "
                "neighbor absent down maintenance 42\n"
                in scene.ana.process.tail(100))
        assert scene.ana.cli("neighbor", "absent", "up") == (
            "session starting\n")
        assert neighbor(scene, 1)["why_down"] == (
            "waiting for the peer to connect (passive yes)")


def ask(scene, *words):
    """A request on the control socket; the caller reads the answer."""
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    # A small window, so that the daemon has to wait for its reader.
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect(scene.ana.dir + "/run/control.sock")
    s.sendall(b"\1" + b"".join(w.encode() + b"\0" for w in words) + b"\0")
    return s


def answer(s):
    """(output, error text, exit code) of what is still to come."""
    data, out = b"", {b"O": b"", b"E": b"", b"X": b""}
    while True:
        part = s.recv(1 << 16)
        if not part:
            break
        data += part
    while data:
        n = int.from_bytes(data[1:4], "big")
        out[data[:1]] += data[4:4 + n]
        data = data[4 + n:]
    return out[b"O"].decode(), out[b"E"].decode(), out[b"X"][0]


class Large:
    """More rows than a slice and a socket take, of two neighbors."""

    COUNT = 4000

    def __init__(self, lab):
        a = lab.ns("ana")
        self.ana = Ana(lab, a, ASN, "192.0.2.1")
        self.peers, self.of = [], []
        for i, asn in ((1, PEER), (2, NEVER)):
            p = lab.ns("peer%d" % i)
            net = "192.0.2.%d/30" % (4 * i)
            lab.link(a, p, v4=net)
            ours, theirs = "192.0.2.%d" % (4 * i + 1), "192.0.2.%d" % (
                4 * i + 2)
            self.of.append(self.ana.neighbor(
                theirs, asn, ours, passive=True,
                more=('no max-prefix "a lab";',)))
            self.peers.append((p, theirs, ours, asn))
        self.ana.announce(OWN)
        self.ana.start()
        self.prefixes = ["62.%d.%d.0/24" % (i >> 8, i & 255)
                         for i in range(self.COUNT)]
        self.peers = [Speaker(*x) for x in self.peers]
        for sp in self.peers:
            sp.announce(*map(Route, self.prefixes))
        wait_until(lambda: [n["stats"]["prefixes"]["received"] for n in
                            self.ana.ctl("show", "neighbor")["neighbors"]] ==
                   [self.COUNT] * 2, what="all routes are in")
        wait_until(lambda: len(self.ana.ctl("show", "rib", "best")["rib"]) ==
                   self.COUNT + 1, what="all is decided")


class TestSlices:
    @pytest.fixture(scope="class")
    def large(self, class_lab):
        yield Large(class_lab)

    def test_whole(self, large):
        """Nothing is lost or twice at the seams."""
        first = large.of[0].remote
        for words, want in [
                (("rib", "in", "neighbor", first), large.prefixes),
                (("rib", "neighbor", first), large.prefixes),
                (("rib", "best"), large.prefixes + [OWN.prefix]),
                (("rib", "in"), [p for p in large.prefixes for _ in "12"]),
                (("rib", "out"), [OWN.prefix] * 2),
                (("rejected",), [])]:
            got = [r["prefix"] for r in large.ana.ctl("show", *words)["rib"]]
            assert got == want, words
        best = [n["stats"]["routes"]["inet"]["best"] for n in
                large.ana.ctl("show", "neighbor")["neighbors"]]
        assert sum(best) == large.COUNT

    @pytest.mark.parametrize("words", [
        ("rib", "in"), ("rib", "in", "detail"), ("rib", "out"), ("rejected",),
        ("neighbor",), ("fib",)])
    def test_reader_goes_away(self, large, words):
        s = ask(large, "-j", "show", *words)
        s.recv(100)
        s.close()
        assert large.ana.ctl("show", "version")["version"]

    def test_session_ends_meanwhile(self, large):
        first = large.of[0].remote
        readers = [ask(large, "-j", "show", *w) for w in (
            ("rib", "in", "neighbor", first), ("rib", "detail"),
            ("rib", "in"))]
        for s in readers:
            s.recv(1)
        large.peers[0].close()
        wait_until(lambda: large.ana.ctl(
            "show", "rib", "in", "neighbor", first)["rib"] == [])
        for s in readers:
            # The first octet was the frame's type.
            data = b"O"
            while True:
                part = s.recv(1 << 16)
                if not part:
                    break
                data += part
            assert data[-5:-1] == b"X\0\0\1" and data[-1] == 0

    def test_neighbor_is_removed_meanwhile(self, large):
        # Only its routes are left, and are the best ones.
        large.peers[0].close()
        second = large.of[1].remote
        wait_until(lambda: large.ana.ctl(
            "show", "rib", "in", "neighbor", large.of[0].remote)["rib"] == [])
        readers = [ask(large, "-j", "show", *w) for w in (
            ("rib", "in", "neighbor", second), ("rib", "in"),
            ("rib", "best", "neighbor", second))]
        for s in readers:
            assert s.recv(1, socket.MSG_PEEK) == b"O"
        large.ana.neighbors.remove(large.of[1])
        large.ana.reload()
        got = [answer(s) for s in readers]
        for text, _, _ in got:
            assert isinstance(json.loads(text)["rib"], list)
        assert [code for _, _, code in got] == [4, 0, 4]
        assert "removed from the configuration" in got[0][1]
        left = large.ana.ctl("show")["neighbors"]
        assert [n["remote_addr"] for n in left] == [large.of[0].remote]


class TestTwoPartners:
    """Equal paths, one of which is lost to a prefix limit."""

    @pytest.fixture(scope="class")
    def two(self, class_lab):
        a = class_lab.ns("ana")
        ana, peers = Ana(class_lab, a, ASN, "192.0.2.1"), []
        ana.glob.append("multipath 4;")
        for i in (1, 2):
            p = class_lab.ns("peer%d" % i)
            class_lab.link(a, p, v4="192.0.2.%d/30" % (4 * i))
            ours, theirs = "192.0.2.%d" % (4 * i + 1), "192.0.2.%d" % (
                4 * i + 2)
            ana.neighbor(theirs, PEER, ours, passive=True,
                         more=("max-prefix 3 action restart 30m;",))
            peers.append((p, theirs, ours, PEER))
        ana.start()
        ana.peers = [Speaker(*x, router_id="192.0.2.10%d" % i)
                     for i, x in enumerate(peers)]
        for sp in ana.peers:
            sp.announce(Route("62.142.0.0/16"))
        ana.peers[1].announce(Route("62.143.0.0/16", path=(3292,)))
        ana.peers[0].announce(Route("62.143.0.0/16"))
        wait_until(lambda: [r["state"] for r in ana.ctl("show", "fib")["fib"]]
                   == ["installed"] * 2, what="kernel")
        yield ana

    def test_equal_paths(self, two):
        want = [("62.142.0.0/16", "192.0.2.6", True, False),
                ("62.142.0.0/16", "192.0.2.10", False, True),
                ("62.143.0.0/16", "192.0.2.6", True, False),
                ("62.143.0.0/16", "192.0.2.10", False, False)]
        def rows():
            return two.ctl("show", "rib", "detail")["rib"]
        wait_equal(lambda: [
            (r["prefix"], r["exit_nexthop"], r.get("best", False),
             r.get("ecmp", False)) for r in rows()], want)
        rows = rows()
        assert [r["fib"] for r in rows] == ["installed"] * 3 + ["not-wanted"]
        assert rows[3]["decision"] == "as-path"
        _, lines = table(two.cli("show", "rib"), "flags ")
        assert [x[:5] for x in lines] == ["*>   ", "*m   ", "*>   ", "*    "]
        r = two.ctl("show", "fib")["fib"][0]
        assert {h["address"] for h in r["nexthops"]} == {"192.0.2.6",
                                                         "192.0.2.10"}
        _, lines = table(two.cli("show", "fib"), "flags ")
        assert [x.split()[-2] for x in lines] == ["to-peer1", "192.0.2.10",
                                                  "to-peer1"]

    def test_prefix_limit(self, two):
        two.peers[1].announce(Route("62.144.0.0/16"), Route("62.145.0.0/16"))
        n = wait_until(lambda: (lambda n: n["max_prefix"]["tripped"] and n)(
            two.ctl("show", "neighbor", "n2")["neighbors"][0]))
        limit = n["max_prefix"]
        assert (limit["limit"], limit["percent"], limit["action"],
                limit["tripped"], limit["exceeded"]) == (3, 80, "restart",
                                                         True, 1)
        assert n["config"]["max_prefix_restart"] == 30
        assert n["last_error_sent"].startswith("Cease, ")
        assert n["last_notification"]["data_hex"] == "00010100000003"
        assert "over its prefix limit" in n["why_down"]
        assert re.search(r"the hold ends in 1[78]\d\d s", n["why_down"])
        _, text, _ = two.cli("-j", "-t", "1", "watch", "limits", "fib", "from",
                             "0", check=False)
        events = [json.loads(x) for x in text.splitlines()]
        assert {e["class"] for e in events} == {"watch", "limits", "fib"}
        tripped, = [e for e in events if e["event"] == "tripped"]
        assert tripped["prefix"] == "62.145.0.0/16"
        assert tripped["neighbor"]["description"] == "n2"
        assert "ready" in [e["event"] for e in events]
        _, lines = table(two.cli("show"), "Neighbor")
        assert lines[1].endswith(" Idle (prefix limit)")
        assert "Held down until" in two.cli("show", "neighbor", "n2")

    def test_one_description_of_two(self, two):
        """Nothing is done to one of them when the other may be meant."""
        two.neighbors[1].name = two.neighbors[0].name
        two.reload()
        name, says = two.neighbors[0].name, "192.0.2.6 and 192.0.2.10"
        for words in (["neighbor", name, "down"], ["show", "neighbor", name],
                      ["show", "rib", "neighbor", name]):
            status, text, err = two.cli(*words, check=False)
            assert (status, text) == (2, "") and says in err
            status, text, _ = two.cli("-j", *words, check=False)
            assert status == 2 and says in json.loads(text)["error"]
        assert two.up(two.neighbors[0])
        assert two.cli("neighbor", "192.0.2.6", "up") == (
            "the session is up already\n")


@pytest.mark.parametrize("words", [["help"], ["completion", "zsh"], ["-V"]])
def test_no_room_for_the_answer(words):
    with open("/dev/full", "w") as full:
        p = subprocess.run([program("ana-bgpctl"), *words], stdout=full,
                           stderr=subprocess.PIPE, text=True)
    assert p.returncode == 1 and "cannot write the answer" in p.stderr
