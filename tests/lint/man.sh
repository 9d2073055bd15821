#!/bin/sh
# man.sh TOP: mandoc has nothing to say about the manual pages.
cd "$1" || exit 1
set -- man/*.[1-9]
[ -e "$1" ] || {
	echo "no manual page"
	exit 77
}
# Unknown references to other pages are those that are not installed.
out=$(mandoc -T lint -W warning "$@")
[ -z "$out" ] || {
	echo "$out"
	exit 1
}
