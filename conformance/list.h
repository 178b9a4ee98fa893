/* The clauses, for people and for programs. */
#ifndef LIST_H
#define LIST_H

#include "options.h"

int list_clauses(const command_options *); /* the exit code, as all */
int list_clauses_json(const command_options *);

#endif
