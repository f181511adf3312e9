/* The head of an HTTP request: any octets are a value or a status, and what is taken is within the request and ends in a NUL. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "daemon/http_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_within(const struct http_request *r, const char *text)
{
	assert(text >= r->target && text < r->target + sizeof(r->target));
	assert(memchr(text, 0, sizeof(r->target) - (size_t)(text - r->target)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_request r;

	if (size > HTTP_HEAD_MAX)
		return 0;
	int status = http_request_parse((const char *)data, size, &r);
	assert(status == 0 || status == 400 || status == 405 || status == 413 || status == 414 || status == 505);
	if (status)
		return 0;
	check_within(&r, r.path);
	assert(r.path[0] == '/' && memchr(r.host, 0, sizeof(r.host)));
	for (unsigned i = 0; i < r.param_count; i++) {
		check_within(&r, r.params[i].name);
		check_within(&r, r.params[i].value);
	}
	http_host_ok(r.host, NULL, 0);
	return 0;
}
