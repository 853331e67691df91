/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/verify/jwk_spelling.h"

#include "serve/verify/jwk.h"

#include <sodium.h>
#include <string.h>

enum {
    MAX_PADDING = 2,
    SPARE_BYTES = 8, /* zeros that may stand in front */
    MAX_BYTES = JWK_MAX_SIGNATURE_BYTES + SPARE_BYTES
};

/* Read to the end of the data, so that zeros can be put in front. */
struct digits {
    unsigned char data[MAX_BYTES];
    size_t start;
};

static bool read_digits(struct digits *digits, const json_t *value)
{
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);
    size_t data_len = 0;
    for (int i = 0; i < MAX_PADDING && len > 0 && text[len - 1] == '='; i++)
        len--;
    if (text == NULL || !base64url_decode(text, len, digits->data, MAX_BYTES, &data_len) ||
        data_len == 0)
        return false;
    digits->start = MAX_BYTES - data_len;
    memmove(digits->data + digits->start, digits->data, data_len);
    return true;
}

/* width: of a coordinate, in bytes; 0: as short as it can be. */
static void set_width(struct digits *digits, size_t width)
{
    size_t wanted = MAX_BYTES - (width > 0 ? width : 1);
    while (digits->start < wanted && digits->data[digits->start] == 0)
        digits->start++;
    while (width > 0 && digits->start > wanted)
        digits->data[--digits->start] = 0;
}

static bool respell(json_t *copy, const char *name, bool is_number, size_t width)
{
    struct digits digits;
    char text[sodium_base64_ENCODED_LEN(MAX_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING)];
    const json_t *value = json_object_get(copy, name);
    if (value == NULL || !read_digits(&digits, value))
        return true;
    if (is_number)
        set_width(&digits, width);
    (void)sodium_bin2base64(text, sizeof text, digits.data + digits.start, MAX_BYTES - digits.start,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return json_object_set_new(copy, name, json_string(text)) == 0;
}

/* jansson's own copy leaves a member out when memory is, and a key without its use is another. */
static json_t *copy_members(const json_t *object)
{
    /* It is only read. */
    union {
        const json_t *given;
        json_t *taken;
    } original = {.given = object};
    const char *name = NULL;
    json_t *value = NULL;
    json_t *copy = json_object();
    json_object_foreach(original.taken, name, value)
    {
        if (json_object_set(copy, name, value) == 0)
            continue;
        json_decref(copy);
        return NULL;
    }
    return copy;
}

/* An OKP key is a string of bytes, of which none can be left out. */
json_t *jwk_respelled(const json_t *object)
{
    size_t width = jwk_coordinate_bytes(object);
    json_t *copy = json_is_object(object) ? copy_members(object) : NULL;
    if (copy != NULL && respell(copy, "n", true, 0) && respell(copy, "e", true, 0) &&
        respell(copy, "x", width > 0, width) && respell(copy, "y", width > 0, width))
        return copy;
    json_decref(copy);
    return NULL;
}
