/* `quell check FILE`: reads the configuration and the registries that it names as the daemons
 * would, and says what it understood, or each thing that is wrong with its place. Changes nothing,
 * asks nobody. */
#pragma once
#include <stdbool.h>
#include <stdio.h>

/* 0, or 1 when anything is wrong: then a line each on `err`. */
int check(const char *file, bool json, FILE *out, FILE *err);
