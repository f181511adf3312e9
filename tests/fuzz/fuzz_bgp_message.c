/* BGP messages as they come from a peer: the header, then the decoder of the type.
 *
 * The first octet of the input says what kind of peer it is (see below); the rest is a stream of
 * messages. What an UPDATE was read as is written again and read again, and must be the same; OPEN,
 * NOTIFICATION and ROUTE-REFRESH likewise. A finding is an abort. */
#include "bgp/attrset.h"
#include "bgp/msg.h"
#include "lib/siphash.h"
#include "tests/bgp/wire.h"

#define IN_ADD_PATH 8
#define IN_EXTENDED 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static uint8_t message[BGP_MSG_EXTENDED_MAX];

/* --- UPDATE --- */

static bool always(const void *arg, const struct bgp_family *f)
{
	(void)arg;
	(void)f;
	return true;
}

/* Copies NLRIs into a message as long as they fit; those that are wrong, or longer than a key may
 * be written (an empty payload), cost only themselves. Returns how many went in. */
static unsigned put_nlris(struct update_writer *w, struct span nlris, bool add_path, bool withdraw)
{
	struct reader r = reader_of(nlris.p, nlris.len);
	const char *why = NULL;
	struct nlri n;

	while (reader_left(&r) > 0) {
		size_t left = reader_left(&r);
		enum nlri_verdict v = update_next(&r, &test_family, add_path, withdraw, &n, &why);
		must(v == NLRI_OK || why);
		if (v == NLRI_BROKEN)
			break;
		must(reader_ok(&r) && reader_left(&r) < left);
		if (v == NLRI_OK)
			update_add(w, n.path_id, n.key, n.key_len, n.payload, n.payload_len);
	}
	return w->count;
}

static unsigned count_nlris(struct span nlris, bool add_path, bool withdraw)
{
	struct reader r = reader_of(nlris.p, nlris.len);
	const char *why;
	struct nlri n;
	unsigned count = 0;

	for (; reader_left(&r) > 0; count++)
		must(update_next(&r, &test_family, add_path, withdraw, &n, &why) == NLRI_OK);
	return count;
}

/* To a peer of each kind, and back from one that knows everything. */
static void announce_again(const struct update *u, bool add_path)
{
	struct attrsets *sets = attrsets_new();
	struct attrs a = u->attrs;

	if (!attrs_has(&a, ATTR_LOCAL_PREF)) {
		a.present |= ATTR_BIT(ATTR_LOCAL_PREF); /* the encoder's default */
		a.local_pref = 100;
	}
	const struct attrset *set = attrset_intern(sets, &a);
	must(set);
	for (unsigned kind = 0; kind < 4; kind++) {
		struct update_out out = {.as4 = !(kind & PEER_AS2),
			.ibgp = !(kind & PEER_EBGP),
			.prepend_as = kind & PEER_EBGP ? 70000 : 0};
		struct update_ctx ctx = test_ctx(kind);
		struct update_writer w;
		struct update again;
		struct bgp_error err;

		if (update_begin(&w, message, sizeof(message), &test_family, add_path, &set->attrs,
			    &out) < 0)
			continue;
		unsigned count = put_nlris(&w, u->reach, add_path, false);
		size_t len = update_end(&w);
		must(!len == !count);
		if (!len)
			continue;
		must(update_decode(message + BGP_HEADER_LEN, len - BGP_HEADER_LEN, &ctx, &again,
			     &err) == 0);
		/* A path that grew by the prepended AS may be more than a span can hold. */
		if (again.reaction == UPDATE_TREAT_AS_WITHDRAW && a.as_path.len > 60000)
			continue;
		must(again.reaction == UPDATE_OK);
		must(again.reach_family == &test_family);
		must(count_nlris(again.reach, add_path, false) == count);
		if (kind == 0) {
			const struct attrset *back = attrset_intern(sets, &again.attrs);
			must(back == set);
			attrset_unref(sets, back);
		}
	}
	attrset_unref(sets, set);
	must(attrsets_count(sets) == 0);
	attrsets_free(sets);
}

