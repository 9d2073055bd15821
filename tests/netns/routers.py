"""Routers for the lab: BIRD, FRR, OpenBGPD, GoBGP and ExaBGP, one interface.

A test says what is configured (Neighbor) and announced (Route) and asks what
was received as {prefix: attributes}, in one form for all, so that whole tables
are compared.  routes() of one router equals expected() of the other's.
"""

import contextlib
import dataclasses
import ipaddress
import itertools
import json
import os
import pwd
import re
import signal

from lab import LabError, run, wait_until

ORIGINS = ("IGP", "EGP", "incomplete")


@dataclasses.dataclass
class Route:
    """A route as it is announced: the AS path stands behind our own ASN."""
    prefix: str
    path: tuple = ()
    origin: str = "IGP"
    med: int = None
    communities: tuple = ()             # "65000:1"
    large: tuple = ()                   # "65000:1:2"
    ext: tuple = ()                     # "rt 65000:1"
    aggregator: tuple = None            # (asn, address)
    atomic: bool = False
    unknown: tuple = ()                 # (type, flags, hex value)

    @property
    def v6(self):
        return ":" in self.prefix


def attributes(as_path=(), origin="IGP", next_hop=None, med=None,
               communities=(), large=(), ext=()):
    """One route's attributes in the form that all routers' tables have."""
    return {"as_path": [int(a) for a in as_path], "origin": origin,
            "next_hop": next_hop, "med": med,
            "communities": sorted(map(community, communities)),
            "large": sorted(large),
            "ext": sorted(ext)}


def expected(routes, asn, hops):
    """What a neighbor of AS asn has to see; hops = {4: next hop, 6: ...}."""
    return {r.prefix: attributes((asn,) + tuple(r.path), r.origin,
                                 hops[6 if r.v6 else 4], r.med,
                                 r.communities, r.large, r.ext)
            for r in routes}


@dataclasses.dataclass
class Neighbor:
    remote: str
    remote_as: int
    local: str
    families: tuple = ("inet",)
    passive: bool = False
    hold: int = 90
    other: str = None       # next hop for the family that is not the session's
    name: str = None
    restart: int = 0        # graceful restart with this restart time
    extended: bool = False  # extended messages
    role: str = None        # RFC 9234: what the router itself is
    password: str = None    # TCP MD5
    gtsm: bool = False
    v4_over_v6: bool = False    # RFC 8950

    def hop(self, v6):
        """Our next hop for routes of a family."""
        if self.v4_over_v6 and not self.other:
            return self.local
        return self.local if v6 == (":" in self.local) else self.other

    @property
    def v6(self):
        return ":" in self.remote


def community(text):
    """Numbers for the names that daemons print for known communities."""
    known = {"noexport": "65535:65281", "noadvertise": "65535:65282",
             "localas": "65535:65283", "nopeer": "65535:65284",
             "blackhole": "65535:666", "gracefulshutdown": "65535:0"}
    return known.get(re.sub("[^a-z]", "", text.lower()), text) \
        if ":" not in text else text


def plain_asn(text):
    """6.6784:7 -> 400000:7"""
    m = re.match(r"(\d+)\.(\d+):(\d+)$", text)
    return "%d:%s" % (int(m[1]) << 16 | int(m[2]), m[3]) if m else text


def family_of(prefix):
    return "inet6" if ":" in prefix else "inet"


