/*
 * conf_schema.c -- every statement of the language, in the order in which the
 * manual and the canonical print show them.  What a row's syntax means stands
 * in conf_syntax.c.
 */
#include <string.h>

#include "bgpd/conf_tree.h"

#define V "0.1"
#define B CF_BLOCK
#define NB CF_NOT_BUILT
#define MU CF_MULTI
#define RS CF_RESETS
#define RD CF_RESTART
#define IM CF_IMPORT
#define EX CF_EXPORT
#define LIMIT \
	"[warn PERCENT] [action (warn | discard | freeze [TIME] | stop " \
	"| restart TIME)]"
#define U32 4294967295u

/* clang-format off */
const struct conf_schema conf_schema[] = {
/* path, name, syntax, min, max, default, flags, help, since */
{ "", "syntax", "UINT", 1, 1, "1", 0, "Version of the language the file is written in.", V },
{ "", "define", "NAME = VALUE", 0, 0, NULL, MU, "A value that $NAME stands for, anywhere in the file and what it includes; the order does not matter.  A value is one word, string or list.", V },
{ "", "include", "STRING", 0, 0, NULL, MU, "Reads the file, or every file that matches the pattern in the order of their names, as if it stood here.  Relative names are below the configuration directory.  A pattern that matches nothing is a warning.", V },
{ "", "global", "", 0, 0, NULL, B | CF_REQUIRED, "The speaker itself.", V },
{ "", "log", "", 0, 0, NULL, B, "What is logged, and where.", V },
{ "", "control", "", 0, 0, NULL, B, "The sockets on which ana-bgpctl asks.", V },
{ "", "http", "", 0, 0, NULL, B | NB, "Metrics, health and looking glass over HTTP.", V },
{ "", "peering-policy", "", 0, 0, NULL, B, "The guards that run before any import policy.", V },
{ "", "prefix-set", "NAME", 0, 0, NULL, B | MU | IM | EX, "A named set of prefixes.", V },
{ "", "as-set", "NAME", 0, 0, NULL, B | MU | IM, "A named set of AS numbers.", V },
{ "", "as-path-set", "NAME", 0, 0, NULL, B | MU | IM | EX, "A named set of AS path expressions.", V },
{ "", "community-set", "NAME", 0, 0, NULL, B | MU | IM | EX, "A named set of communities.", V },
{ "", "community-table", "NAME", 0, 0, NULL, B | MU | IM | EX, "What each community that a neighbor may set does: traffic engineering by the partner.  A rule's apply uses it.", V },
{ "", "filter-store", "", 0, 0, NULL, B, "Where the lists of neighbors with irr as-set are, and what all sets with lists have that do not say otherwise.", V },
{ "", "policy", "NAME", 0, 0, NULL, B | MU | IM | EX, "A named list of rules.  The first rule that matches decides; a route that no rule matches is rejected (RFC 8212).", V },
{ "", "track", "NAME", 0, 0, NULL, B | MU, "A condition that announcements may hang on.  It looks at one thing.", V },
{ "", "announcements", "", 0, 0, NULL, B, "What holds for all networks.", V },
{ "", "network", "PREFIX", 0, 0, NULL, CF_OPTBLOCK | MU | EX, "A prefix that is announced.", V },
{ "", "drain", "", 0, 0, NULL, B, "How neighbors are drained (ana-bgpctl drain).", V },
{ "", "maintenance", "", 0, 0, NULL, B, "How the appliance is taken out of service (ana-bgpctl maintenance).", V },
{ "", "fib", "", 0, 0, NULL, B, "What goes into the kernel's routing table.", V },
{ "", "rtr", "STRING", 0, 0, NULL, B | MU | NB, "An RPKI validator.", V },
{ "", "bmp", "STRING", 0, 0, NULL, B | MU | NB, "A BMP collector.", V },
{ "", "mrt", "", 0, 0, NULL, B | NB, "Dumps in MRT format.", V },
{ "", "bfd", "STRING", 0, 0, NULL, B | MU | NB, "A BFD profile.", V },
{ "", "template", "NAME", 0, 0, NULL, B | MU, "Statements for the neighbors that use it.", V },
{ "", "neighbor", "ADDRESS", 0, 0, NULL, B | MU, "A router to speak BGP with.", V },

{ "global", "as", "ASN", 0, 0, NULL, CF_REQUIRED | RS | IM, "Our AS number.", V },
{ "global", "router-id", "IPV4", 0, 0, NULL, CF_REQUIRED | RS | IM, "Our BGP identifier.", V },
{ "global", "hostname", "STRING", 0, 0, NULL, 0, "Name of the appliance, for people.", V },
{ "global", "listen", "ADDRESS [port PORT]", 0, 0, NULL, MU | RD, "Address on which partners may connect to us, port 179 or what -p says.  Without one: on every address, as soon as there is a neighbor.", V },
{ "global", "hold-time", "TIME", 0, 65535, "90s", RS, "Hold time that is offered to a neighbor; 0s (with hold-time-min 0s): no keepalives.", V },
{ "global", "hold-time-min", "TIME", 0, 65535, "9s", RS, "A neighbor that offers less is refused.", V },
{ "global", "connect-retry", "TIME", 1, 65535, "30s", 0, "Time between two attempts to connect.", V },
{ "global", "lab-mode", "documentation", 0, 0, NULL, IM, "Accepts the numbers that RFC 5398, RFC 5737 and RFC 3849 set aside for documentation, which the guards refuse otherwise.  For a laboratory only: it is shown in the first line of every summary, and is an error beside a neighbor with a public AS number.", V },
{ "global", "shutdown-reason", "STRING", 0, 0, NULL, 0, "Text for the neighbors when the speaker stops (RFC 9003), at most 255 octets.", V },
{ "global", "graceful-restart", "", 0, 0, NULL, B | RS, "Graceful restart (RFC 4724) with every neighbor that has it: both sides keep routes while the other one, or a session, is away.  Without the block, and without one in the neighbor, it is not offered.", V },
{ "global", "multipath", "UINT", 1, 256, "16", IM, "How many paths of equal cost share the load; 1: only the best.", V },

{ "global/graceful-restart", "restart-time", "TIME", 1, 4095, "120s", RS, "How long a neighbor is asked to keep our routes until we are back; also how long we wait for all neighbors after a restart before routes are selected.", V },
{ "global/graceful-restart", "stale-time", "TIME", 1, 86400, "180s", RS, "How long a neighbor's routes are kept at most once its session is gone, whatever it asks for (RFC 8538).", V },
{ "global/graceful-restart", "notification", "YESNO", 0, 0, "yes", RS, "RFC 8538: routes also outlive a session that ends with a NOTIFICATION, if that is no hard reset.", V },

{ "log", "destination", "journal | syslog | stderr | file PATH", 0, 0, NULL, 0, "Where the log goes.  Without it the journal when started by systemd, syslog in the background, else the standard error.  A file is below /var/log/ana-bgpd (with -R or -S: below the state directory) and opened anew by a reload.", V },
{ "log", "format", "text | json", 0, 0, "text", 0, "Form of a line: json is one object with stable keys.  The journal has fields instead.", V },
{ "log", "level", "error | warning | info | debug", 0, 0, "info", 0, "The least important events that are logged.", V },
{ "log", "session-events", "YESNO", 0, 0, "yes", 0, "Sessions that come and go.", V },
{ "log", "rejected-routes", "none | sample RATIO [max RATE]", 0, 0, "none", 0, "One of so many rejected routes, and never more than so many in a minute.", V },

{ "control", "socket", "PATH", 0, 0, NULL, CF_OPTBLOCK | MU | RD, "A socket.  Without any: control.sock, and restricted.sock for reading, in the run directory.", V },
{ "control/socket", "mode", "MODE", 0, 0, "0660", RD, "Its mode.", V },
{ "control/socket", "group", "NAME", 0, 0, NULL, RD, "Its group, one of /etc/group.", V },
{ "control/socket", "read-only", "YESNO", 0, 0, "no", RD, "Only what changes nothing.", V },
{ "control/socket", "max-clients", "UINT", 1, 1024, "16", RD, "How many may be connected.", V },

{ "peering-policy", "max-prefix", "UINT " LIMIT, 1, U32, "250 warn 80% action restart 30m", IM, "Limit of the prefixes received on a session, the sum of its families, rejected ones too, but not what is stale since the session before.  At the warn share a line is logged; then the action: warn only; discard what is new (the oldest stay, of one message the lowest prefixes; the next come in when there is room); freeze what is there, which is the same, for the time or until an operator says; stop until an operator says; restart after the time, which doubles with each trip.", V },
{ "peering-policy", "max-length inet", "UINT", 8, 32, "24", IM, "The longest IPv4 prefix that is accepted.", V },
{ "peering-policy", "max-length inet6", "UINT", 16, 128, "48", IM, "The longest IPv6 prefix that is accepted.", V },
{ "peering-policy", "reject default-route", "", 0, 0, "", IM, "0.0.0.0/0 and ::/0.", V },
{ "peering-policy", "reject bogon-prefixes", "", 0, 0, "", IM, "Special-purpose address space, and IPv6 outside of global unicast.", V },
{ "peering-policy", "reject own-prefixes", "", 0, 0, "", IM, "Our own prefixes and what is inside them.", V },
{ "peering-policy", "reject bogon-asns", "", 0, 0, "", IM, "AS 0, AS_TRANS, private, reserved and documentation AS numbers in the path.", V },
{ "peering-policy", "require first-as", "", 0, 0, "", IM, "The path begins with the neighbor's AS.", V },
{ "peering-policy", "reject loop", "", 0, 0, "", IM, "Our own AS in the path.", V },
{ "peering-policy", "reject as-set-in-path", "", 0, 0, "", IM, "AS_SET and AS_CONFED_SET (RFC 9774).", V },
{ "peering-policy", "reject as-path-length", "> UINT", 1, 1000, "> 32", IM, "Paths longer than this.", V },
{ "peering-policy", "require next-hop-is-peer", "", 0, 0, "", IM, "The next hop is the address of the session.", V },
{ "peering-policy", "require public-asn", "", 0, 0, "", IM, "The neighbor's AS number is a public one.", V },
{ "peering-policy", "require irr", "", 0, 0, "", IM, "The prefix is in the neighbor's set; without a loaded set nothing is imported.", V },
{ "peering-policy", "peer-lock", "as-set NAME", 0, 0, NULL, IM, "AS numbers that no neighbor may have behind it.", V },
{ "peering-policy", "reject otc", "", 0, 0, "", IM, "Leaks that the Only-to-Customer attribute shows (RFC 9234).", V },
{ "peering-policy", "rpki", "invalid reject", 0, 0, NULL, NB, "Origin validation.", V },
{ "peering-policy", "aspa", "invalid reject", 0, 0, NULL, NB, "Path validation.", V },
{ "peering-policy", "reject-community", "large LARGE-COMMUNITY", 0, 0, NULL, NB, "Community that carries the reason on rejected routes.", V },

{ "filter-store", "directory", "PATH", 0, 0, "\"filters\"", IM, "A directory below that of the configuration: AS64500.* are the lists of the neighbors of AS 64500.", V },
{ "filter-store", "max-age", "TIME", 60, U32, NULL, 0, "As in a prefix-set.", V },
{ "filter-store", "shrink-limit", "PERCENT [min UINT]", 0, 100, NULL, 0, "As in a prefix-set.", V },
{ "filter-store", "growth-limit", "PERCENT [min UINT]", 0, 1000000, NULL, 0, "As in a prefix-set.", V },
{ "filter-store", "empty", "refuse | accept", 0, 0, NULL, 0, "As in a prefix-set.", V },
{ "filter-store", "on-expire", "keep | freeze | drop", 0, 0, NULL, NB, "What becomes of a list past its max-age; it is kept, with an alarm.", V },
{ "filter-store", "sources", "{NAME}", 0, 0, NULL, NB, "Registries, in the order of their priority.", V },
{ "filter-store", "require", "signature", 0, 0, NULL, NB, "Lists must be signed.", V },
{ "filter-store", "key", "PATH", 0, 0, NULL, MU | NB, "A key that signs lists.", V },
{ "filter-store", "site", "STRING", 0, 0, NULL, NB, "The site that lists must be meant for.", V },

{ "prefix-set", "file", "PATH", 0, 0, NULL, MU, "A generated list, as bgpq4 writes it with -j, -B, -b, or one prefix a line; several add up.", V },
{ "prefix-set", "max-age", "TIME", 60, U32, NULL, 0, "Older files are told about.", V },
{ "prefix-set", "shrink-limit", "PERCENT [min UINT]", 0, 100, "30% min 10", 0, "New content of the files that has so much less than what is in force is refused, unless it is at most the minimum of prefixes.", V },
{ "prefix-set", "growth-limit", "PERCENT [min UINT]", 0, 1000000, "400% min 500", 0, "The same for more.", V },
{ "prefix-set", "empty", "refuse | accept", 0, 0, "refuse", 0, "Whether an empty list may take the place of one that is not.  An empty set imports nothing.", V },
{ "prefix-set", "origin", "{ASN}", 0, 0, NULL, MU, "AS numbers that may originate the prefixes; none written: any.", V },
{ "prefix-set", "", "PREFIX [or-longer | exact | UINT UINT]", 0, 128, NULL, MU, "A prefix, exact unless written otherwise; or with the shortest and the longest length that match inside it.", V },

{ "as-set", "", "ASN", 0, 0, NULL, MU, "An AS number.", V },
{ "community-set", "", "large LARGE-COMMUNITIES | ext EXT-COMMUNITIES | COMMUNITIES", 0, 0, NULL, MU, "A community: its well-known name (graceful-shutdown, blackhole, no-export, no-advertise, no-export-subconfed, no-peer) or AS:VALUE, or large A:B:C, or ext rt:AS:VALUE, ext soo:AS:VALUE.  A * stands for any number.", V },

{ "as-path-set", "", "REGEX", 0, 0, NULL, MU, "An expression whose letters are whole AS numbers: 64500, . for any, [64512-65534] for a range, ( | ), * + ?, ^ and $ for the ends, _ between two.  It matches anywhere unless ^ or $ say otherwise.", V },
{ "community-table", "", "(large LARGE-COMMUNITIES | ext EXT-COMMUNITIES | COMMUNITIES) (local-pref UINT | med UINT | prepend UINT | weight UINT | add COMMUNITY | reject)", 0, U32, NULL, MU, "A route with the community gets this; every line that fits is done, in their order.", V },

{ "policy", "rule", "NAME", 0, 0, NULL, B | MU | CF_ORDERED, "A rule: all its matches must hold, then what it sets is set and accept or reject decides.", V },
{ "policy/rule", "match prefix", "in NAME", 0, 0, NULL, MU, "The prefix is in the prefix-set.", V },
{ "policy/rule", "match origin-local", "", 0, 0, NULL, MU, "The route is one of our networks.", V },
{ "policy/rule", "match origin-as", "as-set NAME | ASN", 0, 0, NULL, MU, "The last AS of the path.", V },
{ "policy/rule", "match community", "in NAME | large LARGE-COMMUNITIES | ext EXT-COMMUNITIES | COMMUNITIES", 0, 0, NULL, MU, "The route has the community, or one of the community-set.  A * stands for any number.", V },
{ "policy/rule", "match as-path", "contains (as-set NAME | ASN) | in NAME | matches REGEX", 0, 0, NULL, MU, "The AS, or one of the as-set, is somewhere in the path; or one expression of the as-path-set, or this one, matches it.", V },
{ "policy/rule", "match family", "inet | inet6", 0, 0, NULL, MU, "The family of the prefix.", V },
{ "policy/rule", "match neighbor", "ADDRESS", 0, 0, NULL, MU, "The neighbor it came from, or on export the one it goes to.", V },
{ "policy/rule", "match next-hop", "ADDRESS", 0, 0, NULL, MU, "The next hop.", V },
{ "policy/rule", "match group", "STRING", 0, 0, NULL, MU, "The group of the neighbor.", V },
{ "policy/rule", "match role", "provider | rs | rs-client | customer | peer", 0, 0, NULL, MU, "The role of the neighbor.", V },
{ "policy/rule", "match med", "[= | != | < | <= | > | >=] UINT", 0, U32, NULL, MU, "The MULTI_EXIT_DISC, 0 where there is none.", V },
{ "policy/rule", "match as-path-length", "[= | != | < | <= | > | >=] UINT", 0, 1000, NULL, MU, "The length of the path.", V },
{ "policy/rule", "set local-pref", "UINT", 0, U32, NULL, 0, "LOCAL_PREF, on import.", V },
{ "policy/rule", "set med", "UINT", 0, U32, NULL, 0, "MULTI_EXIT_DISC.", V },
{ "policy/rule", "set community add", "large LARGE-COMMUNITY | ext EXT-COMMUNITY | COMMUNITY", 0, 0, NULL, MU, "Adds a community.", V },
{ "policy/rule", "set community delete", "large LARGE-COMMUNITIES | ext EXT-COMMUNITIES | COMMUNITIES", 0, 0, NULL, MU, "Takes a community away; a * stands for any number.", V },
{ "policy/rule", "set community replace", "large LARGE-COMMUNITY | ext EXT-COMMUNITY | COMMUNITY", 0, 0, NULL, MU, "Stands in place of all communities of its kind, together with the others that are so written.", V },
{ "policy/rule", "set prepend", "UINT", 1, 32, NULL, 0, "Prepends our AS (on export) or the neighbor's (on import) so many times.", V },
{ "policy/rule", "set next-hop", "self", 0, 0, NULL, 0, "Our own address as the next hop, on export.  External neighbors always get it; an internal one gets the next hop as it was received unless a rule says this, and no route of which it is the next hop itself (RFC 4271 5.1.3).", V },
{ "policy/rule", "set weight", "UINT", 0, 65535, NULL, 0, "The weight, in place of the neighbor's.", V },
{ "policy/rule", "apply", "community-table NAME", 0, 0, NULL, MU, "Does what the table has for the communities of the route.  A reject in it rejects, whatever the rule says.", V },
{ "policy/rule", "accept", "", 0, 0, NULL, 0, "Takes the route.", V },
{ "policy/rule", "reject", "", 0, 0, NULL, 0, "Refuses the route.", V },
{ "policy/rule", "continue", "", 0, 0, NULL, 0, "Sets what it sets, and goes on with the next rule.", V },

{ "network", "med", "UINT", 0, U32, NULL, EX, "MULTI_EXIT_DISC of the announcement.", V },
{ "network", "community", "large LARGE-COMMUNITY | COMMUNITY", 0, 0, NULL, MU | EX, "A community of the announcement.", V },
{ "network", "no-export", "YESNO", 0, 0, "yes", EX, "Adds NO_EXPORT: the neighbor keeps the prefix to itself.", V },
{ "network", "track", "file PATH [max-age TIME] | address ADDRESS [interface STRING] | link STRING | NAME", 0, 86400, NULL, MU, "What must hold for the prefix to be announced: a track by its name, or one written here.", V },
{ "network", "require", "all | any | UINT", 1, 1000, "all", 0, "How many of the tracks must be up.", V },
{ "network", "up-delay", "TIME", 0, 86400, "0s", 0, "How long the tracks must hold before the prefix is announced.", V },
{ "network", "down-delay", "TIME", 0, 86400, "0s", 0, "How long the tracks may fail before anything is done.", V },
{ "network", "damping", "half-life TIME [suppress UINT] [reuse UINT]", 1, 86400, NULL, 0, "Flap damping: each failure adds 1000 to a penalty, half of which is forgotten in the half-life.  From suppress (3000) on the tracks count as failing until it is below reuse (1000).", V },
{ "network", "on-fail", "withdraw | drain | prepend UINT | med UINT", 0, U32, "withdraw", 0, "What is done when the tracks fail: withdraw at once; drain: announce with GRACEFUL_SHUTDOWN (RFC 8326) for drain-time, then withdraw; or go on with our AS prepended (up to 32 times) or with another MED, as long as they fail.", V },
{ "network", "drain-time", "TIME", 0, 86400, "120s", 0, "How long a drain takes.", V },

{ "announcements", "min-healthy", "PERCENT | UINT", 1, 100, NULL, 0, "Of the networks with tracks, so many stay announced whatever their tracks say: those that failed last.  It is an alarm.  Not written: all may go.", V },

{ "track", "file", "PATH [max-age TIME]", 0, 86400, NULL, 0, "The file is there, and was touched in the last max-age.  It may be anywhere on a local disk; only its age is looked at.", V },
{ "track", "address", "ADDRESS [interface STRING]", 0, 0, NULL, 0, "The address is configured on this machine, on that interface.", V },
{ "track", "link", "STRING", 0, 0, NULL, 0, "The interface is up and has its carrier.", V },
{ "track", "lease", "TIME", 1, 86400, NULL, 0, "The service says so: \"ana-bgpctl track NAME up\", and \"track NAME refresh\" within this time, again and again.", V },
{ "track", "tcp", "ADDRESS port PORT", 0, 0, NULL, 0, "A TCP connection can be opened.  This and the two below are looked at by ana-trackd(8).", V },
{ "track", "http", "STRING", 0, 0, NULL, 0, "A GET of \"http://ADDRESS[:PORT]/PATH\" is answered.  Names are not looked up.", V },
{ "track", "exec", "NAME", 0, 0, NULL, 0, "The program of that name in ana-trackd's directory ends with status 0.", V },
{ "track", "status", "UINT", 100, 599, NULL, 0, "The answer that http wants.  Not written: any from 200 to 299.", V },
{ "track", "host", "STRING", 0, 0, NULL, 0, "The Host of the HTTP request.  Not written: the address.", V },
{ "track", "source", "ADDRESS", 0, 0, NULL, 0, "Our address of the tcp or http probe.", V },
{ "track", "interval", "TIME", 1, 3600, "5s", 0, "Time between two probes.", V },
{ "track", "timeout", "TIME", 1, 300, "2s", 0, "A probe that takes longer has failed; a program is killed.", V },
{ "track", "rise", "UINT", 1, 100, NULL, 0, "So many good results in a row make it up: 2 of a probe, else 1.", V },
{ "track", "fall", "UINT", 1, 100, NULL, 0, "So many bad results in a row make it down: 3 of a probe, else 1.", V },
{ "track", "keep", "TIME", 0, 86400, "60s", 0, "When ana-trackd is away, the last state of a probe holds for this time, and is down then.", V },

{ "drain", "prepend", "UINT", 0, 32, "0", EX, "Our AS so many times more in the path of what an external neighbor is told, for those who ignore GRACEFUL_SHUTDOWN.", V },
{ "drain", "med", "UINT", 0, U32, NULL, EX, "MULTI_EXIT_DISC of what an external neighbor is told, in place of its own.", V },
{ "drain", "time", "TIME", 0, 86400, "120s", 0, "How long a drain of a command lasts that does not say; then nothing is told any more.  0s: it stays drained.", V },

{ "maintenance", "drain-time", "TIME", 0, 86400, "60s", 0, "How long all neighbors are drained before the traffic is looked at.", V },
{ "maintenance", "traffic-below", "UINT", 0, U32, "1M", 0, "Bits a second, in both directions together, that all links to neighbors may still carry when their sessions are ended; less for 5 seconds is awaited.  0: never awaited, only the wait ends.", V },
{ "maintenance", "wait", "TIME", 0, 86400, "10m", 0, "How long the traffic is waited for at most; then the sessions are ended whatever it is.", V },
{ "maintenance", "interface", "STRING", 0, 0, NULL, MU, "A further interface whose traffic counts; those with our addresses of the sessions always do.", V },
{ "maintenance", "shutdown-reason", "STRING", 0, 0, NULL, 0, "Text for the neighbors when their sessions are ended (RFC 9003), at most 255 octets.  Not written: that of global.", V },

{ "fib", "table", "main | UINT", 1, U32, "main", RD, "The routing table; another than main needs the argument -t of ana-fibd and an ip rule.", V },
{ "fib", "protocol", "UINT", 5, 255, "179", RD, "Protocol number of our routes; must be that of ana-fibd.", V },
{ "fib", "metric", "UINT", 1, U32, "20", RD, "Metric of our routes.", V },
{ "fib", "prefer-source inet", "IPV4", 0, 0, NULL, RD, "Preferred source address of our IPv4 routes.", V },
{ "fib", "prefer-source inet6", "IPV6", 0, 0, NULL, RD, "Preferred source address of our IPv6 routes.", V },
{ "fib", "default-route", "never", 0, 0, "never", 0, "A default route is never installed.", V },
{ "fib", "max-routes", "UINT", 1, 10000000, "20000", 0, "Never more routes than this in the kernel; those that are there when it is lowered stay.", V },
{ "fib", "nexthop", "direct | recursive", 0, 0, "direct", RD, "direct: next hops must be on a link of ours; recursive: they may also be reached over one route of others (static, an IGP), never over a default route.", V },
{ "fib", "multipath-weight", "equal | link-speed", 0, 0, "equal", 0, "How equal paths share the load: all the same, or by the speeds of their links.", V },
{ "fib", "on-stop", "keep TIME | remove", 0, 86400, "keep 180s", RD, "What becomes of the kernel's routes when the speaker ends: kept for the time, so that a restart does not stop forwarding, or removed.", V },
{ "fib", "reconcile", "TIME", 5, 86400, "60s", RD, "How often the kernel's table is compared with ours.", V },

{ "neighbor", "use", "NAME", 0, 0, NULL, 0, "Takes the statements of the template.  A statement here replaces the same one of the template.", V },
{ "neighbor", "remote-as", "ASN", 0, 0, NULL, CF_REQUIRED | RS, "The neighbor's AS number.", V },
{ "neighbor", "description", "STRING", 0, 0, NULL, 0, "Its name, for people; what the show commands call it.", V },
{ "neighbor", "group", "STRING", 0, 0, NULL, IM, "A name that several neighbors share.", V },
{ "neighbor", "enabled", "YESNO", 0, 0, "yes", 0, "no: the session is down and stays so.", V },
{ "neighbor", "family", "{inet | inet6}", 0, 0, NULL, RS, "Families of the session.  Not written: that of the address.", V },
{ "neighbor", "local-address", "ADDRESS", 0, 0, NULL, RS, "Our address of the session.", V },
{ "neighbor", "next-hop peer", "ADDRESS", 0, 0, NULL, IM, "The neighbor's next hop in the family that its address is not of.", V },
{ "neighbor", "next-hop self", "ADDRESS", 0, 0, NULL, EX, "Our next hop in the family that the session's address is not of.", V },
{ "neighbor", "passive", "YESNO", 0, 0, "no", 0, "yes: wait for the neighbor to connect.", V },
{ "neighbor", "hold-time", "TIME", 0, 65535, NULL, RS, "As in global, which is the default.", V },
{ "neighbor", "hold-time-min", "TIME", 0, 65535, NULL, RS, "As in global, which is the default.", V },
{ "neighbor", "connect-retry", "TIME", 1, 65535, NULL, 0, "As in global, which is the default.", V },
{ "neighbor", "delay-open", "TIME", 1, 240, NULL, RS, "DelayOpen of RFC 4271: when connected, wait so long for the neighbor's OPEN before sending ours.  Not written: our OPEN goes at once.", V },
{ "neighbor", "graceful-restart", "", 0, 0, NULL, B | RS, "As in global; what is not written is taken from there.  \"no graceful-restart\" switches it off for this neighbor.", V },
{ "neighbor", "graceful-shutdown", "honor | ignore", 0, 0, "honor", IM, "What a route received with the community GRACEFUL_SHUTDOWN (RFC 8326) becomes: honor: the last choice, LOCAL_PREF 0, whatever the rules say; ignore: what the rules say.", V },
{ "neighbor", "extended-message", "YESNO", 0, 0, "yes", RS, "Offers messages of up to 65535 octets (RFC 8654).", V },
{ "neighbor", "extended-next-hop", "YESNO", 0, 0, "no", RS, "Offers IPv4 routes with an IPv6 next hop (RFC 8950), for a session over IPv6.  When both sides do, our IPv4 networks go with the session's own address, unless next-hop self names one.  Such routes stand in the kernel as via inet6; of equal paths those share the load whose next hop is of the best one's family.", V },
{ "neighbor", "multihop", "UINT", 2, 255, NULL, RS, "The neighbor is behind a router: TTL of what is sent to it, so that the session reaches no farther.  Its next hop is its own address, so its routes go to the kernel only with fib nexthop recursive.  Not written: TTL 255, as ttl-security wants it.", V },
{ "neighbor", "ttl-security", "UINT", 1, 254, NULL, RS, "RFC 5082: the neighbor is so many hops away, and segments from farther away are dropped; it must send TTL 255.", V },
{ "neighbor", "tcp-md5", "secret-file PATH", 0, 0, NULL, CF_SECRET, "RFC 2385: the file's first line is the key.  The file must not be accessible by others.  A new key goes onto the session, which stays; to begin or to cease to use one bounces it.", V },
{ "neighbor", "tcp-ao", "key UINT [receive-id UINT] secret-file PATH [algorithm (hmac-sha-1 | aes-128-cmac)]", 0, 255, NULL, CF_SECRET | MU, "RFC 5925: a key with its id in what we send, and in what the neighbor sends where that is another one; the file as for tcp-md5.  All keys are taken, the first is asked for: to roll over, add the new key on both sides, then write it first, then remove the old one.  The session stays.  Needs Linux 6.7; a kernel without it makes no connection to such a neighbor.", V },
{ "neighbor", "role", "(provider | rs | rs-client | customer | peer) [strict]", 0, 0, NULL, RS | IM, "Our role on the session (RFC 9234); strict: the neighbor must tell its role too.", V },
{ "neighbor", "require capability", "{as4 | refresh | enhanced-refresh | role | graceful-restart | extended-message | extended-next-hop | inet | inet6}", 0, 0, NULL, RS, "A neighbor without these is refused, with a sentence that names all that it lacks.", V },
{ "neighbor", "weight", "UINT", 0, 65535, "0", IM, "The higher wins, before all that the decision looks at else; it is told to nobody.", V },
{ "neighbor", "irr", "prefix-set NAME | as-set NAME", 0, 0, NULL, IM, "The set of the prefixes that it may announce.", V },
{ "neighbor", "allow", "prefix-set NAME", 0, 0, NULL, MU | IM, "Prefixes that the guard bogon-prefixes lets through for this neighbor.", V },
{ "neighbor", "import", "policy NAME", 0, 0, NULL, IM, "Rules for what it announces.  Without one nothing is imported (RFC 8212).", V },
{ "neighbor", "export", "policy NAME | none", 0, 0, NULL, EX, "Rules for what is announced to it.  Without one nothing is.", V },
{ "neighbor", "max-prefix", "UINT " LIMIT, 1, U32, NULL, IM, "Received prefixes, the sum of the families.  Parts that are not written are those of the template, then of the peering-policy.", V },
{ "neighbor", "max-prefix inet", "UINT " LIMIT, 1, U32, NULL, IM, "Received IPv4 prefixes.", V },
{ "neighbor", "max-prefix inet6", "UINT " LIMIT, 1, U32, NULL, IM, "Received IPv6 prefixes.", V },
{ "neighbor", "max-prefix accepted", "UINT " LIMIT, 1, U32, NULL, IM, "Accepted prefixes, the sum of the families.  Parts that are not written are those of max-prefix; so with the two below.", V },
{ "neighbor", "max-prefix accepted inet", "UINT " LIMIT, 1, U32, NULL, IM, "Accepted IPv4 prefixes.", V },
{ "neighbor", "max-prefix accepted inet6", "UINT " LIMIT, 1, U32, NULL, IM, "Accepted IPv6 prefixes.", V },
{ "neighbor", "send-max-prefix", "UINT", 1, U32, "64", EX, "Never more prefixes than this are announced to it, the families together; the rest is withheld and counted.", V },
{ "neighbor", "fib", "YESNO", 0, 0, "yes", IM, "no: its routes are kept and shown, and never go to the kernel.", V },
{ "neighbor", "bfd", "STRING", 0, 0, NULL, NB, "BFD profile.", V },
{ "neighbor", "no", "[reject | require] WORD [STRING]", 0, 0, NULL, MU | IM | EX, "Switches a guard off for this neighbor, or takes a statement of the template away; the text says why.", V },

{ "neighbor/graceful-restart", "restart-time", "TIME", 1, 4095, NULL, RS, "As in global.", V },
{ "neighbor/graceful-restart", "stale-time", "TIME", 1, 86400, NULL, RS, "As in global.", V },
{ "neighbor/graceful-restart", "notification", "YESNO", 0, 0, NULL, RS, "As in global.", V },
};
/* clang-format on */
const size_t conf_schema_n = sizeof(conf_schema) / sizeof(conf_schema[0]);

