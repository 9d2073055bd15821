/*
 * cap.c -- capabilities (RFC 5492): one row each.  A known one of the wrong
 * length is ignored and counted, an unknown one only counted (errors.md).
 */
#include "bgpd/wire/codec.h"

enum {
	SAFI_UNICAST = 1,
	GR_RESTART = 0x8000,
	GR_NOTIFICATION = 0x4000,
	GR_TIME = 0x0fff,
	GR_FORWARDING = 0x80
};

/* The parsers see a length that passed; false: wrong all the same. */
struct cap_spec {
	const char *name;
	uint8_t min, max, unit; /* length: min, min + unit, ... max */
	bool (*parse)(struct cur *, struct wire_caps *);
};

enum fam
fam_of(uint16_t afi, uint8_t safi)
{
	if (safi != SAFI_UNICAST || afi == FAM_NONE || afi >= FAM_N)
		return FAM_NONE;
	return (enum fam)afi;
}

/* RFC 4760 8 */
static bool
parse_mp(struct cur *c, struct wire_caps *k)
{
	uint16_t afi;
	uint8_t zero, safi;
	enum fam f;

	if (!cur_u16(c, &afi) || !cur_u8(c, &zero) || !cur_u8(c, &safi))
		return false;
	k->mp_there = true;
	f = fam_of(afi, safi);
	if (f != FAM_NONE)
		k->mp[f] = true;
	return true;
}

static bool
parse_refresh(struct cur *c, struct wire_caps *k)
{
	k->refresh = true;
	return true;
}

/* RFC 8950 4 */
static bool
parse_ext_nexthop(struct cur *c, struct wire_caps *k)
{
	uint16_t afi, safi, nh;

	while (cur_u16(c, &afi) && cur_u16(c, &safi) && cur_u16(c, &nh))
		if (afi == FAM_INET && safi == SAFI_UNICAST && nh == FAM_INET6)
			k->ext_nexthop = true;
	return true;
}

static bool
parse_ext_msg(struct cur *c, struct wire_caps *k)
{
	k->ext_msg = true;
	return true;
}

/* RFC 9234 4.2: the same role twice is one, two roles are a conflict. */
static bool
parse_role(struct cur *c, struct wire_caps *k)
{
	uint8_t role;

	if (!cur_u8(c, &role))
		return false;
	if (!k->role_there)
		k->role = role;
	else if (k->role != role)
		k->role_conflict = true;
	k->role_there = true;
	return true;
}

/* RFC 4724 3: of several the last counts. */
static bool
parse_gr(struct cur *c, struct wire_caps *k)
{
	uint16_t v, afi;
	uint8_t safi, flags;

	if (!cur_u16(c, &v))
		return false;
	k->gr = true;
	k->gr_restart = v & GR_RESTART;
	k->gr_notification = v & GR_NOTIFICATION;
	k->gr_time_s = v & GR_TIME;
	for (enum fam f = FAM_INET; f < FAM_N; f++)
		k->gr_fam[f] = k->gr_fwd[f] = false;
	while (cur_u16(c, &afi) && cur_u8(c, &safi) && cur_u8(c, &flags)) {
		enum fam f = fam_of(afi, safi);

		if (f == FAM_NONE)
			continue;
		k->gr_fam[f] = true;
		k->gr_fwd[f] = flags & GR_FORWARDING;
	}
	return true;
}

static bool
parse_as4(struct cur *c, struct wire_caps *k)
{
	uint32_t as;

	if (!cur_u32(c, &as))
		return false;
	if (!k->as4)
		k->as4_as = as;
	k->as4 = true;
	return true;
}

/* RFC 7911: not offered by us, so what the peer can does not matter. */
static bool
parse_addpath(struct cur *c, struct wire_caps *k)
{
	return true;
}

static bool
parse_enhanced_refresh(struct cur *c, struct wire_caps *k)
{
	k->enhanced_refresh = true;
	return true;
}

