#!/usr/bin/env python3
"""words.py TOP: nothing unfinished, no path of one machine, no long function.
"""
import pathlib
import re
import sys

# Written so that this file does not find itself.
UNFINISHED = re.compile(r'\b(TO' r'DO|FIX' r'ME|X' r'XX|HA' r'CK|'
                        r'not implemen' r'ted|unimplemen' r'ted)\b')
MACHINE = re.compile(r'(?<![\w.])/(?:wor' r'k|ho' r'me|roo' r't|far' r'm)/')
LONGEST = 100
SKIP = {'.git', '__pycache__', '.pytest_cache', 'seeds'}


def files(top):
    for f in sorted(top.iterdir()):
        if f.name in SKIP or f.name.startswith('build'):
            continue
        if f.is_dir():
            yield from files(f)
        elif f.is_file():
            yield f


def functions(text):
    """(line, length) of each function body at the left margin."""
    start = None
    for n, line in enumerate(text.splitlines(), 1):
        if line == '{':
            start = n
        elif line == '}' and start:
            yield start, n - start - 1
            start = None


def main():
    top, bad = pathlib.Path(sys.argv[1]), 0
    for f in files(top):
        try:
            text = f.read_text()
        except UnicodeDecodeError:
            continue
        name = f.relative_to(top)
        for n, line in enumerate(text.splitlines(), 1):
            for what, pattern in (('unfinished', UNFINISHED),
                                  ('a path of one machine', MACHINE)):
                if pattern.search(line):
                    print(f'{name}:{n}: {what}: {line.strip()[:60]}')
                    bad += 1
        if f.suffix == '.c' and not str(name).startswith('tests/'):
            for n, length in functions(text):
                if length > LONGEST:
                    print(f'{name}:{n}: a function of {length} lines')
                    bad += 1
    sys.exit(1 if bad else 0)


main()
