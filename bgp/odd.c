/* What was wrong, and in which octets: enough to show to the vendor of the peer. In hex and of a
 * bounded length, and few a minute, however many the peer sends; the counters (`show neighbors`)
 * have them all. */
#include "bgp/odd.h"

#include <stdio.h>

#include "bgp/engine.h"
#include "lib/log.h"

#define ODD_OCTETS 48

static struct log_limit limit = LOG_LIMIT(20, 10000);

/* "40010100", "4002ff... (300 octets)". */
static const char *hex(char buf[2 * ODD_OCTETS + 24], struct span s)
{
	static const char digits[] = "0123456789abcdef";
	size_t shown = s.len <= ODD_OCTETS ? s.len : ODD_OCTETS;
	char *to = buf;

	for (size_t i = 0; i < shown; i++) {
		*to++ = digits[s.p[i] >> 4];
		*to++ = digits[s.p[i] & 15];
	}
	*to = '\0';
	if (shown < s.len)
		snprintf(to, 24, "... (%u octets)", s.len);
	return s.len ? buf : "none";
}

void odd_attributes(struct neighbor *n, const struct update *u)
{
	char buf[2 * ODD_OCTETS + 24];
	bool withdrawn = u->reaction == UPDATE_TREAT_AS_WITHDRAW;

	if (u->reaction == UPDATE_OK)
		return;
	n->treat_as_withdraw += withdrawn;
	n->attr_discard += !withdrawn;
	log_limited(&limit, n->s->now_ms, LOG_BGP, LOG_LEVEL_WARNING,
		"%s: %s (%u): %s; %s; its octets: %s", n->label, attr_name(u->why_attr),
		u->why_attr, u->why ? u->why : "malformed",
		withdrawn ? "routes treated as withdrawn" : "attribute discarded",
		hex(buf, u->why_value));
}

void odd_nlri(struct neighbor *n, struct span octets, const char *why)
{
	char buf[2 * ODD_OCTETS + 24];

	log_limited(&limit, n->s->now_ms, LOG_BGP, LOG_LEVEL_WARNING,
		"%s: bad NLRI: %s; its octets: %s", n->label, why ? why : "malformed",
		hex(buf, octets));
}
