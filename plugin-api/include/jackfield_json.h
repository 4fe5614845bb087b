/* A reader for JSON text, and a writer for JSON strings, for plugins in C.
 *
 * The reader works on text that the host has checked already (payloads, the configuration). It
 * never allocates, never recurses, and never reads outside the text; on text that is not JSON the
 * answers mean nothing, but asking is safe. A value is a jf_text: the octets of the value, white
 * space around it allowed. What a function gives out points into the text that it was given.
 *
 * Functions that read a value return JF_OK, JF_E_PAYLOAD (not of that type) or JF_E_LIMIT (does not
 * fit). All of them may be called from any thread. C99, or C++11.
 */
#ifndef JACKFIELD_JSON_H
#define JACKFIELD_JSON_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "jackfield.h"

#ifdef __cplusplus
extern "C" {
#define JF_JSON_AS_(TYPE, VALUE) static_cast<TYPE>(VALUE)
#else
#define JF_JSON_AS_(TYPE, VALUE) ((TYPE)(VALUE))
#endif

/* The type of a value. */
#define JF_JSON_NONE 0u /* no value: empty text, or not JSON */
#define JF_JSON_NULL 1u
#define JF_JSON_BOOL 2u
#define JF_JSON_NUMBER 3u
#define JF_JSON_STRING 4u
#define JF_JSON_ARRAY 5u
#define JF_JSON_OBJECT 6u

/* A walk over the members of an object or the elements of an array. */
typedef struct jf_json_walk {
  jf_text json;
  size_t at;  /* where the next member or element may begin */
  char close; /* '}' or ']'; 0 where there is nothing to walk over */
} jf_json_walk;

/* ---- Inner steps: offsets into the text, never beyond its size ------------------------------ */

static inline jf_text jf_json_part_(jf_text json, size_t from, size_t to) {
  jf_text part;
  part.data = to > from ? json.data + from : NULL;
  part.size = to > from ? to - from : 0;
  return part;
}

static inline size_t jf_json_skip_space_(jf_text json, size_t at) {
  while (at < json.size && (json.data[at] == ' ' || json.data[at] == '\t' ||
                            json.data[at] == '\n' || json.data[at] == '\r')) {
    ++at;
  }
  return at;
}

/* From the opening quote to behind the closing one: the first with an even number of backslashes
 * before it. */
static inline size_t jf_json_skip_string_(jf_text json, size_t at) {
  const size_t from = at + 1;
  for (at = from; at < json.size; ++at) {
    const void* found = memchr(json.data + at, '"', json.size - at);
    size_t backslashes = 0;
    if (found == NULL) break;
    at = JF_JSON_AS_(size_t, JF_JSON_AS_(const char*, found) - json.data);
    while (at - backslashes > from && json.data[at - backslashes - 1] == '\\') ++backslashes;
    if (backslashes % 2 == 0) return at + 1;
  }
  return json.size;
}

/* From a value's first octet to behind its last; where no value begins, `at` itself. */
static inline size_t jf_json_skip_value_(jf_text json, size_t at) {
  size_t depth = 0;
  if (at >= json.size) return json.size;
  if (json.data[at] == '"') return jf_json_skip_string_(json, at);
  if (json.data[at] != '{' && json.data[at] != '[') {
    while (at < json.size && strchr(" \t\n\r,:\"[]{}", json.data[at]) == NULL) ++at;
    return at;
  }
  while (at < json.size) {
    const char c = json.data[at];
    if (c == '"') {
      at = jf_json_skip_string_(json, at);
      continue;
    }
    ++at;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) break;
  }
  return at;
}

