/* OPEN: what we say, what the peer may say, and what comes of both. */
#pragma once
#include "bgp/session.h"

/* Ours. */
void negotiate_open(const struct session *se, struct bgp_open *o);
/* Theirs against the configuration: 0, or -EBADMSG with *ret (2/x). */
int negotiate_check(const struct session *se, const struct bgp_open *o, struct bgp_error *ret);
/* What both have agreed on, into the session. No family: see negotiate_refusal(). */
void negotiate(struct session *se, const struct bgp_open *o);
/* 2/7; the capabilities that we require and miss are in the data (RFC 5492 section 5). -EBADMSG. */
int negotiate_refusal(const struct session *se, struct bgp_error *ret);
/* Our role towards the peer if the rules of OTC hold for it (RFC 9234 section 5), else none. */
enum bgp_role negotiate_otc_role(const struct session *se);
