"""IPv4 routes with an IPv6 next hop (RFC 8950): a link without any IPv4
address carries both families, in BGP, in the kernel and for packets."""

import ipaddress
import re
import struct

import pytest

import routers
from ana import Ana, sanitizer_reports
from lab import wait_equal, wait_until
from routers import Route
from speaker import (AFI, OPEN, Connection, attribute, capabilities,
                     capability, keepalive, nlri, open_message,
                     parse_attributes, route_attributes, update)

US, PEER = 52580, 3292
OURS, THEIRS = "2001:db8:1::1", "2001:db8:1::2"
OWN, OWN6 = Route("5.178.0.0/24"), Route("2a03:2880::/48")
MINE = [Route("2.104.0.0/16"), Route("2.108.0.0/15", med=7),
        Route("2a01:4f8:1::/48")]
FORMS = [pytest.param("", id="objects"), pytest.param("-T plain", id="plain")]


class Scene:
    def __init__(self, lab, form="", v4_over_v6=True, more=(), glob=()):
        self.lab, self.a, self.p = lab, lab.ns("ana"), lab.ns("peer")
        self.dev = lab.link(self.a, self.p, v6="2001:db8:1::/64")[0]
        self.lls = [self.link_local(ns) for ns in (self.a, self.p)]
        self.ana = Ana(lab, self.a, US, "192.0.2.1", fibd_args=form)
        self.ana.glob += glob
        self.ana.announce(OWN, OWN6)
        self.n = self.ana.neighbor(
            THEIRS, PEER, OURS, name="peer", families=("inet", "inet6"),
            v4_over_v6=v4_over_v6, more=tuple(more))

    def link_local(self, ns):
        """It comes by itself, some time after the link."""
        return wait_until(lambda: re.findall(
            r"inet6 (fe80:\S+)/64 scope link *$",
            ns.ip("-6", "addr", "show"), re.M))[0]

    def kernel(self):
        return {p: {h for h in hops} for p, hops in
                self.a.routes(179).items()}

    def via(self, *routes):
        return {r.prefix: {(THEIRS, self.dev)} for r in routes}


@pytest.mark.parametrize("kind,form", [
    ("Bird", ""), ("Bird", "-T plain"), ("Frr", "")])
def test_both_families_over_ipv6_alone(lab, kind, form):
    driver = getattr(routers, kind)
    if not driver.installed():
        pytest.skip(kind + " is not installed")
    s = Scene(lab, form)
    other = driver(lab, s.p, PEER, "192.0.2.2")
    n = other.neighbor(OURS, US, THEIRS, name="ana",
                       families=("inet", "inet6"), v4_over_v6=True)
    other.announce(*MINE)
    s.ana.start()
    other.start()
    wait_equal(s.kernel, s.via(*MINE), what="the kernel's table")
    text = s.a.ip("route", "show", MINE[0].prefix)
    assert "via inet6 " + THEIRS in text or "nhid" in text, text
    # What the other one has of ours, and by which next hop.
    wait_until(lambda: set(other.routes(n)) == {OWN.prefix, OWN6.prefix})
    assert {a["next_hop"] for a in other.routes(n).values()} == {OURS}
    shown = s.ana.show(s.n)
    assert shown["session"]["capabilities"]["extended_nexthop"] is True
    assert "IPv4 over an IPv6 next hop" in s.ana.cli("show", "neighbor",
                                                     "peer")
    # Packets: from a service of ours to a subscriber of theirs and back.
    s.a.ip("addr", "add", "5.178.0.1/32", "dev", "lo")
    s.p.ip("addr", "add", "2.104.0.1/32", "dev", "lo")
    if kind == "Bird":          # which has no kernel protocol here
        s.p.ip("route", "add", OWN.prefix, "via", "inet6", OURS)
    wait_until(lambda: "1 received" in s.a.run(
        "ping", "-c", "1", "-W", "1", "-I", "5.178.0.1", "2.104.0.1",
        check=False))
    # Of a foreign hand it is repaired, of the peer it is taken away.
    s.a.ip("route", "del", MINE[0].prefix)
    wait_equal(s.kernel, s.via(*MINE), what="the repaired table")
    other.withdraw(MINE[1].prefix)
    wait_equal(s.kernel, s.via(MINE[0], MINE[2]), what="after a withdrawal")
    for p in lab.sanitized:
        assert not sanitizer_reports(p), p.name


