/* CHURN: coming and going under traffic. */
#include "stage.h"

const clause_group churn_clauses = {NULL, 0};
