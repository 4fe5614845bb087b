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

// What a request says of the page that it comes from, and how it came here.
struct PageRequest {
  std::string_view origin;   // the header; empty: there is none, and so it comes from no browser
  std::string_view host;     // likewise, as it came
  bool is_tls = false;       // not where a proxy in front of this server ends TLS
  bool is_loopback = false;  // it was sent to 127.0.0.0/8 or ::1
};

class OriginList {
 public:
  OriginList() = default;
  // `entries` as read_origin keeps them.
  explicit OriginList(const std::vector<std::string>& entries);

  // Why it may not connect, as a sentence for the log; empty: it may. Without entries the page's
  // host must be the host that it connects to, whatever the ports, and over TLS the page must have
  // come by TLS: what somebody on its way could have changed has no say there. And what is sent to
  // a loopback address must name localhost, a name below it, or an address: any other name is one
  // that somebody may have had lead here to make his page one of the same host (DNS rebinding).
  std::string_view refusal(const PageRequest& page) const;

 private:
  std::string_view refusal_by_default(const PageRequest& page, const Origin& origin) const;

  struct Entry {
    Origin origin;
    bool has_subdomains = false;  // its host is the end of theirs, behind a dot
  };

  bool is_any_ = false;
  bool is_null_ = false;
  std::vector<Entry> entries_;
};

}  // namespace jackfield::access
