"""Drains and maintenance, with BIRD and FRR as the partners: what each of them
sees in each step, what the kernel forwards to, over kills of the speaker."""

import datetime
import socket
import threading

import pytest

from ana import Ana, sanitizer_reports
from lab import wait_equal, wait_until
from routers import DRIVERS, Route, attributes
from test_schema import check
from test_watch import Watch

US = 52580
OWN = [Route("185.23.12.0/24", med=7), Route("2804:a8::/48", med=7)]
THEIRS = [Route("193.64.0.0/16"), Route("2001:998::/32")]
GSHUT = "65535:0"
PARTNERS = {"bird": (719, "192.0.2"), "frr": (3292, "198.51.100")}


class Scene:
    """Both partners announce the same; each has a session of each family."""

    def __init__(self, lab):
        self.lab, self.ns, self.ana = lab, lab.ns("ana"), None
        self.ana = Ana(lab, self.ns, US, "192.0.2.1")
        self.ana.announce(*OWN)
        self.partner = {}
        for i, (kind, (asn, net)) in enumerate(PARTNERS.items()):
            ns = lab.ns(kind)
            lab.link(self.ns, ns, v4=net + ".0/30",
                     v6="2001:db8:%d::/64" % (i + 1))
            p = DRIVERS[kind](lab, ns, asn, net + ".2")
            for here, there, fam in (
                    (net + ".1", net + ".2", "inet"),
                    ("2001:db8:%d::1" % (i + 1), "2001:db8:%d::2" % (i + 1),
                     "inet6")):
                self.ana.neighbor(there, asn, here, (fam,), hold=30,
                                  name=kind + fam[4:])
                p.neighbor(here, US, there, (fam,), hold=30)
            p.announce(*[p.fit(r) for r in THEIRS])
            self.partner[kind] = p

    def start(self, *blocks):
        self.ana.blocks = list(blocks)
        self.ana.start()
        for p in self.partner.values():
            p.start()
        self.normal()

    # ---- what is to be seen ------------------------------------------------

    def sees(self, kind, how, families=("inet", "inet6"), deadline=30):
        """The partner's whole table: how is None (nothing), or what is added
        to our path, MED and communities."""
        asn, net = PARTNERS[kind]
        hops = {n.v6: n.remote for n in self.partner[kind].neighbors}
        want = {}
        for r in OWN:
            h = how if ("inet6" if r.v6 else "inet") in families else NORMAL
            if h is not None:
                want[r.prefix] = attributes(
                    [US] * (1 + h[0]), "IGP", hops[r.v6],
                    r.med if h[1] is None else h[1], h[2])
        wait_equal(self.partner[kind].routes, want, deadline,
                   "what %s sees" % kind)

    def forwards(self, *kinds, families=("inet", "inet6")):
        """The kernel's next hops for what both partners announce."""
        want = {}
        for r in THEIRS:
            f = "inet6" if r.v6 else "inet"
            use = kinds if f in families else tuple(PARTNERS)
            hops = {n.remote for n in self.ana.neighbors
                    if n.v6 == r.v6 and n.remote_as in
                    [PARTNERS[k][0] for k in use]}
            if hops:
                want[r.prefix] = hops
        wait_equal(self.ana.kernel, want, 30, "kernel")

    def normal(self):
        wait_until(lambda: self.ana.all_up(), 60, what="all up")
        for kind in PARTNERS:
            self.sees(kind, NORMAL)
        self.forwards(*PARTNERS)

    def drained(self, how):
        for kind in PARTNERS:
            self.sees(kind, how)

    def gone(self):
        """No session, no route, on any side."""
        for kind in PARTNERS:
            self.sees(kind, None)
        self.forwards()
        assert not any(self.ana.up(n) for n in self.ana.neighbors)

    # ---- maintenance -------------------------------------------------------

    def maintenance(self):
        return self.ana.ctl("maintenance", "show")

    def step(self, name, deadline=60):
        wait_until(lambda: self.maintenance()["state"] == name, deadline,
                   what="maintenance is %s" % name)

    def crash(self):
        """kill -9; the next process reads what it finds."""
        self.ana.process.kill()
        self.ana.start()

    def established(self):
        return [self.ana.show(n)["stats"]["established"]
                for n in self.ana.neighbors]


