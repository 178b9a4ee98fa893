/* CONTRACT.md and the program say the same: every clause in both, with the same level, capability and promise; and
 * every mutant that the page names exists. Each clause has a mutant that would go unseen without it. */
#include "cases.h"
#include "clause.h"
#include "ipcmark/control.h"
#include "mutants/mutant.h"

#include <dlfcn.h>
#include <stdlib.h>

typedef struct {
    char id[16], promise[512], level[16], needs[64], catches[256];
} entry;

static entry entries[256];
static size_t entry_count;

/* The text between two marks, without them; "" if there is none. */
static void cut(const char *line, const char *from, const char *to, char *out, size_t size)
{
    const char *start = strstr(line, from), *end = start != NULL ? strstr(start + strlen(from), to) : NULL;
    out[0] = '\0';
    if (end != NULL)
        snprintf(out, size, "%.*s", (int)(end - start - (ptrdiff_t)strlen(from)), start + strlen(from));
}

/* A heading `### ID promise`, and below it `LEVEL. Needs: …. Catches: ….` */
static int read_contract(void **state)
{
    FILE *file = fopen(CONTRACT_PATH, "re");
    char line[1024];
    (void)state;
    if (file == NULL)
        return -1;
    while (fgets(line, sizeof line, file) != NULL) {
        entry *now = &entries[entry_count];
        if (sscanf(line, "### %15s %511[^\n]", now->id, now->promise) != 2)
            continue;
        if (fgets(line, sizeof line, file) == NULL)
            break;
        sscanf(line, "%15[^.]", now->level);
        cut(line, "Needs: ", ". ", now->needs, sizeof now->needs);
        cut(line, "Catches: ", ".\n", now->catches, sizeof now->catches);
        ++entry_count;
    }
    fclose(file);
    return 0;
}

static const entry *find_entry(const char *id)
{
    for (size_t i = 0; i < entry_count; ++i)
        if (strcmp(entries[i].id, id) == 0)
            return &entries[i];
    return NULL;
}

static uint64_t parse_needs(const char *text)
{
    char names[64], *rest = names;
    uint64_t needs = 0;
    if (strcmp(text, "nothing") == 0)
        return 0;
    snprintf(names, sizeof names, "%s", text);
    for (char *name; (name = strsep(&rest, "`, ")) != NULL;)
        if (name[0] != '\0') {
            assert_int_not_equal(ipcmark_capability_bit(name), 0);
            needs |= ipcmark_capability_bit(name);
        }
    return needs;
}

static void the_program_has_what_the_page_has(void **state)
{
    (void)state;
    assert_true(entry_count > 0);
    for (size_t i = 0; i < entry_count; ++i)
        if (clause_find(entries[i].id) == NULL)
            fail_msg("%s is in CONTRACT.md and not in the program", entries[i].id);
}

static void the_page_has_what_the_program_has(void **state)
{
    const clause *about;
    (void)state;
    for (size_t i = 0; (about = clause_at(i)) != NULL; ++i) {
        const entry *page = find_entry(about->id);
        if (page == NULL)
            fail_msg("%s is not in CONTRACT.md", about->id);
        assert_string_equal(page->promise, about->promise);
        assert_string_equal(page->level, clause_level(about));
        assert_int_equal(parse_needs(page->needs), about->needs);
    }
}

static void they_have_the_same_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < entry_count; ++i)
        assert_string_equal(entries[i].id, clause_at(i)->id);
}

static const mutant *load(const char *name)
{
    char path[4096];
    mutant_get_fn *get = NULL;
    void *library;
    snprintf(path, sizeof path, "%s/%s.so", MUTANT_FOLDER, name);
    library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    if (library != NULL)
        *(void **)&get = dlsym(library, MUTANT_SYMBOL);
    return get != NULL ? get() : NULL;
}

/* Each once: to open it for each clause takes a sanitizer the better part of a minute. */
static const mutant *load_mutant(const char *name)
{
    static const mutant *loaded[256];
    static size_t count;
    const mutant *about;
    for (size_t i = 0; i < count; ++i)
        if (strcmp(loaded[i]->name, name) == 0)
            return loaded[i];
    about = load(name);
    if (about != NULL && strcmp(about->name, name) == 0 && count < sizeof loaded / sizeof loaded[0])
        loaded[count++] = about;
    return about;
}

