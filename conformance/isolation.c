/* ISO: isolation. */
#include "stage.h"

const clause_group isolation_clauses = {NULL, 0};
