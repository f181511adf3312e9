/* What the sponge of a LAN knows, as it is kept over a restart: state-dir/sponge-LAN.json. Ages and not times, since no clock of one
 * life means anything in the next; only when it was written is a time of day. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "proxyarp/sponge.h"

#define SPONGE_FILE_MAX (16 * 1024 * 1024)
/* Older than that, nothing that was found out is believed; the operator's word is. */
#define SPONGE_FILE_AGE_SEC 3600
#define SPONGE_FILE_PORT 16

struct sponge_file_asker {
	char port[SPONGE_FILE_PORT];
	struct mac mac;
};

struct sponge_file_row {
	struct ip ip;
	enum sponge_state state; /* SPONGED or STATIC */
	uint64_t age_sec;	 /* in that state */
	int64_t asked_sec;	 /* last asked for so long ago; -1: never */
	uint64_t queries, trapped;
	struct sponge_file_asker askers[SPONGE_ASKERS];
	uint32_t asker_count;
};

struct sponge_file {
	struct sponge_file_row *rows;
	size_t count;
	uint64_t age_sec; /* read: since it was written */
};

/* To be freed; NULL: out of memory. */
char *sponge_file_write(const struct sponge_file *f, const char *lan, uint64_t wall_sec);
/* Whole or not at all, but for what is too old. 0; 1: it is too old, and only what is static was taken; -EINVAL: not such a file, or
 * of another LAN; *ret_why is a constant text then. */
int sponge_file_read(const char *text, size_t len, const char *lan, uint64_t wall_sec,
	struct sponge_file *ret, const char **ret_why);
void sponge_file_free(struct sponge_file *f);
