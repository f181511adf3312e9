/* Files in the state directory: what must survive a restart. A file is there whole, as it was written, or as it was before:
 * it is written beside its place, synced, and renamed. */
#pragma once
#include <stddef.h>

/* 0 or -errno; then what was there is untouched. `name` has no slash. The directory must be there. */
int statefile_write(const char *dir, const char *name, const void *data, size_t len);

/* The whole file, with a NUL behind it, to be freed. -ENOENT: there is none; -EFBIG: longer than max; -EINVAL: not a regular file;
 * other -errno. */
int statefile_read(const char *dir, const char *name, size_t max, char **ret, size_t *ret_len);

/* 0 also if there was none. */
int statefile_remove(const char *dir, const char *name);
