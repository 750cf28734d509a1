#include "CSimdJSON.h"
#include <simdjson.h>

#include <cstring>
#include <memory>
#include <new>
#include <vector>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define CSIMDJSON_TEXT(x) #x
#define CSIMDJSON_EXPANDED(x) CSIMDJSON_TEXT(x)

const char *csimdjson_version(void) { return CSIMDJSON_EXPANDED(SIMDJSON_VERSION); }

namespace {
constexpr size_t padding = 64;  // simdjson reads whole blocks
constexpr uint32_t no_token = UINT32_MAX;

struct level {
    uint32_t token;
    uint32_t start;
    uint32_t count;
    uint64_t names;  // a bit for each name seen, by its hash
    bool is_object;
    bool may_repeat;
};

/// Six bits that differ for most pairs of names.
unsigned name_bit(const uint8_t *name, uint32_t length) {
    uint64_t head = 0;
    std::memcpy(&head, name, length < 8 ? length : 8);
    uint64_t tail = length > 8 ? name[length - 1] | uint64_t(name[length / 2]) << 8 : 0;
    return unsigned(((head ^ tail << 40 ^ uint64_t(length) << 56) * 0x9E3779B97F4A7C15u) >> 58);
}

bool ends_scalar(uint8_t c) {
    return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == ':';
}
bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }
int hex(uint8_t c) {
    if (is_digit(c)) return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
}  // namespace

struct csimdjson_reader {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> index;
    std::unique_ptr<uint8_t[]> buffer;  // the document, padding, then strings without their escapes
    size_t capacity = 0;
    size_t max_depth = 0;
    std::vector<csimdjson_token> tokens;
    std::vector<level> open;

    const uint8_t *text = nullptr;
    size_t length = 0;
    uint8_t *spare = nullptr;
    size_t error_offset = 0;
    bool may_repeat = false;  // of the object closed last, in the end the outermost

    int32_t fail(int32_t error, size_t offset) {
        error_offset = offset;
        return error;
    }

    int32_t load(const void *json, size_t size) {
        if (size >= UINT32_MAX / 2 - 2 * padding) return fail(CSIMDJSON_TOO_LARGE, 0);
        if (size > capacity || !buffer) {
            size_t wanted = 4096;
            while (wanted < size) wanted *= 2;
            buffer.reset(new uint8_t[2 * wanted + 2 * padding]);
            if (index->set_capacity(wanted) != simdjson::SUCCESS) throw std::bad_alloc();
            capacity = wanted;
        }
        if (size > 0) std::memcpy(buffer.get(), json, size);
        std::memset(buffer.get() + size, ' ', padding);
        text = buffer.get();
        length = size;
        spare = buffer.get() + size + padding;
        if (size == 0) return fail(CSIMDJSON_EMPTY, 0);
        switch (index->stage1(text, size, simdjson::stage1_mode::regular)) {
        case simdjson::SUCCESS: return CSIMDJSON_OK;
        case simdjson::EMPTY: return fail(CSIMDJSON_EMPTY, 0);
        case simdjson::UTF8_ERROR:
        case simdjson::UNESCAPED_CHARS:
        case simdjson::UNCLOSED_STRING: return locate();
        default: return fail(CSIMDJSON_NO_MEMORY, 0);
        }
    }

    /// Finds the place of an error that the index only reports as such.
    int32_t locate() {
        bool in_string = false;
        size_t opened = 0;
        for (size_t i = 0; i < length;) {
            uint8_t c = text[i];
            if (c < 0x80) {
                if (in_string) {
                    if (c < 0x20) return fail(CSIMDJSON_CONTROL_CHARACTER, i);
                    if (c == '\\') {
                        i += 2;
                        continue;
                    }
                }
                if (c == '"') {
                    in_string = !in_string;
                    opened = i;
                }
                i += 1;
                continue;
            }
            size_t n = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
            uint32_t code = c & (0xFF >> (n + 1));
            bool good = c >= 0xC2 && c <= 0xF4 && i + n <= length;
            for (size_t k = 1; good && k < n; k++) {
                good = (text[i + k] & 0xC0) == 0x80;
                code = code << 6 | (text[i + k] & 0x3F);
            }
            if (!good || (n == 3 && (code < 0x800 || (code >= 0xD800 && code <= 0xDFFF)))
                || (n == 4 && (code < 0x10000 || code > 0x10FFFF)))
                return fail(CSIMDJSON_BAD_UTF8, i);
            i += n;
        }
        return fail(CSIMDJSON_UNCLOSED_STRING, opened);
    }

