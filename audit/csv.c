/* CSV as RFC 4180 has it: one head line, a row a figure, CRLF, text in quotes; the first column says what a row is about. The columns
 * stand in docs/audit.md. A cell of text that a spreadsheet might take for a formula begins with an apostrophe. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audit/facts.h"
#include "audit/format.h"
#include "audit/rules.h"
#include "proxyarp/verdict.h"

#define TEXT_MAX 2048

static const char head[] = "section,side,port,asn,member,mac,ip,class,rule,direction,kind,verdict,frames,octets,frames_per_second,"
			   "bits_per_second,peak_frames,peak_octets,peak_time,first,last,before_frames_per_second,"
			   "after_frames_per_second,suppressed\r\n";

/* A row before it is written: what is not set is an empty cell. */
struct row {
	const char *section, *side, *port;
	const struct registry_member *member;
	const struct mac *mac;
	const struct ip *ip;
	const char *cls, *rule, *direction, *kind, *verdict;
	const struct audit_count *count;
	const struct audit_rate *rate;
	const struct audit_port *of; /* of rate */
	uint64_t frames;	     /* if neither of the two */
	int64_t first_ns, last_ns;
	const struct compare_row *compare;
};

static void text(FILE *f, const char *t, char end)
{
	char clean[TEXT_MAX];

	if (t && *t) {
		/* A formula may stand behind blanks, or begin with a full-width sign, which spreadsheets take for the narrow one. */
		format_utf8(clean, sizeof(clean), t, 0);
		const char *at = clean + strspn(clean, " ");
		bool formula = (*at && strchr("=+-@|%", *at)) || strncmp(at, "\xef\xbc\x9d", 3) == 0 ||
			       strncmp(at, "\xef\xbc\x8b", 3) == 0 || strncmp(at, "\xef\xbc\x8d", 3) == 0 ||
			       strncmp(at, "\xef\xbc\xa0", 3) == 0;
		fputs(formula || strchr("\t\r\n", *t) ? "\"'" : "\"", f);
		for (const char *p = clean; *p; p++) {
			if (*p == '"')
				fputc('"', f);
			fputc(*p, f);
		}
		fputc('"', f);
	}
	fputc(end, f);
}

static void figures(FILE *f, const struct row *r)
{
	const struct audit_count *c = r->rate ? &r->rate->all : r->count;

	if (c)
		fprintf(f, "%llu,%llu,", (unsigned long long)c->frames, (unsigned long long)c->octets);
	else if (r->compare)
		fputs(",,", f);
	else
		fprintf(f, "%llu,,", (unsigned long long)r->frames);
	if (r->rate)
		fprintf(f, "%.3f,%.1f,%llu,%llu,%s,", audit_fps(r->of, c), audit_bps(r->of, c), (unsigned long long)r->rate->peak.frames,
			(unsigned long long)r->rate->peak.octets, FORMAT(stamp, r->rate->peak.frames ? r->rate->peak_ns : 0));
	else
		fputs(",,,,,", f);
	fprintf(f, "%s,%s,", FORMAT(stamp, r->first_ns), FORMAT(stamp, r->last_ns));
	if (r->compare)
		fprintf(f, "%.3f,%.3f,%.6f\r\n", r->compare->before.fps, r->compare->after.fps, r->compare->suppressed);
	else
		fputs(",,\r\n", f);
}

static void put(FILE *f, const struct row *r)
{
	char mac[MAC_TEXT] = "", ip[IP_TEXT] = "";

	text(f, r->section, ',');
	text(f, r->side, ',');
	text(f, r->port, ',');
	if (r->member)
		fprintf(f, "%u", r->member->asn);
	fputc(',', f);
	text(f, r->member ? r->member->name : NULL, ',');
	text(f, r->mac ? mac_format(*r->mac, mac) : NULL, ',');
	text(f, r->ip ? ip_format(*r->ip, ip) : NULL, ',');
	text(f, r->cls, ',');
	text(f, r->rule, ',');
	text(f, r->direction, ',');
	text(f, r->kind, ',');
	text(f, r->verdict, ',');
	figures(f, r);
}

/* --- the sections of a side --- */

struct side {
	FILE *f;
	const struct audit *a;
	const char *name;
	uint32_t asn;
};

static const struct registry_member *member_of(const struct audit *a, const struct registry_port *p)
{
	return p && a->registry && p->member < a->registry->member_count ? &a->registry->members[p->member] : NULL;
}

static void port(const struct side *s, const struct audit_port *p)
{
	static const char *const directions[] = {"received", "sent"};
	struct row r = {.section = "port", .side = s->name, .port = p->name, .member = member_of(s->a, p->registered), .of = p,
		.first_ns = p->first_ns, .last_ns = p->last_ns};

	for (int d = 0; d < AUDIT_DIRS; d++) {
		r.direction = directions[d];
		r.cls = "all";
		r.rate = &p->total[d];
		put(s->f, &r);
		for (int cls = 0; cls < CLASS_COUNT; cls++) {
			r.cls = class_name((enum frame_class)cls);
			r.rate = &p->at[d][cls];
			if (r.rate->all.frames)
				put(s->f, &r);
		}
	}
	r.direction = "received";
	r.cls = "flood";
	r.rate = &p->flood;
	put(s->f, &r);
	r.cls = "stray";
	r.rate = &p->stray;
	put(s->f, &r);
	r.cls = "unwanted";
	r.rate = &p->unwanted;
	put(s->f, &r);
}

