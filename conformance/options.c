#include "options.h"

#include "result.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static int wrong_usage(const char *what, const char *value, const char *advice)
{
    fprintf(stderr, "ipcmark conformance: %s%s%s%s; %s\n", what, value[0] != '\0' ? " '" : "", value,
            value[0] != '\0' ? "'" : "", advice);
    return EXIT_USAGE + 1;
}

/* ---- setting one ------------------------------------------------------------------------------------------------- */

/* The next one's place, or NULL and the exit code in *end. */
static ipcmark_target *add_target(command_options *self, const char *option, const char *given, int *end)
{
    *end = 0;
    if (given[strspn(given, " ")] == '\0')
        *end = wrong_usage(option, "", "`ipcmark drivers` lists the drivers that are built in");
    else if (self->target_count == OPTIONS_TARGETS)
        *end = wrong_usage("too many implementations", "", "test them in several runs");
    return *end == 0 ? &self->targets[self->target_count++] : NULL;
}

static int set_driver(command_options *self, const char *text)
{
    int end;
    ipcmark_target *target = add_target(self, "--driver names nothing", text, &end);
    if (target != NULL)
        target->driver = text;
    return end;
}

static int set_agent(command_options *self, const char *text)
{
    int end;
    ipcmark_target *target = add_target(self, "--agent names nothing", text, &end);
    if (target != NULL)
        target->agent = text;
    return end;
}

static int add_pattern(char *patterns, size_t size, const char *pattern)
{
    const size_t used = strlen(patterns);
    if ((size_t)snprintf(patterns + used, size - used, "%s%s", used > 0 ? " " : "", pattern) >= size - used)
        return wrong_usage("too many patterns", "", "use globs, as in 'KILL-*'");
    return 0;
}

/* Each pattern by itself: one that is misspelt beside one that is right would go unnoticed. */
static int set_clause(command_options *self, const char *pattern)
{
    const clause *about;
    for (size_t i = 0; (about = clause_at(i)) != NULL; ++i)
        if (clause_matches(pattern, about->id))
            return add_pattern(self->clauses, sizeof self->clauses, pattern);
    return wrong_usage("no clause is called", pattern, "--list shows them all");
}

static int set_mutant(command_options *self, const char *pattern)
{
    self->action = ACTION_MUTANTS;
    return add_pattern(self->mutants, sizeof self->mutants, pattern);
}

static int set_effort(command_options *self, effort value)
{
    if (self->effort_given && self->effort != value)
        return wrong_usage("--quick and --thorough contradict each other", "", "give one of them");
    self->effort = value;
    self->effort_given = true;
    return 0;
}

static int set_quick(command_options *self, const char *unused)
{
    (void)unused;
    return set_effort(self, EFFORT_QUICK);
}

static int set_thorough(command_options *self, const char *unused)
{
    (void)unused;
    return set_effort(self, EFFORT_THOROUGH);
}

static int parse_number(const char *text, uint64_t limit, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 0);
    return errno != 0 || end == text || *end != '\0' || *out > limit || text[0] == '-' ? -EINVAL : 0;
}

static int set_repeat(command_options *self, const char *text)
{
    uint64_t number;
    if (parse_number(text, OPTIONS_ROUNDS, &number) < 0 || number == 0)
        return wrong_usage("not a number of rounds", text, "it is a number from 1 to 100000");
    self->rounds = (unsigned)number;
    self->rounds_given = true;
    return 0;
}

static int set_seed(command_options *self, const char *text)
{
    if (parse_number(text, ((uint64_t)1 << 53) - 1, &self->seed) < 0)
        return wrong_usage("not a seed", text, "it is a number below 2^53");
    self->seed_given = true;
    return 0;
}

static int set_format(command_options *self, const char *name)
{
    static const char *const names[] = {"table", "markdown", "jsonl", "tap"};
    for (int i = 0; i < 4; ++i)
        if (strcmp(name, names[i]) == 0) {
            self->format = (output_format)i;
            return 0;
        }
    return wrong_usage("no such format", name, "it is table, markdown, jsonl or tap");
}

static int set_level(command_options *self, const char *name)
{
    self->must_only = strcmp(name, "must") == 0;
    return self->must_only || strcmp(name, "should") == 0 ? 0
                                                          : wrong_usage("no such level", name, "it is must or should");
}

static int set_action(command_options *self, action value)
{
    self->action = value;
    return 0;
}

static int set_list(command_options *self, const char *unused)
{
    (void)unused;
    return set_action(self, ACTION_LIST);
}

