/*
 * sim.h -- two whole speakers in one process: pipes instead of TCP, a memory
 * FIB instead of the kernel, and a clock that only moves when both are idle.
 * A simulated hour takes as long as its events.
 */
#ifndef SIM_H
#define SIM_H

#include "bgpd/engine.h"

enum {
	SIM_A,
	SIM_B,
	SIM_N
};

struct sim {
	struct engine *eng[SIM_N];
	struct addr addr[SIM_N];
	char *text[SIM_N]; /* the configuration of each */
	bool frozen[SIM_N]; /* it neither reads nor writes nor counts time */
	bool cut; /* nobody can connect */
	int waiting[SIM_N]; /* dialled, not yet accepted by the other; -1 */
	unsigned int dials[SIM_N];
	struct pfx *kernel[SIM_N]; /* routes that outlive their speaker */
	size_t nkernel[SIM_N];
};

/* Shown when a wait fails: the seed of a random one. */
extern uint64_t sim_note;
/* The one simulation of this process. */
extern struct sim sim;

/* Where speakers started from now on keep their state; NULL: nowhere. */
extern const char *sim_state_dir;
/* Added to the real clock of both. */
extern int64_t sim_skew_s;

/* Starts both with these configurations; 192.0.2.1 is A, 192.0.2.2 B. */
void sim_start(const char *a, const char *b);
void sim_end(void);
/* Ends one speaker without a word; its kernel keeps its routes. */
void sim_kill(int who);
/* Stops it as SIGTERM does, then the same. */
void sim_term(int who);
/* The speaker of the next run; forgotten: the machine was booted too. */
void sim_boot(int who, const char *text, bool forgotten);
/* One at a time, for those who choose the order: what that one dialled
 * arrives; it has one turn; the clock moves to the next deadline. */
void sim_deliver(int from);
void sim_turn(int who);
void sim_tick(void);
/* Both, until `until` says so; false: not within that simulated time. */
bool sim_run_until(bool (*until)(void), uint64_t within_s);
/* Just lets that much simulated time pass. */
void sim_run(uint64_t seconds);
/* Seconds since the start. */
uint64_t sim_now_s(void);
/* A connection that somebody else opened to that speaker's one neighbor. */
void sim_accept(int who, int fd);
/* The text as a configuration; NULL: it was refused, and said why. */
struct conf *sim_conf(const char *text);
/* A new configuration text, read by a reload; false: it was refused. */
bool sim_reload(int who, const char *text);
/* The one neighbor of that speaker. */
struct peer *sim_peer(int who);

#endif /* SIM_H */
