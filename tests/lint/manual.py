#!/usr/bin/env python3
"""manual.py TOP BGPCTL: the pages say what the programs know, and no more.

Options against the getopt() strings, commands against "ana-bgpctl help", and
the RFCs of STANDARDS in ana-bgpd(8) against those that the code cites.  (The
statements of the configuration: tests/unit/test_conf.c; the metrics:
tests/netns/test_metrics.py.)
"""
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(sys.argv[1])
# Of these no behaviour of the protocol comes.
NO_STANDARD = {
    "1071": "a checksum in a capture file", "3629": "UTF-8",
    "5004": "named because the decision does not follow it",
    "7911": "add-path, named because it is not offered",
}
# What they cite are entries of registries, which one line of the page covers.
REGISTRIES = ("policy/martian.c", "policy/martian.h",
              "platform/fibd/fibd_check.c")
bad = 0


def fault(text):
    global bad
    bad += 1
    print(text)


def compare(page, what, have, want):
    for x in sorted(want - have):
        fault("%s: %s %s is not there" % (page, what, x))
    for x in sorted(have - want):
        fault("%s: %s %s is not known to the program" % (page, what, x))


def options(page, source, unsaid=""):
    text = (TOP / source).read_text()
    known = set(re.search(r'getopt\(argc, argv, "\+?([^"]+)"',
                          text)[1].replace(":", "")) - set(unsaid)
    text = (TOP / page).read_text()
    listed = set(re.findall(r"^\.It Fl (\w)(?: |$)", text, re.M))
    compare(page, "option", listed, known)
    synopsis = text[text.index(".Sh SYNOPSIS"):text.index(".Sh DESCRIPTION")]
    short = set()
    for flags in re.findall(r"^\.(?:Op )?Fl (\w+)", synopsis, re.M):
        short |= set(flags)
    compare(page + " SYNOPSIS", "option", short, known)


def plain(item):
    """".It Cm a Op Cm b | c" as "a [b|c]"."""
    words, out, closing = item.split(), [], 0
    for i, w in enumerate(words):
        if w in ("Cm", "Ar", "Xo", "Xc", "Ic", "No", "Ns"):
            continue
        if w == "Fl":
            words[i + 1] = "-" + words[i + 1]
        elif w in ("Op", "Oo"):
            out.append("[")
            closing += w == "Op"
        elif w == "Oc":
            out.append("]")
        elif w == "\0":     # the end of a line
            out += ["]"] * closing
            closing = 0
        else:
            out.append(w)
    text = " ".join(out + ["]"] * closing)
    text = re.sub(r"\[ ", "[", text)
    text = re.sub(r" \]", "]", text)
    return re.sub(r" \| ", "|", text)


def commands(page, program):
    text = (TOP / page).read_text()
    text = text[text.index(".Sh COMMANDS"):text.index(".Sh ENVIRONMENT")]
    have = set()
    for m in re.finditer(r"^\.It Xo\n((?:.*\n)*?)\.Xc$|^\.It (Cm .*)$",
                         text, re.M):
        have.add(plain((m[1] or m[2]).replace("\n", " \0 ").replace(
            " \0 .", " \0 ").lstrip(".")))
    out = subprocess.run([program, "help"], text=True, check=True,
                         stdout=subprocess.PIPE).stdout
    compare(page, "command", have, set(re.findall(
        r"^  (?!-)(\S.*)$", out, re.M)))


def standards(page):
    text = (TOP / page).read_text()
    have = set(re.findall(r"\bRFC (\d+)",
                          text[text.index(".Sh STANDARDS"):]))
    want = set()
    for d in ("bgpd", "bgpctl", "rib", "policy", "platform", "lib"):
        for f in (TOP / d).rglob("*"):
            if f.suffix in (".c", ".h", ".y", ".l") and \
                    str(f.relative_to(TOP)) not in REGISTRIES:
                want |= set(re.findall(r"\bRFC ?(\d{4})", f.read_text()))
    compare(page + " STANDARDS", "RFC", have, want - set(NO_STANDARD) |
            {"6890"})


options("man/ana-bgpd.8", "bgpd/main.c")
options("man/ana-fibd.8", "platform/fibd/fibd_args.c", unsaid="T")
options("man/ana-bgpctl.8", "bgpctl/bgpctl.c")
commands("man/ana-bgpctl.8", sys.argv[2])
standards("man/ana-bgpd.8")
sys.exit(1 if bad else 0)
