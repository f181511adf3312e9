#include "registry/diff.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_LEN 128

struct text {
	char buf[REGISTRY_VALUE_MAX];
	size_t len;
};

static void __attribute__((format(printf, 2, 3))) put(struct text *t, const char *fmt, ...)
{
	va_list ap;
	size_t room = sizeof(t->buf) - t->len;

	va_start(ap, fmt);
	size_t n = (size_t)vsnprintf(t->buf + t->len, room, fmt, ap);
	va_end(ap);
	t->len += n < room ? n : room - 1;
}

/* --- the values of an entry --- */

struct entry {
	const struct registry_port *port;
	const struct registry_member *member;
};

static void put_macs(struct text *t, const struct entry *e)
{
	char buf[MAC_TEXT];

	put(t, "[");
	for (int i = 0; i < e->port->mac_count - e->port->former_count; i++)
		put(t, "%s%s", i ? ", " : "", mac_format(e->port->macs[i], buf));
	put(t, "]");
}

static void put_former(struct text *t, const struct entry *e)
{
	int first = e->port->mac_count - e->port->former_count;
	char buf[MAC_TEXT];

	put(t, "[");
	for (int i = first; i < e->port->mac_count; i++)
		put(t, "%s%s", i > first ? ", " : "", mac_format(e->port->macs[i], buf));
	put(t, "]");
}

static void put_ips(struct text *t, const struct entry *e)
{
	char buf[IP_TEXT];

	put(t, "[");
	for (int i = 0; i < e->port->ip_count; i++)
		put(t, "%s%s", i ? ", " : "", ip_format(e->port->ips[i], buf));
	put(t, "]");
}

static void put_status(struct text *t, const struct entry *e)
{
	static const char *const words[] = {[REGISTRY_ACTIVE] = "active",
		[REGISTRY_QUARANTINE] = "quarantine",
		[REGISTRY_DISABLED] = "disabled"};

	put(t, "%s", words[e->port->status]);
}

static void put_router(struct text *t, const struct entry *e)
{
	put(t, "%s", e->port->router ? "true" : "false");
}

static void put_exchange(struct text *t, const struct entry *e)
{
	put(t, "%s", e->member->exchange ? "true" : "false");
}

static void put_name(struct text *t, const struct entry *e)
{
	put(t, "%s", e->member->name);
}

static void put_type(struct text *t, const struct entry *e)
{
	put(t, "%s", e->member->type);
}

static void put_contacts(struct text *t, const struct entry *e)
{
	put(t, "[");
	for (uint32_t i = 0; i < e->member->contact_count; i++)
		put(t, "%s%s", i ? ", " : "", e->member->contacts[i]);
	put(t, "]");
}

static void put_switch(struct text *t, const struct entry *e)
{
	put(t, "%s", e->port->sw);
}

static void put_speed(struct text *t, const struct entry *e)
{
	put(t, "%u", e->port->speed_mbps);
}

static const struct {
	const char *key;
	void (*put)(struct text *t, const struct entry *e);
	const char *plain; /* not said of an entry that comes */
} values[] = {
	{"macs", put_macs, "[]"},
	{"former-macs", put_former, "[]"},
	{"addresses", put_ips, "[]"},
	{"status", put_status, "active"},
	{"router", put_router, "true"},
	{"exchange", put_exchange, "false"},
	{"name", put_name, ""},
	{"type", put_type, ""},
	{"contacts", put_contacts, "[]"},
	{"switch", put_switch, ""},
	{"speed", put_speed, "0"},
};

/* --- two of a kind --- */

static struct entry entry_of(const struct registry *r, size_t i)
{
	return (struct entry){&r->ports[i], &r->members[r->ports[i].member]};
}

static int first_ip_cmp(const struct entry *a, const struct entry *b)
{
	static const struct ip none;

	return ip_cmp(a->port->ip_count ? a->port->ips[0] : none, b->port->ip_count ? b->port->ips[0] : none);
}

static int entry_cmp(const struct entry *a, const struct entry *b)
{
	int d = strcmp(a->port->port, b->port->port);

	if (d == 0)
		d = (a->port->pe > b->port->pe) - (a->port->pe < b->port->pe);
	if (d == 0)
		d = (a->member->asn > b->member->asn) - (a->member->asn < b->member->asn);
	if (d == 0 && !*a->port->port)
		d = first_ip_cmp(a, b);
	return d;
}

