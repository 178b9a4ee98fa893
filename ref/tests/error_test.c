/* mmipc_strerror: every error that the header documents has a text of its own. */
#include "cases.h"

#include "mmipc/mmipc.h"

#include <errno.h>
#include <limits.h>
#include <regex.h>
#include <stdlib.h>

static const struct {
    const char *name;
    int value;
} known[] = {{"EPERM", EPERM},         {"EACCES", EACCES},     {"ENOENT", ENOENT},   {"ENOTDIR", ENOTDIR},
             {"EROFS", EROFS},         {"ENOSPC", ENOSPC},     {"EMFILE", EMFILE},   {"ENFILE", ENFILE},
             {"ENOMEM", ENOMEM},       {"EINVAL", EINVAL},     {"E2BIG", E2BIG},     {"EFBIG", EFBIG},
             {"ELOOP", ELOOP},         {"EDQUOT", EDQUOT},     {"EAGAIN", EAGAIN},   {"ENAMETOOLONG", ENAMETOOLONG},
             {"ETIMEDOUT", ETIMEDOUT}, {"EMSGSIZE", EMSGSIZE}, {"EDEADLK", EDEADLK}, {"ESHUTDOWN", ESHUTDOWN},
             {"EPROTO", EPROTO}};
enum { KNOWN = sizeof known / sizeof known[0] };

static char *read_header(void)
{
    FILE *file = fopen(MMIPC_HEADER, "re");
    char *text = calloc(1, 1 << 20);
    assert_non_null(file);
    assert_non_null(text);
    assert_in_range(fread(text, 1, (1 << 20) - 1, file), 1000, (1 << 20) - 2);
    fclose(file);
    return text;
}

static void each_documented_error_is_explained(void **state)
{
    const char *unknown = mmipc_strerror(EXDEV);
    char *text = read_header(), name[32];
    int documented = 0;
    regmatch_t match;
    regex_t error;
    (void)state;
    assert_int_equal(regcomp(&error, "-E[A-Z0-9]{3,}", REG_EXTENDED), 0);
    for (const char *at = text; regexec(&error, at, 1, &match, 0) == 0; at += match.rm_eo) {
        size_t i = 0;
        snprintf(name, sizeof name, "%.*s", (int)(match.rm_eo - match.rm_so - 1), at + match.rm_so + 1);
        while (i < KNOWN && strcmp(known[i].name, name) != 0)
            ++i;
        if (i == KNOWN)
            fail_msg("%s is documented: add it here", name);
        if (strcmp(mmipc_strerror(-known[i].value), unknown) == 0)
            fail_msg("%s is documented, and not explained", name);
        documented++;
    }
    assert_true(documented > 20);
    regfree(&error);
    free(text);
}

static void texts_differ(void **state)
{
    (void)state;
    for (size_t i = 0; i < KNOWN; ++i) {
        assert_string_equal(mmipc_strerror(known[i].value), mmipc_strerror(-known[i].value)); /* either sign */
        for (size_t j = 0; j < i; ++j)
            assert_string_not_equal(mmipc_strerror(known[i].value), mmipc_strerror(known[j].value));
    }
}

static void any_number_has_a_text(void **state)
{
    static const int numbers[] = {1 << 20, -(1 << 20), INT_MAX, INT_MIN};
    (void)state;
    assert_string_equal(mmipc_strerror(0), "success");
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; ++i)
        assert_string_equal(mmipc_strerror(numbers[i]), mmipc_strerror(EXDEV));
}

CASES_MAIN(CASE(each_documented_error_is_explained), CASE(texts_differ), CASE(any_number_has_a_text))
