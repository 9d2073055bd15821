"""Our own daemons as a router of the lab (see routers.py)."""

import dataclasses
import ipaddress
import json
import os
import pathlib
import pwd
import subprocess

from lab import LabError, run, wait_until
from routers import Neighbor, Router, attributes, family_of

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ANA_BUILD", TOP / "build" / "asan"))
PROTO = 179


def program(name):
    for path in (BUILD / name, BUILD / "bgpd" / name, BUILD / "bgpctl" / name,
                 BUILD / "platform" / "fibd" / name):
        if path.is_file():
            return str(path)
    raise LabError("%s is not in %s: build it first (./dev build)" % (name,
                                                                      BUILD))


@dataclasses.dataclass
class AnaNeighbor(Neighbor):
    irr: str = None             # name of a prefix set
    more: tuple = ()            # further statements, with their ";"
    importing: str = "all"
    exporting: str = "all"
    next_hop_peer: str = None   # of the other family


class Ana(Router):
    kind = "ana"
    can = {"med", "communities", "large"}
    hold_min, level = 3, "debug"
    # Users that are there on every Debian, so that none has to be made.
    user, fibd_user = "nobody", "daemon"

    def __init__(self, *args, fibd_args="", bgpd_args=(), **kw):
        super().__init__(*args, **kw)
        self.sets, self.glob, self.blocks, self.listen = {}, [], [], None
        self.fibd_args, self.bgpd_args = fibd_args, list(bgpd_args)
        self.own = []
        pw = pwd.getpwnam(self.user)
        for d in ("run", "state"):
            path = os.path.join(self.dir, d)
            os.makedirs(path)
            os.chown(path, pw.pw_uid, pw.pw_gid)
        self.conf = os.path.join(self.dir, "etc", "ana-bgpd.conf")

    @classmethod
    def installed(cls):
        return True

    def neighbor(self, *args, **kw):
        n = AnaNeighbor(*args, **kw)
        n.name = n.name or "n%d" % (len(self.neighbors) + 1)
        self.neighbors.append(n)
        return n

    def config(self):
        listen = self.listen
        if listen is None:
            listen = sorted({n.local for n in self.neighbors})
        out = ["syntax 1;", "global {", "\tas %d;" % self.asn,
               "\trouter-id %s;" % self.router_id, '\thostname "%s";' %
               self.name, "\thold-time-min %ds;" % self.hold_min, "\tconnect-retry 1s;"]
        out += ["\tlisten %s;" % a for a in listen]
        out += ["\t" + line for line in self.glob] + ["}"]
        out += ["log { destination stderr; level %s; }" % self.level]
        own = self.own or list(self.table)
        if own:
            out += ["prefix-set azion {"] + ["\t%s;" % p for p in own] + ["}"]
        for name, prefixes in self.sets.items():
            out += ["prefix-set %s {" % name] + [
                "\t%s;" % p for p in prefixes] + ["}"]
        out += ["policy all { rule all { accept; } }"]
        for r in self.table.values():
            out.append("network %s {" % r.prefix)
            if r.med is not None:
                out.append("\tmed %d;" % r.med)
            out += ["\tcommunity %s;" % c for c in r.communities]
            out += ["\tcommunity large %s;" % c for c in r.large]
            out += ["\tno-export no;", "}"]
        out += self.blocks
        for n in self.neighbors:
            out += ["neighbor %s {" % n.remote,
                    "\tremote-as %d;" % n.remote_as,
                    '\tdescription "%s";' % n.name,
                    "\tlocal-address %s;" % n.local,
                    "\tfamily [ %s ];" % ", ".join(n.families),
                    "\thold-time %ds;" % n.hold]
            if n.importing != "":       # RFC 8212: as if it were forgotten
                out.append("\timport policy %s;" % n.importing)
            if n.exporting != "":
                out.append("\texport %s;" % (
                    "none" if n.exporting is None else
                    "policy " + n.exporting))
            out.append("\tirr prefix-set %s;" % n.irr if n.irr else
                       '\tno require irr "a lab";')
            if n.passive:
                out.append("\tpassive yes;")
            if n.v4_over_v6:
                out.append("\textended-next-hop yes;")
            if n.other:
                out.append("\tnext-hop self %s;" % n.other)
            if n.next_hop_peer:
                out.append("\tnext-hop peer %s;" % n.next_hop_peer)
            if n.restart:
                out.append("\tgraceful-restart { restart-time %ds; }" %
                           n.restart)
            if n.role:
                out.append("\trole %s;" % n.role)
            out += ["\t" + s for s in n.more] + ["}"]
        return "\n".join(out) + "\n"

    def write(self):
        os.makedirs(os.path.dirname(self.conf), exist_ok=True)
        with open(self.conf, "w") as f:
            f.write(self.config())

    def argv(self):
        argv = [program("ana-bgpd"), "-d", "-f", self.conf, "-R",
                self.dir + "/run", "-S", self.dir + "/state", "-u", self.user]
        argv += ["-A", ("-U %s %s" % (self.fibd_user,
                                      self.fibd_args)).strip()]
        return argv + self.bgpd_args

    def _start(self):
        self.write()
        self.process = self.ns.spawn(self.name, self.argv(), env={
            "ASAN_OPTIONS": "abort_on_error=0:exitcode=99:detect_leaks=0",
            "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1"})
        self.lab.sanitized.append(self.process)

    def _answers(self):
        if not self.process.running():
            raise AssertionError("ana-bgpd ended:\n" + self.process.tail())
        return "neighbors" in self.ctl("show")

    def cli(self, *words, check=True):
        """ana-bgpctl's text; (status, text, errors) with check=False."""
        p = subprocess.run([program("ana-bgpctl"), "-s",
                            self.dir + "/run/control.sock", *words],
                           text=True, timeout=60, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, env=dict(
                               os.environ, ASAN_OPTIONS="exitcode=99"))
        if not check:
            return p.returncode, p.stdout, p.stderr
        if p.returncode:
            raise LabError("ana-bgpctl %s: exit %d: %s" % (
                " ".join(words), p.returncode, p.stderr.strip()))
        return p.stdout

    def ctl(self, *words):
        return json.loads(self.cli("-j", *words))

    def reload(self):
        self.write()
        return self.cli("reload")

    def _announced(self, _routes):
        self.reload()

    _withdrawn = _announced

    def show(self, n):
        """One neighbor's object of "show neighbor"."""
        return self.ctl("show", "neighbor", n.remote)["neighbors"][0]

    def up(self, n):
        return self.show(n)["state"] == "Established"

    def _received(self, n, fam):
        return {p: a for p, a in self.rib("in", "neighbor", n.remote).items()
                if family_of(p) == fam}

    def rib(self, *words):
        """{prefix: attributes} of "show rib ... detail"."""
        out = {}
        for r in self.ctl("show", "rib", "detail", *words)["rib"]:
            med = [a["metric"] for a in r.get("attributes", [])
                   if a["type"] == "MULTI_EXIT_DISC"]
            out[r["prefix"]] = attributes(
                r["aspath"].split(), r["origin"],
                r["exit_nexthop"], med[0] if med else None,
                r.get("communities", []), r.get("large_communities", []),
                r.get("extended_communities", []))
        return out

    def rejected(self, *words):
        """{(neighbor address, prefix): reason id}."""
        return {(r["neighbor"]["remote_addr"], r["prefix"]):
                r["reason"]["id"]
                for r in self.ctl("show", "rejected", *words)["rib"]}

    def kernel(self):
        """Our routes in the kernel: {prefix: {gateways}}."""
        return {p: {h[0] for h in hops}
                for p, hops in self.ns.routes(PROTO).items()}


