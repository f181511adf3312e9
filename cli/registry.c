/* The command line of `quell registry`. */
#include <config.h>

#include "cli/registry.h"
#include "cli/usage.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_CONFIG "/etc/quell/quell.yaml"

static const char help[] =
	"usage: quell registry fetch [LAN] [--force] [--dry-run] [--reload] [--json]\n"
	"       quell registry reload\n"
	"       quell registry import FILE[@PE[,SWITCH]] ... [-o OUT] [--lan LAN] [--force] "
	"[--dry-run] [--json]\n"
	"       quell registry show [LAN | FILE] [--asn AS] [--mac MAC] [--ip IP] [--port PORT] "
	"[--json]\n"
	"       quell registry diff OLD NEW [--json]\n"
	"       quell registry check FILE[@PE[,SWITCH]] ... [--lan LAN] [--json]\n"
	"\n"
	"fetch gets the registry of a LAN, or of all, from the exchange's IXP Manager, as `fetch` "
	"in the\n"
	"configuration says, and puts it in the place of the one in force, if nothing speaks "
	"against it.\n"
	"reload has the daemons take over what fetch has written, if they have not yet.\n"
	"import does the same as fetch with files: the IX-F member export, layer2interfaces, vlans, "
	"ip-addresses,\n"
	"or our own YAML; without -o it goes to the standard output. The interfaces of a switch "
	"are those\n"
	"of the PE with the router id PE; SWITCH is its name.\n"
	"show tells who is registered where; diff, what changed from one file to another; check, "
	"what\n"
	"quell-agent would say of files.\n"
	"\n"
	"  -c, --config FILE  the configuration (" DEFAULT_CONFIG ")\n"
	"  --lan LAN          the LAN whose addresses and tag count (import, check)\n"
	"  -o FILE            write there, in the place of what is there\n"
	"  --force            also if much would go, or if it was not written by quell registry\n"
	"  --dry-run          only show what would change\n"
	"  --reload           have the daemons take it over, if it changed\n"
	"  --socket-dir DIR   where their sockets are\n"
	"  --json             for machines\n";

enum {
	O_CONFIG = 1,
	O_LAN = 1 << 1,
	O_OUT = 1 << 2,
	O_DIR = 1 << 3,
	O_JSON = 1 << 4,
	O_FORCE = 1 << 5,
	O_DRY_RUN = 1 << 6,
	O_RELOAD = 1 << 7,
	O_ASN = 1 << 8,
	O_MAC = 1 << 9,
	O_IP = 1 << 10,
	O_PORT = 1 << 11,
};