NORMAL = (0, None, ())
HOW = (2, 500, (GSHUT,))
DRAIN = "drain { prepend 2; med 500; time 1h; }"


class Traffic:
    """UDP from our namespace to a partner: some 4 Mbit/s of real packets."""

    def __init__(self, scene):
        self.s = scene.ns.socket(kind=socket.SOCK_DGRAM)
        self.stop = threading.Event()
        self.t = threading.Thread(target=self._run, daemon=True)
        self.t.start()

    def _run(self):
        while not self.stop.wait(0.02):
            for _ in range(8):
                try:
                    self.s.sendto(b"x" * 1200, ("192.0.2.2", 9))
                except OSError:     # nobody listens there
                    pass

    def end(self):
        self.stop.set()
        self.t.join(10)
        self.s.close()


@pytest.fixture
def scene(lab):
    s = Scene(lab)
    yield s
    if s.ana.process:
        reports = sanitizer_reports(s.ana.process)
        assert not reports, reports


def view(scene, name):
    """Who drains the neighbor, from show neighbor."""
    return scene.ana.ctl("show", "neighbor", name)["neighbors"][0]["drain"]


def test_neighbor(scene):
    """One neighbor: both ways, the other one as before; then nothing."""
    scene.start(DRAIN)
    watch = Watch(scene, "peers")
    out = scene.ana.cli("drain", "neighbor", "bird", "10m", "fibre work")
    assert "in 600 s nothing is announced" in out
    scene.sees("bird", HOW, ("inet",))
    scene.sees("frr", NORMAL)
    scene.forwards("frr", families=("inet",))
    [v] = view(scene, "bird")
    assert v["scope"] == "neighbor" and v["by"] == "uid 0"
    assert v["reason"] == "fibre work" and "withdraw_at" in v
    e = watch.until(event="drain")[-1]
    assert e["reason"] == "fibre work" and e["scope"] == "neighbor"
    text = scene.ana.cli("show", "neighbor", "bird")
    assert 'Drained (neighbor) since' in text and '"fibre work"' in text
    assert " (drained)" in scene.ana.cli("show")
    assert "the neighbor is drained" in scene.ana.cli(
        "explain", "193.64.0.0/16", "neighbor", "bird")
    check(scene, "show-drain")
    check(scene, "show-neighbor")
    # A shorter time, which is over.
    scene.ana.cli("drain", "neighbor", "bird", "1s", "fibre work")
    scene.sees("bird", None, ("inet",))
    assert view(scene, "bird")[0]["state"] == "withdrawn"
    watch.until(event="drain_withdraw")
    assert "nothing is told any more" in scene.ana.cli(
        "explain", OWN[0].prefix)
    scene.forwards("frr", families=("inet",))
    scene.sees("frr", NORMAL)
    # Once more: from the beginning; over a kill; and back.
    scene.ana.cli("drain", "neighbor", "bird", "10m")
    scene.sees("bird", HOW, ("inet",))
    before = scene.established()
    scene.crash()
    scene.sees("bird", HOW, ("inet",), 60)
    scene.sees("frr", NORMAL, deadline=60)
    scene.forwards("frr", families=("inet",))
    assert before == [1, 1, 1, 1], "a drain bounced a session"
    assert scene.ana.ctl("show", "drain")["drains"][0]["neighbor"] == \
        "192.0.2.2"
    scene.ana.cli("undrain", "neighbor", "bird")
    scene.normal()
    status, _, err = scene.ana.cli("undrain", "neighbor", "bird", check=False)
    assert status == 1 and "not drained" in err
    assert scene.ana.cli("drain", "neighbor", "nosuch", check=False)[0] == 4
    assert scene.ana.ctl("show", "drain")["drains"] == []


