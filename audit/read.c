/* A capture file into the books: which of the two formats it is, and what both have to say alike. Files are read by ourselves and not by
 * libpcap, which hides a pcapng's interfaces and directions behind one link type. */
#include "audit/read.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "audit/source.h"


int capture_wrong(const struct capture *c, const char *unit, int error, const char *fmt, ...)
{
	char what[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (c->s->damaged)
		snprintf(what, sizeof(what), "it cannot be unpacked any further");
	snprintf(c->err, AUDIT_ERROR_MAX, "%s: %s %llu at octet %llu: %s", c->path, unit, (unsigned long long)c->number,
		(unsigned long long)c->at, what);
	return error;
}

int capture_link_wrong(const struct capture *c, const char *unit, uint32_t link)
{
	if (link == 113 || link == 276)
		return capture_wrong(c, unit, -EINVAL,
			"Linux cooked (of 'any'), which has no destination MAC: capture the interface itself");
	return capture_wrong(c, unit, -EINVAL, "link type %u is not Ethernet", link);
}

/* "dir/swp1.pcap.gz" is "swp1". */
void capture_port_name(const struct capture *c, char *buf, size_t size)
{
	const char *base = strrchr(c->path, '/');
	static const char *const endings[] = {".gz", ".pcapng", ".pcap", ".cap"};

	snprintf(buf, size, "%s", c->port ? c->port : base && base[1] ? base + 1 : c->path);
	for (size_t i = 0; !c->port && i < sizeof(endings) / sizeof(endings[0]); i++) {
		size_t len = strlen(buf), end = strlen(endings[i]);
		if (len > end && strcmp(buf + len - end, endings[i]) == 0)
			buf[len - end] = '\0';
	}
}

static int read_source(struct audit *a, struct source *s, const char *path, const char *port, char err[AUDIT_ERROR_MAX])
{
	struct capture c = {.a = a, .path = path, .port = port, .s = s, .err = err};
	const uint8_t *magic = source_peek(s, 4);

	if (!magic) {
		snprintf(err, AUDIT_ERROR_MAX, "%s: %s", path, s->damaged ? "it cannot be unpacked" : s->have ? "no capture: it is too short" : "no capture: it is empty");
		return -EINVAL;
	}
	if (memcmp(magic, "\x0a\x0d\x0d\x0a", 4) == 0)
		return pcapng_file_read(&c);
	return pcap_file_read(&c);
}

int audit_read(struct audit *a, const char *path, const char *port, char err[AUDIT_ERROR_MAX])
{
	struct source s;
	int r = source_open(&s, path);

	if (r < 0) {
		snprintf(err, AUDIT_ERROR_MAX, "%s: %s", path, strerror(-r));
		return r;
	}
	r = read_source(a, &s, path, port, err);
	source_close(&s);
	return r;
}

void audit_expect(struct audit *a, const char *path, const char *port)
{
	char err[AUDIT_ERROR_MAX], name[256];
	struct source s;
	struct capture c = {.a = a, .path = path, .port = port, .s = &s, .err = err};

	struct stat st;

	/* What can be read only once is not looked into. */
	if (strcmp(path, "-") == 0 || stat(path, &st) < 0 || !S_ISREG(st.st_mode) || source_open(&s, path) < 0)
		return;
	const uint8_t *magic = source_peek(&s, 4);
	if (magic && memcmp(magic, "\x0a\x0d\x0d\x0a", 4) == 0) {
		pcapng_file_expect(&c);
	} else if (magic) {
		capture_port_name(&c, name, sizeof(name));
		audit_port_add(a, name);
	}
	source_close(&s);
}

int audit_read_octets(struct audit *a, const void *octets, size_t len, const char *path, const char *port,
	char err[AUDIT_ERROR_MAX])
{
	struct source s;

	source_of_memory(&s, octets, len);
	return read_source(a, &s, path, port, err);
}