class Router:
    """What all drivers share.  Subclasses fill in the blanks below."""
    kind = "router"
    # What the daemon can put on a route that it originates.
    can = {"path", "origin", "med", "communities", "large", "ext"}
    # What it puts there unasked.
    always = frozenset()
    # Both families over one transport session.
    one_session = True
    answers_refresh = True
    program = None

    def __init__(self, lab, ns, asn, router_id, name=None):
        self.lab, self.ns, self.asn, self.router_id = lab, ns, asn, router_id
        self.name = name or "%s-%s" % (self.kind, ns.name)
        self.neighbors, self.table = [], {}
        self.process, self.others = None, []
        self.again = False      # started after a crash: recovers
        self.dir = lab.path(self.name)
        os.makedirs(self.dir, exist_ok=True)
        os.chmod(self.dir, 0o755)

    @classmethod
    def installed(cls):
        return os.access(cls.program, os.X_OK)

    def fit(self, r):
        """The route with only what this daemon can say of its own routes."""
        r = dataclasses.replace(r)
        if "own-path" in self.can:
            r.path = (self.asn,) * len(r.path)
        if "ext" not in self.can:
            r.ext = ()
        if "med" in self.always and r.med is None:
            r.med = 0
        for field, none in (("aggregator", None), ("atomic", False),
                            ("unknown", ())):
            if field not in self.can:
                setattr(r, field, none)
        return r

    def neighbor(self, *args, **kw):
        n = Neighbor(*args, **kw)
        n.name = n.name or "n%d" % (len(self.neighbors) + 1)
        self.neighbors.append(n)
        return n

    def announce(self, *routes):
        """Announce, or announce again with other attributes."""
        for r in routes:
            self.table[r.prefix] = r
        if self.running():
            self._announced(routes)

    def withdraw(self, *prefixes):
        gone = [self.table.pop(p) for p in prefixes]
        if self.running():
            self._withdrawn(gone)

    def running(self):
        return self.process is not None and self.process.running()

    def start(self):
        self._start()
        wait_until(self._answers, 20, what="%s answers" % self.name)
        return self

    def stop(self):
        for p in [self.process] + self.others:
            if p:
                p.end()

    def kill(self):
        for p in [self.process] + self.others:
            if p:
                p.kill()

    def freeze(self):
        """All its processes stop; the sockets stay open."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self):
        self._signal_all(signal.SIGCONT)

    def hop(self, v6):
        """The next hop that our routes of a family have."""
        hops = [n.hop(v6) for n in self.neighbors
                if ("inet6" if v6 else "inet") in n.families]
        return hops[0] if hops else None

    def hurry(self):
        """Do not wait out the pause that follows an error."""

    def _signal_all(self, sig):
        for pid in run("ip", "netns", "pids", self.ns.full).split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), sig)

    def routes(self, neighbor=None):
        """All routes received from a neighbor (default: from all)."""
        table = {}
        for n in self.neighbors:
            if neighbor is None or n is neighbor:
                for fam in n.families:
                    table.update(self._received(n, fam))
        return table

    def all_up(self):
        return all(self.up(n) for n in self.neighbors)


class Bird(Router):
    kind = "bird"
    program = "/usr/sbin/bird"

    def _attrs(self, r):
        out = ["bgp_origin = ORIGIN_%s;" % r.origin.upper()]
        if r.med is not None:
            out.append("bgp_med = %d;" % r.med)
        for a in reversed(r.path):
            out.append("bgp_path.prepend(%d);" % a)
        for c in r.communities:
            out.append("bgp_community.add((%s));" % c.replace(":", ","))
        for c in r.large:
            out.append("bgp_large_community.add((%s));" % c.replace(":", ","))
        for c in r.ext:
            kind, value = c.split()
            out.append("bgp_ext_community.add((%s, %s));" % (
                kind.replace("soo", "ro"), value.replace(":", ", ")))
        return " ".join(out)

    def config(self):
        out = ["router id %s;" % self.router_id, "graceful restart wait 20;",
               'log stderr all;', "timeformat protocol iso long ms;",
               "protocol device { scan time 2; }",
               # MED leaves to external peers only when an export filter sets
               # it.
               "filter own { if source != RTS_STATIC then reject; "
               "if defined(bgp_med) then bgp_med = bgp_med; accept; }"]
        for fam, chan in (("inet", "ipv4"), ("inet6", "ipv6")):
            rs = "\n".join("\troute %s unreachable { %s };" % (
                r.prefix, self._attrs(r)) for r in self.table.values()
                if family_of(r.prefix) == fam)
            out.append("protocol static own_%s {\n\t%s;\n%s\n}" % (
                chan, chan, rs))
        for n in self.neighbors:
            chans = "".join(
                "\t%s { import all; next hop %s; export filter own;%s };\n" % (
                    c, "address " + n.hop(c == "ipv6") if n.hop(c == "ipv6")
                    and not n.v4_over_v6 else "self",
                    " extended next hop on;" if n.v4_over_v6 and c == "ipv4"
                    else "") for f, c in
                (("inet", "ipv4"), ("inet6", "ipv6")) if f in n.families)
            out.append(
                "protocol bgp %s {\n\tlocal %s as %d;\n"
                "\tneighbor %s as %d;\n\thold time %d;\n%s"
                "\tconnect delay time 1;\n\tconnect retry time 2;\n"
                "\terror wait time 1, 2;\n\terror forget time 1;\n%s}" % (
                    n.name, n.local, self.asn, n.remote, n.remote_as, n.hold,
                    self._options(n), chans))
        return "\n".join(out) + "\n"

    @staticmethod
    def _options(n):
        return "".join("\t%s;\n" % s for s in (
            n.passive and "passive on",
            n.password and 'password "%s"' % n.password,
            n.gtsm and "ttl security on",
            n.restart and "graceful restart on",
            n.restart and "graceful restart time %d" % n.restart,
            n.extended and "enable extended messages on",
            n.role and "local role %s" % n.role) if s)

    def _write(self):
        return self.lab.write(self.name + "/bird.conf", self.config())

    def _start(self):
        self.process = self.ns.spawn(self.name, [
            self.program, "-f", "-c", self._write(), "-s",
            self.dir + "/bird.ctl", "-P", self.dir + "/bird.pid"] +
            (["-R"] if self.again else []))

    def cli(self, *words):
        out = run("birdc", *(["-r"] if words[0] == "show" else []), "-s",
                  self.dir + "/bird.ctl", *words)
        return "".join(x for x in out.splitlines(True) if not re.match(
            r"BIRD \S+ ready|Access restricted", x))

    def _answers(self):
        return "Daemon is up" in self.cli("show", "status")

    def _announced(self, _routes):
        self._write()
        out = self.cli("configure")
        if "Reconf" not in out:
            raise LabError("%s: %s" % (self.name, out))

    _withdrawn = _announced

    def up(self, n):
        return "Established" in self.cli("show", "protocols", n.name)

    def down(self, n, text):
        self.cli("disable", n.name, '"%s"' % text)

    def enable(self, n):
        self.cli("enable", n.name)

    def heard(self, n):
        return self.cli("show", "protocols", "all", n.name)

    def _received(self, n, fam):
        text = self.cli("show", "route", "table",
                        "master4" if fam == "inet" else "master6",
                        "protocol", n.name, "all")
        table, cur = {}, None
        for line in text.splitlines():
            m = re.match(r"^(\S+/\d+)\s+unicast", line)
            if m:
                cur = table[m.group(1)] = attributes()
                continue
            m = re.match(r"^\tBGP\.(\S+): ?(.*)", line)
            if not m or cur is None:
                continue
            key, value = m.group(1), m.group(2).strip()
            if key == "origin":
                cur["origin"] = {"Incomplete": "incomplete"}.get(value, value)
            elif key == "as_path":
                cur["as_path"] = [int(a) for a in value.split()]
            elif key == "next_hop":
                cur["next_hop"] = value.split()[0]
            elif key == "med":
                cur["med"] = int(value)
            elif key == "community":
                cur["communities"] = sorted(
                    c.replace(",", ":") for c in re.findall(r"\d+,\d+", value))
            elif key == "large_community":
                cur["large"] = sorted(":".join(c) for c in re.findall(
                    r"(\d+), (\d+), (\d+)", value))
            elif key == "ext_community":
                cur["ext"] = sorted(
                    "%s %s:%s" % (k.replace("ro", "soo"), a, b)
                    for k, a, b in re.findall(r"\((\w+), ([\d.]+), (\d+)\)",
                                              value))
        return table


class Frr(Router):
    kind = "frr"
    program = "/usr/lib/frr/bgpd"
    always = {"med"}
    can = Router.can | {"aggregator", "atomic"}

    _maps = itertools.count()

    def _route_map(self, r):
        # A new name each time: FRR 8.4.4 may crash when a map is removed that
        # a network was just announced with.
        name = "%s_v%d" % (re.sub(r"[^0-9a-f]", "_", r.prefix),
                           next(self._maps))
        out = ["route-map %s permit 10" % name,
               " set origin %s" % r.origin.lower()]
        if r.med is not None:
            out.append(" set metric %d" % r.med)
        if r.path:
            out.append(" set as-path prepend " + " ".join(map(str, r.path)))
        if r.communities:
            out.append(" set community " + " ".join(r.communities))
        if r.large:
            out.append(" set large-community " + " ".join(r.large))
        for kind in ("rt", "soo"):
            vals = [c.split()[1] for c in r.ext if c.startswith(kind)]
            if vals:
                out.append(" set extcommunity %s %s" % (kind, " ".join(vals)))
        if r.aggregator:
            out.append(" set aggregator as %d %s" % r.aggregator)
        if r.atomic:
            out.append(" set atomic-aggregate")
        return name, out + ["exit"]

    def _networks(self, routes, gone=False):
        maps, nets = [], {"inet": [], "inet6": []}
        for r in routes:
            name, lines = self._route_map(r)
            if gone:
                nets[family_of(r.prefix)].append("  no network %s" % r.prefix)
            else:
                maps += lines
                nets[family_of(r.prefix)].append(
                    "  network %s route-map %s" % (r.prefix, name))
        out = maps + ["router bgp %d" % self.asn]
        for fam, lines in nets.items():
            if lines:
                out += [" address-family %s unicast" % (
                    "ipv6" if fam == "inet6" else "ipv4")] + lines + \
                    [" exit-address-family"]
        return out + ["exit"]

    def config(self):
        out = ["frr defaults traditional", "hostname " + self.name,
               "log stdout",
               # What it learned is for nobody: it would even go back to the
               # one that it was learned from.
               "route-map own deny 5", " match as-path learned", "exit",
               "route-map own permit 10", "exit"] + [
               "bgp as-path access-list learned permit ^%d(_|$)" % asn
               for asn in sorted({n.remote_as for n in self.neighbors})]
        out += ["router bgp %d" % self.asn,
               " bgp router-id " + self.router_id,
               " no bgp ebgp-requires-policy", " no bgp default ipv4-unicast",
               " no bgp network import-check",
               " no bgp suppress-duplicates", " bgp log-neighbor-changes"]
        for n in self.neighbors:
            out += [" neighbor %s remote-as %d" % (n.remote, n.remote_as),
                    " neighbor %s update-source %s" % (n.remote, n.local),
                    " neighbor %s timers %d %d" % (n.remote,
                                                   max(1, n.hold // 3), n.hold),
                    " neighbor %s timers connect 2" % n.remote,
                    " neighbor %s advertisement-interval 0" % n.remote]
            if n.passive:
                out.append(" neighbor %s passive" % n.remote)
            if n.role:
                out.append(" neighbor %s local-role %s" % (n.remote, n.role))
            if n.password:
                out.append(" neighbor %s password %s" % (n.remote,
                                                         n.password))
            if n.gtsm:
                out.append(" neighbor %s ttl-security hops 1" % n.remote)
            if n.v4_over_v6:
                out.append(" neighbor %s capability extended-nexthop" %
                           n.remote)
        times = [n.restart for n in self.neighbors if n.restart]
        if times:
            out += [" bgp graceful-restart",
                    " bgp graceful-restart preserve-fw-state",
                    " bgp graceful-restart notification",
                    " bgp graceful-restart restart-time %d" % times[0],
                    " bgp graceful-restart select-defer-time 20"]
        for fam in ("inet", "inet6"):
            out.append(" address-family %s unicast" %
                       ("ipv6" if fam == "inet6" else "ipv4"))
            for n in self.neighbors:
                if fam in n.families:
                    out += ["  neighbor %s activate" % n.remote,
                            "  neighbor %s route-map own out" % n.remote]
            out.append(" exit-address-family")
        return "\n".join(out + ["exit"] +
                         self._networks(self.table.values())) + "\n"

    def _start(self):
        frr = pwd.getpwnam("frr")
        os.chown(self.dir, frr.pw_uid, frr.pw_gid)
        for name, text in (("bgpd.conf", self.config()), ("zebra.conf", "")):
            path = self.lab.write("%s/%s" % (self.name, name), text)
            os.chown(path, frr.pw_uid, frr.pw_gid)
        for old in ("zserv.api", "zebra.vty", "bgpd.vty"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self.dir, old))
        common = ["--vty_socket", self.dir, "-z", self.dir + "/zserv.api",
                  "-P", "0"]
        zebra = self.ns.spawn(self.name + "-zebra", [
            "/usr/lib/frr/zebra", "-f", self.dir + "/zebra.conf", "-i",
            self.dir + "/zebra.pid"] + common)
        wait_until(lambda: os.path.exists(self.dir + "/zserv.api"), 10,
                   what="zebra's socket")
        self.others = [zebra]
        self.process = self.ns.spawn(self.name, [
            self.program, "-f", self.dir + "/bgpd.conf", "-i",
            self.dir + "/bgpd.pid"] + common)

    def cli(self, *lines):
        argv = ["vtysh", "--vty_socket", self.dir, "-d", "bgpd"]
        for line in lines:
            argv += ["-c", line]
        out = run(*argv)
        if "% " in out and "show" not in lines[0]:
            raise LabError("%s: %s" % (self.name, out))
        return out

    def json(self, line):
        text = self.cli(line + " json")
        return json.loads(text[text.index("{"):])

    def _answers(self):
        return "FRRouting" in self.cli("show version")

    def _announced(self, routes):
        self.cli("configure terminal", *self._networks(routes))

    def _withdrawn(self, routes):
        self.cli("configure terminal", *self._networks(routes, gone=True))

    def up(self, n):
        return self.json("show bgp neighbors " + n.remote)[n.remote].get(
            "bgpState") == "Established"

    def down(self, n, text):
        self.cli("configure terminal", "router bgp %d" % self.asn,
                 "neighbor %s shutdown message %s" % (n.remote, text))

    def enable(self, n):
        self.cli("configure terminal", "router bgp %d" % self.asn,
                 "no neighbor %s shutdown" % n.remote)

    def heard(self, n):
        return self.process.tail(1000)

    def _received(self, n, fam):
        afi = "ipv6" if fam == "inet6" else "ipv4"
        text = self.cli("show bgp %s unicast json detail" % afi)
        data = json.loads(text[text.index("{"):])
        table = {}
        for prefix, paths in data.get("routes", data).items():
            if "/" not in prefix:
                continue
            for p in paths if isinstance(paths, list) else paths["paths"]:
                if p.get("peer", {}).get("peerId") != n.remote or \
                        not p.get("valid"):
                    continue
                table[prefix] = self._attributes(p)
        return table

    @staticmethod
    def _attributes(p):
        hops = [h["ip"] for h in p["nexthops"] if h.get("scope") != "link-local"]
        return attributes(
            p.get("aspath", {}).get("string", "").split(), p["origin"],
            hops[0] if hops else p["nexthops"][0]["ip"],
            p.get("metric"),
            p.get("community", {}).get("list", []),
            p.get("largeCommunity", {}).get("list", []),
            [e.replace("RT:", "rt ").replace("SoO:", "soo ") for e in
             p.get("extendedCommunity", {}).get("string", "").split()])


class OpenBgpd(Router):
    kind = "openbgpd"
    program = "/usr/sbin/bgpd"
    can = Router.can | {"own-path"}     # its own ASN, and that again
    # 7.7 on Linux tells ::1 as the IPv6 next hop of an IPv4 session.
    one_session = False
    # "AID IPv4 unicast not negotiated" is all it says, to anybody's request.
    answers_refresh = False

    def _network(self, r):
        sets = ["origin %s" % r.origin.lower()]
        if r.med is not None:
            sets.append("metric %d" % r.med)
        if r.path:
            sets.append("prepend-self %d" % len(r.path))
        sets += ["community %s" % c for c in r.communities]
        sets += ["large-community %s" % c for c in r.large]
        sets += ["ext-community %s" % c for c in r.ext]
        return "network %s set { %s }" % (r.prefix, ", ".join(
            s for s in sets if not s.startswith("prepend")))

    def config(self):
        out = ["AS %d" % self.asn, "router-id %s" % self.router_id,
               "fib-update no", "holdtime min 3",
               'socket "%s/bgpd.sock"' % self.dir, "connect-retry 2"]
        for n in self.neighbors:
            out += ["listen on %s" % n.local]
        out += [self._network(r) for r in self.table.values()]
        for n in self.neighbors:
            out += ["neighbor %s {" % n.remote, "\tremote-as %d" % n.remote_as,
                    "\tlocal-address %s" % n.local, "\tholdtime %d" % n.hold]
            out += ["\tannounce IPv4 unicast" if "inet" in n.families else
                    "\tannounce IPv4 none"]
            out += ["\tannounce IPv6 unicast" if "inet6" in n.families else
                    "\tannounce IPv6 none"]
            out += ["\tpassive"] if n.passive else []
            out += ["\tannounce policy %s" % n.role] if n.role else []
            out += ["\ttcp md5sig password %s" % n.password] \
                if n.password else []
            out += ["\tttl-security yes"] if n.gtsm else []
            out += ["}"]
        out += ["allow from any", "allow to any"]
        for r in self.table.values():
            if r.path:
                out.append("match to any prefix %s set prepend-self %d" % (
                    r.prefix, len(r.path)))
        return "\n".join(out) + "\n"

    def _start(self):
        # Its user's home is the chroot directory; a private /run has it, so
        # that none is needed on this machine.  connect-retry is not known to
        # older ones.
        path = self._write()
        home = pwd.getpwnam("_openbgpd").pw_dir
        self.process = self.ns.spawn(self.name, [
            "sh", "-c", 'mount -t tmpfs -o mode=755 tmpfs /run && '
            'mkdir -p "$1" && exec "$0" -d -f "$2"', self.program, home, path])

    def _write(self):
        text = self.config().replace("connect-retry 2\n", "")
        return self.lab.write(self.name + "/bgpd.conf", text, 0o600)

    def cli(self, *words):
        return run("bgpctl", "-s", self.dir + "/bgpd.sock", *words)

    def json(self, *words):
        return json.loads(self.cli("-j", *words))

    def _answers(self):
        return "neighbors" in self.json("show")

    def _announced(self, _routes):
        self._write()
        self.cli("reload")

    _withdrawn = _announced

    def hurry(self):
        # It waits half a minute after an error, then twice that, and so on,
        # and two minutes after a connection that was closed; five seconds
        # after this.
        for n in self.neighbors:
            if not self.up(n):
                self.cli("neighbor", n.remote, "clear")

    def up(self, n):
        return any(x["remote_addr"] == n.remote and x["state"] == "Established"
                   for x in self.json("show")["neighbors"])

    def down(self, n, text):
        self.cli("neighbor", n.remote, "down", text)

    def enable(self, n):
        self.cli("neighbor", n.remote, "up")

    def heard(self, n):
        return self.cli("show", "neighbor", n.remote)

    def _received(self, n, fam):
        table = {}
        for r in self.json("show", "rib", "detail", "in", "neighbor",
                           n.remote).get("rib", []):
            if family_of(r["prefix"]) != fam:
                continue
            med = [a for a in r.get("attributes", [])
                   if a["type"] == "MULTI_EXIT_DISC"]
            table[r["prefix"]] = attributes(
                r["aspath"].split(), r["origin"], r["exit_nexthop"],
                med[0]["metric"] if med else r["metric"] or None,
                r.get("communities", []), r.get("large_communities", []),
                r.get("extended_communities", []))
        return table


class GoBgp(Router):
    kind = "gobgp"
    program = "/usr/bin/gobgpd"
    can = Router.can - {"ext"} | {"aggregator"}

    def config(self):
        out = ["[global.config]", "  as = %d" % self.asn,
               '  router-id = "%s"' % self.router_id,
               "  local-address-list = [%s]" % ", ".join(
                   '"%s"' % n.local for n in self.neighbors)]
        for n in self.neighbors:
            out += ["[[neighbors]]", "  [neighbors.config]",
                    '    neighbor-address = "%s"' % n.remote,
                    "    peer-as = %d" % n.remote_as]
            if n.password:
                out.append('    auth-password = "%s"' % n.password)
            if n.gtsm:
                out += ["  [neighbors.ttl-security.config]",
                        "    enabled = true", "    ttl-min = 255"]
            out += ["  [neighbors.transport.config]",
                    '    local-address = "%s"' % n.local,
                    "    passive-mode = %s" % str(n.passive).lower(),
                    "  [neighbors.timers.config]",
                    "    hold-time = %d" % n.hold,
                    "    keepalive-interval = %d" % max(1, n.hold // 3),
                    "    connect-retry = 2",
                    "    idle-hold-time-after-reset = 1"]
            if n.restart:
                out += ["  [neighbors.graceful-restart.config]",
                        "    enabled = true",
                        "    notification-enabled = true",
                        "    restart-time = %d" % n.restart]
            for fam in n.families:
                out += ["  [[neighbors.afi-safis]]",
                        "    [neighbors.afi-safis.config]",
                        '      afi-safi-name = "%s-unicast"' %
                        ("ipv6" if fam == "inet6" else "ipv4")]
                if n.restart:
                    out += ["    [neighbors.afi-safis.mp-graceful-restart."
                            "config]", "      enabled = true"]
        return "\n".join(out) + "\n"

    def _start(self):
        path = self.lab.write(self.name + "/gobgpd.toml", self.config())
        self.process = self.ns.spawn(self.name, [
            self.program, "-f", path, "--pprof-disable", "--log-plain",
            *(["--graceful-restart"] if self.again else []),
            "--api-hosts", "127.0.0.1:50051"])

    def start(self):
        super().start()
        self._announced(self.table.values())
        return self

    def cli(self, *words):
        return self.ns.run("gobgp", *words)

    def json(self, *words):
        return json.loads(self.cli("-j", *words))

    def _answers(self):
        return self.json("global")

    def _words(self, r):
        hop = self.hop(r.v6)
        out = [r.prefix, "origin", r.origin.lower()]
        if r.path:
            out += ["aspath", ",".join(map(str, r.path))]
        if hop:
            out += ["nexthop", hop]
        if r.med is not None:
            out += ["med", str(r.med)]
        if r.communities:
            out += ["community", ",".join(r.communities)]
        if r.large:
            out += ["large-community", ",".join(r.large)]
        if r.aggregator:
            out += ["aggregator", "%d:%s" % r.aggregator]
        return out + ["-a", "ipv6" if r.v6 else "ipv4"]

    def _announced(self, routes):
        for r in routes:
            self.cli("global", "rib", "add", *self._words(r))

    def _withdrawn(self, routes):
        for r in routes:
            self.cli("global", "rib", "del", r.prefix, "-a",
                     "ipv6" if r.v6 else "ipv4")

    def up(self, n):
        return self.json("neighbor", n.remote)["state"].get(
            "session_state") in (6, "ESTABLISHED")

    def down(self, n, text):
        self.cli("neighbor", n.remote, "shutdown", "--reason", text)

    def enable(self, n):
        self.cli("neighbor", n.remote, "enable")

    def heard(self, n):
        return self.process.tail(1000)

    def _received(self, n, fam):
        data = self.json("neighbor", n.remote, "adj-in", "-a",
                         "ipv6" if fam == "inet6" else "ipv4")
        table = {}
        for prefix, paths in data.items():
            table[prefix] = self._attributes(paths[0]["attrs"])
        return table

    @staticmethod
    def _attributes(attrs):
        out = attributes()
        for a in attrs:
            kind = a["type"]
            if kind == 1:
                out["origin"] = ORIGINS[a["value"]]
            elif kind == 2:
                out["as_path"] = [x for s in a["as_paths"] or []
                                  for x in s["asns"]]
            elif kind == 3:
                out["next_hop"] = a["nexthop"]
            elif kind == 14:
                out["next_hop"] = a["nexthop"]
            elif kind == 4:
                out["med"] = a["metric"]
            elif kind == 8:
                out["communities"] = sorted("%d:%d" % (c >> 16, c & 0xffff)
                                            for c in a["communities"])
            elif kind == 32:
                out["large"] = sorted("%d:%d:%d" % (
                    c["ASN"], c["LocalData1"], c["LocalData2"])
                    for c in a["value"])
            elif kind == 16:
                out["ext"] = sorted(
                    "%s %s" % ({2: "rt", 3: "soo"}[c["subtype"]],
                               plain_asn(c["value"])) for c in a["value"])
        return out


EXABGP_RELAY = r'''
import os, select, sys
ctl = os.open(sys.argv[1], os.O_RDWR)
log = open(sys.argv[2], "a")
pending = b""
while True:
    ready, _, _ = select.select([0, ctl], [], [])
    if ctl in ready:
        pending += os.read(ctl, 65536)
        while b"\n" in pending:
            line, pending = pending.split(b"\n", 1)
            os.write(1, line + b"\n")
    if 0 in ready:
        data = os.read(0, 1 << 20)
        if not data:
            break
        log.write(data.decode(errors="replace"))
        log.flush()
'''


class ExaBgp(Router):
    """Keeps no table: what it received is put together from its messages."""
    kind = "exabgp"
    program = "/usr/sbin/exabgp"
    can = Router.can | {"aggregator", "atomic", "unknown"}

    def config(self):
        out = ["process relay {", "\trun /usr/bin/python3 %s %s %s;" % (
            self.dir + "/relay.py", self.dir + "/ctl", self.dir + "/out"),
            "\tencoder json;", "}"]
        for n in self.neighbors:
            fams = "".join("\t\t%s unicast;\n" % (
                "ipv6" if f == "inet6" else "ipv4") for f in n.families)
            out.append(
                "neighbor %s {\n\trouter-id %s;\n\tlocal-address %s;\n"
                "\tlocal-as %d;\n\tpeer-as %d;\n\thold-time %d;\n%s"
                "\tfamily {\n%s\t}\n\tapi {\n\t\tprocesses [ relay ];\n"
                "\t\tneighbor-changes;\n\t\treceive { parsed; update; }\n"
                "\t}\n}" % (n.remote, self.router_id, n.local, self.asn,
                            n.remote_as, n.hold,
                            "\tpassive;\n" if n.passive else "", fams))
        return "\n".join(out) + "\n"

    def _start(self):
        for name in ("ctl", "out"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self.dir, name))
        os.mkfifo(self.dir + "/ctl", 0o666)
        self.lab.write(self.name + "/relay.py", EXABGP_RELAY)
        self.lab.write(self.name + "/out", "", 0o666)
        path = self.lab.write(self.name + "/exabgp.conf", self.config())
        env = {"exabgp.daemon.drop": "false", "exabgp.daemon.daemonize":
               "false", "exabgp.log.destination": "stdout",
               "exabgp.api.ack": "false", "exabgp.api.cli": "false",
               "exabgp.tcp.bind": " ".join(n.local for n in self.neighbors),
               "exabgp.tcp.port": "179",
               "exabgp.log.all": "false", "exabgp.log.level": "INFO"}
        self.process = self.ns.spawn(self.name, [self.program, path], env=env)
        self.ctl = os.open(self.dir + "/ctl", os.O_RDWR)
        self.lab.closers.append(lambda fd=self.ctl: os.close(fd))

    def _answers(self):
        return self.process.running() and \
            run("ip", "netns", "exec", self.ns.full, "ss", "-tlnH",
                "sport = :179").strip()

    def start(self):
        super().start()
        self._announced(self.table.values())
        return self

    def _say(self, line):
        os.write(self.ctl, line.encode() + b"\n")

    def _announced(self, routes):
        for r in routes:
            w = ["announce route %s next-hop %s" % (
                r.prefix, self.hop(r.v6) or "self"), "origin",
                r.origin.lower(), "as-path [ %s ]" % " ".join(
                    map(str, (self.asn,) + tuple(r.path)))]
            if r.med is not None:
                w.append("med %d" % r.med)
            if r.communities:
                w.append("community [ %s ]" % " ".join(r.communities))
            if r.large:
                w.append("large-community [ %s ]" % " ".join(r.large))
            if r.ext:
                w.append("extended-community [ %s ]" % " ".join(
                    c.replace("rt ", "target:").replace("soo ", "origin:")
                    for c in r.ext))
            if r.aggregator:
                w.append("aggregator ( %d:%s )" % r.aggregator)
            if r.atomic:
                w.append("atomic-aggregate")
            for kind, flags, value in r.unknown:
                w.append("attribute [ 0x%02x 0x%02x 0x%s ]" % (kind, flags,
                                                               value))
            self._say(" ".join(w))

    def _withdrawn(self, routes):
        for r in routes:
            self._say("withdraw route %s next-hop %s" % (
                r.prefix, self.hop(r.v6) or "self"))

    def _events(self):
        with open(self.dir + "/out", errors="replace") as f:
            for line in f:
                if line.endswith("\n") and line.startswith("{"):
                    yield json.loads(line)

    def up(self, n):
        state = None
        for e in self._events():
            if e["type"] == "state" and \
                    e["neighbor"]["address"]["peer"] == n.remote:
                state = e["neighbor"]["state"]
        return state == "up"

    def _received(self, n, fam):
        table = {}
        for e in self._events():
            nb = e.get("neighbor", {})
            if nb.get("address", {}).get("peer") != n.remote:
                continue
            if e["type"] == "state" and nb.get("state") != "connected":
                table = {}
            if e["type"] != "update":
                continue
            up = nb["message"].get("update", {})
            attrs = up.get("attribute", {})
            for fams, nlri in up.get("withdraw", {}).items():
                for x in nlri:
                    table.pop(x["nlri"], None)
            for fams, hops in up.get("announce", {}).items():
                # One of 32 octets is there twice; the global one counts.
                for hop, nlri in sorted(hops.items(), key=lambda h:
                                        not h[0].startswith("fe80:")):
                    for x in nlri:
                        if "nlri" in x:
                            table[x["nlri"]] = self._attributes(attrs, hop)
        return {p: a for p, a in table.items() if family_of(p) == fam}

    @staticmethod
    def _attributes(a, hop):
        names = {"target": "rt", "origin": "soo"}
        ext = []
        for c in a.get("extended-community", []):
            m = re.match(r"(target|origin):([\d.]+)L?:([\d.]+)", c["string"])
            if m is None:
                ext.append(c["string"])
                continue
            low = m.group(3)            # printed like an address at times
            if "." in low:
                low = int(ipaddress.ip_address(low))
            ext.append("%s %s:%s" % (names[m.group(1)], m.group(2), low))
        path = a.get("as-path", [])
        if isinstance(path, dict):
            path = [x for k in sorted(path) for x in path[k]["value"]]
        return attributes(
            path, a.get("origin", "").upper().replace("INCOMPLETE",
                                                      "incomplete"),
            hop.split(",")[0], a.get("med"),
            ["%d:%d" % tuple(c) for c in a.get("community", [])],
            ["%d:%d:%d" % tuple(c) for c in a.get("large-community", [])],
            ext)


DRIVERS = {c.kind: c for c in (Bird, Frr, OpenBgpd, GoBgp, ExaBgp)}