def test_all(scene):
    """All neighbors, without prepend and MED; forwarding goes on."""
    scene.start()
    scene.ana.cli("drain", "all", "window 7")
    scene.drained((0, None, (GSHUT,)))
    scene.forwards(*PARTNERS)
    assert {v["scope"] for v in view(scene, "frr6")} == {"all"}
    metrics = scene.ana.cli("show", "metrics")
    assert metrics.count("ana_bgpd_peer_drained{") == 4
    assert all(line.endswith(" 1") for line in metrics.splitlines()
               if line.startswith("ana_bgpd_peer_drained{"))
    out = scene.ana.cli("undrain", "all")
    assert out == "no longer drained\n"
    scene.normal()
    assert scene.established() == [1, 1, 1, 1]


def test_prefix(scene):
    """One of our networks, towards everybody; the other one as before."""
    scene.start(DRAIN)
    scene.ana.cli("drain", "prefix", OWN[0].prefix, "10m", "work 9")
    for kind in PARTNERS:
        scene.sees(kind, HOW, ("inet",))
    scene.forwards(*PARTNERS)
    [v] = scene.ana.ctl("show", "drain")["drains"]
    assert v["prefix"] == OWN[0].prefix and v["by"] == "uid 0"
    assert v["reason"] == "work 9" and v["state"] == "draining"
    check(scene, "show-drain")
    scene.crash()
    for kind in PARTNERS:
        scene.sees(kind, HOW, ("inet",), 60)
    assert scene.ana.ctl("show", "drain")["drains"][0]["by"] == "uid 0"
    scene.ana.cli("drain", "prefix", OWN[0].prefix, "1s")
    for kind in PARTNERS:
        scene.sees(kind, None, ("inet",))
    assert scene.ana.ctl("show", "drain")["drains"][0]["state"] == "withdrawn"
    scene.ana.cli("undrain", "all")
    scene.normal()
    assert scene.ana.cli("undrain", "prefix", OWN[0].prefix,
                         check=False)[0] == 1
    assert scene.ana.cli("drain", "prefix", "192.0.2.0/24",
                         check=False)[0] == 4


def test_received(scene):
    """A partner that goes away itself: the other one is used, unless the
    configuration says otherwise."""
    scene.start()
    bird = scene.partner["bird"]
    bird.announce(*[Route(r.prefix, communities=(GSHUT,)) for r in THEIRS])
    scene.forwards("frr")
    text = scene.ana.cli("explain", "193.64.0.0/16", "neighbor", "bird")
    assert "the last choice: it has GRACEFUL_SHUTDOWN (RFC 8326" in text
    assert "localpref 0" in text
    for n in scene.ana.neighbors:
        n.more = ("graceful-shutdown ignore;",)
    scene.ana.reload()
    scene.forwards(*PARTNERS)
    for n in scene.ana.neighbors:
        n.more = ()
    scene.ana.reload()
    scene.forwards("frr")
    bird.announce(*THEIRS)
    scene.forwards(*PARTNERS)


MAINT = ("maintenance { drain-time %s; wait %s; traffic-below 100k; "
         'shutdown-reason "moving house"; }')


