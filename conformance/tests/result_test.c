#include "cases.h"
static void t(void **state){(void)state;}
CASES_MAIN(CASE(t))
