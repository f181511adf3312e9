/* For tests of the importers: the sample exports, and what comes of them as text. */
#pragma once
#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/import.h"
#include "registry/safety.h"

static struct prefix lan_prefixes[2];

static inline struct registry_lan test_lan(uint32_t vlan)
{
	ck_assert_int_eq(prefix_parse("198.18.0.0/21", &lan_prefixes[0]), 0);
	ck_assert_int_eq(prefix_parse("2001:db8:100::/64", &lan_prefixes[1]), 0);
	return (struct registry_lan){lan_prefixes, 2, vlan};
}

/* Of tests/registry/data/; to be freed. */
static inline char *sample(const char *name)
{
	const char *srcdir = getenv("srcdir");
	char path[512], *text = NULL;
	size_t len = 0;

	snprintf(path, sizeof(path), "%s/tests/registry/data/%s", srcdir ? srcdir : ".", name);
	FILE *from = fopen(path, "rb"), *to = open_memstream(&text, &len);
	ck_assert_msg(from != NULL && to != NULL, "%s", path);
	for (int c; (c = fgetc(from)) != EOF;)
		fputc(c, to);
	fclose(from);
	fclose(to);
	return text;
}

/* To be freed. */
static inline char *written(const struct registry *reg)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(to);
	ck_assert_int_eq(registry_write(reg, NULL, to), 0);
	fclose(to);
	return text;
}

/* Each finding a line: "note: ...". To be freed. */
static inline char *findings_text(const struct registry_findings *f)
{
	static const char *const grades[] = {"note", "conflict", "error"};
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(to);
	for (size_t i = 0; i < f->count; i++)
		fprintf(to, "%s: %s\n", grades[f->list[i].grade], f->list[i].text);
	fclose(to);
	return text;
}
