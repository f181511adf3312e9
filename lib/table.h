/* Aligned tables for people: columns as wide as their widest cell, two blanks between, numbers to
 * the right. What is not printable ASCII is escaped (lib/text.h), since much of it came from peers
 * and members. Running out of memory ends the program. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum table_colour { PLAIN, GOOD, BAD, WARN, DIM };

struct table_column {
	const char *title;
	bool right;
};

struct table;

struct table *table_new(const struct table_column *columns, size_t count);
void table_free(struct table *t);
size_t table_rows(const struct table *t);

/* The next cell, row by row; the row that is begun when the last one is full. NULL or "": "-";
 * one blank: nothing. */
void table_cell(struct table *t, const char *text);
void table_cell_number(struct table *t, long long n);
/* Of the cell that was put last. */
void table_paint(struct table *t, enum table_colour colour);

/* Titles and rows, without blanks at the end of a line. No rows: the line `empty` instead. */
void table_print(const struct table *t, FILE *out, bool colour, const char *empty);
/* Rows alone. */
void table_print_bare(const struct table *t, FILE *out, bool colour);

/* Begins and ends a colour outside tables: "" without. */
const char *colour_begin(enum table_colour c, bool colour);
const char *colour_end(bool colour);
