#include "core/net/vhosts.hpp"

#include <algorithm>
#include <string_view>

namespace jackfield::net {
namespace {

// What libwebsockets reads into before a connection's own buffer, which has to hold as much.
constexpr std::size_t kLeastServiceBuffer = 4096;
// libwebsockets' own bound on a handshake stands behind the server's, which may change: it is more
// than that can be set to, an hour.
constexpr unsigned kHandshakeSeconds = 3600 + 60;

// libwebsockets has one log for the process, hence the only globals.
base::Log* lws_log = nullptr;
Counts* lws_counts = nullptr;

// libwebsockets closes a connection whose request is too large for it without a word to anybody but
// its log.
bool is_of_large_head(std::string_view line) {
  return line.find("Ran out of header data space") != line.npos ||
         line.find("More hdr frags than we can deal with") != line.npos;
}

void log_line(int level, const char* line) {
  if (lws_log == nullptr) return;
  std::string_view text(line);
  if (is_of_large_head(text)) ++lws_counts->heads_too_large;
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  // What it calls errors are mostly peers that break off or break rules: not ours to act on.
  lws_log->debug("libwebsockets", {{"lws_level", level}, {"text", text}});
}

// Empty: not said.
std::string hsts_text(const Settings& settings) {
  if (settings.tls.hsts_max_age_s == 0) return {};
  return "max-age=" + std::to_string(settings.tls.hsts_max_age_s);
}

}  // namespace

base::Status Vhosts::start(const Settings& settings, const lws_protocols* protocols, void* user) {
  const bool with_tls = has_tls(settings.listen);
  lws_log = &log_;
  lws_counts = &counts_;
  show_log();
  void* loops[] = {loop_.uv()};
  lws_context_creation_info info{};
  info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
  // OpenSSL costs time and memory at the start: only who asks for TLS pays.
  if (with_tls) info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
  info.max_http_header_data = static_cast<unsigned short>(settings.max_header_bytes);
  info.foreign_loops = loops;
  info.user = user;
  info.pcontext = &context_;
  info.timeout_secs = kHandshakeSeconds;
  info.timeout_secs_ah_idle = kHandshakeSeconds;
  static const lws_retry_bo_t no_pings{};  // the server sends its own
  info.retry_and_idle_policy = &no_pings;
  info.pt_serv_buf_size =
      static_cast<unsigned>(std::max(protocols->rx_buffer_size + LWS_PRE, kLeastServiceBuffer));
  context_ = lws_create_context(&info);
  if (context_ == nullptr) {
    return base::Status::failure("libwebsockets could not start; is its libuv support installed?");
  }
  timers_ = loop_.foreign_timers();
  info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
  info.protocols = protocols;
  if (auto status = add_plain(info); !status.is_ok() || !with_tls) return status;
  set_hsts(settings);
  return add_tls(info);
}

// libwebsockets binds a request to the first vhost of the same port, whatever that is: so it is
// another for each.
base::Status Vhosts::add_plain(lws_context_creation_info& info) {
  info.port = CONTEXT_PORT_NO_LISTEN;
  info.vhost_name = "jackfield";
  vhost_ = lws_create_vhost(context_, &info);
  if (vhost_ != nullptr) return base::Status::ok();
  return base::Status::failure("libwebsockets could not make a vhost");
}

base::Status Vhosts::add_tls(lws_context_creation_info& info) {
  info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
  info.vhost_name = "jackfield-tls";
  // It makes what a client would need, too; of that the authorities are a matter of megabytes.
  info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX |
                  LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS;
  info.alpn = "http/1.1";
  info.headers = &first_header_;
  tls_vhost_ = lws_create_vhost(context_, &info);
  if (tls_vhost_ != nullptr) return base::Status::ok();
  return base::Status::failure("libwebsockets could not make a vhost with TLS");
}

void Vhosts::apply(const Settings& settings) {
  set_hsts(settings);
  show_log();
}

void Vhosts::set_hsts(const Settings& settings) {
  hsts_ = hsts_text(settings);
  hsts_header_.name = "strict-transport-security:";
  hsts_header_.value = hsts_.c_str();
  // The vhost keeps where its list begins, for good: so that is one that may always be said (caches
  // could keep a 404 or a 405 else, RFC 9110 section 15.1).
  first_header_.name = "cache-control:";
  first_header_.value = "no-store";
  first_header_.next = hsts_.empty() ? nullptr : &hsts_header_;
}

void Vhosts::show_log() const {
  lws_set_log_level(LLL_ERR | LLL_WARN | (log_.is_on(base::LogLevel::kDebug) ? LLL_NOTICE : 0),
                    log_line);
}

void Vhosts::end() {
  timers_.clear();  // they go with it
  // On a loop of ours it goes in steps, between which its handles close: two in libwebsockets 4.1,
  // three in 4.5. It sets context_ to null at the last.
  for (int step = 0; context_ != nullptr && step < 4; ++step) {
    lws_context_destroy(context_);
    loop_.drain(100);
  }
  lws_log = nullptr;
}

bool Vhosts::add_hsts(lws* wsi, lws_process_html_args& headers) const {
  if (lws_is_ssl(wsi) == 0 || hsts_.empty()) return true;
  auto* cursor = reinterpret_cast<unsigned char*>(headers.p);
  unsigned char* const end = cursor + headers.max_len;
  const auto* const name = reinterpret_cast<const unsigned char*>(hsts_header_.name);
  const auto* const value = reinterpret_cast<const unsigned char*>(hsts_.c_str());
  const int size = static_cast<int>(hsts_.size());
  if (lws_add_http_header_by_name(wsi, name, value, size, &cursor, end) != 0) return false;
  headers.p = reinterpret_cast<char*>(cursor);
  return true;
}

// It has a timer of 30 s for what is not used here: contexts that are replaced, vhosts that wait
// for their interface. For a connection it starts it again.
void Vhosts::rest() {
  for (uv_timer_t* timer : timers_) uv_timer_stop(timer);
}

}  // namespace jackfield::net
