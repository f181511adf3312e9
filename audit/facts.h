/* What all forms of the report say, in words and figures: the verdict and its sentence, who is at a port, the grid of ports and
 * classes out of the books or of a comparison, members in the order in which a reader asks for them. */
#pragma once
#include "audit/report.h"

#define FACTS_TEXT 1024
#define FACTS_ALL CLASS_COUNT /* of a row: all that floods, together */

struct facts_row {
	const char *port;
	const struct registry_port *who; /* NULL: not known */
	struct compare_cell before[CLASS_COUNT + 1], after[CLASS_COUNT + 1]; /* of one audit alone: after */
	double suppressed;
	bool pass;
};

/* Ports, the worst first: of a comparison those that fail, then by what they received after, then before. */
struct facts_grid {
	struct facts_row *rows;
	size_t count, failed;
	bool both; /* before and after */
	enum frame_class classes[CLASS_COUNT]; /* that some port received, the most first */
	size_t class_count;
};

/* -ENOMEM. Of r->member only its own ports. */
int facts_grid(const struct audit_report *r, struct facts_grid *ret);
void facts_grid_free(struct facts_grid *g);
/* What a row's first `shown` classes leave of all: the other classes, and unicast that is not the port's own. */
double facts_rest(const struct facts_grid *g, const struct compare_cell *cells, size_t shown);
bool facts_has_rest(const struct facts_grid *g, size_t shown);
/* The port whose course over time is worth looking at. NULL: none has any. */
const struct audit_port *facts_port(const struct audit *a, const char *name);

uint32_t facts_top(const struct audit_report *r);

/* What is about the member of that AS; of asn 0 everything is. */
bool facts_is_of(const struct audit *a, uint32_t asn, const struct registry_port *p);
bool facts_finding_is_shown(const struct audit *a, uint32_t asn, const struct audit_finding *f);
uint64_t facts_calls(const struct audit *a, uint32_t asn, const struct audit_target *t); /* its own of them */

/* "AS64500 Example Networks", as it is in the registry (not escaped); "" if there is none. */
char *facts_owner(const struct audit *a, const struct registry_port *p, char *buf, size_t size);

/* NULL: not in the books. */
const struct audit_member *facts_member(const struct audit *a, uint32_t asn);
/* r->books, or those of before if r->member was heard only there. */
const struct audit *facts_books_of_member(const struct audit_report *r);
unsigned facts_failed(const struct audit_member *m); /* rules */
bool facts_heard(const struct audit_member *m);
/* Those that fail most first, those not heard last. To be freed; NULL: out of memory. */
const struct audit_member **facts_members(const struct audit *a, uint32_t asn, size_t *ret_count);

/* The verdict in a sentence or two, of nothing but figures and names of ports and rules; with the gaps of audit/format.h. */
char *facts_headline(const struct audit_report *r, char buf[FACTS_TEXT]);
const char *facts_kind_name(enum audit_target_kind k); /* "unassigned" */
const char *facts_kind_text(enum audit_target_kind k); /* "nobody's" */
/* A finding as a sentence; addresses only, no names. */
char *facts_finding(const struct audit *a, uint32_t asn, const struct audit_finding *f, char buf[FACTS_TEXT]);
