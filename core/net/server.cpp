#include "core/net/server.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <exception>
#include <optional>
#include <utility>

#include "core/net/heartbeat.hpp"

namespace jackfield::net {
namespace {

// What is read in one go, and so large is each connection's buffer: a larger message comes in
// pieces, at half a microsecond each. Where no size is asked for, all buffers together have their
// bound, so those of a server for thousands are small, and those of a server for a few dozen large.
// From 4,096 connections on each has the least: under 128 libwebsockets breaks control frames.
constexpr std::size_t kLeastRxBuffer = 128;
constexpr std::size_t kMostRxBuffer = 16384;
constexpr std::size_t kAllRxBuffers = 512 << 10;
// libwebsockets reads into a buffer of its own first, which has to hold as much.
constexpr std::size_t kLeastServiceBuffer = 4096;

std::size_t rx_buffer(const Settings& settings, const hub::Limits& limits) {
  if (settings.read_buffer_bytes != 0) return settings.read_buffer_bytes;
  return std::bit_floor(
      std::clamp(kAllRxBuffers / limits.max_connections, kLeastRxBuffer, kMostRxBuffer));
}

// A write is cut here by libwebsockets, and what is left is copied: more than the largest message
// that is taken by default.
constexpr std::size_t kTxPacket = 16 << 20;
// libwebsockets' own bound on a handshake stands behind the server's, which may change: it is more
// than that can be set to, an hour.
constexpr unsigned kHandshakeSeconds = 3600 + 60;

// libwebsockets' own log. It has one for the process, hence the only global.
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

bool is_of_websocket(lws_callback_reasons reason) {
  switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_RECEIVE_PONG:
    case LWS_CALLBACK_SERVER_WRITEABLE:
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
    case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
    case LWS_CALLBACK_CLOSED: return true;
    default: return false;
  }
}

}  // namespace

Server::Server(const Settings& settings, LoopUv& loop, hub::Hub& hub, base::Log& log)
    : settings_(settings),
      loop_(loop),
      hub_(hub),
      log_(log),
      handshakes_(settings.handshake_timeout, loop, log, counts_, addresses_),
      first_messages_(settings.first_message_timeout, loop, log, counts_),
      warrants_(loop, log, counts_),
      reads_(rx_buffer(settings, hub.limits())) {
  std::strcpy(offered_.data(), "-");
  protocols_[0].name = "jackfield";
  protocols_[1].name = offered_.data();
  for (lws_protocols* protocol : {&protocols_[0], &protocols_[1]}) {
    protocol->callback = &Server::callback;
    protocol->per_session_data_size = 0;  // `established` sets the link itself
    protocol->rx_buffer_size = rx_buffer(settings, hub.limits());
    protocol->tx_packet_size = kTxPacket;
  }
}

base::Status Server::start() {
  // First: what may be wrong with it is more than with the rest.
  if (net::has_tls(settings_.listen)) {
    TlsCredentials::Loaded loaded = TlsCredentials::load(settings_.tls);
    if (loaded.credentials == nullptr) return base::Status::failure(std::move(loaded.sentence));
    for (const std::string& warning : loaded.warnings) log_.warning("TLS", {{"warning", warning}});
    tls_ = std::make_unique<Tls>(log_, counts_);
    tls_->use(std::move(loaded.credentials));
  }
  if (auto status = start_libwebsockets(); !status.is_ok()) return status;
  for (const Endpoint& endpoint : settings_.listen) {
    auto listener = Listener::open(
        endpoint, loop_, log_, counts_,
        [this, is_tls = endpoint.is_tls](int descriptor) { accepted(descriptor, is_tls); },
        settings_.unix_mode);
    if (!listener.is_ok()) return base::Status::failure(listener.message());
    listeners_.push_back(std::move(listener.value()));
  }
  return base::Status::ok();
}

