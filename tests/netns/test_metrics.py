"""What the monitoring reads: the two text forms, the numbers, the files that
are shipped for Prometheus and Grafana, and the manual page's list."""

import json
import pathlib
import re
import subprocess
import time

import pytest

from ana import TOP
from lab import wait_until
from routers import Route
from speaker import Speaker, end_of_rib, notification
from test_show import NEVER, PEER, REFUSED, Scene

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'(%s)="((?:[^"\\\n]|\\[\\"n])*)"(?:,(?=.)|$)' % NAME)
SAMPLE = re.compile(r"(%s)(?:\{(.*)\})? (-?\d+(?:\.\d+)?)" % NAME)
SUFFIX = {"counter": "_total", "info": "_info"}


HISTOGRAM = ("_bucket", "_sum", "_count")


def whole_histogram(samples):
    le = [float(s["le"]) for s, _ in samples if s[""] == "_bucket"]
    n = [v for s, v in samples if s[""] == "_bucket"]
    assert le == sorted(set(le)) and le[-1] == float("inf")
    assert n == sorted(n)
    assert [v for s, v in samples if s[""] == "_count"] == n[-1:]
    assert [v >= 0 for s, v in samples if s[""] == "_sum"] == [True]


def parse(text):
    """{family: (type, help, [(labels, value)])} of OpenMetrics text, each rule
    of the format that we may break being checked."""
    lines, families, name = text.split("\n"), {}, None
    assert lines[-2:] == ["# EOF", ""]
    for line in lines[:-2]:
        if line.startswith("# "):
            _, word, of, rest = line.split(" ", 3)
            if word == "HELP":
                assert of not in families, of
                name, families[of] = of, [None, rest, []]
            else:
                assert (word, of) == ("TYPE", name)
                families[of][0] = rest
            continue
        found = SAMPLE.fullmatch(line)
        assert found, line
        kind = families[name][0]
        suffix = found[1][len(name):]
        assert found[1].startswith(name) and (
            suffix in HISTOGRAM if kind == "histogram" else
            suffix == SUFFIX.get(kind, "")), line
        labels, at = {}, 0
        for m in LABEL.finditer(found[2] or ""):
            assert m.start() == at and m[1] not in labels, line
            at, labels[m[1]] = m.end(), m[2]
        assert at == len(found[2] or ""), line
        value = float(found[3])
        assert kind != "counter" or value >= 0, line
        assert kind not in ("info", "stateset") or value in (0, 1), line
        if kind == "histogram":
            labels[""] = suffix
        families[name][2].append((labels, value))
    for of, (kind, _, samples) in families.items():
        assert kind in ("gauge", "counter", "info", "stateset",
                        "histogram"), of
        if kind == "histogram":
            whole_histogram(samples)
        seen = [tuple(sorted(s.items())) for s, _ in samples]
        assert len(seen) == len(set(seen)), of
    return families


@pytest.fixture(scope="class")
def scene(class_lab):
    yield Scene(class_lab)


def value(families, name, **labels):
    """The one sample that has these labels."""
    found = [v for s, v in families[name][2]
             if all(s.get(k) == x for k, x in labels.items())]
    assert len(found) == 1, (name, labels, families[name][2])
    return found[0]


def promtool(*words, text=None):
    p = subprocess.run(["promtool", *words], input=text, text=True,
                       capture_output=True, timeout=60)
    return p.returncode, p.stdout + p.stderr


