"""No octet is lost: a full table comes and goes under valgrind."""

import pathlib
import re
import shutil

import pytest

import ana as ana_module
import mrt
from ana import BUILD, TOP, Ana
from lab import run, wait_until
from routers import Route
from speaker import Speaker, announcement, end_of_rib, withdrawal

PEER, US = 1853, 52580
TABLE = "ris.bview.20020722.2337.gz"
RELEASE = BUILD.parent / "release"


class Valgrind(Ana):
    """The release build under valgrind, ana-fibd beside it."""

    def argv(self):
        self.report = self.dir + "/state/valgrind.log"
        argv = [str(RELEASE / "ana-bgpd"), *super().argv()[1:]]
        shim = self.lab.path("noseccomp.so")
        run("cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", shim,
            str(TOP / "tests" / "netns" / "noseccomp.c"))
        return ["env", "LD_PRELOAD=" + shim, "valgrind", "--leak-check=full", "--error-exitcode=99",
                "--show-leak-kinds=definite,indirect,possible",
                "--errors-for-leak-kinds=definite,indirect,possible",
                "--log-file=" + self.report, *argv]


def messages():
    """(how many, to announce, to withdraw): the table of 2002, or a made one."""
    path = mrt.data_file(TABLE)
    if path is not None:
        sets = mrt.full_table(path, PEER)
        prefixes = [p for group in sets.values() for p in group]
        return (len(prefixes), mrt.packed(sets, "192.0.2.2"),
                mrt.withdrawals(prefixes))
    prefixes = ["%d.%d.%d.0/24" % (20 + i // 65536, i // 256 % 256, i % 256)
                for i in range(20000)]
    return (len(prefixes),
            [announcement(Route(p), PEER, "192.0.2.2") for p in prefixes],
            [withdrawal(p) for p in prefixes])


def test_no_leak_after_a_full_table(lab, monkeypatch):
    if not (RELEASE / "ana-bgpd").exists() or not shutil.which("valgrind"):
        pytest.skip("needs valgrind and a release build: ./dev build")
    monkeypatch.setattr(ana_module, "BUILD", RELEASE)
    a, f = lab.ns("ana"), lab.ns("feed")
    lab.link(a, f, v4="192.0.2.0/30")
    ana = Valgrind(lab, a, US, "192.0.2.1",
                   fibd_args="-4 1-32 -6 1-128 -n 300000")
    ana.blocks.append("fib { max-routes 300000; }")
    n = ana.neighbor("192.0.2.2", PEER, "192.0.2.1", ("inet",), passive=True,
                     hold=300, more=('no max-prefix "the whole table";',
                                     'no max-length "the whole table";'))
    ana.write()
    ana.start()
    s = Speaker(f, "192.0.2.2", "192.0.2.1", PEER, ("inet",), hold=300)
    count, there, gone = messages()

    def received(want):
        def check():
            return ana.show(n)["stats"]["routes"]["inet"]["received"] == want
        return check

    mrt.send_all(s, there)
    s.send(end_of_rib("inet"))
    wait_until(received(count), 180, what="%d routes" % count)
    mrt.send_all(s, gone)
    wait_until(received(0), 180, what="no route")
    s.close()
    ana.cli("shutdown", "enough")
    wait_until(lambda: not ana.process.running(), 60, what="its end")
    report = pathlib.Path(ana.report).read_text()
    assert "ERROR SUMMARY: 0 errors" in report, report
    assert re.search(r"definitely lost: 0 bytes|All heap blocks were freed",
                     report), report
