/* The agent's books as scenarios: what happens, and what is then told to quelld, the forwarding table, the plane and members.
 *
 * A step is a command and what came of it, as words in any order:
 *   +A -A             said: a MAC          +A/ip  -A/ip        said: an address; then ! immutable, r router, ^ claim;
 *                                                              no-override
 *   A@10 A@10.0.0.3   place of a MAC; A@- gone, A@self, A@?: behind a PE not known yet, A@trap
 *   ?A/ip             A is asked (at its port, from the PE's MAC) whether it has the address
 *   11!A/ip           port 11 is told that A has the address; then r router
 *   life:A/ip         a sponged address has an owner
 *   alarm
 * `bind IP` and `mac M` show what the plane holds: flags S static, R router, A alt, s silent, P sponge, w watch, x exchange,
 * - no override; S static, r report, d down, = self, t trap.
 */
#pragma once
#include <check.h>
#include <stdarg.h>
#include <stdio.h>

#include "frames.h"
#include "lib/siphash.h"
#include "proxyarp/binding.h"

#define LAN 100
#define WORDS 64

struct world {
	struct bindings *b;
	struct plane *plane;
	struct binding_config config;
	struct binding_hooks hooks;
	uint64_t now_ms;
	char words[WORDS][64];
	int count;
};