class TestMetrics:
    def read(self, scene):
        return parse(scene.ana.cli("show", "metrics"))

    def test_numbers(self, scene):
        m = self.read(scene)
        up, never = {"remote_addr": "192.0.2.2"}, {"remote_addr": "192.0.2.9"}
        labels = m["bgpd_peer"][2][0][0]
        assert labels == {"remote_addr": "192.0.2.2", "remote_as": str(PEER),
                          "description": "partner", "group": ""}
        assert m["bgpd_peer"][2][1][0]["remote_as"] == str(NEVER)
        assert value(m, "bgpd_peer_state", bgpd_peer_state="Established",
                     **up) == 1
        assert value(m, "bgpd_peer_state", bgpd_peer_state="Established",
                     **never) == 0
        assert value(m, "bgpd_peer_state_raw", **up) == 6
        assert value(m, "bgpd_peer_state_raw", **never) == 3
        assert value(m, "ana_bgpd_peer_up", **up) == 1
        assert value(m, "ana_bgpd_peer_up", **never) == 0
        assert value(m, "bgpd_peer_prefixes_receive", **up) == 7
        assert value(m, "bgpd_peer_prefixes_transmit", **up) == 2
        assert value(m, "bgpd_peer_update_transmit", **up) == 2
        assert value(m, "bgpd_peer_message_receive", messages="open",
                     **up) == 1
        # It was never up: there is no time to tell.
        assert len(m["bgpd_peer_last_change_seconds"][2]) == 1
        for state, inet, inet6 in (("received", 6, 1), ("accepted", 1, 1),
                                   ("rejected", 5, 0), ("best", 1, 1),
                                   ("fib", 1, 1), ("advertised", 1, 1)):
            for family, want in (("inet", inet), ("inet6", inet6)):
                assert value(m, "ana_bgpd_peer_routes", state=state,
                             family=family, **up) == want, (state, family)
        for reason, _ in REFUSED.values():
            assert value(m, "ana_bgpd_peer_rejected", reason=reason,
                         family="inet", **up) == 1
            assert value(m, "ana_bgpd_peer_rejects", reason=reason,
                         family="inet", **up) == 1
        assert value(m, "ana_bgpd_peer_max_prefix", family="all", **up) == 250
        assert value(m, "ana_bgpd_peer_policy_off", check="first-as",
                     **up) == 1
        assert value(m, "ana_bgpd_policy_rule_hits", policy="strict",
                     rule="bad") == 1
        assert value(m, "ana_bgpd_filter_set_entries", set="as719",
                     family="inet") == 1
        assert value(m, "ana_bgpd_fib_routes", family="inet",
                     state="installed") == 1
        assert value(m, "ana_bgpd_fib_up") == 1
        assert value(m, "ana_bgpd_ready") == 0
        assert value(m, "ana_bgpd_up") == 1
        for process in ("bgpd", "fibd"):    # the other's come over its socket
            m = wait_until(lambda: any(
                s["process"] == process for s, _ in
                self.read(scene)["process_cpu_seconds"][2]) and
                self.read(scene), what="numbers of " + process)
            assert value(m, "process_resident_memory_bytes",
                         process=process) > 1 << 20
            assert value(m, "process_virtual_memory_bytes",
                         process=process) > 1 << 20
            assert 0 <= time.time() - value(
                m, "process_start_time_seconds", process=process) < 600
        build = m["ana_bgpd_build"][2][0][0]
        assert set(build) == {"version", "revision", "libevent", "libmd"}
        assert re.fullmatch("[0-9a-f]{12}(-dirty)?|unknown", build["revision"])
        assert {pathlib.Path(s["socket"]).name: v for s, v in
                m["ana_bgpd_control_clients"][2]} == {
            "control.sock": 1, "restricted.sock": 0}
        assert re.fullmatch("[0-9a-f]{64}",
                            m["ana_bgpd_config_hash"][2][0][0]["sha256"])
        for prefix in ("179.191.160.0/24", "2804:a8::/48"):
            for who, want in ((up, 1), (never, 0)):
                assert value(m, "ana_bgpd_prefix_seen", prefix=prefix,
                             direction="advertised", **who) == want
                assert value(m, "ana_bgpd_prefix_seen", prefix=prefix,
                             direction="received", **who) == 0
        for family in ("all", "inet", "inet6"):
            assert value(m, "ana_bgpd_peer_max_prefix_exceeded",
                         family=family, **up) == 0
        assert value(m, "ana_bgpd_restarting") == 0
        for family in ("inet", "inet6"):
            assert value(m, "ana_bgpd_peer_restarting", family=family,
                         **up) == 0
        # It has sent no End-of-RIB yet.
        assert m["ana_bgpd_peer_convergence_seconds"][2] == []
        for name in ("update_process", "fib_install", "event_loop_lag"):
            assert dict((s[""], v) for s, v in
                        m["ana_bgpd_%s_seconds" % name][2])["_count"] > 0
        assert {s["prefix"] for s, _ in m["ana_bgpd_network_announced"][2]} \
            == {"179.191.160.0/24", "2804:a8::/48"}

    def test_json_has_the_same(self, scene):
        text = self.read(scene)
        j = {f["name"]: f for f in
             scene.ana.ctl("show", "metrics")["metrics"]}
        assert list(j) == list(text)
        for name, (kind, doc, samples) in text.items():
            assert (j[name]["type"], j[name]["help"]) == (kind, doc)
            assert [dict(s["labels"], **({"": s["suffix"]} if kind ==
                                         "histogram" else {}))
                    for s in j[name]["samples"]] == [
                s for s, _ in samples], name

    def test_prometheus_form(self, scene):
        text = scene.ana.cli("show", "metrics", "prometheus")
        assert "# EOF" not in text
        assert "# TYPE bgpd_peer_message_transmit_total counter" in text
        status, said = promtool("check", "metrics", text=text)
        assert (status, said) == (0, "")

    def test_promtool_finds_faults(self):
        assert promtool("check", "metrics", text="a b c\n")[0] != 0

    def test_quick(self, scene):
        m = self.read(scene)
        assert value(m, "bgpd_scrape_seconds") < 0.5

    def test_manual(self, scene):
        page = (TOP / "man/ana-bgpd-metrics.7").read_text()
        manual = re.findall(r"^\.It Ic (\S+) Pq (\w+)\n((?:[^.].*\n)+)", page,
                            re.M)
        assert [(n, k, " ".join(doc.split())) for n, k, doc in manual] == [
            (n, k, doc) for n, (k, doc, _) in self.read(scene).items()]

    def test_shipped_rules(self, scene):
        known = {n + x for n, (k, _, _) in self.read(scene).items()
                 for x in (HISTOGRAM if k == "histogram" else
                           [SUFFIX.get(k, "")])}
        for name in ("alerts.yml", "compat.rules.yml"):
            path = TOP / "etc/prometheus" / name
            status, said = promtool("check", "rules", str(path))
            assert status == 0, said
            used = re.findall(r"\b(?:ana_)?bgpd_\w+", "\n".join(
                x for x in path.read_text().splitlines()
                if re.match(r"\s+(expr:|[^-\s:#]+(?:\(|\{| ))", x)))
            labels = {"bgpd_peer_state"}
            assert used and set(used) - labels <= known, set(used) - known
        dash = json.loads((TOP / "etc/grafana/ana-bgpd.json").read_text())
        exprs = [t["expr"] for p in dash["panels"]
                 for t in p.get("targets", ())]
        assert len(exprs) >= 8
        for e in exprs:
            assert set(re.findall(r"\b(?:ana_)?bgpd_\w+", e)) <= known, e

    def test_alerts_fire(self, scene, tmp_path):
        """Each rule against series that must and must not raise it."""
        path = TOP / "etc/prometheus/alerts.test.yml"
        status, said = promtool("test", "rules", str(path))
        assert status == 0, said

    def test_textfile(self, scene, tmp_path):
        """The script behind the timer: all or nothing, never half a file."""
        # What is there only after a while is looked at, too.
        wait_until(lambda: "ana_bgpd_partner_traffic" in
                   scene.ana.cli("show", "metrics"), what="counted links")
        script = TOP / "etc/ana-bgpd-textfile"
        target = tmp_path / "ana-bgpd.prom"
        env = {"PATH": "%s:/usr/bin:/bin" % pathlib.Path(
            program_dir()), "ANA_BGPD_SOCKET": scene.ana.dir +
            "/run/control.sock"}
        p = subprocess.run(["sh", script, target], env=env,
                           capture_output=True, text=True, timeout=60)
        assert p.returncode == 0, p.stderr
        assert "ana_bgpd_up 1" in target.read_text()
        status, text = promtool("check", "metrics", text=target.read_text())
        assert status == 0, text
        env["ANA_BGPD_SOCKET"] = str(tmp_path / "none")
        p = subprocess.run(["sh", script, target], env=env,
                           capture_output=True, text=True, timeout=60)
        assert p.returncode == 3
        assert target.read_text().splitlines()[-1] == "ana_bgpd_up 0"
        assert [x.name for x in tmp_path.iterdir()] == ["ana-bgpd.prom"]

    def test_convergence(self, scene):
        for family in ("inet", "inet6"):
            scene.peer.send(end_of_rib(family))
        m = wait_until(lambda: (lambda m: len(
            m["ana_bgpd_peer_convergence_seconds"][2]) == 2 and m)(
                self.read(scene)))
        for _, seconds in m["ana_bgpd_peer_convergence_seconds"][2]:
            assert 0 <= seconds < 600
        scene.ana.reload()
        again = self.read(scene)
        assert value(again, "ana_bgpd_config_generation") == 2
        assert again["ana_bgpd_config_hash"] == m["ana_bgpd_config_hash"]
        scene.ana.glob.append('shutdown-reason "bye";')
        scene.ana.reload()
        assert self.read(scene)["ana_bgpd_config_hash"] != \
            m["ana_bgpd_config_hash"]

    def test_our_own_from_outside(self, scene):
        """A neighbor that announces a network of ours is seen to."""
        scene.peer.announce(Route("179.191.160.0/24"))
        m = wait_until(lambda: (lambda m: value(
            m, "ana_bgpd_prefix_seen", prefix="179.191.160.0/24",
            direction="received", remote_addr="192.0.2.2") and m)(
                self.read(scene)))
        assert value(m, "ana_bgpd_peer_rejected", reason="own-prefix",
                     remote_addr="192.0.2.2", family="inet") == 1

    def test_after_a_notification(self, scene):
        scene.peer.send(notification(6, 4))
        m = wait_until(lambda: (lambda m: m["ana_bgpd_peer_notifications"][2]
                                and m)(self.read(scene)))
        assert value(m, "ana_bgpd_peer_notifications", direction="received",
                     code="6", subcode="4") == 1
        assert value(m, "ana_bgpd_peer_flaps", remote_addr="192.0.2.2") == 1
        assert value(m, "ana_bgpd_peer_last_reset", code="6",
                     direction="received") == 1
        text = scene.ana.cli("show", "metrics", "prometheus")
        assert promtool("check", "metrics", text=text) == (0, "")

    def test_a_limit_of_a_family(self, scene):
        scene.n.more += ("max-prefix inet 4 action restart 1h;",)
        scene.ana.reload()
        scene.peer.close()
        scene.peer = Speaker(scene.p, "192.0.2.2", "192.0.2.1", PEER,
                             ("inet", "inet6"))
        scene.peer.announce(*(Route("62.142.%d.0/24" % i) for i in range(5)))
        m = wait_until(lambda: (lambda m: value(
            m, "ana_bgpd_peer_max_prefix_tripped", remote_addr="192.0.2.2")
            and m)(self.read(scene)))
        assert {s["family"]: n for s, n in
                m["ana_bgpd_peer_max_prefix_exceeded"][2]
                if s["remote_addr"] == "192.0.2.2"} == {
            "all": 0, "inet": 1, "inet6": 0}