static inline uint32_t jf_json_hex_(char c) {
  if (c >= '0' && c <= '9') return JF_JSON_AS_(uint32_t, c - '0');
  if (c >= 'a' && c <= 'f') return JF_JSON_AS_(uint32_t, c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return JF_JSON_AS_(uint32_t, c - 'A' + 10);
  return 0xFFFFFFFFu;
}

/* The value of a \uXXXX at `at`, or 0xFFFFFFFF where there is none. */
static inline uint32_t jf_json_unit_(jf_text json, size_t at) {
  uint32_t unit = 0;
  size_t i;
  if (at > json.size || json.size - at < 6 || json.data[at] != '\\' || json.data[at + 1] != 'u') {
    return 0xFFFFFFFFu;
  }
  for (i = 2; i < 6; ++i) {
    const uint32_t digit = jf_json_hex_(json.data[at + i]);
    if (digit > 15) return 0xFFFFFFFFu;
    unit = unit * 16 + digit;
  }
  return unit;
}

static inline size_t jf_json_utf8_(uint32_t code, char out[4]) {
  if (code < 0x80) {
    out[0] = JF_JSON_AS_(char, code);
    return 1;
  }
  if (code < 0x800) {
    out[0] = JF_JSON_AS_(char, 0xC0 | (code >> 6));
    out[1] = JF_JSON_AS_(char, 0x80 | (code & 0x3F));
    return 2;
  }
  if (code < 0x10000) {
    out[0] = JF_JSON_AS_(char, 0xE0 | (code >> 12));
    out[1] = JF_JSON_AS_(char, 0x80 | ((code >> 6) & 0x3F));
    out[2] = JF_JSON_AS_(char, 0x80 | (code & 0x3F));
    return 3;
  }
  out[0] = JF_JSON_AS_(char, 0xF0 | (code >> 18));
  out[1] = JF_JSON_AS_(char, 0x80 | ((code >> 12) & 0x3F));
  out[2] = JF_JSON_AS_(char, 0x80 | ((code >> 6) & 0x3F));
  out[3] = JF_JSON_AS_(char, 0x80 | (code & 0x3F));
  return 4;
}

/* Decodes the escape at `at` (a backslash). Returns how many octets of text it took, 0 where it is
 * malformed; *size is how many it gave. */
static inline size_t jf_json_unescape_(jf_text json, size_t at, char out[4], size_t* size) {
  static const char from[] = "\"\\/bfnrt";
  static const char to[] = "\"\\/\b\f\n\r\t";
  const char* found;
  uint32_t code;
  uint32_t low;
  if (at + 1 >= json.size || json.data[at + 1] == '\0') return 0;
  found = strchr(from, json.data[at + 1]);
  if (found != NULL) {
    out[0] = to[found - from];
    *size = 1;
    return 2;
  }
  code = jf_json_unit_(json, at);
  if (code == 0xFFFFFFFFu) return 0;
  low = code >= 0xD800 && code < 0xDC00 ? jf_json_unit_(json, at + 6) : 0;
  if (low >= 0xDC00 && low < 0xE000) {
    *size = jf_json_utf8_(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00), out);
    return 12;
  }
  *size = jf_json_utf8_(code, out);
  return 6;
}

/* ---- Reading -------------------------------------------------------------------------------- */

/* The value alone, without white space around it; empty where there is none. */
static inline jf_text jf_json_span(jf_text json) {
  const size_t from = jf_json_skip_space_(json, 0);
  return jf_json_part_(json, from, jf_json_skip_value_(json, from));
}

/* JF_JSON_*. */
static inline uint32_t jf_json_type(jf_text json) {
  const size_t at = jf_json_skip_space_(json, 0);
  if (at >= json.size) return JF_JSON_NONE;
  switch (json.data[at]) {
    case '{':
      return JF_JSON_OBJECT;
    case '[':
      return JF_JSON_ARRAY;
    case '"':
      return JF_JSON_STRING;
    case 't':
    case 'f':
      return JF_JSON_BOOL;
    case 'n':
      return JF_JSON_NULL;
    default:
      return json.data[at] == '-' || (json.data[at] >= '0' && json.data[at] <= '9') ? JF_JSON_NUMBER
                                                                                    : JF_JSON_NONE;
  }
}

