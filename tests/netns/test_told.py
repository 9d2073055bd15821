"""What is told to whom: well-known communities, OTC and roles, and what each
kind of neighbor may see of an attribute; read as octets by raw sessions."""

import socket
import struct

import pytest

from ana import Ana, sanitizer_reports
from lab import Lab, wait_until
from routers import Route
from speaker import (Speaker, as_path, attribute, nlri, route_attributes,
                     update)

US, PEER = 52580, 3292
ANA = "192.0.2.1"
OTC = 35
ROLES = {"provider": "customer", "customer": "provider", "peer": "peer",
         "rs": "rs-client", "rs-client": "rs"}     # peer's: ours


def u32(v):
    return struct.pack("!I", v)


def otc(asn):
    return ((OTC, 0xc0, u32(asn).hex()),)


class Scene:
    def __init__(self, lab):
        self.lab = lab
        a, self.p = lab.ns("ana"), lab.ns("peers")
        lab.link(a, self.p, v4="192.0.2.0/24")
        self.ana = Ana(lab, a, US, ANA)
        self.names, free = {}, iter(range(10, 99))
        more = ('no export-guard "a lab";', 'no as-path-length "a lab";')
        for name, kw in [("ext", {}), ("int", {"remote_as": US}),
                         ("int2", {"remote_as": US}),
                         ("no-import", {"importing": ""}),
                         ("no-export", {"exporting": ""}),
                         ("source", {"remote_as": 719})] + [
                             (r, {"role": o}) for r, o in ROLES.items()]:
            addr = "192.0.2.%d" % next(free)
            self.p.ip("addr", "add", addr + "/24", "dev", "to-ana")
            kw = {"remote_as": PEER, "more": more, **kw}
            role = kw.pop("role", None)
            if role:
                kw["more"] += ("role %s;" % role,)
            self.names[name] = self.ana.neighbor(
                addr, kw.pop("remote_as"), ANA, passive=True, name=name, **kw)
        self.ana.start()
        self.peers, self.count = {}, 0
        for name, n in self.names.items():
            self.peers[name] = Speaker(self.p, n.remote, ANA, n.remote_as,
                                       router_id=n.remote)
        for n in self.names.values():
            wait_until(lambda: self.ana.up(n), 30)

    def prefix(self):
        self.count += 1
        return "2.104.%d.0/24" % self.count

    def send(self, name, prefix, raw=None, **kw):
        """A route of that peer; raw: more attributes."""
        s = self.peers[name]
        r = Route(prefix, path=(8308,), **kw)
        if s.asn == US:
            attrs = attribute(1, 0x40, b"\0") + attribute(
                2, 0x40, as_path([8308])) + attribute(
                    3, 0x40, socket.inet_aton(s.local)) + attribute(
                        5, 0x40, u32(100)) + (raw or b"")
        else:
            attrs = route_attributes(r, s.asn, s.local) + (raw or b"")
        s.send(update(attrs=attrs, reach=nlri(prefix)))

    def told(self, source, prefix, to):
        """Who of those has it, once a later route of the same source to all
        has arrived everywhere it may."""
        mark = self.prefix()
        self.send(source, mark)
        for name in to:
            if self.sees(source, name):
                wait_until(lambda: mark in self.peers[name].routes(), 30,
                           what="%s to %s" % (source, name))
        return {name for name in to if prefix in self.peers[name].routes()}

    def sees(self, source, name):
        """Would it get a plain route of that source?"""
        n, s = self.names[name], self.names[source]
        if name == source or name == "no-export":
            return False
        if s.remote_as == US and n.remote_as == US:
            return False
        # What comes from a provider, peer or RS has an OTC from then on.
        return not (source in ("provider", "peer", "rs") and
                    name in ("provider", "peer", "rs"))

    def attributes(self, name, prefix):
        wait_until(lambda: prefix in self.peers[name].routes(), 30,
                   what="%s to %s" % (prefix, name))
        return self.peers[name].routes(True)[prefix]


@pytest.fixture(scope="module")
def scene():
    with Lab() as lab:
        s = Scene(lab)
        yield s
        for p in s.peers.values():
            p.close()
        assert not sanitizer_reports(s.ana.process)


EVERYBODY = ("ext", "int", "provider", "customer", "peer", "rs", "rs-client")


