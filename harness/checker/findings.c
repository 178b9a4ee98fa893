/* What the rules find, and how it is said. */
#include <stdio.h>
#include <string.h>

#include "model.h"

double model_seconds(const struct model *model, uint64_t time_ns)
{
    return ((double)time_ns - (double)model->start_ns) / 1e9;
}

void model_violation(struct model *model, enum ipcmark_class class_, uint64_t time_ns, const char *format, ...)
{
    struct ipcmark_judgement *judgement = model->judgement;
    int is_first = judgement->violations == 0 || time_ns < model->violation_ns;
    va_list arguments;
    ++judgement->violations;
    ++judgement->by_class[class_];
    if (!is_first)
        return;
    model->violation_ns = time_ns;
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
