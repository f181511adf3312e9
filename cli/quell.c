/* quell: the operator's command. It has no state and no privileges of its own: it asks the daemons
 * over their control sockets (docs/feed.md) and shows what they say, or reads a file as they would.
 * quell(1).
 *
 * Exit: 0 done; 1 it did not work (a daemon does not run, a file is wrong); 2 the command line is
 * wrong. */
#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/audit.h"
#include "cli/check.h"
#include "cli/clear.h"
#include "cli/neighbor.h"
#include "cli/quarantine.h"
#include "cli/registry.h"
#include "cli/reload.h"
#include "cli/show.h"
#include "cli/sponge.h"
#include "cli/top.h"
#include "cli/usage.h"
#include "config/config.h"
#include "lib/ip.h"
#include "lib/mac.h"
#include "proxyarp/verdict.h"

#define RUN_DIR "/run/quell"

static const char help[] =
	"usage: quell show WHAT [WORD] [option ...]\n"
	"       quell check FILE [--json]\n"
	"       quell top [PORT] [--lan LAN] [--classes] [--interval SECONDS] [--count N]\n"
	"       quell quarantine add | del PORT\n"
	"       quell clear duplicate LAN MAC | duplicate-ip LAN IP\n"
	"       quell sponge add | del ADDRESS [--lan LAN]\n"
	"       quell refresh | reset | shutdown | enable NEIGHBOR [option ...]\n"
	"       quell reload [--dry-run] [--json]\n"
	"       quell registry fetch | reload | import | show | diff | check ...; see quell registry help\n"
	"       quell audit FILE... [option ...]; see quell audit help\n"
	"       quell version | help\n"
	"\n"
	"WHAT       is                                       WORD       narrowed by\n"
	"status     both daemons of this box\n"
	"neighbors  BGP sessions of quelld                   ADDRESS    --neighbor\n"
	"routes     EVPN routes of quelld                    MAC or IP  --lan --mac --ip --type\n"
	"                                                               --neighbor --rejected --flagged\n"
	"lan        who is where, by EVPN                    NAME       --lan --mac --ip\n"
	"alarms     what both had to complain of             MAC or IP  --lan --mac --ip --port\n"
	"bmp        monitoring stations of quelld\n"
	"bindings   what quell-agent answers for             MAC or IP  --lan --mac --ip --port\n"
	"macs       where quell-agent has each MAC           MAC        --lan --mac --port\n"
	"ports      the ports of quell-agent                 NAME       --lan --port\n"
	"ledger     what came to a port, what became of it   PORT       --lan --port --class\n"
	"                                                               --metrics --prove\n"
	"sponge     what is answered for and nobody's        IP         --lan --ip --all\n"
	"callers    who calls what nobody answers for        MAC or IP  --lan --target --mac --port\n"
	"\n"
	"check reads a configuration and its registries, and says what is wrong, and where.\n"
	"show ledger --prove PORT draws up a port's books, and what its egress saw leave; with\n"
	"--for SECONDS those of that time. top shows the ports live.\n"
	"quarantine: nothing gets in or out of a member port, until it is let out again.\n"
	"clear duplicate lets a MAC move again that was frozen because two hosts had it; clear duplicate-ip\n"
	"has an address answered for again.\n"
	"sponge add has an address answered for that nobody has, until sponge del. For root.\n"
	"refresh asks a neighbor for all its routes again; reset ends its session, which begins\n"
	"anew; shutdown ends it until enable. For root, and the user that quelld runs as.\n"
	"reload has the daemons read theirs again, whole or not at all, and says what changed.\n"
	"audit says what captures show: what reached which port, and who broke which rule.\n"
	"\n"
	"  --json             for machines\n"
	"  --message TEXT     what the neighbor is told with reset or shutdown\n"
	"  --hard             reset: no routes are kept meanwhile\n"
	"  --socket-dir DIR   where the daemons' sockets are (" RUN_DIR ")\n"
	"  -c, --config FILE  take that from a configuration\n";

enum {
	OPT_JSON = 256,
	OPT_DIR,
	OPT_LAN,
	OPT_MAC,
	OPT_IP,
	OPT_TYPE,
	OPT_PORT,
	OPT_NEIGHBOR,
	OPT_REJECTED,
	OPT_FLAGGED,
	OPT_CLASS,
	OPT_ALL,
	OPT_TARGET,
	OPT_METRICS,
	OPT_PROVE,
	OPT_FOR,
	OPT_CLASSES,
	OPT_INTERVAL,
	OPT_COUNT,
	OPT_MESSAGE,
	OPT_HARD,
	OPT_DRY_RUN
};

