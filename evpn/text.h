/* Routes as text, in the form that operators know from FRR, with the RD before it:
 *
 *   10.99.0.1:2 [2]:[0]:[48]:[02:00:5e:00:00:01]:[32]:[198.18.0.1] label 100
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* The hook of struct bgp_family. `payload` NULL: the key alone. What does not fit is cut; returns
 * buf. */
char *evpn_text_route(char *buf, size_t cap, const uint8_t *key, size_t key_len,
	const uint8_t *payload, size_t payload_len);