def test_maintenance(scene):
    """Every step with real traffic, and the way back."""
    scene.start(DRAIN, MAINT % ("2s", "1h"))
    traffic = Traffic(scene)
    watch = Watch(scene, "peers")
    out = scene.ana.cli("maintenance", "start", "change 42")
    assert "maintenance: draining; it ends by" in out
    assert watch.until(event="maintenance")[-1]["to"] == "draining"
    scene.step("waiting")
    wait_until(lambda: scene.maintenance().get("traffic_bps", 0) > 1000000,
               30, what="the traffic is seen")
    # Far above: it stays so, both ways.
    scene.drained(HOW)
    scene.forwards(*PARTNERS)
    check(scene, "maintenance-show")
    check(scene, "show-neighbor")
    check(scene, "check-health")
    m = scene.maintenance()
    assert m["state"] == "waiting" and m["reason"] == "change 42"
    status, out, _ = scene.ana.cli("check", "health", check=False)
    assert status == 5 and "maintenance: waiting" in out
    assert "maintenance: waiting since" in scene.ana.cli("show")
    assert 'ana_bgpd_maintenance{ana_bgpd_maintenance="waiting"} 1' in \
        scene.ana.cli("show", "metrics")
    traffic.end()
    scene.step("stopped")
    assert scene.maintenance()["because"] == "all is done"
    scene.gone()
    assert "change 42" in scene.partner["bird"].cli(
        "show", "protocols", "all", scene.partner["bird"].neighbors[0].name)
    frr = scene.partner["frr"].json("show bgp neighbors 198.51.100.1")
    frr = frr["198.51.100.1"]
    assert "change 42" in str(frr), frr
    assert "(maintenance)" in scene.ana.cli("show")
    status, _, err = scene.ana.cli("neighbor", "bird", "up", check=False)
    assert status == 1 and "maintenance stop" in err
    # It outlives the process, and that of ana-fibd.
    scene.crash()
    scene.step("stopped")
    assert "is not up" not in scene.ana.cli("maintenance", "show")
    scene.gone()
    assert scene.established() == [0, 0, 0, 0]
    scene.ana.cli("maintenance", "stop")
    scene.step("idle", 120)
    scene.normal()
    assert scene.ana.cli("maintenance", "stop", check=False)[0] == 1


def test_maintenance_undone(scene):
    """Killed and undone in each step; a wait that ends in spite of traffic."""
    scene.start(DRAIN, MAINT % ("1h", "1h"))
    scene.ana.cli("maintenance", "start")
    scene.drained(HOW)
    scene.crash()
    scene.step("draining")
    scene.drained(HOW)
    scene.ana.cli("maintenance", "stop")
    scene.step("idle", 120)
    scene.normal()
    # While it waits for the traffic.
    traffic = Traffic(scene)
    scene.ana.blocks = [DRAIN, MAINT % ("1s", "1h")]
    scene.ana.reload()
    scene.ana.cli("maintenance", "start")
    scene.step("waiting")
    scene.crash()
    scene.step("waiting")
    scene.drained(HOW)
    # Nobody is back: the drain waits for the partners while it is undone.
    scene.partner["bird"].kill()
    scene.ana.cli("maintenance", "stop")
    scene.step("undoing")
    scene.crash()
    scene.step("undoing")
    scene.sees("frr", HOW, deadline=60)
    scene.partner["bird"].start()
    scene.step("idle", 120)
    scene.normal()
    # The wait is short: traffic or not.
    scene.ana.blocks = [DRAIN, MAINT % ("1s", "3s")]
    scene.ana.reload()
    scene.ana.cli("maintenance", "start")
    scene.step("stopped")
    scene.gone()
    scene.ana.cli("maintenance", "stop")
    scene.step("idle", 120)
    scene.normal()
    traffic.end()


def test_maintenance_until(scene):
    """It ends by itself, from now or at an hour."""
    scene.start(MAINT % ("1h", "1h"))
    out = scene.ana.cli("maintenance", "start", "until", "2h")
    scene.drained((0, None, (GSHUT,)))
    assert "it ends at " + scene.maintenance()["until"] in out
    # Another end for the same one, and it comes.
    end = datetime.datetime.now(datetime.timezone.utc) + \
        datetime.timedelta(seconds=3)
    when = end.strftime("%Y-%m-%dT%H:%M:%SZ")
    scene.ana.cli("maintenance", "start", "--until", when)
    scene.step("idle", 120)
    scene.normal()
    scene.ana.cli("maintenance", "start", "until", "1s")
    scene.step("idle", 120)
    scene.normal()
    for bad, said in (("2001-01-01T00:00Z", "is past"),
                      ("2099-01-01T00:00Z", "within 30 days")):
        status, _, err = scene.ana.cli("maintenance", "start", "until", bad,
                                       check=False)
        assert status == 1 and said in err
    assert scene.maintenance()["state"] == "idle"
