"""The daemons that are measured: configuration for one setting, start, cost.

A setting is a list of Peers around one daemon at ADDR.  Logging is low for
all, every session is the partner's to open, and nobody's policy does more than
the setting says.
"""

import dataclasses
import os
import pathlib
import pwd
import shutil
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests" / "netns"))

from lab import LabError, run, wait_until  # noqa: E402

ADDR, ASN = "10.99.0.1", 20000
PAGE = os.sysconf("SC_PAGE_SIZE")
TICK = os.sysconf("SC_CLK_TCK")


def rest(look, within, step=0.05, times=5):
    """Until look() says the same so many times in a row, or it is too late."""
    last, same, end = None, 0, time.monotonic() + within
    while same < times and time.monotonic() < end:
        time.sleep(step)
        now = look()
        same = same + 1 if now == last else 1
        last = now


@dataclasses.dataclass
class Peer:
    addr: str
    asn: int
    prefixes: list = None       # None: all are accepted
    export: bool = False
    hold: int = 90


class Daemon:
    kind = program = None
    kernel = True               # can write the kernel's table
    many = 500                  # partners that it bears within the time

    def __init__(self, lab, ns, peers, kernel=False):
        self.lab, self.ns, self.peers, self.fib = lab, ns, peers, kernel
        self.dir = lab.path(self.kind)
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)
        os.chmod(self.dir, 0o755)
        self.started = []

    @classmethod
    def installed(cls):
        return os.path.exists(cls.program)

    @classmethod
    def sizes(cls):
        """Programs that are needed to run it."""
        return [cls.program]

    @classmethod
    def version(cls):
        return ""

    def write(self, name, text):
        return self.lab.write("%s/%s" % (self.kind, name), text)

    def spawn(self, *argv, name=None):
        p = self.ns.spawn(name or self.kind, list(argv))
        self.started.append(p)
        return p

    def stop(self):
        for p in reversed(self.started):
            p.end(patience=20)
        for pid in self.pids():
            run("kill", "-9", pid, check=False)

    def pids(self):
        return run("ip", "netns", "pids", self.ns.full, check=False).split()

    def cost(self):
        """(CPU seconds, resident octets, peak octets) of all processes."""
        cpu = rss = peak = 0
        for pid in self.pids():
            try:
                with open("/proc/%s/stat" % pid) as f:
                    st = f.read().rpartition(")")[2].split()
                cpu += (int(st[11]) + int(st[12])) / TICK
                with open("/proc/%s/status" % pid) as f:
                    for line in f:
                        if line.startswith("VmRSS:"):
                            rss += int(line.split()[1]) * 1024
                        elif line.startswith("VmHWM:"):
                            peak += int(line.split()[1]) * 1024
            except (FileNotFoundError, ProcessLookupError):
                continue
        return cpu, rss, peak

    def listening(self):
        for p in self.started:
            if not p.running():
                raise AssertionError("%s ended: %s" % (self.kind, p.tail(5)))
        return run("ip", "netns", "exec", self.ns.full, "ss", "-tlnH",
                   "sport = :179").strip()

    def start(self):
        self.configure()
        self.launch()
        wait_until(self.listening, 60, step=0.005, what=self.kind)
        return self

    def command(self):
        """The command that makes it read its configuration again."""
        raise LabError("%s: no reload" % self.kind)

    def checking(self):
        """The command that only checks the configuration, or None."""
        return None


