/* A test program of cmocka cases, one CTest entry a case:
 *
 *     static void wraps(void **state) { … }
 *     CASES_MAIN(CASE(wraps), CASE(full))
 *
 * `program --list` prints the names, `program NAME` runs one, `program` runs all. After each case the process must be
 * as it was before: no file descriptor, thread, child process or memfd mapping may be left. */
#ifndef CASES_H
#define CASES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hang.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

/* clang-format off */
#define CASE(function) {#function, function, cases_before, cases_after, NULL}
#define CASES_MAIN(...)                                                        \
    int main(int argc, char **argv)                                            \
    {                                                                          \
        const struct CMUnitTest tests[] = {__VA_ARGS__};                       \
        return cases_main(tests, sizeof tests / sizeof tests[0], argc, argv); \
    }
/* clang-format on */

struct cases_census {
    int descriptors, threads, mappings;
};
static struct cases_census cases_at_start;

static int cases_count_entries(const char *path)
{
    DIR *directory = opendir(path);
    int count = 0;
    if (directory == NULL)
        return -1;
    while (readdir(directory) != NULL)
        ++count;
    closedir(directory);
    return count;
}

static int cases_count_mappings(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[4352];
    int count = 0;
    if (maps == NULL)
        return -1;
    while (fgets(line, sizeof line, maps) != NULL)
        count += strstr(line, "/memfd:") != NULL;
    fclose(maps);
    return count;
}

static struct cases_census cases_take_census(void)
{
    struct cases_census census;
    census.descriptors = cases_count_entries("/proc/self/fd");
    census.threads = cases_count_entries("/proc/self/task");
    census.mappings = cases_count_mappings();
    return census;
}

static int cases_before(void **state)
{
    (void)state;
    cases_at_start = cases_take_census();
    return 0;
}

static int cases_after(void **state)
{
    struct cases_census now = cases_take_census();
    time_t deadline = time(NULL) + 5;
    int failures = 0;
    (void)state;
    while (now.threads > cases_at_start.threads &&
           time(NULL) < deadline) { /* a joined thread lingers in /proc for a moment */
        sched_yield();
        now = cases_take_census();
    }
    if (now.descriptors != cases_at_start.descriptors)
        failures = 1, print_error("descriptors: %d before, %d after\n", cases_at_start.descriptors, now.descriptors);
    if (now.threads > cases_at_start.threads)
        failures = 1, print_error("threads: %d before, %d after\n", cases_at_start.threads, now.threads);
    if (now.mappings != cases_at_start.mappings)
        failures = 1, print_error("memfd mappings: %d before, %d after\n", cases_at_start.mappings, now.mappings);
    if (waitpid(-1, NULL, WNOHANG) >= 0)
        failures = 1, print_error("a child process is left\n");
    return failures;
}

#if defined(__SANITIZE_THREAD__)
#include <pthread.h>
static void *cases_do_nothing(void *argument)
{
    return argument;
}
/* ThreadSanitizer starts a thread of its own beside the first; it must be there before the first census. */
static void cases_warm_up(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, cases_do_nothing, NULL) == 0)
        pthread_join(thread, NULL);
}
#else
static void cases_warm_up(void)
{
}
#endif

/* Ends a case that cannot be had here, saying why: CTest then calls it skipped, and not passed. */
static bool cases_skipped;
#define CASES_SKIP(why)                                                                                                \
    do {                                                                                                               \
        print_message("skipped: %s\n", why);                                                                           \
        cases_skipped = true;                                                                                          \
        skip();                                                                                                        \
    } while (0)

/* Of one case: 77 if it was skipped. */
static int cases_run_one(const struct CMUnitTest *test)
{
    const int failures = _cmocka_run_group_tests(test->name, test, 1, NULL, NULL);
    return failures == 0 && cases_skipped ? 77 : failures;
}

static int cases_main(const struct CMUnitTest *tests, size_t count, int argc, char **argv)
{
    cases_warm_up();
    hang_watch();
    if (argc == 1)
        return _cmocka_run_group_tests("cases", tests, count, NULL, NULL);
    for (size_t i = 0; i < count; ++i) {
        if (strcmp(argv[1], "--list") == 0)
            puts(tests[i].name);
        else if (strcmp(argv[1], tests[i].name) == 0)
            return cases_run_one(&tests[i]);
    }
    if (strcmp(argv[1], "--list") == 0)
        return 0;
    fprintf(stderr, "%s: no case is called '%s'; --list prints them\n", argv[0], argv[1]);
    return 64;
}

#endif
