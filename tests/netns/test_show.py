"""What an operator and a script read: columns, JSON, exit codes.

One appliance, one partner that is up (our own speaker, so that every octet
is known) and one that never comes.  The tests look at one scene, in order;
the last ones change it.
"""

import json
import re

import pytest

from ana import Ana
from lab import wait_until
from routers import Route
from speaker import Speaker, attribute, message, nlri, notification

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
        (["show", "config"], None),
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
        status, text, _ = scene.ana.cli("check", "health", check=False)
        assert status == 5
        assert text.startswith("degraded: neighbor ") and \
            text.count("\n") == 1
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

    def test_down(self, scene):
        scene.ana.cli("neighbor", "absent", "down", "maintenance 42")
        _, rows = table(scene.ana.cli("show"), "Neighbor")
        assert rows[1].endswith("Never    Idle (down: maintenance 42)")
        absent = neighbor(scene, 1)
        assert absent["config"]["down"] is True
        assert absent["admin_state"] == "down"
        assert absent["my_shutdown_reason"] == "maintenance 42"
        assert "neighbor X up" in absent["why_down"]
