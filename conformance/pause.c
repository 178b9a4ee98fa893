/* PAUSE: participants that are stopped and continued. */
#include "stage.h"

const clause_group pause_clauses = {NULL, 0};
