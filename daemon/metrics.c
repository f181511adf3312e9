#include "daemon/metrics.h"

#include <stdlib.h>

#define SECTIONS_MAX 8

void metrics_line(struct openmetrics *m, const char *key, const char *value, const char *key2,
	const char *value2, uint64_t n)
{
	openmetrics_sample(m);
	openmetrics_label(m, key, value);
	if (key2)
		openmetrics_label(m, key2, value2);
	openmetrics_value(m, n);
}

struct metrics_job {
	const struct metrics_section *section[SECTIONS_MAX];
	size_t count, at; /* sections */
	bool prepared;
	size_t items, family, item;
	struct openmetrics m;
	void *arg;
	void (*release)(void *arg);
};

static void next_section(struct metrics_job *j)
{
	j->at++;
	j->prepared = false;
}

static bool prepare(struct metrics_job *j, const struct metrics_section *s)
{
	if (s->prepare && s->prepare(j->arg))
		return true;
	j->prepared = true;
	j->items = s->items ? s->items(j->arg) : 1;
	j->family = j->item = 0;
	/* A family without samples says nothing. */
	if (!j->items)
		next_section(j);
	return true;
}

static bool step(void *arg, struct textbuf *out)
{
	struct metrics_job *j = arg;

	j->m.out = out;
	if (j->at == j->count) {
		openmetrics_end(&j->m);
		return false;
	}
	const struct metrics_section *s = j->section[j->at];
	if (!j->prepared)
		return prepare(j, s);
	if (j->item == 0)
		openmetrics_family(&j->m, &s->families[j->family]);
	s->sample(j->arg, &j->m, j->family, j->item);
	if (++j->item == j->items) {
		j->item = 0;
		if (++j->family == s->family_count)
			next_section(j);
	}
	return true;
}

static void job_free(void *arg)
{
	struct metrics_job *j = arg;

	if (j->release)
		j->release(j->arg);
	free(j);
}

void metrics_answer(struct http_answer *ret, const struct http_request *r,
	const struct metrics_section *const *sections, size_t count, void *arg, void (*release)(void *arg))
{
	struct metrics_job *j = calloc(1, sizeof(*j));

	if (!j || count > SECTIONS_MAX)
		abort();
	j->count = count;
	for (size_t i = 0; i < count; i++)
		j->section[i] = sections[i];
	j->arg = arg;
	j->release = release;
	j->m.form = r->openmetrics ? METRICS_OPENMETRICS : METRICS_PROMETHEUS;
	*ret = (struct http_answer){200, openmetrics_content_type[j->m.form], step, job_free, j};
}
