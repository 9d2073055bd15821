"""Sessions with the other daemons: everything, both ways, as whole tables.

The daemon under test stands between a router of another make and our own
speaker (the feed), which sends what no router would originate and sees every
octet of what comes out.
"""

import dataclasses
import time

import pytest

from ana import Ana, sanitizer_reports
from lab import Lab, wait_equal, wait_until
from routers import DRIVERS, Route, attributes, expected
from speaker import Speaker

FEED = 8308
HOLD = 6


@dataclasses.dataclass(frozen=True)
class Variant:
    name: str
    asn: int
    peer_as: int
    one_session: bool
    dials: bool         # the daemon under test dials, the other waits


VARIANTS = [Variant("dials", 52580, 719, False, True),
            Variant("waits", 263009, 196615, True, False)]

# What the other daemon announces; all of it inside real, public space.
PEERS = [
    Route("62.142.0.0/16", path=(3292, 8434), origin="EGP", med=77,
          communities=("719:1", "3292:200"), large=("196615:1:2",),
          ext=("rt 719:5", "soo 719:6"), aggregator=(8434, "62.142.0.1")),
    Route("46.182.112.0/21", med=0),
    Route("31.132.12.0/24", path=(400000,), origin="incomplete", med=4294967295,
          atomic=True, aggregator=(400000, "31.132.12.1"),
          unknown=((99, 0xc0, "00112233"),)),
    Route("2001:998::/41", path=(3292,), origin="incomplete", med=5,
          communities=("719:3",), large=("1:2:3",), ext=("rt 3292:9",)),
    Route("2001:671::/47", med=9),
]
# What the feed announces.
FED = [
    Route("2.104.0.0/14", path=(3292,), origin="EGP", med=11,
          communities=("3292:1", "3292:2"), large=("3292:1:1", "3292:1:2"),
          ext=("rt 3292:1", "soo 400000:7"), atomic=True,
          aggregator=(400000, "2.104.0.1")),
    Route("2.21.28.0/22", path=(400000, 3292, 3292)),
    Route("2001:67c:16bc::/48", path=(3292,), origin="incomplete",
          communities=("3292:9",), large=("4200:1:1",)),
]
# What the appliance announces itself.
OWN = [Route("179.191.160.0/24", med=3, communities=("8308:1",),
             large=("263009:1:1",)),
       Route("2804:a8::/48")]


