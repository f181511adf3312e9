/* The registry of a LAN from its files, strictly: quelld and the agent take nothing that is not right as a whole. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/build.h"
#include "registry/read.h"

/* Lines in the caller's buffer: whole ones, as many as it holds. */
struct lines {
	char *buf;
	size_t len;
	bool full;
	size_t errors;
};

static void add_line(void *arg, enum registry_grade grade, const char *line)
{
	struct lines *l = arg;
	size_t len = strlen(line), sep = l->len ? 1 : 0;

	if (grade == REGISTRY_NOTE)
		return;
	l->errors++;
	l->full = l->full || l->len + sep + len >= REGISTRY_ERROR_MAX;
	if (l->full)
		return;
	if (sep)
		l->buf[l->len] = '\n';
	memcpy(l->buf + l->len + sep, line, len + 1);
	l->len += sep + len;
}

/* To be freed; with a NUL behind it. */
static int read_file(const char *path, char **ret, size_t *ret_len)
{
	FILE *in = fopen(path, "rb");
	char *text = NULL;
	size_t cap = 0, len = 0;
	int r = in ? 1 : -errno;

	while (r > 0) {
		if (cap - len < 2) {
			cap = cap ? 2 * cap : 65536;
			char *more = cap > REGISTRY_FILE_MAX ? NULL : realloc(text, cap);
			if (!more) {
				r = -EFBIG;
				break;
			}
			text = more;
		}
		size_t n = fread(text + len, 1, cap - len - 1, in);
		len += n;
		r = n ? 1 : ferror(in) ? -EIO : 0;
	}
	if (in)
		fclose(in);
	if (r < 0) {
		free(text);
		return r;
	}
	text[len] = '\0';
	*ret = text;
	*ret_len = len;
	return 0;
}

int registry_load(const char *const *files, size_t file_count, const struct registry_lan *lan,
	struct registry **ret, char err[REGISTRY_ERROR_MAX])
{
	struct registry_file *texts = calloc(file_count + 1, sizeof(*texts));
	struct lines lines = {.buf = err};
	struct registry *reg = NULL;
	char line[BUILD_LINE];
	int r = 0;

	if (!texts)
		abort();
	err[0] = '\0';
	for (size_t i = 0; i < file_count && r == 0; i++) {
		char *text = NULL;
		texts[i].name = files[i];
		r = read_file(files[i], &text, &texts[i].len);
		texts[i].text = text;
		if (r < 0) {
			snprintf(line, sizeof(line), "%s: %s", files[i], strerror(-r));
			add_line(&lines, REGISTRY_ERROR, line);
		}
	}
	if (r == 0)
		reg = registry_read(texts, file_count, lan, add_line, &lines);
	for (size_t i = 0; i < file_count; i++)
		free((char *)texts[i].text);
	free(texts);
	if (r == 0 && lines.errors)
		r = -EINVAL;
	if (r < 0) {
		registry_free(reg);
		return r;
	}
	*ret = reg;
	return 0;
}
