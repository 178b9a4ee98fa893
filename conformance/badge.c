#include "badge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <libxml/xmlwriter.h>

#define X(text) ((const xmlChar *)(text))

enum { HEIGHT = 20, PADDING = 6 };

/* The two halves, and the colour of the right one by its names: shields.io's, and CSS's. */
typedef struct {
    char label[64], message[96];
    const char *colour, *css;
} badge;

/* What was not run was not shown: only a run of the whole contract is green, and brightly if nothing was skipped. */
static void choose_colour(badge *self, const tally *sum)
{
    const bool whole = sum->clauses == tally_contract();
    switch (sum->worst) {
    case VERDICT_PASS:
        self->colour = !whole ? "lightgrey" : sum->by_verdict[VERDICT_SKIP] == 0 ? "brightgreen" : "green";
        self->css = !whole ? "#767676" : sum->by_verdict[VERDICT_SKIP] == 0 ? "#2ea44f" : "#5a8f1c";
        break;
    case VERDICT_XFAIL:
    case VERDICT_UNKNOWN:
        self->colour = "yellow";
        self->css = "#a07400";
        break;
    case VERDICT_FAIL:
    case VERDICT_XPASS:
        self->colour = "red";
        self->css = "#c4372b";
        break;
    default:
        self->colour = "lightgrey";
        self->css = "#767676";
        break;
    }
}

static void describe(badge *self, const tally *sum, effort how_much)
{
    snprintf(self->label, sizeof self->label, "ipcmark conformance %d", CONTRACT_VERSION);
    snprintf(self->message, sizeof self->message, "%zu of %zu%s%s", sum->by_verdict[VERDICT_PASS], tally_contract(),
             sum->worst == VERDICT_ERROR  ? ", error"
             : sum->worst == VERDICT_SKIP ? ", not judged"
                                          : "",
             how_much == EFFORT_QUICK ? " (quick)" : "");
    choose_colour(self, sum);
}

/* ---- SVG --------------------------------------------------------------------------------------------------------- */

static void attribute(xmlTextWriterPtr writer, const char *name, const char *value)
{
    xmlTextWriterWriteAttribute(writer, X(name), X(value));
}

static void number(xmlTextWriterPtr writer, const char *name, int value)
{
    xmlTextWriterWriteFormatAttribute(writer, X(name), "%d", value);
}

/* As wide as its text is told to be, so that a reader without this font sees no text run out of it. */
static int text_width(const char *text)
{
    return (int)(strlen(text) * 13 / 2);
}

static void write_half(xmlTextWriterPtr writer, int x, const char *text, const char *colour)
{
    const int width = text_width(text) + 2 * PADDING;
    xmlTextWriterStartElement(writer, X("rect"));
    number(writer, "x", x);
    number(writer, "width", width);
    number(writer, "height", HEIGHT);
    attribute(writer, "fill", colour);
    xmlTextWriterEndElement(writer);
    xmlTextWriterStartElement(writer, X("text"));
    number(writer, "x", x + PADDING);
    number(writer, "y", 14);
    number(writer, "textLength", text_width(text));
    attribute(writer, "lengthAdjust", "spacingAndGlyphs");
    xmlTextWriterWriteString(writer, X(text));
    xmlTextWriterEndElement(writer);
}

static void write_image(xmlTextWriterPtr writer, const badge *self)
{
    const int left = text_width(self->label) + 2 * PADDING, right = text_width(self->message) + 2 * PADDING;
    char title[192];
    snprintf(title, sizeof title, "%s: %s", self->label, self->message);
    xmlTextWriterStartDocument(writer, NULL, "UTF-8", NULL);
    xmlTextWriterStartElement(writer, X("svg"));
    attribute(writer, "xmlns", "http://www.w3.org/2000/svg");
    number(writer, "width", left + right);
    number(writer, "height", HEIGHT);
    attribute(writer, "role", "img");
    attribute(writer, "aria-label", title);
    xmlTextWriterWriteElement(writer, X("title"), X(title));
    xmlTextWriterStartElement(writer, X("clipPath"));
    attribute(writer, "id", "round");
    xmlTextWriterStartElement(writer, X("rect"));
    number(writer, "width", left + right);
    number(writer, "height", HEIGHT);
    number(writer, "rx", 3);
    xmlTextWriterEndElement(writer);
    xmlTextWriterEndElement(writer);
    xmlTextWriterStartElement(writer, X("g"));
    attribute(writer, "clip-path", "url(#round)");
    attribute(writer, "font-family", "Verdana,DejaVu Sans,sans-serif");
    attribute(writer, "font-size", "11");
    xmlTextWriterStartElement(writer, X("g"));
    attribute(writer, "style", "fill:#fff");
    write_half(writer, 0, self->label, "#555");
    write_half(writer, left, self->message, self->css);
    xmlTextWriterEndElement(writer);
    xmlTextWriterEndDocument(writer);
}

static int write_svg(const char *path, const badge *self)
{
    xmlTextWriterPtr writer;
    xmlBufferPtr buffer = xmlBufferCreate();
    FILE *file = NULL;
    int error = -ENOMEM;
    if (buffer == NULL)
        return error;
    writer = xmlNewTextWriterMemory(buffer, 0);
    if (writer == NULL)
        goto out;
    write_image(writer, self);
    xmlFreeTextWriter(writer);
    file = fopen(path, "we");
    error = file == NULL ? -errno : 0;
    if (file != NULL && (fputs((const char *)buffer->content, file) < 0) | (fclose(file) != 0))
        error = -EIO;
out:
    xmlBufferFree(buffer);
    return error;
}

/* ---- shields.io -------------------------------------------------------------------------------------------------- */

static int write_endpoint(const char *path, const badge *self)
{
    cJSON *json = cJSON_CreateObject();
    char *text, file_name[4096];
    FILE *file;
    int error = -ENOMEM;
    snprintf(file_name, sizeof file_name, "%.*s.json", (int)(strlen(path) - strlen(".svg")), path);
    cJSON_AddNumberToObject(json, "schemaVersion", 1);
    cJSON_AddStringToObject(json, "label", self->label);
    cJSON_AddStringToObject(json, "message", self->message);
    cJSON_AddStringToObject(json, "color", self->colour);
    if (strcmp(self->colour, "red") == 0)
        cJSON_AddTrueToObject(json, "isError"); /* nobody may paint it another colour */
    text = cJSON_Print(json);
    cJSON_Delete(json);
    if (text == NULL)
        return error;
    file = fopen(file_name, "we");
    error = file == NULL ? -errno : 0;
    if (file != NULL && (fprintf(file, "%s\n", text) < 0) | (fclose(file) != 0))
        error = -EIO;
    cJSON_free(text);
    return error;
}

int badge_write(const char *path, const tally *sum, effort how_much)
{
    badge self;
    int error;
    describe(&self, sum, how_much);
    error = write_svg(path, &self);
    return error < 0 ? error : write_endpoint(path, &self);
}
