/* Runs of a few cells, for tests of what is made of them. */
#ifndef CELLS_H
#define CELLS_H

#include "scratch.h"

#define CELL(driver, block, placement, line, rate)                                                                     \
    "{\"record\":\"cell\",\"row\":\"throughput/" driver "/64B/1x1\",\"family\":\"throughput\",\"driver\":\"" driver    \
    "\",\"size\":64,\"publishers\":1,\"subscribers\":1,\"block\":" #block ",\"placement\":\"" placement                \
    "\",\"line_before_ns\":" #line ",\"line_after_ns\":" #line ",\"metrics\":{\"messages_per_second\":" #rate "}}\n"

static inline struct results_run read_text(const char *text)
{
    struct results_run run;
    char error[512] = "";
    if (scratch_read(&run, text, error, sizeof error) != 0)
        fail_msg("%s", error);
    return run;
}

#endif
