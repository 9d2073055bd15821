/* fsm_table.h -- the table of fsm_table.c, for fsm.c alone. */
#ifndef FSM_TABLE_H
#define FSM_TABLE_H

#include "bgpd/fsm/fsm.h"

/* One cell; `set` tells a written one from "any other event". */
struct fsm_cell {
	uint8_t set, next, code, sub;
	uint32_t acts;
};

struct fsm_row {
	struct fsm_cell other; /* the RFC's "any other event" */
	struct fsm_cell on[EV_MAX + 1];
};

extern const struct fsm_row fsm_table[FSM_NSTATES];

#endif /* FSM_TABLE_H */
