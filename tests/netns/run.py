"""run.py DIR [PYTEST-ARGUMENT...]: the lab's files, two at a time.

Each file of tests runs in a pytest of its own; the lab waits more than it
works, so two cores serve two of them.  In DIR each leaves NAME.xml (JUnit)
and, if something failed, prints its output.  SIGINT and SIGTERM end the tests
under way, with their fixtures.
"""
import pathlib
import signal
import subprocess
import sys
import time

JOBS = 2
NO_TESTS = 5                    # pytest: all were deselected
# These take longest: what is begun last should be short.
FIRST = ["test_interop", "test_restart", "test_kernel", "test_errors",
         "test_fibd", "test_drain", "test_announce", "test_stream"]


def files():
    here = pathlib.Path(__file__).parent
    return sorted(here.glob("test_*.py"), key=lambda p: (
        FIRST.index(p.stem) if p.stem in FIRST else len(FIRST), p.stem))


def main():
    out, args = pathlib.Path(sys.argv[1]), sys.argv[2:]
    waiting, running, bad, ended = files(), {}, 0, []
    for sig in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sig, lambda s, _: ended.append(s))
    while (waiting and not ended) or running:
        while waiting and len(running) < JOBS and not ended:
            f = waiting.pop(0)
            running[f.stem] = subprocess.Popen(
                [sys.executable, "-B", "-m", "pytest", "-q", "-p",
                 "no:cacheprovider", "--junitxml=%s" % (out / f.stem) + ".xml",
                 str(f), *args], stdout=open(out / (f.stem + ".log"), "wb"),
                stderr=subprocess.STDOUT, start_new_session=True)
        time.sleep(0.1)
        for name, p in list(running.items()):
            if ended and p.poll() is None:
                p.terminate()
                p.wait()
            if p.poll() is None:
                continue
            del running[name]
            if p.returncode == NO_TESTS:
                (out / (name + ".xml")).unlink(missing_ok=True)
            elif p.returncode != 0:
                bad = 1
                print((out / (name + ".log")).read_text(errors="replace"))
    return 128 + ended[0] if ended else bad


sys.exit(main())
