/* quelld's control socket: the requests of docs/feed.md. {"show": ...} is answered from the views of the floors below
 * and changes nothing; {"do": ...} changes something, and is for root and the daemon's own user alone. */
#pragma once
#include <stdbool.h>

struct control_quelld;
struct quelld;

/* Listens on `path`; `q` must outlive the socket. 0, or -errno of the socket. */
int control_quelld_new(struct quelld *q, const char *path, struct control_quelld **ret);
void control_quelld_free(struct control_quelld *c);
