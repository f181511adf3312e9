/* What registry_load() and registry_import() share. */
#pragma once
#include "registry/build.h"

/* All files read and joined; what is wrong is told, and left out. The caller's. */
struct registry *registry_read(const struct registry_file *files, size_t count, const struct registry_lan *lan,
	build_line_fn *line, void *arg);
