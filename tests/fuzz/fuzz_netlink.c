/* What the kernel says of links ('L') and forwarding tables ('F'): the parsers on any bytes behind
 * that first octet. The kernel is no attacker, but its messages carry names and addresses that
 * others chose, and kernels differ.
 *
 * What must hold: nothing is read past the end; a name ends; what was read of an FDB entry is read
 * again from what is built of it.
 */
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

#include "proxyarp/linux/fdb.h"
#include "proxyarp/linux/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_link(const void *bytes, size_t len)
{
	struct link l;
	bool partial;

	if (!link_parse(bytes, len, &l, &partial))
		return;
	must(l.ifindex > 0 && memchr(l.name, 0, sizeof l.name));
	must(partial == (l.name[0] == '\0'));
	must(link_diff(&l, &l) == 0);
	must((link_diff(NULL, &l) & LINK_ADDED) && (link_diff(&l, NULL) & LINK_REMOVED));
	must((l.knobs.on & ~l.knobs.known) == 0);
}

static void check_fdb(const void *bytes, size_t len)
{
	struct fdb_entry e, again;
	struct nl_msg *msg;

	if (!fdb_parse(bytes, len, &e))
		return;
	must(e.ifindex > 0 && (e.dst.family == 0 || e.dst.family == 4 || e.dst.family == 6));
	msg = nlmsg_alloc_simple(28, 0);
	must(msg && fdb_build(msg, &e) == 0);
	must(fdb_parse(nlmsg_data(nlmsg_hdr(msg)), (size_t)nlmsg_datalen(nlmsg_hdr(msg)), &again));
	must(mac_eq(e.mac, again.mac) && ip_eq(e.dst, again.dst) && e.ifindex == again.ifindex);
	must(e.state == again.state && e.flags == again.flags && e.vlan == again.vlan &&
		e.where == again.where);
	nlmsg_free(msg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* In memory of its own and exactly that long, aligned as in the engine's buffer. */
	uint8_t *bytes;

	if (size < 2)
		return 0;
	bytes = malloc(size - 1);
	must(bytes);
	memcpy(bytes, data + 1, size - 1);
	if (data[0] == 'L')
		check_link(bytes, size - 1);
	else
		check_fdb(bytes, size - 1);
	free(bytes);
	return 0;
}
