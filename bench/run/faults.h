/* When what befalls whom. */
#ifndef RUN_FAULTS_H
#define RUN_FAULTS_H

#include "crew.h"
#include "show.h"

struct faults {
    const struct scenario *scenario;
    uint64_t start_ns, next_ns[SCENARIO_FAULTS];
    uint64_t random;
};

void faults_begin(struct faults *, const struct scenario *, uint64_t start_ns);
/* When the next thing is due, those who are stopped going on among them; UINT64_MAX: never. */
uint64_t faults_next_ns(const struct faults *, const struct crew *);
/* Whatever is due, shown. False: see crew.h. */
bool faults_strike(struct faults *, struct crew *, struct show *);

#endif
