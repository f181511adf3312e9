/* The tables of `quell top`, from rates (cli/ledger.h). */
#pragma once
#include <jansson.h>

#include "lib/table.h"
#include "cli/top.h"

enum top_sort { TOP_BY_NAME, TOP_BY_IN, TOP_BY_DROPPED, TOP_BY_ANSWERED, TOP_BY_BUM, TOP_SORTS };

const char *top_sort_name(enum top_sort by);
/* To be freed. A row a port, or a row a port, direction, class and outcome, the most frequent first. */
struct table *top_ports(const json_t *rates, const struct top_options *o, enum top_sort by);
struct table *top_classes(const json_t *rates, const struct top_options *o);
