#!/usr/bin/python3
"""sets.py [BUILD]: prefix sets, ours beside BIRD 2, with the same lists.

100 neighbors with a list of 1,000 entries each and one with 300,000: the time
of a check (ana-bgpd -n, bird -p) and of a reload in the running daemon, and
the memory of the lists; ours in files of three forms, and in the text of the
configuration itself, as BIRD's are.  Prints ours, BIRD's and the ratio; the exit status is
1 when ours is slower or larger.  Runs as any user but needs no other load.
"""

import glob
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

from daemons import rest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
RUNS = 5
PEERS, SMALL, LARGE = 100, 1000, 300000


def prefixes(rng, n):
    """n different prefixes of /16 to /24 in public space."""
    out = set()
    while len(out) < n:
        length = rng.choice((16, 18, 20, 21, 22, 22, 23, 24, 24, 24, 24, 24))
        net = rng.randrange(11 << 24, 100 << 24) & -1 << (32 - length)
        out.add((net, length))
    return ["%d.%d.%d.%d/%d" % (n >> 24, n >> 16 & 255, n >> 8 & 255, n & 255,
                                p) for n, p in sorted(out)]


def lists():
    rng = random.Random(4)
    return [prefixes(rng, SMALL) for _ in range(PEERS)] + [
        prefixes(rng, LARGE)]


def ours(top, sets, form):
    conf = ["syntax 1;", "global { as 52580; router-id 192.0.2.1; }",
            "policy in { rule all { accept; } }"]
    os.makedirs(top + "/sets")
    for i, s in enumerate(sets):
        conf.append("neighbor 11.1.%d.%d { remote-as %d; passive yes; "
                    "import policy in; export none; "
                    "irr prefix-set s%d; }" % (i // 256, i % 256 + 1,
                                               3000 + i, i))
        if form == "inline":
            conf.append("prefix-set s%d {\n\t%s;\n}" % (i, ";\n\t".join(s)))
            continue
        with open("%s/sets/s%d" % (top, i), "w") as f:
            if form == "json":
                f.write('{ "P": [\n%s\n] }\n' % ",\n".join(
                    '    { "prefix": "%s", "exact": true }' %
                    p.replace("/", "\\/") for p in s))
            elif form == "bird":
                f.write("P = [\n%s\n];\n" % ",\n".join("    " + p for p in s))
            else:
                f.write("\n".join(s) + "\n")
        conf.append('prefix-set s%d { file "sets/s%d"; }' % (i, i))
    return write(top, "ana.conf", conf)


