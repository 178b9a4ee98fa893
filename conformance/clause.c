#include "clause.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

const clause *clause_at(size_t index)
{
    const clause_group *const groups[] = {&delivery_clauses, &isolation_clauses,   &connection_clauses, &pace_clauses,
                                          &threads_clauses,  &life_clauses,        &churn_clauses,      &kill_clauses,
                                          &pause_clauses,    &surroundings_clauses};
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; ++i) {
        if (index < groups[i]->count)
            return &groups[i]->clauses[index];
        index -= groups[i]->count;
    }
    return NULL;
}

const clause *clause_find(const char *id)
{
    const clause *found;
    for (size_t i = 0; (found = clause_at(i)) != NULL; ++i)
        if (strcmp(found->id, id) == 0)
            return found;
    return NULL;
}

const char *effort_name(effort value)
{
    static const char *const names[] = {"usual", "quick", "thorough"};
    return names[value];
}

const char *clause_level(const clause *self)
{
    return self->should ? "SHOULD" : "MUST";
}

bool clause_matches(const char *patterns, const char *text)
{
    char pattern[256];
    while (patterns != NULL && *patterns != '\0') {
        size_t length = strcspn(patterns, " ");
        snprintf(pattern, sizeof pattern, "%.*s", (int)length, patterns);
        if (length > 0 && fnmatch(pattern, text, FNM_CASEFOLD) == 0)
            return true;
        patterns += length + (patterns[length] == ' ');
    }
    return false;
}
