/* The books as a person or a program reads them. All of them from const books; nothing is computed here that the books or compare.h do
 * not say. Text from captures and registries is escaped in every form. */
#pragma once
#include <jansson.h>
#include <stdio.h>

#include "audit/audit.h"
#include "audit/compare.h"

#define AUDIT_JSON_VERSION 1 /* docs/audit.md has the schema */

struct audit_report {
	const struct audit *books;     /* the one audit, or that of after; NULL: from ledgers */
	const struct audit *before;    /* NULL: no comparison, or from ledgers */
	const struct compare *compare; /* NULL: none */
	const char *title;	       /* the LAN's name */
	const char *made;	       /* "2026-01-31 12:00 UTC" */
	uint32_t member;	       /* AS number: only what is about that member, as it would be mailed to it; 0: all */
	uint32_t top;		       /* rows of top lists; 0: 10 */
	/* What may be said besides; NULL and 0: nothing is. */
	const char *const *files, *const *before_files; /* that were read */
	size_t file_count, before_file_count;
	uint64_t dropped;     /* frames that a live capture lost */
	const char *evidence; /* the folder of the frames that prove */
	bool colour;	      /* text: for a terminal */
	/* So much flood a port may receive, without a comparison, which has its own. A member is judged by the rules alone. */
	bool has_limit;
	double limit_fps;
};

/* What the head line says: of `member` by the rules; else of the comparison; else of all members by the rules and of the ports by
 * the limit. Not seen if nobody (or not that member) was heard, and there is no limit that was kept. */
enum audit_verdict audit_report_verdict(const struct audit_report *r);

/* These return 0, or -errno of the stream. `columns` 0: as wide as it gets. */
int audit_report_text(const struct audit_report *r, FILE *to, unsigned columns);
/* NULL: out of memory. */
json_t *audit_report_json(const struct audit_report *r);
int audit_report_csv(const struct audit_report *r, FILE *to);
/* One file: styles and charts (SVG) within, no script, nothing from elsewhere. */
int audit_report_html(const struct audit_report *r, FILE *to);