/* How many words of the node the row's name takes; 0: not this row. */
static size_t
name_match(const char *name, const struct conf_node *n)
{
	const char *end;
	size_t i = 0, len;

	for (;; name = end + 1) {
		end = strchrnul(name, ' ');
		len = end - name;
		if (i >= n->nword || n->word[i].kind == WORD_LIST ||
		    strlen(n->word[i].text) != len ||
		    memcmp(n->word[i].text, name, len) != 0)
			return 0;
		i++;
		if (*end == '\0')
			return i;
	}
}

struct conf_rows
conf_schema_rows(const char *path)
{
	struct conf_rows r = { 0 };

	while (r.from < conf_schema_n &&
	    strcmp(conf_schema[r.from].path, path) != 0)
		r.from++;
	r.to = r.from;
	while (
	    r.to < conf_schema_n && strcmp(conf_schema[r.to].path, path) == 0)
		r.to++;
	return r;
}

const struct conf_schema *
conf_schema_find(
    struct conf_rows rows, const struct conf_node *n, size_t *nname)
{
	const struct conf_schema *found = NULL, *any = NULL;
	size_t i, len;

	*nname = 0;
	for (i = rows.from; i < rows.to; i++) {
		if (conf_schema[i].name[0] == '\0') {
			any = &conf_schema[i];
			continue;
		}
		len = name_match(conf_schema[i].name, n);
		if (len > *nname) {
			*nname = len;
			found = &conf_schema[i];
		}
	}
	if (found == NULL && any != NULL &&
	    !conf_schema_starts(rows, conf_word_text(n, 0)))
		return any;
	return found;
}

