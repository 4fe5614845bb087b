#include "core/config/keys.hpp"

#include <algorithm>

#include "core/config/endpoint.hpp"

namespace jackfield::config {
namespace {

using TextResult = base::Result<std::string>;

constexpr int kDay = 86400;
constexpr int kHour = 3600;
constexpr std::int64_t kGiB = 1 << 30;

TextResult refuse(std::string_view right_form, const std::string& text) {
  return TextResult::failure("must be " + std::string(right_form) + ", is " + describe(text));
}

bool is_visible_ascii(char c) { return c > ' ' && c < 0x7f; }

// The characters of a header's name (RFC 9110 section 5.6.2, token).
bool is_token_character(char c) {
  return is_visible_ascii(c) &&
         std::string_view("\"(),/:;<=>?@[\\]{}").find(c) == std::string_view::npos;
}

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

void read_listen(Field& field, const Target& target) {
  std::vector<std::string> texts;
  std::vector<net::Endpoint> endpoints;
  field.texts(texts, "a list of strings such as \"127.0.0.1:3001\", \"[::1]:3001\", \"unix:/path\"",
              [&endpoints](const std::string& text) {
                base::Result<net::Endpoint> endpoint = parse_endpoint(text);
                if (!endpoint.is_ok()) return TextResult::failure(endpoint.message());
                std::string kept = net::to_text(endpoint.value());
                // Whoever asks twice for any free port gets two.
                const bool is_any = endpoint.value().kind != net::Endpoint::Kind::kUnix &&
                                    endpoint.value().port == 0;
                if (is_any) kept += "#" + std::to_string(endpoints.size());
                endpoints.push_back(std::move(endpoint.value()));
                return TextResult(std::move(kept));
              });
  if (field.value().kind == Value::Kind::kList && field.value().items.empty()) {
    field.refuse("a list of at least one address to listen on");
  }
  target.config.server.listen = std::move(endpoints);
}

void read_path(Field& field, const Target& target) {
  static constexpr std::string_view kForm =
      "\"\" for any path, or a path such as \"/ws\" without a query";
  const std::string* path = field.text(kForm);
  if (path == nullptr) return;
  const bool ok =
      path->empty() || (path->front() == '/' && path->find_first_of("?#") == std::string::npos &&
                        std::all_of(path->begin(), path->end(), is_visible_ascii));
  if (!ok) return field.refuse(kForm);
  target.config.server.path = *path;
}

void read_forward_headers(Field& field, const Target& target) {
  static constexpr std::string_view kForm = "a list of header names such as \"x-real-ip\"";
  field.texts(target.config.server.forward_headers, kForm, [](const std::string& text) {
    if (text.empty() || !std::all_of(text.begin(), text.end(), is_token_character)) {
      return refuse("the name of a header", text);
    }
    std::string name = text;
    std::transform(name.begin(), name.end(), name.begin(), to_lower);
    return TextResult(std::move(name));
  });
}

void read_level(Field& field, const Target& target) {
  static constexpr std::string_view kForm = R"("error", "warning", "info" or "debug")";
  const std::string* name = field.text(kForm);
  if (name == nullptr) return;
  const auto level = base::log_level_from_name(*name);
  if (!level) return field.refuse(kForm);
  target.config.log_level = *level;
}

bool is_path(const std::string& text) {
  return !text.empty() && text.find('\0') == std::string::npos;
}

void read_directory(Field& field, const Target& target) {
  static constexpr std::string_view kForm = "the path of a folder";
  const std::string* path = field.text(kForm);
  if (path == nullptr) return;
  if (!is_path(*path)) return field.refuse(kForm);
  target.config.plugins.directory = target.folder / *path;
}

void read_runtime_directory(Field& field, const Target& target) {
  static constexpr std::string_view kForm = "the path of a folder, or \"\" for the default";
  const std::string* path = field.text(kForm);
  if (path == nullptr) return;
  if (path->empty()) return target.config.plugins.runtime_directory.clear();
  if (!is_path(*path)) return field.refuse(kForm);
  target.config.plugins.runtime_directory = target.folder / *path;
}

void read_order(Field& field, const Target& target) {
  static constexpr std::string_view kForm =
      "a list of plugin files without folder and \".so\", such as \"echo\"";
  field.texts(target.config.plugins.order, kForm, [](const std::string& text) {
    const bool ok = is_path(text) && text.find('/') == std::string::npos && text.front() != '.';
    if (!ok) return refuse("the name of a plugin's file without folder and \".so\"", text);
    static constexpr std::string_view kSuffix = ".so";
    if (text.ends_with(kSuffix)) {
      return refuse("written without \".so\"", text);
    }
    return TextResult(text);
  });
}

}  // namespace

const std::array<Key, kKeysCount> kKeys = {{
    {"server", "listen", read_listen},
    {"server", "path", read_path},
    {"server", "max_connections",
     [](Field& field, const Target& target) {
       field.integer(target.config.limits.max_connections, 1, 1'000'000);
     }},
    {"server", "ping_interval_s",
     [](Field& field, const Target& target) {
       field.seconds_or_off(target.config.server.ping_interval, kDay);
     }},
    {"server", "ping_timeout_s",
     [](Field& field, const Target& target) {
       field.seconds(target.config.server.ping_timeout, kDay);
     }},
    {"server", "handshake_timeout_s",
     [](Field& field, const Target& target) {
       field.seconds(target.config.server.handshake_timeout, kHour);
     }},
    {"server", "close_timeout_s",
     [](Field& field, const Target& target) {
       field.seconds(target.config.server.close_timeout, kHour);
     }},
    {"server", "shutdown_timeout_s",
     [](Field& field, const Target& target) {
       field.seconds(target.config.server.shutdown_timeout, kHour);
     }},
    {"server", "max_message_bytes",
     [](Field& field, const Target& target) {
       field.integer(target.config.limits.max_message_bytes, 1024, kGiB);
     }},
    {"server", "max_topic_bytes",
     [](Field& field, const Target& target) {
       field.integer(target.config.limits.max_topic_bytes, 1, 65536);
     }},
    {"server", "max_event_bytes",
     [](Field& field, const Target& target) {
       field.integer(target.config.limits.max_event_bytes, 1, 65536);
     }},
    {"server", "max_subscriptions",
     [](Field& field, const Target& target) {
       field.integer(target.config.limits.max_subscriptions, 1, 1'000'000);
     }},
    {"server", "max_outbox_bytes",
     [](Field& field, const Target& target) {
       field.integer(target.config.limits.max_outbox_bytes, 1024, kGiB);
     }},
    {"server", "forward_headers", read_forward_headers},
    {"log", "level", read_level},
    {"plugins", "directory", read_directory},
    {"plugins", "order", read_order},
    {"plugins", "runtime_directory", read_runtime_directory},
}};

}  // namespace jackfield::config
