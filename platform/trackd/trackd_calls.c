/*
 * trackd_calls.c -- the system calls that ana-trackd and its programs, which
 * inherit the filter, do without: what no health check makes.
 */
#include "platform/filter.h"

const uint32_t filter_other_calls = SCMP_ACT_ALLOW;

/* clang-format off */
const struct filter_rule filter_rules[] = {
	REFUSE(ptrace), REFUSE(process_vm_readv), REFUSE(process_vm_writev),
	REFUSE(bpf), REFUSE(perf_event_open), REFUSE(userfaultfd),
	REFUSE(io_uring_setup), REFUSE(mount), REFUSE(umount2),
	REFUSE(pivot_root), REFUSE(chroot), REFUSE(unshare), REFUSE(setns),
	REFUSE(init_module), REFUSE(finit_module), REFUSE(delete_module),
	REFUSE(kexec_load), REFUSE(reboot), REFUSE(swapon), REFUSE(add_key),
	REFUSE(request_key), REFUSE(keyctl), REFUSE(settimeofday),
	REFUSE(clock_settime), REFUSE(adjtimex),
};
/* clang-format on */
const size_t filter_count = sizeof filter_rules / sizeof *filter_rules;
