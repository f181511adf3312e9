/* The proxy's answers: an ARP reply or a neighbour advertisement for an address, on behalf of its owner. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxyarp/frame.h"
#include "proxyarp/layout.h"
#include "proxyarp/verdict.h"

#define ANSWER_TO_FABRIC 0x01 /* see the DAD rule of docs/verdict.md */
#define ANSWER_ANYCAST 0x02   /* O of an NA as in the binding; else always set */

/* Builds the answer to an arp-request, arp-probe, ns or ns-dad; `f` is that frame as read, `how` ANSWER_*. Returns its length;
 * `out` has room for VERDICT_ANSWER_MAX. */
size_t answer_build(const struct frame *f, const struct layout_bind *owner, unsigned how, uint8_t out[static VERDICT_ANSWER_MAX]);