base::Status Server::start_libwebsockets() {
  lws_log = &log_;
  lws_counts = &counts_;
  show_libwebsockets_log();
  void* loops[] = {loop_.uv()};
  lws_context_creation_info info{};
  info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
  // OpenSSL costs time and memory at the start: only who asks for TLS pays.
  if (tls_ != nullptr) info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
  info.max_http_header_data = static_cast<unsigned short>(settings_.max_header_bytes);
  info.foreign_loops = loops;
  info.user = this;
  info.pcontext = &context_;
  info.timeout_secs = kHandshakeSeconds;
  info.timeout_secs_ah_idle = kHandshakeSeconds;
  static const lws_retry_bo_t no_pings{};  // the server sends its own
  info.retry_and_idle_policy = &no_pings;
  info.pt_serv_buf_size =
      static_cast<unsigned>(std::max(protocols_[0].rx_buffer_size + LWS_PRE, kLeastServiceBuffer));
  context_ = lws_create_context(&info);
  if (context_ == nullptr) {
    return base::Status::failure("libwebsockets could not start; is its libuv support installed?");
  }
  lws_timers_ = loop_.foreign_timers();
  info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
  // libwebsockets binds a request to the first vhost of the same port, whatever that is: so it is
  // another for each.
  info.port = CONTEXT_PORT_NO_LISTEN;
  info.protocols = protocols_.data();
  info.vhost_name = "jackfield";
  vhost_ = lws_create_vhost(context_, &info);
  if (vhost_ == nullptr) return base::Status::failure("libwebsockets could not make a vhost");
  if (tls_ == nullptr) return base::Status::ok();
  info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
  info.vhost_name = "jackfield-tls";
  // It makes what a client would need, too; of that the authorities are a matter of megabytes.
  info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX |
                  LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS;
  info.alpn = "http/1.1";
  write_hsts();
  hsts_header_.name = "strict-transport-security:";
  info.headers = &hsts_header_;
  tls_vhost_ = lws_create_vhost(context_, &info);
  if (tls_vhost_ == nullptr) {
    return base::Status::failure("libwebsockets could not make a vhost with TLS");
  }
  return base::Status::ok();
}

void Server::write_hsts() {
  hsts_ = "max-age=" + std::to_string(settings_.tls.hsts_max_age_s);
  hsts_header_.value = hsts_.c_str();
}

void Server::apply(const Settings& settings) {
  settings_ = settings;
  write_hsts();
  handshakes_.set_timeout(settings_.handshake_timeout);
  first_messages_.set_timeout(settings_.first_message_timeout);
  if (heartbeat_timer_ != 0) loop_.cancel_timer(std::exchange(heartbeat_timer_, 0));
  if (!links_.empty()) watch_heartbeats();
  show_libwebsockets_log();
}

void Server::show_libwebsockets_log() {
  lws_set_log_level(LLL_ERR | LLL_WARN | (log_.is_on(base::LogLevel::kDebug) ? LLL_NOTICE : 0),
                    log_line);
}

base::Status Server::give_sockets_to(uid_t user, gid_t group) {
  for (const auto& listener : listeners_) {
    if (auto status = listener->give_to(user, group); !status.is_ok()) return status;
  }
  return base::Status::ok();
}

void Server::begin_accepting() {
  for (const auto& listener : listeners_) listener->begin();
}

Server::~Server() {
  stop_listening();
  if (heartbeat_timer_ != 0) loop_.cancel_timer(heartbeat_timer_);
  if (context_ == nullptr) return;
  on_empty_ = nullptr;
  lws_timers_.clear();  // they go with it
  // On a loop of ours it goes in steps, between which its handles close: two in libwebsockets 4.1,
  // three in 4.5. It sets context_ to null at the last.
  for (int step = 0; context_ != nullptr && step < 4; ++step) {
    lws_context_destroy(context_);
    loop_.drain(100);
  }
  links_.clear();
  lws_log = nullptr;
}

std::vector<Endpoint> Server::endpoints() const {
  std::vector<Endpoint> endpoints;
  for (const auto& listener : listeners_) endpoints.push_back(listener->endpoint());
  return endpoints;
}

void Server::set_gate(const access::Gate* gate) {
  gate_ = gate;
  warrants_.use(gate);
}