static int set_list_json(command_options *self, const char *unused)
{
    (void)unused;
    return set_action(self, ACTION_LIST_JSON);
}

static int set_mutants(command_options *self, const char *unused)
{
    (void)unused;
    return set_action(self, ACTION_MUTANTS);
}

static int set_list_mutants(command_options *self, const char *unused)
{
    (void)unused;
    return set_action(self, ACTION_LIST_MUTANTS);
}

static int set_ctest_unknown(command_options *self, const char *unused)
{
    (void)unused;
    self->ctest = self->ctest_unknown = true;
    return 0;
}

static int print_help(command_options *self, const char *unused)
{
    (void)self, (void)unused;
    options_print_help();
    return EXIT_HOLDS + 1;
}

static int print_version(command_options *self, const char *unused)
{
    (void)self, (void)unused;
    printf("ipcmark conformance %s, contract version %d\n", IPCMARK_VERSION, CONTRACT_VERSION);
    return EXIT_HOLDS + 1;
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

#define TEXT(member) offsetof(command_options, member), 0
#define FLAG(member) 0, offsetof(command_options, member)

/* What is set by a function, is a text, or is a flag. */
static const struct {
    const char *name;
    bool argument;
    int (*set)(command_options *, const char *);
    size_t text, flag; /* where it goes; 0: nowhere */
} known[] = {{"driver", true, set_driver, 0, 0},
             {"agent", true, set_agent, 0, 0},
             {"clause", true, set_clause, 0, 0},
             {"quick", false, set_quick, 0, 0},
             {"thorough", false, set_thorough, 0, 0},
             {"repeat", true, set_repeat, 0, 0},
             {"seed", true, set_seed, 0, 0},
             {"wrap", true, NULL, TEXT(wrap)},
             {"format", true, set_format, 0, 0},
             {"output", true, NULL, TEXT(output)},
             {"resume", false, NULL, FLAG(resume)},
             {"junit", true, NULL, TEXT(junit)},
             {"badge", true, NULL, TEXT(badge)},
             {"keep", true, NULL, TEXT(keep)},
             {"keep-passed", false, NULL, FLAG(keep_passed)},
             {"details", false, NULL, FLAG(details)},
             {"list", false, set_list, 0, 0},
             {"list-json", false, set_list_json, 0, 0},
             {"level", true, set_level, 0, 0},
             {"expect", true, NULL, TEXT(expect)},
             {"accept-baseline", true, NULL, TEXT(accept_baseline)},
             {"baseline", true, NULL, TEXT(baseline)},
             {"mutants", false, set_mutants, 0, 0},
             {"mutant", true, set_mutant, 0, 0},
             {"base", true, NULL, TEXT(base)},
             {"list-mutants", false, set_list_mutants, 0, 0},
             {"ctest", false, NULL, FLAG(ctest)},
             {"ctest-unknown", false, set_ctest_unknown, 0, 0},
             {"help", false, print_help, 0, 0},
             {"version", false, print_version, 0, 0}};

enum { KNOWN = sizeof known / sizeof known[0], FIRST = 256 };

static int set(command_options *self, int option, const char *argument)
{
    if (option < FIRST || option >= FIRST + KNOWN) { /* getopt has said what is wrong */
        fputs("ipcmark conformance --help says what there is\n", stderr);
        return EXIT_USAGE + 1;
    }
    const size_t i = (size_t)(option - FIRST);
    if (known[i].set != NULL)
        return known[i].set(self, argument);
    if (known[i].text != 0)
        memcpy((char *)self + known[i].text, &argument, sizeof argument);
    else
        *(bool *)((char *)self + known[i].flag) = true;
    return 0;
}

/* ---- whether they make sense together ---------------------------------------------------------------------------- */

/* Whether a file can be written: to be known before the run, and not after an hour of it. */
static int check_writable(const char *option, const char *path)
{
    char folder[4096], what[64];
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;
    struct stat status;
    if (path == NULL)
        return 0;
    snprintf(what, sizeof what, "%s cannot be written to", option);
    snprintf(folder, sizeof folder, "%.*s",
             slash == NULL   ? 1
             : slash == path ? 1
                             : (int)(slash - path),
             slash == NULL ? "." : path);
    if (path[0] == '\0' || (stat(path, &status) == 0 && S_ISDIR(status.st_mode)))
        return wrong_usage(what, path, "name a file");
    if (access(path, F_OK) == 0 ? access(path, W_OK) != 0 : access(folder, W_OK | X_OK) != 0)
        return wrong_usage(what, path, "name a file in a folder that exists and may be written");
    return 0;
}

/* It and what leads to it are made when there is something to keep. */
static int check_folder(const char *option, const char *path)
{
    char nearest[4096], what[64];
    struct stat status;
    char *slash;
    snprintf(what, sizeof what, "%s cannot be written to", option);
    if (path[0] == '\0' || (size_t)snprintf(nearest, sizeof nearest, "%s", path) >= sizeof nearest)
        return wrong_usage(what, path, "name a folder");
    while (stat(nearest, &status) < 0 && errno == ENOENT && strcmp(nearest, ".") != 0 && strcmp(nearest, "/") != 0)
        if ((slash = strrchr(nearest, '/')) == NULL)
            strcpy(nearest, ".");
        else
            slash[slash == nearest] = '\0';
    if (stat(nearest, &status) < 0 || !S_ISDIR(status.st_mode) || access(nearest, W_OK | X_OK) != 0)
        return wrong_usage(what, path, "name a folder that may be written, or can be made");
    return 0;
}

static int check_files(const command_options *self)
{
    const size_t length = self->badge != NULL ? strlen(self->badge) : 0;
    int end;
    if (self->badge != NULL && (length < 5 || strcmp(self->badge + length - 4, ".svg") != 0))
        return wrong_usage("a badge is an .svg file, and not", self->badge, "name one, as in --badge badge.svg");
    if ((end = check_writable("--output", self->output)) != 0 || (end = check_writable("--junit", self->junit)) != 0 ||
        (end = check_writable("--badge", self->badge)) != 0)
        return end;
    if ((end = check_writable("--accept-baseline", self->accept_baseline)) != 0)
        return end;
    return check_folder("--keep", self->keep);
}

static int check_mutants(const command_options *self)
{
    if (self->target_count > 0)
        return wrong_usage("--mutants brings its own drivers", "",
                           "leave --driver out; --base names what they are made of");
    if (self->format != FORMAT_TABLE || self->junit != NULL || self->badge != NULL || self->expect != NULL ||
        self->baseline != NULL || self->accept_baseline != NULL)
        return wrong_usage("--mutants prints a table", "",
                           "leave out --format, --junit, --badge, --expect and baselines, which are for drivers; "
                           "--output records each cell");
    if (self->effort == EFFORT_THOROUGH)
        return wrong_usage("--mutants is always quick", "", "leave --thorough out");
    return 0;
}

static int check(const command_options *self)
{
    int end;
    if (self->action == ACTION_LIST || self->action == ACTION_LIST_JSON || self->action == ACTION_LIST_MUTANTS)
        return 0;
    if (self->action == ACTION_RUN && self->target_count == 0)
        return wrong_usage("nothing to test", "",
                           "name an implementation with --driver (`ipcmark drivers` lists those built in) or --agent");
    if (self->action == ACTION_MUTANTS && (end = check_mutants(self)) != 0)
        return end;
    if (self->format == FORMAT_JSONL && self->output != NULL)
        return wrong_usage("--format jsonl and --output are the same records", "", "use one of them");
    if (self->resume && self->output == NULL)
        return wrong_usage("--resume needs --output", "", "name the file to go on with");
    if (self->badge != NULL && self->target_count > 1)
        return wrong_usage("a badge is of one implementation", "", "make one in a run of each");
    return check_files(self);
}

int options_parse(command_options *self, int argc, char **argv)
{
    struct option long_options[KNOWN + 1] = {{0}};
    int option, end = 0;
    for (int i = 0; i < KNOWN; ++i)
        long_options[i] =
            (struct option){known[i].name, known[i].argument ? required_argument : no_argument, NULL, FIRST + i};
    memset(self, 0, sizeof *self);
    self->argc = argc;
    self->argv = argv;
    self->rounds = 1;
    self->base = "mmipc";
    self->keep = "ipcmark-results/evidence";
    if (getrandom(&self->seed, sizeof self->seed, 0) < 0)
        self->seed = ipcmark_now_ns();
    self->seed &= 0xFFFFFFFF; /* short enough to be typed again */
    while (end == 0 && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        end = set(self, option, optarg);
    if (end == 0 && optind < argc)
        end = wrong_usage("what is", argv[optind], "implementations are named with --driver or --agent");
    for (size_t i = 0; i < self->target_count; ++i)
        self->targets[i].wrap = self->wrap;
    return end != 0 ? end : check(self);
}

bool options_select(const command_options *self, const clause *about)
{
    return self->clauses[0] == '\0' || clause_matches(self->clauses, about->id);
}
