/* What whoever owns a slot's socket answers to `mmipc ls`, and what ls makes of it: well-formed JSON, and text without
 * control characters, whatever it was. */
#include "fuzz.h"

#include "ask.c"    // NOLINT: their statics
#include "ls.c"     // NOLINT
#include "survey.c" // NOLINT

enum { ANSWERS = 2, MOST_PAIRS = 6 };

/* An answer, right but for what the input spoils. */
static struct status *answer(struct input *input, const char **note)
{
    union {
        struct status status;
        unsigned char
            bytes[sizeof(struct status) + MOST_PAIRS * sizeof(struct status_pair) + sizeof(struct wire_message)];
    } all;
    const uint8_t spoilt = input_u8(input), pairs = input_u8(input) % MOST_PAIRS;
    size_t size = sizeof(struct status) + pairs * sizeof(struct status_pair);
    unsigned char *exact;
    struct status *status;
    input_bytes(input, all.bytes, size);
    if ((spoilt & 1) == 0) {
        all.status.magic = WIRE_MAGIC;
        all.status.type = WIRE_STATUS;
        all.status.status_version = STATUS_VERSION;
    }
    if ((spoilt & 2) == 0)
        all.status.pair_count = pairs;
    if ((spoilt & 4) != 0)
        size = input_u16(input) % sizeof all.bytes;
    if ((spoilt & 8) != 0) {
        size = sizeof(struct wire_message);
        all.status.type = WIRE_REJECT;
    }
    exact = malloc(size == 0 ? 1 : size); /* aligned as what it is received into */
    CHECK(exact != NULL);
    memcpy(exact, all.bytes, size);
    status = size == 0 ? NULL : check(exact, size, note);
    free(exact);
    CHECK(status == NULL || (*note == NULL && size == sizeof *status + status->pair_count * sizeof status->pairs[0]));
    return status;
}

static void take(struct survey *survey, struct input *input)
{
    memset(survey, 0, sizeof *survey);
    survey->entries = calloc(ANSWERS, sizeof *survey->entries);
    CHECK(survey->entries != NULL);
    survey->count = ANSWERS;
    for (size_t i = 0; i < ANSWERS; ++i) {
        struct entry *entry = &survey->entries[i];
        entry->state = ENTRY_LIVE;
        entry->role = i == 0 ? "publisher" : "subscriber";
        entry->pid = 1;
        entry->message_rate = entry->byte_rate = -1;
        memset(entry->id, (int)i, ID_BYTES);
        input_bytes(input, entry->channel, input_u8(input) % 12);
        entry->status = answer(input, &entry->note);
    }
    for (size_t i = 0; i < ANSWERS; ++i)
        count_pairs(survey, &survey->entries[i]);
}

/* Neither C0, DEL nor C1: a terminal obeys them. */
static void check_text(const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; ++at)
        CHECK(*at == '\n' || (*at >= 0x20 && *at != 0x7f && !(at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0)));
}

static void check_output(const struct survey *survey, bool json)
{
    const struct ls ls = {.pairs = true, .json = json};
    FILE *const before = stdout;
    char *text = NULL;
    size_t size = 0;
    cJSON *parsed;
    stdout = open_memstream(&text, &size);
    CHECK(stdout != NULL);
    if (json)
        print_json(survey);
    else
        print_text(&ls, survey);
    fclose(stdout);
    stdout = before;
    check_text(text);
    parsed = json ? cJSON_Parse(text) : NULL;
    CHECK(!json || cJSON_GetArraySize(cJSON_GetObjectItem(parsed, "endpoints")) == ANSWERS);
    cJSON_Delete(parsed);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct survey before, now;
    take(&before, &input);
    take(&now, &input);
    survey_compare(&now, &before);
    check_output(&now, (size & 1) != 0);
    survey_free(&before);
    survey_free(&now);
    return 0;
}