static const struct option longs[] = {
	{"json", no_argument, NULL, OPT_JSON},
	{"socket-dir", required_argument, NULL, OPT_DIR},
	{"config", required_argument, NULL, 'c'},
	{"lan", required_argument, NULL, OPT_LAN},
	{"mac", required_argument, NULL, OPT_MAC},
	{"ip", required_argument, NULL, OPT_IP},
	{"type", required_argument, NULL, OPT_TYPE},
	{"port", required_argument, NULL, OPT_PORT},
	{"neighbor", required_argument, NULL, OPT_NEIGHBOR},
	{"rejected", no_argument, NULL, OPT_REJECTED},
	{"flagged", no_argument, NULL, OPT_FLAGGED},
	{"class", required_argument, NULL, OPT_CLASS},
	{"all", no_argument, NULL, OPT_ALL},
	{"target", required_argument, NULL, OPT_TARGET},
	{"metrics", no_argument, NULL, OPT_METRICS},
	{"prove", required_argument, NULL, OPT_PROVE},
	{"for", required_argument, NULL, OPT_FOR},
	{"classes", no_argument, NULL, OPT_CLASSES},
	{"interval", required_argument, NULL, OPT_INTERVAL},
	{"count", required_argument, NULL, OPT_COUNT},
	{"message", required_argument, NULL, OPT_MESSAGE},
	{"hard", no_argument, NULL, OPT_HARD},
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

struct arguments {
	struct show_options show;
	struct top_options top;
	const char *config, *message;
	bool help, version, hard, dry_run;
	char mac[MAC_TEXT], ip[IP_TEXT], neighbor[IP_TEXT], word[64];
};

#define wrong(...) usage_wrong("quell: ", "quell help", __VA_ARGS__)

/* Into the form that the daemons write. */
static int take_ip(const char *name, const char *text, char buf[IP_TEXT], const char **ret)
{
	struct ip ip;

	if (ip_parse(text, &ip) < 0)
		return wrong("%s %s: not an address", name, text);
	*ret = ip_format(ip, buf);
	return 0;
}

static int take_mac(const char *text, struct arguments *a)
{
	struct mac mac;

	if (mac_parse(text, &mac) < 0)
		return wrong("--mac %s: not a MAC address", text);
	a->show.mac = mac_format(mac, a->mac);
	return 0;
}

static int take_type(const char *text, int *ret)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*end || end == text || n < 1 || n > 255)
		return wrong("--type %s: expected 1 - 255", text);
	*ret = (int)n;
	return 0;
}

static int take_seconds(const char *name, const char *text, double *ret)
{
	char *end;
	double n = strtod(text, &end);

	if (*end || end == text || !(n >= 0.1 && n <= 86400))
		return wrong("%s %s: expected seconds, 0.1 - 86400", name, text);
	*ret = n;
	return 0;
}

static int take_count(const char *text, int *ret)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*end || end == text || n < 1 || n > 1000000)
		return wrong("--count %s: expected 1 - 1000000", text);
	*ret = (int)n;
	return 0;
}

static int take_class(const char *text, const char **ret)
{
	if (class_find(text) < 0)
		return wrong("--class %s: no such class of frames", text);
	*ret = text;
	return 0;
}

/* Those that only say yes, and those whose word is taken as it is. */
static bool take_plain(int opt, struct arguments *a)
{
	const struct {
		int opt;
		bool *flag;
		const char **word;
	} rows[] = {
		{OPT_JSON, &a->show.json, NULL},
		{OPT_REJECTED, &a->show.rejected, NULL},
		{OPT_FLAGGED, &a->show.flagged, NULL},
		{OPT_ALL, &a->show.all, NULL},
		{OPT_METRICS, &a->show.metrics, NULL},
		{OPT_CLASSES, &a->top.classes, NULL},
		{OPT_HARD, &a->hard, NULL},
		{OPT_DRY_RUN, &a->dry_run, NULL},
		{'h', &a->help, NULL},
		{'V', &a->version, NULL},
		{OPT_DIR, NULL, &a->show.dir},
		{'c', NULL, &a->config},
		{OPT_LAN, NULL, &a->show.lan},
		{OPT_PORT, NULL, &a->show.port},
		{OPT_PROVE, NULL, &a->show.prove},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].opt != opt)
			continue;
		if (rows[i].flag)
			*rows[i].flag = true;
		else
			*rows[i].word = optarg;
		return true;
	}
	return false;
}

