/* Pins where every field of the ABI's structs lies, on 32-bit and 64-bit targets, and the values of
 * its constants. A plugin that was built once must go on working: an offset here never changes, and
 * a field that is appended gets a new line and lets the size grow. Compiled in every language mode
 * (CMakeLists.txt). */
#include "jackfield.h"

/* C99 has no static assertion; an array of size -1 is an error in every mode. */
#define JOIN_(A, B) A##B
#define JOIN(A, B) JOIN_(A, B)
#define PIN(CONDITION) extern char JOIN(pin_, __LINE__)[(CONDITION) ? 1 : -1]

#define PIN_FIELD(STRUCT, FIELD, OFFSET_32, OFFSET_64) \
  PIN(offsetof(STRUCT, FIELD) == (sizeof(void *) == 8 ? OFFSET_64 : OFFSET_32))
#define PIN_SIZE(STRUCT, SIZE_32, SIZE_64) \
  PIN(sizeof(STRUCT) == (sizeof(void *) == 8 ? SIZE_64 : SIZE_32))

PIN(sizeof(void *) == 8 || sizeof(void *) == 4);
PIN(sizeof(size_t) == sizeof(void *));
PIN(sizeof(jf_id) == 8);

PIN(JF_ABI_MAJOR == 1);
PIN(JF_ABI_MINOR == 0);
PIN(sizeof(JF_SYMBOL_NAME) == sizeof("jackfield_plugin_v1"));

PIN(JF_OK == 0);
PIN(JF_PENDING == 1);
PIN(JF_NO_EVENT == 2);
PIN(JF_E_INTERNAL == -1);
PIN(JF_E_PAYLOAD == -2);
PIN(JF_E_FORBIDDEN == -3);
PIN(JF_E_GONE == -4);
PIN(JF_E_THREAD == -5);
PIN(JF_E_ARGUMENT == -6);
PIN(JF_E_JSON == -7);
PIN(JF_E_UNSUPPORTED == -8);
PIN(JF_E_LIMIT == -9);
PIN(JF_E_STATE == -10);

PIN(JF_LEAVE_UNSUBSCRIBED == 1);
PIN(JF_LEAVE_CLOSED == 2);
PIN(JF_LEAVE_KICKED == 3);
PIN(JF_LEAVE_UNLOADED == 4);
PIN(JF_LEAVE_SHUTDOWN == 5);

PIN(JF_LOG_ERROR == 1);
PIN(JF_LOG_WARNING == 2);
PIN(JF_LOG_INFO == 3);
PIN(JF_LOG_DEBUG == 4);

PIN_FIELD(jf_text, data, 0, 0);
PIN_FIELD(jf_text, size, 4, 8);
PIN_SIZE(jf_text, 8, 16);

PIN_FIELD(jf_param, name, 0, 0);
PIN_FIELD(jf_param, value, 8, 16);
PIN_SIZE(jf_param, 16, 32);

PIN_FIELD(jf_field, key, 0, 0);
PIN_FIELD(jf_field, value, 8, 16);
PIN_SIZE(jf_field, 16, 32);

PIN_FIELD(jf_output, size, 0, 0);
PIN_FIELD(jf_output, impl, 4, 8);
PIN_FIELD(jf_output, write, 8, 16);
PIN_SIZE(jf_output, 12, 24);

PIN_FIELD(jf_request, size, 0, 0);
PIN_FIELD(jf_request, reason, 4, 4);
PIN_FIELD(jf_request, call, 8, 8);
PIN_FIELD(jf_request, connection, 16, 16);
PIN_FIELD(jf_request, subscription, 24, 24);
PIN_FIELD(jf_request, topic, 32, 32);
PIN_FIELD(jf_request, params, 40, 48);
PIN_FIELD(jf_request, params_count, 44, 56);
PIN_FIELD(jf_request, event, 48, 64);
PIN_FIELD(jf_request, payload, 56, 80);
PIN_SIZE(jf_request, 64, 96);

PIN_FIELD(jf_connection, size, 0, 0);
PIN_FIELD(jf_connection, is_local, 4, 4);
PIN_FIELD(jf_connection, peer, 8, 8);
PIN_FIELD(jf_connection, identity, 16, 24);
PIN_FIELD(jf_connection, path, 24, 40);
PIN_FIELD(jf_connection, query, 32, 56);
PIN_SIZE(jf_connection, 40, 72);

PIN_FIELD(jf_channel, size, 0, 0);
PIN_FIELD(jf_channel, match, 4, 8);
PIN_FIELD(jf_channel, join, 8, 16);
PIN_FIELD(jf_channel, event, 12, 24);
PIN_FIELD(jf_channel, leave, 16, 32);
PIN_FIELD(jf_channel, adopt, 20, 40);
PIN_SIZE(jf_channel, 24, 48);

PIN_FIELD(jf_host, size, 0, 0);
PIN_FIELD(jf_host, minor, 4, 4);
PIN_FIELD(jf_host, impl, 8, 8);
PIN_FIELD(jf_host, version, 12, 16);
PIN_FIELD(jf_host, channel, 20, 32);
PIN_FIELD(jf_host, push, 24, 40);
PIN_FIELD(jf_host, broadcast, 28, 48);
PIN_FIELD(jf_host, reply, 32, 56);
PIN_FIELD(jf_host, kick, 36, 64);
PIN_FIELD(jf_host, post, 40, 72);
PIN_FIELD(jf_host, timer, 44, 80);
PIN_FIELD(jf_host, cancel, 48, 88);
PIN_FIELD(jf_host, now, 52, 96);
PIN_FIELD(jf_host, job, 56, 104);
PIN_FIELD(jf_host, set, 60, 112);
PIN_FIELD(jf_host, get, 64, 120);
PIN_FIELD(jf_host, subscribers, 68, 128);
PIN_FIELD(jf_host, connections, 72, 136);
PIN_FIELD(jf_host, log, 76, 144);
PIN_FIELD(jf_host, connection, 80, 152);
PIN_FIELD(jf_host, header, 84, 160);
PIN_FIELD(jf_host, extension, 88, 168);
PIN_SIZE(jf_host, 92, 176);

PIN_FIELD(jf_start, size, 0, 0);
PIN_FIELD(jf_start, state_version, 4, 4);
PIN_FIELD(jf_start, config, 8, 8);
PIN_FIELD(jf_start, state, 16, 24);
PIN_FIELD(jf_start, state_from, 24, 40);
PIN_SIZE(jf_start, 32, 56);

PIN_FIELD(jf_plugin, size, 0, 0);
PIN_FIELD(jf_plugin, minor, 4, 4);
PIN_FIELD(jf_plugin, name, 8, 8);
PIN_FIELD(jf_plugin, version, 16, 24);
PIN_FIELD(jf_plugin, description, 24, 40);
PIN_FIELD(jf_plugin, license, 32, 56);
PIN_FIELD(jf_plugin, start, 40, 72);
PIN_FIELD(jf_plugin, stop, 44, 80);
PIN_FIELD(jf_plugin, configure, 48, 88);
PIN_FIELD(jf_plugin, save, 52, 96);
PIN_FIELD(jf_plugin, resume, 56, 104);
PIN_SIZE(jf_plugin, 60, 112);
