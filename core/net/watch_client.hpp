// The client behind `jackfield watch`: opens one WebSocket, subscribes to topics, sends what it is
// given, and prints each message that comes as one line. It has a libwebsockets context and a loop
// of its own and shares nothing with the server.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace jackfield::net {

struct WatchOptions {
  // ws://HOST[:PORT][/PATH][?QUERY] (HOST a name, an IPv4 address, or an IPv6 address in brackets),
  // wss:// likewise with TLS, or unix:/PATH of a socket.
  std::string url = "ws://127.0.0.1:3001/";
  std::vector<std::string> topics;  // each is subscribed to, in this order
  std::vector<std::string> send;    // messages, sent behind the subscriptions as they stand
  std::uint64_t count = 0;          // ends after so many messages; 0: when the server closes
  std::string authorities;          // PEM; whom to trust with wss://; empty: whom the system trusts
  bool is_insecure = false;         // with wss:// any certificate is taken
  std::string token;                // shown to the server as a bearer (RFC 6750); empty: none
  std::vector<std::string> headers;  // "Name: value", of the request in addition
};

// Runs until the count is reached, the server closes, or SIGINT or SIGTERM comes; each of the two
// signals closes cleanly, a second one ends at once. Messages go to stdout, one line each (a line
// break between JSON's tokens becomes a space), and everything else to stderr as "jackfield: ...".
// The result is an exit code: 0 where the end was a normal one, 1 where the connection was lost or
// closed with an error, 2 for a URL or text that cannot be used, 3 where there is no connection.
// Blocks. It holds the process's SIGINT and SIGTERM blocked while it runs, and libwebsockets
// ignores SIGPIPE from then on: for a process that does nothing else.
int watch(const WatchOptions& options);

}  // namespace jackfield::net
