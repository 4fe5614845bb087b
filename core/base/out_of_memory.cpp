#include "core/base/out_of_memory.hpp"

#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <new>
#include <string_view>

namespace jackfield::base {
namespace {

std::terminate_handler handler_before = nullptr;

// Is there from its throw until nobody handles it any more: for a std::terminate in an inlined
// noexcept function, such as those in libstdc++'s std::filesystem, does not tell which exception it
// ended. Who has coped with one long ago may come to an end for another reason.
class NoMemory : public std::bad_alloc {
 public:
  NoMemory() { ++count_; }
  NoMemory(const NoMemory& other) : std::bad_alloc(other) { ++count_; }
  NoMemory& operator=(const NoMemory&) = default;
  ~NoMemory() override { --count_; }

  static bool is_there() { return count_ > 0; }

 private:
  static thread_local int count_;
};

thread_local int NoMemory::count_ = 0;

[[noreturn]] void on_no_memory() { throw NoMemory(); }

[[noreturn]] void on_terminate() {
  if (std::uncaught_exceptions() > 0 && NoMemory::is_there()) end_out_of_memory();
  // Else it is the current one, if any.
  if (const std::exception_ptr thrown = std::current_exception()) {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::bad_alloc&) {
      end_out_of_memory();
    } catch (...) {  // of no concern here
    }
  }
  if (handler_before != nullptr) handler_before();
  std::abort();
}

}  // namespace

void end_out_of_memory() noexcept {
  constexpr std::string_view kLine = "jackfield: out of memory: the server ends\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kLine.data(), kLine.size());
  std::_Exit(kOutOfMemoryExit);
}

void end_where_memory_is_out() {
  handler_before = std::set_terminate(on_terminate);
  std::set_new_handler(on_no_memory);
}

}  // namespace jackfield::base