class Watch:
    """Every route of ours that the kernel tells as deleted."""

    count = 0

    def __init__(self, ns):
        Watch.count += 1    # a log of its own
        self.p = ns.spawn("monitor%d" % Watch.count,
                          ["ip", "-o", "monitor", "route"])
        self.ns = ns
        wait_until(self.ready, what="ip monitor")

    def ready(self):
        # Seen once a change of our own comes through.
        self.ns.ip("route", "add", "198.18.0.0/24", "dev", "lo", check=False)
        self.ns.ip("route", "del", "198.18.0.0/24", "dev", "lo", check=False)
        return "198.18.0.0/24" in self.p.tail(1000)

    def deleted(self):
        return [x for x in self.p.tail(10000).splitlines()
                if x.startswith("Deleted") and
                ("proto 179" in x or "ana-bgpd" in x)]


def normal(prefix):
    return str(ipaddress.ip_network(prefix))


def wait_for_log(process, text, deadline=10):
    wait_until(lambda: text in process.tail(2000), deadline,
               what="%r in the log of %s" % (text, process.name))


def sanitizer_reports(process):
    """What ASan or UBSan wrote into a log."""
    with open(process.log, errors="replace") as f:
        return [line for line in f if "ERROR: AddressSanitizer" in line or
                "runtime error:" in line or "ERROR: LeakSanitizer" in line]


__all__ = ["Ana", "AnaNeighbor", "Watch", "normal", "program", "run",
           "sanitizer_reports", "wait_for_log"]
