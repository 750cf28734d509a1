#pragma once
#include <stddef.h>
#include <stdint.h>

// JSON read with simdjson's structural index (SIMD: brackets, quotes, UTF-8), then checked in full, token by token, into a
// flat table that the reader keeps and reuses: one call per document, no allocation per value.

#ifdef __cplusplus
extern "C" {
#endif

typedef struct csimdjson_reader csimdjson_reader;

/// What a token is. Integers have neither fraction nor exponent.
enum csimdjson_kind : uint32_t {
    CSIMDJSON_NULL = 0,
    CSIMDJSON_TRUE = 1,
    CSIMDJSON_FALSE = 2,
    CSIMDJSON_INTEGER = 3,
    CSIMDJSON_NUMBER = 4,
    CSIMDJSON_STRING = 5,
    CSIMDJSON_OBJECT = 6,
    CSIMDJSON_ARRAY = 7,
};

/// Why a document was refused; 0 is success.
enum csimdjson_error : int32_t {
    CSIMDJSON_OK = 0,
    CSIMDJSON_EMPTY = 1,
    CSIMDJSON_BAD_UTF8 = 2,
    CSIMDJSON_CONTROL_CHARACTER = 3,
    CSIMDJSON_UNCLOSED_STRING = 4,
    CSIMDJSON_BAD_ESCAPE = 5,
    CSIMDJSON_BAD_NUMBER = 6,
    CSIMDJSON_BAD_LITERAL = 7,
    CSIMDJSON_EXPECTED_KEY = 8,
    CSIMDJSON_EXPECTED_COLON = 9,
    CSIMDJSON_EXPECTED_COMMA = 10,
    CSIMDJSON_UNEXPECTED_END = 11,
    CSIMDJSON_TRAILING = 12,
    CSIMDJSON_TOO_DEEP = 13,
    CSIMDJSON_NOT_AN_OBJECT = 14,
    CSIMDJSON_TOO_LARGE = 15,
    CSIMDJSON_NO_MEMORY = 16,
};

typedef struct {
    /// Where the content lies in `csimdjson_result.bytes`: a string's text without quotes and escapes, else the raw text.
    uint32_t start, length;
    /// Where the raw JSON text lies in the document.
    uint32_t raw_start, raw_length;
    /// A `csimdjson_kind`.
    uint16_t kind;
    /// Objects in a tree: whether a name may stand twice; false is certain.
    uint16_t may_repeat;
    /// Containers in a tree: how many elements or fields.
    uint32_t count;
    /// Tree: index of the token after this value and all that is in it.
    uint32_t next;
} csimdjson_token;

typedef struct {
    const uint8_t *bytes;
    const csimdjson_token *tokens;
    size_t count;
    size_t error_offset;
    int32_t error;
    /// Fields: whether a name may stand twice; false is certain.
    int32_t may_repeat;
} csimdjson_result;

/// NULL when there is no memory.
csimdjson_reader *csimdjson_reader_create(size_t max_depth);
void csimdjson_reader_destroy(csimdjson_reader *reader);

/// All values, depth first; in objects each value follows its key. The result is good until the next call.
csimdjson_result csimdjson_read_tree(csimdjson_reader *reader, const void *json, size_t length);

/// The fields of the object that the document must be: key, value, key, value. What lies in them is checked, not listed.
csimdjson_result csimdjson_read_fields(csimdjson_reader *reader, const void *json, size_t length);

/// The version of simdjson this library was built with.
const char *csimdjson_version(void);

#ifdef __cplusplus
}
#endif
