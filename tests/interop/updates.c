/* Writes a stream of random UPDATEs to standard output, or what is in between of it:
 *
 *   updates SEED COUNT [KEYS [AS [UNWANTED]]]
 *
 * UNWANTED: an IPv4 address that is a next hop now and then. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/interop/random_update.h"

int main(int argc, char **argv)
{
	struct random_updates g = {.keys = 64, .own_as = 65000, .unwanted = {10, 99, 0, 200}};
	uint8_t buf[RANDOM_UPDATE_MAX];

	if (argc < 3) {
		fprintf(stderr, "usage: updates SEED COUNT [KEYS [AS [UNWANTED]]]\n");
		return 2;
	}
	g.state = strtoull(argv[1], NULL, 0);
	if (argc > 3)
		g.keys = (unsigned)strtoul(argv[3], NULL, 0);
	if (argc > 4)
		g.own_as = (uint32_t)strtoul(argv[4], NULL, 0);
	if (argc > 5 && inet_pton(AF_INET, argv[5], g.unwanted) != 1)
		return 2;
	for (unsigned long n = strtoul(argv[2], NULL, 0); n; n--) {
		size_t len = random_update(&g, buf);
		if (fwrite(buf, 1, len, stdout) != len)
			return 1;
	}
	return fflush(stdout) ? 1 : 0;
}
