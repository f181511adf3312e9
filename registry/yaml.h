/* The plain-YAML registry, read into a build. */
#pragma once
#include "registry/build.h"

/* Everything wrong is said by the build; of the text as a whole as an error. `source` gets the file's lines: to be freed with
 * registry_yaml_close() when the build is over. */
void registry_yaml_read(struct build *b, struct build_source *source, const char *text, size_t len);
void registry_yaml_close(struct build_source *source);
