/* Fuzz: the plain-YAML registry. Whatever the file, it is read or refused with an error that says where. */
#include "tests/fuzz/fuzz_file.h" /* first: it asks for memfd_create() */

#include <string.h>

#include "registry/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *path = fuzz_file(data, size);
	struct prefix v4 = {.len = 15}, v6 = {.len = 32};
	char err[REGISTRY_ERROR_MAX];
	struct registry *reg = NULL;

	if (prefix_parse("198.18.0.0/15", &v4) < 0 || prefix_parse("2001:db8::/32", &v6) < 0)
		abort();
	struct prefix prefixes[] = {v4, v6};
	struct registry_lan lan = {.prefixes = prefixes, .prefix_count = 2};
	int r = registry_load(&path, 1, &lan, &reg, err);
	if (r == 0)
		registry_free(reg);
	else if (strncmp(err, path, strlen(path)) != 0)
		abort();
	return 0;
}