static int take_option(int opt, struct arguments *a)
{
	switch (opt) {
	case OPT_MAC:
		return take_mac(optarg, a);
	case OPT_IP:
		return take_ip("--ip", optarg, a->ip, &a->show.ip);
	case OPT_TARGET:
		return take_ip("--target", optarg, a->ip, &a->show.ip);
	case OPT_NEIGHBOR:
		return take_ip("--neighbor", optarg, a->neighbor, &a->show.neighbor);
	case OPT_TYPE:
		return take_type(optarg, &a->show.type);
	case OPT_CLASS:
		return take_class(optarg, &a->show.cls);
	case OPT_FOR:
		return take_seconds("--for", optarg, &a->show.seconds);
	case OPT_INTERVAL:
		return take_seconds("--interval", optarg, &a->top.interval);
	case OPT_COUNT:
		return take_count(optarg, &a->top.count);
	case OPT_MESSAGE:
		a->message = optarg;
		return strlen(optarg) <= 255 ? 0 : wrong("--message: more than 255 octets");
	default:
		if (take_plain(opt, a))
			return 0;
		fputs("quell: see quell help\n", stderr);
		return EXIT_USAGE;
	}
}

/* Where the sockets are. The configuration, if there is one, is to be freed. */
static int take_config(struct arguments *a, struct config **ret)
{
	char err[CONFIG_ERROR_MAX] = "";

	if (a->config && config_load(a->config, ret, err) < 0) {
		fprintf(stderr, "quell: %s\n", err[0] ? err : a->config);
		return -1;
	}
	if (!a->show.dir)
		a->show.dir = *ret ? (*ret)->run_dir : RUN_DIR;
	return 0;
}

static int run_clear(struct arguments *a, char **words, int count)
{
	struct config *c = NULL;
	const char *why = "";

	if (take_config(a, &c) < 0)
		return EXIT_FAILURE;
	int r = clear_run(words, count, a->show.dir, a->show.json, stdout, &why);
	config_free(c);
	return r == EXIT_USAGE ? wrong("%s", why) : r;
}

static int run_quarantine(struct arguments *a, char **words, int count)
{
	struct config *c = NULL;
	const char *why = "";

	if (take_config(a, &c) < 0)
		return EXIT_FAILURE;
	int r = quarantine_run(words, count, a->show.dir, a->show.json, stdout, &why);
	config_free(c);
	return r == EXIT_USAGE ? wrong("%s", why) : r;
}

static int run_sponge(struct arguments *a, char **words, int count)
{
	struct config *c = NULL;
	const char *why = "";

	if (take_config(a, &c) < 0)
		return EXIT_FAILURE;
	int r = sponge_run(words, count, a->show.lan, a->show.dir, a->show.json, stdout, &why);
	config_free(c);
	return r == EXIT_USAGE ? wrong("%s", why) : r;
}

static int run_show(struct arguments *a, char **words, int count)
{
	struct show_options *o = &a->show;
	struct config *c = NULL;

	if (count < 1)
		return wrong("show: what");
	if (!show_knows(words[0]))
		return wrong("show %s: no such thing to show", words[0]);
	if (count > 2 || (count == 2 && !show_take_word(words[0], words[1], o, a->word)))
		return wrong("show %s %s: not understood", words[0], words[count - 1]);
	if (o->seconds > 0 && !o->prove)
		return wrong("show: --for goes with --prove");
	const char *misfit = show_misfit(words[0], o);
	if (misfit)
		return wrong("show %s: %s has no meaning here", words[0], misfit);
	if (take_config(a, &c) < 0)
		return EXIT_FAILURE;
	const char *no_color = getenv("NO_COLOR");
	o->colour = isatty(STDOUT_FILENO) && !(no_color && no_color[0]);
	int r = show(words[0], o, stdout);
	config_free(c);
	return r;
}

