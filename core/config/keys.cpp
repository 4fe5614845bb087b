#include "core/config/keys.hpp"

#include <algorithm>
#include <array>

#include "core/config/access_keys.hpp"
#include "core/config/backlog_keys.hpp"
#include "core/config/endpoint.hpp"
#include "core/config/toml_text.hpp"

namespace jackfield::config {
namespace {

using TextResult = base::Result<std::string>;

constexpr int kDay = 86400;
constexpr int kHour = 3600;
constexpr int kMinute = 60;
constexpr int kYear = 365 * kDay;
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

// In quotes, since as a TOML integer 660 would be another mode.
void read_unix_mode(Field& field, const Target& target) {
  static constexpr std::string_view kForm = "an octal mode in quotes such as \"0660\"";
  const std::string* text = field.text(kForm);
  if (text == nullptr) return;
  const bool is_octal = text->find_first_not_of("01234567") == std::string::npos;
  const bool is_mode = text->size() == 3 || (text->size() == 4 && text->front() == '0');
  if (!is_octal || !is_mode) return field.refuse(kForm);
  target.config.server.unix_mode = static_cast<unsigned>(std::stoul(*text, nullptr, 8));
}

std::string show_unix_mode(const Config& config) {
  std::string text = "\"0";
  for (const unsigned shift : {6U, 3U, 0U}) {
    text += static_cast<char>('0' + ((config.server.unix_mode >> shift) & 7U));
  }
  return text + "\"";
}

// What /etc/passwd can hold, and no option of a command (useradd(8), passwd(5)).
bool is_account(const std::string& text) {
  return text.empty() || (text.front() != '-' && text.size() <= 256 &&
                          std::all_of(text.begin(), text.end(), is_visible_ascii) &&
                          text.find_first_of(":/,") == std::string::npos);
}

void read_user(Field& field, const Target& target) {
  static constexpr std::string_view kForm = "the name or number of a user, or \"\" for nobody";
  const std::string* text = field.text(kForm);
  if (text == nullptr) return;
  if (!is_account(*text)) return field.refuse(kForm);
  target.config.process.user = *text;
}

void read_group(Field& field, const Target& target) {
  static constexpr std::string_view kForm =
      "the name or number of a group, or \"\" for the user's primary group";
  const std::string* text = field.text(kForm);
  if (text == nullptr) return;
  if (!is_account(*text)) return field.refuse(kForm);
  target.config.process.group = *text;
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

// Any text.
template <class Setting>
void read_text(Field& field, const Target& target) {
  const std::string* text = field.text("a string");
  if (text != nullptr) Setting::in(target.config) = *text;
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

// The path of a file; "" where there is none.
template <class Setting>
void read_file_path(Field& field, const Target& target) {
  static constexpr std::string_view kForm = "the path of a file, or \"\" for none";
  const std::string* path = field.text(kForm);
  if (path == nullptr) return;
  if (path->empty()) return Setting::in(target.config).clear();
  if (!is_path(*path)) return field.refuse(kForm);
  Setting::in(target.config) = target.folder / *path;
}

void read_minimum_version(Field& field, const Target& target) {
  using Version = net::TlsSettings::Version;
  static constexpr std::string_view kForm = R"("1.2" or "1.3")";
  const std::string* version = field.text(kForm);
  if (version == nullptr) return;
  if (*version != "1.2" && *version != "1.3") return field.refuse(kForm);
  target.config.server.tls.minimum_version = *version == "1.3" ? Version::k1_3 : Version::k1_2;
}

void read_client_certificate(Field& field, const Target& target) {
  using ClientCertificate = net::TlsSettings::ClientCertificate;
  static constexpr std::string_view kForm = R"("none", "optional" or "required")";
  const std::string* word = field.text(kForm);
  if (word == nullptr) return;
  for (const auto choice :
       {ClientCertificate::kNone, ClientCertificate::kOptional, ClientCertificate::kRequired}) {
    if (to_toml(*word) != to_toml(choice)) continue;
    target.config.server.tls.client_certificate = choice;
    return;
  }
  field.refuse(kForm);
}

// ---- what the table is made of

// Where a setting is kept, by the members that lead to it.
template <auto... kMembers>
struct Place {
  static auto& in(Config& config) { return (config.*....*kMembers); }
  static const auto& in(const Config& config) { return (config.*....*kMembers); }
};

template <class Setting>
std::string show(const Config& config) {
  return to_toml(Setting::in(config));
}

template <class Setting>
void keep(const Config& started, Config& wanted) {
  Setting::in(wanted) = Setting::in(started);
}

template <class Setting>
void keep_at_most(const Config& started, Config& wanted) {
  Setting::in(wanted) = std::min(Setting::in(wanted), Setting::in(started));
}

using Read = void (*)(Field& field, const Target& target);

template <class Setting>
constexpr Key live(std::string_view table, std::string_view name, Read read) {
  return {table, name, read, show<Setting>, nullptr};
}

template <class Setting>
constexpr Key at_start(std::string_view table, std::string_view name, Read read) {
  return {table, name, read, show<Setting>, keep<Setting>};
}

template <class Setting, std::int64_t kLow, std::int64_t kHigh>
void read_integer(Field& field, const Target& target) {
  field.integer(Setting::in(target.config), kLow, kHigh);
}

template <class Setting, std::int64_t kLow, std::int64_t kHigh>
void read_integer_or_default(Field& field, const Target& target) {
  field.integer_or_default(Setting::in(target.config), kLow, kHigh);
}

template <class Setting, int kHigh>
void read_seconds(Field& field, const Target& target) {
  field.seconds(Setting::in(target.config), kHigh);
}

template <class Setting, int kHigh>
void read_seconds_or_off(Field& field, const Target& target) {
  field.seconds_or_off(Setting::in(target.config), kHigh);
}

template <class Setting>
void read_boolean(Field& field, const Target& target) {
  field.boolean(Setting::in(target.config));
}

template <auto kMember, std::int64_t kLow, std::int64_t kHigh>
constexpr Key limit(std::string_view name) {
  using Setting = Place<&Config::limits, kMember>;
  return live<Setting>("server", name, read_integer<Setting, kLow, kHigh>);
}

template <class Setting, int kHigh>
constexpr Key seconds(std::string_view table, std::string_view name) {
  return live<Setting>(table, name, read_seconds<Setting, kHigh>);
}

template <class Setting, int kHigh>
constexpr Key seconds_or_off(std::string_view table, std::string_view name) {
  return live<Setting>(table, name, read_seconds_or_off<Setting, kHigh>);
}

template <class Setting>
constexpr Key boolean(std::string_view table, std::string_view name) {
  return live<Setting>(table, name, read_boolean<Setting>);
}

template <auto kMember>
using OfServer = Place<&Config::server, kMember>;
template <auto kMember>
using OfTls = Place<&Config::server, &net::Settings::tls, kMember>;
template <auto kMember>
using OfProcess = Place<&Config::process, kMember>;
template <auto kMember>
using OfPlugins = Place<&Config::plugins, kMember>;

// libwebsockets' tables of descriptors are as large as the start made them: fewer connections are
// no matter, more are.
constexpr Key max_connections() {
  using Setting = Place<&Config::limits, &hub::Limits::max_connections>;
  return {"server", "max_connections", read_integer<Setting, 1, 1'000'000>, show<Setting>,
          keep_at_most<Setting>};
}

constexpr Key read_buffer_bytes() {
  using Setting = OfServer<&net::Settings::read_buffer_bytes>;
  return at_start<Setting>("server", "read_buffer_bytes",
                           read_integer_or_default<Setting, 128, 65536>);
}

template <auto kMember>
constexpr Key tls_file(std::string_view name) {
  return live<OfTls<kMember>>("tls", name, read_file_path<OfTls<kMember>>);
}

constexpr Key unix_mode() {
  return {"server", "unix_mode", read_unix_mode, show_unix_mode,
          keep<OfServer<&net::Settings::unix_mode>>};
}

template <auto kMember>
using OfAccess = Place<&Config::access, kMember>;

template <auto kMember>
constexpr Key access_text(std::string_view table, std::string_view name) {
  return live<OfAccess<kMember>>(table, name, read_text<OfAccess<kMember>>);
}

using Access = access::Settings;
using net::Settings;
using net::TlsSettings;
using Process = daemon::Settings;
using Plugins = plugin::Settings;

constexpr auto kTable = std::to_array<Key>({
    at_start<OfServer<&Settings::listen>>("server", "listen", read_listen),
    unix_mode(),
    live<OfServer<&Settings::path>>("server", "path", read_path),
    live<OfAccess<&Access::origins>>("server", "origins", read_origins),
    max_connections(),
    live<OfServer<&Settings::max_connections_per_address>>(
        "server", "max_connections_per_address",
        read_integer<OfServer<&Settings::max_connections_per_address>, 0, 1'000'000>),
    seconds_or_off<OfServer<&Settings::ping_interval>, kDay>("server", "ping_interval_s"),
    seconds<OfServer<&Settings::ping_timeout>, kDay>("server", "ping_timeout_s"),
    seconds<OfServer<&Settings::handshake_timeout>, kHour>("server", "handshake_timeout_s"),
    seconds_or_off<OfServer<&Settings::first_message_timeout>, kDay>("server",
                                                                     "first_message_timeout_s"),
    seconds<OfServer<&Settings::close_timeout>, kHour>("server", "close_timeout_s"),
    seconds<OfServer<&Settings::shutdown_timeout>, kHour>("server", "shutdown_timeout_s"),
    at_start<OfServer<&Settings::max_header_bytes>>(
        "server", "max_header_bytes",
        read_integer<OfServer<&Settings::max_header_bytes>, 1024, 16384>),
    limit<&hub::Limits::max_message_bytes, 1024, kGiB>("max_message_bytes"),
    limit<&hub::Limits::max_topic_bytes, 1, 65536>("max_topic_bytes"),
    limit<&hub::Limits::max_event_bytes, 1, 65536>("max_event_bytes"),
    limit<&hub::Limits::max_json_depth, 1, 1'000'000>("max_json_depth"),
    limit<&hub::Limits::max_incoming_bytes, 65536, kGiB>("max_incoming_bytes"),
    limit<&hub::Limits::max_messages_per_s, 0, 1'000'000>("max_messages_per_s"),
    limit<&hub::Limits::max_bytes_per_s, 0, kGiB>("max_bytes_per_s"),
    limit<&hub::Limits::max_subscriptions, 1, 1'000'000>("max_subscriptions"),
    limit<&hub::Limits::max_subscribes_per_s, 0, 1'000'000>("max_subscribes_per_s"),
    limit<&hub::Limits::soft_outbox_bytes, 1024, kGiB>("soft_outbox_bytes"),
    limit<&hub::Limits::max_outbox_bytes, 1024, kGiB>("max_outbox_bytes"),
    limit<&hub::Limits::max_outboxes_bytes, 65536, kGiB>("max_outboxes_bytes"),
    read_buffer_bytes(),
    live<OfServer<&Settings::forward_headers>>("server", "forward_headers", read_forward_headers),
    tls_file<&TlsSettings::certificate>("certificate"),
    tls_file<&TlsSettings::key>("key"),
    live<OfTls<&TlsSettings::minimum_version>>("tls", "minimum_version", read_minimum_version),
    tls_file<&TlsSettings::client_ca>("client_ca"),
    live<OfTls<&TlsSettings::client_certificate>>("tls", "client_certificate",
                                                  read_client_certificate),
    live<OfTls<&TlsSettings::hsts_max_age_s>>(
        "tls", "hsts_max_age_s", read_integer<OfTls<&TlsSettings::hsts_max_age_s>, 0, 10 * kYear>),
    at_start<OfProcess<&Process::user>>("process", "user", read_user),
    at_start<OfProcess<&Process::group>>("process", "group", read_group),
    live<Place<&Config::backlog>>("", "backlog", read_backlog),
    live<OfAccess<&Access::tokens>>("auth", "tokens", read_file_path<OfAccess<&Access::tokens>>),
    boolean<OfAccess<&Access::required>>("auth", "required"),
    boolean<OfAccess<&Access::close_expired>>("auth", "close_expired"),
    boolean<OfAccess<&Access::unix_peers>>("auth", "unix_peers"),
    live<OfAccess<&Access::query_parameter>>("auth", "query_parameter", read_query_parameter),
    live<OfAccess<&Access::cookie>>("auth", "cookie", read_cookie),
    live<OfAccess<&Access::subprotocol_prefix>>("auth", "subprotocol_prefix",
                                                read_subprotocol_prefix),
    access_text<&Access::jwt_issuer>("jwt", "issuer"),
    access_text<&Access::jwt_audience>("jwt", "audience"),
    seconds_or_off<OfAccess<&Access::jwt_leeway>, kHour>("jwt", "leeway_s"),
    access_text<&Access::jwt_groups_claim>("jwt", "groups_claim"),
    boolean<OfAccess<&Access::jwt_exp_required>>("jwt", "exp_required"),
    live<OfAccess<&Access::jwt_keys>>("jwt", "keys", read_jwt_keys),
    live<OfAccess<&Access::rules>>("", "access", read_access),
    live<Place<&Config::log_level>>("log", "level", read_level),
    boolean<Place<&Config::watch>>("configuration", "watch"),
    at_start<OfPlugins<&Plugins::directory>>("plugins", "directory", read_directory),
    live<OfPlugins<&Plugins::order>>("plugins", "order", read_order),
    boolean<OfPlugins<&Plugins::allow_writable_by_others>>("plugins", "allow_writable_by_others"),
    at_start<OfPlugins<&Plugins::runtime_directory>>("plugins", "runtime_directory",
                                                     read_runtime_directory),
    boolean<OfPlugins<&Plugins::watch>>("plugins", "watch"),
    seconds<OfPlugins<&Plugins::quiet>, kMinute>("plugins", "quiet_s"),
    seconds_or_off<OfPlugins<&Plugins::scan_interval>, kDay>("plugins", "scan_interval_s"),
    seconds<OfPlugins<&Plugins::start_timeout>, kHour>("plugins", "start_timeout_s"),
    seconds<OfPlugins<&Plugins::drain_timeout>, kHour>("plugins", "drain_timeout_s"),
    seconds<OfPlugins<&Plugins::stop_timeout>, kHour>("plugins", "stop_timeout_s"),
    seconds<OfPlugins<&Plugins::callback_budget>, kHour>("plugins", "callback_budget_s"),
    live<OfPlugins<&Plugins::crash_limit>>("plugins", "crash_limit",
                                           read_integer<OfPlugins<&Plugins::crash_limit>, 0, 1000>),
    seconds<OfPlugins<&Plugins::crash_window>, kDay>("plugins", "crash_window_s"),
});

}  // namespace

const std::span<const Key> kKeys = kTable;

}  // namespace jackfield::config
