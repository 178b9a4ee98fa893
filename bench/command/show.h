/* What came out, as `ipcmark report` says it: figures, ratios, targets, and whether to believe them. */
#ifndef BENCH_SHOW_H
#define BENCH_SHOW_H

/* Has it printed on standard output. 0, or -errno: it could not be started; or its exit code. */
int show_results(const char *file);

#endif
