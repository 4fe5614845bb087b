#include "core/plugin/lingering_threads.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "core/base/descriptor.hpp"

namespace jackfield::plugin {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kPatience{20};  // with threads that are busy
constexpr std::chrono::milliseconds kPause{1};
constexpr int kMostLists = 100;  // while threads come and go
// What glibc and musl keep of a thread at the end of its stack, from its list of robust futexes on.
constexpr std::uintptr_t kDescriptorOctets = 4096;

// Nothing where it cannot be read: a file of a thread that ends meanwhile is ESRCH, which a
// stream's buffer would throw.
std::optional<std::string> read_text(const fs::path& file) {
  const base::Descriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened.is_open()) return std::nullopt;
  std::string text;
  std::array<char, 512> buffer;
  ssize_t got = 0;
  do {
    got = ::read(opened.number(), buffer.data(), buffer.size());
    if (got > 0) text.append(buffer.data(), static_cast<std::size_t>(got));
  } while (got > 0 || (got < 0 && errno == EINTR));
  return got < 0 ? std::nullopt : std::optional(std::move(text));
}

std::optional<std::set<pid_t>> list_once(const fs::path& process) {
  std::set<pid_t> ids;
  std::error_code error;
  for (fs::directory_iterator i(process / "task", error), end; !error && i != end;
       i.increment(error)) {
    const std::string name = i->path().filename().string();
    pid_t id = 0;
    std::from_chars(name.data(), name.data() + name.size(), id);
    if (id > 0) ids.insert(id);
  }
  if (error || ids.empty()) return std::nullopt;
  return ids;
}

// What `stat` of a process or a thread has behind the name in parentheses, which may hold anything:
// "state ppid pgrp session tty_nr tpgid flags ..." (proc(5)).
std::istringstream behind_name(const std::string& stat) {
  return std::istringstream(stat.substr(std::min(stat.rfind(')'), stat.size() - 1) + 1));
}

// How many threads there are, those that have not been removed yet included; nothing where that
// cannot be read.
std::optional<std::size_t> count_threads(const fs::path& process) {
  constexpr int kBefore = 17;  // words, from the state on
  const auto text = read_text(process / "stat");
  if (!text || text->empty()) return std::nullopt;
  std::istringstream words = behind_name(*text);
  std::string skipped;
  for (int i = 0; i < kBefore; ++i) words >> skipped;
  std::size_t count = 0;
  return words >> count ? std::optional(count) : std::nullopt;
}

// The kernel ends the list where the thread that it has come to goes in this moment, whoever is
// behind it: then there are more threads than in the list, or the next list is another one.
std::optional<std::set<pid_t>> list_threads(const fs::path& process) {
  auto before = list_once(process);
  for (int tries = 1; before && tries < kMostLists; ++tries) {
    const std::optional<std::size_t> count = count_threads(process);
    auto after = list_once(process);
    if (after == before && (!count || *count <= after->size())) return after;
    before = std::move(after);
  }
  return std::nullopt;
}

// Looks at this process's threads once or again.
class Search {
 public:
  enum class Verdict {
    kOutside,
    kInside,
    kBusy,     // ask again
    kUnknown,  // asking again does not help
  };

  Search(const std::vector<AddressRange>& ranges, const fs::path& process)
      : ranges_(ranges), process_(process) {}

  // Reads where memory is mapped. To be called before each round: stacks come and go.
  void begin_round() {
    mappings_.clear();
    std::istringstream maps(read_text(process_ / "maps").value_or(""));
    for (std::string line; std::getline(maps, line);) {
      // "begin-end rw-p ...", in hexadecimal
      AddressRange mapping;
      const char* const end = line.data() + line.size();
      const auto first = std::from_chars(line.data(), end, mapping.begin, 16);
      if (first.ec != std::errc() || first.ptr == end || *first.ptr != '-') continue;
      const auto second = std::from_chars(first.ptr + 1, end, mapping.end, 16);
      if (second.ec != std::errc() || end - second.ptr < 2 || second.ptr[1] != 'r') continue;
      mappings_.push_back(mapping);
    }
  }

