/* Writes to the log: levels, fields, and characters that would break a line. */
#include "tiny.h"

static int32_t event(void *channel, const jf_request *request) {
  const jf_field fields[] = {
      {JF_TEXT("plain"), JF_TEXT("value")},
      {JF_TEXT("spaced"), JF_TEXT("two words")},
      {JF_TEXT("quoted"), JF_TEXT("say \"hi\" = 1")},
      {JF_TEXT("lines"), JF_TEXT("first\nlevel=error msg=forged")},
      {JF_TEXT("bad key"), JF_TEXT("unseen")},
      {JF_TEXT("none"), JF_TEXT("")},
  };
  (void)channel;
  host->log(host, JF_LOG_ERROR, text("an error line"), NULL, 0);
  host->log(host, JF_LOG_WARNING, text("a warning line"), fields, sizeof fields / sizeof *fields);
  host->log(host, JF_LOG_INFO, text("an info line"), NULL, 0);
  host->log(host, JF_LOG_DEBUG, text("a debug line"), NULL, 0);
  host->log(host, 77, text("a line of no level"), NULL, 0);
  host->log(host, JF_LOG_INFO, text("msg\nlevel=error msg=forged_too"), NULL, 0);
  return push(request->call, "logged", "true");
}

TINY_CHANNEL_PLUGIN("logs", "logs", NULL, NULL, event, NULL);