@pytest.mark.parametrize("form", FORMS)
def test_killed_speaker_finds_its_routes_again(lab, form):
    s = Scene(lab, form)
    other = routers.Bird(lab, s.p, PEER, "192.0.2.2")
    other.neighbor(OURS, US, THEIRS, name="ana", families=("inet", "inet6"),
                   v4_over_v6=True)
    other.announce(*MINE)
    s.ana.start()
    other.start()
    wait_equal(s.kernel, s.via(*MINE), what="the kernel's table")
    s.ana.kill()
    s.ana.start()
    wait_until(lambda: s.ana.up(s.n))
    other.withdraw(MINE[1].prefix)
    wait_equal(s.kernel, s.via(MINE[0], MINE[2]), what="the kernel's table")
    with open(s.ana.process.log) as f:
        assert "2 IPv4 and 1 IPv6 routes of the last run adopted" in f.read()


class Raw(Scene):
    """The peer is ours to write: what it offers, and each octet."""

    def open(self, caps):
        c = Connection.dial(self.p, THEIRS, OURS)
        c.send(open_message(PEER, caps=caps))
        kind, body = c.recv()
        assert kind == OPEN
        c.send(keepalive())
        wait_until(lambda: self.ana.up(self.n))
        return c, body

    def session(self, extended=True):
        caps = capabilities(PEER, ("inet", "inet6"))
        if extended:
            caps += capability(5, struct.pack("!HHH", 1, 1, 2))
        return self.open(caps)


def reach(hops, prefix):
    """MP_REACH_NLRI of IPv4 with next hops, one after the other."""
    hop = b"".join(ipaddress.ip_address(h).packed for h in hops)
    return update(attrs=attribute(14, 0x80, struct.pack(
        "!HBB", AFI["inet"], 1, len(hop)) + hop + b"\0" + nlri(prefix)) +
        route_attributes(Route(prefix), PEER, None))


def own_routes(c):
    """{family: (octets of the next hop, prefixes' octets)} that we sent."""
    got = {}
    while set(got) != {1, 2}:
        kind, body = c.recv(30)
        if kind != 2:
            continue
        n = struct.unpack("!H", body[2:4])[0]
        for t, _, v in parse_attributes(body[4:4 + n]):
            if t == 14:
                got[v[1]] = v[4:4 + v[3]]
            elif t == 3:
                got[1] = v
    return got


def test_octets_of_both_directions(lab):
    s = Raw(lab)
    s.n.passive = True
    s.ana.start()
    c, body = s.session()
    assert capability(5, struct.pack("!HHH", 1, 1, 2)) in body
    # Ours: the session's address and the link-local one, in both families.
    hop = b"".join(ipaddress.ip_address(a).packed
                   for a in (OURS, s.lls[0]))
    assert own_routes(c) == {1: hop, 2: hop}
    # Theirs: 16 octets, 32, and what is no reason to refuse.
    theirs = s.lls[1]
    for i, hops in enumerate([(THEIRS,), (THEIRS, theirs),
                              (THEIRS, "2001:db8:1::9")]):
        c.send(reach(hops, "2.%d.0.0/16" % (104 + i)))
    good = [Route("2.%d.0.0/16" % (104 + i)) for i in range(3)]
    wait_equal(s.kernel, s.via(*good), what="the kernel's table")
    # A third party's, our own, a link-local one in front: refused and kept.
    for i, hops in enumerate([("2001:db8:1::7",), (OURS, theirs),
                              (theirs,)]):
        c.send(reach(hops, "2.%d.0.0/16" % (112 + i)))
    wait_equal(lambda: s.ana.rejected(), {
        (THEIRS, "2.%d.0.0/16" % (112 + i)): 5 for i in range(3)})
    assert s.kernel() == s.via(*good)
    text = s.ana.cli("explain", "2.112.0.0/16")
    assert "next hop 2001:db8:1::7 is not the peer's address " + THEIRS in \
        text, text
    text = s.ana.cli("explain", "2.104.0.0/16")
    assert THEIRS in text and "reachable" in text, text
    # Withdrawn in either form.
    c.send(update(withdrawn=nlri("2.104.0.0/16")))
    c.send(update(attrs=attribute(15, 0x80, struct.pack("!HB", 1, 1) +
                                  nlri("2.105.0.0/16"))))
    wait_equal(s.kernel, s.via(good[2]), what="after withdrawals")
    # 24 octets are no next hop: the session ends, and evidence says where.
    c.send(reach((THEIRS, "192.0.2.1", "192.0.2.2"), "2.120.0.0/16"))
    assert c.wait_closed()[:2] == (3, 9)
    shown = s.ana.cli("show", "errors", "neighbor", "peer")
    assert "next hop has a wrong length" in shown


