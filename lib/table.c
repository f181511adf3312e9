/* Tables: cells are kept until all are there, since a column's width is known only then. */
#include "lib/table.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"

#define CELL_MAX 1024
#define GAP 2

struct cell {
	char *text;
	enum table_colour colour;
};

struct table {
	const struct table_column *columns;
	size_t column_count;
	struct cell *cells;
	size_t cell_count, room;
};

struct table *table_new(const struct table_column *columns, size_t count)
{
	struct table *t = calloc(1, sizeof(*t));

	if (!t)
		err(1, NULL);
	t->columns = columns;
	t->column_count = count;
	return t;
}

void table_free(struct table *t)
{
	for (size_t i = 0; i < t->cell_count; i++)
		free(t->cells[i].text);
	free(t->cells);
	free(t);
}

size_t table_rows(const struct table *t)
{
	return t->cell_count / t->column_count;
}

/* What a daemon has escaped already is not escaped again. */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

void table_cell(struct table *t, const char *text)
{
	char safe[CELL_MAX];

	if (t->cell_count == t->room) {
		t->room = t->room ? 2 * t->room : 64;
		t->cells = reallocarray(t->cells, t->room, sizeof(*t->cells));
		if (!t->cells)
			err(1, NULL);
	}
	if (!text || !text[0])
		text = "-";
	if (strcmp(text, " ") == 0)
		text = "";
	struct cell *c = &t->cells[t->cell_count++];
	c->colour = PLAIN;
	c->text =
		strdup(is_plain(text) ? text : text_escape(safe, sizeof(safe), text, strlen(text)));
	if (!c->text)
		err(1, NULL);
}

void table_cell_number(struct table *t, long long n)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", n);
	table_cell(t, text);
}

void table_paint(struct table *t, enum table_colour colour)
{
	if (t->cell_count)
		t->cells[t->cell_count - 1].colour = colour;
}

const char *colour_begin(enum table_colour c, bool colour)
{
	static const char *const codes[] = {"", "\033[32m", "\033[31m", "\033[33m", "\033[2m"};

	return colour ? codes[c] : "";
}

const char *colour_end(bool colour)
{
	return colour ? "\033[0m" : "";
}

static size_t width_of(const struct table *t, size_t column)
{
	size_t width = strlen(t->columns[column].title);

	for (size_t i = column; i < t->cell_count; i += t->column_count) {
		size_t len = strlen(t->cells[i].text);
		width = len > width ? len : width;
	}
	return width;
}

/* Blanks are owed until something follows them. */
static void print_cell(FILE *out, const char *text, enum table_colour c, bool colour, bool right,
	size_t width, size_t *owed)
{
	size_t len = strlen(text), blanks = *owed + (right ? width - len : 0);

	if (!len) {
		*owed += width + GAP;
		return;
	}
	fprintf(out, "%*s", (int)blanks, "");
	if (c != PLAIN && colour)
		fprintf(out, "%s%s%s", colour_begin(c, colour), text, colour_end(colour));
	else
		fputs(text, out);
	*owed = GAP + (right ? 0 : width - len);
}

static void print(const struct table *t, FILE *out, bool colour, bool titles)
{
	size_t *widths = calloc(t->column_count, sizeof(*widths)), owed = 0;

	if (!widths)
		err(1, NULL);
	for (size_t c = 0; c < t->column_count; c++) {
		widths[c] = width_of(t, c);
		if (titles)
			print_cell(out, t->columns[c].title, DIM, colour, t->columns[c].right,
				widths[c], &owed);
	}
	for (size_t i = 0; i < t->cell_count; i++) {
		size_t c = i % t->column_count;
		if (c == 0) {
			fputs(titles || i ? "\n" : "", out);
			owed = 0;
		}
		print_cell(out, t->cells[i].text, t->cells[i].colour, colour, t->columns[c].right,
			widths[c], &owed);
	}
	fputc('\n', out);
	free(widths);
}

void table_print(const struct table *t, FILE *out, bool colour, const char *empty)
{
	if (t->cell_count)
		print(t, out, colour, true);
	else
		fprintf(out, "%s\n", empty);
}

void table_print_bare(const struct table *t, FILE *out, bool colour)
{
	if (t->cell_count)
		print(t, out, colour, false);
}
