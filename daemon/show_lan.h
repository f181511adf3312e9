/* `show lan` of quelld: who is where, as JSON, written a slice at a time.
 *
 * First the tables are copied, each in one short walk, so that the answer is of one moment (of a few turns of the loop,
 * to be exact) however slowly it is read; the text, which costs much more, is then written in slices. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

struct jsontext;
struct lans;
struct show_lan;

/* `request` may hold lan (name). NULL: *ret_error says what is wrong with it. A LAN may go before the end; `lans` not. */
struct show_lan *show_lan_start(const struct lans *lans, const json_t *request, const char **ret_error);
/* Writes on, `octets` or a little more, or nothing while it copies. false: this was the end. */
bool show_lan_write(struct show_lan *q, struct jsontext *out, size_t octets);
void show_lan_free(struct show_lan *q);
