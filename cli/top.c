#include "cli/top.h"

#include <config.h>

#include <curses.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/control.h"
#include "cli/ledger.h"
#include "cli/top_view.h"

static json_t *ask(const struct top_options *o)
{
	char error[CONTROL_ERROR_MAX];
	json_t *q = json_pack("{s:s}", "show", "ledger"), *answer = NULL;

	if (control_ask(CONTROL_AGENT, o->dir, q, &answer, error) < 0)
		fprintf(stderr, "quell: %s\n", error);
	json_decref(q);
	return answer;
}

static struct table *table_of(const json_t *rates, const struct top_options *o, enum top_sort by)
{
	return o->classes ? top_classes(rates, o) : top_ports(rates, o, by);
}

/* --- one table after the other --- */

static void wait_for(double seconds)
{
	struct timespec ts = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};

	while (nanosleep(&ts, &ts) < 0)
		;
}

static void print_once(const json_t *rates, const struct top_options *o, FILE *out)
{
	if (o->json) {
		json_dumpf(rates, out, JSON_COMPACT | JSON_REAL_PRECISION(9));
		fputc('\n', out);
	} else {
		struct table *t = table_of(rates, o, TOP_BY_NAME);
		table_print(t, out, false, o->classes ? "nothing moves" : "no ports");
		table_free(t);
		fputc('\n', out);
	}
	fflush(out);
}

static int print_all(const struct top_options *o, FILE *out)
{
	json_t *was = ask(o);
	int r = was ? 0 : 1;

	for (int i = 0; r == 0 && (i < o->count || !o->count); i++) {
		wait_for(o->interval);
		json_t *is = ask(o), *rates = is ? ledger_rates(was, is) : NULL;
		if (rates)
			print_once(rates, o, out);
		json_decref(rates);
		json_decref(was);
		was = is;
		r = !is || ferror(out);
	}
	json_decref(was);
	return r;
}

/* --- in a terminal --- */

struct screen {
	struct top_options o;
	enum top_sort by;
	int first; /* line of the table */
	json_t *was, *rates;
	char note[CONTROL_ERROR_MAX];
};

static void ask_again(struct screen *s)
{
	json_t *q = json_pack("{s:s}", "show", "ledger"), *is = NULL;

	s->note[0] = '\0';
	/* A daemon that is being restarted comes back. */
	if (control_ask(CONTROL_AGENT, s->o.dir, q, &is, s->note) == 0) {
		json_t *rates = s->was ? ledger_rates(s->was, is) : NULL;
		if (rates) {
			json_decref(s->rates);
			s->rates = rates;
		}
		json_decref(s->was);
		s->was = is;
	}
	json_decref(q);
}

static void draw_table(struct screen *s)
{
	char *text = NULL, *line, *next;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	struct table *t;
	int row = 2, at = 0;

	if (!f)
		return;
	t = table_of(s->rates, &s->o, s->by);
	table_print(t, f, false, s->o.classes ? "nothing moves" : "no ports");
	int last = (int)table_rows(t);
	table_free(t);
	fclose(f);
	if (s->first > last - 1)
		s->first = last > 0 ? last - 1 : 0;
	for (line = text; line && *line && row < LINES; line = next, at++) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		if (at && at <= s->first) /* the titles stay */
			continue;
		if (!at)
			attron(A_DIM);
		mvaddnstr(row++, 0, line, COLS);
		attroff(A_DIM);
	}
	free(text);
}

static void draw(struct screen *s)
{
	erase();
	attron(A_BOLD);
	mvprintw(0, 0, "quell top: %s%s%s, every %g s, by %s",
		s->o.classes ? "classes" : "ports", s->o.port ? " of " : "", s->o.port ? s->o.port : "",
		s->o.interval, s->o.classes ? "rate" : top_sort_name(s->by));
	attroff(A_BOLD);
	if (s->note[0])
		mvaddnstr(1, 0, s->note, COLS);
	else if (!s->rates)
		mvaddnstr(1, 0, "the first figures come after the first interval", COLS);
	else
		mvaddnstr(1, 0, "q quit   c classes/ports   s sort   + - interval   up down scroll", COLS);
	if (s->rates)
		draw_table(s);
	refresh();
}

/* False: quit. */
static bool take_key(struct screen *s, int key)
{
	switch (key) {
	case 'q':
	case 'Q':
	case 27:
		return false;
	case 'c':
		s->o.classes = !s->o.classes;
		s->first = 0;
		break;
	case 's':
		s->by = (enum top_sort)((s->by + 1) % TOP_SORTS);
		break;
	case '+':
		s->o.interval *= s->o.interval < 60 ? 2 : 1;
		break;
	case '-':
		s->o.interval /= s->o.interval > 0.25 ? 2 : 1;
		break;
	case KEY_DOWN:
		s->first++;
		break;
	case KEY_NPAGE:
		s->first += LINES / 2;
		break;
	case KEY_UP:
		s->first -= s->first > 0;
		break;
	case KEY_PPAGE:
		s->first = s->first > LINES / 2 ? s->first - LINES / 2 : 0;
		break;
	default:
		break;
	}
	return true;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int run_screen(const struct top_options *o)
{
	struct screen s = {.o = *o, .by = TOP_BY_IN, .was = ask(o)};
	int64_t next = now_ms() + (int64_t)(o->interval * 1000);
	bool more = true;

	if (!s.was)
		return 1;
	setlocale(LC_ALL, "");
	if (!initscr()) {
		json_decref(s.was);
		return 1;
	}
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	curs_set(0);
	while (more) {
		draw(&s);
		int64_t left = next - now_ms();
		timeout(left > 0 ? (int)left : 0);
		int key = getch();
		if (key != ERR)
			more = take_key(&s, key);
		if (now_ms() >= next) {
			ask_again(&s);
			next = now_ms() + (int64_t)(s.o.interval * 1000);
		}
	}
	endwin();
	json_decref(s.was);
	json_decref(s.rates);
	return 0;
}

int top(const struct top_options *o, FILE *out)
{
	bool screen = !o->count && !o->json && isatty(STDOUT_FILENO) && isatty(STDIN_FILENO);

	return screen ? run_screen(o) : print_all(o, out);
}
