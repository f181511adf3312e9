/* What we say in an OPEN, whether we go on with what the peer says in his, and what both sides have
 * agreed on then. Their codec is in open.c.
 *
 * RFC 4271 sections 4.2 and 6.2; 4724 with 8538, 4760, 5492, 6286 (identifiers), 6793, 7607 (AS 0),
 * 7911, 8654, 9234, 9494.
 */
#include "bgp/negotiate.h"

#include <errno.h>
#include <string.h>

#include "bgp/engine.h"
#include "bgp/llgr.h"
#include "bgp/restart.h"
#include "bgp/roles.h"

/* Roles are between ASes. */
static enum bgp_role role_towards(const struct session *se, uint32_t as)
{
	return as != se->n->s->config.as ? se->n->config.role : ROLE_NONE;
}

enum bgp_role negotiate_otc_role(const struct session *se)
{
	return se->n->config.otc ? role_towards(se, se->open.as) : ROLE_NONE;
}

/* --- ours --- */

static bool is_offered(const struct session *se, unsigned table)
{
	return se->n->s->table[table].family != &rtc_family || se->n->config.rt_constrain;
}

/* Membership is told whoever is best, so several paths of it are of no use. */
static uint8_t add_path_offered(const struct session *se, unsigned table)
{
	return se->n->s->table[table].family == &rtc_family ? 0 : (uint8_t)se->n->config.add_path;
}

void negotiate_open(const struct session *se, struct bgp_open *o)
{
	const struct speaker *s = se->n->s;

	*o = (struct bgp_open){
		.as = s->config.as,
		.hold_sec = neighbor_hold_sec(se->n),
		.bgp_id = s->config.router_id,
		.as4 = true,
		.route_refresh = true,
		.enhanced_refresh = true,
		.extended_message = true,
		.role = roles_value(role_towards(se, se->n->config.remote_as)),
		.gr = s->config.restart_sec > 0,
		.gr_notification = s->config.restart_sec > 0,
		.gr_restart_sec =
			s->config.restart_sec > 4095 ? 4095 : (uint16_t)s->config.restart_sec,
		.gr_restarting = s->config.restart_sec > 0 && restart_is_restarting(s),
	};
	llgr_fill_open(se, o);
	for (unsigned i = 0; i < s->tables; i++) {
		struct bgp_afi_safi f = {s->table[i].family->afi, s->table[i].family->safi};
		if (!is_offered(se, i))
			continue;
		o->families[o->family_count++] = f;
		if (add_path_offered(se, i))
			o->add_path[o->add_path_count++] =
				(struct open_add_path){f, add_path_offered(se, i)};
		/* The data plane is the kernel's, so forwarding goes on whatever becomes of us. */
		if (o->gr)
			o->gr_families[o->gr_family_count++] = (struct open_gr_family){f, true};
	}
}

/* --- both --- */

/* RFC 7911 section 4: what one side sends the other must want to receive. */
static uint8_t add_path_agreed(const struct session *se, unsigned table, const struct bgp_open *o)
{
	const struct bgp_family *f = se->n->s->table[table].family;
	uint8_t ours = add_path_offered(se, table), theirs = 0;

	for (unsigned i = 0; i < o->add_path_count; i++)
		if (o->add_path[i].family.afi == f->afi && o->add_path[i].family.safi == f->safi)
			theirs = o->add_path[i].mode;
	return (ours & ADD_PATH_RECEIVE && theirs & ADD_PATH_SEND ? ADD_PATH_RECEIVE : 0) |
	       (ours & ADD_PATH_SEND && theirs & ADD_PATH_RECEIVE ? ADD_PATH_SEND : 0);
}

static bool add_path_in(const void *arg, const struct bgp_family *f)
{
	const struct session *se = arg;
	const struct speaker *s = se->n->s;

	for (unsigned t = 0; t < s->tables; t++)
		if (s->table[t].family == f)
			return se->add_path[t] & ADD_PATH_RECEIVE;
	return false;
}

void negotiate(struct session *se, const struct bgp_open *o)
{
	const struct speaker *s = se->n->s;
	uint16_t ours = neighbor_hold_sec(se->n);

	se->open = *o;
	se->open.llgr = o->llgr && o->gr; /* RFC 9494 section 4.5 */
	se->open_seen = true;
	se->ibgp = o->as == s->config.as;
	se->as4 = o->as4;
	se->extended = o->extended_message;
	se->refresh = o->route_refresh;
	se->enhanced_refresh = o->enhanced_refresh;
	se->gr = o->gr && s->config.restart_sec > 0;
	se->gr_notification = se->gr && o->gr_notification;
	se->hold_sec = o->hold_sec < ours ? o->hold_sec : ours;
	se->ctx = (struct update_ctx){
		.as4 = o->as4,
		.ibgp = se->ibgp,
		.local_as = s->config.as,
		.families = se->families,
		.add_path = add_path_in,
		.add_path_arg = se,
	};
	for (unsigned t = 0; t < s->tables; t++) {
		const struct bgp_family *f = s->table[t].family;
		se->family[t] = !o->family_count && f->afi == AFI_IPV4 && f->safi == SAFI_UNICAST;
		for (unsigned i = 0; is_offered(se, t) && i < o->family_count; i++)
			se->family[t] |=
				o->families[i].afi == f->afi && o->families[i].safi == f->safi;
		if (se->family[t])
			se->families[se->ctx.family_count++] = f;
		se->add_path[t] = add_path_agreed(se, t, o);
	}
}

static int refuse(struct bgp_error *ret, uint8_t subcode, const char *what)
{
	*ret = (struct bgp_error){.code = BGP_ERR_OPEN, .subcode = subcode, .what = what};
	return -EBADMSG;
}

int negotiate_refusal(const struct session *se, struct bgp_error *ret)
{
	const struct speaker *s = se->n->s;

	refuse(ret, BGP_OPEN_CAPABILITY, "no address family in common");
	for (unsigned t = 0; t < s->tables && ret->data_len + 6u <= sizeof(ret->data); t++) {
		const struct bgp_family *f = s->table[t].family;
		uint8_t cap[6] = {1, 4, (uint8_t)(f->afi >> 8), (uint8_t)f->afi, 0, f->safi};
		if (!is_offered(se, t))
			continue;
		memcpy(ret->data + ret->data_len, cap, sizeof(cap));
		ret->data_len += sizeof(cap);
	}
	return -EBADMSG;
}

int negotiate_check(const struct session *se, const struct bgp_open *o, struct bgp_error *ret)
{
	const struct speaker *s = se->n->s;
	uint32_t want = se->n->config.remote_as;

	if (o->as == 0 || (o->as == AS_TRANS && !o->as4 && want != AS_TRANS))
		return refuse(ret, BGP_OPEN_PEER_AS, "AS 0 or AS_TRANS as the peer's AS");
	if (want && o->as != want)
		return refuse(ret, BGP_OPEN_PEER_AS, "not the AS that is configured");
	if (o->bgp_id == 0)
		return refuse(ret, BGP_OPEN_BGP_ID, "BGP identifier 0.0.0.0");
	if (o->as == s->config.as && o->bgp_id == s->config.router_id)
		return refuse(ret, BGP_OPEN_BGP_ID, "our own BGP identifier");
	if (o->hold_sec == 1 || o->hold_sec == 2)
		return refuse(ret, BGP_OPEN_HOLD_TIME, "hold time of 1 or 2 s");
	const char *why =
		roles_mismatch(role_towards(se, o->as), se->n->config.role_strict, o->role);
	if (why)
		return refuse(ret, BGP_OPEN_ROLE, why);
	return 0;
}
