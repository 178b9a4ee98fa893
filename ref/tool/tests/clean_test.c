/* mmipc clean again and again, beside endpoints that come, go and die: it removes what is the dead's, and nothing else.
 */
#include "cases.h"

#include "actor.h"
#include "publisher.h"
#include "run.h"
#include "subscriber.h"

#include <stdlib.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { ROUNDS = 40 };
#else
enum { ROUNDS = 200 };
#endif
enum { ROUNDS_A_DEATH = 10 };

struct cleaning {
    const char *directory;
    flag over;
    _Atomic int runs;
    int failures;
    pthread_t thread;
};

static void *clean_again_and_again(void *argument)
{
    struct cleaning *cleaning = argument;
    while (!flag_get(&cleaning->over)) {
        struct run run;
        const int result = RUN_WHOLE(&run, "clean", cleaning->directory);
        if (result != 0)
            print_error("mmipc clean: %d: %s%s", result, run.output, run.errors);
        cleaning->failures += result != 0;
        run_free(&run);
        cleaning->runs++;
    }
    return NULL;
}

/* By its id alone: the rest is its control thread's. */
static void its_files_are_there(const struct endpoint *endpoint, const char *directory)
{
    char name[SLOT_NAME_BYTES], path[512];
    slot_json_name(endpoint->id, name);
    snprintf(path, sizeof path, "%s/%s", directory, name);
    assert_int_equal(access(path, F_OK), 0);
    slot_socket_name(endpoint->id, name);
    snprintf(path, sizeof path, "%s/%s", directory, name);
    assert_int_equal(access(path, F_OK), 0);
}

static void ignore(void *user, const mmipc_part *parts, size_t count)
{
    (void)user;
    (void)parts;
    (void)count;
}

static void publisher_comes_and_goes(const char *directory)
{
    mmipc_publisher *publisher;
    assert_int_equal(mmipc_publisher_open(&publisher, "down", directory, NULL), 0);
    assert_int_equal(mmipc_publisher_wait_connected(publisher, 1, 10000), 0);
    its_files_are_there(&publisher->endpoint, directory);
    mmipc_publisher_close(publisher);
}

static void subscriber_comes_and_goes(const char *directory)
{
    mmipc_subscriber *subscriber;
    assert_int_equal(mmipc_subscriber_open(&subscriber, "up", directory, ignore, NULL, NULL), 0);
    assert_int_equal(mmipc_subscriber_wait_connected(subscriber, 1, 10000), 0);
    its_files_are_there(&subscriber->endpoint, directory);
    mmipc_subscriber_close(subscriber);
}

static void clean_beside_the_living(void **state)
{
    char *directory = test_directory();
    struct actor to = actor_start("subscriber", "down", directory, "ping=60000"),
                 from = actor_start("publisher", "up", directory, "ping=60000");
    struct cleaning cleaning = {.directory = directory};
    struct run run;
    (void)state;
    assert_int_equal(pthread_create(&cleaning.thread, NULL, clean_again_and_again, &cleaning), 0);
    for (int round = 0; round < ROUNDS || cleaning.runs < ROUNDS / 4; ++round) {
        if (round % ROUNDS_A_DEATH == 0) {
            struct actor dead = actor_start("subscriber", "elsewhere", directory, "");
            actor_kill(&dead);
        }
        publisher_comes_and_goes(directory);
        subscriber_comes_and_goes(directory);
    }
    flag_set(&cleaning.over, 1);
    pthread_join(cleaning.thread, NULL);
    assert_int_equal(cleaning.failures, 0);
    assert_int_equal(RUN_WHOLE(&run, "clean", directory), 0);
    assert_non_null(strstr(run.output, "0 removed, 2 living endpoints, 0 left alone\n"));
    run_free(&run);
    assert_int_equal(test_directory_entries(directory), 4);
    actor_end(&to);
    actor_end(&from);
    assert_int_equal(test_directory_remove(directory), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {CASE(clean_beside_the_living)};
    run_main(argc, argv);
    actor_main(argc, argv);
    return cases_main(tests, sizeof tests / sizeof tests[0], argc, argv);
}
