/* The connections to monitoring stations: calls them, writes what bgp/bmp.c has for them, and hears that they are gone.
 *
 *   UPDATE in -> bgp/session -> bgp/bmp -> [bmp_client] -> a station (RFC 7854)
 *
 * It is the last of the loop's turn hooks, so that what a turn has brought leaves in it. A station takes what its socket
 * takes; all else waits in its queue, which is bounded. What a station says is read and forgotten (section 3.2).
 */
#pragma once
#include <stdint.h>

#include "config/config.h"

struct bmp;
struct bmp_client;
struct loop;
struct speaker;

/* Before privileges are dropped: the machine's name and kernel are asked for here. Aborts when out of memory. */
struct bmp_client *bmp_client_new(struct loop *l, struct speaker *s);
/* Closes at once whatever is open. */
void bmp_client_free(struct bmp_client *c);

/* Stations as the configuration has them from now on; those in which nothing changed keep their connections. */
void bmp_client_apply(struct bmp_client *c, const struct config *config);
/* From now on they are called. After the other turn hooks have been added. */
void bmp_client_start(struct bmp_client *c);
/* Tells all stations that we close (section 4.5), and calls them no more. */
void bmp_client_stop(struct bmp_client *c);
/* Connections that are open. */
uint32_t bmp_client_open(const struct bmp_client *c);
/* For `show`: bmp_next(), bmp_view(). */
const struct bmp *bmp_client_stations(const struct bmp_client *c);