def test_what_was_not_agreed_on(lab):
    """Without the peer's capability such a route is an error, ours is none."""
    s = Raw(lab, more=('send-max-prefix 64;',))
    s.n.passive = True
    s.ana.start()
    c, _ = s.session(extended=False)
    assert "extended_nexthop" not in s.ana.show(s.n)["session"]["capabilities"]
    # There is no IPv4 address to be a next hop.
    text = s.ana.cli("explain", OWN.prefix)
    assert "no address of ours in its family to be the next hop" in text, text
    c.send(reach((THEIRS,), "2.104.0.0/16"))
    assert c.wait_closed()[:2] == (3, 9)


def test_it_may_be_required(lab):
    s = Raw(lab, more=("require capability [ extended-next-hop, "
                       "enhanced-refresh ];",))
    s.n.passive = True
    s.ana.start()
    c = Connection.dial(s.p, THEIRS, OURS)
    c.send(open_message(PEER, caps=capabilities(PEER, ("inet", "inet6"))))
    code, sub, data = c.wait_closed()[:3]
    assert (code, sub) == (2, 7)
    assert data == capability(5, struct.pack("!HHH", 1, 1, 2)) + capability(70)
    wait_until(lambda: "the peer lacks required capabilities: enhanced route "
               "refresh, extended next hop" in s.ana.cli(
                   "show", "neighbor", "peer"))


def test_equal_paths_of_two_families(lab):
    """One path by IPv4, one by IPv6: the best one's family is used."""
    s = Raw(lab, glob=("multipath 4;",))
    s.n.passive = True
    q = lab.ns("other")
    lab.link(s.a, q, v4="192.0.2.0/30")
    n4 = s.ana.neighbor("192.0.2.2", PEER, "192.0.2.1", name="four",
                        passive=True)
    s.ana.start()
    c, _ = s.session()
    c.send(reach((THEIRS,), "2.104.0.0/16"))
    d = Connection.dial(q, "192.0.2.2", "192.0.2.1")
    d.handshake(PEER)
    wait_until(lambda: s.ana.up(n4))
    wait_equal(s.kernel, s.via(Route("2.104.0.0/16")))
    d.send(update(attrs=route_attributes(Route("2.104.0.0/16"), PEER,
                                         "192.0.2.2"),
                  reach=nlri("2.104.0.0/16")))
    wait_until(lambda: len([r for r in s.ana.ctl("show", "rib")["rib"]
                            if r["prefix"] == "2.104.0.0/16"]) == 2)
    best = [r["exit_nexthop"] for r in s.ana.ctl("show", "rib", "best")["rib"]
            if r["prefix"] == "2.104.0.0/16"]
    wait_until(lambda: {h[0] for h in s.kernel()["2.104.0.0/16"]} ==
               {best[0]})
    (c if best[0] == THEIRS else d).close()
    other = "192.0.2.2" if best[0] == THEIRS else THEIRS
    wait_until(lambda: {h[0] for h in s.kernel()["2.104.0.0/16"]} == {other})
    for p in lab.sanitized:
        assert not sanitizer_reports(p), p.name
