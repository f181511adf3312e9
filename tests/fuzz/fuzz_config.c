/* Fuzz: the configuration file. Whatever the file, it is read or refused with an error that says where; what was read can be
 * compared as a reload does. */
#include "tests/fuzz/fuzz_file.h" /* first: it asks for memfd_create() */

#include <string.h>

#include "config/config.h"
#include "config/diff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* With itself nothing is different; with nothing, all of it can be told. */
static void compare(const struct config *c)
{
	struct config none = {0};
	struct config_diff d;

	config_diff(c, c, &d);
	if (d.count)
		abort();
	config_diff(&none, c, &d);
	config_diff_free(&d);
	config_diff(c, &none, &d);
	config_diff_free(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *path = fuzz_file(data, size);
	char err[CONFIG_ERROR_MAX];
	struct config *c = NULL;

	/* Key files may be anywhere; an input must not make us open a device. */
	if (memmem(data, size, "password-file", 13))
		return 0;
	int r = config_load(path, &c, err);
	if (r == 0) {
		compare(c);
		config_free(c);
	} else if (strncmp(err, path, strlen(path)) != 0)
		abort();
	return 0;
}
