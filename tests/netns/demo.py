"""The demo: an appliance between two partners' routers.

usage: demo.py [--keep | stop]

Each claim is checked against the kernel and the partners, and one that is not
so ends the demo with exit status 1.  Nothing is left behind without --keep.
"""

import contextlib
import glob
import pathlib
import shutil
import sys
import time

from ana import TOP, Ana, program
from lab import Lab, LabError, remove_ns, run, wait_equal, wait_until
from routers import Bird, Frr, Route, attributes

KEPT = "demo"
US, BIRD_AS, FRR_AS, BOTH_AS = 52580, 719, 3292, 9125
OWN = [Route("179.191.160.0/24"), Route("2804:a8::/48")]
OWN_BLOCK = ["179.191.160.0/20 or-longer", "2804:a8::/32 or-longer"]

# prefix, AS path behind the partner's own, reason id, why
REFUSED = {
    "bird": [
        ("62.142.128.0/25", (), 13, "longer than /24"),
        ("0.0.0.0/0", (), 1000, "the default route"),
        ("10.20.0.0/16", (), 2, "bogon"),
        ("179.191.161.0/24", (), 3, "one of our own prefixes"),
        ("62.148.192.0/19", (64512,), 7, "a private ASN in the path"),
        ("193.0.0.0/21", (), 12, "not in the partner's set"),
        ("2001:998:0:1::/64", (), 13, "longer than /48"),
        ("::/0", (), 1000, "the default route"),
    ],
    "frr": [
        ("2.104.0.0/25", (), 13, "longer than /24"),
        ("100.64.0.0/10", (), 2, "bogon"),
        ("62.142.0.0/16", (), 12, "in the other partner's set only"),
        ("2804:a8:1::/48", (), 3, "one of our own prefixes"),
        ("fd00:1::/32", (), 10, "not global unicast"),
    ],
}

failed = []


def say(text=""):
    print(text, flush=True)


def step(text):
    say("\n== " + text)


def show(prompt, text, most=14):
    """What an operator sees, cut where it is long."""
    say("\n$ " + prompt)
    lines = text.rstrip("\n").splitlines()
    for line in lines[:most]:
        say("  " + line)
    if len(lines) > most:
        say("  ... %d more lines" % (len(lines) - most))


@contextlib.contextmanager
def claim(text):
    """The body checks what the text says."""
    start = time.monotonic()
    try:
        yield
    except (AssertionError, LabError, OSError, KeyError, ValueError) as e:
        failed.append(text)
        say("NOT SO: %s\n  %s" % (text, e))
    else:
        say("  ok: %s (%.1f s)" % (text, time.monotonic() - start))


def prefixes(asn):
    path = TOP / "tests" / "data" / ("as%d.prefixes" % asn)
    return path.read_text().split()


def shared():
    """A customer of both partners: some prefixes of a third network."""
    them = prefixes(BOTH_AS)
    return [p for p in them if ":" not in p][:8] + \
        [p for p in them if ":" in p][:2]


