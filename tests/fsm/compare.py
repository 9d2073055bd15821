#!/usr/bin/env python3
"""compare.py FSM_PRINT RFC4271.TSV: the table against the RFC's transcript.

Actions are compared as sets (the order is that of the bits, not of a
paragraph); the transcript must hold each of the 180 cells exactly once.
"""
import subprocess
import sys

STATES = ['Idle', 'Connect', 'Active', 'OpenSent', 'OpenConfirm',
          'Established']


def cells(lines):
    table = {}
    for n, line in enumerate(lines, 1):
        if line.startswith('#') or not line.strip():
            continue
        col = line.rstrip('\n').split('\t')
        if len(col) < 5:
            sys.exit(f'line {n}: {len(col)} columns')
        key = (col[0], int(col[1]))
        if key in table:
            sys.exit(f'line {n}: {key} a second time')
        acts = col[3].split(' ')
        if len(acts) != len(set(acts)):
            sys.exit(f'line {n}: an action twice')
        table[key] = (col[2], ' '.join(sorted(acts)), col[4])
    return table


def main():
    ours = cells(subprocess.run([sys.argv[1]], check=True, text=True,
                                stdout=subprocess.PIPE).stdout.splitlines())
    with open(sys.argv[2], encoding='utf-8') as f:
        rfc = cells(f)
    bad = 0
    for key in [(s, e) for s in STATES for e in range(1, 31)]:
        if key not in rfc:
            sys.exit(f'{key}: not in the transcript')
        if ours.get(key) != rfc[key]:
            bad += 1
            print(f'{key[0]}, event {key[1]}:')
            print('\t-rfc  ', *rfc[key], sep='\t')
            print('\t+table', *ours.get(key, ('no cell',)), sep='\t')
    if len(ours) != len(rfc):
        sys.exit('cells beyond the 180')
    print(f'{len(rfc)} cells, {bad} differ')
    sys.exit(bad != 0)


main()
