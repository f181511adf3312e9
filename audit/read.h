/* Frames out of files: pcap and pcapng, of any link type that is Ethernet or has it inside (VXLAN mirrors are taken off in
 * audit/audit.c), also gzipped. */
#pragma once
#include "audit/audit.h"

#define AUDIT_ERROR_MAX 256

/* All frames of the file; "-" is standard input. `port` NULL: the name of the capture's interface (pcapng), else that of the file without its folder and ending.
 * 0; -errno with a line in err ("a.pcapng: block 12 at octet 3456: longer than the file"): what came before it is in the books.
 * -ENODATA: the file just ends within a record, as one does that is still being written. */
int audit_read(struct audit *a, const char *path, const char *port, char err[AUDIT_ERROR_MAX]);
/* Of several files: makes the ports of this one before any is read, so that each sender is counted at its own port, in whichever file
 * that is. A file that cannot be read is told of by audit_read(). */
void audit_expect(struct audit *a, const char *path, const char *port);
/* The same as audit_read(), of a file that is in memory. */
int audit_read_octets(struct audit *a, const void *octets, size_t len, const char *path, const char *port,
	char err[AUDIT_ERROR_MAX]);
