/* `quell registry`: the exchange's books, got, looked at and compared. quell-registry(1). */
#pragma once
#include <jansson.h>
#include <stdbool.h>

#include "config/config.h"
#include "lib/ip.h"
#include "lib/mac.h"
#include "registry/registry.h"

struct registry_options {
	const char *config; /* NULL: the default */
	const char *lan, *out, *dir;
	bool json, force, dry_run, reload;
	/* what is shown; zero or NULL: any */
	uint32_t asn;
	struct mac mac;
	struct ip ip;
	const char *port;
};

/* All of the command line, argv[0] being "registry". The exit status. */
int registry_command(int argc, char **argv);

/* 0 or 1, as the exit status. */
int registry_do_fetch(const struct registry_options *o);
int registry_do_reload(const struct registry_options *o);
int registry_do_import(const struct registry_options *o, char **words, int count);
int registry_do_show(const struct registry_options *o, const char *word);
int registry_do_diff(const struct registry_options *o, const char *was, const char *is);
int registry_do_check(const struct registry_options *o, char **words, int count);

/* --- for these --- */

/* NULL, told. */
struct config *registry_config(const struct registry_options *o);
/* The LAN that -c and --lan name; NULL: none is named. False, told: there is no such. */
bool registry_find_lan(
	const struct registry_options *o, struct config **ret, const struct config_lan **ret_lan);
/* Prints and frees it. */
void registry_dump(json_t *o);
bool registry_is(const json_t *o, const char *key, const char *text);

void registry_show_table(const struct registry *r, const struct registry_options *o, bool colour);
json_t *registry_show_json(const struct registry *r, const struct registry_options *o);
