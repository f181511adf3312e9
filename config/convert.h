/* From text in the file to values, each with its error at its place. A conversion that fails adds an error and leaves
 * the default; the file as a whole is then refused. `text` NULL: the key is absent, the default stands. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/ip.h"
#include "lib/mac.h"
#include "lib/rd.h"
#include "lib/yaml.h"
#include "proxyarp/layout.h"

struct convert {
	struct yaml_file *file;
	struct yaml_errors *errs;
	char at[128]; /* where: "lans[0].agent" */
};

struct convert_word {
	const char *word;
	int value;
};

/* Sets the place: the prefix of the keys converted next. */
void convert_at(struct convert *cv, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* An error at key `key` of the place. */
void convert_error(struct convert *cv, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

void convert_ip(struct convert *cv, const char *key, const char *text, struct ip *ret);
void convert_ipv4(struct convert *cv, const char *key, const char *text, struct ip *ret);
void convert_prefix(struct convert *cv, const char *key, const char *text, struct prefix *ret);
void convert_rt(struct convert *cv, const char *key, const char *text, struct rt *ret);
void convert_rd(struct convert *cv, const char *key, const char *text, struct rd *ret);
/* That of a host. */
void convert_mac(struct convert *cv, const char *key, const char *text, struct mac *ret);
/* "100 kbit", "1.5 mbit", "200 pps", "0"; with the burst that goes with it. */
void convert_policer(struct convert *cv, const char *key, const char *text, struct layout_policer *ret);
/* Seconds, at least 1; "never": 0. */
void convert_never(struct convert *cv, const char *key, const char *text, uint32_t max, uint32_t *ret);
/* One of a table that ends with a NULL word; the error names them all. */
void convert_word(struct convert *cv, const char *key, const char *text,
	const struct convert_word *words, int *ret);
/* `given` 0 means absent. */
void convert_number(struct convert *cv, const char *key, uint32_t given, uint32_t min, uint32_t max,
	uint32_t *ret);
/* NULL means absent, so that 0 can be said. */
void convert_count(struct convert *cv, const char *key, const uint32_t *given, uint32_t min,
	uint32_t max, uint32_t *ret);
void convert_flag(const bool *given, bool *ret);
/* strdup that aborts when out of memory, as everything at start-up does; NULL stays NULL. */
char *convert_copy(const char *text);
void *convert_array(size_t count, size_t size);