static int run_top(struct arguments *a, char **words, int count)
{
	struct top_options *o = &a->top;
	struct config *c = NULL;

	if (count > 1)
		return wrong("top: one port");
	if (take_config(a, &c) < 0)
		return EXIT_FAILURE;
	o->dir = a->show.dir;
	o->lan = a->show.lan;
	o->port = count ? words[0] : a->show.port;
	o->json = a->show.json;
	o->interval = o->interval > 0 ? o->interval : 1;
	int r = top(o, stdout);
	config_free(c);
	return r;
}

static int run_neighbor(struct arguments *a, const char *verb, char **words, int count)
{
	struct neighbor_command c = {.verb = verb,
		.address = a->neighbor,
		.message = a->message,
		.hard = a->hard,
		.json = a->show.json};
	const char *misfit = neighbor_misfit(&c), *address;
	struct config *f = NULL;

	if (count != 1)
		return wrong("%s: which neighbor", verb);
	int r = take_ip(verb, words[0], a->neighbor, &address);
	if (r)
		return r;
	if (misfit)
		return wrong("%s: %s has no meaning here", verb, misfit);
	if (take_config(a, &f) < 0)
		return EXIT_FAILURE;
	c.dir = a->show.dir;
	r = neighbor_do(&c, stdout, stderr);
	config_free(f);
	return r;
}

static int run_reload(struct arguments *a, int count)
{
	struct reload_options o = {.dry_run = a->dry_run, .json = a->show.json};
	struct config *c = NULL;

	if (count > 1)
		return wrong("reload takes no words: the daemons know their file");
	if (take_config(a, &c) < 0)
		return EXIT_FAILURE;
	o.dir = a->show.dir;
	int r = reload(&o, stdout, stderr);
	config_free(c);
	return r;
}

static int run(struct arguments *a, char **words, int count)
{
	if (a->version || (count && strcmp(words[0], "version") == 0)) {
		puts("quell " PACKAGE_VERSION);
		return 0;
	}
	if (a->help || (count && strcmp(words[0], "help") == 0)) {
		fputs(help, stdout);
		return 0;
	}
	if (!count) {
		fputs(help, stderr);
		return EXIT_USAGE;
	}
	if (strcmp(words[0], "show") == 0)
		return run_show(a, words + 1, count - 1);
	if (strcmp(words[0], "top") == 0)
		return run_top(a, words + 1, count - 1);
	if (strcmp(words[0], "clear") == 0)
		return run_clear(a, words + 1, count - 1);
	if (strcmp(words[0], "quarantine") == 0)
		return run_quarantine(a, words + 1, count - 1);
	if (strcmp(words[0], "sponge") == 0)
		return run_sponge(a, words + 1, count - 1);
	if (strcmp(words[0], "check") == 0) {
		if (count == 1 && !a->config)
			return wrong("check: which file");
		if (count > 2)
			return wrong("check takes one file");
		return check(count == 2 ? words[1] : a->config, a->show.json, stdout, stderr);
	}
	if (neighbor_knows(words[0]))
		return run_neighbor(a, words[0], words + 1, count - 1);
	if (strcmp(words[0], "reload") == 0)
		return run_reload(a, count);
	if (strcmp(words[0], "registry") == 0)
		return wrong("registry stands before its options: quell registry ...");
	if (strcmp(words[0], "audit") == 0)
		return wrong("audit stands before its options: quell audit ...");
	return wrong("%s: no such command", words[0]);
}

/* What could not be said was not done. */
static int finish(int r)
{
	if (fflush(stdout) != 0 || ferror(stdout)) {
		if (errno != EPIPE)
			fprintf(stderr, "quell: standard output: %s\n", strerror(errno));
		return EXIT_FAILURE;
	}
	return r;
}

int main(int argc, char **argv)
{
	struct arguments a = {0};
	int opt, r;

	if (argc > 1 && strcmp(argv[1], "registry") == 0) {
		argv[1] = argv[0];
		return finish(registry_command(argc - 1, argv + 1));
	}
	if (argc > 1 && strcmp(argv[1], "audit") == 0) {
		argv[1] = argv[0];
		return finish(audit_main(argc - 1, argv + 1));
	}
	while ((opt = getopt_long(argc, argv, "c:hV", longs, NULL)) != -1)
		if ((r = take_option(opt, &a)) != 0)
			return r;
	return finish(run(&a, argv + optind, argc - optind));
}
