"""Rules, limits and explanations, with BIRD as the partner.

BIRD announces what it is told; what the appliance takes of it, why, and what
it says about that, is looked at as an operator would.
"""

import pytest

from ana import Ana
from lab import wait_until
from routers import Bird, Route

ASN, PEER = 52580, 719
A, B = "192.0.2.1", "192.0.2.2"
RULES = """
as-path-set backup { "^719_(3292|8308)_"; }
community-table te {
	719:*       add 52580:9;
	719:50      local-pref 50;
	large 52580:10:* med 7;
	719:666     reject;
}
policy strict {
	rule te     { apply community-table te; continue; }
	rule backup { match as-path in backup; set local-pref 150;
	              set weight 7; accept; }
	rule long   { match as-path-length > 4; reject; }
	rule mine   { match community 52580:9; accept; }
	rule rest   { set community replace large 52580:1:1; accept; }
}
"""
ROUTES = (
    Route("62.142.0.0/24"),
    Route("62.142.1.0/24", path=(3292, 8434)),
    Route("62.142.2.0/24", path=(1103, 1103, 1103, 1103, 1103)),
    Route("62.142.3.0/24", communities=("719:50",), large=("52580:10:3",)),
    Route("62.142.4.0/24", communities=("719:666",)),
)


class Scene:
    def __init__(self, lab):
        a, p = lab.ns("ana"), lab.ns("peer")
        lab.link(a, p, v4="192.0.2.0/24", v6="2001:db8:1::/64")
        self.ana = Ana(lab, a, ASN, A)
        self.ana.sets["as719"] = ["62.142.0.0/16 or-longer"]
        self.ana.blocks.append(RULES)
        self.ana.blocks.append(
            'network 179.191.161.0/24 { track file "/none\u009b31m" '
            'max-age 15s; }\n')
        self.n = self.ana.neighbor(B, PEER, A, passive=True, name="partner",
                                   irr="as719", importing="strict")
        self.ana.announce(Route("179.191.160.0/24"))
        self.bird = Bird(lab, p, PEER, B)
        self.bird.neighbor(A, ASN, B)
        self.bird.announce(*ROUTES)
        self.bird.start()
        self.ana.start()
        self.wait(received=len(ROUTES))

    def prefixes(self):
        return self.ana.ctl("show", "neighbor", B)["neighbors"][0]["stats"][
            "prefixes"]

    def wait(self, **want):
        wait_until(lambda: all(self.prefixes()[k] == v
                               for k, v in want.items()),
                   what="counters %s" % want)

    def limit(self):
        return self.ana.ctl("show", "neighbor", B)["neighbors"][0]["max_prefix"]

    def explain(self, *words):
        return self.ana.ctl("explain", *words)


@pytest.fixture(scope="class")
def scene(class_lab):
    yield Scene(class_lab)


