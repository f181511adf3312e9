/* Fuzz: the exchange's books, whatever kind the content says it is. Read or refused with a word that begins with the file's name; what is
 * read can be written, read again, and put in its own place. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/import.h"
#include "registry/safety.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_again(const struct registry *reg, const struct registry_lan *lan)
{
	struct registry_findings f;
	struct registry *again = NULL;
	struct registry_step step;
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	if (!to || registry_write(reg, "fuzz", to) < 0)
		abort();
	fclose(to);
	struct registry_file file = {"written", text, len, 0, NULL};
	if (registry_import(&file, 1, lan, true, &again, &f) < 0) {
		fprintf(stderr, "%s\n%s\n", f.list[0].text, text);
		abort();
	}
	registry_replace(reg, again, &(struct registry_limits){0, 0}, &step);
	if (step.refused || step.removed || step.added || step.swapped)
		abort();
	free(text);
	registry_free(again);
	registry_findings_free(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct prefix prefixes[2];
	struct registry_findings f;
	struct registry *reg = NULL;

	if (prefix_parse("198.18.0.0/15", &prefixes[0]) < 0 || prefix_parse("2001:db8::/32", &prefixes[1]) < 0)
		abort();
	char *text = malloc(size + 1);
	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	/* The VLAN told by its number, by the addresses, and of a LAN without prefixes. */
	for (int way = 0; way < 3; way++) {
		struct registry_lan lan = {prefixes, way < 2 ? 2 : 0, way == 0 ? 100 : 0};
		struct registry_file file = {"in", text, size, 0x0a630001, "sw1"};
		int r = registry_import(&file, 1, &lan, false, &reg, &f);
		if ((r < 0) != (f.errors > 0))
			abort();
		for (size_t i = 0; i < f.count; i++)
			if (strncmp(f.list[i].text, "in:", 3) != 0)
				abort();
		registry_findings_free(&f);
		if (r < 0)
			continue;
		read_again(reg, &lan);
		registry_free(reg);
	}
	free(text);
	return 0;
}