// Enters its address. Whether there are so many already that it is not even listened to.
bool Server::is_crowded(Handshakes::Arrival& arrival) {
  const std::size_t sockets = links_.size() + handshakes_.size();
  if (sockets >= hub_.limits().max_connections + kSpareSockets) {
    log_.warning("socket refused: far too many", {{"sockets", sockets}});
    return true;
  }
  const std::size_t limit = settings_.max_connections_per_address;
  if (!arrival.address) return false;
  const std::size_t count = addresses_.enter(*arrival.address);
  arrival.is_over_limit = limit != 0 && count > limit;
  if (limit == 0 || count <= limit + kAddressSpare) return false;
  addresses_.leave(*arrival.address);
  log_.warning("socket refused: far too many of one address", {{"sockets", count}});
  return true;
}

void Server::accepted(int descriptor, bool is_tls) {
  base::Descriptor socket(descriptor);
  Handshakes::Arrival arrival{Addresses::key_of(descriptor), false};
  if (is_crowded(arrival)) {
    ++counts_.accepts_refused;
    return;
  }
  lws* const wsi = lws_adopt_socket_vhost(is_tls ? tls_vhost_ : vhost_, socket.release());
  if (wsi == nullptr && arrival.address) addresses_.leave(*arrival.address);
  if (wsi == nullptr && is_tls) {
    // What has come with it already may be no TLS, or not such as is spoken here; that is said.
    ++counts_.handshakes_broken_off;
    return;
  }
  if (wsi == nullptr) {
    is_damaged_ = true;
    log_.warning("connection could not be adopted");
    return;
  }
  try {
    handshakes_.begin(wsi, arrival);
  } catch (const std::bad_alloc&) {
    if (arrival.address) addresses_.leave(*arrival.address);
    ::shutdown(descriptor, SHUT_RDWR);  // and libwebsockets closes
    throw;
  }
}

void Server::end_turn() {
  hub_.end_turn();
  is_waiting_ = true;
  for (WsLink* const link : early_) link->end_early();
  early_.clear();
  while (!to_cut_.empty()) {
    WsLink& link = *to_cut_.back();
    to_cut_.pop_back();
    link.is_to_be_cut = false;
    link.cut();
    hub_.end_turn();
  }
  // libwebsockets has a timer of 30 s for what is not used here: contexts that are replaced, vhosts
  // that wait for their interface. For a connection it starts it again.
  if (!links_.empty() || !handshakes_.is_empty()) return;
  for (uv_timer_t* timer : lws_timers_) uv_timer_stop(timer);
}

void Server::cut_later(WsLink& link) {
  if (!std::exchange(link.is_to_be_cut, true)) to_cut_.push_back(&link);
}

void Server::remove(WsLink& link) {
  if (link.is_to_be_cut) std::erase(to_cut_, &link);
  std::erase(early_, &link);
  reads_.forget(link);
  first_messages_.end(link);
  warrants_.forget(link);
  if (!refused_.empty()) std::erase(refused_, &link);
  if (const auto address = Addresses::key_of(link.facts().peer())) addresses_.leave(*address);
  const std::uint32_t index = link.index;
  std::swap(links_[index], links_.back());
  links_[index]->index = index;
  links_.pop_back();
  if (!links_.empty()) return;
  if (heartbeat_timer_ != 0) loop_.cancel_timer(std::exchange(heartbeat_timer_, 0));
  if (on_empty_) on_empty_();
}

// ---- heartbeats: one clock for all links, at rest while there are none

// The loop runs its clocks before it reads. So where it was held up, by a plugin or by SIGSTOP, the
// signs of life of that time are still in the sockets when a clock comes due: nobody is judged
// before those have been read.
void Server::read_on() {
  is_waiting_ = false;
  reads_.finish(context_, hub_, tls_.get());
  // What is left waits for the next turn, and that for nothing.
  if (tls_ != nullptr && tls_->is_unread()) loop_.wake();
  if (std::exchange(are_heartbeats_due_, false)) check_heartbeats();
  handshakes_.cut_late();
}

std::chrono::milliseconds Server::heartbeat_period() const {
  using std::chrono::milliseconds;
  return heartbeat::period(settings_.ping_interval, settings_.ping_timeout);
}