class Ana(Daemon):
    kind = "ana"

    @classmethod
    def where(cls, name):
        return str(pathlib.Path(os.environ.get(
            "ANA_BUILD", TOP / "build" / "release")) / name)

    @classmethod
    def installed(cls):
        return os.path.exists(cls.where("ana-bgpd"))

    @classmethod
    def sizes(cls):
        return [cls.where(n) for n in ("ana-bgpd", "ana-fibd", "ana-bgpctl")]

    def configure(self):
        out = ["syntax 1;", "global {", "\tas %d;" % ASN,
               "\trouter-id %s;" % ADDR, "\tlisten %s;" % ADDR,
               "\thold-time-min 3s;", "}",
               "log { destination stderr; level warning; }",
               "fib { max-routes 3000000; }",
               "policy all { rule all { accept; } }"]
        for i, p in enumerate(self.peers):
            if p.prefixes is not None:
                name = "etc/lists/s%d.txt" % i
                self.write(name, "\n".join(p.prefixes) + "\n")
                out.append('prefix-set s%d { file "lists/s%d.txt"; }' % (i, i))
        for i, p in enumerate(self.peers):
            out += ["neighbor %s {" % p.addr, "\tremote-as %d;" % p.asn,
                    "\tlocal-address %s;" % ADDR, "\tpassive yes;",
                    "\thold-time %ds;" % p.hold,
                    '\tno max-prefix "measured";',
                    "\tfib %s;" % ("yes" if self.fib else "no"),
                    "\timport policy all;"]
            out.append("\tirr prefix-set s%d;" % i if p.prefixes is not None
                       else '\tno require irr "measured";')
            if p.export:
                out += ["\texport policy all;",
                        '\tno export-guard "measured";']
            else:
                out.append("\texport none;")
            out.append("}")
        self.conf = self.write("etc/ana-bgpd.conf", "\n".join(out) + "\n")
        pw = pwd.getpwnam("nobody")
        for d in ("run", "state"):
            os.makedirs(self.dir + "/" + d, exist_ok=True)
            os.chown(self.dir + "/" + d, pw.pw_uid, pw.pw_gid)

    def launch(self):
        argv = [self.where("ana-bgpd"), "-d", "-f", self.conf, "-R",
                self.dir + "/run", "-S", self.dir + "/state", "-u", "nobody"]
        self.spawn(*argv, "-A", "-U daemon -4 1-32 -6 1-128 -n 3000000")

    def command(self):
        return [self.where("ana-bgpctl"), "-s", self.dir + "/run/control.sock",
                "reload"]

    def checking(self):
        return [self.where("ana-bgpd"), "-n", "-f", self.conf]


class Bird(Daemon):
    kind, program = "bird", "/usr/sbin/bird"

    @classmethod
    def sizes(cls):
        return [cls.program, "/usr/sbin/birdc"]

    def configure(self):
        out = ["router id %s;" % ADDR, "log stderr { warning, error, fatal };",
               "protocol device { scan time 60; }"]
        if self.fib:
            out.append("protocol kernel { scan time 600; "
                       "ipv4 { import none; export all; }; }")
        for i, p in enumerate(self.peers):
            imp = "all"
            if p.prefixes is not None:
                out.append("define s%d = [ %s ];" % (i, ", ".join(p.prefixes)))
                imp = "filter { if net ~ s%d then accept; reject; }" % i
            out.append(
                "protocol bgp p%d { local %s as %d; neighbor %s as %d; "
                "passive on; hold time %d; ipv4 { import %s; export %s; "
                "next hop self; }; }" % (i, ADDR, ASN, p.addr, p.asn, p.hold,
                                         imp, "all" if p.export else "none"))
        self.conf = self.write("bird.conf", "\n".join(out) + "\n")

    def launch(self):
        self.spawn(self.program, "-f", "-c", self.conf, "-s",
                   self.dir + "/ctl", "-P", self.dir + "/pid")

    def command(self):
        return ["birdc", "-s", self.dir + "/ctl", "configure"]

    def checking(self):
        return [self.program, "-p", "-c", self.conf]


class Frr(Daemon):
    kind, program = "frr", "/usr/lib/frr/bgpd"
    many = 100

    @classmethod
    def sizes(cls):
        libs = [str(x) for x in pathlib.Path("/usr/lib").rglob("libfrr.so.0*")
                if not x.is_symlink()]
        return [cls.program, "/usr/lib/frr/zebra"] + libs

    def configure(self):
        out = ["frr defaults traditional", "log stdout errors",
               "router bgp %d" % ASN, " bgp router-id " + ADDR,
               " no bgp ebgp-requires-policy", " no bgp default ipv4-unicast"]
        for p in self.peers:
            out += [" neighbor %s remote-as %d" % (p.addr, p.asn),
                    " neighbor %s timers %d %d" % (p.addr, p.hold // 3,
                                                   p.hold),
                    " neighbor %s passive" % p.addr,
                    " neighbor %s advertisement-interval 0" % p.addr]
        out.append(" address-family ipv4 unicast")
        for i, p in enumerate(self.peers):
            out.append("  neighbor %s activate" % p.addr)
            if p.prefixes is not None:
                out.append("  neighbor %s prefix-list s%d in" % (p.addr, i))
            if not p.export:
                out.append("  neighbor %s prefix-list none out" % p.addr)
        out += [" exit-address-family", "exit",
                "ip prefix-list none seq 5 deny any"]
        for i, p in enumerate(self.peers):
            for k, x in enumerate(p.prefixes or []):
                out.append("ip prefix-list s%d seq %d permit %s" % (
                    i, 5 * k + 5, x))
        frr = pwd.getpwnam("frr")
        os.chown(self.dir, frr.pw_uid, frr.pw_gid)
        for name, text in (("bgpd.conf", "\n".join(out) + "\n"),
                           ("zebra.conf", "")):
            os.chown(self.write(name, text), frr.pw_uid, frr.pw_gid)

    def launch(self):
        common = ["--vty_socket", self.dir, "-z", self.dir + "/zserv.api",
                  "-P", "0"]
        self.spawn("/usr/lib/frr/zebra", "-f", self.dir + "/zebra.conf", "-i",
                   self.dir + "/zebra.pid", *common, name="frr-zebra")
        wait_until(lambda: os.path.exists(self.dir + "/zserv.api"), 20)
        self.spawn(self.program, "-f", self.dir + "/bgpd.conf", "-i",
                   self.dir + "/bgpd.pid",
                   *([] if self.fib else ["--no_kernel"]), *common)


