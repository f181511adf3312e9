/* /metrics of both daemons: families in sections, written step by step (http.h), in the form that the reader asks for.
 *
 *   metrics_start() -> [sections: prepare..., then each family, each item] -> openmetrics -> http
 *
 * A section is a set of families over the same items: the neighbours, the LANs, the ports. What a section shows of its items it
 * copies first (prepare), for an item may be gone when the next step is made. Every family and its labels stand in
 * docs/metrics.md.
 */
#pragma once
#include "daemon/http.h"
#include "lib/openmetrics.h"

struct metrics_section {
	const struct openmetrics_family *families;
	size_t family_count;
	/* A step; true: there is more to prepare. NULL: nothing is. */
	bool (*prepare)(void *arg);
	/* NULL: one. */
	size_t (*items)(const void *arg);
	/* The samples of one family and item. */
	void (*sample)(const void *arg, struct openmetrics *m, size_t family, size_t item);
};

/* `arg` is released with `release`, which may be NULL. */
void metrics_answer(struct http_answer *ret, const struct http_request *r,
	const struct metrics_section *const *sections, size_t count, void *arg, void (*release)(void *arg));

/* A whole line with a label, or two; key2 may be NULL. */
void metrics_line(struct openmetrics *m, const char *key, const char *value, const char *key2, const char *value2,
	uint64_t n);

/* What both daemons tell of themselves. */
struct metrics_process {
	const char *program;
	const struct loop *loop;
	const struct http_server *http;
	uint64_t started_ms; /* of the monotonic clock */
};
/* The arg of all sections begins with a struct metrics_process. */
extern const struct metrics_section metrics_process_section;

/* Seconds since 1970 of a time of the monotonic clock. */
uint64_t metrics_unix_sec(uint64_t mono_ms);