class Scene:
    """The lab of one variant, built once for its tests."""

    def __init__(self, lab, kind, v):
        self.v, self.lab, self.broken = v, lab, False
        self.patience = None
        a, p, f = lab.ns("ana"), lab.ns("peer"), lab.ns("feed")
        lab.link(a, p, v4="192.0.2.0/30", v6="2001:db8:1::/64")
        lab.link(a, f, v4="192.0.2.4/30", v6="2001:db8:2::/64")
        cls = DRIVERS[kind]
        self.ana = Ana(lab, a, v.asn, "192.0.2.1")
        self.peer = cls(lab, p, v.peer_as, "192.0.2.2")
        one = v.one_session and cls.one_session
        more = ('no export-guard "a lab";',)
        ends = [("192.0.2.1", "192.0.2.2", "2001:db8:1::1", "2001:db8:1::2",
                 ("inet", "inet6") if one else ("inet",))]
        if not one:
            ends.append(("2001:db8:1::1", "2001:db8:1::2", None, None,
                         ("inet6",)))
        self.sessions = []
        for here, there, other_here, other_there, families in ends:
            self.sessions.append(self.ana.neighbor(
                there, v.peer_as, here, families, passive=not v.dials,
                hold=HOLD, other=other_here, next_hop_peer=other_there,
                more=more))
            self.peer.neighbor(here, v.asn, there, families,
                               passive=v.dials, hold=HOLD, other=other_there)
        self.feeds = [
            self.ana.neighbor("192.0.2.6", FEED, "192.0.2.5", passive=True,
                              more=more, name="feed4"),
            self.ana.neighbor("2001:db8:2::2", FEED, "2001:db8:2::1",
                              ("inet6",), passive=True, more=more,
                              name="feed6")]
        self.ana.announce(*OWN)
        self.mine = [self.peer.fit(r) for r in PEERS]
        self.peer.announce(*self.mine)
        self.ana.start()
        self.peer.start()
        self.feed4 = Speaker(f, "192.0.2.6", "192.0.2.5", FEED)
        self.feed6 = Speaker(f, "2001:db8:2::2", "2001:db8:2::1", FEED)
        self.fed = list(FED)
        self.feed(self.fed)

    def feed(self, routes):
        for r in routes:
            (self.feed6 if r.v6 else self.feed4).announce(r)

    def all_up(self):
        return all(self.ana.up(n) for n in self.sessions + self.feeds) and \
            self.peer.all_up()

    def settled(self):
        """All up; a router that takes its time is told to go on."""
        now = time.monotonic()
        if self.all_up():
            self.patience = None
            return True
        if self.patience is None:
            self.patience = now + 8
        elif now > self.patience:
            self.patience = now + 8
            self.peer.hurry()
        return False

    def state_of_sessions(self):
        return {self.ana.show(n)["state"] for n in self.sessions}

    # What each side has to see.

    def at_ana(self):
        return expected(self.mine, self.v.peer_as,
                        {4: "192.0.2.2", 6: "2001:db8:1::2"})

    def passed_on(self, routes, via, hops):
        """Routes of another neighbor as we send them: our ASN in front,
        our next hop, no MED (RFC 4271 5.1.4)."""
        return {r.prefix: attributes(
            (self.v.asn, via) + tuple(r.path), r.origin,
            hops[6 if r.v6 else 4], None, r.communities, r.large, r.ext)
            for r in routes}

    def at_peer(self):
        hops = {4: "192.0.2.1", 6: "2001:db8:1::1"}
        return {**self.passed_on(self.fed, FEED, hops),
                **expected(OWN, self.v.asn, hops)}

    def at_feed(self, extra=False):
        hops = {4: "192.0.2.5", 6: "2001:db8:2::1"}
        out = {**self.passed_on(self.mine, self.v.peer_as, hops),
               **expected(OWN, self.v.asn, hops)}
        if extra:
            for r in self.mine + OWN:
                out[r.prefix].update(
                    atomic=r.atomic, aggregator=r.aggregator,
                    # RFC 4271 9: passed on with the Partial bit.
                    unknown=[(k, f | 0x20, v) for k, f, v in r.unknown])
        return out

    def feed_sees(self, extra=False):
        return {**self.feed4.routes(extra), **self.feed6.routes(extra)}

    def received(self):
        return {p: a for n in self.sessions
                for p, a in self.ana.routes(n).items()}

    def in_kernel(self):
        return {**{r.prefix: {"2001:db8:1::2" if r.v6 else "192.0.2.2"}
                   for r in self.mine},
                **{r.prefix: {"2001:db8:2::2" if r.v6 else "192.0.2.6"}
                   for r in self.fed}}

    def wait_equal(self, deadline=40):
        # The first test that fails has the reason; the others would only
        # wait for the same.
        if self.broken:
            pytest.skip("an earlier test of this router failed")
        self.broken = True
        self._wait_equal(deadline)
        self.broken = False

    def _wait_equal(self, deadline):
        wait_until(self.settled, deadline, what="all sessions up")
        wait_equal(self.received, self.at_ana(), deadline,
                   "what we received")
        wait_equal(self.peer.routes, self.at_peer(), deadline,
                   "what the peer received")
        wait_equal(lambda: self.feed_sees(True), self.at_feed(True), deadline,
                   "what we passed on")
        wait_equal(self.ana.kernel, self.in_kernel(), deadline,
                   "the kernel's table")

    def wait_gone(self, deadline):
        """Nothing of the peer is left, all of the feed is."""
        fed = {r.prefix for r in self.fed}
        own = {r.prefix for r in OWN}
        wait_until(lambda: set(self.ana.kernel()) == fed, deadline,
                   what="only the feed's routes in the kernel")
        wait_until(lambda: set(self.feed_sees()) == own, deadline,
                   what="the feed was told")
        assert self.feed4.up() and self.feed6.up()


