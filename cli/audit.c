/* The command line of `quell audit`. Files stand where they are: behind --before and --after they are of that side, behind --live they are
 * interfaces. */
#include "cli/audit.h"
#include "cli/usage.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define TOP 10

static const char help[] =
	"usage: quell audit FILE... [option ...]\n"
	"       quell audit --before FILE... --after FILE... [option ...]\n"
	"       quell audit --ledger READING READING [option ...]\n"
	"       quell audit --live INTERFACE... [--for SECONDS] [option ...]\n"
	"\n"
	"FILE is a capture, pcap or pcapng, gzipped or not; - is standard input. A capture is of the port that\n"
	"it is named for: swp1.pcap.gz of swp1. READING is what quell show ledger --json says.\n"
	"\n"
	"who may speak\n"
	"  -c, --config FILE    LAN, prefixes and registries of a configuration\n"
	"  --lan LAN            which of them, if there are several\n"
	"  --registry FILE      a registry\n"
	"  --prefix PREFIX      a prefix of the LAN\n"
	"  --own MAC            a MAC of the exchange's that no registry has, as a PE's\n"
	"what is read\n"
	"  --port PORT=FILE     that capture, or interface, is of that port\n"
	"  --vni VNI            of a mirror in VXLAN: that LAN alone\n"
	"  --ring DIR           keep what is captured live in files there\n"
	"  --ring-size MB       of so many megabytes each (64)\n"
	"  --ring-files N       so many of them (8)\n"
	"what is said\n"
	"  --text, --json, --csv, --html [=FILE]   in that form; text on standard output without any\n"
	"  --member ASN         only what is about that member; it fails also if it was not heard\n"
	"  --top N              so many rows of long lists (10)\n"
	"  --title TEXT         of the report\n"
	"  --evidence DIR       the frames that prove a breach, a small capture for each member and rule\n"
	"  --limit FPS          so many frames of flood a second are a port's to bear (0)\n"
	"\n"
	"Exit: 0 pass, 1 it did not work, 2 the command line is wrong, 3 fail: a rule was broken, nobody was heard,\n"
	"or a port received more flood than --limit (after, of a comparison). quell-audit(1).\n";

enum {
	OPT_BEFORE = 256,
	OPT_AFTER,
	OPT_LIVE,
	OPT_LEDGER,
	OPT_LAN,
	OPT_REGISTRY,
	OPT_PREFIX,
	OPT_OWN,
	OPT_PORT,
	OPT_VNI,
	OPT_RING,
	OPT_RING_SIZE,
	OPT_RING_FILES,
	OPT_FOR,
	OPT_TEXT,
	OPT_JSON,
	OPT_CSV,
	OPT_HTML,
	OPT_MEMBER,
	OPT_TOP,
	OPT_TITLE,
	OPT_EVIDENCE,
	OPT_LIMIT,
};

static const struct option longs[] = {
	{"before", no_argument, NULL, OPT_BEFORE},
	{"after", no_argument, NULL, OPT_AFTER},
	{"live", no_argument, NULL, OPT_LIVE},
	{"ledger", no_argument, NULL, OPT_LEDGER},
	{"config", required_argument, NULL, 'c'},
	{"lan", required_argument, NULL, OPT_LAN},
	{"registry", required_argument, NULL, OPT_REGISTRY},
	{"prefix", required_argument, NULL, OPT_PREFIX},
	{"own", required_argument, NULL, OPT_OWN},
	{"port", required_argument, NULL, OPT_PORT},
	{"vni", required_argument, NULL, OPT_VNI},
	{"ring", required_argument, NULL, OPT_RING},
	{"ring-size", required_argument, NULL, OPT_RING_SIZE},
	{"ring-files", required_argument, NULL, OPT_RING_FILES},
	{"for", required_argument, NULL, OPT_FOR},
	{"text", optional_argument, NULL, OPT_TEXT},
	{"json", optional_argument, NULL, OPT_JSON},
	{"csv", optional_argument, NULL, OPT_CSV},
	{"html", optional_argument, NULL, OPT_HTML},
	{"member", required_argument, NULL, OPT_MEMBER},
	{"top", required_argument, NULL, OPT_TOP},
	{"title", required_argument, NULL, OPT_TITLE},
	{"evidence", required_argument, NULL, OPT_EVIDENCE},
	{"limit", required_argument, NULL, OPT_LIMIT},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

struct line {
	struct audit_options o;
	enum audit_when when;
	bool help;
};

#define wrong(...) usage_wrong("quell audit: ", "quell audit help", __VA_ARGS__)

/* Lists are as long as the command line at most. */
static void add_file(struct audit_files *f, const char *port, const char *path)
{
	f->list[f->count++] = (struct audit_file){port, path};
}

static int take_number(const char *name, const char *text, uint32_t least, uint32_t most, uint32_t *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || end == text || *text == '-' || n < least || n > most)
		return wrong("%s %s: expected %u - %u", name, text, least, most);
	*ret = (uint32_t)n;
	return 0;
}

