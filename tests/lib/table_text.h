/* What a table looks like, for check_table.c and whoever fills tables. */
#pragma once
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/table.h"

static char *printed(const struct table *t, bool colour)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	table_print(t, f, colour, "nothing");
	fclose(f);
	return text;
}

#define IS(t, colour, want)                                                                        \
	do {                                                                                       \
		char *is = printed(t, colour);                                                     \
		ck_assert_str_eq(is, want);                                                        \
		free(is);                                                                          \
	} while (0)
