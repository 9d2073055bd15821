#!/usr/bin/python3
"""The cost of a route, of a peer and of a statement of the configuration must
not grow with how many there are.

usage: growth.py GROWTH CONF_GROWTH

Counts instructions under valgrind (callgrind), not seconds: the same on every
machine, loaded or not.
"""

import re
import subprocess
import sys

# What one costs where there are many may be so much more than where there are
# few: tries become deeper, hash chains are as long as before.
MORE = 1.25


KINDS = ("network", "entry", "define", "policy", "as-set", "community-set",
         "as-path-set", "community-table", "template")


def instructions(*argv):
    argv = [str(a) for a in argv]
    p = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
         "--toggle-collect=measured", *argv], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    m = re.search(r"Collected : (\d+)", p.stderr)
    if p.returncode != 0 or not m:
        sys.exit("%s: exit %d\n%s%s" % (
            " ".join(argv), p.returncode, p.stdout, p.stderr[-2000:]))
    return int(m.group(1))


def main():
    program, conf, bad = sys.argv[1], sys.argv[2], 0

    def compare(what, few, many):
        nonlocal bad
        worse = many > MORE * few
        bad += worse
        print("%s: %.0f instructions, then %.0f%s" % (
            what, few, many, ": TOO MANY" if worse else ""))

    def each(routes, senders, receivers):
        return instructions(program, routes, senders, receivers) / routes

    one = each(10000, 1, 1)
    compare("a route, 10,000 and 200,000 of them", one, each(200000, 1, 1))
    compare("a route, from 1 and from 500 senders", one, each(10000, 500, 1))
    # Without the work that all receivers share.
    alone = each(5000, 1, 0)
    compare("a receiver and route, 1 and 500 receivers",
            each(5000, 1, 1) - alone, (each(5000, 1, 500) - alone) / 500)
    for kind, few, many in [(k, 200, 2000) for k in KINDS] + [
            ("neighbor", 50, 500)]:
        compare("a configuration's %s, %d and %d of them" % (kind, few, many),
                instructions(conf, kind, few) / few,
                instructions(conf, kind, many) / many)
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
