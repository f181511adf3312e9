/* What is asked of IXP Manager, and what its answers mean. It is a program for people, too: somebody who is not let in is sent to a
 * page to log in, which is no registry; what is not there may be where it was in an older version; and it may be taken down for
 * maintenance at any moment. Nothing of it is taken unless all of it came. */
#include <config.h>

#include "cli/fetch.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/fetch_cache.h"
#include "cli/fetch_http.h"
#include "cli/fetch_url.h"
#include "lib/text.h"

#define KEY_MAX 256
#define SAID_MAX 120 /* octets of an answer that are repeated */

struct document {
	enum fetch_path path;
	enum registry_kind kind;
	char what[64];  /* version, switch, id */
	char label[80]; /* for what is found in it */
	char name[256]; /* in the cache */
	char urls[2][URL_MAX];
	int url_count;
	const struct config_switch *sw;
	struct fetch_cached got;
	bool fresh;
};

struct fetched {
	struct document *documents;
	struct registry_file *files;
	size_t count;
};

static int __attribute__((format(printf, 2, 3))) fail(char *line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, FETCH_ERROR_MAX, fmt, ap);
	va_end(ap);
	return -1;
}

/* --- the key --- */

static int check_key(const char *path, char *key, size_t len, char line[FETCH_ERROR_MAX])
{
	while (len && strchr("\r\n\t ", key[len - 1]))
		len--;
	key[len] = '\0';
	if (!len)
		return fail(line, "key-file %s: it is empty", path);
	for (size_t i = 0; i < len; i++)
		if (key[i] <= ' ' || key[i] > '~')
			return fail(
				line, "key-file %s: expected one line, the API key alone", path);
	return 0;
}

int fetch_key(const char *path, char *buf, size_t cap, char line[FETCH_ERROR_MAX])
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return fail(line, "key-file %s: %s", path, strerror(errno));
	ssize_t n = fstat(fd, &st) < 0 ? -1 : 0;
	if (n == 0 && S_ISREG(st.st_mode) && !(st.st_mode & 07))
		n = read(fd, buf, cap - 1);
	int saved = errno;
	close(fd);
	if (n < 0)
		return fail(line, "key-file %s: %s", path, strerror(saved));
	if (!S_ISREG(st.st_mode))
		return fail(line, "key-file %s: not a regular file", path);
	if (st.st_mode & 07)
		return fail(line,
			"key-file %s: everybody on this machine can read or change it (mode %04o): "
			"chmod o= %s",
			path, (unsigned)(st.st_mode & 07777), path);
	if ((size_t)n == cap - 1)
		return fail(line, "key-file %s: longer than any API key", path);
	return check_key(path, buf, (size_t)n, line);
}

/* --- answers --- */

/* What an answer says, if it is a line of text and not a page. */
static const char *said(const struct http_reply *r, char buf[SAID_MAX + 3])
{
	size_t len = strcspn(r->body, "\r\n");

	buf[0] = '\0';
	if (!len || len > SAID_MAX || strchr(r->body, '<'))
		return buf;
	memcpy(buf, ": ", 3);
	text_escape(buf + 2, SAID_MAX, r->body, len);
	return buf;
}

static int refused(const struct document *d, const char *url, const struct http_reply *r,
	char line[FETCH_ERROR_MAX])
{
	char text[SAID_MAX + 3];

	said(r, text);
	if (r->status == 401)
		return fail(line, "%s: the key is not taken (401%s)", url, text);
	if (r->status == 403)
		return fail(
			line, "%s: not for this key, a superuser's is needed (403%s)", url, text);
	if (r->status == 404 && d->path == FETCH_LAYER2)
		return fail(line,
			"%s: there is none (404), nor under /admin: does IXP Manager know a switch "
			"'%s'?",
			url, d->what);
	if (r->status == 404 && d->path == FETCH_ADDRESSES)
		return fail(line,
			"%s: there is none (404), nor under /admin: is %s the id of the VLAN in "
			"the database?",
			url, d->what);
	if (r->status == 404)
		return fail(
			line, "%s: there is none (404): is this the base of an IXP Manager?", url);
	if (r->status == 429)
		return fail(line, "%s: asked too often (429)%s%s%s", url,
			r->retry_after[0] ? ": again after " : "", r->retry_after,
			strspn(r->retry_after, "0123456789") && !strchr(r->retry_after, ' ') ? " s"
											     : "");
	if (r->status >= 300 && r->status < 400 && r->status != 304)
		return fail(line, "%s: sends us on to %s (%ld), which is not followed: %s", url,
			r->location[0] ? r->location : "nowhere", r->status,
			strstr(r->location, "/login") ? "the key is not taken"
						      : "the key is for this host alone");
	if (r->status >= 500)
		return fail(line, "%s: the server has trouble of its own (%ld%s)", url, r->status,
			text);
	return fail(line, "%s: unexpected answer (%ld%s)", url, r->status, text);
}

