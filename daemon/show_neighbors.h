/* `show neighbors` of quelld, as JSON, written a slice at a time: with a thousand neighbours it is a megabyte and a half,
 * for which no session should have to wait. Each neighbour is as it is when it is its turn. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct jsontext;
struct show_neighbors;
struct speaker;

/* NULL: out of memory. The speaker must outlive it; neighbours may come and go. */
struct show_neighbors *show_neighbors_start(const struct speaker *s);
/* Writes on, `octets` or a little more. false: this was the end. */
bool show_neighbors_write(struct show_neighbors *q, struct jsontext *out, size_t octets);
void show_neighbors_free(struct show_neighbors *q);
