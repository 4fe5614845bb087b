/* Uses every function of the C reader and writer of JSON, in each language mode. Never run. */
#include "jackfield_json.h"

int32_t use(jf_text json, char *buffer, size_t capacity);

int32_t use(jf_text json, char *buffer, size_t capacity) {
  jf_json_walk walk = jf_json_begin(jf_json_span(json));
  jf_text key;
  jf_text value;
  size_t size = 0;
  int64_t integer = 0;
  double number = 0;
  int boolean = 0;
  while (jf_json_next(&walk, &key, &value)) {
    if (jf_json_type(value) == JF_JSON_STRING && jf_json_equals(key, value)) ++size;
  }
  if (!jf_json_get(json, key, &value)) return JF_E_PAYLOAD;
  if (jf_json_string(value, buffer, capacity, &size) == JF_OK) return JF_OK;
  if (jf_json_int64(value, &integer) == JF_OK) return JF_OK;
  if (jf_json_double(value, &number) == JF_OK) return JF_OK;
  if (jf_json_bool(value, &boolean) == JF_OK) return JF_OK;
  return jf_json_quote(value, buffer, capacity) <= capacity ? JF_OK : JF_E_LIMIT;
}
