#include "daemon/page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"

/* --- text --- */

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* C0, DEL, and C1 as UTF-8. */
static bool is_control(const char *p, size_t len)
{
	uint8_t c = (uint8_t)p[0];

	return (len == 1 && (c < 0x20 || c == 0x7f)) || (len == 2 && c == 0xc2 && (uint8_t)p[1] < 0xa0);
}

static const char *entity_of(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void page_text(struct textbuf *out, const char *text)
{
	while (*text) {
		size_t len = text_utf8(text);
		const char *entity = entity_of(*text);
		if (entity)
			textbuf_put(out, entity);
		else if (len && !is_control(text, len))
			textbuf_add(out, text, len);
		else
			textbuf_put(out, REPLACEMENT);
		text += len ? len : 1;
	}
}

void page_foreign(struct textbuf *out, const char *text)
{
	textbuf_put(out, "<bdi>");
	page_text(out, text);
	textbuf_put(out, "</bdi>");
}

void page_url(struct textbuf *out, const char *text)
{
	static const char hex[] = "0123456789ABCDEF";

	for (; *text; text++) {
		uint8_t c = (uint8_t)*text;
		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || strchr("-._~:", c))
			textbuf_add(out, text, 1);
		else
			textbuf_add(out, (char[]){'%', hex[c >> 4], hex[c & 15]}, 3);
	}
}

void page_ip(struct textbuf *out, struct ip ip)
{
	char text[IP_TEXT];

	if (ip.family)
		textbuf_put(out, ip_format(ip, text));
}

void page_mac(struct textbuf *out, struct mac mac)
{
	char text[MAC_TEXT];

	if (!mac_is_zero(mac))
		textbuf_put(out, mac_format(mac, text));
}

void page_age(struct textbuf *out, uint64_t sec)
{
	if (sec < 120)
		textbuf_printf(out, "%u s", (unsigned)sec);
	else if (sec < 7200)
		textbuf_printf(out, "%u min", (unsigned)(sec / 60));
	else if (sec < 172800)
		textbuf_printf(out, "%u h %02u min", (unsigned)(sec / 3600), (unsigned)(sec / 60 % 60));
	else
		textbuf_printf(out, "%llu d %u h", (unsigned long long)(sec / 86400), (unsigned)(sec / 3600 % 24));
}

void page_link(struct textbuf *out, const char *path, const char *key, const char *value)
{
	textbuf_printf(out, "<a href=\"%s?%s=", path, key);
	page_url(out, value);
	textbuf_put(out, "\">");
	page_foreign(out, value);
	textbuf_put(out, "</a>");
}

void page_state(struct textbuf *out, const char *state, const char *text)
{
	textbuf_printf(out, "<span class=\"%s\">", state);
	page_text(out, text);
	textbuf_put(out, "</span>");
}

/* --- tables and lists --- */

void page_heading(struct textbuf *out, const char *text)
{
	textbuf_put(out, "<h2>");
	page_text(out, text);
	textbuf_put(out, "</h2>\n");
}

void page_table(struct textbuf *out, const struct page_column *columns)
{
	/* Which columns are numbers, the style sheet is told by the table's class: cells need not say it again. */
	textbuf_put(out, "<div class=\"scroll\"><table class=\"");
	for (size_t i = 0; columns[i].title; i++)
		if (columns[i].number)
			textbuf_printf(out, "n%zu ", i + 1);
	textbuf_put(out, "\"><thead><tr>");
	for (size_t i = 0; columns[i].title; i++) {
		textbuf_put(out, "<th scope=\"col\">");
		page_text(out, columns[i].title);
		textbuf_put(out, "</th>");
	}
	textbuf_put(out, "</tr></thead><tbody>\n");
}

void page_table_end(struct textbuf *out)
{
	textbuf_put(out, "</tbody></table></div>\n");
}

void page_row(struct textbuf *out)
{
	textbuf_put(out, "<tr>");
}

void page_row_end(struct textbuf *out)
{
	textbuf_put(out, "</tr>\n");
}

void page_cell(struct textbuf *out)
{
	textbuf_put(out, "<td>");
}

void page_cell_end(struct textbuf *out)
{
	textbuf_put(out, "</td>");
}

void page_cell_text(struct textbuf *out, const char *text)
{
	page_cell(out);
	if (*text)
		page_foreign(out, text);
	page_cell_end(out);
}

void page_cell_number(struct textbuf *out, uint64_t n)
{
	page_cell(out);
	textbuf_number(out, n);
	page_cell_end(out);
}

void page_cell_ip(struct textbuf *out, struct ip ip)
{
	page_cell(out);
	page_ip(out, ip);
	page_cell_end(out);
}

void page_cell_mac(struct textbuf *out, struct mac mac)
{
	page_cell(out);
	page_mac(out, mac);
	page_cell_end(out);
}

void page_cell_age(struct textbuf *out, uint64_t sec)
{
	page_cell(out);
	page_age(out, sec);
	page_cell_end(out);
}

void page_cell_member(struct textbuf *out, const struct registry *r, const struct registry_port *p)
{
	char as[16];

	textbuf_put(out, "<td class=\"wide\">");
	if (p) {
		snprintf(as, sizeof(as), "AS%u", r->members[p->member].asn);
		page_link(out, "/search", "q", as);
		if (r->members[p->member].name) {
			textbuf_put(out, " ");
			page_foreign(out, r->members[p->member].name);
		}
	}
	page_cell_end(out);
}

void page_list(struct textbuf *out)
{
	textbuf_put(out, "<dl>");
}

void page_list_end(struct textbuf *out)
{
	textbuf_put(out, "</dd></dl>\n");
}

/* The end of one is left to the next: HTML lets <dt> end <dd>. */
void page_item(struct textbuf *out, const char *name)
{
	textbuf_put(out, "<dt>");
	page_text(out, name);
	textbuf_put(out, "</dt><dd>");
}

void page_item_text(struct textbuf *out, const char *name, const char *text)
{
	page_item(out, name);
	page_foreign(out, text);
}

void page_item_number(struct textbuf *out, const char *name, uint64_t n)
{
	page_item(out, name);
	textbuf_number(out, n);
}

void page_note(struct textbuf *out, const char *text)
{
	textbuf_put(out, "<p class=\"note\">");
	page_text(out, text);
	textbuf_put(out, "</p>\n");
}

/* --- a page of a long table --- */

void page_keep_row(struct page_keep *k, const void *row)
{
	size_t low = 0, high = k->count;

	k->matched++;
	if (k->after && k->compare(row, k->after) <= 0)
		return;
	if (k->count == k->limit && k->compare(row, page_kept(k, k->count - 1)) >= 0) {
		k->more = true;
		return;
	}
	if (!k->rows && !(k->rows = calloc(k->limit + 1, k->size)))
		abort();
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (k->compare(page_kept(k, middle), row) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	uint8_t *at = k->rows + low * k->size;
	memmove(at + k->size, at, (k->count - low) * k->size);
	memcpy(at, row, k->size);
	if (k->count < k->limit)
		k->count++;
	else
		k->more = true;
}

void page_keep_free(struct page_keep *k)
{
	free(k->rows);
}
