/* What is around every page, and its style. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/page.h"

/* Black on white or white on black, as the reader likes it; a wide table scrolls by itself, so that a phone shows the rest as it is;
 * colour never says what words do not. */
static const char style[] =
	":root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--soft:#f3f5f7;--line:#d4dae0;--dim:#5b6672;"
	"--link:#0b5cad;--good:#156f3b;--bad:#b3261e;--warn:#8a5a00}\n"
	"@media(prefers-color-scheme:dark){:root{--ink:#e4e8ec;--paper:#14181c;--soft:#1d2329;--line:#37414b;"
	"--dim:#98a4b0;--link:#7db8f5;--good:#6fd08f;--bad:#ff9087;--warn:#e6b450}}\n"
	"*{box-sizing:border-box}\n"
	"html{font:16px/1.5 system-ui,sans-serif;-webkit-text-size-adjust:100%}\n"
	"body{margin:0;color:var(--ink);background:var(--paper)}\n"
	"header,main,footer{max-width:84rem;margin:0 auto;padding:0 1rem}\n"
	"header{display:flex;flex-wrap:wrap;gap:.5rem 1.25rem;align-items:center;padding-top:.75rem;"
	"padding-bottom:.75rem;border-bottom:1px solid var(--line)}\n"
	"header strong{font-size:1.1rem}\n"
	"nav{display:flex;flex-wrap:wrap;gap:.25rem 1rem}\n"
	"nav a{padding:.25rem 0}\n"
	"nav a[aria-current]{color:var(--ink);font-weight:600;text-decoration:none}\n"
	"a{color:var(--link)}\n"
	"form{display:flex;gap:.5rem;margin-left:auto}\n"
	"input,button{font:inherit;color:inherit;background:var(--paper);border:1px solid var(--line);"
	"border-radius:.25rem;padding:.3rem .6rem;min-height:2.25rem}\n"
	"input{width:17rem;max-width:58vw}\n"
	"button{background:var(--soft)}\n"
	"h1{font-size:1.5rem;line-height:1.25;margin:1.25rem 0 .75rem}\n"
	"h2{font-size:1.15rem;margin:1.75rem 0 .5rem}\n"
	".scroll{overflow-x:auto;border:1px solid var(--line);border-radius:.375rem}\n"
	"table{border-collapse:collapse;width:100%;font-size:.9375rem}\n"
	"th,td{text-align:left;vertical-align:top;padding:.35rem .7rem;white-space:nowrap}\n"
	"td.wide{white-space:normal;min-width:12rem;max-width:26rem;overflow-wrap:anywhere}\n"
	"th{background:var(--soft);font-weight:600;border-bottom:1px solid var(--line)}\n"
	"tbody tr+tr td{border-top:1px solid var(--line)}\n"
	"td,dd{font-variant-numeric:tabular-nums}\n"
	"dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.25rem;margin:0}\n"
	"dt{color:var(--dim)}\n"
	"dd{margin:0;min-width:0;overflow-wrap:anywhere}\n"
	".good{color:var(--good);font-weight:600}.bad{color:var(--bad);font-weight:600}\n"
	".warn{color:var(--warn);font-weight:600}.dim,.note{color:var(--dim)}\n"
	"footer{color:var(--dim);font-size:.875rem;margin-top:2.5rem;padding-top:.75rem;padding-bottom:1.5rem;"
	"border-top:1px solid var(--line)}\n"
	"@media(max-width:40rem){form{margin-left:0;width:100%}input{flex:1;max-width:none}"
	"dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}}\n"
	"@media print{header,footer{display:none}.scroll{overflow:visible;border:0}}\n";

#define NUMBERED 16 /* columns that may be numbers */

static bool write_style(void *job, struct textbuf *out)
{
	(void)job;
	textbuf_add(out, style, sizeof(style) - 1);
	for (int i = 1; i <= NUMBERED; i++)
		textbuf_printf(out, ".n%d :is(th,td):nth-child(%d)%s", i, i, i < NUMBERED ? "," : "");
	textbuf_put(out, "{text-align:right}\n");
	return false;
}

void page_style(struct http_answer *ret)
{
	*ret = (struct http_answer){200, "text/css; charset=utf-8", write_style, NULL, NULL};
}

void page_other(char url[PAGE_URL_MAX], const char *host, const struct config_endpoint *self,
	const struct config_endpoint *other)
{
	char own[IP_TEXT];
	bool here = ip_eq(self->ip, other->ip);

	url[0] = '\0';
	if (!other->port || (!here && ip_is_unspecified(other->ip)))
		return;
	/* By the name that this one was found by, if it is at the same address: there may be a tunnel in between. */
	const char *name = here && *host ? host : ip_format(other->ip, own);
	int len = snprintf(url, PAGE_URL_MAX, strchr(name, ':') ? "http://[%s]:%u/" : "http://%s:%u/", name, other->port);
	if (len >= PAGE_URL_MAX)
		url[0] = '\0';
}

/* --- the frame --- */

struct frame {
	struct page page;
	char title[128], query[128];
	bool begun;
};

static void write_navigation(const struct frame *f, struct textbuf *out)
{
	textbuf_put(out, "<nav>");
	for (const struct page_link *l = f->page.site->links; l->path; l++)
		textbuf_printf(out, "<a href=\"%s\"%s>%s</a>", l->path,
			strcmp(l->path, f->page.path) == 0 ? " aria-current=\"page\"" : "", l->title);
	if (f->page.other[0]) {
		textbuf_put(out, "<a href=\"");
		page_text(out, f->page.other);
		textbuf_printf(out, "\">%s</a>", f->page.site->other);
	}
	textbuf_put(out, "</nav>");
}

static void write_head(const struct frame *f, struct textbuf *out)
{
	textbuf_put(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
			 "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
			 "<link rel=\"stylesheet\" href=\"/style.css\"><title>");
	page_text(out, f->title);
	textbuf_printf(out, " - %s</title></head><body>\n<header><strong>%s</strong>", f->page.site->program,
		f->page.site->program);
	write_navigation(f, out);
	textbuf_printf(out,
		"<form action=\"/search\" role=\"search\"><input name=\"q\" type=\"search\" maxlength=\"64\" "
		"autocapitalize=\"off\" spellcheck=\"false\" aria-label=\"%s\" placeholder=\"%s\" value=\"",
		f->page.site->search, f->page.site->search);
	page_text(out, f->query);
	textbuf_put(out, "\"><button>Search</button></form></header>\n<main><h1>");
	page_text(out, f->title);
	textbuf_put(out, "</h1>\n");
}

static bool step(void *job, struct textbuf *out)
{
	struct frame *f = job;

	if (!f->begun) {
		f->begun = true;
		write_head(f, out);
		return true;
	}
	if (f->page.body(f->page.job, out))
		return true;
	textbuf_printf(out, "</main>\n<footer>%s, as it is now; for reading only.</footer></body></html>\n",
		f->page.site->program);
	return false;
}

static void frame_free(void *job)
{
	struct frame *f = job;

	if (f->page.release)
		f->page.release(f->page.job);
	free(f);
}

void page_answer(struct http_answer *ret, const struct page *p)
{
	struct frame *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	f->page = *p;
	snprintf(f->title, sizeof(f->title), "%s", p->title);
	snprintf(f->query, sizeof(f->query), "%s", p->query ? p->query : "");
	*ret = (struct http_answer){200, "text/html; charset=utf-8", step, frame_free, f};
}
