/* The communities by which a client of a route server says who else is to have its route (RFC 7947
 * section 2.3.2.1; the customary ones of exchanges):
 *
 *   standard       large (RFC 8092)   what
 *   0:PEER         RS:0:PEER          not to this one
 *   RS:PEER        RS:1:PEER          to this one, whatever else is said of all
 *   0:RS           RS:0:0             to nobody
 *   RS:RS          RS:1:0             to all, as without any
 *
 * RS is our AS. They are for us, so they are taken out on the way (section 2.2.4 allows it); a
 * neighbour whose peers may say so is one with `control-communities`. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "bgp/attr.h"

/* May a route with these go to clients of AS `peer`? */
bool control_allows(const struct attrs *a, uint32_t rs, uint32_t peer);
/* Takes them out. `room` has CONTROL_ROOM octets, and the attributes then refer to it. */
#define CONTROL_ROOM (2 * UINT16_MAX)
void control_strip(struct attrs *a, uint32_t rs, uint8_t *room);