class Demo:
    def __init__(self, lab):
        self.lab = lab
        self.ns = {n: lab.ns(n) for n in ("appliance", "bird", "frr")}
        a = self.ns["appliance"]
        lab.link(a, self.ns["bird"], v4="192.0.2.0/30", v6="2001:db8:1::/64")
        lab.link(a, self.ns["frr"], v4="192.0.2.4/30", v6="2001:db8:2::/64")
        self.ana = Ana(lab, a, US, "192.0.2.1", name="appliance")
        self.bird = Bird(lab, self.ns["bird"], BIRD_AS, "192.0.2.2",
                         name="bird")
        self.frr = Frr(lab, self.ns["frr"], FRR_AS, "192.0.2.6", name="frr")
        self.hops = {"bird": ("192.0.2.2", "2001:db8:1::2"),
                     "frr": ("192.0.2.6", "2001:db8:2::2")}
        self.ours = {"bird": ("192.0.2.1", "2001:db8:1::1"),
                     "frr": ("192.0.2.5", "2001:db8:2::1")}
        self.allowed = {}

    def partners(self):
        return (("bird", self.bird, BIRD_AS), ("frr", self.frr, FRR_AS))

    def configure(self):
        self.ana.own = OWN_BLOCK
        self.ana.announce(*OWN)
        for name, router, asn in self.partners():
            bad = {p for p, *_ in REFUSED[name]}
            good = [Route(p) for p in prefixes(asn) if p not in bad] + \
                [Route(p, path=(BOTH_AS,)) for p in shared()]
            self.allowed[name] = {r.prefix for r in good}
            router.announce(*good)
            router.announce(*[Route(p, path=path)
                              for p, path, _, _ in REFUSED[name]])
            etc = pathlib.Path(self.ana.conf).parent
            etc.mkdir(exist_ok=True)
            shutil.copy(TOP / "tests" / "data" / ("as%d.prefixes" % asn), etc)
            self.ana.blocks.append(
                'prefix-set as%d {\n\tfile "%s/as%d.prefixes";\n%s}' % (
                    asn, etc, asn, "".join("\t%s;\n" % p for p in shared())))
            for i, family in enumerate(("inet", "inet6")):
                self.ana.neighbor(
                    self.hops[name][i], asn, self.ours[name][i], (family,),
                    irr="as%d" % asn, hold=30,
                    name="%s-v%d" % (name, (4, 6)[i]))
                router.neighbor(self.ours[name][i], US, self.hops[name][i],
                                (family,), hold=30)

    def start(self):
        for _, router, _ in self.partners():
            router.start()
        self.ana.start()

    def sessions_up(self):
        return self.ana.all_up() and self.bird.all_up() and \
            self.frr.all_up()

    def in_rib(self):
        return {n.remote: set(self.ana.rib("neighbor", n.remote))
                for n in self.ana.neighbors}

    def want_rib(self):
        return {hop: {p for p in self.allowed[name] if (":" in p) == bool(i)}
                for name in self.allowed
                for i, hop in enumerate(self.hops[name])}

    def want_kernel(self, without=()):
        table = {}
        for name in self.allowed:
            if name not in without:
                for p in self.allowed[name]:
                    table.setdefault(p, set()).add(
                        self.hops[name][":" in p])
        return table

    def want_refused(self):
        return {(self.hops[name][":" in p], p): reason
                for name, rows in REFUSED.items()
                for p, _, reason, _ in rows}

    def want_at(self, name):
        return {r.prefix: attributes(
            (US,), "IGP", self.ours[name][r.v6]) for r in OWN}

    # MED may be there as 0; nothing of the demo hangs on it.

    @staticmethod
    def plain(table):
        return {p: dict(a, med=None) for p, a in table.items()}

    def check_table(self):
        with claim("four sessions are established"):
            wait_until(self.sessions_up, 60, what="sessions")
        with claim("of %d prefixes announced %d are taken, as permitted" % (
                len(self.bird.table) + len(self.frr.table),
                sum(map(len, self.allowed.values())))):
            wait_equal(self.in_rib, self.want_rib(), 30, "routes taken")
        with claim("the other %d are refused, each with its reason" %
                   len(self.want_refused())):
            wait_equal(self.ana.rejected, self.want_refused(), 10,
                       "routes refused")
        with claim("the kernel has exactly the %d permitted prefixes, "
                   "%d of them over both links" % (len(self.want_kernel()),
                                                   len(shared()))):
            wait_equal(self.ana.kernel, self.want_kernel(), 30,
                       "the kernel's table")
        for name, router, _ in self.partners():
            with claim("%s has our two prefixes and nothing else" % name):
                wait_equal(lambda r=router: self.plain(r.routes()),
                           self.want_at(name), 30, "what it received")

    def look(self):
        a = self.ns["appliance"].full
        show("ana-bgpctl show", self.ana.cli("show"))
        show("ana-bgpctl show rejected", self.ana.cli("show", "rejected"), 20)
        both = shared()[0]
        show("ana-bgpctl show rib detail " + both,
             self.ana.cli("show", "rib", "detail", both), 30)
        show("ip -n %s route show proto 179" % a,
             self.ns["appliance"].ip("route", "show", "proto", "179"), 8)
        show("ip -n %s route show %s" % (a, both),
             self.ns["appliance"].ip("route", "show", both))
        show("birdc show route protocol n1",
             self.bird.cli("show", "route", "protocol", "n1"))
        show("vtysh -c 'show bgp ipv6 unicast 2804:a8::/48'",
             self.frr.cli("show bgp ipv6 unicast 2804:a8::/48"), 8)

    def cut_the_link(self):
        link = self.ns["bird"]
        step("the link to the BIRD partner is cut")
        link.ip("link", "set", "to-appliance", "down")
        with claim("the kernel follows: only the other partner's routes, the "
                   "shared ones over one link"):
            wait_equal(self.ana.kernel, self.want_kernel(without=("bird",)),
                       30, "the kernel's table")
        with claim("the other partner still has our prefixes"):
            assert self.plain(self.frr.routes()) == self.want_at("frr")
        show("ip -n %s route show %s" % (
            self.ns["appliance"].full, shared()[0]),
            self.ns["appliance"].ip("route", "show", shared()[0]))
        show("ana-bgpctl show", self.ana.cli("show"))
        step("and restored")
        link.ip("link", "set", "to-appliance", "up")
        self.check_table()

    def end(self):
        step("the appliance is shut down")
        self.ana.cli("shutdown", "the demo ends")
        with claim("the kernel's table has no route of ours"):
            wait_equal(self.ana.kernel, {}, 15, "the kernel's table")
        with claim("the partners have none of our prefixes"):
            wait_until(lambda: not self.bird.routes() and
                       not self.frr.routes(), 15)


