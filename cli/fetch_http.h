/* GET over HTTPS, and nothing else: the one place that knows libcurl.
 *
 * The key goes to the host of the URL alone: no redirect is followed, none of the proxies that the environment names sees it, since
 * what is not to this machine itself is TLS. What the server says is bounded: size, time, and the length of every header kept. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_ERROR_MAX 512

struct http;

struct http_options {
	const char *key;     /* for X-IXP-Manager-API-Key, borrowed; NULL: none */
	const char *ca_file; /* NULL: those of the system */
	uint32_t timeout_sec;
	size_t max; /* octets of a body, unpacked */
};

/* NULL: no memory, or no TLS. */
struct http *http_new(const struct http_options *o);
void http_free(struct http *h);

/* What makes a GET conditional; empty: nothing. */
struct http_validators {
	char etag[256], modified[64];
};

struct http_reply {
	long status;
	char *body; /* with a NUL behind it */
	size_t len;
	struct http_validators validators;
	char type[64];
	char location[256], retry_after[64]; /* escaped */
};

/* 0: it answered, whatever the status; *ret to be http_reply_free()d. -1 with a reason, escaped, in err. */
int http_get(struct http *h, const char *url, const struct http_validators *have,
	struct http_reply *ret, char err[HTTP_ERROR_MAX]);
void http_reply_free(struct http_reply *r);
