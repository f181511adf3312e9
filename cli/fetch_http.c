#include <config.h>

#include "cli/fetch_http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/text.h"

#define CONNECT_SEC 10
#define MB (1u << 20)

struct http {
	CURL *curl;
	const char *key;
	size_t max;
	uint32_t timeout_sec;
	char why[CURL_ERROR_SIZE];
};

/* --- what comes in --- */

struct taker {
	char *body;
	size_t len, room, max;
	bool full;
};

static size_t take(char *data, size_t size, size_t n, void *arg)
{
	struct taker *t = arg;
	size_t add = size * n;

	if (add > t->max - t->len) {
		t->full = true;
		return 0;
	}
	if (t->len + add + 1 > t->room) {
		size_t room = 2 * t->room + add + 4096;
		char *more = realloc(t->body, room);
		if (!more)
			return 0;
		t->body = more;
		t->room = room;
	}
	memcpy(t->body + t->len, data, add);
	t->len += add;
	t->body[t->len] = '\0';
	return add;
}

/* What does not fit is not kept: half of a validator is none. */
static void take_header(CURL *curl, const char *name, char *buf, size_t cap)
{
	struct curl_header *h;

	buf[0] = '\0';
	if (curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &h) == CURLHE_OK &&
		strlen(h->value) < cap)
		memcpy(buf, h->value, strlen(h->value) + 1);
}

static void take_headers(CURL *curl, struct http_reply *r)
{
	char *location = NULL, after[32];

	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &r->status);
	take_header(curl, "etag", r->validators.etag, sizeof(r->validators.etag));
	take_header(curl, "last-modified", r->validators.modified, sizeof(r->validators.modified));
	take_header(curl, "content-type", r->type, sizeof(r->type));
	take_header(curl, "retry-after", after, sizeof(after));
	text_escape(r->retry_after, sizeof(r->retry_after), after, strlen(after));
	curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &location);
	if (location)
		text_escape(r->location, sizeof(r->location), location, strlen(location));
}

/* --- what goes out --- */

struct http *http_new(const struct http_options *o)
{
	struct http *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->key = o->key;
	h->max = o->max;
	h->timeout_sec = o->timeout_sec;
	h->curl = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_easy_init() : NULL;
	if (!h->curl) {
		free(h);
		return NULL;
	}
	uint32_t connect = o->timeout_sec < CONNECT_SEC ? o->timeout_sec : CONNECT_SEC;
	curl_easy_setopt(h->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h->curl, CURLOPT_ERRORBUFFER, h->why);
	curl_easy_setopt(h->curl, CURLOPT_USERAGENT, "quell/" PACKAGE_VERSION);
	curl_easy_setopt(h->curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(h->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(h->curl, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(h->curl, CURLOPT_CONNECTTIMEOUT, (long)connect);
	curl_easy_setopt(h->curl, CURLOPT_TIMEOUT, (long)o->timeout_sec);
	curl_easy_setopt(h->curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)o->max);
	curl_easy_setopt(h->curl, CURLOPT_WRITEFUNCTION, take);
	if (o->ca_file)
		curl_easy_setopt(h->curl, CURLOPT_CAINFO, o->ca_file);
	return h;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	curl_easy_cleanup(h->curl);
	curl_global_cleanup();
	free(h);
}

static struct curl_slist *add_header(struct curl_slist *list, const char *name, const char *value)
{
	char *line = NULL;

	if (!value || !value[0] || asprintf(&line, "%s: %s", name, value) < 0)
		return list;
	struct curl_slist *longer = curl_slist_append(list, line);
	explicit_bzero(line, strlen(line));
	free(line);
	return longer ? longer : list;
}

static void wipe(struct curl_slist *list)
{
	for (struct curl_slist *l = list; l; l = l->next)
		explicit_bzero(l->data, strlen(l->data));
	curl_slist_free_all(list);
}

static void explain(
	const struct http *h, CURLcode code, const struct taker *t, char err[HTTP_ERROR_MAX])
{
	const char *why = h->why[0] ? h->why : curl_easy_strerror(code);
	char safe[CURL_ERROR_SIZE];

	text_escape(safe, sizeof(safe), why, strlen(why));
	if (t->full || code == CURLE_FILESIZE_EXCEEDED)
		snprintf(err, HTTP_ERROR_MAX, "more than %zu MB", h->max / MB);
	else if (code == CURLE_OPERATION_TIMEDOUT)
		snprintf(err, HTTP_ERROR_MAX, "timed out, after %u s (%zu octets had come)",
			h->timeout_sec, t->len);
	else if (code == CURLE_PARTIAL_FILE)
		snprintf(err, HTTP_ERROR_MAX, "cut short: %s", safe);
	else if (code == CURLE_PEER_FAILED_VERIFICATION)
		snprintf(err, HTTP_ERROR_MAX, "not to be trusted: %s", safe);
	else
		snprintf(err, HTTP_ERROR_MAX, "%s", safe);
}

int http_get(struct http *h, const char *url, const struct http_validators *have,
	struct http_reply *ret, char err[HTTP_ERROR_MAX])
{
	bool secure = strncasecmp(url, "https://", 8) == 0;
	struct taker t = {.max = h->max};
	struct curl_slist *headers = NULL;

	*ret = (struct http_reply){0};
	headers = add_header(headers, "Accept", "application/json");
	headers = add_header(headers, "X-IXP-Manager-API-Key", h->key);
	if (have) {
		headers = add_header(headers, "If-None-Match", have->etag);
		headers = add_header(headers, "If-Modified-Since", have->modified);
	}
	h->why[0] = '\0';
	curl_easy_setopt(h->curl, CURLOPT_URL, url);
	curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(h->curl, CURLOPT_WRITEDATA, &t);
	curl_easy_setopt(h->curl, CURLOPT_PROTOCOLS_STR, secure ? "https" : "http");
	/* Without TLS a proxy would read the key. */
	curl_easy_setopt(h->curl, CURLOPT_NOPROXY, secure ? NULL : "*");
	CURLcode code = curl_easy_perform(h->curl);
	wipe(headers);
	curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, NULL);
	if (code != CURLE_OK) {
		explain(h, code, &t, err);
		free(t.body);
		return -1;
	}
	take_headers(h->curl, ret);
	ret->body = t.body ? t.body : calloc(1, 1);
	ret->len = t.len;
	return 0;
}

void http_reply_free(struct http_reply *r)
{
	free(r->body);
	*r = (struct http_reply){0};
}