  Verdict look_at(pid_t thread) {
    const fs::path folder = process_ / "task" / std::to_string(thread);
    const AddressRange descriptor = descriptor_of(thread);
    const auto in_descriptor = leads_into_image(descriptor);
    if (in_descriptor.value_or(false)) {
      return has_ended(folder) ? Verdict::kOutside : Verdict::kInside;
    }

    const auto place = read_text(folder / "syscall");
    if (!place) return has_ended(folder) ? Verdict::kOutside : Verdict::kUnknown;
    const auto registers = parse(*place);
    if (!registers) return has_ended(folder) ? Verdict::kOutside : Verdict::kBusy;
    if (is_in_image(registers->program_counter)) return Verdict::kInside;
    // Gone in this moment, its memory with it.
    if (registers->stack_pointer == 0) return Verdict::kOutside;

    AddressRange stack = mapping_of(registers->stack_pointer);
    if (stack.begin == stack.end) return Verdict::kBusy;  // newer than this round
    stack.begin = registers->stack_pointer;
    // Another mapping may follow upon the stack without a gap; the stack ends with the descriptor.
    if (stack.contains(descriptor.begin)) stack.end = std::min(stack.end, descriptor.end);
    const auto in_stack = leads_into_image(stack);
    if (in_stack.value_or(false)) return Verdict::kInside;
    // Did it stand still meanwhile?
    if (read_text(folder / "syscall") != place) return Verdict::kBusy;
    return in_stack ? Verdict::kOutside : Verdict::kUnknown;
  }

  std::string name_of(pid_t thread) const {
    std::string name = read_text(process_ / "task" / std::to_string(thread) / "comm").value_or("");
    if (!name.empty() && name.back() == '\n') name.pop_back();
    return name;
  }

 private:
  struct Registers {
    std::uintptr_t stack_pointer = 0;
    std::uintptr_t program_counter = 0;
  };

  // The last two words of a thread's `syscall`, which is "running" where they are not known.
  static std::optional<Registers> parse(const std::string& place) {
    std::istringstream words(place);
    const std::vector<std::string> all{std::istream_iterator<std::string>(words),
                                       std::istream_iterator<std::string>()};
    if (all.size() < 3) return std::nullopt;
    const auto number = [](const std::string& word) {
      return static_cast<std::uintptr_t>(std::strtoull(word.c_str(), nullptr, 16));
    };
    return Registers{number(all[all.size() - 2]), number(all.back())};
  }

  // Whether a thread's last instruction is behind it: who joins a thread goes on before the kernel
  // has removed it. From `stat`.
  static bool has_ended(const fs::path& folder) {
    constexpr unsigned kExiting = 0x4;  // PF_EXITING
    const auto text = read_text(folder / "stat");
    std::error_code ignored;
    if (!text || text->empty()) return !fs::exists(folder, ignored);
    std::istringstream words = behind_name(*text);
    char state = 0;
    long skipped = 0;
    unsigned flags = 0;
    words >> state;
    for (int i = 0; i < 5; ++i) words >> skipped;
    words >> flags;
    return state == 'Z' || state == 'X' || (words && (flags & kExiting) != 0);
  }

  // From where the kernel knows a thread's list of robust futexes (get_robust_list(2)), which is in
  // the C library's descriptor of the thread, before the function that it was started with. Empty
  // where there is none.
  AddressRange descriptor_of(pid_t thread) const {
    void* list = nullptr;
    std::size_t size = 0;
    if (::syscall(SYS_get_robust_list, thread, &list, &size) != 0 || list == nullptr) return {};
    const auto begin = reinterpret_cast<std::uintptr_t>(list);
    const AddressRange mapping = mapping_of(begin);
    return {begin, std::min(mapping.end, begin + kDescriptorOctets)};
  }

