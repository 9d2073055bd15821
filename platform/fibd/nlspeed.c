#include "platform/fibd/nlspeed.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/ethtool.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "lib/mem.h"

struct nlspeed {
	struct nl_sock *sk;
	uint16_t family;
	uint32_t seq;
};

/* The answer's attributes; false: an error, or nothing there. */
static bool
ask(struct nlspeed *s, struct nl_msg *msg, uint8_t *buf, size_t size,
    struct nlattr **tb, int max)
{
	struct nlmsghdr *h = nlmsg_hdr(msg);
	ssize_t n;

	h->nlmsg_seq = ++s->seq;
	if (nl_sendto(s->sk, h, h->nlmsg_len) < 0)
		return false;
	/* Answered before the send returns; ours is the last, if it came. */
	for (;;) {
		n = recv(nl_socket_get_fd(s->sk), buf, size, MSG_DONTWAIT);
		if (n < (ssize_t)sizeof *h)
			return false;
		h = (struct nlmsghdr *)(void *)buf;
		if (nlmsg_ok(h, (int)n) && h->nlmsg_seq == s->seq)
			break;
	}
	return h->nlmsg_type != NLMSG_ERROR &&
	    nlmsg_parse(h, GENL_HDRLEN, tb, max, NULL) == 0;
}

static struct nl_msg *
begin(uint16_t family, uint8_t cmd, uint8_t version)
{
	struct genlmsghdr g = { .cmd = cmd, .version = version };
	struct nl_msg *msg = nlmsg_alloc_simple(family, NLM_F_REQUEST);

	if (msg == NULL || nlmsg_append(msg, &g, sizeof g, NLMSG_ALIGNTO) < 0)
		mem_none(sizeof g);
	return msg;
}

struct nlspeed *
nlspeed_open(void)
{
	uint8_t buf[8192] __attribute__((aligned(8)));
	struct nlspeed *s = mem_alloc(sizeof *s);
	struct nlattr *tb[CTRL_ATTR_MAX + 1] = { NULL };
	struct nl_msg *msg = begin(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);

	s->sk = nl_socket_alloc();
	if (s->sk != NULL && nl_connect(s->sk, NETLINK_GENERIC) == 0 &&
	    nla_put_string(msg, CTRL_ATTR_FAMILY_NAME, ETHTOOL_GENL_NAME) ==
		0 &&
	    ask(s, msg, buf, sizeof buf, tb, CTRL_ATTR_MAX) &&
	    tb[CTRL_ATTR_FAMILY_ID] != NULL)
		s->family = nla_get_u16(tb[CTRL_ATTR_FAMILY_ID]);
	nlmsg_free(msg);
	if (s->family == 0) {
		nlspeed_close(s);
		return NULL;
	}
	return s;
}

void
nlspeed_close(struct nlspeed *s)
{
	if (s == NULL)
		return;
	nl_socket_free(s->sk);
	free(s);
}

uint32_t
nlspeed_get(struct nlspeed *s, uint32_t ifindex)
{
	uint8_t buf[8192] __attribute__((aligned(8)));
	struct nlattr *tb[ETHTOOL_A_LINKMODES_MAX + 1] = { NULL }, *nest;
	struct nl_msg *msg;
	uint32_t speed = 0;

	if (s == NULL)
		return 0;
	msg = begin(s->family, ETHTOOL_MSG_LINKMODES_GET, ETHTOOL_GENL_VERSION);
	nest = nla_nest_start(msg, ETHTOOL_A_LINKMODES_HEADER | NLA_F_NESTED);
	if (nest == NULL ||
	    nla_put_u32(msg, ETHTOOL_A_HEADER_DEV_INDEX, ifindex) < 0)
		mem_none(sizeof buf);
	nla_nest_end(msg, nest);
	if (ask(s, msg, buf, sizeof buf, tb, ETHTOOL_A_LINKMODES_MAX) &&
	    tb[ETHTOOL_A_LINKMODES_SPEED] != NULL)
		speed = nla_get_u32(tb[ETHTOOL_A_LINKMODES_SPEED]);
	nlmsg_free(msg);
	return speed == (uint32_t)SPEED_UNKNOWN ? 0 : speed;
}
