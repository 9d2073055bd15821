#!/usr/bin/env python3
"""purity.py LIBRARY...: the pure folders call nothing but what is named here.

No descriptor, clock, log, environment, errno of the system, mutable static:
shown by the undefined symbols of the static libraries, and by their writable
sections (not where a sanitizer puts its own data there).
"""
import fnmatch
import re
import subprocess
import sys

ALLOWED = '''
memcpy memmove memset memcmp memchr memmem explicit_bzero
strlen strnlen strcmp strncmp strchr strrchr strstr strspn strcspn strpbrk
strcasecmp strncasecmp strlcpy strlcat strdup strndup strsep strtok_r stpcpy
strtol strtoul strtoll strtoull strtonum __isoc99_strtol* __isoc23_*
snprintf vsnprintf asprintf vasprintf sscanf __isoc99_sscanf
malloc calloc realloc aligned_alloc reallocarray recallocarray free abort
bsearch qsort __ctype_b_loc __ctype_tolower_loc __ctype_toupper_loc
isdigit isalnum isxdigit isspace isprint tolower toupper
inet_ntop inet_pton
__errno_location __stack_chk_fail __assert_fail
__mem*_chk __str*_chk __stp*_chk __*snprintf_chk __*asprintf_chk
__explicit_bzero_chk
_GLOBAL_OFFSET_TABLE_ _Unwind_Resume
__asan_* __ubsan_* __sanitizer_* __sancov_* __sanitizer_cov_*
json_* jsonp_*
'''.split()
# The one thing of a pure folder that ends the process: out of memory.
ONLY_IN = {'stderr': ['mem.c'], 'fputs': ['mem.c'], 'fprintf': ['mem.c'],
           '__fprintf_chk': ['mem.c'], 'fwrite': ['mem.c'],
           'json_*': ['pfxfile.c']}


def nm(library):
    """[(member, kind, symbol)]"""
    member, out = '', []
    for line in subprocess.run(['nm', '--format=posix', library],
                               check=True, text=True,
                               stdout=subprocess.PIPE).stdout.splitlines():
        m = re.match(r'.*\[(.*)\]:$', line)
        if m:
            member = m[1]
            continue
        words = line.split()
        if len(words) >= 2:
            out.append((member, words[1], words[0]))
    return out


def writable(library):
    """Members with data that the program can change."""
    member = ''
    for line in subprocess.run(['objdump', '-h', library], check=True,
                               text=True, stdout=subprocess.PIPE
                               ).stdout.splitlines():
        m = re.match(r'^(\S+):\s+file format', line)
        if m:
            member = m[1]
        m = re.match(r'^\s*\d+\s+(\S+)\s+([0-9a-f]+)\s', line)
        if m and re.match(r'\.(t?data|t?bss)(\.(?!rel\.ro)|$)', m[1]) and \
                int(m[2], 16):
            yield member, m[1]


def source(member):
    """lib_mem.c.o -> mem.c"""
    return re.sub(r'\.o$', '', member).split('_', 1)[-1]


def main():
    libraries, bad = sys.argv[1:], 0
    symbols = [(lib, *s) for lib in libraries for s in nm(lib)]
    ours = {name for _, _, kind, name in symbols if kind in 'TDRBV'}
    instrumented = any(n.startswith(('__asan_', '__ubsan_', '__sancov'))
                       for _, _, _, n in symbols)
    for lib, member, kind, name in symbols:
        if kind != 'U' or name in ours:
            continue
        ok = any(fnmatch.fnmatchcase(name, a) for a in ALLOWED)
        for pattern, where in ONLY_IN.items():
            if fnmatch.fnmatchcase(name, pattern):
                ok = any(member.endswith(w + '.o') for w in where)
        if not ok:
            print(f'{source(member)}: calls {name}: not pure')
            bad += 1
    if not instrumented:
        for lib in libraries:
            for member, section in writable(lib):
                print(f'{source(member)}: has data that can change '
                      f'({section}): not pure')
                bad += 1
    if not symbols:
        sys.exit('no symbols: nothing was checked')
    sys.exit(1 if bad else 0)


main()
