/* The self-test's table, and what is to be known of a cell that is not as it must be. */
#include "mutants.h"
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *mutants_outcome(cell value)
{
    static const char *const names[] = {"not run", "passed", "skipped", "seen", "caught", "survived", "stray", "error"};
    return names[value];
}

void mutants_explain(const subject *who, const result *out, cell value)
{
    const char *what = value == CELL_SURVIVED ? "SURVIVED" : value == CELL_STRAY ? "STRAY" : "ERROR";
    progress_show(NULL);
    printf("%s  %s  %s: %s %s%s%s (it: %s; expected: %s)\n", what, who->about->name, out->clause->id,
           verdict_name(out->verdict), out->violation, out->violation[0] != '\0' ? ": " : "",
           out->text != NULL ? out->text : "", who->about->fault, who->about->class_name);
    if (out->evidence != NULL)
        printf("    evidence  %s\n", out->evidence);
    printf("    replay    %s\n", out->replay != NULL ? out->replay : "");
}

static const char *cell_text(cell value)
{
    static const char *const texts[] = {".", "-", "s", "+", "x", "O", "!", "E"};
    return texts[value];
}

static void print_heads(void)
{
    const clause *about, *before = NULL;
    printf("\n%-24s", "");
    for (size_t i = 0; (about = clause_at(i)) != NULL; ++i) {
        const bool same = before != NULL && strncmp(before->id, about->id, 3) == 0;
        printf("%-4.4s", same ? "" : about->id);
        before = about;
    }
    printf("\n%-24s", "");
    for (size_t i = 0; (about = clause_at(i)) != NULL; ++i)
        printf("%-4s", strrchr(about->id, '-') + 1);
    putchar('\n');
}

void mutants_print_matrix(const self_test *self)
{
    size_t own = 0;
    print_heads();
    for (size_t i = 0; i < self->count; ++i) {
        const subject *who = &self->subjects[i];
        printf("%-24s", who->about->name);
        own += who->about->base != NULL;
        for (size_t k = 0; clause_at(k) != NULL; ++k)
            if (who->attempts[k] > 1)
                printf("%s%-3u", cell_text(who->cells[k]), who->attempts[k]);
            else
                printf("%-4s", cell_text(who->cells[k]));
        if (who->due > 0)
            printf("caught %u of %u\n", who->caught, who->due);
        else
            puts("cannot be made of this base, or none of its own was run");
    }
    printf("\nx caught  + seen too  - passed  s skipped  O survived  ! stray  E error  . not run\n"
           "x2: the second attempt; the first was unknown (%d at most)\n",
           MUTANTS_ATTEMPTS);
    if (own > 0)
        printf("of a base of their own, whatever --base says: %zu\n", own);
    printf("%zu mutants of %s: %u survived, %u strayed, %u errors, %u attempts unknown and repeated; seed %llu\n",
           self->count, own == self->count ? "their own bases" : self->options->base, self->survivors, self->strays,
           self->errors, self->retries, (unsigned long long)self->options->seed);
}
