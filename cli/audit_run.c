/* What `quell audit` does: who may speak, what was captured, what it comes to, and the reports. */
#include "cli/audit.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "audit/live.h"
#include "audit/read.h"
#include "config/config.h"

struct run {
	const struct audit_options *o;
	FILE *out, *err;
	struct config *config;
	struct registry *registry;
	struct audit_config audit;
	struct mac *own;
	const char *title;
	struct audit *before, *books; /* books: now, or after */
	struct compare *compare;
	uint64_t dropped; /* of a live capture */
	struct audit_report report;
	const char **paths; /* of all files, those of before last */
	char made[32];
};

/* --- who may speak --- */

static const struct config_lan *choose_lan(struct run *r)
{
	const char *name = r->o->lan;

	for (uint32_t i = 0; i < r->config->lan_count; i++)
		if (name ? strcmp(r->config->lans[i].name, name) == 0 : r->config->lan_count == 1)
			return &r->config->lans[i];
	if (name)
		fprintf(r->err, "quell audit: %s: no LAN %s\n", r->o->config, name);
	else
		fprintf(r->err, "quell audit: %s: %u LANs: which, --lan\n", r->o->config, r->config->lan_count);
	return NULL;
}

static bool load_registry(struct run *r, const char *const *files, size_t count, uint32_t vlan)
{
	char why[REGISTRY_ERROR_MAX] = "";
	struct registry_lan lan = {r->audit.prefixes, r->audit.prefix_count, vlan};

	if (!count)
		return true;
	int e = registry_load(files, count, &lan, &r->registry, why);
	if (e < 0)
		fprintf(r->err, "quell audit: %s\n", why[0] ? why : strerror(-e));
	r->audit.registry = r->registry;
	return e == 0;
}

/* Those of the command line, and the sponge's. */
static bool gather_own(struct run *r, const struct config_lan *lan)
{
	size_t n = r->o->own_count;

	r->own = calloc(n + 1, sizeof(*r->own));
	if (!r->own)
		return false;
	if (n)
		memcpy(r->own, r->o->own, n * sizeof(*r->own));
	if (lan && lan->agent && mac_is_host(lan->agent->sponge.mac))
		r->own[n++] = lan->agent->sponge.mac;
	r->audit.own = r->own;
	r->audit.own_count = n;
	return true;
}

static bool prepare(struct run *r)
{
	const struct audit_options *o = r->o;
	char why[CONFIG_ERROR_MAX] = "";

	r->audit = (struct audit_config){
		.prefixes = o->prefixes, .prefix_count = o->prefix_count, .vni = o->vni, .evidence = o->evidence};
	r->title = o->title ? o->title : o->lan ? o->lan : "peering LAN";
	if (!o->config)
		return gather_own(r, NULL) && load_registry(r, o->registries, o->registry_count, 0);
	int e = config_load(o->config, &r->config, why);
	if (e < 0) {
		fprintf(r->err, "quell audit: %s\n", why[0] ? why : o->config);
		return false;
	}
	const struct config_lan *lan = choose_lan(r);
	if (!lan)
		return false;
	r->title = o->title ? o->title : lan->name;
	r->audit.prefixes = lan->prefixes;
	r->audit.prefix_count = lan->prefix_count;
	return gather_own(r, lan) &&
	       load_registry(r, (const char *const *)lan->registry, lan->registry_count, lan->vlan);
}

/* --- what was captured --- */

/* Ports of one name on several PEs: whose frames they are cannot be told. */
static bool ambiguous(const struct run *r, const struct audit *a)
{
	bool any = false;

	for (size_t i = 0; i < a->port_count; i++)
		if (a->ports[i].ambiguous) {
			fprintf(r->err, "quell audit: port %s is on several PEs: say which, --port %s@PE=FILE with its router id\n",
				a->ports[i].name, a->ports[i].name);
			any = true;
		}
	return any;
}

static struct audit *read_files(struct run *r, const struct audit_files *files, bool evidence)
{
	struct audit_config c = r->audit;
	char why[AUDIT_ERROR_MAX];

