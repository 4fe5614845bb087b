#include "core/net/server.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <exception>
#include <optional>
#include <utility>

namespace jackfield::net {
namespace {

// What is read in one go, and so large is each connection's buffer: a larger message comes in
// pieces, at half a microsecond each. Where no size is asked for, all buffers together have their
// bound, so those of a server for thousands are small, and those of a server for a few dozen large.
// From 4,096 connections on each has the least: under 128 libwebsockets breaks control frames.
constexpr std::size_t kLeastRxBuffer = 128;
constexpr std::size_t kMostRxBuffer = 16384;
constexpr std::size_t kAllRxBuffers = 512 << 10;

std::size_t rx_buffer(const Settings& settings, const hub::Limits& limits) {
  if (settings.read_buffer_bytes != 0) return settings.read_buffer_bytes;
  return std::bit_floor(
      std::clamp(kAllRxBuffers / limits.max_connections, kLeastRxBuffer, kMostRxBuffer));
}

// A write is cut here by libwebsockets: more than the most that is written at once.
constexpr std::size_t kTxPacket = 2 * hub::Outbox::kMaxBatch;
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
      vhosts_(loop, log, counts_),
      handshakes_(settings.handshake_timeout, loop, log, counts_, addresses_),
      first_messages_(settings.first_message_timeout, loop, log, counts_),
      heartbeats_(loop, settings.ping_interval, settings.ping_timeout),
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
    TlsCredentials::Loaded loaded = TlsCredentials::load(settings_.tls, user_);
    if (loaded.credentials == nullptr) return base::Status::failure(std::move(loaded.sentence));
    for (const std::string& warning : loaded.warnings) log_.warning("TLS", {{"warning", warning}});
    tls_ = std::make_unique<Tls>(log_, counts_);
    tls_->use(std::move(loaded.credentials));
  }
  if (auto status = vhosts_.start(settings_, protocols_.data(), this); !status.is_ok()) {
    return status;
  }
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

void Server::apply(const Settings& settings) {
  settings_ = settings;
  vhosts_.apply(settings);
  handshakes_.set_timeout(settings_.handshake_timeout);
  first_messages_.set_timeout(settings_.first_message_timeout);
  heartbeats_.set(settings_.ping_interval, settings_.ping_timeout);
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
  heartbeats_.end();
  on_empty_ = nullptr;
  vhosts_.end();
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
  lws* const wsi = vhosts_.adopt(socket.release(), is_tls);
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
  if (links_.empty() && handshakes_.is_empty()) vhosts_.rest();
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
  heartbeats_.end();
  if (on_empty_) on_empty_();
}

void Server::read_on() {
  is_waiting_ = false;
  reads_.finish(vhosts_.context(), hub_, tls_.get());
  // What is left waits for the next turn, and that for nothing.
  if (tls_ != nullptr && tls_->is_unread()) loop_.wake();
  heartbeats_.check(links_);
  handshakes_.cut_late();
  first_messages_.close_late();
  warrants_.close_late();
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
    case LWS_CALLBACK_RAW_ADOPT: write_connect_refusal(wsi, vhosts_.hsts_of(wsi)); return -1;
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
      if (in == nullptr) return 0;
      return vhosts_.add_hsts(wsi, *static_cast<lws_process_html_args*>(in)) ? 0 : 1;
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
    heartbeats_.begin();
    early_.push_back(&link);
    link.open();
  } catch (const std::bad_alloc&) {
    remove(link);
    throw;
  }
  lws_set_wsi_user(wsi, &link);
  if (tls_ != nullptr && log_.is_on(base::LogLevel::kDebug)) show_peer_certificate(wsi);
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
