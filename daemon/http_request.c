#include "daemon/http_request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/ip.h"

/* A piece of the head. */
struct piece {
	const char *p;
	size_t len;
};

static bool is(struct piece s, const char *text)
{
	return s.len == strlen(text) && memcmp(s.p, text, s.len) == 0;
}

static bool is_word(struct piece s, const char *text)
{
	return s.len == strlen(text) && strncasecmp(s.p, text, s.len) == 0;
}

static struct piece trim(struct piece s)
{
	while (s.len && (s.p[0] == ' ' || s.p[0] == '\t'))
		s.p++, s.len--;
	while (s.len && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t'))
		s.len--;
	return s;
}

/* What stands before the first `c`, which goes, too; all of it if there is none. */
static struct piece cut(struct piece *rest, char c)
{
	const char *at = rest->len ? memchr(rest->p, c, rest->len) : NULL;
	struct piece first = {rest->p, at ? (size_t)(at - rest->p) : rest->len};
	size_t gone = first.len + (at != NULL);

	rest->p += gone;
	rest->len -= gone;
	return first;
}

/* --- the target --- */

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* Behind what is in the request's target already. NULL: it is malformed, or holds a NUL. */
static const char *decode(struct http_request *r, size_t *at, struct piece s, bool form)
{
	char *to = r->target + *at;

	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];
		if (c == '%') {
			int high = i + 2 < s.len ? hex(s.p[i + 1]) : -1;
			int low = i + 2 < s.len ? hex(s.p[i + 2]) : -1;
			if (high < 0 || low < 0)
				return NULL;
			c = (char)(high << 4 | low);
			i += 2;
		} else if (c == '+' && form) {
			c = ' ';
		}
		if (!c)
			return NULL;
		r->target[(*at)++] = c;
	}
	r->target[(*at)++] = '\0';
	return to;
}

/* What is decoded is never longer than what was sent, with its separator for the NUL. */
static int read_target(struct http_request *r, struct piece target)
{
	size_t at = 0;

	if (target.len >= sizeof(r->target) - 1)
		return 414;
	struct piece query = target, path = cut(&query, '?');
	if (!path.len || path.p[0] != '/' || !(r->path = decode(r, &at, path, false)))
		return 400;
	while (query.len) {
		struct piece value = cut(&query, '&'), name = cut(&value, '=');
		if (!name.len)
			continue;
		if (r->param_count == HTTP_PARAMS)
			return 400;
		struct http_param *p = &r->params[r->param_count++];
		/* A name without a value would have a NUL more than it was sent octets. */
		if (at + name.len + value.len + 2 > sizeof(r->target))
			return 414;
		if (!(p->name = decode(r, &at, name, true)) || !(p->value = decode(r, &at, value, true)))
			return 400;
	}
	return 0;
}

/* RFC 9112 section 3.2.2: a server takes http://host/path, too, and the host stands there. */
static void cut_authority(struct piece *target, struct piece *ret_host)
{
	static const char scheme[] = "http://";
	size_t len = sizeof(scheme) - 1;

	if (target->len < len || strncasecmp(target->p, scheme, len) != 0)
		return;
	target->p += len;
	target->len -= len;
	const char *slash = memchr(target->p, '/', target->len);
	size_t host = slash ? (size_t)(slash - target->p) : target->len;
	*ret_host = (struct piece){target->p, host};
	target->p += host;
	target->len -= host;
}

/* --- host --- */

static int read_host(struct http_request *r, struct piece s)
{
	bool bracket = s.len && s.p[0] == '[';
	const char *end = bracket ? memchr(s.p, ']', s.len) : s.len ? memchr(s.p, ':', s.len) : NULL;
	struct piece name = {s.p + bracket, (end ? (size_t)(end - s.p) : s.len) - bracket};
	struct piece port = {end ? end + 1 : s.p + s.len, 0};

	if (bracket && !end)
		return 400;
	port.len = (size_t)(s.p + s.len - port.p);
	if (bracket && port.len && port.p[0] != ':')
		return 400;
	if (bracket && port.len)
		port.p++, port.len--;
	for (size_t i = 0; i < port.len; i++)
		if (port.p[i] < '0' || port.p[i] > '9')
			return 400;
	if (!name.len || name.len >= sizeof(r->host))
		return 400;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.p[i];
		c = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-._:", c) || !c || (c == ':' && !bracket))
			return 400;
		r->host[i] = c;
	}
	r->host[name.len] = '\0';
	return 0;
}

