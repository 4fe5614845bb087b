#include "core/net/watch_client.hpp"

#include <libwebsockets.h>
#include <netdb.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/base/descriptor.hpp"
#include "core/base/result.hpp"
#include "core/net/tls_client.hpp"
#include "core/wire/json_text.hpp"
#include "core/wire/utf8.hpp"

namespace jackfield::net {
namespace {

constexpr int kOk = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kNoConnection = 3;

constexpr const char* kProtocolName = "jackfield-watch";
constexpr unsigned kConnectTimeoutSeconds = 10;
constexpr unsigned kCloseTimeoutSeconds = 3;
constexpr std::size_t kReceiveBytes = 16384;
constexpr std::size_t kMaxMessageBytes = std::size_t{64} << 20;
constexpr std::string_view kUnixPrefix = "unix:";
constexpr std::string_view kScheme = "ws://";
constexpr std::string_view kTlsScheme = "wss://";
constexpr unsigned kSwitchingProtocols = 101;

constexpr unsigned kCloseNormal = 1000;  // RFC 6455 section 7.4.1
constexpr unsigned kCloseGoingAway = 1001;
constexpr unsigned kCloseNoCode = 1005;

void complain(const std::string& sentence) {
  std::fprintf(stderr, "jackfield: %s\n", sentence.c_str());
}

// ---- The URL ------------------------------------------------------------------------------------

struct Url {
  std::string text;
  bool is_unix = false;
  bool is_tls = false;
  std::string host;  // without brackets; the socket's path where is_unix
  std::uint16_t port = 80;
  std::string host_header;
  std::string path = "/";
};

base::Result<Url> refuse_url(std::string_view text, const std::string& why) {
  return base::Result<Url>::failure("the URL \"" + std::string(text) + "\" " + why);
}

base::Result<Url> parse_unix_url(std::string_view text) {
  Url url;
  url.text = std::string(text);
  url.is_unix = true;
  url.host = std::string(text.substr(kUnixPrefix.size()));
  url.host_header = "localhost";
  constexpr std::size_t kMaxPath = sizeof(sockaddr_un{}.sun_path) - 1;
  if (url.host.size() < 2 || url.host.front() != '/' || url.host.size() > kMaxPath) {
    return refuse_url(text, "must have an absolute path of at most " + std::to_string(kMaxPath) +
                                " octets behind unix:");
  }
  return url;
}

base::Result<Url> parse_url(std::string_view text) {
  // Anything else could end the request's line or header.
  const bool is_visible =
      std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (text.starts_with(kUnixPrefix)) return parse_unix_url(text);
  const bool is_tls = text.starts_with(kTlsScheme);
  const std::string_view scheme = is_tls ? kTlsScheme : kScheme;
  if (!is_visible || !text.starts_with(scheme) || text.find('#') != std::string_view::npos) {
    return refuse_url(text, "must be ws://HOST[:PORT][/PATH], wss://... or unix:/PATH");
  }
  std::string_view rest = text.substr(scheme.size());
  const std::size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, authority_end);
  rest.remove_prefix(authority_end);

