/* Runs a fuzzer on files and on the files of directories: what was found once stays found, without libFuzzer. */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>

enum { LARGEST_INPUT = 1 << 20 };

static int replay_file(const char *path)
{
    static uint8_t bytes[LARGEST_INPUT];
    FILE *file = fopen(path, "rbe");
    size_t size;
    uint8_t *exact;
    if (file == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return 0;
    }
    size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    exact = malloc(size == 0 ? 1 : size); /* so that a sanitizer sees who reads past it */
    if (exact == NULL)
        return 0;
    memcpy(exact, bytes, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 1;
}

static int replay(const char *path)
{
    DIR *directory = opendir(path);
    const struct dirent *entry;
    int count = 0;
    if (directory == NULL)
        return replay_file(path);
    while ((entry = readdir(directory)) != NULL) {
        char inner[PATH_MAX];
        if (entry->d_name[0] == '.')
            continue;
        if (snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name) < (int)sizeof inner)
            count += replay_file(inner);
    }
    closedir(directory);
    return count;
}

int main(int argc, char **argv)
{
    int count = 0;
    for (int i = 1; i < argc; ++i)
        count += replay(argv[i]);
    printf("%d inputs\n", count);
    return count == 0; /* a corpus that is not there proves nothing */
}
