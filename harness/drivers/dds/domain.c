#include "domain.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    EXTERNAL_IDS =
        100,         /* domain n has the ports from 7400 + 250 n on; these end below those that the kernel hands out */
    LAST_INDEX = 99, /* participants a domain, less one: each beats its drum at as many ports */
    INTERVAL_MIN_MS = 50,
    INTERVAL_MS = 1000,
    INTERVAL_MAX_MS = 10000,
    LEASE_INTERVALS = 3, /* two may be missed */
    LINGER_MS = 1        /* publisher_close has waited already */
};

struct domain {
    struct domain *next;
    char *directory;
    dds_domainid_t id; /* in this process */
    dds_entity_t domain, participant;
    int endpoints;
};

static pthread_mutex_t domains_lock = PTHREAD_MUTEX_INITIALIZER;
static struct domain *domains;

int dds_error(dds_return_t code)
{
    switch (code) {
    case DDS_RETCODE_OUT_OF_RESOURCES:
        return -ENOMEM;
    case DDS_RETCODE_TIMEOUT:
        return -ETIMEDOUT;
    case DDS_RETCODE_BAD_PARAMETER:
        return -EINVAL;
    default:
        return -EIO;
    }
}

/* Why each of these is as it is: the section on peers in ../README.md. */
static const char configuration[] =
    "<CycloneDDS><Domain id=\"any\"><General>"
    "<Interfaces><NetworkInterface address=\"127.0.0.1\"/></Interfaces><AllowMulticast>false</AllowMulticast>"
    "<MaxMessageSize>65500B</MaxMessageSize><MaxRexmitMessageSize>65500B</MaxRexmitMessageSize>"
    "<FragmentSize>63000B</FragmentSize>"
    "</General><Discovery>"
    "<Tag>%016" PRIx64 "</Tag><ExternalDomainId>%d</ExternalDomainId><ParticipantIndex>auto</ParticipantIndex>"
    "<MaxAutoParticipantIndex>%d</MaxAutoParticipantIndex><Peers><Peer Address=\"127.0.0.1\"/></Peers>"
    "<SPDPInterval>%ums</SPDPInterval><LeaseDuration>%ums</LeaseDuration>"
    "</Discovery><Internal>"
    "<SocketReceiveBufferSize max=\"4MiB\"/><MaxQueuedRexmitBytes>0</MaxQueuedRexmitBytes>"
    "<WriterLingerDuration>%dms</WriterLingerDuration>"
    "</Internal><SharedMemory><Enable>false</Enable></SharedMemory>"
    "<Tracing><Verbosity>none</Verbosity><OutputFile>stderr</OutputFile></Tracing>"
    "</Domain></CycloneDDS>";

static uint64_t digest(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; ++at)
        hash = (hash ^ *at) * 0x100000001b3u;
    return hash;
}

static bool is_used(dds_domainid_t id)
{
    const struct domain *each = domains;
    while (each != NULL && each->id != id)
        each = each->next;
    return each != NULL;
}

static int start(struct domain *domain, unsigned interval_ms)
{
    char text[sizeof configuration + 128];
    const uint64_t tag = digest(domain->directory);
    if (interval_ms == 0)
        interval_ms = INTERVAL_MS;
    else if (interval_ms > INTERVAL_MAX_MS)
        interval_ms = INTERVAL_MAX_MS;
    else if (interval_ms < INTERVAL_MIN_MS)
        interval_ms = INTERVAL_MIN_MS;
    snprintf(text, sizeof text, configuration, tag, (int)(tag % EXTERNAL_IDS), LAST_INDEX, interval_ms,
             LEASE_INTERVALS * interval_ms, LINGER_MS);
    while (is_used(domain->id))
        ++domain->id;
    domain->domain = dds_create_domain(domain->id, text);
    if (domain->domain < 0)
        return dds_error(domain->domain);
    domain->participant = dds_create_participant(domain->id, NULL, NULL);
    if (domain->participant >= 0)
        return 0;
    dds_delete(domain->domain);
    return dds_error(domain->participant);
}

/* With the lock; takes `directory`. */
static int join(struct domain **out, char *directory, unsigned interval_ms)
{
    struct domain *domain = domains;
    while (domain != NULL && strcmp(domain->directory, directory) != 0)
        domain = domain->next;
    if (domain != NULL) {
        free(directory);
    } else {
        domain = calloc(1, sizeof *domain);
        const int result = domain == NULL ? -ENOMEM : (domain->directory = directory, start(domain, interval_ms));
        if (result < 0) {
            free(domain);
            free(directory);
            return result;
        }
        domain->next = domains;
        domains = domain;
    }
    ++domain->endpoints;
    *out = domain;
    return 0;
}

int domain_join(struct domain **out, const ipcmark_endpoint *options, dds_entity_t *participant)
{
    char *directory = realpath(options->directory, NULL);
    if (directory == NULL)
        return -errno;
    pthread_mutex_lock(&domains_lock);
    const int result = join(out, directory, options->ping_interval_ms);
    pthread_mutex_unlock(&domains_lock);
    if (result == 0)
        *participant = (*out)->participant;
    return result;
}

void domain_leave(struct domain *domain)
{
    struct domain **at = &domains;
    if (domain == NULL)
        return;
    pthread_mutex_lock(&domains_lock);
    if (--domain->endpoints == 0) {
        while (*at != domain)
            at = &(*at)->next;
        *at = domain->next;
        dds_delete(domain->domain);
        free(domain->directory);
        free(domain);
    }
    pthread_mutex_unlock(&domains_lock);
}
