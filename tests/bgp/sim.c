#include "tests/bgp/sim.h"

#include <stdlib.h>
#include <string.h>

#include "bgp/txq.h"
#include "lib/siphash.h"
#include "tests/bgp/wire.h"

static bool known_eq(const void *entry, const void *key)
{
	const struct sim_known *a = entry, *b = key;

	return a->key_len == b->key_len && memcmp(a->key, b->key, a->key_len) == 0;
}

static uint64_t known_hash(const struct sim_known *k)
{
	return siphash(siphash_process_key(), k->key, k->key_len);
}

static bool known_free(void *entry, void *arg)
{
	(void)arg;
	free(entry);
	return true;
}

static void best_changed(void *arg, const struct best_change *c, uint64_t now_ms)
{
	struct sim_node *n = arg;
	struct sim_known k = {.key_len = (uint8_t)c->key_len}, *old;

	n->tells++;
	if (n->best) {
		n->best(n->arg, c, now_ms);
		return;
	}
	memcpy(k.key, c->key, c->key_len);
	if (!c->attrs) {
		n->losses++;
		free(hmap_del(&n->known, known_hash(&k), &k));
		return;
	}
	k.payload = c->payload_len ? c->payload[0] : 0;
	k.next_hop = ip_to_u32(c->attrs->attrs.next_hop);
	k.stale = c->stale;
	k.attrs = c->attrs->attrs;
	k.cluster_len = (uint8_t)c->attrs->attrs.cluster_list.len;
	k.as_path_len = (uint8_t)c->attrs->attrs.as_path.len;
	old = hmap_get(&n->known, known_hash(&k), &k);
	if (!old) {
		old = malloc(sizeof(*old));
		if (hmap_add(&n->known, known_hash(&k), old) < 0)
			abort();
	}
	*old = k;
}

static void converged(void *arg, uint64_t now_ms)
{
	(void)now_ms;
	((struct sim_node *)arg)->converged++;
}

static struct ip address_of(int node)
{
	return ip_v4_u32(0xc0000201u + (uint32_t)node);
}

void sim_init(struct sim *m)
{
	*m = (struct sim){.now = 1000000, .random = 1};
	m->pipe = calloc(SIM_PIPES, sizeof(*m->pipe));
	siphash_process_key_fix(1, 2);
	for (int i = 0; i < SIM_NODES; i++)
		hmap_init(&m->node[i].known, known_eq);
}

void sim_free(struct sim *m)
{
	for (int i = 0; i < SIM_NODES; i++) {
		if (m->node[i].s)
			speaker_free(m->node[i].s);
		hmap_sweep(&m->node[i].known, known_free, NULL);
		hmap_free(&m->node[i].known);
	}
	for (unsigned i = 0; i < m->pipes; i++)
		for (int k = 0; k < 2; k++) {
			free(m->pipe[i].half[k].bytes);
			free(m->pipe[i].half[k].seg);
		}
	free(m->pipe);
}

unsigned sim_random(struct sim *m, unsigned n)
{
	m->random = m->random * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((m->random >> 33) % n);
}

struct speaker_config sim_config(uint32_t as, int node)
{
	return (struct speaker_config){
		.as = as,
		.router_id = ip_to_u32(address_of(node)),
		.families = test_families,
		.family_count = 1,
		.hold_sec = 9,
		.restart_sec = 120,
		.defer_sec = 30,
	};
}

void sim_start(struct sim *m, int node, const struct speaker_config *c)
{
	struct sim_node *n = &m->node[node];
	struct speaker_watch w = {.best_changed = best_changed, .converged = converged, .arg = n};

	n->s = speaker_new(c, m->now);
	n->address = address_of(node);
	hmap_sweep(&n->known, known_free, NULL);
	n->tells = n->losses = n->converged = 0;
	speaker_set_watch(n->s, &w);
}