/* clang-format off */
static const struct cap_spec cap_spec[256] = {
	[CAP_MP]		= { "multiprotocol",		4,   4, 1, parse_mp },
	[CAP_REFRESH]		= { "route refresh",		0,   0, 1, parse_refresh },
	[3]			= { "outbound route filter",	0, 255, 1, NULL },
	[CAP_EXT_NEXTHOP]	= { "extended next hop",	0, 252, 6, parse_ext_nexthop },
	[CAP_EXT_MSG]		= { "extended message",		0,   0, 1, parse_ext_msg },
	[7]			= { "BGPsec",			0, 255, 1, NULL },
	[8]			= { "multiple labels",		0, 255, 1, NULL },
	[CAP_ROLE]		= { "role",			1,   1, 1, parse_role },
	[CAP_GR]		= { "graceful restart",		2, 254, 4, parse_gr },
	[CAP_AS4]		= { "4-octet AS number",	4,   4, 1, parse_as4 },
	[67]			= { "dynamic capability",	0, 255, 1, NULL },
	[68]			= { "multisession",		0, 255, 1, NULL },
	[CAP_ADDPATH]		= { "add-path",			4, 252, 4, parse_addpath },
	[CAP_ENHANCED_REFRESH]	= { "enhanced route refresh",	0,   0, 1, parse_enhanced_refresh },
	[71]			= { "long-lived graceful restart", 0, 255, 1, NULL },
	[73]			= { "host name",		0, 255, 1, NULL },
	[75]			= { "software version",		0, 255, 1, NULL },
	[76]			= { "paths limit",		0, 255, 1, NULL },
	[128]			= { "route refresh (old)",	0, 255, 1, NULL },
};
/* clang-format on */

void
cap_parse(uint8_t code, struct cur *val, struct wire_caps *k)
{
	const struct cap_spec *s = &cap_spec[code];
	size_t n = cur_left(val);

	k->any = true;
	if (s->parse == NULL) {
		if (k->unknown < UINT8_MAX)
			k->unknown++;
	} else if (n < s->min || n > s->max || (n - s->min) % s->unit != 0 ||
	    !s->parse(val, k))
		k->bad++;
}

static void
put_flag(struct wbuf *w, bool on, uint8_t code)
{
	if (!on)
		return;
	wbuf_u8(w, code);
	wbuf_u8(w, 0);
}

static void
put_gr(struct wbuf *w, const struct wire_caps *k)
{
	size_t len;
	unsigned int v = k->gr_time_s & GR_TIME;

	if (k->gr_restart)
		v |= GR_RESTART;
	if (k->gr_notification)
		v |= GR_NOTIFICATION;
	wbuf_u8(w, CAP_GR);
	len = wbuf_len8(w);
	wbuf_u16(w, (uint16_t)v);
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		if (!k->gr_fam[f])
			continue;
		wbuf_u16(w, (uint16_t)f);
		wbuf_u8(w, SAFI_UNICAST);
		wbuf_u8(w, k->gr_fwd[f] ? GR_FORWARDING : 0);
	}
	wbuf_end8(w, len);
}

void
wire_caps_write(struct wbuf *w, const struct wire_caps *k)
{
	for (enum fam f = FAM_INET; f < FAM_N; f++) {
		if (!k->mp[f])
			continue;
		wbuf_u8(w, CAP_MP);
		wbuf_u8(w, 4);
		wbuf_u16(w, (uint16_t)f);
		wbuf_u8(w, 0);
		wbuf_u8(w, SAFI_UNICAST);
	}
	put_flag(w, k->refresh, CAP_REFRESH);
	if (k->ext_nexthop) {
		wbuf_u8(w, CAP_EXT_NEXTHOP);
		wbuf_u8(w, 6);
		wbuf_u16(w, FAM_INET);
		wbuf_u16(w, SAFI_UNICAST);
		wbuf_u16(w, FAM_INET6);
	}
	put_flag(w, k->ext_msg, CAP_EXT_MSG);
	if (k->role_there) {
		wbuf_u8(w, CAP_ROLE);
		wbuf_u8(w, 1);
		wbuf_u8(w, k->role);
	}
	if (k->gr)
		put_gr(w, k);
	if (k->as4) {
		wbuf_u8(w, CAP_AS4);
		wbuf_u8(w, 4);
		wbuf_u32(w, k->as4_as);
	}
	put_flag(w, k->enhanced_refresh, CAP_ENHANCED_REFRESH);
}

const char *
wire_cap_name(unsigned int code)
{
	return code < 256 ? cap_spec[code].name : NULL;
}
