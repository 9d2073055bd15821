#!/usr/bin/env python3
"""includes.py TOP: only the include edges below are there.

The first row whose pattern fits a file decides what it may include of ours;
HEADERS says which files may include a library's headers, CALLS which may use
a function that belongs to one place.
"""
import fnmatch
import pathlib
import re
import sys

EDGES = [
    ('lib/*', ['lib/*']),
    ('bgpd/wire/*', ['lib/*', 'bgpd/wire/*']),
    ('bgpd/fsm/*', ['lib/*', 'bgpd/wire/wire.h', 'bgpd/fsm/*']),
    ('bgpd/announce/*', ['lib/*', 'bgpd/announce/*']),
    ('rib/*', ['lib/*', 'bgpd/wire/wire.h', 'rib/*']),
    ('policy/*', ['lib/*', 'bgpd/wire/wire.h', 'rib/attrs.h', 'policy/*']),
    ('platform/fibd/*', ['lib/*', 'platform/fibd_proto.h',
                         'platform/helper.h', 'platform/notify.h',
                         'platform/filter.h', 'fibd_filter.h',
                         'platform/fibd/*']),
    ('platform/trackd/*', ['lib/*', 'platform/trackd_proto.h',
                           'platform/helper.h', 'platform/notify.h',
                           'platform/filter.h', 'trackd_filter.h',
                           'platform/trackd/*']),
    ('platform/*', ['lib/*', 'platform/*.h', '!platform/fibd/*',
                    '!platform/trackd/*']),
    ('bgpctl/*', ['lib/*', 'bgpctl/*']),
    # parse.h is made of bgpd/parse.y, the others by the build.
    ('bgpd/*', ['lib/*', 'bgpd/*', 'parse.h', 'revision.h', 'bgpd_filter.h',
                '!bgpd/wire/codec.h', '!bgpd/fsm/fsm_table.h', 'rib/*', 'policy/*', 'platform/*',
                '!platform/fibd/*', '!platform/trackd/*']),
    ('tests/*', ['*']),
]

HEADERS = [
    ('event2/*', ['bgpd/ev.c', 'platform/trackd/*']),
    ('netlink/*', ['platform/fibd/nl*']),
    ('sha2.h', ['bgpd/conf_digest.c']),
    ('seccomp.h', ['platform/filter.h']),
    ('cap-ng.h', ['bgpd/*', '!bgpd/*/*', 'platform/fibd/*',
                  'platform/trackd/*']),
    ('linux/landlock.h', ['bgpd/sandbox.c']),
    ('jansson.h', ['policy/pfxfile.c']),
]

CALLS = [
    # Of TCP in one place; the others have sockets of their own kind.
    ('setsockopt', ['platform/sock.c', 'platform/fib_client.c',
                    'platform/fibd/*']),
    ('clock_gettime', ['platform/clock.c', 'platform/fibd/fibd.c',
                       'bgpctl/*']),
    ('gettimeofday', []),
    ('getenv', ['bgpctl/*', 'bgpd/main.c', 'platform/notify.c']),
    ('system', []), ('popen', []), ('strcpy', []), ('strcat', []),
    ('sprintf', []), ('gets', []),
]


def fits(path, patterns):
    yes = False
    for p in patterns:
        if p.startswith('!'):
            if fnmatch.fnmatch(path, p[1:]):
                yes = False
        elif fnmatch.fnmatch(path, p):
            yes = True
    return yes


def check(path, text):
    for pattern, may in EDGES:
        if fnmatch.fnmatch(path, pattern):
            break
    else:
        yield 1, f'no row for {path} in tests/lint/includes.py'
        return
    bare = re.sub(r'/\*.*?\*/', lambda m: re.sub(r'[^\n]', ' ', m[0]), text,
                  flags=re.S)
    for n, line in enumerate(bare.splitlines(), 1):
        m = re.match(r'\s*#\s*include\s+(["<])([^">]+)[">]', line)
        if m and m[1] == '"' and not fits(m[2], may):
            yield n, f'"{m[2]}" must not be included here'
        if m and m[1] == '<':
            for header, where in HEADERS:
                if fnmatch.fnmatch(m[2], header) and \
                        not path.startswith('tests/') and \
                        not fits(path, where):
                    yield n, f'<{m[2]}> must not be included here'
        code = re.sub(r'"(\\.|[^"\\])*"', '""', line)
        for call, where in CALLS:
            if re.search(r'(?<![\w.>])' + call + r'\s*\(', code) and \
                    not path.startswith('tests/') and not fits(path, where):
                yield n, f'{call}() must not be called here'


def main():
    top, bad, files = pathlib.Path(sys.argv[1]), 0, 0
    for d in ('lib', 'bgpd', 'rib', 'policy', 'platform', 'bgpctl', 'tests'):
        for f in sorted((top / d).rglob('*')):
            if f.suffix not in ('.c', '.h', '.y', '.l'):
                continue
            files += 1
            name = str(f.relative_to(top))
            for line, what in check(name, f.read_text()):
                print(f'{name}:{line}: {what}')
                bad += 1
    if not files:
        sys.exit(f'no source file below {top}')
    sys.exit(1 if bad else 0)


main()
