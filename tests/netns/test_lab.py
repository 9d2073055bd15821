"""The lab itself: each router against our own scriptable speaker.

No daemon of this project takes part.  What these tests hold is that the lab
tells the truth: each driver's table is what was really sent.
"""

import pytest

from lab import wait_equal, wait_until
from routers import DRIVERS, Route, expected
from speaker import Connection, Speaker

ASN, PEER = 719, 196615
V4 = Route("62.142.0.0/16", path=(3292, 8308), origin="EGP", med=77,
           communities=("719:1", "65535:65284"), large=("196615:1:2",),
           ext=("rt 719:5", "soo 719:6"))
V6 = Route("2001:998::/41", path=(3292,), origin="incomplete", med=5,
           communities=("719:3",), large=("1:2:3",), ext=("rt 3292:9",))
PLAIN = Route("46.182.112.0/21")


@pytest.mark.parametrize("kind", sorted(DRIVERS))
def test_driver_tells_the_truth(lab, kind):
    cls = DRIVERS[kind]
    if not cls.installed():
        pytest.skip("%s is not installed" % cls.program)
    a, b = lab.ns("a"), lab.ns("b")
    lab.link(a, b, v4="192.0.2.0/30", v6="2001:db8:1::/64")
    r = cls(lab, b, PEER, "192.0.2.2")
    n4 = r.neighbor("192.0.2.1", ASN, "192.0.2.2", passive=True)
    n6 = r.neighbor("2001:db8:1::1", ASN, "2001:db8:1::2", ("inet6",),
                    passive=True)
    mine = [r.fit(x) for x in (V4, V6, PLAIN)]
    r.announce(*mine)
    r.start()
    s4 = Speaker(a, "192.0.2.1", "192.0.2.2", ASN)
    s6 = Speaker(a, "2001:db8:1::1", "2001:db8:1::2", ASN)
    try:
        wait_until(r.all_up, what="both sessions up")
        s4.announce(V4, PLAIN)
        s6.announce(V6)
        hops = {4: "192.0.2.1", 6: "2001:db8:1::1"}
        wait_equal(r.routes, expected([V4, V6, PLAIN], ASN, hops))
        assert set(r.routes(n4)) == {V4.prefix, PLAIN.prefix}
        assert set(r.routes(n6)) == {V6.prefix}

        want = expected(mine, PEER, {4: "192.0.2.2", 6: "2001:db8:1::2"})
        wait_equal(lambda: {**s4.routes(), **s6.routes()}, want)

        s4.withdraw(PLAIN.prefix)
        s4.announce(Route(V4.prefix, med=78))
        wait_equal(lambda: r.routes(n4),
                   expected([Route(V4.prefix, med=78)], ASN, hops))
        r.withdraw(PLAIN.prefix)
        r.announce(r.fit(Route(V4.prefix, med=1, path=(3292,))))
        wait_until(lambda: PLAIN.prefix not in s4.routes() and
                   s4.routes()[V4.prefix]["med"] == 1,
                   what="withdrawal and change arrive")
    finally:
        s4.close()
        s6.close()



@pytest.mark.parametrize("kind", sorted(
    k for k, c in DRIVERS.items() if c.one_session))
def test_both_families_in_one_session(lab, kind):
    cls = DRIVERS[kind]
    if not cls.installed():
        pytest.skip("%s is not installed" % cls.program)
    a, b = lab.ns("a"), lab.ns("b")
    lab.link(a, b, v4="192.0.2.0/30", v6="2001:db8:1::/64")
    r = cls(lab, b, 719, "192.0.2.2")
    r.neighbor("192.0.2.1", 1853, "192.0.2.2", ("inet", "inet6"),
               other="2001:db8:1::2")
    mine = [r.fit(x) for x in (V4, V6, PLAIN)]
    r.announce(*mine)
    listener = Connection.listen(a, "192.0.2.1")
    r.start()
    s = Speaker(a, "192.0.2.1", "192.0.2.2", 1853, ("inet", "inet6"),
                listener=listener)
    try:
        wait_until(r.all_up, what="session up")
        s.announce(V4, PLAIN)
        s.announce(V6, next_hop="2001:db8:1::1")
        wait_equal(r.routes, expected([V4, V6, PLAIN], 1853, {
            4: "192.0.2.1", 6: "2001:db8:1::1"}))
        wait_equal(s.routes, expected(mine, 719, {
            4: "192.0.2.2", 6: "2001:db8:1::2"}))
    finally:
        s.close()
        listener.close()