struct neighbor *sim_neighbor(
	struct sim *m, int from, int to, uint32_t as, void (*edit)(struct neighbor_config *c))
{
	struct neighbor_config c = {
		.address = address_of(to), .remote_as = as, .connect_retry_sec = 2};
	struct neighbor *n = NULL;

	if (edit)
		edit(&c);
	if (speaker_add_neighbor(m->node[from].s, &c, m->now, &n) < 0)
		abort();
	return n;
}

/* --- connections --- */

static struct sim_half *half_to(const struct conn *sender)
{
	return conn_io(sender);
}

static struct sim_pipe *pipe_of(struct sim *m, const struct sim_half *h)
{
	return &m->pipe[((const char *)h - (const char *)m->pipe) / (ptrdiff_t)sizeof(*m->pipe)];
}

static void pipe_put(struct sim_pipe *p)
{
	if (!p->half[0].conn && !p->half[1].conn)
		p->used = false;
}

/* One that is not in use, with its buffers from last time. */
static struct sim_pipe *pipe_get(struct sim *m)
{
	struct sim_pipe *p = m->pipe;

	while (p < m->pipe + SIM_PIPES && p->used)
		p++;
	if (p == m->pipe + SIM_PIPES)
		abort();
	if (p >= m->pipe + m->pipes)
		m->pipes++;
	for (int i = 0; i < 2; i++) {
		struct sim_half *h = &p->half[i];
		*h = (struct sim_half){
			.bytes = h->bytes, .cap = h->cap, .seg = h->seg, .seg_cap = h->seg_cap};
	}
	p->used = true;
	p->calling = p->dead = p->resets = false;
	return p;
}

static struct sim_half *reverse(struct sim *m, struct sim_half *h)
{
	struct sim_pipe *p = pipe_of(m, h);

	return h == &p->half[0] ? &p->half[1] : &p->half[0];
}

static int node_at(const struct sim *m, struct ip address)
{
	for (int i = 0; i < SIM_NODES; i++)
		if (m->node[i].s && ip_eq(m->node[i].address, address))
			return i;
	return -1;
}

static void answer_call(struct sim *m, struct sim_pipe *p)
{
	struct conn *c = p->half[1].conn, *peer = NULL;
	int from = p->half[1].node, to;
	struct neighbor_view v;

	p->calling = false;
	neighbor_view(conn_neighbor(c), &v);
	to = node_at(m, v.address);
	if (to >= 0 && !m->node[to].refuse)
		peer = speaker_accept(m->node[to].s, m->node[from].address, v.address, m->now);
	if (!peer) {
		p->half[1].conn = NULL;
		pipe_put(p);
		conn_lost(c, CONN_FAILED, m->now);
		return;
	}
	p->half[0].conn = peer;
	p->half[0].node = to;
	p->half[0].accepted = true;
	conn_set_io(peer, &p->half[1]);
	conn_connected(c, m->node[from].address, m->now);
}

static void do_connect(struct sim *m, int node, struct conn *c)
{
	struct sim_pipe *p = pipe_get(m);
	struct neighbor_view v;
	int to;

	neighbor_view(conn_neighbor(c), &v);
	to = node_at(m, v.address);
	p->half[1].conn = c;
	p->half[1].node = node;
	p->calling = true;
	conn_set_io(c, &p->half[0]);
	p->due_ms = m->now + (m->lag_ms ? sim_random(m, m->lag_ms) : 0);
	if (m->black_hole || (to >= 0 && m->node[to].silent))
		p->due_ms = UINT64_MAX;
	if (p->due_ms == m->now)
		answer_call(m, p);
}

static size_t room(const struct sim *m, const struct sim_half *h)
{
	size_t socket = m->socket ? m->socket : SIM_SOCKET;

	return h->len < socket ? socket - h->len : 0;
}

