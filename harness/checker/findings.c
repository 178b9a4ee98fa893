/* What the rules find, and how it is said. */
#include <stdio.h>
#include <string.h>

#include "model.h"

double model_seconds(const struct model *model, uint64_t time_ns)
{
    return ((double)time_ns - (double)model->judgement->origin_ns) / 1e9;
}

const char *member_label(char label[LABEL_SIZE], const struct ipcmark_member *member)
{
    const char *role = member->role == IPCMARK_PUBLISHER ? "publisher" : "subscriber";
    if (member->name != NULL)
        snprintf(label, LABEL_SIZE, "%.64s (endpoint %u) epoch %u", member->name, member->endpoint, member->epoch);
    else
        snprintf(label, LABEL_SIZE, "%s %u epoch %u", role, member->endpoint, member->epoch);
    return label;
}

const char *publisher_label(char label[LABEL_SIZE], const struct model *model, uint16_t endpoint, uint16_t epoch)
{
    size_t life = life_find(model, endpoint, epoch);
    const struct ipcmark_member nobody = {.endpoint = endpoint, .epoch = epoch, .role = IPCMARK_PUBLISHER};
    return member_label(label, life == NOBODY ? &nobody : model->lives[life].is);
}

struct ipcmark_about about_lives(const struct life *one, const struct life *other)
{
    struct ipcmark_about about = {IPCMARK_NO_ENDPOINT, 0, 0, IPCMARK_NO_ENDPOINT, 0, IPCMARK_NO_SEQUENCE};
    for (int i = 0; i < 2; ++i) {
        const struct life *life = i == 0 ? one : other;
        if (life != NULL && life->is->role == IPCMARK_PUBLISHER)
            about.publisher = life->is->endpoint, about.epoch = life->is->epoch;
        else if (life != NULL)
            about.subscriber = life->is->endpoint, about.subscriber_epoch = life->is->epoch;
    }
    return about;
}

struct ipcmark_about about_message(const struct model *model, const struct stream *stream, uint64_t sequence,
                                   const struct life *subscriber)
{
    struct ipcmark_about about = about_lives(stream == NULL ? NULL : &model->lives[stream->publisher], subscriber);
    if (stream != NULL) {
        about.thread = (uint16_t)(stream->key & 0xFFFF);
        about.sequence = sequence;
    }
    return about;
}

void model_violation(struct model *model, enum ipcmark_class class_, uint64_t time_ns, struct ipcmark_about about,
                     const char *format, ...)
{
    struct ipcmark_judgement *judgement = model->judgement;
    int is_first = judgement->violations == 0 || time_ns < judgement->violation_ns;
    va_list arguments;
    ++judgement->violations;
    ++judgement->by_class[class_];
    if (!is_first)
        return;
    judgement->violation_ns = time_ns;
    judgement->by_deadline_only = judgement->timeless = 0; /* who calls may know better */
    judgement->about = about;
    judgement->class_ = class_;
    if (judgement->verdict == IPCMARK_ERROR)
        return;
    judgement->verdict = IPCMARK_FAIL;
    va_start(arguments, format);
    vsnprintf(judgement->text, sizeof judgement->text, format, arguments);
    va_end(arguments);
}

void model_error(struct model *model, const char *format, ...)
{
    va_list arguments;
    if (model->judgement->verdict == IPCMARK_ERROR)
        return;
    model->judgement->verdict = IPCMARK_ERROR;
    va_start(arguments, format);
    vsnprintf(model->judgement->text, sizeof model->judgement->text, format, arguments);
    va_end(arguments);
}

void model_doubt(struct model *model, const char *format, ...)
{
    va_list arguments;
    if (model->judgement->verdict != IPCMARK_PASS)
        return;
    model->judgement->verdict = IPCMARK_INCONCLUSIVE;
    va_start(arguments, format);
    vsnprintf(model->judgement->text, sizeof model->judgement->text, format, arguments);
    va_end(arguments);
}

const char *ipcmark_verdict_text(enum ipcmark_verdict verdict)
{
    static const char *const texts[] = {"pass", "fail", "unknown", "error"};
    return texts[verdict];
}

int ipcmark_verdict_exit(enum ipcmark_verdict verdict)
{
    static const int codes[] = {0, 1, 2, 3};
    return codes[verdict];
}
