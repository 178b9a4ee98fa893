/* ENV: bad surroundings. */
#include "stage.h"

const clause_group surroundings_clauses = {NULL, 0};
