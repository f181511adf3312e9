/* JSON: all figures of the books, for machines. docs/audit.md has the schema; what is added does not change AUDIT_JSON_VERSION, what is
 * changed or removed does. Times are RFC 3339 in UTC with nanoseconds, or null; text of members is UTF-8 whatever it was. */
#include "audit/report.h"

#include <stdlib.h>
#include <string.h>

#include "audit/facts.h"
#include "audit/format.h"
#include "audit/rules.h"
#include "proxyarp/verdict.h"

#define TEXT_MAX 2048

static json_t *count(uint64_t n)
{
	return json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n);
}

static json_t *text(const char *t)
{
	char clean[TEXT_MAX];

	return t ? json_string(format_utf8(clean, sizeof(clean), t, 0)) : json_null();
}

static json_t *when(int64_t ns)
{
	char stamp[FORMAT_MAX];

	return *format_stamp(stamp, ns) ? json_string(stamp) : json_null();
}

static json_t *mac_text(struct mac mac)
{
	char t[MAC_TEXT];

	return json_string(mac_format(mac, t));
}

static json_t *ip_text(struct ip ip)
{
	char t[IP_TEXT];

	return ip.family ? json_string(ip_format(ip, t)) : json_null();
}

static void put_owner(json_t *o, const struct audit *a, const struct registry_port *p)
{
	const struct registry_member *m =
		p && a->registry && p->member < a->registry->member_count ? &a->registry->members[p->member] : NULL;

	json_object_set_new(o, "asn", m ? json_integer(m->asn) : json_null());
	json_object_set_new(o, "member", m ? text(m->name) : json_null());
}

static json_t *plain_count(const struct audit_count *c)
{
	return json_pack("{s:o, s:o}", "frames", count(c->frames), "octets", count(c->octets));
}

static json_t *rate(const struct audit_port *p, const struct audit_rate *r)
{
	return json_pack("{s:o, s:o, s:f, s:f, s:{s:o, s:o, s:o}}", "frames", count(r->all.frames), "octets", count(r->all.octets),
		"frames_per_second", audit_fps(p, &r->all), "bits_per_second", audit_bps(p, &r->all), "peak", "frames",
		count(r->peak.frames), "octets", count(r->peak.octets), "time", when(r->peak.frames ? r->peak_ns : 0));
}

/* --- a port --- */

static json_t *classes_of_port(const struct audit_port *p, enum audit_dir dir)
{
	json_t *o = json_object();

	for (int cls = 0; cls < CLASS_COUNT; cls++)
		if (p->at[dir][cls].all.frames)
			json_object_set_new(o, class_name((enum frame_class)cls), rate(p, &p->at[dir][cls]));
	return json_pack("{s:o, s:o}", "all", rate(p, &p->total[dir]), "classes", o);
}

static json_t *series(const struct audit_series *s)
{
	json_t *o = json_object(), *classes = json_object();

	json_object_set_new(o, "start", when(s->start_ns));
	json_object_set_new(o, "slot_seconds", json_integer(s->slot_sec));
	json_object_set_new(o, "slots", json_integer(s->count));
	for (int cls = 0; cls < CLASS_COUNT; cls++) {
		json_t *frames = json_array(), *octets = json_array();
		uint64_t any = 0;
		for (uint32_t i = 0; i < s->count; i++) {
			any |= s->at[i][cls].frames;
			json_array_append_new(frames, count(s->at[i][cls].frames));
			json_array_append_new(octets, count(s->at[i][cls].octets));
		}
		if (any)
			json_object_set_new(classes, class_name((enum frame_class)cls), json_pack("{s:O, s:O}", "frames", frames, "octets", octets));
		json_decref(frames);
		json_decref(octets);
	}
	json_object_set_new(o, "received", classes);
	return o;
}

static json_t *port(const struct audit *a, const struct audit_port *p)
{
	json_t *o = json_object();

	json_object_set_new(o, "port", text(p->name));
	put_owner(o, a, p->registered);
	json_object_set_new(o, "first", when(p->first_ns));
	json_object_set_new(o, "last", when(p->last_ns));
	json_object_set_new(o, "received", classes_of_port(p, AUDIT_RECEIVED));
	json_object_set_new(o, "sent", classes_of_port(p, AUDIT_SENT));
	json_object_set_new(o, "flood", rate(p, &p->flood));
	json_object_set_new(o, "stray", rate(p, &p->stray));
	json_object_set_new(o, "unwanted", rate(p, &p->unwanted));
	json_object_set_new(o, "series", series(&p->series));
	return o;
}

/* --- who and what --- */

static json_t *port_name(const struct audit *a, uint32_t index)
{
	return index < a->port_count ? text(a->ports[index].name) : json_null();
}

