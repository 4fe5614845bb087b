#include "tests/bench/servers/jackfield_kind.hpp"
#include "tests/bench/servers/mosquitto_kind.hpp"
#include "tests/bench/servers/nats_server_kind.hpp"
#include "tests/bench/servers/nchan_kind.hpp"
#include "tests/bench/servers/node_kinds.hpp"
#include "tests/bench/servers/server_kind.hpp"
#include "tests/bench/servers/wire_kinds.hpp"

namespace jackfield::bench {

std::vector<std::unique_ptr<ServerKind>> server_kinds(const Installed& installed) {
  std::vector<std::unique_ptr<ServerKind>> kinds;
  kinds.push_back(std::make_unique<JackfieldKind>(installed));
  kinds.push_back(std::make_unique<LimitKind>(installed.programs, false));
  kinds.push_back(std::make_unique<LimitKind>(installed.programs, true));
  kinds.push_back(std::make_unique<UwebsocketsKind>(installed));
  kinds.push_back(std::make_unique<ReferenceKind>(installed));
  kinds.push_back(std::make_unique<NchanKind>());
  kinds.push_back(std::make_unique<NatsServerKind>());
  kinds.push_back(std::make_unique<MosquittoKind>());
  kinds.push_back(std::make_unique<SocketIoKind>(installed));
  return kinds;
}

}  // namespace jackfield::bench
