#include "agent.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void out_send(cJSON *line)
{
    char *text = cJSON_PrintUnformatted(line);
    cJSON_Delete(line);
    if (text == NULL)
        abort();
    size_t length = strlen(text);
    text[length++] = '\n';
    pthread_mutex_lock(&lock);
    for (size_t done = 0; done < length;) {
        ssize_t step = write(STDOUT_FILENO, text + done, length - done);
        if (step < 0 && errno != EINTR)
            break; /* nobody listens any more: the end of stdin will tell us */
        done += step < 0 ? 0 : (size_t)step;
    }
    pthread_mutex_unlock(&lock);
    free(text);
}

void out_fatal(const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    cJSON *line = cJSON_CreateObject();
    cJSON_AddStringToObject(line, "ev", "fatal");
    cJSON_AddStringToObject(line, "text", text);
    out_send(line);
    fprintf(stderr, "ipcmark-agent: %s\n", text);
    _exit(3);
}