static json_t *sender(const struct audit *a, const struct audit_sender *s)
{
	json_t *o = json_object(), *classes = json_object(), *broken = json_object();

	json_object_set_new(o, "mac", mac_text(s->mac));
	put_owner(o, a, s->registered);
	json_object_set_new(o, "port", port_name(a, s->port));
	json_object_set_new(o, "all", plain_count(&s->all));
	json_object_set_new(o, "group", plain_count(&s->group));
	for (int cls = 0; cls < CLASS_COUNT; cls++)
		if (s->at[cls].frames)
			json_object_set_new(classes, class_name((enum frame_class)cls), plain_count(&s->at[cls]));
	json_object_set_new(o, "classes", classes);
	for (size_t i = 0; i < RULES_ROWS; i++)
		if (s->broken[rules_rows[i].rule])
			json_object_set_new(broken, rules_token(&rules_rows[i]), count(s->broken[rules_rows[i].rule]));
	json_object_set_new(o, "broken", broken);
	json_object_set_new(o, "first", when(s->first_ns));
	json_object_set_new(o, "last", when(s->last_ns));
	return o;
}

static json_t *target(const struct audit *a, uint32_t asn, const struct audit_target *t)
{
	json_t *o = json_object(), *callers = json_array();

	json_object_set_new(o, "ip", ip_text(t->ip));
	json_object_set_new(o, "kind", json_string(facts_kind_name(t->kind)));
	if (!asn) { /* whose it is, and who else calls, is for the exchange to know */
		put_owner(o, a, t->registered);
		json_object_set_new(o, "arp", count(t->arp));
		json_object_set_new(o, "ns", count(t->ns));
		json_object_set_new(o, "syn", count(t->syn));
		json_object_set_new(o, "more_calls", count(t->more_calls));
	}
	for (uint32_t i = 0; i < t->caller_count; i++) {
		const struct registry_port *who = a->registry ? registry_by_mac(a->registry, t->callers[i].mac) : NULL;
		if (!facts_is_of(a, asn, who))
			continue;
		json_t *c = json_pack("{s:o, s:o}", "mac", mac_text(t->callers[i].mac), "calls", count(t->callers[i].calls));
		put_owner(c, a, who);
		json_array_append_new(callers, c);
	}
	json_object_set_new(o, "callers", callers);
	return o;
}

static json_t *member(const struct audit_member *m)
{
	json_t *rules = json_array();

	for (size_t i = 0; i < RULES_ROWS; i++) {
		const struct rules_row *row = &rules_rows[i];
		const struct audit_ruling *ruling = &m->rules[row->rule];
		json_array_append_new(rules,
			json_pack("{s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:o}", "rule", rules_token(row), "number",
				row->number ? json_integer(row->number) : json_null(), "text", rules_text(row), "verdict",
				audit_verdict_name(ruling->verdict), "frames", count(ruling->frames), "by_mac",
				count(ruling->by_mac), "first", when(ruling->first_ns), "last", when(ruling->last_ns)));
	}
	return json_pack("{s:o, s:o, s:s, s:o, s:o, s:o, s:o}", "asn", m->member ? json_integer(m->member->asn) : json_null(), "member",
		m->member ? text(m->member->name) : json_null(), "verdict",
		audit_verdict_name(!facts_heard(m) ? AUDIT_NOT_SEEN : m->pass ? AUDIT_PASS : AUDIT_FAIL), "sent", plain_count(&m->sent),
		"group", plain_count(&m->group), "by_mac", count(m->by_mac), "rules", rules);
}

static json_t *finding(const struct audit *a, uint32_t asn, const struct audit_finding *f)
{
	char sentence[FACTS_TEXT];
	json_t *o = json_object();

	json_object_set_new(o, "kind", json_string(audit_finding_name(f->kind)));
	json_object_set_new(o, "text", json_string(format_plain(facts_finding(a, asn, f, sentence))));
	json_object_set_new(o, "ip", ip_text(f->ip));
	if (!asn || f->kind != AUDIT_DUPLICATE_IP) { /* of two, one is another member's */
		json_object_set_new(o, "mac", mac_text(f->mac));
		json_object_set_new(o, "other", mac_is_zero(f->other) ? json_null() : mac_text(f->other));
	}
	json_object_set_new(o, "port", port_name(a, f->port));
	json_object_set_new(o, "frames", count(f->count));
	json_object_set_new(o, "first", when(f->first_ns));
	json_object_set_new(o, "last", when(f->last_ns));
	return o;
}

/* --- the whole --- */