	c.evidence = evidence ? c.evidence : NULL;
	struct audit *a = audit_new(&c);
	if (!a) {
		fputs("quell audit: out of memory\n", r->err);
		return NULL;
	}
	/* Known beforehand, so that senders are counted at their own ports whichever file is first. */
	for (size_t i = 0; i < files->count; i++)
		audit_expect(a, files->list[i].path, files->list[i].port);
	for (size_t i = 0; i < files->count; i++) {
		int e = audit_read(a, files->list[i].path, files->list[i].port, why);
		if (e < 0)
			fprintf(r->err, "quell audit: %s\n", why);
		if (e < 0 && e != -ENODATA) {
			audit_free(a);
			return NULL;
		}
	}
	if (ambiguous(r, a)) {
		audit_free(a);
		return NULL;
	}
	audit_close(a);
	if (a->evidence_error)
		fprintf(r->err, "quell audit: %s: %s\n", c.evidence, strerror(a->evidence_error));
	return a;
}

/* Two captures of one port each are of the same one, whatever they are called. */
static void name_alike(struct audit *before, const struct audit *after)
{
	if (before->port_count == 1 && after->port_count == 1)
		memcpy(before->ports[0].name, after->ports[0].name, sizeof(before->ports[0].name));
}

static volatile sig_atomic_t interrupted;

static void interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

/* Until the time is over, or the first SIGINT, SIGTERM or SIGHUP: then the report is made of what there is. */
static bool capture_live(struct run *r)
{
	const struct audit_options *o = r->o;
	const struct audit_files *f = &o->files[WHEN_LIVE];
	struct live_config c = {.count = f->count,
		.seconds = o->seconds,
		.ring = o->ring,
		.ring_octets = (uint64_t)o->ring_mb << 20,
		.ring_files = o->ring_files,
		.stop = &interrupted};
	struct sigaction act = {.sa_handler = interrupt};
	char why[AUDIT_ERROR_MAX];

	const char **names = calloc(2 * f->count, sizeof(*names));
	r->books = audit_new(&r->audit);
	if (!names || !r->books) {
		free(names);
		return false;
	}
	for (size_t i = 0; i < f->count; i++) {
		names[i] = f->list[i].path;
		names[f->count + i] = f->list[i].port;
	}
	c.interfaces = names;
	c.ports = names + f->count;
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
	int e = audit_live(r->books, &c, &r->dropped, why);
	free(names);
	if (e < 0)
		fprintf(r->err, "quell audit: %s\n", why);
	audit_close(r->books);
	return e == 0 && !ambiguous(r, r->books);
}

static bool read_captures(struct run *r)
{
	const struct audit_files *f = r->o->files;

	if (f[WHEN_LIVE].count)
		return capture_live(r);
	if (f[WHEN_NOW].count)
		return (r->books = read_files(r, &f[WHEN_NOW], true)) != NULL;
	r->before = read_files(r, &f[WHEN_BEFORE], false);
	r->books = r->before ? read_files(r, &f[WHEN_AFTER], true) : NULL;
	if (!r->books)
		return false;
	name_alike(r->before, r->books);
	struct compare_side *before = compare_side_of(r->before), *after = compare_side_of(r->books);
	r->compare = compare_sides(before, after, r->o->limit_fps);
	compare_side_free(before);
	compare_side_free(after);
	return true;
}

static bool read_ledgers(struct run *r)
{
	const struct audit_files *f = r->o->files;
	struct compare_side *before = compare_side_new(), *after = compare_side_new();
	int e;

	if (f[WHEN_NOW].count)
		e = audit_ledger_sides(f[WHEN_NOW].list, r->o->lan, before, after, r->err);
	else
		e = audit_ledger_sides(f[WHEN_BEFORE].list, r->o->lan, NULL, before, r->err) < 0
			    ? -1
			    : audit_ledger_sides(f[WHEN_AFTER].list, r->o->lan, NULL, after, r->err);
	if (e == 0)
		r->compare = compare_sides(before, after, r->o->limit_fps);
	compare_side_free(before);
	compare_side_free(after);
	return e == 0;
}

/* --- what it comes to --- */