static int take_real(const char *name, const char *text, double least, double *ret)
{
	char *end;
	double n = strtod(text, &end);

	if (*end || end == text || !(n >= least && n <= 1e9))
		return wrong("%s %s: expected a number from %g on", name, text, least);
	*ret = n;
	return 0;
}

static int take_member(const char *text, uint32_t *ret)
{
	const char *digits = strncasecmp(text, "AS", 2) == 0 ? text + 2 : text;

	return take_number("--member", digits, 1, UINT32_MAX, ret);
}

static int take_prefix(struct audit_options *o, const char *text)
{
	if (prefix_parse(text, &o->prefixes[o->prefix_count]) < 0)
		return wrong("--prefix %s: not a prefix", text);
	o->prefix_count++;
	return 0;
}

static int take_own(struct audit_options *o, const char *text)
{
	if (mac_parse(text, &o->own[o->own_count]) < 0)
		return wrong("--own %s: not a MAC address", text);
	o->own_count++;
	return 0;
}

static int take_port(struct line *l, char *text)
{
	char *eq = strchr(text, '=');

	if (!eq || eq == text || !eq[1])
		return wrong("--port %s: expected PORT=FILE, or PORT=INTERFACE", text);
	*eq = '\0';
	add_file(&l->o.files[l->when], text, eq + 1);
	return 0;
}

static int take_form(struct audit_options *o, enum audit_form form)
{
	o->to[form] = optarg ? optarg : "-";
	return 0;
}

/* `--html FILE`, too: no report of that form is meant for a terminal. */
static int take_html(struct line *l, int argc, char **argv)
{
	l->o.to[FORM_HTML] = optarg ? optarg : optind < argc && argv[optind][0] != '-' ? argv[optind++] : "-";
	return 0;
}

static int take_what_is_read(struct line *l, int opt)
{
	struct audit_options *o = &l->o;

	switch (opt) {
	case 1:
		add_file(&o->files[l->when], NULL, optarg);
		return 0;
	case OPT_BEFORE:
		l->when = WHEN_BEFORE;
		return 0;
	case OPT_AFTER:
		l->when = WHEN_AFTER;
		return 0;
	case OPT_LIVE:
		l->when = WHEN_LIVE;
		return 0;
	case OPT_LEDGER:
		o->ledger = true;
		return 0;
	case OPT_PORT:
		return take_port(l, optarg);
	case OPT_VNI:
		return take_number("--vni", optarg, 1, 16777215, &o->vni);
	case OPT_RING:
		o->ring = optarg;
		return 0;
	case OPT_RING_SIZE:
		return take_number("--ring-size", optarg, 1, 65536, &o->ring_mb);
	case OPT_RING_FILES:
		return take_number("--ring-files", optarg, 1, 10000, &o->ring_files);
	default:
		return take_real("--for", optarg, 0.1, &o->seconds);
	}
}

