/* The sponge over a restart: its file is written when what it says has changed, at most once in SAVE_MS, now and then anyhow, since
 * an old one is not believed, and at the end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/agent_sponge.h"
#include "daemon/loop.h"
#include "daemon/sponge_file.h"
#include "lib/statefile.h"

#define SAVE_MS 10000
#define REFRESH_MS 600000
#define NAME_LEN 256

static void name_of(const struct agent_lan *lan, char name[NAME_LEN])
{
	snprintf(name, NAME_LEN, "sponge-%s.json", lan->c->name);
}

static uint64_t wall_sec(void)
{
	time_t t = time(NULL);

	return t > 0 ? (uint64_t)t : 0;
}

/* --- save --- */

struct saving {
	const struct agent_lan *lan;
	struct sponge_file f;
	size_t cap;
	uint64_t now_ms;
};

static uint64_t sec_since(const struct saving *s, uint64_t ms)
{
	return s->now_ms > ms ? (s->now_ms - ms) / 1000 : 0;
}

static void save_row(void *arg, const struct sponge_view *v)
{
	struct saving *s = arg;
	struct sponge_file_row *r;

	if (v->state < SPONGE_SPONGED || (v->state == SPONGE_STATIC && !v->said))
		return;
	if (s->f.count == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 64;
		s->f.rows = reallocarray(s->f.rows, s->cap, sizeof(*s->f.rows));
		if (!s->f.rows)
			abort();
	}
	r = &s->f.rows[s->f.count++];
	*r = (struct sponge_file_row){.ip = v->ip,
		.state = v->state,
		.age_sec = sec_since(s, v->since_ms),
		.asked_sec = v->asked_ms ? (int64_t)sec_since(s, v->asked_ms) : -1,
		.queries = v->queries,
		.trapped = v->trapped};
	for (uint32_t i = 0; i < v->asker_count; i++) {
		const struct agent_port *port = agent_port_find(s->lan, v->askers[i].ifindex);
		struct sponge_file_asker *a = &r->askers[r->asker_count];
		if (!port || strlen(port->name) >= sizeof(a->port))
			continue;
		strcpy(a->port, port->name);
		a->mac = v->askers[i].mac;
		r->asker_count++;
	}
}

void agent_sponge_save(struct agent_sponge *p)
{
	const char *dir = p->lan->agent->config->state_dir;
	struct saving s = {.lan = p->lan, .now_ms = loop_now_ms()};
	struct sponge_stats st;
	char name[NAME_LEN];

	if (p->saved_ms && s.now_ms - p->saved_ms < SAVE_MS)
		return;
	sponge_stats(p->s, s.now_ms, &st);
	bool due = !p->saved_ms || s.now_ms - p->saved_ms >= REFRESH_MS;
	if (!sponge_dirty(p->s) && !(due && st.sponged + st.statics))
		return;
	p->saved_ms = s.now_ms;
	sponge_each(p->s, save_row, &s);
	name_of(p->lan, name);
	char *text = sponge_file_write(&s.f, p->lan->c->name, wall_sec());
	int r = text ? statefile_write(dir, name, text, strlen(text)) : -ENOMEM;
	if (r < 0)
		log_limited(&p->file_log, s.now_ms, LOG_PROXYARP, LOG_LEVEL_WARNING,
			"%s/%s: %s: a restart will forget what is sponged", dir, name,
			strerror(-r));
	free(text);
	sponge_file_free(&s.f);
}

/* --- load --- */

static void load_row(struct agent_sponge *p, const struct sponge_file *f,
	const struct sponge_file_row *r, uint64_t now_ms)
{
	uint64_t away = f->age_sec, was = (r->age_sec + away) * 1000;
	uint64_t asked = r->asked_sec < 0 ? 0 : ((uint64_t)r->asked_sec + away) * 1000;
	struct sponge_asker askers[SPONGE_ASKERS];
	struct sponge_view v = {.ip = r->ip,
		.state = r->state,
		.since_ms = now_ms > was ? now_ms - was : 0,
		.asked_ms = r->asked_sec < 0 ? 0
			    : now_ms > asked ? now_ms - asked
					     : 1,
		.queries = r->queries,
		.trapped = r->trapped,
		.askers = askers};

	for (uint32_t i = 0; i < r->asker_count; i++) {
		const struct link *l = links_find(p->lan->agent->links, r->askers[i].port);
		if (l && agent_port_find(p->lan, l->ifindex))
			askers[v.asker_count++] =
				(struct sponge_asker){l->ifindex, r->askers[i].mac, v.asked_ms};
	}
	sponge_restore(p->s, &v, now_ms);
}

void agent_sponge_load(struct agent_sponge *p)
{
	const char *dir = p->lan->agent->config->state_dir, *why = NULL;
	struct sponge_file f = {0};
	uint64_t now = loop_now_ms();
	char name[NAME_LEN], *text = NULL;
	size_t len = 0;

	name_of(p->lan, name);
	int r = statefile_read(dir, name, SPONGE_FILE_MAX, &text, &len);
	if (r == -ENOENT)
		return;
	if (r < 0)
		why = strerror(-r);
	else
		r = sponge_file_read(text, len, p->lan->c->name, wall_sec(), &f, &why);
	if (r == 0)
		sponge_restored(p->s, f.age_sec * 1000);
	if (r < 0)
		log_warning(LOG_PROXYARP, "%s/%s: not read: %s; what was sponged is not known", dir,
			name, why);
	else if (r > 0)
		log_notice(LOG_PROXYARP, "%s/%s: too old: only what the operator said is taken",
			dir, name);
	for (size_t i = 0; i < f.count; i++)
		load_row(p, &f, &f.rows[i], now);
	sponge_file_free(&f);
	free(text);
}
