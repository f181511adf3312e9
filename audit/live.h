/* Live ports into the books, by libpcap; and what came in, kept in a bounded ring of files. */
#pragma once
#include <signal.h>

#include "audit/read.h"

struct live_config {
	const char *const *interfaces;
	const char *const *ports; /* what each is in the books; NULL: the same */
	size_t count;
	double seconds;	     /* 0: until *stop */
	const char *ring;    /* folder; NULL: nothing is kept */
	uint64_t ring_octets; /* of each file, about */
	uint32_t ring_files; /* at most; the oldest goes */
	const volatile sig_atomic_t *stop;
};

/* Captures until the time is over or *stop. 0, or -errno with a line in err; *ret_dropped counts what the kernel had no room for. */
int audit_live(struct audit *a, const struct live_config *c, uint64_t *ret_dropped, char err[AUDIT_ERROR_MAX]);
