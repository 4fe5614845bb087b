// What the observatory keeps: sessions with their thoughts and branches, as the JSON that the
// producers sent, bounded. Plain values, no host: it is called from the plugin's loop only, and
// owns all that it keeps.
//
// A session's thoughts may arrive before the session itself (two producers, or a server that was
// started again): they are kept under its id, but the session is unknown until it is started.
#pragma once

#include <jackfield_json.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace observatory {

struct Limits {
  std::size_t max_sessions = 200;
  std::size_t max_thoughts = 1000;                       // a session, branches included
  std::size_t max_session_bytes = std::size_t{4} << 20;  // octets; so that a snapshot can be sent
  std::size_t max_bytes = std::size_t{64} << 20;         // octets of all sessions
};

// The object with the member `key` set to `value` (JSON text): replaced where it stands, else added
// at the end. Every other member keeps its octets.
std::string with_member(const jf::Json& object, std::string_view key, std::string_view value);

class Store {
 public:
  explicit Store(Limits limits) : limits_(limits) {}

  // New limits hold at once.
  void limit(Limits limits);

  // Stores a session (checked before), or replaces the data of the one with this id; its thoughts
  // stay. A session without `tags` gets an empty list of them.
  void start(const std::string& id, const jf::Json& session);
  // Marks it completed at `time` (ISO 8601); one that has ended before keeps its time. False: there
  // is no such session.
  bool end(const std::string& id, std::string_view time);
  // Stores a thought; the oldest ones go where the session has too many.
  void add(const std::string& session, std::string_view thought);
  // Stores it in a branch; the branch is made where it is new.
  void add_to_branch(const std::string& session, const std::string& branch,
                     std::int64_t from_thought_number, std::string_view thought);

  // {"session","thoughts","branches"}; empty for an unknown session.
  std::optional<std::string> snapshot(const std::string& id) const;
  // {"sessions":[...]}, the newest first. `status` "all": all of them.
  std::string list(std::string_view status, std::size_t limit, std::size_t offset) const;

  std::size_t size() const { return sessions_.size(); }
  std::size_t bytes() const { return bytes_; }

  // ---- For the next generation of the plugin (store_state.cpp).

  struct State {
    std::string json;
    std::size_t left_out = 0;  // sessions for which there was no place
  };
  // All that is kept, in at most `max` octets: those sessions are left out that would be dropped
  // first.
  State state(std::size_t max) const;
  // What `state` of another object gave. Nothing is known about who wrote it: gives the first
  // mistake, or an empty text. REQUIRES: the store is empty; after a mistake, no more use.
  std::string restore(const jf::Json& state);

 private:
  struct Thought {
    std::optional<std::string> branch;
    std::string json;
  };
  struct Branch {
    std::int64_t from_thought_number = 0;
    std::uint64_t order = 0;  // by first thought
    std::size_t thoughts = 0;
  };
  struct Session {
    std::string json;  // empty: unknown as yet
    std::string status;
    std::uint64_t started = 0;  // these three: points in the store's own counting
    std::uint64_t touched = 0;
    std::uint64_t ended = 0;       // 0: active
    std::deque<Thought> thoughts;  // as they came
    std::map<std::string, Branch> branches;
    std::size_t bytes = 0;
  };
  using Sessions = std::map<std::string, Session>;

  Session& touch(const std::string& id);
  void set(Session& session, std::string json);
  void append(Session& session, std::optional<std::string> branch, std::string_view thought);
  void drop_oldest_thought(Session& session);
  void fit(Session& session);
  // Drops whole sessions until the rest fits: ended ones first, the longest ended before the
  // others, then unknown ones, then active ones, the longest untouched first. Never `keep`.
  void fit_all(const std::string& keep);
  Sessions::iterator victim(const std::string& keep);
  // What goes first has the smallest.
  static std::pair<int, std::uint64_t> worth(const Session& session);
  static std::string written(const std::string& id, const Session& session);
  std::string restore_session(const jf::Json& json);

  Limits limits_;
  Sessions sessions_;
  std::size_t bytes_ = 0;
  std::uint64_t clock_ = 0;
};

}  // namespace observatory