static void segment_add(struct sim *m, struct sim_half *h)
{
	uint64_t due = m->now + sim_random(m, m->lag_ms + 1);

	if (h->segs && h->seg[h->seg_head + h->segs - 1].due_ms > due)
		due = h->seg[h->seg_head + h->segs - 1].due_ms;
	if (h->seg_head + h->segs == h->seg_cap) {
		if (h->segs)
			memmove(h->seg, h->seg + h->seg_head, h->segs * sizeof(*h->seg));
		h->seg_head = 0;
		if (h->segs == h->seg_cap) {
			h->seg_cap = h->seg_cap ? 2 * h->seg_cap : 16;
			h->seg = realloc(h->seg, h->seg_cap * sizeof(*h->seg));
		}
	}
	h->seg[h->seg_head + h->segs++] = (struct sim_segment){due, h->octets};
}

static void append(struct sim *m, struct sim_half *h, const uint8_t *p, size_t n)
{
	if (h->len + n > h->cap) {
		while (h->len + n > h->cap)
			h->cap = h->cap ? 2 * h->cap : 1024;
		h->bytes = realloc(h->bytes, h->cap);
	}
	memcpy(h->bytes + h->len, p, n);
	h->len += n;
	h->octets += n;
	if (m->lag_ms || h->segs)
		segment_add(m, h);
}

/* As much as the socket takes; true if anything moved. */
static bool do_send(struct sim *m, struct conn *c)
{
	struct sim_half *h = half_to(c);
	const uint8_t *p;
	bool moved = false;
	size_t n, whole;

	while (h && !pipe_of(m, h)->calling && (n = conn_tx(c, &p, m->now)) > 0) {
		if (pipe_of(m, h)->resets)
			reverse(m, h)->failed = true;
		whole = n;
		if (n > room(m, h))
			n = room(m, h);
		if (n == 0)
			break;
		/* As a daemon sends, a part at a time or all that is there in its own time. */
		struct txbuf *held = NULL;
		if (n == whole && (m->now + h->octets) % 2)
			held = conn_take(c, &p, &n, m->now);
		if (h->conn || pipe_of(m, h)->dead)
			append(m, h, p, n);
		else
			h->octets += n;
		if (held) {
			txbuf_unref(held);
			conn_taken_sent(c, n, m->now);
		} else {
			conn_sent(c, n, m->now);
		}
		moved = true;
	}
	return moved;
}

static void do_close(struct sim *m, struct conn *c)
{
	struct sim_half *h = half_to(c);

	if (h) {
		do_send(m, c);
		h->eof = true;
		reverse(m, h)->conn = NULL;
		pipe_put(pipe_of(m, h));
	}
	conn_closed(c);
}

static void let_go(struct sim *m, int node, bool silently)
{
	for (struct sim_pipe *p = m->pipe; p < m->pipe + m->pipes; p++)
		for (int i = 0; p->used && i < 2; i++)
			if (p->half[i].conn && p->half[i].node == node) {
				p->half[i].conn = NULL;
				p->half[!i].failed |= !silently;
				p->dead |= silently;
				p->resets |= silently;
				pipe_put(p);
			}
	speaker_free(m->node[node].s);
	m->node[node].s = NULL;
}

void sim_kill(struct sim *m, int node)
{
	let_go(m, node, false);
}

void sim_power_off(struct sim *m, int node)
{
	let_go(m, node, true);
}

void sim_cut(struct sim *m, struct sim_half *h, uint64_t after, enum sim_loss loss)
{
	h->cutting = true;
	h->cut_after = after;
	pipe_of(m, h)->loss = loss;
}

/* What has arrived and the reader is ready for. */
static size_t readable(struct sim *m, struct sim_half *h)
{
	size_t n = h->len;
	uint64_t begin = h->octets - h->len;

	if (h->read_ms > m->now || pipe_of(m, h)->dead)
		return 0;
	while (h->segs && h->seg[h->seg_head].end <= begin) {
		h->seg_head++;
		h->segs--;
	}
	for (unsigned i = 0; i < h->segs; i++)
		if (h->seg[h->seg_head + i].due_ms > m->now) {
			n = i ? (size_t)(h->seg[h->seg_head + i - 1].end - begin) : 0;
			break;
		}
	if (m->chunk && m->chunk < n)
		n = m->chunk;
	if (m->cut_up && n > 1)
		n = 1 + sim_random(m, (unsigned)n);
	if (h->rate && h->rate < n)
		n = h->rate;
	if (h->cutting && h->cut_after < n)
		n = (size_t)h->cut_after;
	return n;
}

