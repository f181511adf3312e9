/* The HTML report, inside: what its parts share. Every part writes well-formed XML (HTML5 in the XML syntax's shape), so that a test
 * may read it with any parser; whatever is not from us goes through html_put's %s. */
#pragma once
#include <stdio.h>

#include "audit/facts.h"

struct html {
	FILE *f;
	const struct audit_report *r;
	uint32_t top;
	const struct facts_grid *grid;
};

/* Arguments are texts, nothing else: %s is escaped, %r is not (figures and markup of ours). */
void html_put(FILE *f, const char *fmt, ...);
/* A name as a cell shows it: isolated, so that right-to-left text stays in its place, and cut. */
void html_owner(FILE *f, const struct audit *a, const struct registry_port *p);
void html_more(FILE *f, uint64_t more, const char *of_what); /* "and 12 more ports"; nothing if 0 */
/* A table within a box that scrolls by itself where it is too wide. */
void html_table_begin(FILE *f, const char *class, const char *label);
void html_table_end(FILE *f);
/* pass, fail, not seen as a sign and a word */
void html_verdict(FILE *f, enum audit_verdict v);

/* The sections. */
void html_over_time(const struct html *h);				      /* html_time.c */
void html_ports(const struct html *h);					      /* html_ports.c */
void html_matrix(const struct html *h);
void html_senders(const struct html *h, const struct audit *a);		      /* html_who.c */
void html_targets(const struct html *h, const struct audit *a);
void html_rules(const struct html *h, const struct audit *a);		      /* html_rules.c */
void html_rules_legend(const struct html *h);
void html_findings(const struct html *h, const struct audit *a);
void html_captured(const struct html *h);				      /* html_ports.c */
void html_member_page(const struct html *h);				      /* html_member.c */

extern const char html_style[];
extern const char html_patterns[]; /* of the eight layers of a chart: p0 - p7 */