static void sender(const struct side *s, const struct audit_sender *x)
{
	struct row r = {.section = "sender", .side = s->name, .member = member_of(s->a, x->registered), .mac = &x->mac,
		.first_ns = x->first_ns, .last_ns = x->last_ns, .cls = "all", .count = &x->all};

	r.port = x->port < s->a->port_count ? s->a->ports[x->port].name : NULL;
	put(s->f, &r);
	r.cls = "group";
	r.count = &x->group;
	put(s->f, &r);
	for (int cls = 0; cls < CLASS_COUNT; cls++) {
		r.cls = class_name((enum frame_class)cls);
		r.count = &x->at[cls];
		if (r.count->frames)
			put(s->f, &r);
	}
}

static void target(const struct side *s, const struct audit_target *t)
{
	static const char *const calls[] = {"arp", "ns", "syn"};
	const uint64_t frames[] = {t->arp, t->ns, t->syn};
	struct row r = {.section = "target", .side = s->name, .ip = &t->ip, .kind = facts_kind_name(t->kind)};

	/* Whose the address is, is for the exchange to know. */
	r.member = s->asn ? NULL : member_of(s->a, t->registered);
	for (int i = 0; i < 3 && !s->asn; i++) {
		r.cls = calls[i];
		r.frames = frames[i];
		if (frames[i])
			put(s->f, &r);
	}
	r.cls = NULL;
	r.section = "caller";
	for (uint32_t i = 0; i < t->caller_count; i++) {
		const struct registry_port *who = s->a->registry ? registry_by_mac(s->a->registry, t->callers[i].mac) : NULL;
		if (!facts_is_of(s->a, s->asn, who))
			continue;
		r.member = member_of(s->a, who);
		r.mac = &t->callers[i].mac;
		r.frames = t->callers[i].calls;
		put(s->f, &r);
	}
}

static void member(const struct side *s, const struct audit_member *m)
{
	struct row r = {.section = "member", .side = s->name, .member = m->member, .kind = m->member ? NULL : "not-registered",
		.verdict = audit_verdict_name(!facts_heard(m) ? AUDIT_NOT_SEEN : m->pass ? AUDIT_PASS : AUDIT_FAIL), .count = &m->sent};

	put(s->f, &r);
	r.section = "rule";
	r.count = NULL;
	for (size_t i = 0; i < RULES_ROWS; i++) {
		const struct audit_ruling *ruling = &m->rules[rules_rows[i].rule];
		r.rule = rules_token(&rules_rows[i]);
		r.verdict = audit_verdict_name(ruling->verdict);
		r.frames = ruling->frames;
		r.first_ns = ruling->first_ns;
		r.last_ns = ruling->last_ns;
		put(s->f, &r);
	}
}

static void finding(const struct side *s, const struct audit_finding *x)
{
	struct row r = {.section = "finding", .side = s->name, .kind = audit_finding_name(x->kind), .mac = &x->mac, .frames = x->count,
		.first_ns = x->first_ns, .last_ns = x->last_ns};

	r.ip = x->ip.family ? &x->ip : NULL;
	r.port = x->port < s->a->port_count ? s->a->ports[x->port].name : NULL;
	if (s->asn && x->kind == AUDIT_DUPLICATE_IP)
		r.mac = NULL; /* it may be the other's */
	put(s->f, &r);
}

static void side(const struct side *s)
{
	const struct audit *a = s->a;
	size_t count;
	const struct audit_member **members = facts_members(a, s->asn, &count);

	for (size_t i = 0; i < a->port_count; i++)
		if (facts_is_of(a, s->asn, a->ports[i].registered))
			port(s, &a->ports[i]);
	for (size_t i = 0; i < a->sender_count; i++)
		if (facts_is_of(a, s->asn, a->senders[i].registered))
			sender(s, &a->senders[i]);
	for (size_t i = 0; i < a->target_count; i++)
		target(s, &a->targets[i]);
	for (size_t i = 0; i < count; i++)
		member(s, members[i]);
	for (size_t i = 0; i < a->finding_count; i++)
		if (facts_finding_is_shown(a, s->asn, &a->findings[i]))
			finding(s, &a->findings[i]);
	free(members);
}

static void compare(const struct audit_report *r, FILE *f)
{
	for (size_t i = 0; i < r->compare->row_count; i++) {
		const struct compare_row *c = &r->compare->rows[i];
		const struct audit *a = r->books ? r->books : r->before;
		const struct audit_port *p = facts_port(a, c->port);
		struct row row = {.section = "compare", .port = c->port, .compare = c, .cls = c->cls == CLASS_COUNT ? "flood" : class_name(c->cls)};
		if (!facts_is_of(a, r->member, p ? p->registered : NULL))
			continue;
		row.member = p ? member_of(a, p->registered) : NULL;
		row.verdict = c->cls == CLASS_COUNT ? audit_verdict_name(c->pass ? AUDIT_PASS : AUDIT_FAIL) : NULL;
		put(f, &row);
	}
}

int audit_report_csv(const struct audit_report *r, FILE *to)
{
	struct side s = {to, NULL, NULL, r->member};

	fputs(head, to);
	if (r->compare)
		compare(r, to);
	s.name = "before";
	s.a = r->before;
	if (s.a)
		side(&s);
	s.name = r->before ? "after" : NULL;
	s.a = r->books;
	if (s.a)
		side(&s);
	if (fflush(to) || ferror(to))
		return errno ? -errno : -EIO;
	return 0;
}