static void withdraw_again(const struct update *u, bool add_path)
{
	struct update_ctx ctx = test_ctx(0);
	struct update_writer w;
	struct update again;
	struct bgp_error err;

	must(update_begin_withdraw(&w, message, sizeof(message), &test_family, add_path) == 0);
	unsigned count = put_nlris(&w, u->unreach, add_path, true);
	size_t len = update_end(&w);
	must(!len == !count);
	if (!len)
		return;
	must(update_decode(message + BGP_HEADER_LEN, len - BGP_HEADER_LEN, &ctx, &again, &err) ==
		0);
	must(again.reaction == UPDATE_OK && again.unreach_family == &test_family);
	must(count_nlris(again.unreach, add_path, true) == count);
}

static void try_update(const uint8_t *body, size_t len, unsigned kind)
{
	struct update_ctx ctx = test_ctx(kind);
	struct update u;
	struct bgp_error err = {0};

	if (kind & IN_ADD_PATH)
		ctx.add_path = always;
	if (update_decode(body, len, &ctx, &u, &err) != 0) {
		must(err.code == BGP_ERR_UPDATE && err.subcode != 0 && err.what);
		return;
	}
	must(u.reaction == UPDATE_OK ? !u.why : u.why != NULL);
	must(u.reaction != UPDATE_TREAT_AS_WITHDRAW || u.attrs.present == 0);
	if (u.unreach_family)
		withdraw_again(&u, kind & IN_ADD_PATH);
	if (u.reach_family && u.reaction < UPDATE_TREAT_AS_WITHDRAW)
		announce_again(&u, kind & IN_ADD_PATH);
}

/* --- the others --- */

static void try_open(const uint8_t *body, size_t len)
{
	struct writer w = writer_of(message, sizeof(message));
	struct bgp_open m, again;
	struct bgp_header h;
	struct bgp_error err = {0};

	if (open_decode(body, len, &m, &err) != 0) {
		must(err.code == BGP_ERR_OPEN && err.what);
		return;
	}
	open_encode(&w, &m);
	must(writer_ok(&w));
	must(bgp_header_decode(message, writer_len(&w), BGP_MSG_MAX, &h, &err) == 0);
	must(h.type == BGP_OPEN && h.len == writer_len(&w));
	must(open_decode(message + BGP_HEADER_LEN, h.len - BGP_HEADER_LEN, &again, &err) == 0);
	must(again.as == m.as && again.bgp_id == m.bgp_id && again.family_count == m.family_count &&
		again.gr_family_count == m.gr_family_count &&
		again.add_path_count == m.add_path_count && again.role == m.role &&
		again.gr == m.gr);
}

static void try_notification(const uint8_t *body, size_t len)
{
	struct writer w = writer_of(message, sizeof(message));
	struct bgp_error e;
	char text[200];

	if (notification_decode(body, len, &e) != 0)
		return;
	must(strlen(notification_format(&e, text, sizeof(text))) > 0);
	for (const char *p = text; *p; p++)
		must(*p >= 0x20 && *p < 0x7f);
	notification_encode(&w, &e);
	must(writer_len(&w) == BGP_HEADER_LEN + 2u + e.data_len);
}

static void try_refresh(const uint8_t *body, size_t len)
{
	struct writer w = writer_of(message, sizeof(message));
	struct bgp_refresh m;
	struct bgp_error err;

	if (refresh_decode(body, len, &m, &err) != 0)
		return;
	refresh_encode(&w, &m);
	must(memcmp(message + BGP_HEADER_LEN, body, 4) == 0);
}

static void try_message(uint8_t type, const uint8_t *body, size_t len, unsigned kind)
{
	/* In an allocation of its own: what lies behind a message is not the message. */
	struct octets o = octets_cut(body, len);

	if (type == BGP_UPDATE)
		try_update(o.p, len, kind);
	else if (type == BGP_OPEN)
		try_open(o.p, len);
	else if (type == BGP_NOTIFICATION)
		try_notification(o.p, len);
	else if (type == BGP_ROUTE_REFRESH)
		try_refresh(o.p, len);
	free(o.p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bgp_header h;
	struct bgp_error err;

	siphash_process_key_fix(1, 2);
	if (size == 0)
		return 0;
	unsigned kind = *data++;
	size_t max = kind & IN_EXTENDED ? BGP_MSG_EXTENDED_MAX : BGP_MSG_MAX;
	size--;
	while (bgp_header_decode(data, size, max, &h, &err) == 0 && h.len <= size) {
		try_message(h.type, data + BGP_HEADER_LEN, h.len - BGP_HEADER_LEN, kind);
		data += h.len;
		size -= h.len;
	}
	return 0;
}
