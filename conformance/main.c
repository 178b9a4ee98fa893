/* ipcmark-conformance: the program behind `ipcmark conformance`. */
#include "list.h"
#include "run.h"

#include <stdio.h>

static int run(const command_options *options)
{
    ipcmark_session *session;
    int code = ipcmark_session_open(&session);
    if (code < 0) {
        fprintf(stderr, "ipcmark conformance: cannot begin: %s\n", strerror(-code));
        return EXIT_ERROR;
    }
    code = (options->action == ACTION_MUTANTS ? run_mutants : run_clauses)(session, options);
    if (ipcmark_session_close(session) < 0)
        code = EXIT_ERROR;
    return code;
}

int main(int argc, char **argv)
{
    command_options options;
    const int end = options_parse(&options, argc, argv);
    if (end != 0)
        return end - 1;
    switch (options.action) {
    case ACTION_LIST:
        return list_clauses(&options);
    case ACTION_LIST_JSON:
        return list_clauses_json(&options);
    case ACTION_LIST_MUTANTS:
        return run_mutants_list(&options);
    default:
        return run(&options);
    }
}
