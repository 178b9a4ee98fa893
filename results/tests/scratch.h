/* A result file with given lines, for one case. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include "reader/results.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HEADER      "{\"record\":\"header\",\"format\":1,\"kind\":\"bench\",\"planned\":1,\"environment\":{}}\n"
#define CONFORMANCE "{\"record\":\"header\",\"format\":1,\"kind\":\"conformance\",\"planned\":1,\"environment\":{}}\n"
#define FOOTER      "{\"record\":\"footer\",\"written\":1,\"exit\":0,\"interrupted\":false}\n"

/* Reads a file of this text and removes it; what results_run_read returned. */
static inline int scratch_read(struct results_run *run, const char *text, char *error, size_t error_size)
{
    static char path[64];
    FILE *stream;
    int descriptor, result;
    snprintf(path, sizeof path, "%s", "scratch.XXXXXX");
    descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    stream = fdopen(descriptor, "w");
    assert_non_null(stream);
    assert_true(fputs(text, stream) >= 0);
    assert_int_equal(fclose(stream), 0);
    result = results_run_read(run, path, error, error_size);
    unlink(path);
    return result;
}

#endif
