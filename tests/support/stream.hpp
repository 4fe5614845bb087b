// A connection to a server under test, with TLS or without, with every read bounded by a deadline.
// Bytes only: what they mean is WsClient's. One thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tests/support/deadline.hpp"
#include "tests/support/tls_end.hpp"
#include "tests/support/where.hpp"

namespace jackfield::test {

// Where a server listens: an IP address and port, or the path of a Unix socket.
struct Address {
  std::string host;  // "127.0.0.1", "::1"; empty for a Unix socket
  std::uint16_t port = 0;
  std::string path;  // of a Unix socket
  bool is_tls = false;
};

class Stream {
 public:
  // Connects, or fails the test. `receive_buffer` is SO_RCVBUF in octets, 0 for the system's.
  // `tls` counts where the address has it.
  explicit Stream(const Address& address, int receive_buffer = 0, const TlsOptions& tls = {},
                  Where where = Where::here());
  ~Stream();
  // Nothing where nobody accepts it.
  static std::optional<Stream> try_connect(const Address& address);
  // Whether something accepts connections there.
  static bool is_accepted(const Address& address);
  // Why the server there does not take such a client, or the client it; empty where they agree. The
  // server's refusal of a client certificate comes after the client's handshake in TLS 1.3: who is
  // let in waits for nothing here, who is not is told.
  static std::string tls_refusal(const Address& address, const TlsOptions& tls,
                                 Where where = Where::here());
  Stream(Stream&& other) noexcept;
  Stream& operator=(Stream&& other) noexcept;

  // Sends everything; false when the peer is gone.
  bool send(std::string_view bytes, const Deadline& deadline = Deadline());

  // Sends what fits without waiting; gives how much, or nothing when the peer is gone.
  std::optional<std::size_t> send_some(std::string_view bytes);

  // Waits until the server has read all that was sent, so that what is sent next comes to it in a
  // read of its own; fails the test when the time is over. REQUIRES: a Unix socket.
  void wait_until_read(Where where, const Deadline& deadline = Deadline());

  // Appends at least one octet to `bytes`. False at the peer's end or reset; fails the test when
  // the time is over.
  bool receive(std::string& bytes, Where where, const Deadline& deadline = Deadline());

  // As `receive`, but false when the time is over too.
  bool receive_within(std::string& bytes, const Deadline& deadline);

  // Null without TLS.
  TlsEnd* tls() { return tls_.get(); }

  // Ends our side with FIN; the peer can still send.
  void finish();
  // Ends both with FIN.
  void drop();
  // Ends both with RST.
  void reset();

 private:
  Stream() = default;
  bool connect_to(const Address& address, int receive_buffer);

  int socket_ = -1;
  std::unique_ptr<TlsEnd> tls_;
};

}  // namespace jackfield::test
