/* clock.h -- the one place that reads a clock. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* CLOCK_MONOTONIC, for every timer. */
uint64_t clock_us(void);
/* Processor time of this process. */
uint64_t clock_cpu_us(void);
/* CLOCK_REALTIME in seconds, for people and for stamps that outlive a boot. */
int64_t clock_real_s(void);
/* The same in milliseconds, for the log. */
int64_t clock_real_ms(void);

/* The kernel's name for this boot, of 36 characters; "" when it has none. */
void clock_boot(char *, size_t);

#endif /* CLOCK_H */