/* Begins a walk. For anything but an object or an array, the walk is over at once. */
static inline jf_json_walk jf_json_begin(jf_text json) {
  jf_json_walk walk;
  const uint32_t type = jf_json_type(json);
  walk.json = json;
  walk.at = jf_json_skip_space_(json, 0) + 1;
  walk.close = JF_JSON_AS_(char, type == JF_JSON_OBJECT ? '}' : type == JF_JSON_ARRAY ? ']' : 0);
  return walk;
}

/* One step. 1: *value is the next member's or element's value, and *key the member's key as it
 * stands in the text, quotes included (empty for an element; `key` may be null). 0: no more. */
static inline int jf_json_next(jf_json_walk* walk, jf_text* key, jf_text* value) {
  const jf_text json = walk->json;
  const char close = walk->close;
  size_t from;
  size_t at;
  if (close == 0) return 0;
  walk->close = 0; /* over, unless a value is found below */
  at = jf_json_skip_space_(json, walk->at);
  if (at < json.size && json.data[at] == ',') at = jf_json_skip_space_(json, at + 1);
  if (key != NULL) *key = jf_json_part_(json, 0, 0);
  if (close == '}') {
    if (at >= json.size || json.data[at] != '"') return 0;
    from = at;
    at = jf_json_skip_string_(json, at);
    if (key != NULL) *key = jf_json_part_(json, from, at);
    at = jf_json_skip_space_(json, at);
    if (at >= json.size || json.data[at] != ':') return 0;
    at = jf_json_skip_space_(json, at + 1);
  }
  from = at;
  at = jf_json_skip_value_(json, at);
  if (at == from || from >= json.size) return 0;
  *value = jf_json_part_(json, from, at);
  walk->at = at;
  walk->close = close;
  return 1;
}

/* The next octets of a string's content, decoded, with *at behind its opening quote or at the end of
 * the piece before. 1: they are *piece, in `json` itself or in `made`, and *at is behind them.
 * 0: the closing quote. -1: malformed, or no closing quote. */
static inline int jf_json_piece_(jf_text json, size_t* at, char made[4], jf_text* piece) {
  size_t size = 0;
  size_t took;
  if (*at >= json.size) return -1;
  piece->data = json.data + *at;
  if (*piece->data == '"') return 0;
  while (*at + size < json.size && piece->data[size] != '"' && piece->data[size] != '\\') ++size;
  took = size;
  if (took == 0) {
    took = jf_json_unescape_(json, *at, made, &size);
    piece->data = made;
  }
  if (took == 0) return -1;
  piece->size = size;
  *at += took;
  return 1;
}

/* Decodes a string to UTF-8 (a lone surrogate to its three-byte generalized form). *size is how
 * many octets it has, also where that is more than `capacity` (JF_E_LIMIT: the buffer holds what
 * fits). No NUL is added; the string may hold some. `buffer` may be null where `capacity` is 0. */
static inline int32_t jf_json_string(jf_text json, char* buffer, size_t capacity, size_t* size) {
  size_t at = jf_json_skip_space_(json, 0);
  size_t length = 0;
  char made[4];
  jf_text piece;
  int found;
  *size = 0;
  if (at >= json.size || json.data[at] != '"') return JF_E_PAYLOAD;
  ++at;
  while ((found = jf_json_piece_(json, &at, made, &piece)) > 0) {
    if (length < capacity) {
      const size_t fits = capacity - length;
      memcpy(buffer + length, piece.data, piece.size < fits ? piece.size : fits);
    }
    length += piece.size;
  }
  if (found < 0) return JF_E_PAYLOAD;
  *size = length;
  return length > capacity ? JF_E_LIMIT : JF_OK;
}

