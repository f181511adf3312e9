/* The log: one line an event on stderr (journald reads it, with <N> priorities when it does), or to a sink.
 *
 *   2026-01-01T00:00:00.000Z warning bgp: 192.0.2.1: hold timer expired
 *
 * Levels as syslog's. A subsystem token ("bgp", "feed", "netlink", ...) has its own level. Each call site
 * that outsiders can trigger uses log_limited(): the first events at once, then a summary "(N more like this
 * before)". Text that came from a peer or member must have passed text_escape().
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

/* The subsystems; the token is the lower-case name. */
enum log_sys {
	LOG_MAIN,
	LOG_CONFIG,
	LOG_BGP,
	LOG_EVPN,
	LOG_FEED,
	LOG_CONTROL,
	LOG_PROXYARP,
	LOG_NETLINK,
	LOG_BPF,
	LOG_REGISTRY,
	LOG_SYS_COUNT,
};

void log_set_level(enum log_sys sys, enum log_level level);
void log_set_all(enum log_level level);
/* "debug" or "bgp=debug,feed=info". 0 or -EINVAL. */
int log_set_from_text(const char *text);
/* The same without setting anything. */
int log_check_text(const char *text);
/* Where lines go instead of stderr (tests); NULL: stderr. */
void log_set_sink(void (*sink)(void *arg, enum log_level level, const char *line), void *arg);

bool log_enabled(enum log_sys sys, enum log_level level);
void log_write(enum log_sys sys, enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A call site's memory: allow `burst` lines at once and then one every `every_ms`. */
struct log_limit {
	uint32_t burst, every_ms;
	uint64_t last_ms; /* when the burst was last refilled or a summary printed */
	uint32_t used;
	uint64_t suppressed;
};
#define LOG_LIMIT(burst, every_ms) ((struct log_limit){(burst), (every_ms), 0, 0, 0})

void log_limited(struct log_limit *limit, uint64_t now_ms, enum log_sys sys, enum log_level level,
	const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#define log_error(sys, ...) log_write(sys, LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(sys, ...) log_write(sys, LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(sys, ...) log_write(sys, LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(sys, ...) log_write(sys, LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(sys, ...)                                                                        \
	do {                                                                                       \
		if (log_enabled(sys, LOG_LEVEL_DEBUG))                                             \
			log_write(sys, LOG_LEVEL_DEBUG, __VA_ARGS__);                              \
	} while (0)
