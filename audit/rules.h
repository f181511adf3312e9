/* The rules as a report lists them: the seventeen that exchanges publish, in their order, and those beyond them. */
#pragma once
#include <stddef.h>

#include "audit/audit.h"

struct rules_row {
	enum frame_rule rule; /* AUDIT_RULE_PREFIX: number 16, which shows in BGP */
	int number;	      /* 0: beyond the list */
	char label[3];	      /* the head of a column: "1" - "17", "S", "M", "L", "V" */
	const char *cause; /* what usually is behind it, and what ends it: a sentence or two for the member;
			      * what is typed stands in backquotes */
};

#define RULES_LISTED 17
#define RULES_ROWS (RULES_LISTED + 4)

extern const struct rules_row rules_rows[RULES_ROWS];

const char *rules_token(const struct rules_row *row);
const char *rules_text(const struct rules_row *row);
const struct rules_row *rules_row_of(enum frame_rule rule);
