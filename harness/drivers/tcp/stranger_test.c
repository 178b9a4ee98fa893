/* The port is open to everyone on the machine: only a HELLO with the advertisement's token gets an answer. */
#include "cases.h"
#include "child.h"
#include "participant.h"
#include "stream.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void read_advertisement(int *port, char token[TOKEN_TEXT])
{
    DIR *entries = opendir(directory_path());
    char path[4400] = "";
    assert_non_null(entries);
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;)
        if (entry->d_name[0] != '.')
            snprintf(path, sizeof path, "%s/%s", directory_path(), entry->d_name);
    closedir(entries);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d %32s", port, token), 2);
    fclose(file);
}

/* Says size bytes to the port. Returns how many bytes came back before the subscriber hung up or fell silent. */
static ssize_t knock(int port, const void *data, size_t size)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((in_port_t)port)};
    char answer[sizeof(struct greeting)];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct pollfd heard = {.fd = fd, .events = POLLIN};
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(send(fd, data, size, MSG_NOSIGNAL), size);
    assert_int_equal(poll(&heard, 1, 10000), 1);
    ssize_t got = recv(fd, answer, sizeof answer, 0);
    close(fd);
    return got > 0 ? got : 0;
}

static void strangers_stay_outside(void **state)
{
    struct greeting hello = {.magic = GREETING_MAGIC, .kind = GREETING_HELLO, .id = "stranger", .channel = "channel"};
    char garbage[sizeof hello], token[TOKEN_TEXT];
    struct child publisher, subscriber;
    int port;
    (void)state;
    directory_enter();
    subscriber = child_start();
    child_ask(&subscriber, "subscriber s1 channel");
    read_advertisement(&port, token);
    memset(garbage, 'x', sizeof garbage);
    assert_int_equal(knock(port, garbage, sizeof garbage), 0);
    assert_int_equal(knock(port, &hello, sizeof hello), 0);
    memcpy(hello.token, token, sizeof hello.token);
    assert_int_equal(knock(port, &hello, sizeof hello), sizeof hello);
    snprintf(hello.channel, sizeof hello.channel, "another");
    assert_int_equal(knock(port, &hello, sizeof hello), 0);
    child_ask(&subscriber, "peers subscriber 0");
    publisher = child_start(); /* and the house still stands */
    child_ask(&publisher, "publisher p1 channel");
    child_ask(&publisher, "peers publisher 1");
    child_ask(&publisher, "publish 1 10 100");
    child_ask(&subscriber, "received 1 10");
    child_ask(&publisher, "close publisher");
    child_quit(&publisher);
    child_ask(&subscriber, "close subscriber");
    child_quit(&subscriber);
    directory_leave();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {CASE(strangers_stay_outside)};
    child_driver = DRIVER_PATH;
    if (argc == 4 && strcmp(argv[1], "--participant") == 0)
        return participant_main(argv[2], argv[3]);
    return cases_main(tests, sizeof tests / sizeof tests[0], argc, argv);
}