/* 1 where the value is a string that, decoded, equals `text`. */
static inline int jf_json_equals(jf_text json, jf_text text) {
  size_t at = jf_json_skip_space_(json, 0);
  size_t compared = 0;
  char made[4];
  jf_text piece;
  int found;
  if (at >= json.size || json.data[at] != '"') return 0;
  ++at;
  while ((found = jf_json_piece_(json, &at, made, &piece)) > 0) {
    if (piece.size > text.size - compared) return 0;
    if (memcmp(piece.data, text.data + compared, piece.size) != 0) return 0;
    compared += piece.size;
  }
  return found == 0 && compared == text.size;
}

/* Finds a member by its decoded key; the last one where the key stands there more than once, as
 * JSON.parse has it. 1: found. 0: no such member, or no object; *value is empty then. */
static inline int jf_json_get(jf_text object, jf_text key, jf_text* value) {
  jf_json_walk walk = jf_json_begin(object);
  jf_text member_key;
  jf_text member;
  int found = 0;
  *value = jf_json_part_(object, 0, 0);
  if (walk.close != '}') return 0;
  while (jf_json_next(&walk, &member_key, &member)) {
    if (jf_json_equals(member_key, key)) {
      *value = member;
      found = 1;
    }
  }
  return found;
}

/* *value is 1 or 0. */
static inline int32_t jf_json_bool(jf_text json, int* value) {
  const jf_text span = jf_json_span(json);
  if (span.size == 4 && memcmp(span.data, "true", 4) == 0) {
    *value = 1;
    return JF_OK;
  }
  if (span.size == 5 && memcmp(span.data, "false", 5) == 0) {
    *value = 0;
    return JF_OK;
  }
  return JF_E_PAYLOAD;
}

/* ---- Numbers -------------------------------------------------------------------------------- */

/* A number taken apart: its digits without leading zeros, and where the decimal point is. */
typedef struct jf_json_number_ {
  const char* whole; /* the digits before the point */
  size_t whole_size;
  const char* part; /* those behind it */
  size_t part_size;
  size_t skip;   /* zeros that the digits begin with */
  size_t digits; /* all that follow these */
  int64_t point; /* value = 0.DIGITS * 10^point */
  int negative;
} jf_json_number_;

static inline uint32_t jf_json_digit_(const jf_json_number_* number, size_t i) {
  i += number->skip;
  if (i < number->whole_size) return JF_JSON_AS_(uint32_t, number->whole[i] - '0');
  return JF_JSON_AS_(uint32_t, number->part[i - number->whole_size] - '0');
}

static inline size_t jf_json_skip_digits_(jf_text text, size_t at) {
  while (at < text.size && text.data[at] >= '0' && text.data[at] <= '9') ++at;
  return at;
}

/* 1: taken apart. 0: not a number. */
static inline int jf_json_take_apart_(jf_text json, jf_json_number_* number) {
  const jf_text text = jf_json_span(json);
  size_t at = 0;
  size_t from;
  int64_t exponent = 0;
  int exponent_negative = 0;
  number->negative = text.size > 0 && text.data[0] == '-';
  if (number->negative) ++at;
  from = at;
  at = jf_json_skip_digits_(text, at);
  if (at == from) return 0;
  number->whole = text.data + from;
  number->whole_size = at - from;
  number->part = number->whole;
  number->part_size = 0;
  if (at < text.size && text.data[at] == '.') {
    from = at + 1;
    at = jf_json_skip_digits_(text, from);
    if (at == from) return 0;
    number->part = text.data + from;
    number->part_size = at - from;
  }
  if (at < text.size && (text.data[at] == 'e' || text.data[at] == 'E')) {
    ++at;
    exponent_negative = at < text.size && text.data[at] == '-';
    if (at < text.size && (text.data[at] == '-' || text.data[at] == '+')) ++at;
    from = at;
    at = jf_json_skip_digits_(text, at);
    if (at == from) return 0;
    for (; from < at; ++from) {
      /* Held at a size that no text's digits can make up for. */
      if (exponent < INT64_C(100000000000000000))
        exponent = exponent * 10 + (text.data[from] - '0');
    }
  }
  if (at != text.size) return 0;
  number->skip = 0;
  number->digits = number->whole_size + number->part_size;
  while (number->digits > 0 && jf_json_digit_(number, 0) == 0) {
    ++number->skip;
    --number->digits;
  }
  number->point = JF_JSON_AS_(int64_t, number->whole_size) - JF_JSON_AS_(int64_t, number->skip) +
                  (exponent_negative ? -exponent : exponent);
  return 1;
}

