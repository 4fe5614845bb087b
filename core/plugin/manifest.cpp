#include "core/plugin/manifest.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "core/plugin/settings.hpp"
#include "core/plugin/text.hpp"
#include "core/wire/utf8.hpp"

namespace jackfield::plugin {
namespace {

// Up to the last field that must be there. A table may be larger than this server's: then it was
// built for a later minor version, whose fields are not read.
constexpr std::size_t kSmallest = offsetof(jf_plugin, start) + sizeof(jf_plugin::start);
constexpr std::size_t kMaxText = 1024;

bool is_line(std::string_view text) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' '; };
  return text.size() <= kMaxText && wire::is_utf8(text) &&
         std::none_of(text.begin(), text.end(), is_control);
}

}  // namespace

base::Result<Manifest> Manifest::read(const jf_plugin& table) {
  const auto refuse = [](std::string why) {
    return base::Result<Manifest>::failure(std::move(why));
  };
  if (table.size < kSmallest || table.size > (1U << 20)) {
    return refuse("its table says " + std::to_string(table.size) + " octets (ABI 1." +
                  std::to_string(table.minor) + "); ABI " + std::to_string(JF_ABI_MAJOR) + "." +
                  std::to_string(JF_ABI_MINOR) + " has " + std::to_string(kSmallest) + " at least");
  }
  for (const jf_text* text : {&table.name, &table.version, &table.description, &table.license}) {
    if (!is_valid(*text) || !is_line(view(*text))) {
      return refuse("a text of its table is malformed: one line of UTF-8 each, up to 1024 octets");
    }
  }
  if (!is_plugin_name(view(table.name))) {
    return refuse("its name \"" + std::string(view(table.name)) +
                  "\" is not of the form [a-z][a-z0-9_-]{0,31}");
  }
  if (table.version.size > 64) return refuse("its version is longer than 64 octets");
  if (table.start == nullptr) return refuse("its table has no start function");
  Manifest manifest;
  manifest.name = view(table.name);
  manifest.version = view(table.version);
  manifest.description = view(table.description);
  manifest.license = view(table.license);
  manifest.minor = table.minor;
  std::memcpy(&manifest.functions, &table, std::min<std::size_t>(table.size, sizeof table));
  return manifest;
}

}  // namespace jackfield::plugin
