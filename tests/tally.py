"""tally.py NAME JUNIT-FILE SECONDS: first line "PASSED FAILED", then text."""
import sys
import xml.etree.ElementTree as ET


def main():
    name, path, seconds = sys.argv[1:]
    passed, bad, skipped = 0, [], {}
    for case in ET.parse(path).getroot().iter('testcase'):
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
