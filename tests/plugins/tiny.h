/* What the tiny test plugins share: texts, answers, and the plugin's table. Each plugin shows one
 * behaviour of the host (or one misbehaviour of a plugin) and is written straight on jackfield.h.
 */
#ifndef TINY_H
#define TINY_H

#include <stdio.h>
#include <string.h>

#include "jackfield.h"

static const jf_host *host; /* set by `start` */

static inline jf_text text(const char *ended) {
  jf_text made = {ended, strlen(ended)};
  return made;
}

static inline int same(jf_text left, const char *right) {
  return left.size == strlen(right) && memcmp(left.data, right, left.size) == 0;
}

/* For "%.*s". */
#define SHOWN(TEXT) (int)(TEXT).size, (TEXT).data

static inline long long number(jf_text json) {
  char digits[32] = "";
  long long value = 0;
  if (json.size < sizeof digits) memcpy(digits, json.data, json.size);
  if (sscanf(digits, "%lld", &value) != 1) return 0;
  return value;
}

static inline int32_t push(jf_id target, const char *event, const char *json) {
  return host->push(host, target, text(event), text(json));
}

static inline int32_t broadcast(jf_text topic, const char *event, const char *json) {
  return host->broadcast(host, topic, text(event), text(json), 0);
}

static inline void say(const char *message) {
  host->log(host, JF_LOG_INFO, text(message), NULL, 0);
}

/* JF_PLUGIN with the table's usual content. */
#define TINY_PLUGIN(NAME, START, STOP)        \
  JF_PLUGIN = {(uint32_t)sizeof(jf_plugin),   \
               JF_ABI_MINOR,                  \
               JF_TEXT(NAME),                 \
               JF_TEXT("1.2.3"),              \
               JF_TEXT("a tiny test plugin"), \
               JF_TEXT("MIT"),                \
               START,                         \
               STOP,                          \
               NULL,                          \
               NULL,                          \
               NULL}

/* A plugin of one channel, with the functions that are not null. */
#define TINY_CHANNEL_PLUGIN(NAME, PATTERN, MATCH, JOIN, EVENT, LEAVE)                      \
  static const jf_channel tiny_channel = {                                                 \
      (uint32_t)sizeof(jf_channel), MATCH, JOIN, EVENT, LEAVE, NULL};                      \
  static int32_t tiny_start(const jf_host *given, const jf_start *args, void **instance) { \
    (void)args;                                                                            \
    host = given;                                                                          \
    *instance = NULL;                                                                      \
    return host->channel(host, text(PATTERN), &tiny_channel, NULL);                        \
  }                                                                                        \
  TINY_PLUGIN(NAME, tiny_start, NULL)

#endif
