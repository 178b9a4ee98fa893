/* Where a look's runs are written. */
#ifndef GATE_SCRATCH_H
#define GATE_SCRATCH_H

enum { SCRATCH_PATH = 4096 };

/* A folder of its own, for what need not be kept. */
struct scratch {
    char folder[SCRATCH_PATH], first[SCRATCH_PATH + 32], again[SCRATCH_PATH + 32], second[SCRATCH_PATH + 32],
        others[2][SCRATCH_PATH + 32], said[SCRATCH_PATH + 32];
};

/* Runs are kept beside `output`, if that is not NULL. 0, or the exit code, everything said. */
int scratch_open(struct scratch *scratch, const char *output);
void scratch_close(struct scratch *scratch, const char *output);

#endif