/* Reads a whole number, exactly; 1.0 and 1e2 are whole. JF_E_PAYLOAD: no number, or one with a
 * fraction. JF_E_LIMIT: whole, but beyond int64_t; *value is INT64_MAX or INT64_MIN then. */
static inline int32_t jf_json_int64(jf_text json, int64_t* value) {
  jf_json_number_ number;
  uint64_t sum = 0;
  size_t i;
  int over = 0;
  if (!jf_json_take_apart_(json, &number)) return JF_E_PAYLOAD;
  *value = 0;
  if (number.digits == 0) return JF_OK;
  for (i = 0; i < number.digits; ++i) {
    const uint32_t digit = jf_json_digit_(&number, i);
    if (number.point < 0 || i >= JF_JSON_AS_(uint64_t, number.point)) {
      if (digit != 0) return JF_E_PAYLOAD;
    } else if (sum > (UINT64_MAX - digit) / 10) {
      over = 1;
    } else {
      sum = sum * 10 + digit;
    }
  }
  for (; !over && JF_JSON_AS_(int64_t, i) < number.point; ++i) {
    if (sum > UINT64_MAX / 10) over = 1;
    if (!over) sum *= 10;
  }
  if (over || sum > JF_JSON_AS_(uint64_t, INT64_MAX)) {
    *value = number.negative ? INT64_MIN : INT64_MAX;
    return number.negative && !over && sum == JF_JSON_AS_(uint64_t, INT64_MAX) + 1 ? JF_OK
                                                                                   : JF_E_LIMIT;
  }
  *value = number.negative ? -JF_JSON_AS_(int64_t, sum) : JF_JSON_AS_(int64_t, sum);
  return JF_OK;
}

/* A natural number of up to 4,096 bits: enough for the 771 digits and 345 places that can matter to
 * a double. */
typedef struct jf_json_big_ {
  uint32_t limb[128]; /* lowest first; those from `size` on are not read */
  size_t size;
} jf_json_big_;

static inline void jf_json_big_mul_(jf_json_big_* big, uint32_t factor, uint32_t add) {
  uint64_t carry = add;
  size_t i;
  for (i = 0; i < big->size; ++i) {
    carry += JF_JSON_AS_(uint64_t, big->limb[i]) * factor;
    big->limb[i] = JF_JSON_AS_(uint32_t, carry & 0xFFFFFFFFu);
    carry >>= 32;
  }
  if (carry != 0 && big->size < 128) big->limb[big->size++] = JF_JSON_AS_(uint32_t, carry);
}

static inline void jf_json_big_shift_(jf_json_big_* big, size_t bits) {
  for (; bits >= 31; bits -= 31) jf_json_big_mul_(big, 1u << 31, 0);
  jf_json_big_mul_(big, 1u << bits, 0);
}

static inline int64_t jf_json_big_bits_(const jf_json_big_* big) {
  int64_t bits = JF_JSON_AS_(int64_t, big->size) * 32;
  uint32_t top = big->size > 0 ? big->limb[big->size - 1] : 0;
  if (big->size == 0) return 0;
  for (; (top & 0x80000000u) == 0; top <<= 1) --bits;
  return bits;
}

