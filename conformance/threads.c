/* THR: threads and handlers. */
#include "stage.h"

const clause_group threads_clauses = {NULL, 0};
