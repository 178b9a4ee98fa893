/* The expectations file: failures that are known, so that a run tells what is new.
 *
 *     # clause  driver  kind   reason  source
 *     DEL-009   fifo*   xfail  phantom man 7 pipe: what is written to a pipe stays for the next reader
 *     KILL-003  tcp     flaky  2/20    project's tracker, number 12
 *     DEL-003   udp     intermittent  lost  man 7 udp: a full buffer drops
 *
 * xfail: the clause fails, with a violation of the class `reason`. If it passes or fails otherwise, that is `xpass`.
 * intermittent: it may fail so and may pass, as a race that the implementation is known to have falls out, or as fast
 * as the machine happens to be. If it fails otherwise, that is `xpass`. flaky: it fails k times of n at most; a run of
 * r rounds tolerates k·r/n failures, rounded down: none in a run of fewer than n/k rounds, which could not tell it from
 * what always fails. At most two a driver. All need a source, so that somebody can look whether it still holds. Clause
 * and driver may be globs; the first line that matches counts. */
#ifndef EXPECT_H
#define EXPECT_H

#include <stdio.h>

#include "result.h"

typedef struct expect_list expect_list;

/* Refused is also what could never come true: a clause or a class that does not exist. -EINVAL with a sentence in text
 * ("FILE:LINE: …, do …"), -errno if the file cannot be read. */
int expect_load(expect_list **out, const char *path, char *text, size_t text_size);
void expect_free(expect_list *);
/* Turns the verdict of a case that has just ended into xfail or xpass where a line says so. rounds: of --repeat. NULL:
 * no expectations. */
void expect_apply(expect_list *, result *, unsigned rounds);
/* Whether more than two flaky lines are for this driver; then text says which. */
bool expect_too_many_flaky(const expect_list *, const char *driver);
/* Says that this driver is in the run; then names the lines that are for none: one that is misspelt would go unnoticed.
 */
void expect_meet(expect_list *, const char *driver);
void expect_print_unmet(FILE *, const expect_list *, const char *path);
/* The intermittent lines that were no such thing, in twenty rounds or more. */
void expect_print_steady(FILE *, const expect_list *, const char *path);

#endif
