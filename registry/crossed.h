#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "registry/registry.h"

/* Is a MAC or address that one member had in force another's now, though the former is still there? Then with a line about the first
 * one found. */
bool registry_crossed(const struct registry *was, const struct registry *is, char *why, size_t cap);