/* Nothing gets through from now on. */
static void lose(struct sim_pipe *p, struct sim_half *h)
{
	h->cutting = false;
	h->failed = true;
	if (p->loss == SIM_BOTH)
		p->half[0].failed = p->half[1].failed = true;
	p->dead = true;
	p->resets = p->loss == SIM_READER_THEN_RESET;
}

static bool deliver(struct sim *m, struct sim_pipe *p, struct sim_half *h)
{
	struct conn *c = h->conn;

	if (!c || h->stopped || p->calling)
		return false;
	if (h->cutting && !h->cut_after)
		lose(p, h);
	if (!h->failed) {
		size_t n = readable(m, h);
		if (n) {
			uint8_t *copy = malloc(n); /* a sanitizer sees a read past the end */
			memcpy(copy, h->bytes, n);
			memmove(h->bytes, h->bytes + n, h->len - n);
			h->len -= n;
			if (h->cutting)
				h->cut_after -= n;
			if (h->rate)
				h->read_ms = m->now + SIM_TICK_MS;
			conn_rx(c, copy, n, m->now);
			free(copy);
			return true;
		}
		if (!h->eof || h->len || p->dead)
			return false;
	}
	h->conn = NULL;
	pipe_put(p);
	conn_lost(c, h->failed ? CONN_FAILED : CONN_CLOSED_BY_PEER, m->now);
	return true;
}

static bool drain(struct sim *m, int node)
{
	struct speaker *s = m->node[node].s;
	struct action a;
	bool moved = false;

	while (speaker_next_action(s, &a)) {
		moved = true;
		if (a.type == ACTION_CONNECT)
			do_connect(m, node, a.conn);
		else if (a.type == ACTION_SEND)
			do_send(m, a.conn);
		else
			do_close(m, a.conn);
	}
	return moved;
}

static bool pipe_turn(struct sim *m, struct sim_pipe *p)
{
	bool moved = false;

	if (p->calling && p->due_ms <= m->now) {
		answer_call(m, p);
		return true;
	}
	for (int i = 0; p->used && i < 2; i++) {
		moved |= deliver(m, p, &p->half[i]);
		/* The socket is writable again. */
		if (p->used && p->half[!i].conn && room(m, &p->half[i]))
			moved |= do_send(m, p->half[!i].conn);
	}
	return moved;
}

bool sim_turn(struct sim *m)
{
	bool moved = false;

	for (int i = 0; i < SIM_NODES; i++) {
		if (!m->node[i].s)
			continue;
		if (speaker_deadline(m->node[i].s) <= m->now) {
			speaker_run(m->node[i].s, m->now);
			moved = true;
		}
		moved |= drain(m, i);
	}
	for (unsigned i = 0; i < m->pipes; i++)
		if (m->pipe[i].used)
			moved |= pipe_turn(m, &m->pipe[i]);
	return moved;
}

void sim_settle(struct sim *m)
{
	for (unsigned i = 0; !m->storm && sim_turn(m); i++)
		if (i == (m->turns_max ? m->turns_max : 2000000)) {
			m->storm = true;
			return;
		}
}

static uint64_t half_next(const struct sim *m, const struct sim_pipe *p, const struct sim_half *h)
{
	if (!h->conn || h->stopped || p->dead || !h->len)
		return UINT64_MAX;
	uint64_t due = h->segs ? h->seg[h->seg_head].due_ms : m->now;
	return due > h->read_ms ? due : h->read_ms;
}

