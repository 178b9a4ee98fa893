/* PACE: slow subscribers and full backlogs. */
#include "stage.h"

const clause_group pace_clauses = {NULL, 0};
