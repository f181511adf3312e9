#include "audit/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* Whole records of any length fit behind what is left of the one before. */
#define ROOM (4u * SOURCE_RECORD_MAX)

int source_open(struct source *s, const char *path)
{
	*s = (struct source){.room = malloc(ROOM)};
	if (!s->room)
		return -ENOMEM;
	/* zlib opens a directory, and then cannot say what is wrong with it. */
	struct stat st;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		free(s->room);
		s->room = NULL;
		return -EISDIR;
	}
	errno = 0;
	gzFile gz = strcmp(path, "-") == 0 ? gzdopen(dup(STDIN_FILENO), "rb") : gzopen(path, "rbe");
	if (!gz) {
		int e = errno;
		free(s->room);
		s->room = NULL;
		return e ? -e : -ENOMEM;
	}
	gzbuffer(gz, 1u << 17);
	s->gz = gz;
	s->p = s->room;
	return 0;
}

void source_of_memory(struct source *s, const void *octets, size_t len)
{
	*s = (struct source){.p = octets, .have = len, .ended = true};
}

void source_close(struct source *s)
{
	if (s->gz)
		gzclose_r(s->gz);
	free(s->room);
	*s = (struct source){0};
}

static void fill(struct source *s)
{
	if (s->ended)
		return;
	memmove(s->room, s->p, s->have);
	s->p = s->room;
	unsigned want = (unsigned)(ROOM - s->have);
	int n = gzread(s->gz, s->room + s->have, want);
	s->have += n > 0 ? (size_t)n : 0;
	if (n < 0 || (unsigned)n < want) {
		int e = Z_OK;
		gzerror(s->gz, &e);
		s->damaged = n < 0 || (e != Z_OK && e != Z_STREAM_END);
		s->ended = true;
	}
}

const uint8_t *source_peek(struct source *s, size_t len)
{
	while (s->have < len && !s->ended)
		fill(s);
	return s->have < len ? NULL : s->p;
}

const uint8_t *source_take(struct source *s, size_t len)
{
	const uint8_t *p = source_peek(s, len);

	if (!p)
		return NULL;
	s->p += len;
	s->have -= len;
	s->offset += len;
	return p;
}

bool source_skip(struct source *s, uint64_t len)
{
	while (len) {
		size_t n = len < SOURCE_RECORD_MAX ? (size_t)len : SOURCE_RECORD_MAX;
		if (!source_take(s, n))
			return false;
		len -= n;
	}
	return true;
}

bool source_at_end(struct source *s)
{
	return !source_peek(s, 1);
}