static void lists(json_t *o, const struct audit *a, uint32_t asn)
{
	json_t *ports = json_array(), *senders = json_array(), *targets = json_array(), *members = json_array(), *findings = json_array();
	size_t member_count;
	const struct audit_member **list = facts_members(a, asn, &member_count);

	for (size_t i = 0; i < a->port_count; i++)
		if (facts_is_of(a, asn, a->ports[i].registered))
			json_array_append_new(ports, port(a, &a->ports[i]));
	for (size_t i = 0; i < a->sender_count; i++)
		if (facts_is_of(a, asn, a->senders[i].registered))
			json_array_append_new(senders, sender(a, &a->senders[i]));
	for (size_t i = 0; i < a->target_count; i++)
		if (!asn || facts_calls(a, asn, &a->targets[i]))
			json_array_append_new(targets, target(a, asn, &a->targets[i]));
	for (size_t i = 0; i < member_count; i++)
		json_array_append_new(members, member(list[i]));
	for (size_t i = 0; i < a->finding_count; i++)
		if (facts_finding_is_shown(a, asn, &a->findings[i]))
			json_array_append_new(findings, finding(a, asn, &a->findings[i]));
	free(list);
	json_object_set_new(o, "ports", ports);
	json_object_set_new(o, "senders", senders);
	json_object_set_new(o, "targets", targets);
	json_object_set_new(o, "members", members);
	json_object_set_new(o, "findings", findings);
}

static json_t *side(const struct audit_report *r, const struct audit *a)
{
	bool before = a == r->before;
	const char *const *files = before ? r->before_files : r->files;
	json_t *o = json_object(), *names = json_array();

	for (size_t i = 0; i < (before ? r->before_file_count : r->file_count); i++)
		json_array_append_new(names, text(files[i]));
	json_object_set_new(o, "first", when(a->first_ns));
	json_object_set_new(o, "last", when(a->last_ns));
	json_object_set_new(o, "files", names);
	if (!r->member) {
		json_object_set_new(o, "frames", count(a->frames));
		json_object_set_new(o, "octets", count(a->octets));
		json_object_set_new(o, "cut", count(a->cut));
		json_object_set_new(o, "dropped", count(before ? 0 : r->dropped));
		json_object_set_new(o, "vxlan", count(a->vxlan));
		json_object_set_new(o, "other_vni", count(a->other_vni));
		json_object_set_new(o, "senders_more", count(a->senders_more));
		json_object_set_new(o, "targets_more", count(a->targets_more));
		json_object_set_new(o, "findings_more", count(a->findings_more));
	}
	lists(o, a, r->member);
	return o;
}

static json_t *cell(const struct compare_cell *c)
{
	return json_pack("{s:f, s:f, s:f}", "frames_per_second", c->fps, "bits_per_second", c->bps, "peak_frames", c->peak_fps);
}

static json_t *compare(const struct audit_report *r)
{
	const struct audit *a = r->books ? r->books : r->before;
	json_t *rows = json_array();

	for (size_t i = 0; i < r->compare->row_count; i++) {
		const struct compare_row *c = &r->compare->rows[i];
		const struct audit_port *p = facts_port(a, c->port);
		bool all = c->cls == CLASS_COUNT;
		if (!facts_is_of(a, r->member, p ? p->registered : NULL))
			continue;
		json_t *row = json_pack("{s:o, s:s, s:o, s:o, s:f}", "port", text(c->port), "class", all ? "flood" : class_name(c->cls), "before",
			cell(&c->before), "after", cell(&c->after), "suppressed", c->suppressed);
		if (all)
			json_object_set_new(row, "pass", json_boolean(c->pass));
		json_array_append_new(rows, row);
	}
	json_t *o = json_pack("{s:f, s:o}", "limit_frames_per_second", r->compare->limit_fps, "rows", rows);
	if (!r->member)
		json_object_set_new(o, "pass", json_boolean(r->compare->pass));
	return o;
}

json_t *audit_report_json(const struct audit_report *r)
{
	char sentence[FACTS_TEXT];
	json_t *o = json_object();

	json_object_set_new(o, "format", json_string("quell-audit"));
	json_object_set_new(o, "version", json_integer(AUDIT_JSON_VERSION));
	json_object_set_new(o, "title", text(r->title));
	json_object_set_new(o, "made", text(r->made));
	if (r->member)
		json_object_set_new(o, "asn", json_integer(r->member));
	json_object_set_new(o, "verdict", json_string(audit_verdict_name(audit_report_verdict(r))));
	json_object_set_new(o, "text", text(format_plain(facts_headline(r, sentence))));
	if (r->compare)
		json_object_set_new(o, "compare", compare(r));
	if (r->before)
		json_object_set_new(o, "before", side(r, r->before));
	if (r->books)
		json_object_set_new(o, "books", side(r, r->books));
	return o;
}
