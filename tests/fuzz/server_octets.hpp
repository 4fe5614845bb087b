// Reads what the server sent on one connection, and ends the run where it is not what a server may
// send: HTTP answers of a known status (RFC 9112), then, behind a 101, frames (RFC 6455 section 5)
// that hold messages. One object a connection.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::fuzz {

// A message as a client understands it.
struct ServerMessage {
  std::string topic;    // decoded
  std::string event;    // decoded
  std::string payload;  // octets; of an error "CODE: sentence", decoded

  friend bool operator==(const ServerMessage&, const ServerMessage&) = default;
};

class ServerOctets {
 public:
  void feed(std::string_view octets);

  // Nothing has begun that has not ended.
  bool is_whole() const { return rest_.empty() && (has_closed_ || fragments_.empty()); }
  bool is_upgraded() const { return is_upgraded_; }
  bool has_closed() const { return has_closed_; }  // by a Close frame
  const std::vector<int>& statuses() const { return statuses_; }
  const std::string& head() const { return head_; }  // of the last answer
  const std::vector<ServerMessage>& messages() const { return messages_; }
  const std::vector<std::string>& pongs() const { return pongs_; }

 private:
  bool take_answer();
  bool take_frame();
  void take_message(std::string_view text);
  static void check_close(std::string_view payload);

  std::string rest_;
  std::string fragments_;  // of a message whose last has not come
  std::string head_;
  std::vector<int> statuses_;
  std::vector<ServerMessage> messages_;
  std::vector<std::string> pongs_;
  bool is_upgraded_ = false;
  bool has_closed_ = false;
};

}  // namespace jackfield::fuzz
