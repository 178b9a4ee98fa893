/* Commands to be typed again. */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t run_seed(uint64_t seed, unsigned round)
{
    return (seed + round * 0x9E3779B97F4A7u) & (((uint64_t)1 << 53) - 1);
}

static bool is_plain(const char *word)
{
    return word[0] != '\0' &&
           word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=+,:")] == '\0';
}

static void print_word(FILE *file, const char *word)
{
    if (is_plain(word)) {
        fprintf(file, " %s", word);
        return;
    }
    fputs(" '", file);
    for (; *word != '\0'; ++word)
        fputs(*word == '\'' ? "'\\''" : (const char[]){*word, '\0'}, file);
    fputc('\'', file);
}

static const char *effort_option(effort value)
{
    return value == EFFORT_USUAL ? "" : value == EFFORT_QUICK ? " --quick" : " --thorough";
}

char *run_replay_command(const command_options *options, const ipcmark_target *target, const clause *about,
                         uint64_t seed)
{
    char *text = NULL;
    size_t size;
    const char *base = getenv("IPCMARK_MUTANT_BASE");
    FILE *file = open_memstream(&text, &size);
    if (file == NULL)
        return NULL;
    fprintf(file, "%s%s%sipcmark conformance --%s", base != NULL ? "IPCMARK_MUTANT_BASE=" : "",
            base != NULL ? base : "", base != NULL ? " " : "", target->driver != NULL ? "driver" : "agent");
    print_word(file, target->driver != NULL ? target->driver : target->agent);
    fprintf(file, " --clause %s --seed %llu%s", about->id, (unsigned long long)seed, effort_option(options->effort));
    if (options->wrap != NULL) {
        fputs(" --wrap", file);
        print_word(file, options->wrap);
    }
    fclose(file);
    return text;
}

void run_explain_resume(const command_options *options)
{
    if (options->output == NULL)
        return;
    fprintf(stderr, "ipcmark conformance: what was judged is in %s. To go on:\n  ipcmark conformance", options->output);
    for (int i = 1; i < options->argc; ++i)
        print_word(stderr, options->argv[i]);
    fprintf(stderr, "%s\n", options->resume ? "" : " --resume");
}
