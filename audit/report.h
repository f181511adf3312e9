/* The books as a person or a program reads them. All of them from const books; nothing is computed here that the books or compare.h do
 * not say. Text from captures and registries is escaped in every form. */
#pragma once
#include <jansson.h>
#include <stdio.h>

#include "audit/audit.h"
#include "audit/compare.h"

#define AUDIT_JSON_VERSION 1 /* docs/audit.md has the schema */

struct audit_report {
	const struct audit *books;   /* the one audit, or that of after; NULL: from ledgers */
	const struct audit *before;  /* NULL: no comparison, or from ledgers */
	const struct compare *compare; /* NULL: none */
	const char *title;	     /* the LAN's name */
	const char *made;	     /* "2026-01-31 12:00 UTC" */
	uint32_t member;	     /* AS number: only what is about that member, as it would be mailed to it; 0: all */
	uint32_t top;		     /* rows of top lists */
};

int audit_report_text(const struct audit_report *r, FILE *to, unsigned columns);
json_t *audit_report_json(const struct audit_report *r);
int audit_report_csv(const struct audit_report *r, FILE *to);
/* One file: styles and charts (SVG) within, no script, nothing from elsewhere. */
int audit_report_html(const struct audit_report *r, FILE *to);