/* Subtracts where the result is not negative, and says whether it did. */
static inline int jf_json_big_sub_(jf_json_big_* from, const jf_json_big_* what) {
  uint64_t borrow = 0;
  size_t i;
  if (from->size < what->size) return 0;
  if (from->size == what->size) {
    for (i = from->size; i > 0 && from->limb[i - 1] == what->limb[i - 1]; --i) {
    }
    if (i > 0 && from->limb[i - 1] < what->limb[i - 1]) return 0;
  }
  for (i = 0; i < from->size; ++i) {
    const uint64_t minus = (i < what->size ? what->limb[i] : 0) + borrow;
    borrow = from->limb[i] < minus ? 1 : 0;
    from->limb[i] = JF_JSON_AS_(uint32_t, (from->limb[i] - minus) & 0xFFFFFFFFu);
  }
  while (from->size > 0 && from->limb[from->size - 1] == 0) --from->size;
  return 1;
}

/* Reads a number as the nearest double (ties to even), as JSON.parse does, in any locale.
 * JF_E_PAYLOAD: no number. JF_E_LIMIT: beyond the greatest double; *value is the greatest then. */
static inline int32_t jf_json_double(jf_text json, double* value) {
  jf_json_number_ number;
  jf_json_big_ above;
  jf_json_big_ below;
  uint64_t bits = 0;
  uint64_t quotient = 0;
  uint64_t rest;
  uint64_t half;
  int64_t tens;
  int64_t shift;
  int64_t lowest;
  int64_t drop;
  size_t i;
  int32_t result = JF_OK;
  if (!jf_json_take_apart_(json, &number)) return JF_E_PAYLOAD;
  if (number.digits > 0 && number.point > 310) {
    result = JF_E_LIMIT;
  } else if (number.digits > 0 && number.point > -330) {
    above.size = 0;
    below.size = 1;
    below.limb[0] = 1;
    for (i = 0; i < number.digits && i < 770; ++i) {
      jf_json_big_mul_(&above, 10, jf_json_digit_(&number, i));
    }
    tens = number.point - JF_JSON_AS_(int64_t, i);
    for (; i < number.digits; ++i) {
      /* More digits can only break a tie: one that is not 0 stands for all of them. */
      if (jf_json_digit_(&number, i) == 0) continue;
      jf_json_big_mul_(&above, 10, 1);
      --tens;
      break;
    }
    for (; tens > 0; --tens) jf_json_big_mul_(&above, 10, 0);
    for (; tens < 0; ++tens) jf_json_big_mul_(&below, 10, 0);
    /* Bring the two to the same length, then divide bit by bit: 1 bit before the point, 63
     * behind it. value = quotient * 2^(-63 - shift). */
    shift = jf_json_big_bits_(&below) - jf_json_big_bits_(&above);
    if (shift > 0) jf_json_big_shift_(&above, JF_JSON_AS_(size_t, shift));
    if (shift < 0) jf_json_big_shift_(&below, JF_JSON_AS_(size_t, -shift));
    for (i = 0; i < 64; ++i) {
      quotient = quotient * 2 + JF_JSON_AS_(uint64_t, jf_json_big_sub_(&above, &below));
      jf_json_big_mul_(&above, 2, 0);
    }
    /* Keep 53 bits, or those down to 2^-1074. */
    lowest = (quotient >> 63) != 0 ? -52 - shift : -53 - shift;
    if (lowest < -1074) lowest = -1074;
    drop = lowest + 63 + shift;
    if (drop > 64) drop = 65;
    bits = drop < 64 ? quotient >> drop : 0;
    if (drop <= 64) {
      rest = drop < 64 ? quotient & ((UINT64_C(1) << drop) - 1) : quotient;
      half = UINT64_C(1) << (drop - 1);
      if (rest > half || (rest == half && (above.size > 0 || (bits & 1) != 0))) ++bits;
    }
    bits += JF_JSON_AS_(uint64_t, lowest + 1074) << 52;
    if (bits >= UINT64_C(0x7FF0000000000000)) result = JF_E_LIMIT;
  }
  if (result == JF_E_LIMIT) bits = UINT64_C(0x7FEFFFFFFFFFFFFF);
  if (number.negative) bits |= UINT64_C(0x8000000000000000);
  memcpy(value, &bits, sizeof bits);
  return result;
}