static int verdict(const struct run *r)
{
	return audit_report_verdict(&r->report) == AUDIT_PASS ? 0 : AUDIT_EXIT_FAIL;
}

/* --- the reports --- */

static unsigned columns_of(FILE *to)
{
	struct winsize w;

	return isatty(fileno(to)) && ioctl(fileno(to), TIOCGWINSZ, &w) == 0 ? w.ws_col : 0;
}

static int put_json(const struct audit_report *rep, FILE *to)
{
	json_t *j = audit_report_json(rep);

	if (!j)
		return -ENOMEM;
	int e = json_dumpf(j, to, JSON_INDENT(2)) < 0 || fputc('\n', to) == EOF ? -EIO : 0;
	json_decref(j);
	return e;
}

static int put(struct audit_report *rep, enum audit_form form, FILE *to)
{
	const char *no_color = getenv("NO_COLOR");

	switch (form) {
	case FORM_TEXT:
		rep->colour = isatty(fileno(to)) && !(no_color && no_color[0]);
		return audit_report_text(rep, to, columns_of(to));
	case FORM_JSON:
		return put_json(rep, to);
	case FORM_CSV:
		return audit_report_csv(rep, to);
	default:
		return audit_report_html(rep, to);
	}
}

static bool put_form(struct run *r, enum audit_form form, const char *path)
{
	bool standard = strcmp(path, "-") == 0;
	FILE *to = standard ? r->out : fopen(path, "we");
	int e = to ? put(&r->report, form, to) : -errno;

	if (to && !standard && fclose(to) != 0 && e == 0)
		e = -errno;
	if (e < 0)
		fprintf(r->err, "quell audit: %s: %s\n", path, strerror(-e));
	return e >= 0;
}

static size_t add_paths(struct run *r, size_t at, enum audit_when when)
{
	const struct audit_files *f = &r->o->files[when];

	for (size_t i = 0; i < f->count; i++)
		r->paths[at + i] = f->list[i].path;
	return f->count;
}

static bool prepare_report(struct run *r)
{
	const struct audit_options *o = r->o;
	const struct audit_files *f = o->files;
	time_t now = time(NULL);

	r->paths = calloc(f[0].count + f[1].count + f[2].count + f[3].count + 1, sizeof(*r->paths));
	if (!r->paths)
		return false;
	strftime(r->made, sizeof(r->made), "%Y-%m-%d %H:%M UTC", gmtime(&now));
	r->report = (struct audit_report){.books = r->books,
		.before = r->before,
		.compare = r->compare,
		.title = r->title,
		.made = r->made,
		.member = o->member,
		.top = o->top,
		.files = r->paths,
		.dropped = r->dropped,
		.evidence = o->evidence,
		.has_limit = o->has_limit,
		.limit_fps = o->limit_fps};
	size_t n = add_paths(r, 0, WHEN_NOW);
	n += add_paths(r, n, WHEN_LIVE);
	n += add_paths(r, n, WHEN_AFTER);
	r->report.file_count = n;
	r->report.before_files = r->paths + n;
	r->report.before_file_count = add_paths(r, n, WHEN_BEFORE);
	return true;
}

static bool report(struct run *r)
{
	bool any = false, good = true;

	if (!prepare_report(r))
		return false;
	for (int form = 0; form < FORM_COUNT; form++)
		if (r->o->to[form]) {
			any = true;
			good = put_form(r, form, r->o->to[form]) && good;
		}
	return any ? good : put_form(r, FORM_TEXT, "-");
}

static void put_away(struct run *r)
{
	compare_free(r->compare);
	audit_free(r->before);
	audit_free(r->books);
	registry_free(r->registry);
	config_free(r->config);
	free(r->own);
	free(r->paths);
}

int audit_run(const struct audit_options *o, FILE *out, FILE *err)
{
	struct run r = {.o = o, .out = out, .err = err};
	bool good = prepare(&r) && (o->ledger ? read_ledgers(&r) : read_captures(&r)) && report(&r);
	int status = good ? verdict(&r) : EXIT_FAILURE;

	put_away(&r);
	return status;
}
