"""tally.py NAME SECONDS JUNIT-FILE...: first line "PASSED FAILED", then text."""
import sys
import xml.etree.ElementTree as ET


def main():
    name, seconds, *paths = sys.argv[1:]
    passed, bad, skipped = 0, [], {}
    for case in (c for p in paths for c in ET.parse(p).iter('testcase')):
        title = '%s %s' % (case.get('classname', ''), case.get('name', ''))
        skip = case.find('skipped')
        trouble = [e for e in (case.find('failure'), case.find('error'))
                   if e is not None]
        if trouble:
            bad.append((title.strip(), trouble[0].get('message') or ''))
        elif skip is not None:
            why = skip.get('message') or 'skipped'
            skipped[why] = skipped.get(why, 0) + 1
        else:
            passed += 1
    print(passed, len(bad))
    for title, why in bad:
        print('  FAILED %s: %s' % (title, why.splitlines()[0] if why else ''))
    for why, n in skipped.items():
        print('  %d skipped: %s' % (n, why))
    print('%s: %d passed, %d failed (%s s)' % (name, passed, len(bad),
                                               seconds))


main()