/* ---- Writing -------------------------------------------------------------------------------- */

/* How many octets of well-formed UTF-8 begin at `at`, generalized by lone surrogates; 0: none. */
static inline size_t jf_json_sequence_(jf_text text, size_t at) {
  const unsigned char first = JF_JSON_AS_(unsigned char, text.data[at]);
  const size_t size = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  unsigned char second;
  size_t i;
  if (first > 0xF4 || size == 0 || size > text.size - at) return 0;
  for (i = 1; i < size; ++i) {
    if ((text.data[at + i] & 0xC0) != 0x80) return 0;
  }
  second = size > 1 ? JF_JSON_AS_(unsigned char, text.data[at + 1]) : 0;
  if ((first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90) ||
      (first == 0xF4 && second > 0x8F)) {
    return 0;
  }
  return size;
}

/* Writes `text` as a JSON string, quotes included. Returns how many octets that takes; where it is
 * more than `capacity`, the buffer holds what fits and must not be used (ask again with as many).
 * Never more than 6 * text.size + 2. Lone surrogates in their three-byte form become \uXXXX, other
 * octets that are not UTF-8 become U+FFFD, so the result is always JSON. */
static inline size_t jf_json_quote(jf_text text, char* buffer, size_t capacity) {
  static const char hex[] = "0123456789abcdef";
  static const char from[] = "\"\\\b\f\n\r\t";
  static const char to[] = "\"\\bfnrt";
  size_t length = 0;
  size_t at = 0;
  if (length < capacity) buffer[length] = '"';
  ++length;
  while (at < text.size) {
    const size_t size = jf_json_sequence_(text, at);
    const char* piece = text.data + at;
    const char* found = size == 1 && *piece != '\0' ? strchr(from, *piece) : NULL;
    size_t piece_size = size;
    size_t took = size == 0 ? 1 : size;
    char made[6];
    made[0] = '\\';
    made[1] = 'u';
    if (size == 0) {
      piece = "\xEF\xBF\xBD";
      piece_size = 3;
    } else if (found != NULL) {
      made[1] = to[found - from];
      piece = made;
      piece_size = 2;
    } else if (size == 1 && JF_JSON_AS_(unsigned char, *piece) < 0x20) {
      made[2] = '0';
      made[3] = '0';
      made[4] = hex[*piece >> 4];
      made[5] = hex[*piece & 0xF];
      piece = made;
      piece_size = 6;
    } else if (size == 3 && JF_JSON_AS_(unsigned char, piece[0]) == 0xED &&
               JF_JSON_AS_(unsigned char, piece[1]) >= 0xA0) {
      made[2] = 'd';
      made[3] = hex[(piece[1] >> 2) & 0xF];
      made[4] = hex[((piece[1] & 0x3) << 2) | ((piece[2] >> 4) & 0x3)];
      made[5] = hex[piece[2] & 0xF];
      piece = made;
      piece_size = 6;
    } else if (size == 1) {
      /* ASCII that stands for itself, as far as it goes. */
      while (at + took < text.size && piece[took] >= 0x20 && piece[took] < 0x7F &&
             piece[took] != '"' && piece[took] != '\\') {
        ++took;
      }
      piece_size = took;
    }
    if (length < capacity) {
      const size_t fits = capacity - length;
      memcpy(buffer + length, piece, piece_size < fits ? piece_size : fits);
    }
    length += piece_size;
    at += took;
  }
  if (length < capacity) buffer[length] = '"';
  return length + 1;
}

#ifdef __cplusplus
}
#endif

#endif /* JACKFIELD_JSON_H */