static const char *describe(enum registry_kind k)
{
	static const char *const texts[] = {[REGISTRY_KIND_IXF] = "an IX-F member export",
		[REGISTRY_KIND_LAYER2] = "layer2interfaces",
		[REGISTRY_KIND_VLANS] = "vlans",
		[REGISTRY_KIND_ADDRESSES] = "ip-addresses"};

	return texts[k];
}

static int check_body(const struct document *d, const char *url, const struct http_reply *r,
	char line[FETCH_ERROR_MAX])
{
	char type[64];

	text_escape(type, sizeof(type), r->type, strlen(r->type));
	if (!r->len)
		return fail(line, "%s: the answer is empty", url);
	if (r->body[strspn(r->body, " \t\r\n")] == '<')
		return fail(line,
			"%s: a web page and not JSON: is the key good, and is this an IXP Manager?",
			url);
	enum registry_kind k = registry_kind_of(r->body, r->len);
	if (k == d->kind)
		return 0;
	if (k == REGISTRY_KIND_UNKNOWN || k == REGISTRY_KIND_YAML)
		return fail(line, "%s: expected %s, found %zu octets of something else%s%s", url,
			describe(d->kind), r->len, type[0] ? ", " : "", type);
	return fail(line, "%s: expected %s, found %s", url, describe(d->kind), describe(k));
}

/* --- a document --- */

static void take_reply(struct document *d, const char *url, struct http_reply *r)
{
	fetch_cached_free(&d->got);
	d->got = (struct fetch_cached){strdup(url), r->body, r->len, r->validators};
	d->fresh = true;
	r->body = NULL;
	if (!d->got.url)
		err(1, NULL);
}

static void tell(
	json_t *documents, const char *url, const struct http_reply *r, const struct document *d)
{
	json_array_append_new(
		documents, json_pack("{s:s, s:I, s:I}", "url", url, "status", (json_int_t)r->status,
				   "octets", (json_int_t)(r->status == 304 ? d->got.len : r->len)));
}

/* 0, 1: not there, or -1. */
static int get_at(struct http *h, struct document *d, const char *url, json_t *documents, bool last,
	char line[FETCH_ERROR_MAX])
{
	bool known = d->got.url && strcmp(d->got.url, url) == 0;
	struct http_reply r;
	char why[HTTP_ERROR_MAX];
	int rc;

	if (http_get(h, url, known ? &d->got.validators : NULL, &r, why) < 0)
		return fail(line, "%s: %s", url, why);
	if (r.status == 404 && !last) {
		rc = 1;
	} else if (r.status == 304 && known) {
		tell(documents, url, &r, d);
		rc = 0;
	} else if (r.status != 200) {
		rc = refused(d, url, &r, line);
	} else if ((rc = check_body(d, url, &r, line)) == 0) {
		tell(documents, url, &r, d);
		take_reply(d, url, &r);
	}
	http_reply_free(&r);
	return rc;
}

static int get(struct http *h, struct document *d, json_t *documents, char line[FETCH_ERROR_MAX])
{
	/* The place that answered the last time is asked first. */
	int first = d->got.url && d->url_count == 2 && strcmp(d->got.url, d->urls[1]) == 0, rc = 1;

	for (int i = 0; i < d->url_count && rc == 1; i++)
		rc = get_at(h, d, d->urls[i ^ first], documents, i + 1 == d->url_count, line);
	return rc;
}

/* --- all of them --- */

static void add(struct fetched *f, const struct config_lan *lan, enum fetch_path path,
	const char *what, const struct config_switch *sw)
{
	static const struct {
		const char *name;
		enum registry_kind kind;
	} kinds[] = {[FETCH_IXF] = {"ixf", REGISTRY_KIND_IXF},
		[FETCH_LAYER2] = {"layer2", REGISTRY_KIND_LAYER2},
		[FETCH_ADDRESSES] = {"addresses", REGISTRY_KIND_ADDRESSES}};
	struct document *d = &f->documents[f->count++];
	char escaped[224];

	d->path = path;
	d->kind = kinds[path].kind;
	d->sw = sw;
	snprintf(d->what, sizeof(d->what), "%s", what);
	snprintf(d->name, sizeof(d->name), "%s-%s.json", kinds[path].name,
		fetch_escape(what, escaped, sizeof(escaped)));
	snprintf(d->label, sizeof(d->label), "%s%s%s", sw ? "" : kinds[path].name, sw ? "" : " ",
		what);
	d->url_count = fetch_url(lan->fetch.url, path, what, d->urls);
}

