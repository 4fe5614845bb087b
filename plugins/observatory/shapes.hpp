// What the observatory's payloads and its configuration have to look like (observatory.md).
#pragma once

#include <jackfield_json.hpp>

#include <cstddef>
#include <string_view>

namespace observatory {

// A session is sent in every list, so its own data is held small.
constexpr std::size_t kMaxSessionJson = 16384;

// Whether `text` is a date, or a date and a time, of ISO 8601: 2026-11-23, 2026-11-23T04:00Z,
// 2026-11-23T04:00:00.000+01:00. A space may stand for the T (RFC 3339, 5.6), the zone may be left
// out.
bool is_iso_time(std::string_view text);

// The payloads, by event.
jf::Want list_sessions();
jf::Want session_started();
jf::Want session_ended();
jf::Want thought_added();
jf::Want thought_revised();
jf::Want thought_branched();

// What the store hands over to the next generation of the plugin.
jf::Want state();

// The plugin's table but for `producers`, which has more than one form.
jf::Want configuration();

}  // namespace observatory
