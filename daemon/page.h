/* Pages for a browser: plain HTML that works without scripts, written step by step (http.h). The one place where text becomes
 * HTML: whatever came from a registry, a peer, a member or a request is escaped here and nowhere else.
 *
 *   page_answer() -> [head and navigation] -> body, step by step -> [foot]
 */
#pragma once
#include "daemon/http.h"
#include "lib/ip.h"
#include "lib/mac.h"
#include "registry/registry.h"

#define PAGE_URL_MAX 96

struct page_link {
	const char *path, *title;
};

/* What all pages of a daemon have around them. */
struct page_site {
	const char *program;
	const struct page_link *links; /* ends with a path of NULL */
	const char *search;	       /* what the search field takes */
	const char *other;	       /* the other daemon, in words */
};

/* One page: what is in the frame, and who writes the rest. */
struct page {
	const struct page_site *site;
	const char *title; /* escaped; copied */
	const char *path;  /* its row of the navigation; "" for none */
	const char *query; /* shown in the search field; copied */
	char other[PAGE_URL_MAX]; /* URL of the other daemon's pages; "": none */
	bool (*body)(void *job, struct textbuf *out); /* a step; true: there is more */
	void (*release)(void *job);
	void *job;
};

void page_answer(struct http_answer *ret, const struct page *p);
/* /style.css */
void page_style(struct http_answer *ret);
/* Where the other daemon's pages are, for who looks at `self` by the name `host`. */
void page_other(char url[PAGE_URL_MAX], const char *host, const struct config_endpoint *self,
	const struct config_endpoint *other);

/* --- text --- */

/* Escaped; what is no UTF-8, or a control character, is replaced. */
void page_text(struct textbuf *out, const char *text);
/* The same, isolated: its direction and marks change nothing around it. */
void page_foreign(struct textbuf *out, const char *text);
/* As a value in a URL. */
void page_url(struct textbuf *out, const char *text);
void page_ip(struct textbuf *out, struct ip ip);
void page_mac(struct textbuf *out, struct mac mac);
/* "3 h 12 min" */
void page_age(struct textbuf *out, uint64_t sec);
/* <a href="PATH?KEY=VALUE">VALUE</a> */
void page_link(struct textbuf *out, const char *path, const char *key, const char *value);
/* <span class="STATE">TEXT</span>; state: good, bad, warn, dim (constant). */
void page_state(struct textbuf *out, const char *state, const char *text);

/* --- tables and lists --- */

struct page_column {
	const char *title; /* constant; NULL ends them */
	bool number;
};

void page_heading(struct textbuf *out, const char *text);
void page_table(struct textbuf *out, const struct page_column *columns);
void page_table_end(struct textbuf *out);
void page_row(struct textbuf *out);
void page_row_end(struct textbuf *out);
/* Around whatever is written as a cell. */
void page_cell(struct textbuf *out);
void page_cell_end(struct textbuf *out);
void page_cell_text(struct textbuf *out, const char *text);
void page_cell_number(struct textbuf *out, uint64_t n);
void page_cell_ip(struct textbuf *out, struct ip ip);
void page_cell_mac(struct textbuf *out, struct mac mac);
void page_cell_age(struct textbuf *out, uint64_t sec);
/* "AS64500 Example Networks"; NULL: an empty one. */
void page_cell_member(struct textbuf *out, const struct registry *r, const struct registry_port *p);

/* <dl>: a name and what is written until the next. */
void page_list(struct textbuf *out);
void page_list_end(struct textbuf *out);
void page_item(struct textbuf *out, const char *name);
void page_item_text(struct textbuf *out, const char *name, const char *text);
void page_item_number(struct textbuf *out, const char *name, uint64_t n);

void page_note(struct textbuf *out, const char *text);

/* --- a page of a long table --- */

/* The smallest rows behind a key: what a page of a sorted table is, without sorting the table. */
struct page_keep {
	size_t size, limit; /* of a row; rows */
	int (*compare)(const void *a, const void *b);
	const void *after; /* a row; NULL: from the first */
	uint8_t *rows;
	size_t count, matched; /* kept; seen */
	bool more;	       /* some behind the last one kept */
};

void page_keep_row(struct page_keep *k, const void *row);
static inline const void *page_kept(const struct page_keep *k, size_t i)
{
	return k->rows + i * k->size;
}
void page_keep_free(struct page_keep *k);