@pytest.fixture(scope="module", params=[
    (k, v) for k in sorted(DRIVERS) for v in VARIANTS],
    ids=lambda p: "%s-%s" % (p[0], p[1].name))
def scene(request):
    kind, variant = request.param
    if not DRIVERS[kind].installed():
        pytest.skip("%s is not installed" % DRIVERS[kind].program)
    with Lab() as lab:
        s = Scene(lab, kind, variant)
        yield s
        s.feed4.close()
        s.feed6.close()
        reports = sanitizer_reports(s.ana.process)
        assert not reports, reports


class TestInterop:
    def test_routes_both_ways(self, scene):
        scene.wait_equal()

    def test_peer_changes_attributes(self, scene):
        scene.mine[0] = scene.peer.fit(dataclasses.replace(
            PEERS[0], med=78, origin="IGP", communities=("719:9",), large=(),
            path=(3292,)))
        scene.mine[3] = scene.peer.fit(dataclasses.replace(
            PEERS[3], communities=(), large=("9:9:9",)))
        scene.peer.announce(scene.mine[0], scene.mine[3])
        scene.wait_equal()

    def test_we_pass_changes_on(self, scene):
        scene.fed[0] = dataclasses.replace(
            FED[0], origin="IGP", communities=("3292:5",), ext=(),
            path=(3292, 8434))
        scene.fed[2] = dataclasses.replace(FED[2], large=())
        scene.feed(scene.fed)
        scene.wait_equal()

    def test_withdrawals(self, scene):
        gone = [scene.mine.pop(4), scene.mine.pop(1)]
        scene.peer.withdraw(*[r.prefix for r in gone])
        scene.feed4.withdraw(scene.fed[1].prefix)
        dropped = scene.fed.pop(1)
        scene.wait_equal()
        scene.mine += gone
        scene.peer.announce(*gone)
        scene.fed.append(dropped)
        scene.feed([dropped])
        scene.wait_equal()

    def test_clear(self, scene):
        n = scene.sessions[0]
        before = scene.ana.show(n)["stats"]["message"]["sent"]
        scene.ana.cli("neighbor", n.remote, "clear", "interop")
        wait_until(lambda: scene.ana.show(n)["stats"]["message"]["sent"]
                   ["notifications"] > before["notifications"], 10,
                   what="a NOTIFICATION was sent")
        scene.wait_equal()
        after = scene.ana.show(n)["stats"]["message"]["sent"]
        assert after["open"] > before["open"]

    def test_refresh(self, scene):
        n = scene.sessions[0]
        if not scene.ana.show(n)["session"]["capabilities"]["refresh"]:
            pytest.skip("%s does not do route refresh" % scene.peer.kind)
        got = scene.ana.show(n)["stats"]["update"]["received"]["updates"]
        scene.ana.cli("neighbor", n.remote, "refresh", "in")
        wait_until(lambda: scene.ana.show(n)["stats"]["route-refresh"]["sent"]
                   ["request"] >= len(n.families), 10, what="asked")
        if scene.peer.answers_refresh:
            wait_until(lambda: scene.ana.show(n)["stats"]["update"]
                       ["received"]["updates"] > got, 20, what="sent again")
        scene.wait_equal()

    def test_peer_freezes(self, scene):
        scene.peer.freeze()
        try:
            wait_until(lambda: "Established" not in scene.state_of_sessions(),
                       HOLD * 3, what="the hold timer ends the session")
            scene.wait_gone(10)
            for n in scene.sessions:
                said = scene.ana.show(n)["last_error_sent"]
                assert "hold timer" in said.lower(), said
        finally:
            scene.peer.thaw()
        scene.wait_equal(60)

    def test_peer_is_killed(self, scene):
        scene.peer.kill()
        wait_until(lambda: "Established" not in scene.state_of_sessions(), 5,
                   what="the sessions end at once")
        scene.wait_gone(10)
        scene.peer.start()
        scene.wait_equal(60)