  // The one that holds the address; empty where none does.
  AddressRange mapping_of(std::uintptr_t address) const {
    const auto found = std::find_if(mappings_.begin(), mappings_.end(), [&](AddressRange mapping) {
      return mapping.contains(address);
    });
    return found == mappings_.end() ? AddressRange{} : *found;
  }

  bool is_in_image(std::uintptr_t address) const {
    return std::any_of(ranges_.begin(), ranges_.end(),
                       [&](const AddressRange& range) { return range.contains(address); });
  }

  // Whether one of the words in there is an address in the image; nothing where they cannot be
  // read: the memory may go while it is looked at, so the kernel is asked for it
  // (process_vm_readv(2)).
  std::optional<bool> leads_into_image(AddressRange memory) {
    constexpr std::uintptr_t kWord = sizeof(std::uintptr_t);
    memory.begin = (memory.begin + kWord - 1) / kWord * kWord;
    if (memory.begin >= memory.end) return std::nullopt;
    while (memory.begin < memory.end) {
      const std::size_t size =
          std::min<std::uintptr_t>(words_.size() * kWord, memory.end - memory.begin);
      const iovec here{words_.data(), size};
      const iovec there{reinterpret_cast<void*>(memory.begin), size};
      const ssize_t got = ::process_vm_readv(::getpid(), &here, 1, &there, 1, 0);
      if (got < static_cast<ssize_t>(kWord)) return std::nullopt;
      const auto end = words_.begin() + got / static_cast<ssize_t>(kWord);
      const bool is_hit =
          std::any_of(words_.begin(), end, [&](auto word) { return is_in_image(word); });
      if (is_hit) return true;
      memory.begin += static_cast<std::uintptr_t>(got) / kWord * kWord;
    }
    return false;
  }

  const std::vector<AddressRange>& ranges_;
  const fs::path& process_;
  std::vector<AddressRange> mappings_;
  // What was read; not on the stack, where others that search at the same time would find it.
  std::vector<std::uintptr_t> words_ = std::vector<std::uintptr_t>(512);
};

}  // namespace

std::set<pid_t> thread_ids() { return list_threads("/proc/self").value_or(std::set<pid_t>()); }

std::vector<LingeringThread> threads_in(const std::vector<AddressRange>& ranges,
                                        const std::set<pid_t>& host_threads,
                                        const std::set<pid_t>& earlier_threads,
                                        const fs::path& process) {
  std::set<pid_t> known = host_threads;  // of these, nobody is looked at again
  known.insert(static_cast<pid_t>(::syscall(SYS_gettid)));
  std::set<pid_t> ids;
  std::vector<LingeringThread> found;
  Search search(ranges, process);
  int lists = 0;
  const auto end = std::chrono::steady_clock::now() + kPatience;
  for (bool is_last = false;; is_last = std::chrono::steady_clock::now() >= end) {
    if (ids.empty()) {
      if (!found.empty()) return found;
      // Of those that have ended by now, one may have begun another.
      auto listed = list_threads(process);
      if (!listed) return {LingeringThread{}};
      std::set_difference(listed->begin(), listed->end(), known.begin(), known.end(),
                          std::inserter(ids, ids.end()));
      if (ids.empty()) return found;
      if (++lists > kMostLists) return {{*ids.begin(), search.name_of(*ids.begin()), false}};
      known.insert(ids.begin(), ids.end());
    }
    search.begin_round();
    for (auto i = ids.begin(); i != ids.end();) {
      const Search::Verdict verdict = search.look_at(*i);
      if (verdict == Search::Verdict::kBusy && !is_last) {
        ++i;
        continue;
      }
      const bool is_certain = verdict == Search::Verdict::kInside;
      const bool is_in_doubt =
          verdict != Search::Verdict::kOutside && earlier_threads.count(*i) == 0;
      if (is_certain || is_in_doubt) found.push_back({*i, search.name_of(*i), is_certain});
      i = ids.erase(i);
    }
    if (!ids.empty()) std::this_thread::sleep_for(kPause);
  }
}

}  // namespace jackfield::plugin