def program_dir():
    from ana import program
    return pathlib.Path(program("ana-bgpctl")).parent


def test_awkward_names(lab):
    """Quotes and letters of other scripts in what an operator wrote."""
    from ana import Ana
    a = lab.ns("ana")
    ana = Ana(lab, a, 52580, "192.0.2.1")
    ana.listen = []
    ana.announce(Route("179.191.160.0/24"))
    ana.neighbor("192.0.2.2", PEER, "127.0.0.1", passive=True,
                 name="S\u00e3o Paulo {1}, a=b")
    ana.start()
    m = parse(ana.cli("show", "metrics"))
    assert m["bgpd_peer"][2][0][0]["description"] == "S\u00e3o Paulo {1}, a=b"
    assert promtool("check", "metrics", text=ana.cli(
        "show", "metrics", "prometheus")) == (0, "")


def test_number_of_series(lab):
    """The budget of twenty neighbors with two families: 2,500 series."""
    from ana import Ana
    ana = Ana(lab, lab.ns("ana"), 52580, "192.0.2.1")
    ana.listen = []
    ana.announce(*(Route("179.191.%d.0/24" % i) for i in range(4)))
    for i in range(20):
        ana.neighbor("198.51.100.%d" % (i + 1), 719 + i, "127.0.0.1",
                     ("inet", "inet6"), passive=True, name="partner %d" % i,
                     other="2001:db8::1")
    ana.start()
    text = ana.cli("show", "metrics")
    parse(text)
    assert sum(not x.startswith("#") for x in text.splitlines()) < 2500
