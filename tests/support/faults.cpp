#include "tests/support/faults.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "tests/support/server_process.hpp"

namespace jackfield::test {
namespace {

std::int64_t get(const std::int64_t& field) { return __atomic_load_n(&field, __ATOMIC_SEQ_CST); }

void set(std::int64_t& field, std::int64_t value) {
  __atomic_store_n(&field, value, __ATOMIC_SEQ_CST);
}

}  // namespace

bool has_faults() { return kMeasuresMemory && sizeof(JACKFIELD_FAULTS_PRELOAD) > 1; }

Faults::Faults(Where where) {
  const std::string path = (folder_.path() / "faults").string();
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  check(file >= 0 && ::ftruncate(file, sizeof(struct faults)) == 0, std::strerror(errno), where);
  void* const mapped =
      ::mmap(nullptr, sizeof(struct faults), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  check(mapped != MAP_FAILED, std::strerror(errno), where);
  ::close(file);
  shared_ = static_cast<struct faults*>(mapped);
}

Faults::~Faults() { ::munmap(shared_, sizeof(struct faults)); }

std::vector<std::string> Faults::wrapper() const {
  return {"/usr/bin/env", "LD_PRELOAD=" JACKFIELD_FAULTS_PRELOAD,
          FAULTS_FILE "=" + (folder_.path() / "faults").string()};
}

void Faults::set_clock_offset(std::chrono::seconds offset) {
  set(shared_->clock_offset_s, offset.count());
}

void Faults::set_accept_error(int error) { set(shared_->accept_error, error); }

std::int64_t Faults::accepts() const { return get(shared_->accepts); }

void Faults::fail_allocations(std::int64_t n, std::int64_t how_many) {
  set(shared_->allocations, 0);
  set(shared_->fail_count, how_many);
  set(shared_->fail_at, n);
}

void Faults::fail_allocations_of(std::int64_t octets) { set(shared_->fail_octets, octets); }

std::int64_t Faults::let_allocate() {
  set(shared_->fail_at, 0);
  set(shared_->fail_octets, 0);
  return get(shared_->allocations);
}

std::int64_t Faults::failed_allocations() const { return get(shared_->failed); }

Limited::Limited(pid_t process, int resource, rlim_t limit, Where where)
    : process_(process), resource_(resource) {
  const auto which = static_cast<__rlimit_resource>(resource);
  check(::prlimit(process, which, nullptr, &before_) == 0, std::strerror(errno), where);
  const rlimit wanted{limit, before_.rlim_max};
  check(::prlimit(process, which, &wanted, nullptr) == 0, std::strerror(errno), where);
}

void Limited::end() {
  if (is_over_) return;
  is_over_ = true;
  ::prlimit(process_, static_cast<__rlimit_resource>(resource_), &before_, nullptr);
}

rlim_t next_descriptor(pid_t process) {
  namespace fs = std::filesystem;
  const fs::path folder = "/proc/" + std::to_string(process) + "/fd";
  rlim_t number = 0;
  while (fs::exists(fs::symlink_status(folder / std::to_string(number)))) ++number;
  return number;
}

// The 14th and 15th field of `stat`, in ticks; the second is a name in parentheses (proc(5)).
std::chrono::milliseconds cpu_time(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  std::istringstream fields(text.substr(text.rfind(')') + 1));
  std::string skipped;
  for (int i = 3; i < 14; ++i) fields >> skipped;
  long user = 0;
  long system = 0;
  fields >> user >> system;
  return std::chrono::milliseconds((user + system) * 1000 / ::sysconf(_SC_CLK_TCK));
}

}  // namespace jackfield::test
