/* Metrics as text: OpenMetrics 1.0, and the Prometheus format 0.0.4 that came before it, from the same calls. The one writer of the
 * daemons' /metrics and of `quell show ledger --metrics`.
 *
 *   openmetrics_family()                         # TYPE, # UNIT, # HELP
 *     openmetrics_sample() _label()... _value()  a line each, all samples of a family in a row
 *   openmetrics_end()                            # EOF
 *
 * Which characters a label's value may have is nobody's choice but UTF-8's: what is none is replaced, for one bad octet would
 * make a reader refuse the whole answer.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/textbuf.h"

enum openmetrics_form { METRICS_OPENMETRICS, METRICS_PROMETHEUS };

enum openmetrics_type { METRIC_GAUGE, METRIC_COUNTER, METRIC_INFO, METRIC_HISTOGRAM };

struct openmetrics_family {
	const char *name; /* ends in the unit if it has one; without _total or _info */
	enum openmetrics_type type;
	const char *unit; /* NULL: none */
	const char *help; /* a sentence */
};

struct openmetrics {
	struct textbuf *out;
	enum openmetrics_form form;
	const struct openmetrics_family *family;
	bool labelled;
};

extern const char *const openmetrics_content_type[]; /* by form */

void openmetrics_family(struct openmetrics *m, const struct openmetrics_family *f);
/* Begins a line of the family. */
void openmetrics_sample(struct openmetrics *m);
/* The same of a histogram: "bucket", "count", "sum". */
void openmetrics_sample_of(struct openmetrics *m, const char *part);
void openmetrics_label(struct openmetrics *m, const char *name, const char *value);
/* Ends the line. */
void openmetrics_value(struct openmetrics *m, uint64_t n);
/* Thousandths, and thousandths of a thousandth of a thousandth: seconds of so many milliseconds or nanoseconds. */
void openmetrics_ms(struct openmetrics *m, uint64_t ms);
void openmetrics_ns(struct openmetrics *m, uint64_t ns);
void openmetrics_end(struct openmetrics *m);
