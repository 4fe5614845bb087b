/* A plugin's table in another shape than today's, as the build says:
 * ODD_SIZE   the size that it claims,
 * ODD_MINOR  its minor version,
 * ODD_NAME   its name,
 * ODD_START  its `start`: null, or the one here. */
#include "tiny.h"

static int32_t event(void *channel, const jf_request *request) {
  (void)channel;
  return push(request->call, "served", "true");
}

static const jf_channel channel = {(uint32_t)sizeof(jf_channel), NULL, NULL, event, NULL, NULL};

/* Not used where ODD_START is null. */
__attribute__((unused)) static int32_t start(const jf_host *given, const jf_start *args,
                                             void **instance) {
  (void)args;
  (void)instance;
  host = given;
  return host->channel(host, text("odd:<x>"), &channel, NULL);
}

/* Fields of a later minor version behind today's. */
typedef struct later_plugin {
  jf_plugin today;
  void (*later)(void);
  uint64_t more;
} later_plugin;

/* The symbol is the table of the later version; only its first fields are jf_plugin's. */
extern JF_EXPORT const later_plugin odd_table __asm__("jackfield_plugin_v1");
const later_plugin odd_table = {
    {(uint32_t)(ODD_SIZE), ODD_MINOR, JF_TEXT(ODD_NAME), JF_TEXT("1.2.3"), JF_TEXT("odd"),
     JF_TEXT("MIT"), ODD_START, NULL, NULL, NULL, NULL},
    NULL,
    0};
