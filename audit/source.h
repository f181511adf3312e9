/* The octets of a capture file, in order: a file (gzipped or not; "-" is standard input), or memory. Only audit/ includes this. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/read.h"

/* A record is never longer; what says it is, is no capture. */
#define SOURCE_RECORD_MAX (1u << 20)

struct source {
	void *gz;		/* gzFile; NULL: memory */
	const uint8_t *p;	/* what has been read and not been taken */
	size_t have;
	uint8_t *room;
	bool ended, damaged;
	uint64_t offset; /* of p, in the (unpacked) file */
};

/* 0 or -errno. */
int source_open(struct source *s, const char *path);
void source_of_memory(struct source *s, const void *octets, size_t len);
void source_close(struct source *s);

/* The next `len` octets (at most 2 SOURCE_RECORD_MAX) without taking them; NULL: there are fewer. Valid until the next call. */
const uint8_t *source_peek(struct source *s, size_t len);
const uint8_t *source_take(struct source *s, size_t len);
/* False: there were fewer. */
bool source_skip(struct source *s, uint64_t len);
/* Nothing is left at all. */
bool source_at_end(struct source *s);

/* --- what reads them, after the first octets said which it is --- */

struct capture {
	struct audit *a;
	const char *path, *port;
	struct source *s;
	char *err;
	uint64_t number; /* of the record or block */
	uint64_t at;	 /* where it begins */
};

#define LINK_ETHERNET 1

/* err and -EINVAL, or -ENODATA when the file just ends. */
int capture_wrong(const struct capture *c, const char *unit, int error, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The name of the port when nobody has said it. */
void capture_port_name(const struct capture *c, char *buf, size_t size);
int capture_link_wrong(const struct capture *c, const char *unit, uint32_t link);

int pcap_file_read(struct capture *c);
int pcapng_file_read(struct capture *c);
/* Makes the ports alone, of the interfaces that are described before the first packet. */
void pcapng_file_expect(struct capture *c);
