/* Telling the watch again what is best of every key, in slices: a LAN that is new, or whose route targets are others,
 * learns what the RIB holds without the loop standing still for a million routes. A key that changes meanwhile is told
 * as always, and moves behind the walk, which may tell it once more; the watch takes the same again for nothing. */
#include "bgp/retell.h"

#include <errno.h>

#include "bgp/engine.h"

#define SLICE 512 /* keys: what the watch does with each takes some microseconds */

int speaker_retell(struct speaker *s, uint64_t now_ms)
{
	int err = 0;

	s->now_ms = now_ms;
	for (unsigned i = 0; i < s->tables; i++)
		if (rib_marker_first(&s->table[i].rib, &s->table[i].retell_at) < 0)
			err = -ENOMEM;
	return err;
}

bool speaker_is_retelling(const struct speaker *s)
{
	for (unsigned i = 0; i < s->tables; i++)
		if (s->table[i].retell_at.node)
			return true;
	return false;
}

static void slice(struct table *t)
{
	struct dest **dests = t->s->dests;
	size_t count = rib_ahead(&t->rib, &t->retell_at, dests, SLICE);

	/* Before they are told: those of which that makes something new move to the end. */
	if (count)
		rib_marker_pass(&t->rib, &t->retell_at, dests[count - 1]);
	for (size_t i = 0; i < count; i++)
		if (rib_best(&t->rib, dests[i]))
			speaker_tell(t, dests[i]);
	if (count < SLICE)
		rib_marker_del(&t->rib, &t->retell_at);
}

void retell_run(struct speaker *s)
{
	for (unsigned i = 0; i < s->tables; i++)
		if (s->table[i].retell_at.node)
			slice(&s->table[i]);
}

void retell_stop(struct speaker *s)
{
	for (unsigned i = 0; i < s->tables; i++)
		rib_marker_del(&s->table[i].rib, &s->table[i].retell_at);
}
