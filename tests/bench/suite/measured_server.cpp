#include "tests/bench/suite/measured_server.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <string_view>
#include <thread>
#include <utility>

#include "tests/bench/load/load.hpp"
#include "tests/bench/support/process.hpp"

namespace jackfield::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kStartPatience{30};
constexpr std::chrono::seconds kStopPatience{5};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// One that nobody has now.
std::uint16_t free_port() {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* const place = reinterpret_cast<sockaddr*>(&address);
  const bool is_found = descriptor >= 0 && ::bind(descriptor, place, size) == 0 &&
                        ::getsockname(descriptor, place, &size) == 0;
  if (descriptor >= 0) ::close(descriptor);
  if (!is_found) throw Failure("no free port: " + std::string(std::strerror(errno)));
  return ntohs(address.sin_port);
}

bool takes_connections(std::uint16_t port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  const bool does =
      ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(descriptor);
  return does;
}

std::string content(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::uint64_t number_behind(const std::string& text, std::string_view key) {
  const std::size_t at = text.find(key);
  return at == std::string::npos ? 0 : std::strtoull(text.c_str() + at + key.size(), nullptr, 10);
}

// The parent of each process (proc(5), stat: two words after the name in brackets).
std::map<pid_t, pid_t> parents() {
  std::map<pid_t, pid_t> result;
  std::error_code error;
  for (fs::directory_iterator entry("/proc", error), end; !error && entry != end;
       entry.increment(error)) {
    const pid_t pid = std::atoi(entry->path().filename().c_str());
    if (pid <= 0) continue;
    const std::string stat = content(entry->path() / "stat");
    const std::size_t bracket = stat.rfind(')');
    if (bracket == std::string::npos || bracket + 4 > stat.size()) continue;
    result[pid] = std::atoi(stat.c_str() + bracket + 4);
  }
  return result;
}

template <typename Visit>
void for_each_thread(pid_t pid, const Visit& visit) {
  std::error_code error;
  for (fs::directory_iterator task("/proc/" + std::to_string(pid) + "/task", error), end;
       !error && task != end; task.increment(error)) {
    visit(task->path());
  }
}

}  // namespace

MeasuredServer::MeasuredServer(const ServerKind& kind, Launch launch, std::vector<int> cores)
    : kind_(kind), launch_(std::move(launch)), cores_(std::move(cores)) {
  launch_.port = free_port();
  fs::create_directories(launch_.folder);
  start();
  try {
    wait_for_port();
  } catch (...) {
    end_process(pid_, kStopPatience);
    throw;
  }
  processes_ = processes();
}

MeasuredServer::~MeasuredServer() {
  const std::vector<pid_t> all = processes();
  end_process(pid_, kStopPatience);
  // Children end with it; one that its killing left behind is killed too.
  const auto left = parents();
  for (const pid_t pid : all) {
    if (pid != pid_ && left.count(pid) != 0) ::kill(pid, SIGKILL);
  }
}

void MeasuredServer::start() {
  const Command command = kind_.prepare(launch_);
  const std::string path = (launch_.folder / "output.txt").string();
  const int output = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (output < 0) throw Failure("cannot write " + path + ": " + std::strerror(errno));
  pid_ = spawn({.command = command,
                .cores = cores_,
                .output = output,
                .errors = output,
                .last_signal = SIGTERM});
  ::close(output);
}

void MeasuredServer::wait_for_port() {
  const auto end = Clock::now() + kStartPatience;
  while (!takes_connections(launch_.port)) {
    check_interrupted();
    if (!is_running()) throw Failure("it ended at its start: " + tail());
    if (Clock::now() >= end) throw Failure("it takes no connections: " + tail());
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

bool MeasuredServer::is_running() const {
  siginfo_t ended{};
  // WNOWAIT leaves its end to be waited for by who stops it.
  return ::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         ended.si_pid == 0;
}

std::vector<pid_t> MeasuredServer::processes() const {
  const auto all = parents();
  std::vector<pid_t> result{pid_};
  for (std::size_t i = 0; i < result.size(); ++i) {
    for (const auto& [pid, parent] : all) {
      if (parent == result[i]) result.push_back(pid);
    }
  }
  return result;
}

std::uint64_t MeasuredServer::cpu_ns_now() const {
  std::uint64_t sum = 0;
  for (const pid_t pid : processes_) {
    for_each_thread(pid, [&sum](const fs::path& task) {
      sum += std::strtoull(content(task / "schedstat").c_str(), nullptr, 10);
    });
  }
  return sum;
}

std::uint64_t MeasuredServer::cpu_ns() const {
  constexpr std::chrono::milliseconds kStep{2};
  constexpr int kSteps = 40;
  constexpr int kQuiet = 2;
  std::uint64_t last = cpu_ns_now();
  for (int step = 0, quiet = 0; step < kSteps && quiet < kQuiet; ++step) {
    std::this_thread::sleep_for(kStep);
    const std::uint64_t now = cpu_ns_now();
    quiet = now == last ? quiet + 1 : 0;
    last = now;
  }
  return last;
}

MeasuredServer::Footprint MeasuredServer::footprint() const {
  Footprint footprint;
  for (const pid_t pid : processes_) {
    const fs::path folder = "/proc/" + std::to_string(pid);
    std::uint64_t kib = number_behind(content(folder / "smaps_rollup"), "\nRss:");
    if (kib == 0) kib = number_behind(content(folder / "status"), "\nVmRSS:");
    footprint.rss_octets += kib << 10;
    footprint.writes += number_behind(content(folder / "io"), "\nsyscw:");
    for_each_thread(pid, [&footprint](const fs::path& task) {
      const std::string status = content(task / "status");
      footprint.switches += number_behind(status, "\nvoluntary_ctxt_switches:") +
                            number_behind(status, "\nnonvoluntary_ctxt_switches:");
      ++footprint.threads;
    });
  }
  if (footprint.rss_octets == 0) throw Failure("it has ended: " + tail());
  return footprint;
}

std::string MeasuredServer::tail() const {
  constexpr std::size_t kSize = 300;
  const std::string text = content(launch_.folder / "output.txt");
  return text.size() <= kSize ? text : text.substr(text.size() - kSize);
}

}  // namespace jackfield::bench
