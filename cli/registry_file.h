/* Files of registries: read whole; replaced so that there is always a whole one, with the one before beside it. */
#pragma once
#include <stddef.h>

/* The whole file with a NUL behind it, to be freed. -EFBIG: longer than max; -EISDIR; other -errno. */
int registry_file_read(const char *path, size_t max, char **ret, size_t *ret_len);

/* Directory and name of the file that `path` leads to, through links, whether it is there yet or not; both to be freed. 0 or
 * -errno; -ENOLINK: a link that leads nowhere; -EPERM: we are root, and the link is not root's. */
int registry_file_place(const char *path, char **ret_dir, char **ret_name);

/* In place of what is there, which stays as PATH.last and whose owner keeps it. For all to read. 0 or -errno; then what was there is
 * untouched. */
int registry_file_put(const char *path, const char *text, size_t len);

/* What root has made in `dir` is its owner's, so that a timer which is not root can go on with it. */
void registry_file_own(const char *dir, const char *name);

/* Whoever writes PATH holds PATH.lock meanwhile. A descriptor to be closed; -EWOULDBLOCK: somebody does; other -errno. */
int registry_file_lock(const char *path);
