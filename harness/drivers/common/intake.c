#include "intake.h"

#include "stream.h"

static void *run(void *argument)
{
    struct intake *intake = argument;
    intake->run(intake->context);
    if (intake->closed_inside)
        intake->finish(intake->context);
    return NULL;
}

int intake_start(struct intake *intake, void (*run_)(void *), void (*finish)(void *), void *context)
{
    atomic_init(&intake->closing, false);
    intake->closed_inside = false;
    intake->run = run_;
    intake->finish = finish;
    intake->context = context;
    return thread_start(&intake->thread, run, intake);
}

bool intake_is_closing(const struct intake *intake)
{
    return atomic_load_explicit(&intake->closing, memory_order_acquire);
}

void intake_close(struct intake *intake, void (*wake)(void *context))
{
    atomic_store_explicit(&intake->closing, true, memory_order_release);
    if (pthread_equal(pthread_self(), intake->thread)) {
        pthread_detach(intake->thread);
        intake->closed_inside = true;
        return;
    }
    wake(intake->context);
    pthread_join(intake->thread, NULL);
    intake->finish(intake->context);
}
