/* What both daemons tell of themselves: what they are, what they use, how long their loop makes others wait, who asks. */
#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "daemon/loop.h"
#include "daemon/metrics.h"

enum { BUILD, START, RESIDENT, CPU, TURNS, LONGEST, REQUESTS, CONNECTIONS, CLOSED };

static const struct openmetrics_family families[] = {
	[BUILD] = {"quell_build", METRIC_INFO, NULL, "The program and its version."},
	[START] = {"process_start_time_seconds", METRIC_GAUGE, "seconds", "When it started, since 1970."},
	[RESIDENT] = {"process_resident_memory_bytes", METRIC_GAUGE, "bytes", "Memory in use."},
	[CPU] = {"process_cpu_seconds", METRIC_COUNTER, "seconds", "CPU time used."},
	[TURNS] = {"quell_loop_turn_seconds", METRIC_HISTOGRAM, "seconds",
		"How long turns of the event loop took, and so how long others waited."},
	[LONGEST] = {"quell_loop_turn_longest_seconds", METRIC_GAUGE, "seconds",
		"The longest turn since the start."},
	[REQUESTS] = {"quell_http_requests", METRIC_COUNTER, NULL, "HTTP requests answered, by class of status."},
	[CONNECTIONS] = {"quell_http_connections", METRIC_GAUGE, NULL, "HTTP connections open."},
	[CLOSED] = {"quell_http_closed", METRIC_COUNTER, NULL,
		"HTTP connections that were closed: too slow, or to make room."},
};

uint64_t metrics_unix_sec(uint64_t mono_ms)
{
	uint64_t now = loop_now_ms();

	return (uint64_t)time(NULL) - (now > mono_ms ? (now - mono_ms) / 1000 : 0);
}

/* The second number of /proc/self/statm, in pages. 0: not told. */
static uint64_t resident_octets(void)
{
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	char text[128], *end;
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (len <= 0)
		return 0;
	text[len] = '\0';
	strtoull(text, &end, 10);
	return strtoull(end, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void sample_turns(const struct metrics_process *p, struct openmetrics *m)
{
	struct loop_stats s;
	uint64_t sum = 0;
	char le[32];

	loop_stats(p->loop, &s);
	for (size_t i = 0; i < LOOP_LATE_BUCKETS; i++) {
		snprintf(le, sizeof(le), "%g", (double)loop_late_us[i] / 1e6);
		sum += s.within[i];
		openmetrics_sample_of(m, "bucket");
		openmetrics_label(m, "le", loop_late_us[i] == 1000000 ? "1.0" : le);
		openmetrics_value(m, sum);
	}
	openmetrics_sample_of(m, "bucket");
	openmetrics_label(m, "le", "+Inf");
	openmetrics_value(m, s.turns);
	openmetrics_sample_of(m, "count");
	openmetrics_value(m, s.turns);
	openmetrics_sample_of(m, "sum");
	openmetrics_ns(m, s.busy_ns);
}

static void sample_http(const struct metrics_process *p, struct openmetrics *m, size_t family)
{
	static const char *const by_status[] = {[2] = "2xx", [3] = "3xx", [4] = "4xx", [5] = "5xx"};
	struct http_stats s;

	http_stats(p->http, &s);
	for (size_t i = 2; family == REQUESTS && i < sizeof(by_status) / sizeof(by_status[0]); i++) {
		openmetrics_sample(m);
		openmetrics_label(m, "status", by_status[i]);
		openmetrics_value(m, s.by_status[i]);
	}
	if (family == CONNECTIONS) {
		openmetrics_sample(m);
		openmetrics_value(m, s.open);
	}
	for (int slow = 0; family == CLOSED && slow < 2; slow++) {
		openmetrics_sample(m);
		openmetrics_label(m, "reason", slow ? "slow" : "crowded");
		openmetrics_value(m, slow ? s.timeouts : s.crowded);
	}
}

static void sample(const void *arg, struct openmetrics *m, size_t family, size_t item)
{
	const struct metrics_process *p = arg;
	struct timespec cpu = {0, 0};
	struct loop_stats s;

	(void)item;
	if (family == TURNS) {
		sample_turns(p, m);
		return;
	}
	if (family >= REQUESTS) {
		sample_http(p, m, family);
		return;
	}
	openmetrics_sample(m);
	switch (family) {
	case BUILD:
		openmetrics_label(m, "program", p->program);
		openmetrics_label(m, "version", PACKAGE_VERSION);
		openmetrics_value(m, 1);
		break;
	case START:
		openmetrics_value(m, metrics_unix_sec(p->started_ms));
		break;
	case RESIDENT:
		openmetrics_value(m, resident_octets());
		break;
	case CPU:
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
		openmetrics_ns(m, (uint64_t)cpu.tv_sec * 1000000000 + (uint64_t)cpu.tv_nsec);
		break;
	default:
		loop_stats(p->loop, &s);
		openmetrics_ns(m, s.longest_ns);
	}
}

const struct metrics_section metrics_process_section = {
	families, sizeof(families) / sizeof(families[0]), NULL, NULL, sample};