/* Those that are the same by their first address, then as in the file. */
static int sort_cmp(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int d = entry_cmp(x, y);

	if (d == 0)
		d = first_ip_cmp(x, y);
	return d ? d : (x->port > y->port) - (x->port < y->port);
}

static struct entry *sorted(const struct registry *r, size_t *ret_count)
{
	size_t count = r ? r->port_count : 0;
	struct entry *list = calloc(count ? count : 1, sizeof(*list));

	if (!list)
		abort();
	for (size_t i = 0; i < count; i++)
		list[i] = entry_of(r, i);
	qsort(list, count, sizeof(*list), sort_cmp);
	*ret_count = count;
	return list;
}

struct differ {
	void (*fn)(void *arg, const struct registry_change *c);
	void *arg;
	size_t count;
};

static void tell(struct differ *d, const struct entry *e, struct registry_change c)
{
	const struct registry_port *p = e->port;
	char name[NAME_LEN], pe[IP_TEXT] = "", place[IP_TEXT] = "";

	if (p->pe)
		ip_format(ip_v4_u32(p->pe), pe);
	if (!*p->port && p->ip_count)
		ip_format(p->ips[0], place);
	snprintf(name, sizeof(name), "%s%s%s%sAS%u", *p->port ? p->port : place, p->pe ? " at " : "", pe,
		*p->port || *place ? " " : "", e->member->asn);
	c.name = name;
	d->fn(d->arg, &c);
	d->count++;
}

static void tell_added(struct differ *d, const struct entry *e)
{
	struct text all = {.len = 0};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct text t = {.len = 0};
		values[i].put(&t, e);
		if (strcmp(t.buf, values[i].plain) != 0)
			put(&all, "%s%s %s", all.len ? " " : "", values[i].key, t.buf);
	}
	tell(d, e, (struct registry_change){.op = REGISTRY_ADDED, .to = all.buf});
}

static void compare(struct differ *d, const struct entry *was, const struct entry *is)
{
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct text from = {.len = 0}, to = {.len = 0};
		values[i].put(&from, was);
		values[i].put(&to, is);
		if (strcmp(from.buf, to.buf) != 0)
			tell(d, is,
				(struct registry_change){
					REGISTRY_CHANGED, NULL, values[i].key, from.buf, to.buf});
	}
}

static void tell_unassigned(struct differ *d, enum registry_op op, struct ip ip)
{
	char name[NAME_LEN], text[IP_TEXT];

	snprintf(name, sizeof(name), "unassigned %s", ip_format(ip, text));
	d->fn(d->arg, &(struct registry_change){.op = op, .name = name});
	d->count++;
}

static void compare_unassigned(struct differ *d, const struct registry *was, const struct registry *is)
{
	size_t old_count = was ? was->unassigned_count : 0, new_count = is ? is->unassigned_count : 0;

	for (size_t i = 0, k = 0; i < old_count || k < new_count;) {
		int cmp = i == old_count   ? 1
			  : k == new_count ? -1
					   : ip_cmp(was->unassigned[i], is->unassigned[k]);
		if (cmp < 0)
			tell_unassigned(d, REGISTRY_REMOVED, was->unassigned[i]);
		else if (cmp > 0)
			tell_unassigned(d, REGISTRY_ADDED, is->unassigned[k]);
		i += cmp <= 0;
		k += cmp >= 0;
	}
}

size_t registry_diff(const struct registry *was, const struct registry *is,
	void (*fn)(void *arg, const struct registry_change *c), void *arg)
{
	struct differ d = {.fn = fn, .arg = arg};
	size_t old_count, new_count, i = 0, k = 0;
	struct entry *old = sorted(was, &old_count), *new = sorted(is, &new_count);

	while (i < old_count || k < new_count) {
		int cmp = i == old_count   ? 1
			  : k == new_count ? -1
					   : entry_cmp(&old[i], &new[k]);
		if (cmp < 0)
			tell(&d, &old[i++], (struct registry_change){.op = REGISTRY_REMOVED});
		else if (cmp > 0)
			tell_added(&d, &new[k++]);
		else
			compare(&d, &old[i++], &new[k++]);
	}
	free(old);
	free(new);
	compare_unassigned(&d, was, is);
	return d.count;
}