def birds(top, sets):
    conf = ["router id 192.0.2.1;", "protocol device {}"]
    for i, s in enumerate(sets):
        conf.append("define s%d = [\n%s\n];" % (i, ",\n".join(s)))
        conf.append("protocol bgp p%d { local 11.0.0.1 as 52580; "
                    "neighbor 11.1.%d.%d as %d; passive; multihop; "
                    "ipv4 { import filter { if net ~ s%d then accept; "
                    "reject; }; export none; }; }" % (
                        i, i // 256, i % 256 + 1, 3000 + i, i))
    return write(top, "bird.conf", conf)


def write(top, name, lines):
    with open(top + "/" + name, "w") as f:
        f.write("\n".join(lines) + "\n")
    return top + "/" + name


def clock(argv):
    """The best of some runs: user and system time, which load disturbs less."""
    best = None
    for _ in range(RUNS):
        a = resource.getrusage(resource.RUSAGE_CHILDREN)
        p = subprocess.run(argv, stdout=subprocess.DEVNULL,
                           stderr=subprocess.PIPE)
        b = resource.getrusage(resource.RUSAGE_CHILDREN)
        if p.returncode:
            sys.exit("%s: %s" % (argv[0], p.stderr.decode()[:400]))
        t = b.ru_utime + b.ru_stime - a.ru_utime - a.ru_stime
        best = t if best is None else min(best, t)
    return best


def cpu(pid):
    with open("/proc/%d/stat" % pid) as f:
        v = f.read().rsplit(")", 1)[1].split()
    return (int(v[11]) + int(v[12])) / os.sysconf("SC_CLK_TCK")


def until(fn, what):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if fn():
            return
        time.sleep(0.05)
    sys.exit("no answer: " + what)


def said(argv):
    p = subprocess.run(argv, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True)
    return p.stdout if p.returncode == 0 else ""


def reload_time(pid, argv, times=RUNS):
    """Processor time of the daemon for one reload, the mean of some."""
    a = cpu(pid)
    for _ in range(times):
        out = said(argv)
        if not out:
            sys.exit("reload failed: " + " ".join(argv))
        rest(lambda: cpu(pid), 20)
    return (cpu(pid) - a) / times


def running_ours(build, top, conf, form):
    run, state = top + "/run", top + "/state"
    for d in (run, state):
        os.makedirs(d)
        os.chmod(d, 0o777)
    p = subprocess.Popen([build + "/ana-bgpd", "-d", "-f", conf, "-F",
                          "memory", "-p", "11790", "-R", run, "-S", state,
                          "-u", "nobody"], stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
    ctl = [build + "/ana-bgpctl", "-t", "60", "-s", run + "/control.sock"]
    try:
        until(lambda: said(ctl + ["show", "version"]), "ana-bgpd")
        # Once after a start, and after that for lists that change.
        copies = 0 if form == "inline" else PEERS + 1
        until(lambda: len(glob.glob(state + "/set-*.copy")) == copies,
              "copies of the lists")
        octets = sum(map(int, re.findall(
            r'"memory": ?(\d+)', said(ctl + ["-j", "show", "sets"]))))
        return octets, reload_time(p.pid, ctl + ["reload"]), [
            int(x) for x in re.findall(r"longest took (\d+)",
                                       said(ctl + ["show", "loop"]))][0]
    finally:
        p.terminate()
        p.wait()


def running_birds(top, conf, empty):
    """Memory: what `show memory` says beside that of a file with no list."""
    def memory(file, reload):
        sock = top + "/bird.ctl"
        p = subprocess.Popen(["bird", "-f", "-c", file, "-s", sock],
                             stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        ctl = ["birdc", "-s", sock]
        try:
            until(lambda: "BIRD" in said(ctl + ["show", "status"]), "bird")
            out = said(ctl + ["show", "memory"])
            m = re.search(r"Total:\s+([\d.]+) (\w)?B", out)
            size = float(m[1]) * {"k": 1e3, "M": 1e6, None: 1}[m[2]]
            t = reload_time(p.pid, ctl + ["configure"]) if reload else 0
            return size, t
        finally:
            p.terminate()
            p.wait()
    full, t = memory(conf, True)
    return full - memory(empty, False)[0], t


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else TOP + "/build/release"
    sets, bad = lists(), 0
    entries = sum(map(len, sets))
    with tempfile.TemporaryDirectory(prefix="ana-sets-") as top:
        os.chmod(top, 0o755)
        bird = birds(top, sets)
        os.makedirs(top + "/none")
        none = birds(top + "/none", [["10.0.0.0/8"] for _ in sets])
        theirs = {"check": clock(["bird", "-p", "-c", bird])}
        octets, theirs["reload"] = running_birds(top, bird, none)
        theirs["octets an entry"] = octets / entries
        rows, turns = [], []
        for form in ("plain", "bird", "json", "inline"):
            here = top + "/" + form
            os.makedirs(here)
            conf = ours(here, sets, form)
            rows.append(("check, s (%s)" % form, clock(
                [build + "/ana-bgpd", "-n", "-f", conf, "-S", here]),
                theirs["check"]))
            octets, t, turn = running_ours(build, here, conf, form)
            turns.append("%s %d" % (form, turn))
            rows.append(("reload, s (%s)" % form, t, theirs["reload"]))
        rows.append(("octets an entry", octets / entries,
                     theirs["octets an entry"]))
        print("%d entries in %d sets, processor time, best of %d" % (
            entries, len(sets), RUNS))
        print("%-20s %10s %10s %7s" % ("", "ana-bgpd", "BIRD", "ratio"))
        for name, a, b in rows:
            print("%-20s %10.4f %10.4f %7.2f" % (name, a, b, a / b))
            bad |= a > b
        print("longest turn of the loop with the reload, us: " +
              ", ".join(turns))
    return int(bad)


if __name__ == "__main__":
    if not shutil.which("bird"):
        sys.exit("bird is not installed (bird2)")
    sys.exit(main())
