#include <config.h>

#include "daemon/cmdline.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "lib/log.h"

#define DEFAULT_CONFIG "/etc/quell/quell.yaml"

static void usage(const struct cmdline_program *p, FILE *to)
{
	fprintf(to,
		"usage: %s [-nhV] [-c file] [-d level]%s\n"
		"  -c file     configuration, default " DEFAULT_CONFIG "\n"
		"  -n          check the configuration and exit\n"
		"  -d level    error, warning, notice, info, debug, or bgp=debug,feed=info\n"
		"%s"
		"  -V          version\n",
		p->name, p->withdraw ? " [--withdraw]" : "", p->usage);
}

int cmdline_read(const struct cmdline_program *p, int argc, char **argv, struct cmdline *ret)
{
	static const struct option longs[] = {
		{"help", no_argument, NULL, 'h'},
		{"withdraw", no_argument, NULL, 'w'},
		{NULL, 0, NULL, 0},
	};
	struct cmdline l = {.config = DEFAULT_CONFIG};
	int c;

	while ((c = getopt_long(argc, argv, "c:d:hnV", longs, NULL)) != -1) {
		if (c == 'c') {
			l.config = optarg;
		} else if (c == 'd') {
			l.log = optarg;
		} else if (c == 'n') {
			l.check = true;
		} else if (c == 'w' && p->withdraw) {
			l.withdraw = true;
		} else if (c == 'V') {
			printf("%s " PACKAGE_VERSION "\n", p->name);
			return 0;
		} else {
			if (c == 'w')
				fprintf(stderr, "%s: --withdraw is quell-agent's\n", p->name);
			usage(p, c == 'h' ? stdout : stderr);
			return c == 'h' ? 0 : 1;
		}
	}
	if (l.log && log_check_text(l.log) < 0) {
		fprintf(stderr, "%s: -d %s: not a level\n", p->name, l.log);
		return 1;
	}
	if (optind < argc) {
		fprintf(stderr, "%s: unexpected argument '%s'\n", p->name, argv[optind]);
		usage(p, stderr);
		return 1;
	}
	*ret = l;
	return -1;
}

int cmdline_config(const struct cmdline *l, struct config **ret)
{
	char err[CONFIG_ERROR_MAX] = "";

	if (config_load(l->config, ret, err) == 0)
		return 0;
	for (char *line = err, *end; *line; line = end) {
		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		log_error(LOG_CONFIG, "%s", line);
	}
	return -EINVAL;
}

void cmdline_log(const struct cmdline *l, const struct config *c)
{
	if (c->log)
		log_set_from_text(c->log);
	if (l->log)
		log_set_from_text(l->log);
}
