#include "core/net/reads.hpp"

#include <algorithm>
#include <utility>

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

void Reads::finish(lws_context* context, const hub::Hub& hub) {
  end_read();
  // What is read may be as much again: then it is added behind the others.
  for (std::size_t i = 0; i < full_.size() && i < max_more_; ++i) {
    if (hub.has_much_to_write()) break;
    if (full_[i] == nullptr || !full_[i]->is_read_from()) continue;
    lws_pollfd readable{full_[i]->descriptor(), LWS_POLLIN, LWS_POLLIN};
    lws_service_fd(context, &readable);
    end_read();
  }
  full_.clear();
}

void Reads::end_read() {
  if (link_ != nullptr) std::exchange(link_, nullptr)->read_ended();
}

void Reads::forget(WsLink& link) {
  if (link_ == &link) link_ = nullptr;
  std::replace(full_.begin(), full_.end(), &link, static_cast<WsLink*>(nullptr));
}

}  // namespace jackfield::net
