#!/bin/sh
# format.sh TOP: our C files are as clang-format writes them.
cd "$1" || exit 1
command -v clang-format >/dev/null || {
	echo "clang-format is not installed"
	exit 1
}
find lib bgpd rib policy platform bgpctl tests -name '*.[ch]' -print0 |
	xargs -0 -r clang-format --dry-run -Werror
