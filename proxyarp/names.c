/* The tokens of class.h: for the ledger's reports, the control socket and the configuration. */
#include <errno.h>
#include <string.h>

#include "proxyarp/verdict.h"

#define CLASS_NAME_ROW(sym, token) token,
#define OUTCOME_NAME_ROW(sym, token, kind) token,
#define OUTCOME_KIND_F 'F'
#define OUTCOME_KIND_A 'A'
#define OUTCOME_KIND_D 'D'
#define OUTCOME_KIND_P 'P'
#define OUTCOME_KIND_ROW(sym, token, kind) OUTCOME_KIND_##kind,

static const char *const class_names[CLASS_COUNT] = {FRAME_CLASSES(CLASS_NAME_ROW)};
static const char *const outcome_names[OUTCOME_COUNT] = {FRAME_OUTCOMES(OUTCOME_NAME_ROW)};
static const char outcome_kinds[OUTCOME_COUNT] = {FRAME_OUTCOMES(OUTCOME_KIND_ROW)};

const char *class_name(enum frame_class c)
{
	return (unsigned)c < CLASS_COUNT ? class_names[c] : "?";
}

const char *outcome_name(enum frame_outcome o)
{
	return (unsigned)o < OUTCOME_COUNT ? outcome_names[o] : "?";
}

char outcome_kind(enum frame_outcome o)
{
	return (unsigned)o < OUTCOME_COUNT ? outcome_kinds[o] : '?';
}

static int find(const char *const *names, int count, const char *token)
{
	for (int i = 0; i < count; i++)
		if (strcmp(names[i], token) == 0)
			return i;
	return -EINVAL;
}

int class_find(const char *token)
{
	return find(class_names, CLASS_COUNT, token);
}

int outcome_find(const char *token)
{
	return find(outcome_names, OUTCOME_COUNT, token);
}