/* Length of the first word of a name. */
static size_t
first_len(const char *name)
{
	return strchrnul(name, ' ') - name;
}

bool
conf_schema_starts(struct conf_rows rows, const char *word)
{
	size_t i, len = strlen(word);

	for (i = rows.from; i < rows.to; i++)
		if (len > 0 && first_len(conf_schema[i].name) == len &&
		    memcmp(conf_schema[i].name, word, len) == 0)
			return true;
	return false;
}

static unsigned int
min3(unsigned int a, unsigned int b, unsigned int c)
{
	return a < b ? (a < c ? a : c) : (b < c ? b : c);
}

/* Optimal string alignment distance: a swap of neighbours costs one. */
unsigned int
conf_distance(const char *a, const char *b)
{
	enum {
		MAX = 40
	};
	unsigned int d[3][MAX + 1];
	size_t la = strlen(a), lb = strlen(b), i, j;

	if (la > MAX || lb > MAX || la > lb + 2 || lb > la + 2)
		return 3;
	for (j = 0; j <= lb; j++)
		d[0][j] = (unsigned int)j;
	for (i = 1; i <= la; i++) {
		unsigned int *row = d[i % 3], *up = d[(i + 2) % 3];
		unsigned int *up2 = d[(i + 1) % 3];

		row[0] = (unsigned int)i;
		for (j = 1; j <= lb; j++) {
			row[j] = min3(up[j] + 1, row[j - 1] + 1,
			    up[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && up2[j - 2] + 1 < row[j])
				row[j] = up2[j - 2] + 1;
		}
	}
	return d[la % 3][lb] > 3 ? 3 : d[la % 3][lb];
}

/* The distance of the node's leading words from the row's name. */
static unsigned int
name_distance(const char *name, const struct conf_node *n)
{
	unsigned int sum = 0, d;
	const char *end;
	char word[41];
	size_t i, len;

	for (i = 0;; i++, name = end + 1) {
		end = strchrnul(name, ' ');
		len = end - name;
		if (len >= sizeof(word))
			return 3;
		memcpy(word, name, len);
		word[len] = '\0';
		d = conf_distance(conf_word_text(n, i), word);
		/* A short word resembles everything. */
		if (d > 0 && d >= strlen(conf_word_text(n, i)))
			return 3;
		sum += d;
		if (*end == '\0' || sum > 2)
			return sum > 2 ? 3 : sum;
	}
}

const struct conf_schema *
conf_schema_guess(const char *path, const struct conf_node *n)
{
	const struct conf_schema *found = NULL;
	unsigned int best = 3, d;
	size_t i;

	for (i = 0; i < conf_schema_n; i++) {
		if (strcmp(conf_schema[i].path, path) != 0 ||
		    conf_schema[i].name[0] == '\0')
			continue;
		d = name_distance(conf_schema[i].name, n);
		if (d < best) {
			best = d;
			found = &conf_schema[i];
		}
	}
	return found;
}

const struct conf_schema *
conf_schema_row(const char *path, const char *name)
{
	size_t i;

	for (i = 0; i < conf_schema_n; i++)
		if (strcmp(conf_schema[i].path, path) == 0 &&
		    strcmp(conf_schema[i].name, name) == 0)
			return &conf_schema[i];
	return NULL;
}
