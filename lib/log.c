#include "lib/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const sys_names[LOG_SYS_COUNT] = {
	[LOG_MAIN] = "main",
	[LOG_CONFIG] = "config",
	[LOG_BGP] = "bgp",
	[LOG_EVPN] = "evpn",
	[LOG_FEED] = "feed",
	[LOG_CONTROL] = "control",
	[LOG_PROXYARP] = "proxyarp",
	[LOG_NETLINK] = "netlink",
	[LOG_BPF] = "bpf",
	[LOG_REGISTRY] = "registry",
};

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_NOTICE] = "notice",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

static enum log_level levels[LOG_SYS_COUNT] = {[0 ... LOG_SYS_COUNT - 1] = LOG_LEVEL_INFO};
static void (*sink_fn)(void *arg, enum log_level level, const char *line);
static void *sink_arg;

void log_set_level(enum log_sys sys, enum log_level level)
{
	levels[sys] = level;
}

void log_set_all(enum log_level level)
{
	for (int i = 0; i < LOG_SYS_COUNT; i++)
		levels[i] = level;
}

void log_set_sink(void (*sink)(void *arg, enum log_level level, const char *line), void *arg)
{
	sink_fn = sink;
	sink_arg = arg;
}

static int find_name(const char *const *names, int first, int count, const char *text, size_t len)
{
	for (int i = first; i < count; i++)
		if (strlen(names[i]) == len && strncmp(names[i], text, len) == 0)
			return i;
	return -EINVAL;
}

static int parse_levels(const char *text, bool set)
{
	while (*text) {
		size_t len = strcspn(text, ",");
		const char *eq = memchr(text, '=', len);
		const char *word = eq ? eq + 1 : text;
		int level = find_name(level_names, LOG_LEVEL_ERROR, LOG_LEVEL_DEBUG + 1, word,
			len - (size_t)(word - text));
		if (level < 0)
			return level;
		if (eq) {
			int sys = find_name(sys_names, 0, LOG_SYS_COUNT, text, (size_t)(eq - text));
			if (sys < 0)
				return sys;
			if (set)
				log_set_level((enum log_sys)sys, (enum log_level)level);
		} else if (set) {
			log_set_all((enum log_level)level);
		}
		text += len + (text[len] == ',');
	}
	return 0;
}

int log_set_from_text(const char *text)
{
	return parse_levels(text, true);
}

int log_check_text(const char *text)
{
	return parse_levels(text, false);
}

bool log_enabled(enum log_sys sys, enum log_level level)
{
	return level <= levels[sys];
}

__attribute__((format(printf, 3, 0))) static void emit(enum log_sys sys, enum log_level level,
	const char *fmt, va_list ap, const char *tail)
{
	char line[1024], stamp[40];
	struct timespec ts;
	struct tm tm;

	int n = snprintf(line, sizeof(line), "%s %s: ", level_names[level], sys_names[sys]);
	vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	size_t used = strlen(line);
	snprintf(line + used, sizeof(line) - used, "%s", tail);
	if (sink_fn) {
		sink_fn(sink_arg, level, line);
		return;
	}
	if (getenv("JOURNAL_STREAM")) {
		fprintf(stderr, "<%d>%s\n", (int)level, line);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	fprintf(stderr, "%s.%03ldZ %s\n", stamp, ts.tv_nsec / 1000000, line);
}

void log_write(enum log_sys sys, enum log_level level, const char *fmt, ...)
{
	va_list ap;

	if (!log_enabled(sys, level))
		return;
	va_start(ap, fmt);
	emit(sys, level, fmt, ap, "");
	va_end(ap);
}

void log_limited(struct log_limit *limit, uint64_t now_ms, enum log_sys sys, enum log_level level,
	const char *fmt, ...)
{
	char tail[64] = "";
	va_list ap;

	if (!log_enabled(sys, level))
		return;
	if (now_ms - limit->last_ms >= limit->every_ms) {
		if (limit->suppressed)
			snprintf(tail, sizeof(tail), " (%llu more like this before)",
				(unsigned long long)limit->suppressed);
		limit->last_ms = now_ms;
		limit->used = 0;
		limit->suppressed = 0;
	}
	if (limit->used >= limit->burst) {
		limit->suppressed++;
		return;
	}
	limit->used++;
	va_start(ap, fmt);
	emit(sys, level, fmt, ap, tail);
	va_end(ap);
}
