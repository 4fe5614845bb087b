// Which web pages may open a connection: a browser says by the header Origin (RFC 6454) where the
// page comes from that asks for it, and sends its user's cookies along. Any thread; values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::access {

// An origin as a browser serializes it: scheme://host[:port].
struct Origin {
  std::string scheme;  // lower case
  std::string host;    // lower case; an IPv6 address in its brackets
  std::string port;    // digits; empty: the scheme's own

  // Nothing where the text is none, also for "null".
  static std::optional<Origin> parse(std::string_view text);

  friend bool operator==(const Origin&, const Origin&) = default;
};

class OriginList {
 public:
  OriginList() = default;
  // `entries` as read_origin keeps them.
  explicit OriginList(const std::vector<std::string>& entries);

  // `origin` and `host` are the request's headers; an empty `origin`: it has none, and so it comes
  // from no browser. Without entries the page's host must be the host that it connects to,
  // whatever the ports.
  bool allows(std::string_view origin, std::string_view host) const;

 private:
  struct Entry {
    Origin origin;
    bool has_subdomains = false;  // its host is the end of theirs, behind a dot
  };

  bool is_any_ = false;
  bool is_null_ = false;
  std::vector<Entry> entries_;
};

}  // namespace jackfield::access
