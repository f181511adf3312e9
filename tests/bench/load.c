/* The load generator of `make bench`: one injector and any number of receiving clients of one route reflector,
 * in one process. It is told what to do by words on stdin, and answers each with a line of JSON.
 *
 *   open          all sessions up
 *   load          the injector announces all routes; over when every client has all
 *   resend        the same octets again, and a probe behind them; over when every client has the probe
 *   join          a client more; over when it has all
 *   probe K       K changes of one route each, one after the other, nothing else going on
 *   churn SEC     one every 5 ms while the injector changes all routes, again and again
 *   withdraw      the injector withdraws all; over when every client has been told so
 *   lose          the injector's connection ends; over when every client has had all routes withdrawn
 *   reconnect     the injector is back and announces all
 *
 * Times run from the first octet sent (for join: from Established) to the last client's last route. After that
 * comes silence for a moment, and then the books are looked at: "exact" means that every client was told of
 * every route once (the hashes of their keys add up), and of nothing else.
 */
#include <arpa/inet.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/bench/peer.h"
#include "tests/bench/routes.h"

#define TURN_US 20000
#define QUIET_NS 250000000ull
#define IDLE_GAP_US 2000
#define CHURN_GAP_NS 5000000ull
#define SENTINEL (PROBES_MAX - 1) /* the number of the probe behind a re-sent table */

struct load {
	struct peers peers;
	uint32_t routes, clients;
	uint64_t sum, timeout_ns;
	struct peer *injector, *late, *prober; /* the clients begin behind the injector */
	struct stream announce, change, withdraw;
	uint32_t sequence; /* of the last probe */
	bool changed;      /* the routes stand as CHANGE has them */
	/* The phase at hand. */
	uint64_t start_ns, end_ns, cpu_us, deadline_ns;
};

static struct peer *client(const struct load *l, uint32_t i)
{
	return &l->peers.peer[1 + i];
}

