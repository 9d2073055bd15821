"""What the guards must refuse, written a second time for the tests.

Only what the tests' routes can meet: the order and the reason ids are those
of ana-bgpd.conf(5); the special-purpose blocks are IANA's registries.
"""

import ipaddress

BOGON4 = [ipaddress.ip_network(n) for n in (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8",
    "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
    "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
    "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4")]
BOGON6 = [ipaddress.ip_network(n) for n in (
    "2001::/23", "2001:db8::/32", "2002::/16", "3ffe::/16", "3fff::/20")]
# Inside 2001::/23, but globally reachable.
GOOD6 = [ipaddress.ip_network(n) for n in (
    "2001:3::/32", "2001:4:112::/48", "2001:20::/28", "2001:30::/28")]
GLOBAL6 = ipaddress.ip_network("2000::/3")


def bogon_asn(a):
    return a in (0, 23456) or 64496 <= a <= 131071 or a >= 4200000000


def bogon_prefix(net):
    if net.version == 4:
        return 2 if any(net.subnet_of(b) or (net.prefixlen < 8 and
                                             b.subnet_of(net))
                        for b in BOGON4) else None
    if net.prefixlen < 3 or not net.subnet_of(GLOBAL6):
        return 10
    if any(net.subnet_of(g) for g in GOOD6):
        return None
    return 2 if any(net.subnet_of(b) or (net.prefixlen < 16 and
                                         b.subnet_of(net))
                    for b in BOGON6) else None


def refusal(prefix, path, peer_as, own_as, longest=None, max_path=32):
    """The reason id, or None; path as speaker.parse_as_path() gives it."""
    net = ipaddress.ip_network(prefix)
    if longest and net.prefixlen > longest[net.version]:
        return 13
    if net.prefixlen == 0:
        return 1000
    reason = bogon_prefix(net)
    if reason:
        return reason
    flat = [a for p in path for a in (p if isinstance(p, frozenset) else [p])]
    if any(map(bogon_asn, flat)):
        return 7
    if not path or path[0] != peer_as:
        return 6
    if own_as in flat:
        return 1003
    if any(isinstance(p, frozenset) for p in path):
        return 1008
    if len(path) > max_path:
        return 1
    return None
