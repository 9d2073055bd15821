/* fsm_print.c -- the FSM's table, every cell, in the form of rfc4271.tsv. */
#include <stdio.h>

#include "bgpd/fsm/fsm.h"

static void
cell(enum fsm_state state, enum fsm_event ev)
{
	char acts[512], notif[16] = "-";
	struct fsm_out out;
	struct fsm f;
	char *p;

	fsm_init(&f, state);
	fsm_step(&f, ev, &out);
	if (out.acts & A_NOTIFY)
		snprintf(notif, sizeof(notif), "%u/%u", out.code, out.sub);
	else if (out.acts & A_NOTIFY_EV)
		snprintf(notif, sizeof(notif), "%u/*", out.code);
	fsm_acts_print(out.acts, acts, sizeof(acts));
	for (p = acts; *p != '\0'; p++) {
		if (*p == '|')
			*p = ' ';
	}
	printf("%s\t%u\t%s\t%s\t%s\n", fsm_state_name(state), ev,
	    fsm_state_name(out.next), acts, notif);
}

int
main(void)
{
	unsigned int state, ev;

	for (state = 0; state < FSM_NSTATES; state++) {
		for (ev = 1; ev <= EV_MAX; ev++)
			cell((enum fsm_state)state, (enum fsm_event)ev);
	}
	return 0;
}