class OpenBgpd(Daemon):
    kind, program = "openbgpd", "/usr/sbin/bgpd"
    kernel = False

    @classmethod
    def sizes(cls):
        return [cls.program, "/usr/sbin/bgpctl"]

    def configure(self):
        out = ["AS %d" % ASN, "router-id %s" % ADDR, "fib-update no",
               "holdtime min 3", 'socket "%s/bgpd.sock"' % self.dir,
               "listen on %s" % ADDR]
        for i, p in enumerate(self.peers):
            if p.prefixes is not None:
                out.append("prefix-set s%d { %s }" % (i, ", ".join(
                    p.prefixes)))
        for i, p in enumerate(self.peers):
            out += ["neighbor %s {" % p.addr, "\tremote-as %d" % p.asn,
                    "\tlocal-address %s" % ADDR, "\tholdtime %d" % p.hold,
                    "\tpassive", "\tannounce IPv6 none"]
            if not p.export:
                out.append("\texport none")
            out.append("}")
            out.append("allow from %s%s" % (
                p.addr, "" if p.prefixes is None else
                " prefix-set s%d" % i))
        out.append("allow to any")
        path = self.write("bgpd.conf", "\n".join(out) + "\n")
        os.chmod(path, 0o600)
        self.conf = path

    def launch(self):
        home = pwd.getpwnam("_openbgpd").pw_dir
        self.spawn("sh", "-c", "mount -t tmpfs -o mode=755 tmpfs /run && "
                   'mkdir -p "$1" && exec "$0" -d -f "$2"', self.program,
                   home, self.conf)

    def command(self):
        return ["bgpctl", "-s", self.dir + "/bgpd.sock", "reload"]

    def checking(self):
        return [self.program, "-n", "-f", self.conf]


class GoBgp(Daemon):
    kind, program = "gobgp", "/usr/bin/gobgpd"
    kernel = False
    many = 100

    @classmethod
    def sizes(cls):
        return [cls.program, "/usr/bin/gobgp"]

    def configure(self):
        out = ["[global.config]", "  as = %d" % ASN, '  router-id = "%s"' %
               ADDR, '  local-address-list = ["%s"]' % ADDR]
        for p in self.peers:
            if p.prefixes is not None:
                raise LabError("gobgp: prefix lists are not measured")
            out += ["[[neighbors]]", "  [neighbors.config]",
                    '    neighbor-address = "%s"' % p.addr,
                    "    peer-as = %d" % p.asn,
                    "  [neighbors.transport.config]",
                    "    passive-mode = true",
                    "  [neighbors.timers.config]",
                    "    hold-time = %d" % p.hold,
                    "    keepalive-interval = %d" % (p.hold // 3),
                    "  [[neighbors.afi-safis]]",
                    "    [neighbors.afi-safis.config]",
                    '      afi-safi-name = "ipv4-unicast"']
        self.conf = self.write("gobgpd.toml", "\n".join(out) + "\n")

    def launch(self):
        self.spawn(self.program, "-f", self.conf, "--pprof-disable",
                   "--log-plain", "-l", "error", "--api-hosts",
                   "127.0.0.1:50051")


DAEMONS = {c.kind: c for c in (Ana, Bird, Frr, OpenBgpd, GoBgp)}