  Url url;
  url.text = std::string(text);
  url.is_tls = is_tls;
  url.port = is_tls ? 443 : 80;
  url.host_header = std::string(authority);
  if (!rest.empty()) url.path = (rest.front() == '/' ? "" : "/") + std::string(rest);
  const std::size_t host_end = authority.starts_with('[') ? authority.find(']') : 0;
  if (host_end == std::string_view::npos) return refuse_url(text, "has no ] for its [");
  const std::size_t colon = authority.find(':', host_end);
  if (colon != std::string_view::npos) {
    const std::string_view port = authority.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (error != std::errc() || end != port.data() + port.size() || url.port == 0) {
      return refuse_url(text, "must have a port from 1 to 65535");
    }
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[')) {
    if (!authority.ends_with(']')) return refuse_url(text, "has something behind its ]");
    authority = authority.substr(1, authority.size() - 2);
  }
  if (authority.empty() || authority.find_first_of("@[]") != std::string_view::npos) {
    return refuse_url(text, "must be ws://HOST[:PORT][/PATH], wss://... or unix:/PATH");
  }
  url.host = std::string(authority);
  return url;
}

// ---- Why there is no connection -----------------------------------------------------------------

// Connects once more, to hear the reason; 0 where that works.
int connect_error(int family, const sockaddr* address, socklen_t size) {
  const base::Descriptor socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return errno;
  const timeval timeout{2, 0};  // Linux bounds a connect by it, socket(7)
  ::setsockopt(socket.number(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
  const int error = ::connect(socket.number(), address, size) == 0 ? 0 : errno;
  return error == EINPROGRESS ? ETIMEDOUT : error;
}

// libwebsockets keeps the reason to itself in most cases; empty where none is found now either.
std::string find_reason(const Url& url) {
  int error = 0;
  if (url.is_unix) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    url.host.copy(address.sun_path, sizeof(address.sun_path) - 1);
    error = connect_error(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  } else {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int failure =
        ::getaddrinfo(url.host.c_str(), std::to_string(url.port).c_str(), &hints, &found);
    if (failure != 0) return ::gai_strerror(failure);
    error = connect_error(found->ai_family, found->ai_addr, found->ai_addrlen);
    ::freeaddrinfo(found);
  }
  return error == 0 ? std::string() : std::generic_category().message(error);
}

// ---- The client ---------------------------------------------------------------------------------

class Watch {
 public:
  // `tls`: null where the URL wants none.
  Watch(const WatchOptions& options, Url url, std::unique_ptr<TlsClient> tls);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  int run();

 private:
  // Leads from lws's timer back to its owner: `entry` is the first member.
  struct Timer {
    lws_sorted_usec_list_t entry{};
    Watch* owner = nullptr;
  };

  static int on_event(lws* wsi, lws_callback_reasons reason, void* user, void* in,
                      std::size_t size);
  static void on_timeout(lws_sorted_usec_list_t* entry);

  bool take_signals(lws_vhost* vhost);
  void connect(lws_vhost* vhost);

  bool add_headers(lws* wsi, unsigned char** cursor, std::size_t room);
  void on_connection_error(std::string_view reason);
  void on_established();
  void on_receive(std::string_view piece);
  int on_writable();
  void on_peer_close(std::string_view payload);
  void on_closed();
  void on_signal(int descriptor);

  void print(const std::string& message);
  void begin_close(lws_close_status code, int exit_code);
  void start_timer(unsigned seconds);
  void finish(int exit_code);

  const WatchOptions& options_;
  const Url url_;
  const std::unique_ptr<TlsClient> tls_;
  sigset_t signals_before_{};
  int signals_ = -1;  // closed with the context once lws has it
  lws_context* context_ = nullptr;
  lws* wsi_ = nullptr;
  Timer timer_;  // of the connecting, later of the closing

  std::deque<std::string> outgoing_;
  std::string incoming_;  // the message so far
  std::uint64_t printed_ = 0;
  bool is_open_ = false;
  bool is_closing_ = false;   // what comes now counts no more
  bool wants_close_ = false;  // at the next writable
  lws_close_status close_code_ = LWS_CLOSE_STATUS_NORMAL;
  bool is_finished_ = false;
  int exit_code_ = kOk;
};

Watch::Watch(const WatchOptions& options, Url url, std::unique_ptr<TlsClient> tls)
    : options_(options), url_(std::move(url)), tls_(std::move(tls)) {
  for (const std::string& topic : options_.topics) {
    std::string message = "[";
    wire::append_quoted(topic, message);
    message += ",\"subscribe\",{}]";
    outgoing_.push_back(std::move(message));
  }
  outgoing_.insert(outgoing_.end(), options_.send.begin(), options_.send.end());
  timer_.owner = this;

  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGINT);
  ::sigaddset(&signals, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &signals, &signals_before_);
  signals_ = ::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
}

Watch::~Watch() {
  if (context_ != nullptr) {
    lws_sul_cancel(&timer_.entry);
    lws_context_destroy(context_);
  }
  if (signals_ >= 0) ::close(signals_);
  ::sigprocmask(SIG_SETMASK, &signals_before_, nullptr);
}

int Watch::run() {
  lws_set_log_level(0, nullptr);
  std::array<lws_protocols, 2> protocols{};
  protocols[0].name = kProtocolName;
  protocols[0].callback = &Watch::on_event;
  protocols[0].rx_buffer_size = kReceiveBytes;

  lws_context_creation_info info{};
  info.port = CONTEXT_PORT_NO_LISTEN;
  info.protocols = protocols.data();
  info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
  if (tls_ != nullptr) {
    info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    info.provided_client_ssl_ctx = tls_->context();
  }
  info.user = this;
  info.fd_limit_per_thread = 16;  // else lws makes tables for all that ulimit allows
  info.http_proxy_address = "";   // else lws goes by way of $http_proxy
  context_ = lws_create_context(&info);
  lws_vhost* vhost = context_ == nullptr ? nullptr : lws_create_vhost(context_, &info);
  if (vhost == nullptr || !take_signals(vhost)) {
    complain("watch cannot start: libwebsockets refuses");
    return kFailed;
  }
  connect(vhost);
  while (!is_finished_) {
    if (lws_service(context_, 0) < 0) finish(kFailed);
  }
  return exit_code_;
}

bool Watch::take_signals(lws_vhost* vhost) {
  lws_sock_file_fd_type descriptor{};
  descriptor.filefd = signals_;
  const bool taken =
      signals_ >= 0 && lws_adopt_descriptor_vhost(vhost, LWS_ADOPT_RAW_FILE_DESC, descriptor,
                                                  kProtocolName, nullptr) != nullptr;
  if (taken) signals_ = -1;
  return taken;
}

void Watch::connect(lws_vhost* vhost) {
  const std::string address = url_.is_unix ? "+" + url_.host : url_.host;
  lws_client_connect_info info{};
  info.context = context_;
  info.vhost = vhost;
  info.address = address.c_str();
  info.port = url_.is_unix ? 0 : url_.port;
  info.path = url_.path.c_str();
  info.host = url_.host_header.c_str();
  info.ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT;
  if (tls_ != nullptr) {
    // Whom the certificate must name is tls_'s matter: libwebsockets cuts an IPv6 address short.
    info.ssl_connection |= LCCSCF_USE_SSL | LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK;
    info.alpn = "http/1.1";
  }
  info.local_protocol_name = kProtocolName;
  info.pwsi = &wsi_;
  start_timer(kConnectTimeoutSeconds);
  if (lws_client_connect_via_info(&info) == nullptr && !is_finished_) on_connection_error("");
}

// All reasons for all of the context's descriptors come here.
int Watch::on_event(lws* wsi, lws_callback_reasons reason, void* user, void* in, std::size_t size) {
  Watch* const self = static_cast<Watch*>(lws_context_user(lws_get_context(wsi)));
  const std::string_view bytes(static_cast<const char*>(in), in == nullptr ? 0 : size);
  switch (reason) {
    case LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION:
      return self->tls_->judge(static_cast<X509_STORE_CTX*>(user), size != 0) ? 0 : -1;
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
      return self->add_headers(wsi, static_cast<unsigned char**>(in), size) ? 0 : -1;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR: self->on_connection_error(bytes); return 0;
    case LWS_CALLBACK_CLIENT_ESTABLISHED: self->on_established(); return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE: self->on_receive(bytes); return 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE: return self->on_writable();
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: self->on_peer_close(bytes); return 0;
    case LWS_CALLBACK_CLIENT_CLOSED: self->on_closed(); return 0;
    case LWS_CALLBACK_RAW_RX_FILE: self->on_signal(lws_get_socket_fd(wsi)); return 0;
    default: return lws_callback_http_dummy(wsi, reason, user, in, size);
  }
}

bool Watch::add_headers(lws* wsi, unsigned char** cursor, std::size_t room) {
  unsigned char* const end = *cursor + room;
  const auto add = [&](const std::string& name, const std::string& value) {
    return lws_add_http_header_by_name(wsi, reinterpret_cast<const unsigned char*>(name.c_str()),
                                       reinterpret_cast<const unsigned char*>(value.c_str()),
                                       static_cast<int>(value.size()), cursor, end) == 0;
  };
  if (!options_.token.empty() && !add("authorization:", "Bearer " + options_.token)) return false;
  return std::all_of(options_.headers.begin(), options_.headers.end(),
                     [&](const std::string& header) {
                       const std::size_t colon = header.find(':');
                       const std::size_t value = header.find_first_not_of(' ', colon + 1);
                       return add(header.substr(0, colon + 1),
                                  value == std::string::npos ? "" : header.substr(value));
                     });
}

void Watch::on_connection_error(std::string_view reason) {
  if (is_finished_) return;
  std::string why(reason);
  const unsigned status = wsi_ == nullptr ? 0 : lws_http_client_http_response(wsi_);
  if (status != 0 && status != kSwitchingProtocols) {
    why = "the answer is HTTP " + std::to_string(status) + ", not a WebSocket";
  } else if (const std::string failed = tls_ == nullptr ? "" : tls_->reason(); !failed.empty()) {
    why = failed;
  } else if (const std::string found = find_reason(url_); !found.empty()) {
    why = found;
  } else if (why.empty()) {
    why = "no WebSocket was opened";
  }
  wsi_ = nullptr;
  complain("cannot connect to " + url_.text + ": " + why);
  finish(kNoConnection);
}

void Watch::on_established() {
  is_open_ = true;
  lws_sul_cancel(&timer_.entry);
  lws_callback_on_writable(wsi_);
}

void Watch::on_receive(std::string_view piece) {
  if (is_closing_) return;
  if (incoming_.size() + piece.size() > kMaxMessageBytes) {
    complain("a message is longer than " + std::to_string(kMaxMessageBytes) + " octets");
    return begin_close(LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, kFailed);
  }
  incoming_ += piece;
  const bool is_whole = lws_is_final_fragment(wsi_) != 0 && lws_remaining_packet_payload(wsi_) == 0;
  if (is_whole) print(std::exchange(incoming_, {}));
}

void Watch::print(const std::string& message) {
  // JSON has control characters only between its tokens, where each of them may be a space.
  std::string line = message;
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c >= 0 && c < ' '; }, ' ');
  line += '\n';
  const bool written =
      std::fwrite(line.data(), 1, line.size(), stdout) == line.size() && std::fflush(stdout) == 0;
  if (!written) {
    // Who reads has seen enough: `jackfield watch ... | head -n 1`.
    const bool is_broken_pipe = errno == EPIPE;
    if (!is_broken_pipe) complain("cannot write: " + std::generic_category().message(errno));
    return begin_close(LWS_CLOSE_STATUS_NORMAL, is_broken_pipe ? kOk : kFailed);
  }
  ++printed_;
  if (printed_ == options_.count) begin_close(LWS_CLOSE_STATUS_NORMAL, kOk);
}

// The Close goes out at the next writable, never by the result of a receive callback: after that
// libwebsockets 4.1.6 writes past its buffer where more of the same frame comes.
void Watch::begin_close(lws_close_status code, int exit_code) {
  is_closing_ = true;
  wants_close_ = true;
  close_code_ = code;
  exit_code_ = exit_code;
  lws_callback_on_writable(wsi_);
  start_timer(kCloseTimeoutSeconds);
}

int Watch::on_writable() {
  if (wants_close_) {
    wants_close_ = false;
    lws_close_reason(wsi_, close_code_, nullptr, 0);
    return -1;
  }
  if (is_closing_ || outgoing_.empty()) return 0;
  const std::string& message = outgoing_.front();
  std::string buffer(LWS_PRE, '\0');
  buffer += message;
  auto* const begin = reinterpret_cast<unsigned char*>(buffer.data()) + LWS_PRE;
  if (lws_write(wsi_, begin, message.size(), LWS_WRITE_TEXT) < 0) return -1;
  outgoing_.pop_front();
  if (!outgoing_.empty()) lws_callback_on_writable(wsi_);
  return 0;
}

void Watch::start_timer(unsigned seconds) {
  lws_sul_schedule(context_, 0, &timer_.entry, &Watch::on_timeout,
                   static_cast<lws_usec_t>(seconds) * LWS_US_PER_SEC);
}

void Watch::on_timeout(lws_sorted_usec_list_t* entry) {
  Watch* const self = reinterpret_cast<Timer*>(entry)->owner;
  if (self->is_open_) return self->finish(self->exit_code_);
  complain("cannot connect to " + self->url_.text + ": no answer for " +
           std::to_string(kConnectTimeoutSeconds) + " seconds");
  self->finish(kNoConnection);
}

// libwebsockets (4.1 to 4.5) turns the codes 1012 to 1014 into 1002 before it shows them; the
// server's reason stays, so both are printed.
void Watch::on_peer_close(std::string_view payload) {
  if (is_closing_) return;
  unsigned code = kCloseNoCode;
  if (payload.size() >= 2) {
    code = static_cast<unsigned>(static_cast<unsigned char>(payload[0]) << 8 |
                                 static_cast<unsigned char>(payload[1]));
    payload.remove_prefix(2);
  }
  std::string sentence = "closed by the server: " + std::to_string(code);
  if (!payload.empty()) sentence += " " + std::string(payload);
  complain(sentence);
  is_closing_ = true;
  const bool is_normal = code == kCloseNormal || code == kCloseGoingAway || code == kCloseNoCode;
  exit_code_ = is_normal ? kOk : kFailed;
}

void Watch::on_closed() {
  wsi_ = nullptr;
  if (is_finished_) return;
  if (is_closing_) return finish(exit_code_);
  complain("the connection to " + url_.text + " was lost");
  finish(kFailed);
}

void Watch::on_signal(int descriptor) {
  signalfd_siginfo signal{};
  if (::read(descriptor, &signal, sizeof(signal)) != static_cast<ssize_t>(sizeof(signal))) return;
  if (!is_open_ || is_closing_) return finish(is_open_ ? exit_code_ : kFailed);
  begin_close(LWS_CLOSE_STATUS_NORMAL, kOk);
}

void Watch::finish(int exit_code) {
  is_finished_ = true;
  exit_code_ = exit_code;
  lws_cancel_service(context_);  // timers run before the loop waits
}

// What could end the request's line or header is none (RFC 9110 section 5).
bool is_header(std::string_view header) {
  const std::size_t colon = header.find(':');
  const auto is_of_name = [](char c) {
    return c > ' ' && c < 0x7f &&
           std::string_view("\"(),/:;<=>?@[\\]{}").find(c) == std::string_view::npos;
  };
  const auto is_of_value = [](char c) { return c == '\t' || (c >= ' ' && c != 0x7f) || c < 0; };
  return colon != std::string_view::npos && colon > 0 &&
         std::all_of(header.begin(), header.begin() + static_cast<std::ptrdiff_t>(colon),
                     is_of_name) &&
         std::all_of(header.begin() + static_cast<std::ptrdiff_t>(colon), header.end(),
                     is_of_value);
}

base::Status check_headers(const WatchOptions& options) {
  const bool is_token = std::all_of(options.token.begin(), options.token.end(),
                                    [](char c) { return c > ' ' && c < 0x7f; });
  if (!is_token) return base::Status::failure("the token has characters that no token has");
  for (const std::string& header : options.headers) {
    if (!is_header(header)) {
      return base::Status::failure("a header is written as 'Name: value'");
    }
  }
  return base::Status::ok();
}

base::Status check_texts(const WatchOptions& options) {
  for (const auto* texts : {&options.topics, &options.send}) {
    for (const std::string& text : *texts) {
      if (!wire::is_utf8(text)) return base::Status::failure("\"" + text + "\" is not UTF-8");
    }
  }
  return base::Status::ok();
}

}  // namespace

int watch(const WatchOptions& options) {
  base::Result<Url> url = parse_url(options.url);
  base::Status texts = check_texts(options);
  if (texts.is_ok()) texts = check_headers(options);
  if (!url.is_ok() || !texts.is_ok()) {
    complain(url.is_ok() ? texts.message() : url.message());
    return kUsage;
  }
  std::unique_ptr<TlsClient> tls;
  if (url.value().is_tls) {
    const auto trust = options.is_insecure ? TlsClient::Trust::kBlind : TlsClient::Trust::kVerified;
    auto made = TlsClient::make(url.value().host, options.authorities, trust);
    if (!made.is_ok()) {
      complain(made.message());
      return kUsage;
    }
    tls = std::move(made.value());
    if (options.is_insecure) {
      complain("warning: --insecure: whoever answers at " + url.value().text +
               " is believed, and may read and change everything");
    }
  }
  return Watch(options, std::move(url.value()), std::move(tls)).run();
}

}  // namespace jackfield::net
