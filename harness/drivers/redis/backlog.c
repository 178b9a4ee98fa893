#include "backlog.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GROUPS_AT_ONCE = 12 };

/* In one piece, since others read, join and leave meanwhile. Without "~" a node of up to a hundred entries that is not
 * read as a whole would be taken apart; LIMIT 0: however many there are. */
static const char trim_script[] = "local groups = redis.pcall('XINFO', 'GROUPS', KEYS[1])\n"
                                  "if groups.err then return 0 end\n"
                                  "if #groups == 0 then return redis.call('DEL', KEYS[1]) end\n"
                                  "local least, time, number\n"
                                  "for _, group in ipairs(groups) do\n"
                                  "  for i = 1, #group, 2 do\n"
                                  "    if group[i] == 'last-delivered-id' then\n"
                                  "      local t, n = string.match(group[i + 1], '(%d+)-(%d+)')\n"
                                  "      t, n = tonumber(t), tonumber(n)\n"
                                  "      if not least or t < time or t == time and n < number then\n"
                                  "        least, time, number = group[i + 1], t, n\n"
                                  "      end\n"
                                  "    end\n"
                                  "  end\n"
                                  "end\n"
                                  "return redis.call('XTRIM', KEYS[1], 'MINID', '~', least, 'LIMIT', 0)\n";

static int run_script(redisContext *connection, const char *stream)
{
    redisReply *reply;
    const struct word words[] = {WORD("EVAL"), WORD(trim_script), WORD("1"), WORD(stream)};
    const int result = connection_command(connection, words, 4, REDIS_REPLY_INTEGER, &reply);
    if (result == 0)
        freeReplyObject(reply);
    return result;
}

int backlog_join(redisContext *connection, const char *stream, char id[READER_ID])
{
    redisReply *reply;
    const struct word who[] = {WORD("CLIENT"), WORD("ID")};
    int result = connection_command(connection, who, 2, REDIS_REPLY_INTEGER, &reply);
    if (result < 0)
        return result;
    snprintf(id, READER_ID, "%lld", reply->integer);
    freeReplyObject(reply);
    const struct word create[] = {WORD("XGROUP"), WORD("CREATE"), WORD(stream), WORD(id), WORD("$"), WORD("MKSTREAM")};
    result = connection_command(connection, create, 6, REDIS_REPLY_STATUS, &reply);
    if (result == 0)
        freeReplyObject(reply);
    return result;
}

static int destroy(redisContext *connection, const char *stream, const char *id)
{
    redisReply *reply;
    const struct word words[] = {WORD("XGROUP"), WORD("DESTROY"), WORD(stream), WORD(id)};
    const int result = connection_command(connection, words, 4, REDIS_REPLY_INTEGER, &reply);
    if (result == 0)
        freeReplyObject(reply);
    return connection->err != 0 ? result : 0; /* somebody else may have taken the stream away */
}

int backlog_leave(redisContext *connection, const char *stream, const char id[READER_ID])
{
    const int result = destroy(connection, stream, id);
    return result < 0 ? result : run_script(connection, stream);
}

/* The answer is a line for each that is connected: "id=7 addr=…". */
static bool is_connected(const char *clients, const char *id)
{
    char begin[READER_ID + 8];
    const int length = snprintf(begin, sizeof begin, "id=%.*s ", READER_ID, id);
    for (const char *line = clients; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, begin, (size_t)length) == 0)
            return true;
    }
    return false;
}

/* Some of the groups, as XINFO GROUPS describes them: their names come first. */
static int strike_off(redisContext *connection, const char *stream, redisReply *const groups[], size_t count)
{
    redisReply *reply;
    struct word words[3 + GROUPS_AT_ONCE] = {WORD("CLIENT"), WORD("LIST"), WORD("ID")};
    for (size_t i = 0; i < count; ++i)
        words[3 + i] = (struct word){groups[i]->element[1]->str, groups[i]->element[1]->len};
    int result = connection_command(connection, words, 3 + (int)count, REDIS_REPLY_STRING, &reply);
    if (result < 0)
        return result;
    for (size_t i = 0; i < count && result == 0; ++i)
        if (!is_connected(reply->str, groups[i]->element[1]->str))
            result = destroy(connection, stream, groups[i]->element[1]->str);
    freeReplyObject(reply);
    return result;
}

static bool are_groups(const redisReply *reply)
{
    for (size_t i = 0; i < reply->elements; ++i)
        if (reply->element[i]->type != REDIS_REPLY_ARRAY || reply->element[i]->elements < 2 ||
            reply->element[i]->element[1]->type != REDIS_REPLY_STRING)
            return false;
    return true;
}

int backlog_trim(redisContext *connection, const char *stream)
{
    redisReply *reply;
    const struct word words[] = {WORD("XINFO"), WORD("GROUPS"), WORD(stream)};
    int result = connection_command(connection, words, 3, REDIS_REPLY_ARRAY, &reply);
    if (result < 0)
        return connection->err != 0 ? result : 0; /* there is no such stream */
    if (!are_groups(reply))
        result = -EPROTO;
    for (size_t at = 0; at < reply->elements && result == 0; at += GROUPS_AT_ONCE) {
        const size_t left = reply->elements - at;
        result = strike_off(connection, stream, reply->element + at, left < GROUPS_AT_ONCE ? left : GROUPS_AT_ONCE);
    }
    freeReplyObject(reply);
    return result < 0 ? result : run_script(connection, stream);
}
