/* Sums and balances of the ledger.
 *
 * In each port every frame has one class and one outcome, so received = answered + dropped +
 * policed + gone on holds by construction, as long as no cell is used that its direction cannot
 * have. What must be checked is what no single program sees: that each answer counted as made left
 * the same port, and that what was handed to the bridge for one owner came out of exactly one port.
 * Group-addressed and flooded frames may come out of every other port, and of none.
 */
#include "proxyarp/ledger.h"

#include <string.h>

#include "proxyarp/verdict.h"

void ledger_add(struct ledger *to, const struct ledger *more)
{
	struct layout_counter *t = &to->at[0][0][0];
	const struct layout_counter *m = &more->at[0][0][0];

	for (size_t i = 0; i < COUNTER_PER_SLOT; i++) {
		t[i].frames += m[i].frames;
		t[i].octets += m[i].octets;
	}
}

bool ledger_since(const struct ledger *now, const struct ledger *before, struct ledger *ret)
{
	const struct layout_counter *n = &now->at[0][0][0], *b = &before->at[0][0][0];
	struct layout_counter *r = &ret->at[0][0][0];
	bool grew = true;

	for (size_t i = 0; i < COUNTER_PER_SLOT; i++) {
		bool back = n[i].frames < b[i].frames || n[i].octets < b[i].octets;
		r[i].frames = n[i].frames - (back ? 0 : b[i].frames);
		r[i].octets = n[i].octets - (back ? 0 : b[i].octets);
		grew = grew && !back;
	}
	return grew;
}

struct layout_counter ledger_sum(
	const struct ledger *l, enum frame_dir dir, enum frame_class cls, char kind)
{
	struct layout_counter sum = {0, 0};

	for (int c = 0; c < CLASS_COUNT; c++) {
		if (cls != CLASS_COUNT && c != (int)cls)
			continue;
		for (int o = 0; o < OUTCOME_COUNT; o++) {
			if (kind && outcome_kind((enum frame_outcome)o) != kind)
				continue;
			sum.frames += l->at[dir][c][o].frames;
			sum.octets += l->at[dir][c][o].octets;
		}
	}
	return sum;
}

struct layout_counter ledger_outcome(
	const struct ledger *l, enum frame_dir dir, enum frame_outcome o)
{
	struct layout_counter sum = {0, 0};

	for (int c = 0; c < CLASS_COUNT; c++) {
		sum.frames += l->at[dir][c][o].frames;
		sum.octets += l->at[dir][c][o].octets;
	}
	return sum;
}

static bool is_unicast(int c)
{
	return c == CLASS_ARP_UNICAST || c == CLASS_ARP_REPLY || c == CLASS_NS_UNICAST ||
	       c == CLASS_NA || c == CLASS_IP4_UNICAST || c == CLASS_IP6_UNICAST;
}

struct layout_counter ledger_bum(const struct ledger *l)
{
	struct layout_counter sum = {0, 0};

	for (int c = 0; c < CLASS_COUNT; c++)
		for (int o = 0; o < OUTCOME_COUNT && !is_unicast(c); o++) {
			if (outcome_kind((enum frame_outcome)o) != 'F' || o == OUTCOME_ANSWER || o == OUTCOME_PROBE)
				continue;
			sum.frames += l->at[DIR_OUT][c][o].frames;
			sum.octets += l->at[DIR_OUT][c][o].octets;
		}
	return sum;
}

bool ledger_outcome_of(enum frame_dir dir, enum frame_outcome o)
{
	switch (o) {
	case OUTCOME_DELIVERED:
	case OUTCOME_ANSWER:
	case OUTCOME_PROBE:
	case OUTCOME_UNAUTHORISED:
	case OUTCOME_POLICED_OUT:
		return dir == DIR_OUT;
	case OUTCOME_MALFORMED:
	case OUTCOME_WOULD:
	case OUTCOME_QUARANTINE:
	case OUTCOME_UNKNOWN_UNICAST:
	case OUTCOME_ERROR:
		return true;
	default:
		return dir == DIR_IN;
	}
}

const char *ledger_fault_text(enum ledger_fault_what what)
{
	switch (what) {
	case LEDGER_MISPLACED:
		return "an outcome of the other direction";
	case LEDGER_ANSWERS:
		return "answers made and answers that left the port differ";
	case LEDGER_LOST:
		return "handed to the bridge, but came out of no port";
	case LEDGER_SURPLUS:
		return "came out of ports, but was not handed to the bridge";
	case LEDGER_ERROR:
		return "the data plane failed";
	}
	return "?";
}