static int take_option(struct line *l, int opt, int argc, char **argv)
{
	struct audit_options *o = &l->o;

	switch (opt) {
	case 'c':
		o->config = optarg;
		return 0;
	case OPT_LAN:
		o->lan = optarg;
		return 0;
	case OPT_REGISTRY:
		o->registries[o->registry_count++] = optarg;
		return 0;
	case OPT_PREFIX:
		return take_prefix(o, optarg);
	case OPT_OWN:
		return take_own(o, optarg);
	case OPT_TEXT:
		return take_form(o, FORM_TEXT);
	case OPT_JSON:
		return take_form(o, FORM_JSON);
	case OPT_CSV:
		return take_form(o, FORM_CSV);
	case OPT_HTML:
		return take_html(l, argc, argv);
	case OPT_MEMBER:
		return take_member(optarg, &o->member);
	case OPT_TOP:
		return take_number("--top", optarg, 1, 100000, &o->top);
	case OPT_TITLE:
		o->title = optarg;
		return 0;
	case OPT_EVIDENCE:
		o->evidence = optarg;
		return 0;
	case OPT_LIMIT:
		o->has_limit = true;
		return take_real("--limit", optarg, 0, &o->limit_fps);
	case 'h':
		l->help = true;
		return 0;
	case '?':
		fputs("see quell audit help\n", stderr);
		return EXIT_USAGE;
	default:
		return take_what_is_read(l, opt);
	}
}

/* What does not go together. */
static int misfit(const struct audit_options *o)
{
	size_t now = o->files[WHEN_NOW].count, before = o->files[WHEN_BEFORE].count, after = o->files[WHEN_AFTER].count,
	       live = o->files[WHEN_LIVE].count, standard = 0;

	for (int i = 0; i < FORM_COUNT; i++)
		standard += o->to[i] && strcmp(o->to[i], "-") == 0;
	if (!now && !before && !after && !live)
		return wrong("which file");
	if (!!now + !!(before || after) + !!live > 1)
		return wrong("captures, --before and --after, or --live: one of them");
	if (!before != !after)
		return wrong("--before and --after go together");
	if (o->ledger && (live || (now && now != 2) || (before && (before != 2 || after != 2))))
		return wrong("--ledger takes two readings, or two before and two after");
	if (o->ledger && (o->evidence || o->vni || o->member))
		return wrong("--ledger knows no senders: no --evidence, --member, --vni");
	if (!live && (o->ring || o->seconds > 0))
		return wrong("--ring and --for go with --live");
	if (o->config && (o->registry_count || o->prefix_count))
		return wrong("--config, or --registry and --prefix");
	if (standard > 1)
		return wrong("only one form on standard output");
	return 0;
}

static int run(struct line *l, int argc, char **argv)
{
	int opt, r;

	/* The - in front: words come in their order, as option 1. */
	while ((opt = getopt_long(argc, argv, "-c:h", longs, NULL)) != -1)
		if ((r = take_option(l, opt, argc, argv)) != 0)
			return r;
	if (l->o.files[WHEN_NOW].count == 1 && strcmp(l->o.files[WHEN_NOW].list[0].path, "help") == 0)
		l->help = true;
	for (; optind < argc; optind++)
		add_file(&l->o.files[l->when], NULL, argv[optind]);
	if (l->help) {
		fputs(help, stdout);
		return 0;
	}
	r = misfit(&l->o);
	return r ? r : audit_run(&l->o, stdout, stderr);
}

int audit_main(int argc, char **argv)
{
	struct line l = {.o = {.top = TOP, .ring_mb = 64, .ring_files = 8}};
	size_t room = (size_t)argc + 1;
	int r = EXIT_FAILURE;

	for (int i = 0; i < WHEN_COUNT; i++)
		l.o.files[i].list = calloc(room, sizeof(struct audit_file));
	l.o.registries = calloc(room, sizeof(char *));
	l.o.prefixes = calloc(room, sizeof(struct prefix));
	l.o.own = calloc(room, sizeof(struct mac));
	if (l.o.files[0].list && l.o.files[1].list && l.o.files[2].list && l.o.files[3].list && l.o.registries && l.o.prefixes &&
		l.o.own)
		r = run(&l, argc, argv);
	for (int i = 0; i < WHEN_COUNT; i++)
		free(l.o.files[i].list);
	free(l.o.registries);
	free(l.o.prefixes);
	free(l.o.own);
	return r;
}
