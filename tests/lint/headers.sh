#!/bin/sh
# headers.sh TOP: each header compiles alone.
cd "$1" || exit 1
flags=$(pkg-config --cflags libbsd-overlay) || exit 1
bad=0
for h in $(find lib bgpd rib policy platform bgpctl -name '*.h'); do
	# Word splitting of the flags is meant.
	# shellcheck disable=SC2086
	${CC:-cc} -std=gnu11 -D_GNU_SOURCE -fsyntax-only -Wall -I. $flags \
	    -x c -include "$h" /dev/null || bad=1
done
exit $bad
