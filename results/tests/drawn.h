/* Values that are drawn, the same in each run, for tests of what is computed from them. */
#ifndef DRAWN_H
#define DRAWN_H

#include "cases.h"

#include <math.h>
#include <stdint.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static uint64_t random_state;

static inline double uniform(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (double)(random_state >> 11) / 9007199254740992.0;
}

static inline double normal(void)
{
    return sqrt(-2 * log(1 - uniform())) * cos(6.283185307179586 * uniform());
}

static inline int begin(void **state)
{
    random_state = 0x1234567812345678;
    return cases_before(state);
}

static inline void near(double value, double wanted, double by, const char *what)
{
    if (!(fabs(value - wanted) <= by))
        fail_msg("%s: %.9g instead of %.9g", what, value, wanted);
}

#define DRAWN(function)                                                                                                \
    {                                                                                                                  \
#function, function, begin, cases_after, NULL                                                                  \
    }

#endif
