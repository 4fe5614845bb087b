#include "tests/bench/suite/measured_server.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
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

std::optional<std::uint64_t> number_behind(const std::string& text, std::string_view key) {
  const std::size_t at = text.find(key);
  if (at == std::string::npos) return std::nullopt;
  return std::strtoull(text.c_str() + at + key.size(), nullptr, 10);
}

// What stat says of a process or thread behind its name in brackets (proc(5)): "S 1 ...", its state
// and its parent first. "" where it has ended.
std::string stat_of(const fs::path& folder) {
  const std::string stat = content(folder / "stat");
  const std::size_t bracket = stat.rfind(')');
  return bracket == std::string::npos || bracket + 4 > stat.size() ? "" : stat.substr(bracket + 2);
}

std::uint64_t schedstat_ns(const fs::path& folder) {
  return std::strtoull(content(folder / "schedstat").c_str(), nullptr, 10);
}

// Some kernels have no schedstat, or one that says 0 always.
bool has_schedstat() {
  static const bool has = [] {
    constexpr std::chrono::milliseconds kLongerThanATick{50};
    const std::uint64_t before = schedstat_ns("/proc/self");
    for (const auto end = Clock::now() + kLongerThanATick; Clock::now() < end;) {
    }
    return schedstat_ns("/proc/self") > before;
  }();
  return has;
}

