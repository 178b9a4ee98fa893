/* mmipc clean — what dead endpoints left. */
#include "survey.h"
#include "tool.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "Usage: mmipc clean [--dry-run] DIR\n"
    "\n"
    "Removes the slot files and sockets of endpoints whose process is dead, and says which. Every living\n"
    "endpoint of the directory does the same within its ping interval: this is for a directory where\n"
    "nobody lives any more.\n"
    "\n"
    "Touched are only files named mmipc-<32 hex digits>.json and .sock. A .json must be a regular file\n"
    "that libmmipc wrote and whose lock nobody holds; a .sock must be a socket, and belong to such a file\n"
    "or to none. All else stays and is named.\n"
    "\n"
    "  -n, --dry-run   say it, but do not do it\n"
    "\n"
    "Exit codes: 0 nothing of the dead is left; 1 something could not be removed, or the directory not be\n"
    "read; 64 usage.\n";

struct clean {
    int directory;
    bool dry_run;
    size_t removed, living, left, failed;
};

static void tell_failure(struct clean *clean, const char *name, int error)
{
    complain("%s cannot be removed: %s", name, strerror(-error));
    clean->failed++;
}

static int clean_slot(void *user, const unsigned char *id, const char *name)
{
    struct clean *clean = user;
    struct slot_view view;
    char *channel;
    int error = slot_look(clean->directory, id, &view);
    if (error == -ENOENT)
        return 0;
    if (error != 0) {
        printf("left    %s: %s\n", name, survey_is_stranger(error) ? "not written by libmmipc" : survey_reason(error));
        clean->left++;
        return 0;
    }
    if (view.living) {
        clean->living++;
        slot_look_away(&view);
        return 0;
    }
    error = clean->dry_run ? 0 : slot_reclaim(clean->directory, id, &view);
    slot_look_away(&view);
    channel = text_escaped(view.channel, strlen(view.channel));
    if (error != 0 && error != -ENOENT) {
        tell_failure(clean, name, error);
    } else {
        printf("%s %s: %s of channel \"%s\", process %d\n", clean->dry_run ? "stale  " : "removed", name,
               !view.whole      ? "unknown"
               : view.publishes ? "publisher"
                                : "subscriber",
               channel == NULL ? "?" : channel, view.pid);
        clean->removed++;
    }
    free(channel);
    return 0;
}

static int pass_over(void *user, const unsigned char *id, const char *name)
{
    (void)user;
    (void)id;
    (void)name;
    return 0;
}

static int clean_socket(void *user, const unsigned char *id, const char *name)
{
    struct clean *clean = user;
    int result =
        clean->dry_run ? slot_is_orphan_socket(clean->directory, id) : slot_remove_orphan_socket(clean->directory, id);
    if (result < 0) {
        tell_failure(clean, name, result);
    } else if (result > 0) {
        printf("%s %s: a socket without its slot file\n", clean->dry_run ? "stale  " : "removed", name);
        clean->removed++;
    }
    return 0;
}

static int clean_directory(struct clean *clean, const char *path)
{
    int code, error = survey_names(clean->directory, clean_slot, pass_over, clean);
    if (error == 0) /* a second time, for the sockets: those of the slots removed just now are gone already */
        error = survey_names(clean->directory, pass_over, clean_socket, clean);
    if (error != 0)
        return complain("cannot read the directory '%s': %s", path, strerror(-error));
    printf("%zu %s, %zu living endpoint%s, %zu left alone\n", clean->removed,
           clean->dry_run ? "to be removed" : "removed", clean->living, clean->living == 1 ? "" : "s", clean->left);
    code = end_output(EXIT_DONE);
    return code == EXIT_DONE && clean->failed > 0 ? EXIT_FAILED : code;
}

int command_clean(int argc, char **argv)
{
    static const struct option options[] = {
        {"dry-run", no_argument, NULL, 'n'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    struct clean clean = {.dry_run = false};
    int option, code;
    while ((option = getopt_long(argc, argv, ":nh", options, NULL)) != -1) {
        switch (option) {
        case 'n':
            clean.dry_run = true;
            break;
        case 'h':
            fputs(help, stdout);
            return end_output(EXIT_DONE);
        default:
            return misused("clean", "%s is not an option", argv[optind - 1]);
        }
    }
    if (argc - optind != 1)
        return misused("clean", "one directory is needed");
    clean.directory = survey_open(argv[optind]);
    if (clean.directory < 0)
        return complain("cannot read the directory '%s': %s", argv[optind], strerror(-clean.directory));
    code = clean_directory(&clean, argv[optind]);
    close(clean.directory);
    return code;
}
