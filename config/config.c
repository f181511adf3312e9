/* The configuration as a whole: read, converted part by part, refused whole if anything in it is wrong. */
#include "config/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/parts.h"
#include "config/words.h"
#include "lib/log.h"

static char *or_default(const char *text, const char *other)
{
	return convert_copy(text ? text : other);
}

static void top(struct convert *cv, const struct raw_config *raw, struct config *c)
{
	convert_at(cv, "%s", "");
	convert_ipv4(cv, "router-id", raw->router_id, &c->router_ip);
	c->router_id = ip_to_u32(c->router_ip);
	if (c->router_ip.family && c->router_id == 0)
		convert_error(cv, "router-id", "'0.0.0.0': expected an address of this router");
	c->run_dir = or_default(raw->run_dir, "/run/quell");
	c->pin_dir = or_default(raw->pin_dir, "/sys/fs/bpf/quell");
	c->state_dir = or_default(raw->state_dir, "/var/lib/quell");
	c->user = convert_copy(raw->user);
	c->group = convert_copy(raw->group);
	c->feed_user = convert_copy(raw->feed_user);
	c->log = convert_copy(raw->log);
	convert_word(cv, "plane", raw->plane, config_plane_words, &c->plane);
}

static void check_log(struct convert *cv, const struct config *c)
{
	convert_at(cv, "%s", "");
	if (c->log && log_check_text(c->log) < 0)
		convert_error(cv, "log",
			"'%s': expected a level (error, warning, notice, info, debug) or bgp=debug,...",
			c->log);
}

int config_load(const char *file, struct config **ret, char err[CONFIG_ERROR_MAX])
{
	struct yaml_errors errs = yaml_errors_of(err, CONFIG_ERROR_MAX);
	struct convert cv = {.errs = &errs};
	struct raw_config *raw = NULL;
	struct config *c;

	int r = yaml_file_load(file, &config_schema, &errs, &cv.file, (void **)&raw);
	if (r < 0)
		return r;
	c = convert_array(1, sizeof(*c));
	c->file = convert_copy(file);
	top(&cv, raw, c);
	if (raw->bgp)
		config_bgp(&cv, raw->bgp, c);
	config_lans(&cv, raw, c);
	if (raw->bgp)
		config_imports(&cv, raw->bgp, c);
	if (raw->http)
		config_http(&cv, raw->http, c);
	check_log(&cv, c);
	yaml_file_free_data(&config_schema, raw);
	yaml_file_free(cv.file);
	if (errs.count) {
		config_free(c);
		return -EINVAL;
	}
	*ret = c;
	return 0;
}

void config_free(struct config *c)
{
	if (!c)
		return;
	config_bgp_free(c);
	config_lans_free(c);
	config_http_free(c);
	free(c->file);
	free(c->run_dir);
	free(c->pin_dir);
	free(c->state_dir);
	free(c->user);
	free(c->group);
	free(c->feed_user);
	free(c->log);
	free(c);
}