// User and system time, of what stat_of() gave.
std::uint64_t stat_ns(const std::string& stat) {
  constexpr int kBefore = 11;  // words
  std::istringstream words(stat);
  std::string word;
  for (int i = 0; i < kBefore; ++i) words >> word;
  std::uint64_t user = 0;
  std::uint64_t system = 0;
  words >> user >> system;
  return (user + system) * (1'000'000'000 / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK)));
}

std::string how(bool by_signal, int number) {
  return (by_signal ? "by signal " : "with status ") + std::to_string(number);
}

// The parent of each process.
std::map<pid_t, pid_t> parents() {
  std::map<pid_t, pid_t> result;
  std::error_code error;
  for (fs::directory_iterator entry("/proc", error), end; !error && entry != end;
       entry.increment(error)) {
    const pid_t pid = std::atoi(entry->path().filename().c_str());
    if (pid <= 0) continue;
    const std::string stat = stat_of(entry->path());
    if (!stat.empty()) result[pid] = std::atoi(stat.c_str() + 2);
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
    wait_until_ready();
    kind_.check_start(launch_, content(launch_.folder / "output.txt"));
  } catch (...) {
    end_process(pid_, kStopPatience);
    throw;
  }
  processes_ = processes();
  files_ = files();
}

MeasuredServer::~MeasuredServer() { stop(); }

std::string MeasuredServer::stop() {
  if (pid_ < 0) return {};
  std::string wrong = end();
  if (kind_.is_subject()) {
    for (const auto& [path, time] : files()) {
      const auto before = files_.find(path);
      if (before != files_.end() && before->second == time) continue;
      wrong += (wrong.empty() ? "" : "; ") + ("it has written " + path.filename().string());
    }
  }
  const std::vector<pid_t> all = processes();
  const int status = end_process(pid_, kStopPatience);
  // By signal 9 where it had not ended within kStopPatience.
  const bool by_signal = WIFSIGNALED(status);
  const int number = by_signal ? WTERMSIG(status) : WEXITSTATUS(status);
  if (wrong.empty() && kind_.is_subject() && number != (by_signal ? SIGTERM : 0)) {
    wrong = "after SIGTERM it ended " + how(by_signal, number) + tail();
  }
  // Children end with it; one that its killing left behind is killed too.
  const auto left = parents();
  for (const pid_t pid : all) {
    if (pid != pid_ && left.count(pid) != 0) ::kill(pid, SIGKILL);
  }
  pid_ = -1;
  return wrong;
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

void MeasuredServer::wait_until_ready() {
  const auto last = Clock::now() + kStartPatience;
  const auto has_said_so = [this] {
    return content(launch_.folder / "output.txt").find(kind_.ready_word()) != std::string::npos;
  };
  while (!takes_connections(launch_.port) || !has_said_so()) {
    check_interrupted();
    if (!end().empty()) throw Failure("at its start: " + end());
    if (Clock::now() >= last) throw Failure("it does not get ready" + tail());
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

std::string MeasuredServer::end() const {
  siginfo_t ended{};
  // WNOWAIT leaves its end to be waited for by stop().
  ::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT);
  if (ended.si_pid == 0) return {};
  return "it has ended " + how(ended.si_code != CLD_EXITED, ended.si_status) + tail();
}

MeasuredServer::Files MeasuredServer::files() const {
  Files files;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(launch_.folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().filename() == "output.txt" || entry->is_directory(error)) continue;
    files[entry->path()] = entry->last_write_time(error);
  }
  return files;
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

MeasuredServer::Look MeasuredServer::look() const {
  Look look;
  for (const pid_t pid : processes_) {
    for_each_thread(pid, [&](const fs::path& task) {
      const std::string stat = stat_of(task);
      if (stat.starts_with('R') || stat.starts_with('D')) look.is_busy = true;
      std::uint64_t& cpu_ns = cpu_ns_of_[task];
      cpu_ns = std::max(cpu_ns, has_schedstat() ? schedstat_ns(task) : stat_ns(stat));
    });
  }
  if (cpu_ns_of_.empty()) throw Failure("its CPU time cannot be read");
  for (const auto& [task, cpu_ns] : cpu_ns_of_) look.cpu_ns += cpu_ns;
  return look;
}

std::uint64_t MeasuredServer::cpu_ns() const {
  constexpr std::chrono::milliseconds kStep{2};
  constexpr std::chrono::seconds kPatience{10};
  constexpr int kQuiet = 2;
  const auto last = Clock::now() + kPatience;
  Look before = look();
  for (int quiet = 0; quiet < kQuiet;) {
    if (Clock::now() >= last) throw Failure("it is not idle within 10 s");
    check_interrupted();
    std::this_thread::sleep_for(kStep);
    const Look now = look();
    // A thread that runs has its time counted at ticks only, so its state is asked too.
    quiet = now.is_busy || now.cpu_ns != before.cpu_ns ? 0 : quiet + 1;
    before = now;
  }
  return before.cpu_ns;
}

MeasuredServer::Footprint MeasuredServer::footprint() const {
  const auto need = [this](std::optional<std::uint64_t> number, const char* what) {
    if (number) return *number;
    const std::string end_of_it = end();
    throw Failure(end_of_it.empty() ? std::string("/proc does not say its ") + what : end_of_it);
  };
  Footprint footprint;
  footprint.writes = 0;
  for (const pid_t pid : processes_) {
    const fs::path folder = "/proc/" + std::to_string(pid);
    std::optional<std::uint64_t> kib = number_behind(content(folder / "smaps_rollup"), "\nRss:");
    if (!kib) kib = number_behind(content(folder / "status"), "\nVmRSS:");
    footprint.rss_octets += need(kib, "RSS") << 10;
    const auto writes = number_behind(content(folder / "io"), "\nsyscw:");
    if (!writes) footprint.writes.reset();
    if (footprint.writes) *footprint.writes += *writes;
    for_each_thread(pid, [&](const fs::path& task) {
      const std::string status = content(task / "status");
      for (const char* key : {"\nvoluntary_ctxt_switches:", "\nnonvoluntary_ctxt_switches:"}) {
        footprint.switches += need(number_behind(status, key), "context switches");
      }
      ++footprint.threads;
    });
  }
  return footprint;
}

std::string MeasuredServer::tail() const {
  constexpr std::size_t kSize = 300;
  const std::string text = content(launch_.folder / "output.txt");
  if (text.empty()) return {};
  return ": " + text.substr(text.size() - std::min(kSize, text.size()));
}

std::string cpu_clock() { return has_schedstat() ? "schedstat" : "stat, in steps of 10 ms"; }

}  // namespace jackfield::bench
