#include "contender.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A command without the folders in it: "python3 agent.py" for "python3 /home/me/agent.py". */
static void name_after_command(char *name, size_t size, const char *command)
{
    size_t used = 0;
    while (*command != '\0' && used + 1 < size) {
        const size_t length = strcspn(command, " "), skip = strspn(command + length, " ");
        const char *base = command + length;
        while (base > command && base[-1] != '/')
            --base;
        used += (size_t)snprintf(name + used, size - used, "%s%.*s", used > 0 ? " " : "",
                                 (int)(command + length - base), base);
        command += length + skip;
    }
}

/* What is given as a path or a command goes by the name that it has for itself; without one, by the file's. */
static void name_contender(contender *self)
{
    const char *given = self->target->driver, *parameters = given != NULL ? strchr(given, '?') : NULL;
    const char *slash = given != NULL ? strrchr(given, '/') : NULL;
    if (given != NULL && slash == NULL)
        snprintf(self->name, sizeof self->name, "%s", given);
    else if (self->trouble == NULL && self->implementation.name[0] != '\0')
        snprintf(self->name, sizeof self->name, "%s%s", self->implementation.name,
                 parameters != NULL ? parameters : "");
    else if (given != NULL)
        snprintf(self->name, sizeof self->name, "%s", slash + 1);
    else
        name_after_command(self->name, sizeof self->name, self->target->agent);
}

/* Results are told apart by the name: the second of a name is called name#2. */
static void make_unique(contender *self, const contender *first)
{
    char plain[sizeof self->name];
    unsigned number = 1;
    snprintf(plain, sizeof plain, "%s", self->name);
    for (const contender *other = first; other < self;)
        if (strcmp(other->name, self->name) == 0) {
            snprintf(self->name, sizeof self->name, "%.240s#%u", plain, ++number);
            other = first;
        } else {
            ++other;
        }
}

int contenders_meet(contender *list, ipcmark_session *session, const ipcmark_target *targets, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        contender *who = &list[i];
        who->target = &targets[i];
        const int error = ipcmark_probe(session, who->target, &who->implementation);
        if (ipcmark_session_interrupted(session) != 0)
            return -EINTR;
        if (error < 0) {
            memset(&who->implementation, 0, sizeof who->implementation);
            who->trouble = strdup(ipcmark_session_text(session));
            who->missing = error == -ENOENT || error == -EINVAL;
            if (who->trouble == NULL)
                return -ENOMEM;
        }
        name_contender(who);
        make_unique(who, list);
    }
    return 0;
}

void contenders_clear(contender *list, size_t count)
{
    for (size_t i = 0; list != NULL && i < count; ++i)
        free(list[i].trouble);
    free(list);
}
