#include "core/hub/connection_facts.hpp"

#include <cassert>

namespace jackfield::hub {

ConnectionFacts::ConnectionFacts(Parts parts) : is_local_(parts.is_local) {
  const auto end = [this] { return static_cast<std::uint16_t>(texts_.size()); };
  // All at once: what a string grows by beyond its text would stay.
  texts_.reserve(parts.peer.size() + parts.identity.size() + parts.path.size() +
                 parts.query.size());
  texts_ += parts.peer;
  peer_end_ = end();
  texts_ += parts.identity;
  identity_end_ = end();
  texts_ += parts.path;
  path_end_ = end();
  texts_ += parts.query;
  assert(texts_.size() <= UINT16_MAX && "facts are short");
  if (parts.headers.empty() && parts.groups.empty()) return;
  rare_ = std::make_unique<const Rare>(Rare{std::move(parts.headers), std::move(parts.groups)});
}

std::string_view ConnectionFacts::header(std::string_view name) const {
  if (rare_ == nullptr) return {};
  for (const auto& [its_name, value] : rare_->headers) {
    if (its_name == name) return value;
  }
  return {};
}

}  // namespace jackfield::hub