static struct fetched *plan(const struct config_lan *lan)
{
	static const char *const versions[] = {
		[CONFIG_IXF_0_6] = "0.6", [CONFIG_IXF_0_7] = "0.7", [CONFIG_IXF_1_0] = "1.0"};
	const struct config_fetch *c = &lan->fetch;
	struct fetched *f = calloc(1, sizeof(*f));
	char id[16];

	if (!f || !(f->documents = calloc(c->switch_count + 2, sizeof(*f->documents))) ||
		!(f->files = calloc(c->switch_count + 2, sizeof(*f->files))))
		err(1, NULL);
	if (c->ixf != CONFIG_IXF_OFF)
		add(f, lan, FETCH_IXF, versions[c->ixf], NULL);
	for (uint32_t i = 0; i < c->switch_count; i++)
		add(f, lan, FETCH_LAYER2, c->switches[i].name, &c->switches[i]);
	snprintf(id, sizeof(id), "%u", c->addresses);
	if (c->addresses)
		add(f, lan, FETCH_ADDRESSES, id, NULL);
	return f;
}

static void progress(const struct config_lan *lan, size_t i, size_t count)
{
	if (!isatty(STDERR_FILENO))
		return;
	if (i < count)
		fprintf(stderr, "\r\033[K%s: getting %zu of %zu ...", lan->name, i + 1, count);
	else
		fputs("\r\033[K", stderr);
}

static int get_all(struct fetched *f, const struct config_lan *lan, const char *key,
	const char *cache, json_t *documents, char line[FETCH_ERROR_MAX])
{
	const struct config_fetch *c = &lan->fetch;
	struct http *h = http_new(&(struct http_options){.key = key,
		.ca_file = c->ca_file,
		.timeout_sec = c->timeout,
		.max = REGISTRY_FILE_MAX});
	int rc = 0;

	if (!h)
		return fail(line, "libcurl does not start");
	for (size_t i = 0; i < f->count && rc == 0; i++) {
		struct document *d = &f->documents[i];
		progress(lan, i, f->count);
		fetch_cache_get(cache, d->name, REGISTRY_FILE_MAX, &d->got);
		rc = get(h, d, documents, line);
		f->files[i] = (struct registry_file){.name = d->label,
			.text = d->got.body,
			.len = d->got.len,
			.pe = d->sw ? d->sw->pe : 0,
			.sw = d->sw ? d->sw->name : NULL};
	}
	progress(lan, f->count, f->count);
	http_free(h);
	return rc;
}

int fetch_documents(const struct config_lan *lan, const char *cache, json_t *documents,
	struct fetched **ret, char line[FETCH_ERROR_MAX])
{
	char key[KEY_MAX] = "";

	if (lan->fetch.ca_file && access(lan->fetch.ca_file, R_OK) < 0)
		return fail(line, "ca-file %s: %s", lan->fetch.ca_file, strerror(errno));
	if (lan->fetch.key_file && fetch_key(lan->fetch.key_file, key, sizeof(key), line) < 0)
		return -1;
	struct fetched *f = plan(lan);
	int rc = get_all(f, lan, key, cache, documents, line);
	explicit_bzero(key, sizeof(key));
	if (rc < 0) {
		fetched_free(f);
		return -1;
	}
	*ret = f;
	return 0;
}

const struct registry_file *fetched_files(const struct fetched *f, size_t *ret_count)
{
	*ret_count = f->count;
	return f->files;
}

int fetched_keep(const struct fetched *f, const char *cache)
{
	int rc = 0;

	for (size_t i = 0; i < f->count && rc == 0; i++)
		if (f->documents[i].fresh)
			rc = fetch_cache_put(cache, f->documents[i].name, &f->documents[i].got);
	return rc;
}

void fetched_free(struct fetched *f)
{
	for (size_t i = 0; i < f->count; i++)
		fetch_cached_free(&f->documents[i].got);
	free(f->documents);
	free(f->files);
	free(f);
}