static const struct option longs[] = {
	{"config", required_argument, NULL, O_CONFIG},
	{"lan", required_argument, NULL, O_LAN},
	{"output", required_argument, NULL, O_OUT},
	{"socket-dir", required_argument, NULL, O_DIR},
	{"json", no_argument, NULL, O_JSON},
	{"force", no_argument, NULL, O_FORCE},
	{"dry-run", no_argument, NULL, O_DRY_RUN},
	{"reload", no_argument, NULL, O_RELOAD},
	{"asn", required_argument, NULL, O_ASN},
	{"mac", required_argument, NULL, O_MAC},
	{"ip", required_argument, NULL, O_IP},
	{"port", required_argument, NULL, O_PORT},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

#define wrong(...) usage_wrong("quell: registry ", "quell registry help", __VA_ARGS__)

/* --- the words --- */

static int run_fetch(struct registry_options *o, char **words, int count)
{
	if (count > 1)
		return wrong("fetch takes one LAN, or none for all");
	if (o->dry_run && o->reload)
		return wrong("fetch: --dry-run changes nothing to reload");
	o->lan = count ? words[0] : NULL;
	return registry_do_fetch(o);
}

static int run_reload(struct registry_options *o, char **words, int count)
{
	(void)words;
	return count ? wrong("reload takes no words") : registry_do_reload(o);
}

static int run_import(struct registry_options *o, char **words, int count)
{
	if (!count)
		return wrong("import: which files");
	if (!o->out && (o->force || o->dry_run))
		return wrong("import: %s goes with -o: nothing is replaced",
			o->force ? "--force" : "--dry-run");
	if (!o->out && o->json)
		return wrong("import: --json goes with -o: the registry itself is YAML");
	return registry_do_import(o, words, count);
}

static int run_show(struct registry_options *o, char **words, int count)
{
	return count > 1 ? wrong("show takes one LAN or file")
			 : registry_do_show(o, count ? words[0] : NULL);
}

static int run_diff(struct registry_options *o, char **words, int count)
{
	return count != 2 ? wrong("diff: expected two files, the old one and the new one")
			  : registry_do_diff(o, words[0], words[1]);
}

static int run_check(struct registry_options *o, char **words, int count)
{
	return !count ? wrong("check: which files") : registry_do_check(o, words, count);
}

static const struct {
	const char *word;
	int (*run)(struct registry_options *o, char **words, int count);
	int takes;
} verbs[] = {
	{"fetch", run_fetch, O_CONFIG | O_DIR | O_JSON | O_FORCE | O_DRY_RUN | O_RELOAD},
	{"reload", run_reload, O_CONFIG | O_DIR},
	{"import", run_import, O_CONFIG | O_LAN | O_OUT | O_JSON | O_FORCE | O_DRY_RUN},
	{"show", run_show, O_CONFIG | O_JSON | O_ASN | O_MAC | O_IP | O_PORT},
	{"diff", run_diff, O_JSON},
	{"check", run_check, O_CONFIG | O_LAN | O_JSON},
};
#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

/* --- the options --- */

/* With or without "AS" before it. */
static int take_asn(const char *text, uint32_t *ret)
{
	const char *digits = strncasecmp(text, "AS", 2) == 0 ? text + 2 : text;
	char *end;

	errno = 0;
	unsigned long n = strtoul(digits, &end, 10);
	if (*digits < '0' || *digits > '9' || *end || errno || n < 1 || n > UINT32_MAX)
		return wrong("--asn %s: not an AS number", text);
	*ret = (uint32_t)n;
	return 0;
}

static int take_option(int opt, struct registry_options *o)
{
	switch (opt) {
	case O_CONFIG:
		o->config = optarg;
		return 0;
	case O_LAN:
		o->lan = optarg;
		return 0;
	case O_OUT:
		o->out = optarg;
		return 0;
	case O_DIR:
		o->dir = optarg;
		return 0;
	case O_JSON:
		o->json = true;
		return 0;
	case O_FORCE:
		o->force = true;
		return 0;
	case O_DRY_RUN:
		o->dry_run = true;
		return 0;
	case O_RELOAD:
		o->reload = true;
		return 0;
	case O_ASN:
		return take_asn(optarg, &o->asn);
	case O_MAC:
		return mac_parse(optarg, &o->mac) < 0 ? wrong("--mac %s: not a MAC address", optarg)
						      : 0;
	case O_IP:
		return ip_parse(optarg, &o->ip) < 0 ? wrong("--ip %s: not an address", optarg) : 0;
	default:
		o->port = optarg;
		return 0;
	}
}

static const char *option_name(int bit)
{
	for (const struct option *l = longs; l->name; l++)
		if (l->val == bit)
			return l->name;
	return "";
}

static int run(struct registry_options *o, int given, char **words, int count)
{
	for (size_t i = 0; i < VERBS; i++) {
		int misfit = given & ~verbs[i].takes;
		if (strcmp(words[0], verbs[i].word) != 0)
			continue;
		if (misfit)
			return wrong("%s: --%s has no meaning here", words[0],
				option_name(misfit & -misfit));
		return verbs[i].run(o, words + 1, count - 1);
	}
	return wrong("%s: no such command", words[0]);
}

int registry_command(int argc, char **argv)
{
	struct registry_options o = {0};
	int opt, given = 0, r;
	bool asked = false;

	optind = 1;
	while ((opt = getopt_long(argc, argv, "c:o:h", longs, NULL)) != -1) {
		opt = opt == 'c' ? O_CONFIG : opt == 'o' ? O_OUT : opt;
		if (opt == '?')
			return fputs("quell: see quell registry help\n", stderr), EXIT_USAGE;
		if (opt == 'h') {
			asked = true;
			continue;
		}
		given |= opt;
		if ((r = take_option(opt, &o)) != 0)
			return r;
	}
	if (asked || (optind < argc && strcmp(argv[optind], "help") == 0)) {
		fputs(help, stdout);
		return 0;
	}
	if (optind == argc) {
		fputs(help, stderr);
		return EXIT_USAGE;
	}
	return run(&o, given, argv + optind, argc - optind);
}

/* --- for all of them --- */

struct config *registry_config(const struct registry_options *o)
{
	const char *file = o->config ? o->config : DEFAULT_CONFIG;
	char err[CONFIG_ERROR_MAX] = "";
	struct config *c = NULL;
	int r = config_load(file, &c, err);

	if (r < 0)
		fprintf(stderr, "quell: %s%s%s\n", err[0] ? err : file, err[0] ? "" : ": ",
			err[0] ? "" : strerror(-r));
	return c;
}

bool registry_find_lan(
	const struct registry_options *o, struct config **ret, const struct config_lan **ret_lan)
{
	*ret = NULL;
	*ret_lan = NULL;
	if (!o->config && !o->lan)
		return true;
	struct config *c = registry_config(o);
	if (!c)
		return false;
	for (uint32_t i = 0; i < c->lan_count; i++)
		if (o->lan ? strcmp(c->lans[i].name, o->lan) == 0 : c->lan_count == 1)
			*ret_lan = &c->lans[i];
	if (!*ret_lan) {
		if (o->lan)
			fprintf(stderr, "quell: %s: no LAN %s\n", c->file, o->lan);
		else
			fprintf(stderr, "quell: %s: %u LANs: say which with --lan\n", c->file,
				c->lan_count);
		config_free(c);
		return false;
	}
	*ret = c;
	return true;
}

void registry_dump(json_t *o)
{
	json_dumpf(o, stdout, JSON_INDENT(2));
	fputc('\n', stdout);
	json_decref(o);
}

bool registry_is(const json_t *o, const char *key, const char *text)
{
	const char *is = json_string_value(json_object_get(o, key));

	return is && strcmp(is, text) == 0;
}
