#include "core/net/eager_reads.hpp"

#include <algorithm>

#include "core/net/ws_link.hpp"

namespace jackfield::net {

void EagerReads::heard(WsLink& link, std::size_t octets) {
  if (link_ != &link) {
    link_ = &link;
    octets_ = 0;
  }
  const bool was_full = octets_ >= enough_;
  octets_ += octets;
  if (!was_full && octets_ >= enough_) full_.push_back(&link);
}

void EagerReads::forget(WsLink& link) {
  if (link_ == &link) link_ = nullptr;
  std::replace(full_.begin(), full_.end(), &link, static_cast<WsLink*>(nullptr));
}

void EagerReads::run(lws_context* context) {
  // What is read may be as much again: then it is added behind the others.
  for (std::size_t i = 0; i < full_.size() && i < kMaxReads; ++i) {
    link_ = nullptr;
    if (full_[i] == nullptr || !full_[i]->is_read_from()) continue;
    lws_pollfd readable{full_[i]->descriptor(), LWS_POLLIN, LWS_POLLIN};
    lws_service_fd(context, &readable);
  }
  link_ = nullptr;
  full_.clear();
}

}  // namespace jackfield::net
