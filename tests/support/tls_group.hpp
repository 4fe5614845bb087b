// The base of the groups whose server has a listener with TLS: an authority of the test's own, and
// the files that the server reads.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>

#include "tests/support/certificates.hpp"
#include "tests/support/server_group.hpp"

namespace jackfield::test {

class TlsGroup : public ServerGroup {
 protected:
  // Puts these into the files; the key first, as programs that renew do.
  void write(const Certificate& certificate) const;
  std::filesystem::path file(const std::string& name) const { return folder_.path() / name; }
  void write(const std::string& name, std::string_view bytes) const { folder_.write(name, bytes); }

  // Options of a server that reads them. `tls`: further lines of [tls].
  ServerOptions tls_options(const std::string& tls = {},
                            std::vector<std::string> listen = {"tls:127.0.0.1:0"}) const;
  // Starts it, with a certificate of the authority where no file is there yet.
  void start_tls(const std::string& tls = {},
                 std::vector<std::string> listen = {"tls:127.0.0.1:0"}, Where where = Where::here());

  // A client that holds the server to its name and to the authority.
  TlsOptions trusting() const {
    return {.authority = authority.certificate(), .host = "localhost"};
  }
  // The serial of the certificate that a new client is shown.
  std::string serial_shown(Where where = Where::here());

  // Why a client like this is not served; empty where it is.
  std::string refusal(const TlsOptions& client, Where where = Where::here()) {
    return Stream::tls_refusal(server().addresses().at(0), client, where);
  }
  void expect_refused(const TlsOptions& client, std::string_view reason,
                      Where where = Where::here());

  // What `jackfield status` counts.
  long long counter(const char* name, Where where = Where::here());

  // The client's questions are answered.
  static void expect_answers(WsClient& client, Where where = Where::here());

  const Authority authority{"Test authority"};

 private:
  const TemporaryFolder folder_;
};

}  // namespace jackfield::test
