/* Live ports. An interface is opened twice, once for each direction, since a frame by itself does not say which way it went; what comes in
 * there is taken to be from the member (audit_frame() turns it round at the member's side). */
#include "audit/live.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "audit/ring.h"

#define SNAP_LEN 2048 /* no longer frames in a peering LAN, but for jumbo ones, which are read cut */
#define BUFFER_OCTETS (8 << 20)
#define WAIT_MS 100
#define NSEC 1000000000

struct live {
	struct audit *a;
	struct ring *ring; /* NULL: none */
	char *err;
	int64_t end_ns; /* what came later is no longer of the capture; 0: not over */
};

struct tap {
	struct live *live;
	pcap_t *handle;
	size_t interface;
	uint32_t port;
	enum audit_dir dir;
};

static int __attribute__((format(printf, 3, 4))) wrong(struct live *l, int error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(l->err, AUDIT_ERROR_MAX, fmt, ap);
	va_end(ap);
	return error;
}

static int activate(struct tap *t, const char *name)
{
	char why[PCAP_ERRBUF_SIZE] = "";

	t->handle = pcap_create(name, why);
	if (!t->handle)
		return wrong(t->live, -EIO, "%s: %s", name, why);
	pcap_set_snaplen(t->handle, SNAP_LEN);
	pcap_set_promisc(t->handle, 1);
	pcap_set_timeout(t->handle, WAIT_MS);
	pcap_set_buffer_size(t->handle, BUFFER_OCTETS);
	pcap_set_tstamp_precision(t->handle, PCAP_TSTAMP_PRECISION_NANO);
	int e = pcap_activate(t->handle);
	if (e < 0)
		return wrong(t->live, e == PCAP_ERROR_PERM_DENIED ? -EPERM : -EIO, "%s: %s%s%s", name, pcap_statustostr(e),
			*pcap_geterr(t->handle) ? ": " : "", pcap_geterr(t->handle));
	if (pcap_datalink(t->handle) != DLT_EN10MB)
		return wrong(t->live, -EINVAL, "%s: not an Ethernet interface", name);
	if (pcap_setdirection(t->handle, t->dir == AUDIT_SENT ? PCAP_D_IN : PCAP_D_OUT) < 0 ||
		pcap_setnonblock(t->handle, 1, why) < 0)
		return wrong(t->live, -EIO, "%s: %s", name, pcap_geterr(t->handle));
	return 0;
}

static void take(u_char *user, const struct pcap_pkthdr *h, const u_char *octets)
{
	struct tap *t = (struct tap *)user;
	int64_t sec = h->ts.tv_sec, part = h->ts.tv_usec;
	bool nano = pcap_get_tstamp_precision(t->handle) == PCAP_TSTAMP_PRECISION_NANO;
	int64_t ns = sec * NSEC + part * (nano ? 1 : 1000);

	if (t->live->end_ns && ns > t->live->end_ns)
		return;
	audit_frame(t->live->a, t->port, t->dir, octets, h->caplen, h->len, ns);
	if (t->live->ring)
		ring_put(t->live->ring, t->interface, t->dir, octets, h->caplen, h->len, ns);
}

static int64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * NSEC + t.tv_nsec;
}

/* One turn of all taps: all that is there of each. */
static int turn(struct live *l, struct tap *taps, struct pollfd *fds, size_t count)
{
	if (poll(fds, count, WAIT_MS) < 0 && errno != EINTR)
		return wrong(l, -errno, "poll: %s", strerror(errno));
	for (size_t i = 0; i < count; i++)
		if (pcap_dispatch(taps[i].handle, -1, take, (u_char *)&taps[i]) < 0)
			return wrong(l, -EIO, "%s: %s", l->a->ports[taps[i].port].name, pcap_geterr(taps[i].handle));
	return 0;
}

static int capture(struct live *l, const struct live_config *c, struct tap *taps, size_t count)
{
	struct pollfd *fds = calloc(count, sizeof(*fds));
	int64_t from = clock_ns(CLOCK_REALTIME), start = clock_ns(CLOCK_MONOTONIC);
	int r = 0;

	if (!fds)
		return wrong(l, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++)
		fds[i] = (struct pollfd){.fd = pcap_get_selectable_fd(taps[i].handle), .events = POLLIN};
	while (r == 0 && !*c->stop &&
		(c->seconds <= 0 || (double)(clock_ns(CLOCK_MONOTONIC) - start) < c->seconds * NSEC))
		r = turn(l, taps, fds, count);
	/* The kernel hands frames over in blocks, that it keeps for WAIT_MS at most. */
	l->end_ns = clock_ns(CLOCK_REALTIME);
	int64_t drained = clock_ns(CLOCK_MONOTONIC) + 2LL * WAIT_MS * (NSEC / 1000);
	while (r == 0 && clock_ns(CLOCK_MONOTONIC) < drained)
		r = turn(l, taps, fds, count);
	for (size_t i = 0; i < count; i++)
		audit_port_ran(l->a, taps[i].port, from, l->end_ns);
	free(fds);
	return r;
}

static uint64_t dropped(const struct tap *t)
{
	struct pcap_stat s;

	return t->handle && pcap_stats(t->handle, &s) == 0 ? s.ps_drop : 0;
}

static const char *port_name(const struct live_config *c, size_t i)
{
	return c->ports && c->ports[i] ? c->ports[i] : c->interfaces[i];
}

static int open_taps(struct live *l, const struct live_config *c, struct tap *taps)
{
	int r = 0;

	for (size_t i = 0; i < 2 * c->count && r == 0; i++) {
		taps[i].live = l;
		taps[i].interface = i / 2;
		taps[i].port = audit_port_add(l->a, port_name(c, i / 2));
		taps[i].dir = i % 2 ? AUDIT_RECEIVED : AUDIT_SENT;
		r = activate(&taps[i], c->interfaces[i / 2]);
	}
	return r;
}

int audit_live(struct audit *a, const struct live_config *c, uint64_t *ret_dropped, char err[AUDIT_ERROR_MAX])
{
	struct ring ring;
	struct live l = {.a = a, .ring = c->ring ? &ring : NULL, .err = err};
	struct tap *taps = calloc(2 * c->count, sizeof(*taps));

	if (!taps)
		return wrong(&l, -ENOMEM, "out of memory");
	int r = open_taps(&l, c, taps);
	if (r == 0 && c->ring)
		ring_open(&ring, c);
	if (r == 0) {
		r = capture(&l, c, taps, 2 * c->count);
		int e = c->ring ? ring_close(&ring) : 0;
		if (r == 0 && e < 0)
			r = wrong(&l, e, "%s: %s", c->ring, strerror(-e));
	}
	*ret_dropped = 0;
	for (size_t i = 0; i < 2 * c->count; i++) {
		*ret_dropped += dropped(&taps[i]);
		if (taps[i].handle)
			pcap_close(taps[i].handle);
	}
	free(taps);
	return r;
}
