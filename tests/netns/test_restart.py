"""Graceful restart in both roles and what else a session may agree on, with
the other daemons: their routes stay in our kernel while they restart, ours in
their tables while we do, and nothing is deleted in between.
"""

import signal
import threading
import time

import pytest

from ana import Ana, Watch, sanitizer_reports, wait_for_log
from lab import Lab, LabError, wait_equal, wait_until
from routers import DRIVERS, Route

PEER = 3292
RESTART = 60
THEIRS = [Route("193.64.0.0/16"), Route("193.65.0.0/16"),
          Route("2001:998::/32")]
OWN = [Route("179.191.160.0/24"), Route("2804:a8::/48")]
# What of RFC 4724 and 8538 each has.  OpenBGPD (7.7) sends End-of-RIB only:
# its capability lists no family.
HELPS = {"bird", "frr", "gobgp"}        # keeps our routes while we restart
RESTARTS = {"bird", "frr", "gobgp"}     # asks us to keep its own
# GoBGP's routes are given to it when it runs, after its End-of-RIB.
RENEWS = {"bird", "frr"}
NOTIFIES = {"frr", "gobgp"}             # also over a NOTIFICATION
# GoBGP forwards nothing itself and says so: the Forwarding State bit is clear
# in its next OPEN, on which RFC 4724 4.2 has its stale routes removed at once.
FORWARDS = {"frr"}
# Enhanced route refresh (RFC 7313).
ENHANCED = {"bird", "frr"}
ROLES = {"bird": "provider", "frr": "provider", "openbgpd": "provider"}


class Sampler:
    """What a router has of our routes, again and again: the least of it."""

    def __init__(self, fn):
        self.fn, self.least, self.stop = fn, None, False
        self.t = threading.Thread(target=self._run, daemon=True)
        self.t.start()

    def _run(self):
        while not self.stop:
            try:
                seen = set(self.fn())
            except Exception:   # noqa: a router that does not answer now
                seen = None
            if seen is not None:
                self.least = seen if self.least is None else \
                    self.least & seen
            time.sleep(0.2)

    def end(self):
        self.stop = True
        self.t.join(20)
        return self.least


class Scene:
    def __init__(self, lab, kind):
        self.lab, self.kind = lab, kind
        a, p = lab.ns("ana"), lab.ns("peer")
        lab.link(a, p, v4="192.0.2.0/30", v6="2001:db8:1::/64")
        self.ns = a
        self.ana = Ana(lab, a, 52580, "192.0.2.1")
        self.ana.glob = ['shutdown-reason "a new version";']
        self.peer = DRIVERS[kind](lab, p, PEER, "192.0.2.2")
        role = ROLES.get(kind)
        for here, there, fam in (
                ("192.0.2.1", "192.0.2.2", "inet"),
                ("2001:db8:1::1", "2001:db8:1::2", "inet6")):
            self.ana.neighbor(there, PEER, here, (fam,), hold=30,
                              restart=RESTART,
                              role="customer" if role else None)
            self.peer.neighbor(here, 52580, there, (fam,), hold=30,
                               restart=RESTART, role=role, extended=True)
        self.ana.announce(*OWN)
        self.theirs = [self.peer.fit(r) for r in THEIRS]
        self.peer.announce(*self.theirs)
        self.ana.start()
        self.peer.start()

    def kernel(self):
        return {r.prefix: {"2001:db8:1::2" if r.v6 else "192.0.2.2"}
                for r in self.theirs}

    def ours(self):
        return {r.prefix for r in OWN}

    def settle(self, deadline=40):
        wait_until(lambda: self.ana.all_up() and self.peer.all_up(), deadline,
                   what="both sessions up")
        wait_equal(self.ana.kernel, self.kernel(), deadline, "kernel")
        wait_equal(lambda: set(self.peer.routes()), self.ours(), deadline,
                   "what the peer received")
        wait_until(lambda: not any(self.stale().values()), deadline,
                   what="nothing stale")

    def stale(self):
        out = {}
        for n in self.ana.neighbors:
            for f, r in self.ana.show(n)["stats"]["routes"].items():
                if f in ("inet", "inet6"):
                    out[n.remote, f] = r["stale"]
        return out

    def ports(self, n):
        session = self.ana.show(n)["session"]
        return session["local"]["port"], session["remote"]["port"]

    def end_idle_hold(self):
        """OpenBGPD's doubles with each session that ends."""
        if self.kind == "openbgpd":
            for n in self.ana.neighbors:
                if not self.ana.up(n):
                    self.peer.cli("neighbor", n.local, "up")

    def agreed(self, n):
        return self.ana.show(n)["session"]["capabilities"]


@pytest.fixture(scope="class", params=["bird", "frr", "gobgp", "openbgpd"])
def scene(request):
    if not DRIVERS[request.param].installed():
        pytest.skip("%s is not installed" % DRIVERS[request.param].program)
    with Lab() as lab:      # of its own: the next one uses the same names
        s = Scene(lab, request.param)
        s.settle()
        yield s
        reports = sanitizer_reports(s.ana.process)
        assert not reports, reports