struct faults {
	struct ledger_fault *ret;
	size_t max, count;
};

static void fault(struct faults *f, enum ledger_fault_what what, uint32_t ifindex,
	enum frame_class cls, uint64_t left, uint64_t right)
{
	if (f->count < f->max)
		f->ret[f->count] = (struct ledger_fault){what, ifindex, cls, left, right};
	f->count++;
}

static void balance_port(struct faults *f, const struct ledger_port *p)
{
	uint64_t made = ledger_outcome(&p->l, DIR_IN, OUTCOME_ANSWERED).frames +
			ledger_outcome(&p->l, DIR_IN, OUTCOME_SPONGED).frames;
	uint64_t left = ledger_outcome(&p->l, DIR_OUT, OUTCOME_ANSWER).frames;

	if (made != left)
		fault(f, LEDGER_ANSWERS, p->ifindex, CLASS_COUNT, made, left);
	for (int d = 0; d < DIR_COUNT; d++) {
		for (int c = 0; c < CLASS_COUNT; c++) {
			for (int o = 0; o < OUTCOME_COUNT; o++) {
				uint64_t n = p->l.at[d][c][o].frames;
				if (n && !ledger_outcome_of(
						 (enum frame_dir)d, (enum frame_outcome)o))
					fault(f, LEDGER_MISPLACED, p->ifindex, (enum frame_class)c,
						n, 0);
				if (n && o == OUTCOME_ERROR)
					fault(f, LEDGER_ERROR, p->ifindex, (enum frame_class)c, n,
						0);
			}
		}
	}
}

/* Requests that were sent on to their owner alone leave as what they are then. */
static uint64_t sent_on(const struct ledger *l, int c)
{
	static const struct {
		enum frame_class as, was;
	} pairs[] = {
		{CLASS_ARP_UNICAST, CLASS_ARP_REQUEST},
		{CLASS_ARP_UNICAST, CLASS_ARP_PROBE},
		{CLASS_NS_UNICAST, CLASS_NS},
		{CLASS_NS_DAD, CLASS_NS_DAD},
	};
	uint64_t n = 0;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if ((int)pairs[i].as == c)
			n += l->at[DIR_IN][pairs[i].was][OUTCOME_UNICAST_FORWARDED].frames;
	return n;
}

/* A frame for one owner comes out of one port, delivered or refused; one that floods, or goes on in
 * dry run, out of any number but its own. */
static void balance_class(struct faults *f, const struct ledger *sum, size_t ports, int c)
{
	const struct layout_counter *in = sum->at[DIR_IN][c], *o = sum->at[DIR_OUT][c];
	uint64_t forwarded = in[OUTCOME_FORWARDED].frames + sent_on(sum, c);
	uint64_t flooded = in[OUTCOME_FLOODED].frames + in[OUTCOME_WOULD].frames;
	uint64_t out = o[OUTCOME_DELIVERED].frames + o[OUTCOME_POLICED_OUT].frames +
		       o[OUTCOME_QUARANTINE].frames + o[OUTCOME_UNKNOWN_UNICAST].frames +
		       o[OUTCOME_WOULD].frames;
	uint64_t most = forwarded + flooded * (ports ? ports - 1 : 0);

	if (is_unicast(c) && out < forwarded)
		fault(f, LEDGER_LOST, 0, (enum frame_class)c, forwarded, out);
	if (out > most)
		fault(f, LEDGER_SURPLUS, 0, (enum frame_class)c, most, out);
}

void ledger_books_add(struct ledger_books *b, const struct ledger_port *p)
{
	struct faults f = {NULL, 0, 0};

	balance_port(&f, p);
	ledger_add(&b->sum, &p->l);
	b->ports++;
	b->faults += f.count;
}

size_t ledger_books_faults(const struct ledger_books *b)
{
	struct faults f = {NULL, 0, b->faults};

	for (int c = 0; c < CLASS_COUNT; c++)
		balance_class(&f, &b->sum, b->ports, c);
	return f.count;
}

size_t ledger_balance(
	const struct ledger_port *ports, size_t count, struct ledger_fault *ret, size_t max)
{
	struct faults f = {ret, max, 0};
	struct ledger sum = {0};

	for (size_t i = 0; i < count; i++) {
		balance_port(&f, &ports[i]);
		ledger_add(&sum, &ports[i].l);
	}
	for (int c = 0; c < CLASS_COUNT; c++)
		balance_class(&f, &sum, count, c);
	return f.count;
}