void Server::watch_heartbeats() {
  if (settings_.ping_interval.count() == 0 || heartbeat_timer_ != 0) return;
  heartbeats_checked_at_ = loop_.turn_time();
  heartbeat_timer_ = loop_.start_timer(heartbeat_period(), heartbeat_period(), [this] {
    are_heartbeats_due_ = true;
    loop_.wake();
  });
}

void Server::check_heartbeats() {
  const auto interval = static_cast<std::uint64_t>(settings_.ping_interval.count());
  const auto timeout = static_cast<std::uint64_t>(settings_.ping_timeout.count());
  const auto period = static_cast<std::uint64_t>(heartbeat_period().count());
  const std::uint64_t now = loop_.turn_time();
  // Where it was held up for longer than a peer has for its answer, peers may have been held up
  // with it: a machine or a container that was frozen.
  const std::uint64_t since = now - std::exchange(heartbeats_checked_at_, now);
  const bool may_judge = since < period + timeout;
  for (const auto& link : links_) link->check_heartbeat(now, interval, timeout, period, may_judge);
}

// ---- from libwebsockets

int Server::callback(lws* wsi, lws_callback_reasons reason, void* user, void* in,
                     std::size_t size) {
  auto* server = static_cast<Server*>(lws_context_user(lws_get_context(wsi)));
  try {
    return server->dispatch(wsi, reason, user, in, size);
  } catch (const std::exception& error) {  // out of memory, and nothing may unwind through C
    ++server->counts_.connections_failed;
    server->log_.error("connection dropped", {{"what", error.what()}});
    return -1;
  }
}

int Server::dispatch(lws* wsi, lws_callback_reasons reason, void* user, void* in,
                     std::size_t size) {
  // Only with a WebSocket's reasons `user` is what `established` set.
  auto* const link = is_of_websocket(reason) ? static_cast<WsLink*>(user) : nullptr;
  const std::string_view bytes(static_cast<const char*>(in), in == nullptr ? 0 : size);
  switch (reason) {
    case LWS_CALLBACK_HTTP: return request(wsi);
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE: return confirm_upgrade(wsi);
    case LWS_CALLBACK_RAW_ADOPT: write_connect_refusal(wsi); return -1;
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
      // It has been found, and the answer is written next.
      if (admission_ && !admission_->offer.is_selected) offered_[0] = '\0';
      return 0;
    case LWS_CALLBACK_ESTABLISHED: return established(wsi);
    case LWS_CALLBACK_RECEIVE:
      if (link != nullptr) link->receive(bytes);
      return 0;
    case LWS_CALLBACK_RECEIVE_PONG:
      if (link != nullptr) link->ponged();
      return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
      if (link != nullptr) link->writable();
      return 0;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
      return link == nullptr ? -1 : peer_closes(*link, bytes);
    case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
      if (link != nullptr) link->dropped();
      return 0;
    case LWS_CALLBACK_CLOSED: return link == nullptr ? 0 : closed(wsi, *link);
    case LWS_CALLBACK_WSI_DESTROY: handshakes_.gone(wsi); return 0;
    case LWS_CALLBACK_ADD_HEADERS:
      return in == nullptr ? 0 : add_headers(wsi, *static_cast<lws_process_html_args*>(in));
    case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
      return tls_->prepare(static_cast<SSL_CTX*>(user)) ? 0 : -1;
    default: return lws_callback_http_dummy(wsi, reason, user, in, size);
  }
}

int Server::request(lws* wsi) {
  ++counts_.upgrades_refused;
  handshakes_.answered(wsi);
  const Refusal refusal{426, "This is a WebSocket server\n"};
  if (!write_refusal(wsi, refusal)) return -1;
  return lws_http_transaction_completed(wsi) != 0 ? -1 : 0;
}

int Server::confirm_upgrade(lws* wsi) {
  // libwebsockets has answered a request for something else already, but asks all the same. What it
  // asks with is freed by then, where the connection was to stay: so that is not looked at.
  if (lws_hdr_total_length(wsi, WSI_TOKEN_UPGRADE) <= 0) return -1;
  admission_ = judge_upgrade(wsi, settings_, gate_, log_, counts_);
  if (admission_->refusal.status != 0) return refuse(wsi, admission_->refusal);
  const std::string& entry = admission_->offer.entry;
  if (!entry.empty()) std::strcpy(offered_.data(), entry.c_str());
  return 0;
}

