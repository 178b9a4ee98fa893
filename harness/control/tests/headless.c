/* A process whose first thread has ended, which /proc calls a zombie, and which lives on in its second. */
#include <pthread.h>
#include <unistd.h>

static void *live_on(void *unused)
{
    for (;;)
        pause();
    return unused;
}

int main(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, live_on, NULL) == 0)
        pthread_exit(NULL);
    return 1;
}
