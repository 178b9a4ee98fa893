/* The record of a soak: a header, then a line a round, each written with one write; and what they come to. */
#ifndef SOAK_BOOK_H
#define SOAK_BOOK_H

#include "round.h"

/* What must be the same for rounds to be added up. */
typedef struct book_subject {
    const char *name; /* of the implementation, as given */
    unsigned publishers, subscribers;
    uint64_t seed;
} book_subject;

typedef struct book_memory {
    uint64_t resident[2]; /* of the first round that has any: after its first bout; of the last one: at its end */
    int64_t most;         /* the most that it grew in a round, after the first bout; less than 0: it shrank in each */
    int descriptors[2];
    bool known;
} book_memory;

typedef struct book_totals {
    double seconds;
    uint64_t rounds, by_verdict[VERDICT_COUNT];
    uint64_t messages, must, received, violations, kills_inside;
    soak_faults faults;
    book_memory publisher, subscriber, coordinator;
} book_totals;

typedef struct book book;

/* A new file, which must not exist; or, to resume, one that must, of the same commit, name and numbers: then its seed
 * is taken over into *subject unless `seed_given`, which it must equal. -errno, with `problem` in words. */
int book_create(book **out, const char *path, const book_subject *, char *problem, size_t problem_size);
int book_resume(book **out, const char *path, book_subject *, bool seed_given, char *problem, size_t problem_size);
int book_add(book *, const soak_round *);
const book_totals *book_sum(const book *);
const char *book_commit(const book *);
void book_close(book *); /* NULL is fine */

#endif