int Server::refuse(lws* wsi, const Refusal& refusal) {
  handshakes_.answered(wsi);
  return write_refusal(wsi, refusal) ? 1 : -1;
}

// To the 101; other answers have what their vhost adds to each.
int Server::add_headers(lws* wsi, lws_process_html_args& headers) {
  if (lws_is_ssl(wsi) == 0) return 0;
  auto* cursor = reinterpret_cast<unsigned char*>(headers.p);
  unsigned char* const end = cursor + headers.max_len;
  const auto* const name = reinterpret_cast<const unsigned char*>(hsts_header_.name);
  const auto* const value = reinterpret_cast<const unsigned char*>(hsts_.c_str());
  if (lws_add_http_header_by_name(wsi, name, value, static_cast<int>(hsts_.size()), &cursor, end) !=
      0) {
    return 1;
  }
  headers.p = reinterpret_cast<char*>(cursor);
  return 0;
}

int Server::established(lws* wsi) {
  // Both from confirm_upgrade to here libwebsockets does in one go.
  if (!admission_) return -1;
  Admission admission = std::move(*admission_);
  admission_.reset();
  links_.push_back(
      std::make_unique<WsLink>(*this, wsi, hub::ConnectionFacts(std::move(admission.facts))));
  WsLink& link = *links_.back();
  link.index = static_cast<std::uint32_t>(links_.size() - 1);
  const Handshakes::Arrival arrival = handshakes_.take(wsi);
  const std::size_t served = hub_.connection_count();
  try {
    to_cut_.reserve(links_.capacity());  // so that cut_later() needs no memory
    watch_heartbeats();
    early_.push_back(&link);
    link.open();
  } catch (const std::bad_alloc&) {
    remove(link);
    throw;
  }
  if (tls_ != nullptr && log_.is_on(base::LogLevel::kDebug)) show_peer_certificate(wsi);
  lws_set_wsi_user(wsi, &link);
  const std::size_t limit = settings_.max_connections_per_address;
  const bool is_over_limit =
      arrival.is_over_limit && limit != 0 && addresses_.count(*arrival.address) > limit;
  if (is_over_limit) {
    ++counts_.addresses_over_limit;
    log_.warning("connection refused: too many from one address",
                 {{"peer", link.facts().peer()}, {"max_connections_per_address", limit}});
    link.expel("Too many connections from your address");
  }
  if (hub_.connection_count() == served) {
    limit_refused(link);
    return 0;
  }
  if (admission.warrant) warrants_.add(link, *admission.warrant);
  first_messages_.begin(link);
  return 0;
}

// It is closing already. Who is cut has had the most time to answer.
void Server::limit_refused(WsLink& link) {
  refused_.push_back(&link);
  if (refused_.size() <= kMaxRefused) return;
  ++counts_.refused_cut;
  WsLink& oldest = *refused_.front();
  refused_.pop_front();
  cut_later(oldest);
}

void Server::show_peer_certificate(lws* wsi) {
  const std::optional<PeerCertificate> shown = peer_certificate(wsi);
  if (!shown) return;
  std::string names;
  for (const auto* kind : {&shown->dns_names, &shown->emails, &shown->uris}) {
    for (const std::string& name : *kind) names += (names.empty() ? "" : ",") + name;
  }
  log_.debug("client certificate", {{"common_name", shown->common_name},
                                    {"subject", shown->subject},
                                    {"issuer", shown->issuer},
                                    {"serial", shown->serial},
                                    {"names", names},
                                    {"fingerprint", shown->fingerprint}});
}

int Server::peer_closes(WsLink& link, std::string_view payload) {
  link.peer_closes(payload);
  return -1;
}

int Server::closed(lws* wsi, WsLink& link) {
  lws_set_wsi_user(wsi, nullptr);
  link.end();
  remove(link);
  return 0;
}

}  // namespace jackfield::net
