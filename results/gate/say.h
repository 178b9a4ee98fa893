/* A report for people and for machines. */
#ifndef GATE_SAY_H
#define GATE_SAY_H

#include "gate.h"

#include <stdio.h>

/* In words, on a terminal; a table, for a pull request; one annotation, for GitHub. */
void gate_say_words(FILE *out, const struct gate_report *report);
void gate_say_markdown(FILE *out, const struct gate_report *report);
void gate_say_markdown_error(FILE *out, int status); /* the gate ended with that exit code and no verdict */
void gate_say_annotations(FILE *out, const struct gate_report *report);

/* JUnit: a test case a metric, one for cells that are errors, one a clause that changed. A failure is a regression;
 * skipped is what cannot be told, or need not be; an error is of the gate itself, which ended with that exit code and
 * no verdict. The caller frees; NULL: out of memory. */
char *gate_say_junit(const struct gate_report *report);
char *gate_say_junit_error(int status);

/* "1.27 times as long (1.21 to 1.33)"; "" without figures. */
void gate_say_slower(char *out, size_t size, const struct gate_finding *finding);

/* The verdict of a metric with what speaks for it: "slower by 4.0 %, within the 10 % that are tolerated; p = 0.002", or
 * why it cannot be told. */
void gate_say_finding(char *out, size_t size, const struct gate_finding *finding);

#endif
