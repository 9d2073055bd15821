"""ana-bgpctl against a daemon that the test plays: which octets it sends, and
what it makes of each kind of answer, of silence and of no daemon at all."""

import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

PROGRAM = os.path.abspath(sys.argv.pop(1))


def frame(kind, payload):
    return kind + struct.pack(">I", len(payload))[1:] + payload


class Daemon(threading.Thread):
    """Takes one request and writes the pieces of an answer."""

    def __init__(self, path, pieces=(), hold=False):
        super().__init__(daemon=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.listener.settimeout(20)
        self.pieces, self.hold, self.request = pieces, hold, b""
        self.done = threading.Event()
        self.start()

    def run(self):
        try:
            conn, _ = self.listener.accept()
        except OSError:
            return
        with conn:
            conn.settimeout(20)
            while not self.request.endswith(b"\0\0"):
                octets = conn.recv(65536)
                if not octets:
                    break
                self.request += octets
            try:
                for piece in self.pieces:
                    conn.sendall(piece)
            except OSError:
                pass
            if self.hold:
                self.done.wait(20)


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp()
        self.sock = os.path.join(self.dir, "control.sock")
        self.daemons = []

    def tearDown(self):
        for d in self.daemons:
            d.done.set()
            d.listener.close()
        shutil.rmtree(self.dir)

    def daemon(self, *pieces, path=None, hold=False):
        d = Daemon(path or self.sock, pieces, hold)
        self.daemons.append(d)
        return d

    def ctl(self, *args, env=None, sock=True):
        e = dict(os.environ, **(env or {}))
        if env is None:
            e.pop("ANA_BGPD_SOCKET", None)
        where = ["-s", self.sock] if sock else []
        r = subprocess.run([PROGRAM, *where, *args], env=e, timeout=30,
                           capture_output=True)
        return r.returncode, r.stdout, r.stderr.decode()

    def test_answer(self):
        d = self.daemon(frame(b"O", b"one\n") + frame(b"E", b"careful\n"),
                        frame(b"O", b"") + frame(b"O", b"two\n"),
                        frame(b"X", b"\5"))
        self.assertEqual(self.ctl("-j", "-n", "show", "rib", "10.0.0.0/8"),
                         (5, b"one\ntwo\n", "careful\n"))
        d.join()
        self.assertEqual(d.request,
                         b"\1-j\0-n\0show\0rib\x0010.0.0.0/8\0\0")

    def test_closed_output(self):
        d = self.daemon(frame(b"O", b"one\n"), frame(b"X", b"\0"))
        r = subprocess.run(["sh", "-c", 'exec "$0" -s "$1" show >&-',
                            PROGRAM, self.sock], timeout=30,
                           stderr=subprocess.PIPE)
        self.assertEqual(r.returncode, 1)
        self.assertIn(b"cannot write the answer", r.stderr)
        d.join()
        self.assertEqual(d.request, b"\1show\0\0")

    def test_octet_by_octet_and_large(self):
        big = bytes(range(256)) * 4096
        head = frame(b"O", b"abc")
        self.daemon(*[head[i:i + 1] for i in range(len(head))],
                    frame(b"O", big), frame(b"X", b"\0"))
        self.assertEqual(self.ctl("show"), (0, b"abc" + big, ""))

    def test_quiet(self):
        self.daemon(frame(b"O", b"x") + frame(b"E", b"y") + frame(b"X", b"\1"))
        self.assertEqual(self.ctl("-q", "check", "health"), (1, b"", ""))

    def test_unknown_exit_code(self):
        self.daemon(frame(b"X", b"\x7f"))
        self.assertEqual(self.ctl("show")[0], 1)

    def test_broken_answers(self):
        for pieces, say in ((b"", "broke off"),
                            (frame(b"O", b"half")[:6], "broke off"),
                            (frame(b"O", b"whole"), "broke off"),
                            (b"HTTP/1.0 400\r\n", "does not speak"),
                            (frame(b"X", b""), "does not speak")):
            with self.subTest(pieces):
                self.daemon(pieces)
                code, _, err = self.ctl("show")
                self.assertEqual(code, 3)
                self.assertIn(say, err)
                os.unlink(self.sock)

    def test_silence(self):
        self.daemon(frame(b"O", b"begun"), hold=True)
        code, out, err = self.ctl("-t", "1", "show")
        self.assertEqual((code, out), (3, b"begun"))
        self.assertIn("no answer from %s for 1 s" % self.sock, err)

    def test_no_daemon(self):
        code, _, err = self.ctl("show")
        self.assertEqual(code, 3)
        self.assertIn("cannot reach " + self.sock, err)
        self.assertIn("is ana-bgpd running?", err)
        s = socket.socket(socket.AF_UNIX)
        s.bind(self.sock)
        s.close()
        code, _, err = self.ctl("show")
        self.assertEqual(code, 3)
        self.assertIn("ana-bgpd has ended", err)
        code, _, err = self.ctl("-s", os.path.dirname(self.sock), "show")
        self.assertEqual(code, 3)
        self.assertIn("it is no socket", err)
        self.assertNotIn("has ended", err)
        self.assertEqual(self.ctl("-q", "show"), (3, b"", ""))
        self.sock = "/" + "x" * 200
        self.assertEqual(self.ctl("show")[0], 3)

    def test_errors_in_json(self):
        """Also those that no daemon was asked about, but never behind half an
        answer."""
        for words, status in ((["show"], 3), (["show", "nonsense"], 2),
                              (["check", self.dir + "/none"], 2)):
            with self.subTest(words):
                code, out, err = self.ctl("-j", *words)
                answer = json.loads(out)
                self.assertEqual((code, answer["status"]), (status, "FAILED"))
                self.assertEqual(err, "ana-bgpctl: " + answer["error"] + "\n")
                self.assertEqual(self.ctl("-q", "-j", *words)[1:], (b"", ""))
                self.assertEqual(self.ctl(*words)[1], b"")
        self.daemon(frame(b"O", b"half"))
        self.assertEqual(self.ctl("-j", "show")[:2], (3, b"half"))

    def test_fall_back(self):
        env = {"ANA_BGPD_SOCKET": self.sock}
        read = os.path.join(self.dir, "restricted.sock")
        self.daemon(frame(b"O", b"x") + frame(b"X", b"\0"), path=read)
        # A command that changes something, or -s, does not fall back.
        self.assertEqual(self.ctl("reload", env=env, sock=False)[0], 3)
        self.assertEqual(self.ctl("show")[0], 3)
        code, out, err = self.ctl("show", env=env, sock=False)
        self.assertEqual((code, out), (0, b"x"))
        self.assertIn("asking the read-only " + read, err)

    def test_usage(self):
        # No daemon is there: none is asked.
        for args in ((), ("-x",), ("frob",), ("-t", "0", "show"),
                     ("show", "n"), ("neighbor", "x", "clear", ""),
                     ("show",) * 100):
            with self.subTest(args):
                code, out, err = self.ctl(*args)
                self.assertEqual((code, out), (2, b""))
                self.assertTrue(err)
        code, out, _ = self.ctl("help")
        self.assertEqual(code, 0)
        self.assertIn(b"neighbor NEIGHBOR refresh [in|out]", out)
        code, out, _ = self.ctl("-V")
        self.assertEqual(code, 0)
        self.assertRegex(out, rb"^ana-bgpctl [0-9.]+\n$")

    def test_completion_runs_no_name(self):
        """A neighbor's description may be anything; it is typed, not run."""
        script = """
            eval "$("$1" completion bash)"
            ana-bgpctl() {
                printf '%s 64500 Idle\\n' '$(touch>ran)' '`touch>ran`' \
                    'a&b' 'plain' 2001:db8::1
            }
            COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
            COMP_LINE="ana-bgpctl neighbor $2" COMP_POINT=${#COMP_LINE}
            _ana_bgpctl
            printf '%s\\n' "${COMPREPLY[@]}"
        """
        def complete(word):
            r = subprocess.run(["bash", "-c", script, "bash", PROGRAM, word],
                               cwd=self.dir, capture_output=True, text=True,
                               timeout=30)
            self.assertFalse(os.path.exists(self.dir + "/ran"))
            self.assertEqual(r.stderr, "")
            return r.stdout.split("\n")[:-1]

        names = complete("")
        self.assertIn("plain", names)
        self.assertIn("\\$\\(touch\\>ran\\)", names)
        self.assertIn("a\\&b", names)
        self.assertEqual(set(complete("pl")), {"plain"})
        self.assertEqual(set(complete("a\\&")), {"a\\&b"})

        # An IPv6 address: the shell has what is before the last colon.
        self.assertEqual(set(complete("20")), {"2001:db8::1"})
        self.assertEqual(set(complete("2001:d")), {"db8::1"})
        self.assertEqual(set(complete("2001:db8::1 cl")),
                         {"clear", "clear-limit"})

    def test_manual_has_every_command(self):
        page = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                            "../../man/ana-bgpctl.8")
        with open(page, encoding="utf-8") as f:
            text = f.read().split(".Sh COMMANDS")[1].split(".Sh ENV")[0]
        heads = re.findall(r"^\.It Xo\n(.*?)\.Xc|^\.It (.*?)$", text,
                           re.S | re.M)
        skip = {"Cm", "Ar", "Op", ".Cm", ".Op", "|", "Oo", "Oc"}
        manual = [[w for w in "".join(h).replace("Fl ", "-").split()
                   if w not in skip]
                  for h in heads]
        _, out, _ = self.ctl("help")
        table = [re.sub(r"[][|]", " ", line).split()
                 for line in out.decode().split("unambiguous.\n")[1]
                 .splitlines() if not line.startswith("   ")]
        self.assertGreater(len(table), 20)
        self.assertEqual(manual, table)


if __name__ == "__main__":
    unittest.main()