@pytest.mark.parametrize("community,to", [
    ("65535:65281", {"int"}), ("65535:65283", {"int"}),
    ("65535:65282", set()), ("65535:65284", set(EVERYBODY) - {"peer"}),
    ("719:1", set(EVERYBODY))],
    ids=["no-export", "no-export-subconfed", "no-advertise", "no-peer",
         "plain"])
def test_communities(scene, community, to):
    p = scene.prefix()
    scene.send("source", p, communities=(community,))
    assert scene.told("source", p, EVERYBODY) == to


def test_internal_ones_are_not_passed_on_internally(scene):
    p = scene.prefix()
    scene.send("int", p)
    assert scene.told("int", p, EVERYBODY + ("int2",)) == \
        set(EVERYBODY) - {"int"}


def test_no_policy(scene):
    """RFC 8212: nothing comes in, nothing goes out."""
    p, q = scene.prefix(), scene.prefix()
    scene.send("no-import", p)
    scene.send("source", q)
    assert scene.told("source", q, ("ext", "no-import", "no-export")) == {
        "ext", "no-import"}
    remote = scene.names["no-import"].remote
    wait_until(lambda: (remote, p) in scene.ana.rejected(), 30)
    assert p not in scene.ana.rib("neighbor", remote)
    assert not scene.peers["no-export"].routes()


def test_graceful_shutdown(scene):
    """LOCAL_PREF 0 when it is honoured (RFC 8326), and told on as that."""
    p = scene.prefix()
    scene.send("source", p, communities=("65535:0",))
    scene.attributes("int", p)
    rib, = [r for r in scene.ana.ctl("show", "rib", p)["rib"]]
    assert rib["localpref"] == 0


def test_what_external_ones_see(scene):
    """No LOCAL_PREF, nor MED of another AS; our AS in front."""
    p = scene.prefix()
    scene.send("source", p, med=7)
    got = scene.attributes("ext", p)
    assert got["as_path"] == [US, 719, 8308] and got["med"] is None
    assert not any(k == 5 for k, _, _ in got["unknown"])
    inside = scene.attributes("int", p)
    assert inside["as_path"] == [719, 8308] and inside["med"] == 7
    assert [v for k, _, v in inside["unknown"] if k == 5] == ["00000064"]


def test_a_full_segment(scene):
    """255 ASNs in the first one: ours stands in a new one in front."""
    p, s = scene.prefix(), scene.peers["source"]
    path = (719,) + tuple(3000 + i for i in range(254))
    raw = b"\2\xff" + b"".join(map(u32, path))
    s.send(update(attrs=attribute(1, 0x40, b"\0") + attribute(
        2, 0x50, raw) + attribute(3, 0x40, socket.inet_aton(s.local)),
        reach=nlri(p)))
    assert scene.attributes("int", p)["as_path"] == list(path)
    assert scene.attributes("ext", p)["as_path"] == [US] + list(path)


@pytest.mark.parametrize("source,has,to", [
    ("source", None, set(EVERYBODY)),
    # What came from above or beside, or says so, goes down only.
    ("provider", None, {"ext", "int", "customer", "rs-client"}),
    ("peer", None, {"ext", "int", "customer", "rs-client"}),
    ("rs", None, {"ext", "int", "customer", "rs-client"}),
    ("provider", 8308, {"ext", "int", "customer", "rs-client"}),
    ("peer", PEER, {"ext", "int", "customer", "rs-client"}),
    ("customer", None, set(EVERYBODY) - {"customer"}),
    ("rs-client", None, set(EVERYBODY) - {"rs-client"}),
    # Leaks.
    ("customer", PEER, set()), ("rs-client", PEER, set()),
    ("peer", 8308, set())])
def test_roles(scene, source, has, to):
    p = scene.prefix()
    scene.send(source, p, unknown=otc(has) if has else ())
    assert scene.told(source, p, EVERYBODY) == to - {source}
    if not to:
        assert p in {x for _, x in scene.ana.rejected()}
        return

    def seen(name):
        return [int(v, 16) for k, _, v in
                scene.attributes(name, p)["unknown"] if k == OTC]
    added = has or (PEER if source in ("provider", "peer", "rs") else None)
    # Never changed once it is there, added where it goes down or beside.
    for name in {"customer", "rs-client", "peer"} & to - {source}:
        assert seen(name) == [added or US], name
    for name in {"provider", "rs", "ext"} & to - {source}:
        assert seen(name) == ([added] if added else []), name
