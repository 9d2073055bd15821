#!/usr/bin/env python3
"""quick.py TOP BUILD: the packages without building them.

What the build installs and debian/*.install take, the units' exposure as
systemd-analyze judges it, users and directories, and the completion typed
into real shells.  ./dev package and ANA_PACKAGE=1 do the rest.
"""
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

TOP, BUILD = (pathlib.Path(p).resolve() for p in sys.argv[1:3])
UNITS = TOP / "etc/systemd"
# The most that systemd-analyze may find, in tenths.
EXPOSED = {"ana-bgpd.service": 20, "ana-fibd.service": 25,
           "ana-trackd.service": 25,
           "ana-bgpd-shutdown.service": 20, "ana-bgpd-textfile.service": 20}
bad = 0


def fault(text):
    global bad
    bad += 1
    print(text)


def run(*argv, **kw):
    p = subprocess.run(argv, text=True, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, **kw)
    return p.returncode, p.stdout


def contents(stage):
    """Each file is installed by the build or stands in the tree, and none is
    left out."""
    code, out = run("meson", "install", "-C", str(BUILD), "--no-rebuild",
                    "--destdir", str(stage))
    if code:
        return fault("meson install: " + out[-2000:])
    local = stage / "usr/local"
    here = {str(f.relative_to(local)) for f in local.rglob("*")
            if f.is_file()}
    taken = set()
    for listing in (TOP / "debian").glob("*.install"):
        for line in listing.read_text().splitlines():
            words = line.split()
            if len(words) == 2:
                if not (TOP / words[0]).is_file():
                    fault("%s: %s is not there" % (listing.name, words[0]))
                continue
            name = words[0].replace("usr/", "", 1)
            found = {f for f in here if f == name or f.startswith(name + "/")}
            if not found:
                fault("%s: %s is not built" % (listing.name, words[0]))
            taken |= found
    for name in sorted(here - taken):
        fault("%s is built and in no package" % name)
    for name in sorted(here):
        mode = (local / name).stat().st_mode & 0o7777
        program = re.match(r"(s?bin|libexec)/", name) is not None
        if mode != (0o755 if program else 0o644):
            fault("%s has mode %o" % (name, mode))


def units(tmp):
    names = sorted(f.name for f in UNITS.glob("*.service"))
    if names != sorted(EXPOSED):
        fault("units: %s" % names)
    for name, most in EXPOSED.items():
        code, out = run("systemd-analyze", "security", "--offline=true",
                        "--no-pager", "--threshold=%d" % most,
                        str(UNITS / name))
        if code:
            fault("%s: %s" % (name, out.splitlines()[-1]))
    for f in list(UNITS.iterdir()):
        text = re.sub(r"^(Exec\w+=-?)/usr/\S*/ana-\S+", r"\1/bin/true",
                      f.read_text(), flags=re.M)
        (tmp / f.name).write_text(text)
    code, out = run("systemd-analyze", "verify", "--man=no",
                    *sorted(str(tmp / f.name) for f in UNITS.iterdir()))
    for line in out.splitlines():
        # Other units of this machine are not ours to judge.
        if code or line.startswith(("ana-", str(tmp))):
            fault(line)
    users = (TOP / "etc/sysusers.d/ana-bgpd.conf").read_text()
    tmpfiles = (TOP / "etc/tmpfiles.d/ana-bgpd.conf").read_text()
    for name in ("ana-bgpd.service", "ana-fibd.service"):
        text = (UNITS / name).read_text()
        for key in ("User", "Group", "SupplementaryGroups"):
            for who in re.findall(r"^%s=(\S+)" % key, text, re.M):
                if not re.search(r"^[ug] %s " % who, users, re.M):
                    fault("%s: no %s in sysusers" % (name, who))
        own = re.search(r"^User=(\S+)", text, re.M)[1]
        for d in re.findall(r"^RuntimeDirectory=(\S+)", text, re.M):
            if not re.search(r"^d /run/%s 0755 %s _ana-bgpd " % (d, own),
                             tmpfiles, re.M):
                fault("%s: /run/%s is not so in tmpfiles" % (name, d))
    for f in (TOP / "debian").glob("*.p*rm"):
        if run("sh", "-n", str(f))[0]:
            fault("%s is no shell script" % f.name)


class Shell:
    """A shell at a terminal."""

    def __init__(self, argv, env):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(argv[0], argv, env)
        self.seen = ""

    def type(self, text):
        os.write(self.fd, text.encode())

    def wait(self, pattern, seconds=30):
        """What was shown up to the pattern, which is taken."""
        end = time.monotonic() + seconds
        while True:
            plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\x07", "", self.seen)
            m = re.search(pattern, plain, re.S)
            if m:
                self.seen = plain[m.end():]
                return m
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError("%r did not come: %r" % (pattern, plain))
            if select.select([self.fd], [], [], left)[0]:
                self.seen += os.read(self.fd, 65536).decode(errors="replace")

    def close(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)


def completion(shell, stage, tmp):
    """A word is completed, a neighbor is asked for, a choice is listed."""
    share = stage / "usr/local/share"
    env = {"PATH": "%s:/usr/bin:/bin" % tmp, "HOME": str(tmp), "LC_ALL": "C",
           "TERM": "dumb", "PS1": "> "}
    (tmp / "ana-bgpctl").write_text(
        "#!/bin/sh\n"
        "[ \"$*\" = '-t 2 -n show summary terse' ] &&\n"
        "\techo '192.0.2.77 64500 Established' || echo 'partner 64500 Idle'\n")
    (tmp / "ana-bgpctl").chmod(0o755)
    if shell == "bash":
        s = Shell(["bash", "--norc", "--noprofile", "-i"], env)
        s.type("bind 'set bell-style none'; source "
               "%s/bash-completion/completions/ana-bgpctl.bash\n" % share)
    else:
        s = Shell(["zsh", "-f", "-i"], env)
        # As the package does it: found by its name, loaded when needed.
        s.type("fpath=(%s/zsh/vendor-completions $fpath); "
               "autoload -U compinit; compinit -u -D; unsetopt zle_bracketed_"
               "paste; PS1='> '\n" % share)
    try:
        # So that nothing is typed before the line editor is there.
        s.type("echo be''gin\n")
        s.wait(r"begin\n.*> ")
        s.type("ana-bgpctl sh\t")
        s.wait(r"ana-bgpctl show? ?$|ana-bgpctl sh(?=\s*\S*\s*$)")
        s.type("\x15ana-bgpctl show nei\t")
        s.wait(r"show neighbor ")
        s.type("192\t")
        s.wait(r"192\.0\.2\.77")
        s.type("\x15ana-bgpctl check hea\t")
        s.wait(r"check health")
        s.type("\x15ana-bgpctl neighbor 192.0.2.77 refresh \t\t")
        s.wait(r"in +out")
        s.type("\x15ana-bgpctl -s /x -j check hea\t")
        s.wait(r"check health")
    except (TimeoutError, OSError) as e:
        fault("completion in %s: %s" % (shell, e))
    finally:
        s.close()


def main():
    tmp = pathlib.Path(tempfile.mkdtemp())
    try:
        (tmp / "units").mkdir()
        contents(tmp / "stage")
        units(tmp / "units")
        for shell in ("bash", "zsh"):
            completion(shell, tmp / "stage", tmp)
    finally:
        shutil.rmtree(tmp, ignore_errors=True)
    sys.exit(1 if bad else 0)


main()
