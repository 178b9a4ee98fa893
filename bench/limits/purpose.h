/* What each limit is for: the families of drivers' rows that it stands beside, and how it is measured. */
#ifndef BENCH_PURPOSE_H
#define BENCH_PURPOSE_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "../rows/row.h"

enum purpose_kind {
    PURPOSE_BOUND,     /* no driver does with less */
    PURPOSE_REFERENCE, /* to compare with: there may be better ones */
    PURPOSE_SHARE      /* of the suite itself in a driver's figure: there is no transport, so it is one process */
};

/* Most limits have the shape of a driver, and then no measuring code of their own: they are rows of a family with that
 * driver put in. So what they do for each message, from filling it to reading the clock, is in the driver's row too. */
struct purpose {
    enum row_family as; /* measured by the function of this family: its own, or the first one that it is the limit of */
    const char *driver; /* a file beside the program, with parameters; NULL: the machine alone, in this process */
    enum purpose_kind kind;
};

/* NULL: the row is no limit. */
const struct purpose *purpose_of(enum row_family limit);

/* Whether the limit says something of the other row, which is of a driver: of its family, and measured at its size and
 * rate, or at none. */
bool purpose_includes(const struct row *limit, const struct row *row);
bool purpose_includes_family(enum row_family limit, enum row_family);

/* The same for the file: an array of families' names, the caller's; and "bound", "reference" or "share". NULL: the row
 * is no limit. */
cJSON *purpose_families(const struct row *limit);
const char *purpose_kind(const struct row *limit);

#endif
