#include "core/net/reads.hpp"

#include <algorithm>
#include <utility>

#include "core/net/tls.hpp"
#include "core/net/ws_link.hpp"

namespace jackfield::net {
namespace {

// Octets before a client's payload (RFC 6455 section 5.2).
std::size_t header_of(std::size_t payload) {
  if (payload < 126) return 6;
  return payload <= 0xffff ? 8 : 14;
}

}  // namespace

void Reads::came(WsLink& link, std::size_t octets) {
  if (link_ != &link) {
    end_read();
    link_ = &link;
    octets_ = 0;
  }
  const bool was_full = octets_ >= enough_;
  octets_ += header_of(octets) + octets;
  if (!was_full && octets_ >= enough_) full_.push_back(&link);
}

void Reads::finish(lws_context* context, const hub::Hub& hub, Tls* tls) {
  end_read();
  // What is read may be as much again: then it is added behind the others.
  std::size_t reads = 0;
  for (; reads < full_.size() && reads < max_more_; ++reads) {
    if (hub.has_much_to_write()) break;
    if (full_[reads] == nullptr || !full_[reads]->is_read_from()) continue;
    read(context, full_[reads]->descriptor());
  }
  full_.clear();
  if (tls == nullptr) return;
  tls->read_on(
      [this, context, &reads](int descriptor) {
        ++reads;
        read(context, descriptor);
      },
      [this, &hub, &reads] { return reads >= max_more_ || hub.has_much_to_write(); });
  full_.clear();
}

void Reads::read(lws_context* context, int descriptor) {
  lws_pollfd readable{descriptor, LWS_POLLIN, LWS_POLLIN};
  lws_service_fd(context, &readable);
  end_read();
}

void Reads::end_read() {
  if (link_ != nullptr) std::exchange(link_, nullptr)->read_ended();
}

void Reads::forget(WsLink& link) {
  if (link_ == &link) link_ = nullptr;
  std::replace(full_.begin(), full_.end(), &link, static_cast<WsLink*>(nullptr));
}

}  // namespace jackfield::net
