/*
 * completion.c -- one function for both shells: it walks the words typed so
 * far along a list of all commands, in which each line is a command's path,
 * a colon, and its optional words.  NEIGHBOR is asked from the daemon.
 */
#include "bgpctl/completion.h"

#include <stdio.h>

static void
put_command(const struct cmd *c)
{
	struct cmd_word w;
	bool colon = false;

	for (size_t i = 0; cmd_word_at(c, i, &w); i++) {
		if (w.optional && !colon)
			printf("%s:", i > 0 ? " " : "");
		colon |= w.optional;
		printf("%s%.*s", i > 0 ? " " : "", (int)w.len, w.word);
		/* A word and its value are two words. */
		if (w.optional && w.value != NULL && w.word != w.value)
			printf("=%s", w.value);
	}
	printf("\n");
}

static const char head[] =
    "# Completion of ana-bgpctl, made by: ana-bgpctl completion %s\n"
    "_ana_bgpctl_table='";

static const char walk[] =
    "'\n"
    "\n"
    "_ana_bgpctl_names() {\n"
    "\tana-bgpctl -t 2 -n show summary terse 2>/dev/null |\n"
    "\t\tsed 's/ .*//'\n"
    "\tana-bgpctl -t 2 show summary terse 2>/dev/null |\n"
    "\t\tsed 's/ [0-9]* [A-Za-z]*$//' | grep -v ' '\n"
    "}\n"
    "\n"
    "# Words that may follow those given, one a line.\n"
    "_ana_bgpctl_next() {\n"
    "\tprintf '%s' \"$_ana_bgpctl_table\" | awk -v typed=\"$*\" '\n"
    "\tBEGIN { n = split(typed, t, \" \") }\n"
    "\tfunction fits(word, want) {\n"
    "\t\treturn want ~ /^[A-Z]/ || index(want, word) == 1\n"
    "\t}\n"
    "\t{\n"
    "\t\tcolon = NF + 1\n"
    "\t\tfor (i = 1; i <= NF; i++) if ($i == \":\") { colon = i; break }\n"
    "\t\tpath = colon - 1\n"
    "\t\tfor (i = 1; i <= n && i <= path; i++)\n"
    "\t\t\tif (!fits(t[i], $i)) next\n"
    "\t\tif (n < path) { print $(n + 1); next }\n"
    "\t\tlast = n > path ? t[n] : \"\"\n"
    "\t\tfor (i = colon + 1; i <= NF; i++) {\n"
    "\t\t\tsplit($i, a, \"=\")\n"
    "\t\t\tif (a[2] != \"\" && a[1] == last) { print a[2]; next }\n"
    "\t\t}\n"
    "\t\tfor (i = colon + 1; i <= NF; i++) {\n"
    "\t\t\tsplit($i, a, \"=\"); print a[1]\n"
    "\t\t}\n"
    "\t}' | sort -u | while read -r word; do\n"
    "\t\tcase $word in\n"
    "\t\tNEIGHBOR) _ana_bgpctl_names ;;\n"
    "\t\tLEVEL) printf '%s\\n' error warning info debug ;;\n"
    "\t\t[A-Z]*) ;;\n"
    "\t\t*) printf '%s\\n' \"$word\" ;;\n"
    "\t\tesac\n"
    "\tdone\n"
    "}\n"
    "\n";

/*
 * The shell cuts words at a colon, and so an IPv6 address in pieces: the line
 * is cut here at blanks, and of a word only what is behind its last colon is
 * given back.  Not by compgen -W, which would run what a name has in $().
 */
static const char bash[] =
    "_ana_bgpctl() {\n"
    "\tlocal line=${COMP_LINE:0:COMP_POINT} cur='' cut='' i word typed\n"
    "\tlocal all=() words=()\n"
    "\tread -ra all <<<\"$line\"\n"
    "\tif [[ $line != *[[:blank:]] ]]; then\n"
    "\t\tcur=${all[-1]}\n"
    "\t\tunset 'all[-1]'\n"
    "\tfi\n"
    "\tfor ((i = 1; i < ${#all[@]}; i++)); do\n"
    "\t\tcase ${all[i]} in\n"
    "\t\t-s | -t) [ ${#words[@]} -gt 0 ] || i=$((i + 1)) ;;\n"
    "\t\t-*) ;;\n"
    "\t\t*) words+=(\"${all[i]}\") ;;\n"
    "\t\tesac\n"
    "\tdone\n"
    "\t[[ $COMP_WORDBREAKS != *:* ]] || cut=${cur%\"${cur##*:}\"}\n"
    "\tCOMPREPLY=()\n"
    "\twhile IFS= read -r word; do\n"
    "\t\tprintf -v typed %q \"$word\"\n"
    "\t\t[[ $word != \"$cur\"* && $typed != \"$cur\"* ]] ||\n"
    "\t\t\tCOMPREPLY+=(\"${typed#\"$cut\"}\")\n"
    "\tdone < <(_ana_bgpctl_next \"${words[@]}\")\n"
    "}\n"
    "complete -o default -F _ana_bgpctl ana-bgpctl\n";

static const char zsh[] =
    "_ana_bgpctl() {\n"
    "\tlocal -a typed next\n"
    "\ttyped=(${words[2,CURRENT-1]})\n"
    "\twhile [[ $typed[1] == -* ]]; do\n"
    "\t\t[[ $typed[1] == -[st] ]] && typed=($typed[2,-1])\n"
    "\t\ttyped=($typed[2,-1])\n"
    "\tdone\n"
    "\ttyped=(${typed:#-*})\n"
    "\tnext=(${(f)\"$(_ana_bgpctl_next $typed)\"})\n"
    "\tcompadd -a next\n"
    "}\n"
    "# Loaded as a function by its file's name, or sourced.\n"
    "if [[ $funcstack[1] == _ana-bgpctl ]]; then\n"
    "\t_ana_bgpctl\n"
    "else\n"
    "\tcompdef _ana_bgpctl ana-bgpctl\n"
    "fi\n";

bool
completion(const struct cmd_req *r)
{
	const struct cmd *c;

	if (!r->bash && !r->zsh) {
		fprintf(stderr,
		    "ana-bgpctl: which shell? completion bash, or "
		    "completion zsh\n");
		return false;
	}
	if (r->zsh)
		printf("#compdef ana-bgpctl\n");
	printf(head, r->bash ? "bash" : "zsh");
	for (size_t i = 0; (c = cmd_at(i)) != NULL; i++)
		put_command(c);
	fputs(walk, stdout);
	fputs(r->bash ? bash : zsh, stdout);
	return true;
}