    /// Reads a string whose quote stands at `at`; an escape makes a copy without escapes in the spare room.
    int32_t string(size_t at, bool keep) {
        size_t p = at + 1;
        for (;;) {
#if defined(__SSE2__)
            __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i *>(text + p));
            unsigned found = unsigned(_mm_movemask_epi8(_mm_or_si128(
                _mm_cmpeq_epi8(block, _mm_set1_epi8('"')), _mm_cmpeq_epi8(block, _mm_set1_epi8('\\')))));
            if (found == 0) {
                p += 16;
                continue;
            }
            p += unsigned(__builtin_ctz(found));
#else
            while (text[p] != '"' && text[p] != '\\') p++;
#endif
            break;
        }
        uint32_t start = uint32_t(at + 1), count = uint32_t(p - at - 1);
        if (text[p] == '\\') {
            uint8_t *out = spare;
            std::memcpy(out, text + start, count);
            out += count;
            int32_t error = unescape(p, out);
            if (error != CSIMDJSON_OK) return error;
            start = uint32_t(spare - text);
            count = uint32_t(out - spare);
            if (keep) spare = out;
        }
        if (keep)
            tokens.push_back({start, count, uint32_t(at), uint32_t(p + 1 - at), CSIMDJSON_STRING, 0, 0,
                uint32_t(tokens.size() + 1)});
        return CSIMDJSON_OK;
    }

    int32_t unescape(size_t &p, uint8_t *&out) {
        while (text[p] != '"') {
            if (text[p] != '\\') {
                *out++ = text[p++];
                continue;
            }
            size_t at = p;
            uint8_t c = text[p + 1];
            p += 2;
            switch (c) {
            case '"': case '\\': case '/': *out++ = c; break;
            case 'b': *out++ = '\b'; break;
            case 'f': *out++ = '\f'; break;
            case 'n': *out++ = '\n'; break;
            case 'r': *out++ = '\r'; break;
            case 't': *out++ = '\t'; break;
            case 'u': {
                int32_t code = four_digits(p);
                if (code < 0) return fail(CSIMDJSON_BAD_ESCAPE, at);
                p += 4;
                if (code >= 0xD800 && code < 0xDC00 && text[p] == '\\' && text[p + 1] == 'u') {
                    int32_t low = four_digits(p + 2);
                    if (low >= 0xDC00 && low < 0xE000) {
                        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
                        p += 6;
                    }
                }
                if (code >= 0xD800 && code < 0xE000) code = 0xFFFD;  // half a pair has no UTF-8
                if (code < 0x80) {
                    *out++ = uint8_t(code);
                } else if (code < 0x800) {
                    *out++ = uint8_t(0xC0 | code >> 6);
                    *out++ = uint8_t(0x80 | (code & 0x3F));
                } else if (code < 0x10000) {
                    *out++ = uint8_t(0xE0 | code >> 12);
                    *out++ = uint8_t(0x80 | (code >> 6 & 0x3F));
                    *out++ = uint8_t(0x80 | (code & 0x3F));
                } else {
                    *out++ = uint8_t(0xF0 | code >> 18);
                    *out++ = uint8_t(0x80 | (code >> 12 & 0x3F));
                    *out++ = uint8_t(0x80 | (code >> 6 & 0x3F));
                    *out++ = uint8_t(0x80 | (code & 0x3F));
                }
                break;
            }
            default: return fail(CSIMDJSON_BAD_ESCAPE, at);
            }
        }
        return CSIMDJSON_OK;
    }

    int32_t four_digits(size_t p) const {
        int32_t code = 0;
        for (size_t k = 0; k < 4; k++) {
            int digit = hex(text[p + k]);
            if (digit < 0) return -1;
            code = code << 4 | digit;
        }
        return code;
    }

    int32_t number(size_t at, bool keep) {
        size_t p = at;
        uint32_t kind = CSIMDJSON_INTEGER;
        if (text[p] == '-') p++;
        if (text[p] == '0') {
            p++;
        } else {
            if (!is_digit(text[p])) return fail(CSIMDJSON_BAD_NUMBER, at);
            while (is_digit(text[p])) p++;
        }
        if (text[p] == '.') {
            kind = CSIMDJSON_NUMBER;
            p++;
            if (!is_digit(text[p])) return fail(CSIMDJSON_BAD_NUMBER, at);
            while (is_digit(text[p])) p++;
        }
        if ((text[p] | 0x20) == 'e') {
            kind = CSIMDJSON_NUMBER;
            p++;
            if (text[p] == '+' || text[p] == '-') p++;
            if (!is_digit(text[p])) return fail(CSIMDJSON_BAD_NUMBER, at);
            while (is_digit(text[p])) p++;
        }
        if (!ends_scalar(text[p])) return fail(CSIMDJSON_BAD_NUMBER, at);
        if (keep) scalar(at, p - at, kind);
        return CSIMDJSON_OK;
    }

    int32_t literal(size_t at, const char *word, size_t size, uint32_t kind, bool keep) {
        if (std::memcmp(text + at, word, size) != 0 || !ends_scalar(text[at + size]))
            return fail(CSIMDJSON_BAD_LITERAL, at);
        if (keep) scalar(at, size, kind);
        return CSIMDJSON_OK;
    }

    void scalar(size_t at, size_t size, uint32_t kind) {
        tokens.push_back({uint32_t(at), uint32_t(size), uint32_t(at), uint32_t(size), uint16_t(kind), 0, 0,
            uint32_t(tokens.size() + 1)});
    }

    /// Walks the index. `tree` lists every value, otherwise the fields of the outermost object only.
    template <bool tree> int32_t walk() {
        const uint32_t *at = index->structural_indexes.get();
        const uint32_t *end = at + index->n_structural_indexes;
        int32_t error = CSIMDJSON_OK;
        tokens.clear();
        open.clear();
        if (!tree && (at == end || text[*at] != '{')) return fail(CSIMDJSON_NOT_AN_OBJECT, at == end ? 0 : *at);
    value: {
        if (at == end) return fail(CSIMDJSON_UNEXPECTED_END, length);
        size_t p = *at++;
        bool keep = tree || open.size() == 1;
        switch (text[p]) {
        case '"': error = string(p, keep); break;
        case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
            error = number(p, keep);
            break;
        case 't': error = literal(p, "true", 4, CSIMDJSON_TRUE, keep); break;
        case 'f': error = literal(p, "false", 5, CSIMDJSON_FALSE, keep); break;
        case 'n': error = literal(p, "null", 4, CSIMDJSON_NULL, keep); break;
        case '{': case '[': {
            bool is_object = text[p] == '{';
            if (open.size() >= max_depth) return fail(CSIMDJSON_TOO_DEEP, p);
            open.push_back({keep ? uint32_t(tokens.size()) : no_token, uint32_t(p), 0, 0, is_object, false});
            if (keep) scalar(p, 1, is_object ? CSIMDJSON_OBJECT : CSIMDJSON_ARRAY);
            if (at != end && text[*at] == (is_object ? '}' : ']')) {
                open.back().count = UINT32_MAX;  // `after` counts the value that is not there
                goto after;
            }
            if (is_object) goto key;
            goto value;
        }
        case '}': case ']': case ',': case ':': return fail(CSIMDJSON_BAD_LITERAL, p);
        default: return fail(CSIMDJSON_BAD_LITERAL, p);
        }
        if (error != CSIMDJSON_OK) return error;
        goto after;
    }
    key: {
        if (at == end) return fail(CSIMDJSON_UNEXPECTED_END, length);
        size_t p = *at++;
        if (text[p] != '"') return fail(CSIMDJSON_EXPECTED_KEY, p);
        bool keep = tree || open.size() == 1;
        error = string(p, keep);
        if (error != CSIMDJSON_OK) return error;
        if (keep) {
            level &top = open.back();
            uint64_t bit = uint64_t(1) << name_bit(text + tokens.back().start, tokens.back().length);
            top.may_repeat |= (top.names & bit) != 0;
            top.names |= bit;
        }
        if (at == end) return fail(CSIMDJSON_UNEXPECTED_END, length);
        if (text[*at] != ':') return fail(CSIMDJSON_EXPECTED_COLON, *at);
        at++;
        goto value;
    }
    after:
        if (open.empty()) {
            if (at != end) return fail(CSIMDJSON_TRAILING, *at);
            return CSIMDJSON_OK;
        }
        if (at == end) return fail(CSIMDJSON_UNEXPECTED_END, length);
        uint8_t c = text[*at];
        level &top = open.back();
        top.count++;
        if (c == ',') {
            at++;
            if (top.is_object) goto key;
            goto value;
        }
        if (c != (top.is_object ? '}' : ']')) return fail(CSIMDJSON_EXPECTED_COMMA, *at);
        if (top.token != no_token) {
            csimdjson_token &token = tokens[top.token];
            token.length = token.raw_length = uint32_t(*at + 1 - top.start);
            token.next = uint32_t(tokens.size());
            token.count = top.count;
            token.may_repeat = top.may_repeat;
        }
        may_repeat = top.may_repeat;
        open.pop_back();
        at++;
        goto after;
    }

    template <bool tree> csimdjson_result read(const void *json, size_t size) {
        int32_t error;
        try {
            error = load(json, size);
            if (error == CSIMDJSON_OK) error = walk<tree>();
        } catch (...) {
            error = fail(CSIMDJSON_NO_MEMORY, 0);
        }
        if (error != CSIMDJSON_OK) return {nullptr, nullptr, 0, error_offset, error, 0};
        return {text, tokens.data(), tokens.size(), 0, CSIMDJSON_OK, may_repeat};
    }
};

csimdjson_reader *csimdjson_reader_create(size_t max_depth) {
    try {
        std::unique_ptr<csimdjson_reader> reader(new csimdjson_reader);
        reader->max_depth = max_depth;
        if (simdjson::get_active_implementation()->create_dom_parser_implementation(0, 1, reader->index)
            != simdjson::SUCCESS)
            return nullptr;
        return reader.release();
    } catch (...) {
        return nullptr;
    }
}

void csimdjson_reader_destroy(csimdjson_reader *reader) { delete reader; }

csimdjson_result csimdjson_read_tree(csimdjson_reader *reader, const void *json, size_t length) {
    return reader->read<true>(json, length);
}

csimdjson_result csimdjson_read_fields(csimdjson_reader *reader, const void *json, size_t length) {
    return reader->read<false>(json, length);
}