static void word(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void word(struct world *w, const char *fmt, ...)
{
	va_list ap;

	ck_assert_int_lt(w->count, WORDS);
	va_start(ap, fmt);
	vsnprintf(w->words[w->count++], sizeof(w->words[0]), fmt, ap);
	va_end(ap);
}

static void on_say(void *arg, const struct binding_say *s)
{
	char t[IP_TEXT];

	word(arg, "%c%c%s%s%s%s%s", s->add ? '+' : '-', s->mac.b[5], s->ip.family ? "/" : "",
		s->ip.family ? ip_format(s->ip, t) : "", s->add && s->immutable ? "!" : "",
		s->add && s->router ? "r" : "", s->claim ? "^" : "");
	if (s->add && s->ip.family && !s->override)
		word(arg, "no-override");
}

static void on_place(void *arg, struct mac mac, enum binding_place place, uint32_t ifindex, struct ip vtep)
{
	char t[IP_TEXT];

	if (place == PLACE_PORT)
		word(arg, "%c@%u", mac.b[5], ifindex);
	else if (place == PLACE_REMOTE)
		word(arg, "%c@%s", mac.b[5], vtep.family ? ip_format(vtep, t) : "?");
	else
		word(arg, "%c@%s", mac.b[5], place == PLACE_SELF ? "self" : place == PLACE_TRAP ? "trap" : "-");
}

/* A question goes to one MAC, from the PE's own; an announcement to all, from the owner's. */
static void on_send(void *arg, uint32_t ifindex, const uint8_t *f, size_t len)
{
	bool arp = f[12] == 8, na = !arp && f[54] == 136;
	struct ip ip = arp ? ip_v4(f + 38) : ip_v6(f + 62);
	char t[IP_TEXT];

	ck_assert_uint_eq(len, arp ? 42 : 86);
	if (f[0] & 1)
		word(arg, "%u!%c/%s%s", ifindex, f[11], ip_format(ip, t), na && f[58] & 0x80 ? "r" : "");
	else
		word(arg, "?%c/%s", f[5], ip_format(ip, t));
}

static void on_life(void *arg, struct ip ip, struct mac mac, uint32_t ifindex, struct ip vtep)
{
	char t[IP_TEXT];

	ck_assert(!ifindex || !vtep.family);
	word(arg, "life:%c/%s", mac.b[5], ip_format(ip, t));
}

static void on_alarm(void *arg, const char *what, uint32_t ifindex, struct mac mac, struct ip ip)
{
	(void)what;
	(void)ifindex;
	(void)mac;
	(void)ip;
	word(arg, "alarm");
}

struct shown {
	struct world *w;
	struct ip ip;
	char mac;
};

static void show_bind(struct shown *s, struct ip ip, const struct layout_bind *v)
{
	if (ip_eq(ip, s->ip))
		word(s->w, "%c@%u%s%s%s%s%s%s%s%s", v->mac[5], v->ifindex, v->flags & BIND_STATIC ? "S" : "",
			v->flags & BIND_ROUTER ? "R" : "", v->flags & BIND_ALT ? "A" : "",
			v->flags & BIND_SILENT ? "s" : "", v->flags & BIND_SPONGE ? "P" : "",
			v->flags & BIND_WATCH ? "w" : "", v->flags & BIND_EXCHANGE ? "x" : "",
			v->flags & (BIND_OVERRIDE | BIND_SPONGE | BIND_SILENT) ? "" : "-");
}

static void show_bind4(void *arg, const struct layout_key4 *k, const struct layout_bind *v)
{
	ck_assert_uint_eq(k->lan, LAN);
	show_bind(arg, ip_v4(k->ip), v);
}

static void show_bind6(void *arg, const struct layout_key6 *k, const struct layout_bind *v)
{
	show_bind(arg, ip_v6(k->ip), v);
}

static void show_mac(void *arg, const struct layout_mac_key *k, const struct layout_mac *v)
{
	struct shown *s = arg;

	if (k->mac[5] == (uint8_t)s->mac)
		word(s->w, "@%u/%u%s%s%s%s%s", v->ifindex, v->home, v->flags & MAC_STATIC ? "S" : "",
			v->flags & MAC_REPORT ? "r" : "", v->flags & MAC_SELF ? "=" : "",
			v->flags & MAC_DOWN ? "d" : "", v->flags & MAC_TRAP ? "t" : "");
}

/* "10 closed A,a 198.18.0.1,2001:db8::1 and B former b 198.18.0.2"; up unless it says down; "host": not routers, "exchange": the exchange's */
static void do_port(struct world *w, char **arg, int n)
{
	struct binding_port p = {.up = true};
	bool former = false;
	uint32_t ifindex = (uint32_t)atoi(arg[1]);
	uint8_t group = 0, flags = 0;

	for (int i = 2; i < n; i++) {
		char *save = NULL;
		if (strcmp(arg[i], "closed") == 0)
			p.closed = true;
		else if (strcmp(arg[i], "former") == 0)
			former = true;
		else if (strcmp(arg[i], "down") == 0)
			p.up = false;
		else if (strcmp(arg[i], "and") == 0)
			group++, former = false;
		else if (strcmp(arg[i], "host") == 0)
			flags = BIND_OVERRIDE;
		else if (strcmp(arg[i], "exchange") == 0)
			flags = BIND_OVERRIDE | BIND_ROUTER | BIND_EXCHANGE;
		else if (strcmp(arg[i], "open") != 0)
			for (char *t = strtok_r(arg[i], ",", &save); t; t = strtok_r(NULL, ",", &save)) {
				if (t[1] == '\0') {
					p.mac_group[p.mac_count] = group;
					p.mac_former[p.mac_count] = former;
					p.macs[p.mac_count++] = frame_mac(t[0]);
				} else {
					p.ip_group[p.ip_count] = group;
					p.ip_flags[p.ip_count] = flags;
					p.ips[p.ip_count++] = frame_ip(t);
				}
			}
	}
	int r = bindings_port_set(w->b, ifindex, &p);
	if (r)
		word(w, "%d", r);
}

static void do_event(struct world *w, char **arg, int n)
{
	struct layout_event e = {.lan = LAN, .ifindex = (uint32_t)atoi(arg[1])};
	bool learn = strcmp(arg[0], "arp") == 0 || strcmp(arg[0], "na") == 0;
	struct ip ip = n > 3 ? frame_ip(arg[3]) : (struct ip){0};

	e.type = learn				    ? EVENT_BINDING
		 : strcmp(arg[0], "moved") == 0 ? EVENT_MOVED
		 : strcmp(arg[0], "spoof") == 0 ? EVENT_SPOOF
						    : EVENT_MAC;
	e.outcome = e.type == EVENT_SPOOF ? OUTCOME_SPOOF_IP : OUTCOME_ABSORBED;
	e.family = ip.family;
	memcpy(e.ip, ip.b, 16);
	memcpy(e.mac, frame_mac(arg[2][0]).b, 6);
	if (strcmp(arg[0], "na") == 0)
		e.flags = EVENT_NA;
	for (int i = 4; i < n; i++)
		if (strcmp(arg[i], "flooded") == 0)
			e.outcome = OUTCOME_FLOODED;
		else
			e.flags |= arg[i][0] == 'R' ? EVENT_NA_ROUTER : EVENT_NA_OVERRIDE;
	bindings_event(w->b, &e, w->now_ms);
}

/* "rmac M VTEP SEQ [sticky]", "rbind IP M VTEP [I] [R]" */
static void do_remote(struct world *w, char **arg, int n)
{
	struct binding_remote r = {.override = true};
	int x;

	if (strcmp(arg[0], "rmac") == 0) {
		r.mac = frame_mac(arg[1][0]);
		r.vtep = frame_ip(arg[2]);
		r.seq = (uint32_t)atoi(arg[3]);
		r.sticky = n > 4;
		x = bindings_remote_mac(w->b, &r);
	} else {
		r.ip = frame_ip(arg[1]);
		r.mac = frame_mac(arg[2][0]);
		r.vtep = frame_ip(arg[3]);
		for (int i = 4; i < n; i++)
			*(arg[i][0] == 'I' ? &r.immutable : &r.router) = true;
		x = bindings_remote_bind(w->b, &r);
	}
	if (x)
		word(w, "%d", x);
}

static void open_books(struct world *w)
{
	w->b = bindings_new(&w->config, &w->hooks);
	ck_assert_ptr_nonnull(w->b);
}

static void adopt4(void *arg, const struct layout_key4 *k, const struct layout_bind *v)
{
	struct world *w = arg;

	bindings_adopt_bind(w->b, ip_v4(k->ip), v, w->now_ms);
}

static void adopt6(void *arg, const struct layout_key6 *k, const struct layout_bind *v)
{
	struct world *w = arg;

	bindings_adopt_bind(w->b, ip_v6(k->ip), v, w->now_ms);
}

static void adopt_mac(void *arg, const struct layout_mac_key *k, const struct layout_mac *v)
{
	struct world *w = arg;

	bindings_adopt_mac(w->b, k, v, w->now_ms);
}

/* The agent dies and starts again on the same plane. */
static void do_restart(struct world *w)
{
	bindings_free(w->b);
	open_books(w);
	plane_null.mac_each(w->plane, adopt_mac, w);
	plane_null.bind4_each(w->plane, adopt4, w);
	plane_null.bind6_each(w->plane, adopt6, w);
}

static void do_show(struct world *w, char **arg)
{
	struct shown s = {.w = w};

	if (strcmp(arg[0], "mac") == 0) {
		s.mac = arg[1][0];
		plane_null.mac_each(w->plane, show_mac, &s);
	} else {
		s.ip = frame_ip(arg[1]);
		plane_null.bind4_each(w->plane, show_bind4, &s);
		plane_null.bind6_each(w->plane, show_bind6, &s);
	}
}

static void number(struct world *w, int n)
{
	if (n)
		word(w, "%d", n);
}

static void run(struct world *w, const char *command)
{
	char line[256], *arg[16] = {NULL}, *save = NULL;
	int n = 0;

	snprintf(line, sizeof(line), "%s", command);
	for (char *t = strtok_r(line, " ", &save); t && n < 16; t = strtok_r(NULL, " ", &save))
		arg[n++] = t;
	w->count = 0;
	if (strcmp(arg[0], "port") == 0)
		do_port(w, arg, n);
	else if (strcmp(arg[0], "up") == 0 || strcmp(arg[0], "down") == 0)
		bindings_port_up(w->b, (uint32_t)atoi(arg[1]), arg[0][0] == 'u');
	else if (strcmp(arg[0], "noport") == 0)
		bindings_port_del(w->b, (uint32_t)atoi(arg[1]));
	else if (strcmp(arg[0], "reserve") == 0)
		bindings_reserve(w->b, frame_mac(arg[1][0]));
	else if (strcmp(arg[0], "self") == 0)
		bindings_self(w->b, frame_mac(arg[1][0]), 5);
	else if (arg[0][0] == 'r' && (strcmp(arg[0], "rmac") == 0 || strcmp(arg[0], "rbind") == 0))
		do_remote(w, arg, n);
	else if (strcmp(arg[0], "rmac-del") == 0)
		bindings_remote_mac_del(w->b, frame_mac(arg[1][0]));
	else if (strcmp(arg[0], "rbind-del") == 0)
		bindings_remote_bind_del(w->b, frame_ip(arg[1]));
	else if (strcmp(arg[0], "mark") == 0)
		bindings_remote_mark(w->b);
	else if (strcmp(arg[0], "sweep") == 0)
		bindings_remote_sweep(w->b);
	else if (strcmp(arg[0], "snapshot") == 0)
		bindings_snapshot(w->b);
	else if (strcmp(arg[0], "forgotten") == 0)
		bindings_forgotten(w->b, (uint32_t)atoi(arg[1]), frame_mac(arg[2][0]));
	else if (strcmp(arg[0], "tick") == 0)
		bindings_tick(w->b, w->now_ms += (uint64_t)atoi(arg[1]) * 1000);
	else if (strcmp(arg[0], "wait") == 0)
		w->now_ms += (uint64_t)atoi(arg[1]);
	else if (strcmp(arg[0], "trap") == 0)
		number(w, bindings_trap(w->b, frame_mac(arg[1][0])));
	else if (strcmp(arg[0], "exchange") == 0)
		number(w, bindings_exchange(w->b, frame_ip(arg[1])));
	else if (strcmp(arg[0], "sponge") == 0)
		number(w, bindings_sponge_set(w->b, frame_ip(arg[1]), frame_mac(arg[2][0])));
	else if (strcmp(arg[0], "clear") == 0)
		number(w, bindings_clear_duplicate(w->b, frame_ip(arg[1])));
	else if (strcmp(arg[0], "unsponge") == 0)
		bindings_sponge_del(w->b, frame_ip(arg[1]));
	else if (strcmp(arg[0], "restart") == 0)
		do_restart(w);
	else if (strcmp(arg[0], "adopted") == 0)
		bindings_adopted(w->b);
	else if (strcmp(arg[0], "mac") == 0 || strcmp(arg[0], "bind") == 0)
		do_show(w, arg);
	else
		do_event(w, arg, n);
	/* All that may go at once. */
	bindings_drain(w->b, w->now_ms += 20);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void join(struct world *w, char *buf, size_t cap)
{
	size_t at = 0;

	qsort(w->words, (size_t)w->count, sizeof(w->words[0]), by_text);
	buf[0] = '\0';
	for (int i = 0; i < w->count; i++)
		at += (size_t)snprintf(buf + at, cap - at, "%s%s", i ? " " : "", w->words[i]);
}

static void normal(const char *text, char *buf, size_t cap)
{
	struct world w = {.count = 0};
	char line[1024], *save = NULL;

	snprintf(line, sizeof(line), "%s", text);
	for (char *t = strtok_r(line, " ", &save); t; t = strtok_r(NULL, " ", &save))
		word(&w, "%s", t);
	join(&w, buf, cap);
}

struct step {
	const char *command, *expect;
};

struct scenario {
	const char *name;
	struct step steps[24];
};

static void world_open(struct world *w, const struct binding_config *c, uint32_t max, uint32_t per_port)
{
	static struct prefix prefixes[2];
	static const struct plane_limits limits = {256, 256, 256, 16, 16};
	bool adopted;

	siphash_process_key_fix(1, 2);
	prefix_parse("198.18.0.0/21", &prefixes[0]);
	prefix_parse("2001:db8::/64", &prefixes[1]);
	*w = (struct world){.now_ms = 5000};
	ck_assert_int_eq(plane_null.open(NULL, &limits, &w->plane, &adopted), 0);
	w->hooks = (struct binding_hooks){.ops = &plane_null,
		.plane = w->plane,
		.say = on_say,
		.place = on_place,
		.send = on_send,
		.life = on_life,
		.alarm = on_alarm,
		.arg = w};
	w->config = (struct binding_config){.lan = LAN,
		.prefixes = prefixes,
		.prefix_count = 2,
		.max_bindings = max,
		.max_macs = max,
		.max_per_port = per_port,
		.age_sec = 100,
		.na_new = true};
	if (c) {
		w->config = *c;
		w->config.lan = LAN;
		w->config.prefixes = prefixes;
		w->config.prefix_count = 2;
		w->config.max_bindings = w->config.max_macs = max;
		w->config.max_per_port = per_port;
		w->config.age_sec = c->age_sec ? c->age_sec : 100;
		w->config.announce.rate = w->config.announce.port_rate = 1000;
	}
	open_books(w);
}

static void world_close(struct world *w)
{
	bindings_free(w->b);
	plane_null.close(w->plane, false);
}

static void play(const struct scenario *s, const struct binding_config *c)
{
	struct world w;
	char got[2048], want[2048];

	world_open(&w, c, 64, 0);
	for (int i = 0; i < 24 && s->steps[i].command; i++) {
		run(&w, s->steps[i].command);
		join(&w, got, sizeof(got));
		normal(s->steps[i].expect, want, sizeof(want));
		ck_assert_msg(strcmp(got, want) == 0, "%s, step %d: %s: \"%s\", not \"%s\"", s->name, i,
			s->steps[i].command, got, want);
	}
	world_close(&w);
}
