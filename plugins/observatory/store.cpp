#include "plugins/observatory/store.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace observatory {
namespace {

// What a thought or a session costs beside its text.
constexpr std::size_t kOverhead = 64;

}  // namespace

std::string with_member(const jf::Json& object, std::string_view key, std::string_view value) {
  bool written = false;
  std::string out = "{";
  for (const jf::Member& member : object.members()) {
    const bool same = member.quoted_key.equals(key);
    if (same && written) continue;
    if (out.size() > 1) out += ',';
    out += member.quoted_key.raw();
    out += ':';
    out += same ? value : member.value.raw();
    written = written || same;
  }
  if (!written) {
    if (out.size() > 1) out += ',';
    out += jf::quoted(key);
    out += ':';
    out += value;
  }
  return out + "}";
}

void Store::limit(Limits limits) {
  limits_ = limits;
  for (auto& [id, session] : sessions_) fit(session);
  fit_all("");
}

Store::Session& Store::touch(const std::string& id) {
  const auto [found, made] = sessions_.try_emplace(id);
  if (made) {
    found->second.bytes = kOverhead + id.size();
    bytes_ += found->second.bytes;
  }
  found->second.touched = ++clock_;
  return found->second;
}

void Store::set(Session& session, std::string json) {
  const std::size_t before = session.json.size();
  session.bytes += json.size() - before;
  bytes_ += json.size() - before;
  session.json = std::move(json);
}

void Store::start(const std::string& id, const jf::Json& json) {
  Session& session = touch(id);
  if (session.started == 0) session.started = clock_;
  session.status = json["status"].string().value_or("active");
  if (session.status == "active") {
    session.ended = 0;
  } else if (session.ended == 0) {
    session.ended = clock_;
  }
  set(session, json["tags"].exists() ? std::string(json.raw()) : with_member(json, "tags", "[]"));
  fit(session);
  fit_all(id);
}

bool Store::end(const std::string& id, std::string_view time) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end() || found->second.json.empty()) return false;
  Session& session = found->second;
  if (session.status == "completed") return true;
  session.status = "completed";
  if (session.ended == 0) session.ended = ++clock_;
  const std::string json = with_member(jf::Json(session.json), "status", "\"completed\"");
  set(session, with_member(jf::Json(json), "completedAt", jf::quoted(time)));
  fit(session);
  return true;
}

void Store::add(const std::string& id, std::string_view thought) {
  Session& session = touch(id);
  append(session, std::nullopt, thought);
  fit(session);
  fit_all(id);
}

void Store::add_to_branch(const std::string& id, const std::string& name,
                          std::int64_t from_thought_number, std::string_view thought) {
  Session& session = touch(id);
  const auto [branch, made] = session.branches.try_emplace(name);
  if (made) {
    branch->second.from_thought_number = from_thought_number;
    branch->second.order = clock_;
  }
  ++branch->second.thoughts;
  append(session, name, thought);
  fit(session);
  fit_all(id);
}

void Store::append(Session& session, std::optional<std::string> branch, std::string_view thought) {
  const std::size_t bytes = kOverhead + (branch ? branch->size() : 0) + thought.size();
  session.thoughts.push_back({std::move(branch), std::string(thought)});
  session.bytes += bytes;
  bytes_ += bytes;
}

void Store::drop_oldest_thought(Session& session) {
  const Thought& thought = session.thoughts.front();
  const std::size_t bytes =
      kOverhead + (thought.branch ? thought.branch->size() : 0) + thought.json.size();
  if (thought.branch) {
    const auto branch = session.branches.find(*thought.branch);
    if (--branch->second.thoughts == 0) session.branches.erase(branch);
  }
  session.thoughts.pop_front();
  session.bytes -= bytes;
  bytes_ -= bytes;
}

void Store::fit(Session& session) {
  while (!session.thoughts.empty() && (session.thoughts.size() > limits_.max_thoughts ||
                                       session.bytes > limits_.max_session_bytes)) {
    drop_oldest_thought(session);
  }
}

std::pair<int, std::uint64_t> Store::worth(const Session& session) {
  if (session.ended != 0) return {0, session.ended};
  return {session.json.empty() ? 1 : 2, session.touched};
}

Store::Sessions::iterator Store::victim(const std::string& keep) {
  auto chosen = sessions_.end();
  for (auto each = sessions_.begin(); each != sessions_.end(); ++each) {
    if (each->first == keep) continue;
    if (chosen == sessions_.end() || worth(each->second) < worth(chosen->second)) chosen = each;
  }
  return chosen;
}

void Store::fit_all(const std::string& keep) {
  while (sessions_.size() > limits_.max_sessions || bytes_ > limits_.max_bytes) {
    const auto gone = victim(keep);
    if (gone == sessions_.end()) return;  // one alone is bounded by `fit`
    bytes_ -= gone->second.bytes;
    sessions_.erase(gone);
  }
}

std::optional<std::string> Store::snapshot(const std::string& id) const {
  const auto found = sessions_.find(id);
  if (found == sessions_.end() || found->second.json.empty()) return std::nullopt;
  const Session& session = found->second;

  std::map<std::string_view, std::vector<std::string_view>> of_branch;
  jf::JsonWriter writer;
  writer.object().raw_field("session", session.json).key("thoughts").array();
  for (const Thought& thought : session.thoughts) {
    if (thought.branch) {
      of_branch[*thought.branch].push_back(thought.json);
    } else {
      writer.raw(thought.json);
    }
  }
  writer.end();

  std::vector<std::pair<std::string_view, const Branch*>> branches;
  for (const auto& [name, branch] : session.branches) branches.emplace_back(name, &branch);
  std::sort(branches.begin(), branches.end(),
            [](const auto& a, const auto& b) { return a.second->order < b.second->order; });
  writer.key("branches").object();
  for (const auto& [name, branch] : branches) {
    writer.key(name).object().field("id", name);
    writer.field("fromThoughtNumber", branch->from_thought_number).key("thoughts").array();
    for (const std::string_view thought : of_branch[name]) writer.raw(thought);
    writer.end().end();
  }
  return writer.end().end().take();
}

std::string Store::list(std::string_view status, std::size_t limit, std::size_t offset) const {
  std::vector<const Session*> chosen;
  for (const auto& [id, session] : sessions_) {
    if (session.json.empty()) continue;
    if (status == "all" || session.status == status) chosen.push_back(&session);
  }
  std::sort(chosen.begin(), chosen.end(),
            [](const Session* a, const Session* b) { return a->started > b->started; });
  jf::JsonWriter writer;
  writer.object().key("sessions").array();
  for (std::size_t i = offset; i < chosen.size() && i - offset < limit; ++i) {
    writer.raw(chosen[i]->json);
  }
  return writer.end().end().take();
}

}  // namespace observatory