class TestRestart:
    def test_what_is_agreed(self, scene):
        for n in scene.ana.neighbors:
            caps = scene.agreed(n)
            gr = caps["graceful_restart"]
            fams = [p["family"] for p in gr["protocols"]]
            assert bool(fams) == (scene.kind in RESTARTS), gr
            if scene.kind in RESTARTS:
                assert gr["timeout"] == RESTART
            assert gr["graceful_notification"] == (scene.kind in NOTIFIES)
            if scene.kind in ROLES:
                show = scene.ana.show(n)
                assert show["session"]["remote_role"] == "provider"
                assert show["session"]["local_role"] == "customer"
                assert "Role: customer, the peer is provider" in \
                    scene.ana.cli("show", "neighbor", n.remote)

    def test_it_restarts(self, scene):
        """Killed and started again: we help."""
        watch = Watch(scene.ns)
        scene.peer.kill()
        if scene.kind in RESTARTS:
            wait_until(lambda: sum(scene.stale().values()) ==
                       len(scene.theirs), what="its routes are stale")
            n = scene.ana.neighbors[0]
            kept = scene.ana.show(n)["graceful_restart"]
            assert kept["kept"] == {"inet": 2}
            assert 0 < kept["restart_due"] <= RESTART
            assert "stale routes of the last session" in \
                scene.ana.cli("show", "neighbor", n.remote)
            assert scene.ana.kernel() == scene.kernel()
        else:
            wait_equal(scene.ana.kernel, {})
        scene.peer.again = True
        scene.peer.start()
        scene.settle()
        if scene.kind in RENEWS:
            assert not watch.deleted(), watch.deleted()

    @pytest.mark.parametrize("how", ["term", "kill"])
    def test_we_restart(self, scene, how):
        """Our routes stay where they are, in its table and in our kernel."""
        watch = Watch(scene.ns)
        seen = Sampler(scene.peer.routes)
        wait_until(lambda: seen.least is not None)
        scene.ana.process.signal(
            signal.SIGTERM if how == "term" else signal.SIGKILL)
        wait_until(lambda: not scene.ana.running(), 15)
        assert scene.ana.kernel() == scene.kernel()
        scene.ana.start()
        scene.settle()
        least = seen.end()
        assert not watch.deleted(), watch.deleted()
        if scene.kind in HELPS:
            assert least == scene.ours()
        for n in scene.ana.neighbors:
            sent = scene.ana.show(n)["session"]["local"]["capabilities"]
            gr = sent["graceful_restart"]
            assert gr["restart"] is True
            assert [p["preserved"] for p in gr["protocols"]] == [True]

    def test_reset(self, scene):
        """An operator's reset, with a NOTIFICATION: RFC 8538."""
        watch = Watch(scene.ns)
        before = {n.remote: scene.ports(n) for n in scene.ana.neighbors}
        for n in scene.ana.neighbors:
            scene.ana.cli("neighbor", n.remote, "clear", "ticket 7")

        def back():
            scene.end_idle_hold()
            return all(scene.ana.up(n) and scene.ports(n) != before[n.remote]
                       for n in scene.ana.neighbors)
        wait_until(back, 40)
        scene.settle()
        if scene.kind in FORWARDS:
            assert not watch.deleted(), watch.deleted()
        elif scene.kind in NOTIFIES:
            # They may be back before the kernel heard that they had gone.
            wait_for_log(scene.ana.process, "without having kept forwarding")
        else:
            assert watch.deleted()
        if scene.kind in NOTIFIES:
            for n in scene.ana.neighbors:
                theirs = scene.ana.show(n)["session"]["remote"]
                assert [p["preserved"] for p in theirs["capabilities"][
                    "graceful_restart"]["protocols"]] == [
                        scene.kind in FORWARDS]

    def test_refresh(self, scene):
        if scene.kind == "openbgpd":
            pytest.skip("7.7: \"AID IPv4 unicast not negotiated\"")
        for n in scene.ana.neighbors:
            rx = scene.ana.show(n)["stats"]["update"]["received"]["updates"]
            scene.ana.cli("neighbor", n.remote, "refresh")
            wait_until(lambda: scene.ana.show(n)["stats"]["update"][
                "received"]["updates"] > rx, what="its routes again")
            assert scene.agreed(n)["enhanced_refresh"] == (
                scene.kind in ENHANCED)
            if scene.kind in ENHANCED:
                wait_until(lambda: scene.ana.show(n)["stats"][
                    "route-refresh"]["received"]["eorr"] > 0, what="EoRR")
        scene.settle()

    def test_long_message(self, scene):
        """1,200 communities, in one UPDATE of more than 4,096 octets."""
        if not scene.agreed(scene.ana.neighbors[0])["extended_message"]:
            pytest.skip("it does not offer extended messages")
        many = Route("179.191.161.0/24", communities=tuple(
            "52580:%d" % i for i in range(1200)))
        scene.ana.announce(many)
        try:
            wait_until(lambda: many.prefix in scene.peer.routes(), 20)
            if scene.kind != "bird":    # prints the first of them only
                assert scene.peer.routes()[many.prefix]["communities"] == \
                    sorted(many.communities)
        finally:
            scene.ana.withdraw(many.prefix)
        wait_until(lambda: many.prefix not in scene.peer.routes())
        assert all(scene.ana.up(n) for n in scene.ana.neighbors)

    def test_down_is_the_end(self, scene):
        """A stop by the operator is a hard reset: nothing is kept."""
        n = scene.ana.neighbors[0]
        scene.ana.cli("neighbor", n.remote, "down", "ticket 8\u00e9")
        v4 = {r.prefix for r in OWN if not r.v6}
        wait_until(lambda: not v4 & self.still_there(scene), 15)
        wait_equal(lambda: set(scene.ana.kernel()),
                   {r.prefix for r in THEIRS if r.v6}, 15)
        scene.ana.cli("neighbor", n.remote, "up")

        def back():
            scene.end_idle_hold()
            return scene.ana.up(n)
        wait_until(back)
        scene.settle()

    @staticmethod
    def still_there(scene):
        try:
            return set(scene.peer.routes())
        except LabError:    # GoBGP shows nothing of a session that is down
            return set()
