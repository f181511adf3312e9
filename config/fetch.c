/* `fetch` of a LAN: where its registry is got from. Read by `quell registry fetch` alone; the daemons read the file that it leaves.
 * The key is not read here: the daemons have no use for it, and mostly no right to. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/parts.h"
#include "config/words.h"

#define MAX_REMOVED 10
#define TIMEOUT 30
#define DATABASE_ID_MAX 0x7fffffff

void config_fetch_defaults(struct config_fetch *f)
{
	*f = (struct config_fetch){
		.ixf = CONFIG_IXF_1_0, .max_removed = MAX_REMOVED, .timeout = TIMEOUT};
}

const char *config_fetch_into(const struct config_lan *lan)
{
	return lan->fetch.into ? lan->fetch.into : lan->registry_count ? lan->registry[0] : NULL;
}

/* The key goes in clear over http: nowhere but to this machine itself, and a name may be anybody's. */
static bool is_loopback(const char *host, size_t len)
{
	char text[IP_TEXT];
	struct ip ip;

	if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	}
	if (len >= sizeof(text))
		return false;
	memcpy(text, host, len);
	text[len] = '\0';
	return ip_parse(text, &ip) == 0 && ip_is_loopback(ip);
}

static const char *url_fault(const char *url)
{
	bool secure = strncasecmp(url, "https://", 8) == 0;

	if (!secure && strncasecmp(url, "http://", 7) != 0)
		return "expected https://HOST";
	const char *host = url + (secure ? 8 : 7);
	size_t len = strcspn(host, "/");
	if (url[strcspn(url, " \t\"<>\\^`{|}?#")] || memchr(host, '@', len))
		return "expected https://HOST and perhaps a path, nothing else";
	for (const unsigned char *p = (const unsigned char *)url; *p; p++)
		if (*p < 0x21 || *p > 0x7e)
			return "expected ASCII: a name with other letters in its xn-- form";
	size_t name = host[0] == '[' ? strcspn(host, "]/") + 1 : strcspn(host, ":/");
	if (name == 0 || name > len)
		return "expected https://HOST";
	if (!secure && !is_loopback(host, name))
		return "expected https: the key would go in clear";
	return NULL;
}

static void switches(
	struct convert *cv, const char *at, const struct raw_fetch *raw, struct config_fetch *f)
{
	f->switch_count = raw->switches_count;
	f->switches = convert_array(f->switch_count, sizeof(*f->switches));
	for (uint32_t i = 0; i < f->switch_count; i++) {
		struct ip pe = {0};

		convert_at(cv, "%s.fetch.switches[%u]", at, i);
		f->switches[i].name = convert_copy(raw->switches[i].name);
		convert_ipv4(cv, "pe", raw->switches[i].pe, &pe);
		f->switches[i].pe = ip_to_u32(pe);
		for (uint32_t k = 0; k < i; k++)
			if (strcmp(f->switches[k].name, f->switches[i].name) == 0)
				convert_error(cv, "name", "'%s': given already in switches[%u]",
					f->switches[i].name, k);
	}
}

void config_fetch(
	struct convert *cv, const char *at, const struct raw_fetch *raw, struct config_lan *lan)
{
	struct config_fetch *f = &lan->fetch;
	const char *fault = url_fault(raw->url);

	convert_at(cv, "%s.fetch", at);
	if (fault)
		convert_error(cv, "url", "'%s': %s", raw->url, fault);
	f->url = convert_copy(raw->url);
	f->key_file = convert_copy(raw->key_file);
	f->ca_file = convert_copy(raw->ca_file);
	f->into = convert_copy(raw->into);
	convert_word(cv, "ixf", raw->ixf, config_ixf_words, &f->ixf);
	convert_number(cv, "addresses", raw->addresses, 1, DATABASE_ID_MAX, &f->addresses);
	convert_count(cv, "max-removed", raw->max_removed, 0, 100, &f->max_removed);
	convert_number(cv, "timeout", raw->timeout, 1, 600, &f->timeout);
	if (f->ixf == CONFIG_IXF_OFF && !raw->switches_count)
		convert_error(cv, "ixf", "off and no switches: nothing says who is where");
	if (!f->key_file && (raw->switches_count || f->addresses))
		convert_error(cv, "", "switches and addresses need a key: expected key-file");
	if (!config_fetch_into(lan))
		convert_error(cv, "", "into which file: expected registry, or into");
	switches(cv, at, raw, f);
}

void config_fetch_free(struct config_fetch *f)
{
	for (uint32_t i = 0; i < f->switch_count; i++)
		free(f->switches[i].name);
	free(f->switches);
	free(f->url);
	free(f->key_file);
	free(f->ca_file);
	free(f->into);
}