static uint64_t cpu_us(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (uint64_t)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000u +
	       (uint64_t)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

/* --- waiting --- */

typedef bool (*condition)(const struct load *l, const struct peer *p);

static bool has_all(const struct load *l, const struct peer *p)
{
	return p->reach.routes >= l->routes;
}

static bool lost_all(const struct load *l, const struct peer *p)
{
	return p->unreach.routes >= l->routes;
}

static bool over(const struct load *l)
{
	return l->peers.error[0] || clock_ns() >= l->deadline_ns;
}

static bool clients_all(const struct load *l, condition c)
{
	for (uint32_t i = 0; i < l->clients; i++)
		if (!c(l, client(l, i)))
			return false;
	return true;
}

static void wait_clients(struct load *l, condition c)
{
	while (!clients_all(l, c) && !over(l))
		peers_turn(&l->peers, TURN_US);
}

/* The probe has come to all clients. */
static void wait_probe(struct load *l, uint32_t k)
{
	while (l->peers.probe[k].told < l->clients && !over(l))
		peers_turn(&l->peers, TURN_US);
}

static void wait_sent(struct load *l, const struct peer *p)
{
	while (p->out_len && !over(l))
		peers_turn(&l->peers, TURN_US);
}

static void wait_quiet(struct load *l)
{
	uint64_t last = clock_ns();

	while (clock_ns() - last < QUIET_NS && !over(l))
		if (peers_turn(&l->peers, TURN_US))
			last = clock_ns();
}

static void phase_begin(struct load *l)
{
	peers_clear_tallies(&l->peers);
	l->cpu_us = cpu_us();
	l->start_ns = clock_ns();
	l->deadline_ns = l->start_ns + l->timeout_ns;
}

static void phase_end(struct load *l)
{
	l->end_ns = clock_ns();
	l->cpu_us = cpu_us() - l->cpu_us;
	wait_quiet(l);
}

/* --- the phases --- */

static bool is_exact(const struct load *l, const struct tally *t, bool expect)
{
	return t->routes == (expect ? l->routes : 0) && t->sum == (expect ? l->sum : 0);
}

static bool all_exact(const struct load *l, bool reach, bool unreach)
{
	for (uint32_t i = 0; i < l->clients; i++)
		if (!is_exact(l, &client(l, i)->reach, reach) ||
			!is_exact(l, &client(l, i)->unreach, unreach))
			return false;
	return true;
}

static void send_probe(struct load *l, struct peer *from, uint32_t k, uint64_t due_ns)
{
	static uint8_t buf[256];
	size_t len = routes_probe(buf, sizeof(buf), k, ++l->sequence, from->address);

	l->peers.probe[k] = (struct probe){.sent_ns = due_ns};
	peer_send(&l->peers, from, buf, len);
}

static void send_all(struct load *l, const struct stream *s)
{
	peer_send(&l->peers, l->injector, s->p, s->len);
}

static json_t *do_open(struct load *l)
{
	phase_begin(l);
	peers_up(&l->peers, 0, 1 + l->clients, l->deadline_ns);
	phase_end(l);
	return json_object();
}

static json_t *do_load(struct load *l)
{
	phase_begin(l);
	send_all(l, &l->announce);
	wait_clients(l, has_all);
	phase_end(l);
	l->changed = false;
	return json_pack("{sb}", "exact", all_exact(l, true, false));
}

static json_t *do_resend(struct load *l)
{
	uint64_t octets = 0, told = 0;

	for (uint32_t i = 0; i < l->clients; i++)
		octets -= client(l, i)->octets;
	phase_begin(l);
	send_all(l, l->changed ? &l->change : &l->announce);
	wait_sent(l, l->injector);
	send_probe(l, l->injector, SENTINEL, clock_ns());
	wait_probe(l, SENTINEL);
	phase_end(l);
	for (uint32_t i = 0; i < l->clients; i++) {
		octets += client(l, i)->octets;
		told += client(l, i)->reach.routes + client(l, i)->unreach.routes;
	}
	return json_pack("{sI sI}", "told", (json_int_t)told, "octets", (json_int_t)octets);
}

static json_t *do_join(struct load *l)
{
	size_t index = (size_t)(l->late - l->peers.peer);

	phase_begin(l);
	peers_up(&l->peers, index, 1, l->deadline_ns);
	l->start_ns = l->late->up_ns;
	while (!has_all(l, l->late) && !over(l))
		peers_turn(&l->peers, TURN_US);
	phase_end(l);
	bool exact = is_exact(l, &l->late->reach, true) && is_exact(l, &l->late->unreach, false) &&
		     all_exact(l, false, false);
	peer_close(&l->peers, l->late);
	return json_pack("{sb}", "exact", exact);
}

static json_t *do_withdraw(struct load *l)
{
	phase_begin(l);
	send_all(l, &l->withdraw);
	wait_clients(l, lost_all);
	phase_end(l);
	return json_pack("{sb}", "exact", all_exact(l, false, true));
}

static json_t *do_lose(struct load *l)
{
	phase_begin(l);
	peer_close(&l->peers, l->injector);
	wait_clients(l, lost_all);
	phase_end(l);
	return json_pack("{sb}", "exact", all_exact(l, false, true));
}

static json_t *do_reconnect(struct load *l)
{
	uint64_t dialled = clock_ns();

	l->deadline_ns = dialled + l->timeout_ns;
	peers_up(&l->peers, 0, 1, l->deadline_ns);
	double refused = (double)(clock_ns() - dialled) / 1e9;
	json_t *answer = do_load(l);
	json_object_set_new(answer, "refused", json_real(refused));
	return answer;
}

/* --- the latency of one change --- */

/* Brings the prober up, whose own dump must be over before anything is timed, and announces the probes. */
static void probes_begin(struct load *l, uint32_t count)
{
	size_t index = (size_t)(l->prober - l->peers.peer);

	l->deadline_ns = clock_ns() + l->timeout_ns;
	peers_up(&l->peers, index, 1, l->deadline_ns);
	while (!has_all(l, l->prober) && !over(l))
		peers_turn(&l->peers, TURN_US);
	for (uint32_t k = 0; k < count && !over(l); k++) {
		send_probe(l, l->prober, k, 0);
		wait_sent(l, l->prober);
	}
	wait_quiet(l);
}

static int by_size(const void *va, const void *vb)
{
	uint64_t a = *(const uint64_t *)va, b = *(const uint64_t *)vb;

	return a < b ? -1 : a > b;
}

/* The prober leaves; how long the first `n` probes took to the last client. */
static json_t *probes_end(struct load *l, uint32_t n)
{
	static uint64_t took[PROBES_MAX];

	peer_close(&l->peers, l->prober);
	wait_quiet(l);
	for (uint32_t k = 0; k < n; k++)
		took[k] = l->peers.probe[k].last_ns - l->peers.probe[k].sent_ns;
	qsort(took, n, sizeof(*took), by_size);
	return json_pack("{si sf sf sf}", "samples", (int)n, "median_ms",
		n ? (double)took[n / 2] / 1e6 : 0, "p99_ms",
		n ? (double)took[n * 99 / 100] / 1e6 : 0, "max_ms",
		n ? (double)took[n - 1] / 1e6 : 0);
}

static json_t *do_probe(struct load *l, uint32_t count)
{
	if (count > SENTINEL)
		count = SENTINEL;
	probes_begin(l, count);
	phase_begin(l);
	for (uint32_t k = 0; k < count && !over(l); k++) {
		send_probe(l, l->prober, k, clock_ns());
		wait_probe(l, k);
		/* The pause must not beat with any timer of the reflector's. */
		for (uint64_t end = clock_ns() +
				    1000 * (IDLE_GAP_US + (uint64_t)random() % IDLE_GAP_US);
			clock_ns() < end;)
			peers_turn(&l->peers, IDLE_GAP_US / 10);
	}
	phase_end(l);
	return probes_end(l, count);
}

/* All routes are changed, and probes are due at fixed times whether the last have arrived or not: a reflector
 * that stalls delays them all, and all count. Returns the number of the next probe. */
static uint32_t churn_once(struct load *l, uint32_t k)
{
	uint64_t due_ns = clock_ns();

	peers_clear_tallies(&l->peers);
	l->changed = !l->changed;
	send_all(l, l->changed ? &l->change : &l->announce);
	while (!clients_all(l, has_all) && !over(l)) {
		uint64_t now = clock_ns();
		if (now >= due_ns && !l->prober->out_len && k < SENTINEL) {
			send_probe(l, l->prober, k++, due_ns);
			due_ns += CHURN_GAP_NS;
		}
		peers_turn(&l->peers, now < due_ns ? (int64_t)(due_ns - now) / 1000 + 1 : 0);
	}
	return k;
}

static json_t *do_churn(struct load *l, uint32_t sec)
{
	uint32_t passes = 0, k = 0;
	bool exact = true;

	probes_begin(l, SENTINEL);
	phase_begin(l);
	while (!over(l) && k < SENTINEL && clock_ns() < l->start_ns + sec * 1000000000ull) {
		k = churn_once(l, k);
		exact &= all_exact(l, true, false);
		passes++;
	}
	for (uint32_t i = 0; i < k; i++)
		wait_probe(l, i);
	phase_end(l);
	json_t *a = probes_end(l, k);
	json_object_set_new(a, "exact", json_boolean(exact));
	json_object_set_new(a, "changed", json_real((double)passes * l->routes));
	return a;
}

/* --- the words --- */

static json_t *run(struct load *l, const char *word, uint32_t number)
{
	if (strcmp(word, "open") == 0)
		return do_open(l);
	if (strcmp(word, "load") == 0)
		return do_load(l);
	if (strcmp(word, "resend") == 0)
		return do_resend(l);
	if (strcmp(word, "join") == 0)
		return do_join(l);
	if (strcmp(word, "probe") == 0)
		return do_probe(l, number);
	if (strcmp(word, "churn") == 0)
		return do_churn(l, number);
	if (strcmp(word, "withdraw") == 0)
		return do_withdraw(l);
	if (strcmp(word, "lose") == 0)
		return do_lose(l);
	if (strcmp(word, "reconnect") == 0)
		return do_reconnect(l);
	return NULL;
}

static void answer(struct load *l, const char *word, json_t *a)
{
	if (!a)
		snprintf(l->peers.error, sizeof(l->peers.error), "no such phase");
	else if (clock_ns() >= l->deadline_ns && !l->peers.error[0])
		snprintf(l->peers.error, sizeof(l->peers.error), "not over after %u s",
			(unsigned)(l->timeout_ns / 1000000000u));
	json_t *line = json_pack("{ss sf sf ss}", "phase", word, "seconds",
		(double)(l->end_ns - l->start_ns) / 1e9, "cpu", (double)l->cpu_us / 1e6, "error",
		l->peers.error);
	if (a)
		json_object_update(line, a);
	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(line);
	json_decref(a);
}

int main(int argc, char **argv)
{
	static struct load l;
	char line[64], word[32];
	uint32_t address[2];

	if (argc != 6 || inet_pton(AF_INET, argv[1], &address[0]) != 1 ||
		inet_pton(AF_INET, argv[2], &address[1]) != 1) {
		fprintf(stderr,
			"usage: load REFLECTOR FIRST-ADDRESS ROUTES CLIENTS TIMEOUT-SECONDS\n");
		return 2;
	}
	l.routes = (uint32_t)strtoul(argv[3], NULL, 10);
	l.clients = (uint32_t)strtoul(argv[4], NULL, 10);
	if (!l.routes || !l.clients)
		return 2;
	l.timeout_ns = strtoul(argv[5], NULL, 10) * 1000000000ull;
	peers_init(&l.peers, ntohl(address[0]), 179, ntohl(address[1]), l.clients + 3);
	l.injector = &l.peers.peer[0];
	l.late = client(&l, l.clients);
	l.prober = client(&l, l.clients + 1);
	l.announce = routes_build(ROUTES_ANNOUNCE, l.routes, l.injector->address);
	l.change = routes_build(ROUTES_CHANGE, l.routes, l.injector->address);
	l.withdraw = routes_build(ROUTES_WITHDRAW, l.routes, 0);
	l.sum = routes_sum(l.routes);
	for (uint32_t i = 0; i < l.clients; i++)
		client(&l, i)->is_client = true;
	while (fgets(line, sizeof(line), stdin) && !l.peers.error[0]) {
		unsigned number = 0;
		if (sscanf(line, "%31s %u", word, &number) < 1)
			continue;
		json_t *a = run(&l, word, number);
		answer(&l, word, a);
	}
	return l.peers.error[0] != 0;
}