bool http_host_ok(const char *host, char *const *names, size_t count)
{
	struct ip ip;

	/* No browser leaves it out. */
	if (!*host || ip_parse(host, &ip) == 0 || strcmp(host, "localhost") == 0)
		return true;
	for (size_t i = 0; i < count; i++)
		if (strcmp(host, names[i]) == 0)
			return true;
	return false;
}

/* --- the other fields --- */

struct fields {
	struct piece host;
	bool minor_zero;
};

/* Whether it is wanted at all; how much more than another does not matter: it is asked for by name by those alone who can read it.
 */
static bool wants_openmetrics(struct piece accept)
{
	while (accept.len) {
		struct piece one = cut(&accept, ','), type = trim(cut(&one, ';'));
		bool no = false;
		while (one.len) {
			struct piece p = trim(cut(&one, ';'));
			no |= is(p, "q=0") || is(p, "q=0.0") || is(p, "q=0.00") || is(p, "q=0.000");
		}
		if (!no && is_word(type, "application/openmetrics-text"))
			return true;
	}
	return false;
}

static bool lists(struct piece list, const char *word)
{
	while (list.len)
		if (is_word(trim(cut(&list, ',')), word))
			return true;
	return false;
}

static bool is_token(struct piece name)
{
	for (size_t i = 0; i < name.len; i++)
		if (name.p[i] <= ' ' || name.p[i] >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", name.p[i]))
			return false;
	return name.len > 0;
}

static int take_field(struct http_request *r, struct fields *f, struct piece name, struct piece value)
{
	if (is_word(name, "host")) {
		if (f->host.p)
			return 400;
		f->host = value;
	} else if (is_word(name, "content-length")) {
		return is(value, "0") ? 0 : 413;
	} else if (is_word(name, "transfer-encoding")) {
		return 413;
	} else if (is_word(name, "connection")) {
		r->keep = r->keep && !lists(value, "close");
	} else if (is_word(name, "accept")) {
		r->openmetrics |= wants_openmetrics(value);
	}
	return 0;
}

static int read_fields(struct http_request *r, struct fields *f, struct piece rest)
{
	for (;;) {
		struct piece line = cut(&rest, '\n');
		/* A line of its own CR LF; a bare LF may be taken for one (RFC 9112 section 2.2). */
		if (line.len && line.p[line.len - 1] == '\r')
			line.len--;
		if (!line.len)
			return rest.len ? 400 : 0;
		for (size_t i = 0; i < line.len; i++)
			if ((unsigned char)line.p[i] < ' ' && line.p[i] != '\t')
				return 400;
		struct piece value = line, name = cut(&value, ':');
		/* Folded lines begin with a space, which no name has; nor is one before the colon. */
		if (name.len == line.len || !is_token(name))
			return 400;
		int status = take_field(r, f, name, trim(value));
		if (status)
			return status;
	}
}

int http_request_parse(const char *head, size_t len, struct http_request *ret)
{
	struct piece rest = {head, len}, line = cut(&rest, '\n');
	struct fields f = {{NULL, 0}, false};
	struct piece authority = {NULL, 0};
	int status;

	memset(ret, 0, sizeof(*ret));
	ret->path = ret->target;
	if (line.len && line.p[line.len - 1] == '\r')
		line.len--;
	struct piece version = line, method = cut(&version, ' '), target = cut(&version, ' ');
	if (version.len != 8 || memcmp(version.p, "HTTP/", 5) != 0 || !is_token(method))
		return 400;
	if (memcmp(version.p, "HTTP/1.", 7) != 0 || version.p[7] < '0' || version.p[7] > '9')
		return 505;
	f.minor_zero = version.p[7] == '0';
	ret->keep = ret->chunked = !f.minor_zero;
	ret->head = is(method, "HEAD");
	if (!ret->head && !is(method, "GET"))
		return 405;
	cut_authority(&target, &authority);
	status = read_target(ret, target);
	if (!status)
		status = read_fields(ret, &f, rest);
	if (!status && !f.host.p && !authority.p)
		return f.minor_zero ? 0 : 400;
	return status ? status : read_host(ret, authority.p ? authority : f.host);
}

/* --- parameters --- */

const char *http_param(const struct http_request *r, const char *name)
{
	for (unsigned i = 0; i < r->param_count; i++)
		if (strcmp(r->params[i].name, name) == 0)
			return r->params[i].value;
	return "";
}

unsigned http_param_number(const struct http_request *r, const char *name, unsigned max, unsigned other)
{
	const char *text = http_param(r, name);

	if (!*text || strlen(text) > 9 || strspn(text, "0123456789") != strlen(text))
		return other;
	unsigned long n = strtoul(text, NULL, 10);
	return n <= max ? (unsigned)n : other;
}