static void each_clause_catches_a_mutant_that_agrees(void **state)
{
    (void)state;
    for (size_t i = 0; i < entry_count; ++i) {
        char *names = strdup(entries[i].catches);
        size_t count = 0;
        for (char *name = strtok(names, "`, "); name != NULL; name = strtok(NULL, "`, "), ++count) {
            const mutant *about = load_mutant(name);
            if (about == NULL)
                fail_msg("%s is to catch the mutant %s, which does not exist", entries[i].id, name);
            else if (!clause_matches(about->must_fail, entries[i].id))
                fail_msg("%s is to catch the mutant %s, which does not say so", entries[i].id, name);
        }
        if (count == 0)
            fail_msg("%s catches nothing: then nobody knows whether it can fail", entries[i].id);
        free(names);
    }
}

static void each_mutant_is_caught_where_it_says(void **state)
{
    char names[] = MUTANT_NAMES;
    (void)state;
    for (char *name = strtok(names, " "); name != NULL; name = strtok(NULL, " ")) {
        const mutant *about = load_mutant(name);
        const clause *caught;
        char quoted[64];
        size_t count = 0;
        assert_non_null(about);
        assert_string_equal(about->name, name);
        snprintf(quoted, sizeof quoted, "`%s`", name);
        for (size_t i = 0; (caught = clause_at(i)) != NULL; ++i)
            if (clause_matches(about->must_fail, caught->id) && ++count > 0 &&
                strstr(find_entry(caught->id)->catches, quoted) == NULL)
                fail_msg("the mutant %s says that %s must catch it, and CONTRACT.md does not", name, caught->id);
        if (count == 0)
            fail_msg("the mutant %s is caught by nobody", name);
    }
}

/* Before the other on the page, and for everybody whom that one is for. */
static bool is_simpler(const clause *about, size_t index)
{
    for (size_t i = 0; i < index; ++i)
        if (clause_at(i) == about)
            return (about->needs & ~clause_at(index)->needs) == 0;
    return false;
}

/* Whether the mutant would be seen without this clause, by a simpler one. */
static bool is_seen_before(const mutant *about, size_t index)
{
    const clause *other;
    for (size_t i = 0; (other = clause_at(i)) != NULL; ++i)
        if (is_simpler(other, index) && clause_matches(about->must_fail, other->id))
            return true;
    return false;
}

/* It compares what mutants say of themselves: that a clause sees them, and that no other does, is proved only by
 * `ipcmark conformance --mutants`, which plays them. */
static void each_clause_is_needed(void **state)
{
    const clause *about;
    unsigned idle = 0;
    (void)state;
    for (size_t i = 0; (about = clause_at(i)) != NULL; ++i) {
        char names[] = MUTANT_NAMES;
        unsigned needing = 0;
        print_message("%s:", about->id);
        for (char *name = strtok(names, " "); name != NULL; name = strtok(NULL, " ")) {
            const mutant *one = load_mutant(name);
            assert_non_null(one);
            if (!clause_matches(one->must_fail, about->id) || is_seen_before(one, i))
                continue;
            print_message(" %s%s", name, strcmp(one->must_fail, about->id) == 0 ? "" : "*");
            ++needing;
        }
        print_message("%s\n", needing > 0 ? "" : " NONE");
        idle += needing == 0;
    }
    print_message("*: a clause behind it sees it, too\n");
    if (idle > 0)
        fail_msg("%u clauses see nothing that a simpler one would not see: each needs a mutant of its own", idle);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {CASE(the_program_has_what_the_page_has),
                                       CASE(the_page_has_what_the_program_has),
                                       CASE(they_have_the_same_order),
                                       CASE(each_clause_catches_a_mutant_that_agrees),
                                       CASE(each_mutant_is_caught_where_it_says),
                                       CASE(each_clause_is_needed)};
    return read_contract(NULL) < 0 ? 1 : cases_main(tests, sizeof tests / sizeof tests[0], argc, argv);
}