class TestPolicy:
    def test_rules(self, scene):
        rib = {r["prefix"]: r for r in scene.ana.ctl("show", "rib")["rib"]
               if r["prefix"].startswith("62.")}
        assert set(rib) == {"62.142.0.0/24", "62.142.1.0/24", "62.142.3.0/24"}
        assert rib["62.142.1.0/24"]["localpref"] == 150
        assert rib["62.142.3.0/24"]["localpref"] == 50
        assert rib["62.142.3.0/24"]["metric"] == 7
        shown = scene.ana.ctl("show", "policy", "strict")["policies"][0]
        hits = {r["rule"]: r["hits"] for r in shown["rules"]}
        assert hits == {"te": 5, "backup": 1, "long": 1, "mine": 1, "rest": 1}

    def test_explain_received(self, scene):
        e = scene.explain("62.142.2.0/24")
        n = e["neighbors"][0]
        assert n["received"] and not n["accepted"]
        assert n["reason_name"] == "policy-rule" and "long" in n["text"]
        assert n["rule"]["rule"] == "long"
        assert n["rule"]["where"].rsplit(":", 1)[1].isdigit()
        assert n["set"]["entry"]["entry"].startswith("62.142.0.0/16")
        assert n["set"]["entry"]["line"] > 0
        assert {g["verdict"] for g in n["guards"]} <= {"ok", "off"}
        assert e["kernel"]["state"] == "not-wanted"
        good = scene.explain("62.142.3.0/24", "neighbor", B)
        assert good["neighbors"][0]["accepted"]
        assert good["neighbors"][0]["attributes"]["localpref"] == 50
        assert [p["best"] for p in good["decision"]] == [True]
        assert good["nexthop"]["address"] == B and good["nexthop"]["reachable"]
        assert good["told"][0]["told"] is False
        assert "came from it" in good["told"][0]["text"]

    def test_explain_made_up(self, scene):
        e = scene.explain("10.1.0.0/16", "neighbor", B)
        n = e["neighbors"][0]
        assert not n["received"] and n["reason_name"] == "bogon-prefix"
        bad = [g["guard"] for g in n["guards"] if g["verdict"] == "fail"]
        assert bad == ["bogon-prefixes", "irr"]
        assert "RFC 1918" in n["text"]
        assert n["set"]["nearest"]["entry"].startswith("62.142.0.0/16")
        assert len({g["guard"] for g in n["guards"]}) == len(n["guards"])
        ours = scene.explain("179.191.160.0/24")
        assert ours["told"][0]["told"] is True
        text = scene.ana.cli("explain", "10.1.0.0/16")
        assert "FAIL  bogon-prefixes" in text and "told to:" in text
        # It cannot announce what its session has not: nothing else matters.
        n = scene.explain("2a01:4f8::/32", "neighbor", B)["neighbors"][0]
        assert n["reason_name"] == "invalid-afi" and "guards" not in n
        assert "(invalid-afi)" in scene.ana.cli("explain", "2a01:4f8::/32")

    def test_test_route(self, scene):
        before = scene.ana.ctl("show", "policy", "strict")
        r = scene.ana.ctl("test", "route", "62.142.9.0/24", "as-path",
                          "719 3292 8434", "community", "719:50",
                          "neighbor", B)["neighbors"][0]
        assert r["accepted"] and r["rule"]["rule"] == "backup"
        assert r["attributes"]["localpref"] == 150
        assert r["attributes"]["weight"] == 7
        assert "52580:9" in r["attributes"]["communities"]
        r = scene.ana.ctl("test", "route", "62.142.9.0/24", "as-path",
                          "719 64512", "neighbor", B)["neighbors"][0]
        assert r["reason_name"] == "bogon-asn" and "64512" in r["text"]
        bad = scene.ana.cli("test", "route", "62.142.9.0/24", check=False)
        assert bad[0] == 2
        now = scene.ana.ctl("show", "policy", "strict")
        assert now["policies"] == before["policies"]
        assert scene.prefixes()["received"] == len(ROUTES)

    def test_name_of_a_track(self, scene):
        """Nothing that a terminal would obey."""
        text = scene.ana.cli("show", "announcements")
        assert "\\xc2\\x9b31m" in text and "\u009b" not in text

    def test_weight_of_a_rule(self, scene):
        def show(*view):
            words = ("show", "rib", *view, "62.142.1.0/24", "detail")
            return (scene.ana.ctl(*words)["rib"][0]["weight"],
                    scene.ana.cli(*words))
        weight, text = show()
        assert weight == 7 and "weight 7," in text
        weight, text = show("in")
        assert weight == 0 and "weight 0," in text

    def test_guards_of_one_neighbor(self, scene):
        scene.ana.sets["cgnat"] = ["100.64.0.0/10 or-longer"]
        scene.ana.sets["as719"].append("100.64.0.0/10 or-longer")
        scene.ana.blocks.append("as-set tier1 { 3356; }\n"
                                "peering-policy { peer-lock as-set tier1; }")
        scene.n.more = ("allow prefix-set cgnat;",
                        'no as-path-length "agreed, ticket 7";')
        scene.ana.reload()
        scene.bird.announce(Route("100.64.1.0/24"), Route("10.9.0.0/24"),
                            Route("62.142.30.0/24", path=(3356, 8434)))
        scene.wait(received=len(ROUTES) + 3)
        why = {r["prefix"]: str(r) for r in
               scene.ana.ctl("show", "rejected")["rib"]}
        assert "100.64.1.0/24" not in why
        assert "bogon-prefix" in why["10.9.0.0/24"]
        assert "3356" in why["62.142.30.0/24"]
        policy = scene.ana.ctl("show", "neighbor", B)["neighbors"][0]["policy"]
        assert policy["allow"] == ["cgnat"]
        assert policy["off"] == [{"guard": "as-path-length",
                                  "reason": "agreed, ticket 7"}]
        text = scene.ana.cli("show", "neighbor", B)
        assert "HOLE: prefix-set cgnat" in text
        assert "OFF: as-path-length (agreed, ticket 7)" in text
        guards = {g["guard"]: g for g in scene.explain(
            "62.142.30.0/24")["neighbors"][0]["guards"]}
        assert guards["as-path-length"]["verdict"] == "off"
        assert guards["peer-lock"]["reason_name"] == "peer-lock"
        scene.bird.withdraw("100.64.1.0/24", "10.9.0.0/24", "62.142.30.0/24")
        scene.n.more = ()
        scene.ana.reload()
        scene.wait(received=len(ROUTES))

    def test_discard(self, scene):
        scene.n.more = ("max-prefix 6 action discard;",)
        scene.ana.reload()
        scene.bird.announce(Route("62.142.10.0/24"), Route("62.142.11.0/24"))
        wait_until(lambda: scene.limit().get("hold"), what="held back")
        assert scene.prefixes()["received"] == 6
        assert scene.limit()["hold"]["action"] == "discard"
        held = scene.limit()["hold"]["prefixes"][0]
        reasons = [r["reason_name"] if "reason_name" in r else r["reason"]
                   for r in scene.ana.ctl("show", "rejected")["rib"]
                   if r["prefix"] == held]
        assert reasons and "over-limit" in str(reasons)
        assert "HELD BACK" in scene.ana.cli("explain", held)
        scene.bird.withdraw("62.142.4.0/24")
        wait_until(lambda: held in [
            r["prefix"] for r in scene.ana.ctl("show", "rib")["rib"]],
            what="the held one comes in")

    def test_stop_survives_restart(self, scene):
        scene.n.more = ("max-prefix 3 action stop;",)
        scene.ana.reload()
        scene.bird.announce(Route("62.142.20.0/24"))
        wait_until(lambda: scene.limit()["tripped"], what="tripped")
        assert any(n["code"] == 6 and n["subcode"] == 1 for n in scene.ana.ctl(
            "show", "errors", "neighbor", B)["neighbors"][0]["notifications"])
        scene.ana.kill()
        scene.ana.start()
        assert scene.limit()["tripped"]
        assert scene.limit()["hold"]["limit"] == 3
        out = scene.ana.cli("show", "neighbor", B)
        assert "Held down until an operator ends it" in out
        scene.n.more = ("max-prefix 100;",)
        scene.ana.reload()
        wait_until(lambda: scene.prefixes()["received"] ==
                   len(scene.bird.table),
                   deadline=60, what="all are in again")
        assert not scene.limit()["tripped"]
