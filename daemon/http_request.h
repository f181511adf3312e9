/* One HTTP request's head, octets to value. Pure; see http.h for the server. RFC 9110, RFC 9112.
 *
 * Only what a page that is looked at needs is understood: GET and HEAD, no body, no obsolete line folding. The target is
 * decoded, its query taken apart; a target that does not fit is refused rather than cut. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#define HTTP_HEAD_MAX 8192
#define HTTP_TARGET_MAX 1024
#define HTTP_HOST_MAX 256
#define HTTP_PARAMS 8

struct http_param {
	const char *name, *value; /* within the request */
};

struct http_request {
	bool head;	   /* HEAD */
	bool keep;	   /* the connection stays open afterwards */
	bool chunked;	   /* HTTP/1.1: an answer of unknown length comes in chunks */
	bool openmetrics;  /* asked for, by Accept */
	char host[HTTP_HOST_MAX]; /* lower case, without port and brackets */
	char target[HTTP_TARGET_MAX]; /* path and parameters, decoded, each with a NUL */
	const char *path;
	struct http_param params[HTTP_PARAMS];
	unsigned param_count;
};

/* `head`: with the empty line at its end. 0, or the status to refuse it with: 400, 405, 413, 414, 505; the connection
 * cannot be used afterwards. */
int http_request_parse(const char *head, size_t len, struct http_request *ret);

/* "" if it was not given. */
const char *http_param(const struct http_request *r, const char *name);
/* Decimal, at most `max`; `other` if it was not given or is none. */
unsigned http_param_number(const struct http_request *r, const char *name, unsigned max, unsigned other);

/* Whether a browser that was lured to some name sends that Host: addresses and localhost nobody else can claim, other names
 * must be listed. */
bool http_host_ok(const char *host, char *const *names, size_t count);
