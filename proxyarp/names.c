/* The tokens of class.h: for the ledger's reports, the control socket and the configuration. */
#include <errno.h>
#include <string.h>

#include "proxyarp/verdict.h"

#define CLASS_NAME_ROW(sym, token, rule) token,
#define CLASS_RULE_ROW(sym, token, rule) RULE_##rule,
#define RULE_NAME_ROW(sym, token, number, text) token,
#define RULE_TEXT_ROW(sym, token, number, text) text,
#define RULE_NUMBER_ROW(sym, token, number, text) number,
#define OUTCOME_NAME_ROW(sym, token, kind) token,
#define OUTCOME_KIND_F 'F'
#define OUTCOME_KIND_A 'A'
#define OUTCOME_KIND_D 'D'
#define OUTCOME_KIND_P 'P'
#define OUTCOME_KIND_ROW(sym, token, kind) OUTCOME_KIND_##kind,

static const char *const class_names[CLASS_COUNT] = {FRAME_CLASSES(CLASS_NAME_ROW)};
static const enum frame_rule class_rules[CLASS_COUNT] = {FRAME_CLASSES(CLASS_RULE_ROW)};
static const char *const rule_names[RULE_COUNT] = {FRAME_RULES(RULE_NAME_ROW)};
static const char *const rule_texts[RULE_COUNT] = {FRAME_RULES(RULE_TEXT_ROW)};
static const uint8_t rule_numbers[RULE_COUNT] = {FRAME_RULES(RULE_NUMBER_ROW)};
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

enum frame_rule class_rule(enum frame_class c)
{
	return (unsigned)c < CLASS_COUNT ? class_rules[c] : RULE_NONE;
}

const char *rule_name(enum frame_rule r)
{
	return (unsigned)r < RULE_COUNT ? rule_names[r] : "?";
}

const char *rule_text(enum frame_rule r)
{
	return (unsigned)r < RULE_COUNT ? rule_texts[r] : "?";
}

int rule_number(enum frame_rule r)
{
	return (unsigned)r < RULE_COUNT ? rule_numbers[r] : 0;
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

int rule_find(const char *token)
{
	return find(rule_names, RULE_COUNT, token);
}