def hints(demo):
    a = demo.ns["appliance"].full
    ctl = "%s -s %s/run/control.sock" % (program("ana-bgpctl"), demo.ana.dir)
    say("\nThe lab stays up.  To look around:\n")
    for line in ("%s show" % ctl, "%s show neighbor %s" % (
            ctl, demo.hops["bird"][0]), "%s show rejected" % ctl,
            "ip -n %s route show proto 179" % a,
            "ip -n %s link set to-appliance down" % demo.ns["bird"].full,
            "birdc -s %s/bird.ctl show route all" % demo.bird.dir,
            "vtysh --vty_socket %s -d bgpd -c 'show bgp summary'" %
            demo.frr.dir,
            "less %s" % demo.ana.process.log, "./dev demo stop"):
        say("  " + line)


def stop():
    """Remove a lab that --keep left; quiet when there is none."""
    found = 0
    for line in run("ip", "netns", "list").splitlines():
        name = line.split()[0] if line.split() else ""
        if name.startswith("ana%s-" % KEPT):
            remove_ns(name)
            found += 1
    for path in glob.glob("/tmp/ana%s-*" % KEPT):
        shutil.rmtree(path, ignore_errors=True)
    say("removed" if found else "there is no lab")
    return 0


def main(argv):
    keep = argv == ["--keep"]
    if argv == ["stop"]:
        return stop()
    if argv and not keep:
        say(__doc__.strip().splitlines()[2])
        return 2
    if keep and "ana%s-" % KEPT in run("ip", "netns", "list"):
        say("a lab is there already; ./dev demo stop removes it")
        return 1
    with Lab(KEPT if keep else None) as lab:
        demo = Demo(lab)
        step("an appliance (AS %d), a BIRD partner (AS %d), an FRR partner "
             "(AS %d)" % (US, BIRD_AS, FRR_AS))
        demo.configure()
        demo.start()
        demo.check_table()
        demo.look()
        demo.cut_the_link()
        if keep:
            hints(demo)
            lab.detach()
        else:
            demo.end()
        if failed:
            say("\n" + lab.logs())
    if failed:
        say("\n%d claims are not so:" % len(failed))
        for text in failed:
            say("  " + text)
        return 1
    say("\nAll of it is so.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        say("\ninterrupted; the lab is removed")
        sys.exit(130)
    except LabError as e:
        sys.exit("demo: %s" % e)
