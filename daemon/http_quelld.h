/* What quelld serves by HTTP: one row a path. */
#pragma once
#include "daemon/http.h"

struct quelld;

/* The server of `http.quelld`, listening if it is said so. 0, or -errno with a line in err. */
int http_quelld_new(struct quelld *q, char err[HTTP_ERROR_MAX]);