uint64_t sim_next(const struct sim *m)
{
	uint64_t next = UINT64_MAX, due;

	for (int i = 0; i < SIM_NODES; i++)
		if (m->node[i].s && (due = speaker_deadline(m->node[i].s)) < next)
			next = due;
	for (const struct sim_pipe *p = m->pipe; p < m->pipe + m->pipes; p++) {
		if (p->used && p->calling && p->due_ms < next)
			next = p->due_ms;
		for (int i = 0; p->used && !p->calling && i < 2; i++)
			if ((due = half_next(m, p, &p->half[i])) < next)
				next = due;
	}
	return next;
}

bool sim_until(struct sim *m, bool (*done)(struct sim *m), uint64_t ms)
{
	uint64_t end = m->now + ms;

	for (;;) {
		sim_settle(m);
		if (done && done(m))
			return true;
		if (m->storm)
			return false;
		uint64_t next = sim_next(m);
		if (next <= m->now)
			next = m->now + 1;
		if (next > end)
			break;
		m->now = next;
	}
	m->now = end;
	sim_settle(m);
	return done && done(m);
}

void sim_run(struct sim *m, uint64_t ms)
{
	sim_until(m, NULL, ms);
}

/* --- routes --- */

static struct nlri nlri_of(uint32_t number, uint8_t payload)
{
	struct nlri n = {.key_len = 5, .payload_len = 1, .payload = {payload}};

	n.key[0] = TEST_PAYLOAD_TYPE;
	for (int i = 0; i < 4; i++)
		n.key[1 + i] = (uint8_t)(number >> (24 - 8 * i));
	return n;
}

void sim_originate(struct sim *m, int node, uint32_t number, uint8_t payload)
{
	sim_originate_with(m, node, number, payload, (struct span){0});
}

void sim_originate_with(struct sim *m, int node, uint32_t number, uint8_t payload, struct span communities)
{
	struct nlri n = nlri_of(number, payload);
	struct attrs a = {
		.present = ATTR_BIT(ATTR_ORIGIN) | ATTR_BIT(ATTR_AS_PATH) | ATTR_BIT(ATTR_NEXT_HOP),
		.next_hop = m->node[node].address,
		.communities = communities};

	if (communities.len)
		a.present |= ATTR_BIT(ATTR_COMMUNITIES);
	if (speaker_originate(m->node[node].s, &test_family, &n, &a, m->now) != 0)
		abort();
}

void sim_withdraw(struct sim *m, int node, uint32_t number)
{
	struct nlri n = nlri_of(number, 0);

	if (speaker_unoriginate(m->node[node].s, &test_family, &n, m->now) != 0)
		abort();
}

const struct sim_known *sim_known(const struct sim *m, int node, uint32_t number)
{
	struct nlri n = nlri_of(number, 0);
	struct sim_known k = {.key_len = (uint8_t)n.key_len};

	memcpy(k.key, n.key, n.key_len);
	return hmap_get(&m->node[node].known, known_hash(&k), &k);
}

struct neighbor_view sim_view(const struct sim *m, int node, int peer)
{
	struct neighbor_view v = {.state = ""};
	const struct neighbor *n = NULL;

	while ((n = speaker_next_neighbor(m->node[node].s, n))) {
		neighbor_view(n, &v);
		if (ip_eq(v.address, address_of(peer)))
			return v;
	}
	return (struct neighbor_view){.state = ""};
}

bool sim_up(const struct sim *m, int node, int peer)
{
	return strcmp(sim_view(m, node, peer).state, "Established") == 0;
}

struct sim_half *sim_half(struct sim *m, int from, int to)
{
	for (struct sim_pipe *p = m->pipe; p < m->pipe + m->pipes; p++)
		for (int i = 0; p->used && !p->calling && i < 2; i++)
			if (p->half[i].conn && p->half[i].node == to && p->half[!i].node == from)
				return &p->half[i];
	return NULL;
}

void sim_stop_reading(struct sim *m, int reader, int from, bool stop)
{
	struct sim_half *h = sim_half(m, from, reader);

	if (h)
		h->stopped = stop;
}
