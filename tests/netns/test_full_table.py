"""A whole Internet table of 2002 and live updates of 2016, into the kernel."""

import pytest

import mrt
from ana import Ana, sanitizer_reports
from lab import wait_until
from policy import refusal
from speaker import (Speaker, end_of_rib, parse_as_path, parse_attributes,
                     parse_update)

PEER, US = 1853, 52580
TABLE, UPDATES = "ris.bview.20020722.2337.gz", "ris.updates.20160811.1600.gz"
OPEN_GUARDS = ('no max-prefix "the whole table";',
               'no max-length "the whole table";')
FENCES = "-4 1-32 -6 1-128 -n 300000"


def data(name):
    path = mrt.data_file(name)
    if path is None:
        pytest.skip("%s is not there: name its folder in ANA_DATA" % name)
    return path


def scene(lab, more=()):
    a, f = lab.ns("ana"), lab.ns("feed")
    lab.link(a, f, v4="192.0.2.0/30", v6="2001:db8:1::/64")
    ana = Ana(lab, a, US, "192.0.2.1", fibd_args=FENCES)
    ana.blocks.append("fib { max-routes 300000; }")
    n = ana.neighbor("192.0.2.2", PEER, "192.0.2.1", ("inet", "inet6"),
                     passive=True, other="2001:db8:1::1", hold=180,
                     next_hop_peer="2001:db8:1::2", more=OPEN_GUARDS + more)
    ana.start()
    s = Speaker(f, "192.0.2.2", "192.0.2.1", PEER, ("inet", "inet6"),
                hold=180)
    return ana, n, s


def same_sets(got, want, what):
    missing, extra = want - got, got - want
    assert not missing and not extra, \
        "%s: %d missing (%s ...), %d too many (%s ...)" % (
            what, len(missing), sorted(missing)[:5], len(extra),
            sorted(extra)[:5])


def wait_settled(ana, n, received, wanted):
    """Everything sent was received, and the kernel has as many routes."""
    def settled():
        r = ana.show(n)["stats"]["routes"]
        return r["inet"]["received"] + r["inet6"]["received"] == received and \
            r["inet"]["fib"] + r["inet6"]["fib"] == wanted
    wait_until(settled, 240, what="%d received, %d in the kernel" % (received,
                                                                     wanted))


def check_refusals(ana, n, refused):
    got = {p: reason for (_, p), reason in
           ana.rejected("neighbor", n.remote).items()}
    wrong = [(p, got.get(p), refused.get(p)) for p in set(got) | set(refused)
             if got.get(p) != refused.get(p)]
    assert not wrong, "%d wrong refusals (prefix, is, should be): %s" % (
        len(wrong), wrong[:10])


def check_end(ana):
    assert ana.running()
    assert not sanitizer_reports(ana.process)


def test_full_table(lab):
    path = data(TABLE)
    sets = mrt.full_table(path, PEER)
    refused, wanted = {}, set()
    for key, prefixes in sets.items():
        as_path = parse_as_path(next(
            v for k, _, v in parse_attributes(key) if k == 2))
        for p in prefixes:
            reason = refusal(p, as_path, PEER, US)
            if reason is None:
                wanted.add(p)
            else:
                refused[p] = reason
    assert len(wanted) + len(refused) == 112986
    ana, n, s = scene(lab)
    mrt.send_all(s, mrt.packed(sets, "192.0.2.2"))
    s.send(end_of_rib("inet"))
    wait_settled(ana, n, 112986, len(wanted))
    same_sets(set(ana.kernel()), wanted, "the kernel's table")
    check_refusals(ana, n, refused)
    assert s.up()
    mrt.send_all(s, mrt.withdrawals(
        [p for prefixes in sets.values() for p in prefixes]))
    wait_settled(ana, n, 0, 0)
    wait_until(lambda: ana.kernel() == {}, 120, what="an empty table")
    assert ana.rejected() == {}
    assert s.up()
    s.close()
    check_end(ana)


def test_live_updates(lab):
    path = data(UPDATES)
    table, messages = {}, []
    for _, _, body, size in mrt.updates(path):
        m = mrt.replayed(body, size, PEER, "192.0.2.2", "2001:db8:1::2")
        if m is None:
            continue
        messages.append(m)
        gone, reach, raw = parse_update(m[19:])
        for p in gone:
            table.pop(p, None)
        for p, a in reach.items():
            table[p] = a["as_path"]
    refused = {p: refusal(p, path, PEER, US) for p, path in table.items()}
    wanted = {p for p, reason in refused.items() if reason is None}
    refused = {p: reason for p, reason in refused.items() if reason}
    assert len(messages) > 10000 and any(":" in p for p in wanted)
    ana, n, s = scene(lab)
    mrt.send_all(s, messages)
    wait_settled(ana, n, len(table), len(wanted))
    same_sets(set(ana.kernel()), wanted, "the kernel's table")
    check_refusals(ana, n, refused)
    # The end of the session takes all of it away.
    s.close()
    wait_until(lambda: not ana.kernel(), 120, what="an empty table")
    check_end(ana)
