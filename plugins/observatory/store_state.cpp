// What the observatory keeps, as JSON for the next generation of the plugin:
//
//     {"clock":9,
//      "sessions":[{"id":"s1","started":1,"touched":9,"ended":0,"session":{...},
//                   "branches":{"b":3},
//                   "thoughts":[{"thought":{...}},{"branch":"b","thought":{...}}]},
//                  ...]}
//
// `session` is null where it was not started; `branches` has the thought that each comes from.
#include <algorithm>
#include <vector>

#include "plugins/observatory/shapes.hpp"
#include "plugins/observatory/store.hpp"

namespace observatory {
namespace {

// What a session may have grown by since it was taken: its status, completedAt and tags.
constexpr std::size_t kGrowth = 128;

std::uint64_t moment(const jf::Json& json) {
  return static_cast<std::uint64_t>(json.integer().value_or(0));
}

}  // namespace

std::string Store::written(const std::string& id, const Session& session) {
  std::vector<std::pair<std::string_view, const Branch*>> branches;
  for (const auto& [name, branch] : session.branches) branches.emplace_back(name, &branch);
  std::sort(branches.begin(), branches.end(),
            [](const auto& a, const auto& b) { return a.second->order < b.second->order; });

  jf::JsonWriter writer;
  writer.object()
      .field("id", id)
      .field("started", session.started)
      .field("touched", session.touched)
      .field("ended", session.ended)
      .raw_field("session", session.json)  // null where it is empty
      .key("branches")
      .object();
  for (const auto& [name, branch] : branches) writer.field(name, branch->from_thought_number);
  writer.end().key("thoughts").array();
  for (const Thought& thought : session.thoughts) {
    writer.object();
    if (thought.branch) writer.field("branch", *thought.branch);
    writer.raw_field("thought", thought.json).end();
  }
  return writer.end().end().take();
}

Store::State Store::state(std::size_t max) const {
  std::vector<Sessions::const_iterator> best;
  for (auto each = sessions_.begin(); each != sessions_.end(); ++each) best.push_back(each);
  std::sort(best.begin(), best.end(),
            [](const auto& a, const auto& b) { return worth(a->second) > worth(b->second); });

  State result;
  jf::JsonWriter writer;
  writer.object().field("clock", clock_).key("sessions").array();
  for (const auto& each : best) {
    const std::string json = written(each->first, each->second);
    // One that is too large may be followed by smaller ones that are not.
    if (writer.str().size() + json.size() + 3 > max) {
      ++result.left_out;
    } else {
      writer.raw(json);
    }
  }
  result.json = writer.end().end().take();
  return result;
}

std::string Store::restore(const jf::Json& json) {
  std::string mistake = observatory::state().check(json, "state");
  if (!mistake.empty()) return mistake;
  for (const jf::Json& each : json["sessions"].elements()) {
    mistake = restore_session(each);
    if (!mistake.empty()) {
      return "state.sessions: " + each["id"].string().value_or("") + ": " + mistake;
    }
  }
  clock_ = std::max(clock_, moment(json["clock"]));
  for (auto& [id, session] : sessions_) fit(session);
  fit_all("");
  return "";
}

std::string Store::restore_session(const jf::Json& json) {
  // One walk: it may be large.
  std::map<std::string, jf::Json> parts;
  for (const jf::Member& member : json.members()) parts[member.key()] = member.value;
  const std::string id = parts["id"].string().value_or("");
  const jf::Json own = parts["session"];
  const bool is_known = !own.is_null();
  if (sessions_.count(id) != 0) return "is there twice";
  Session& session = touch(id);
  session.started = moment(parts["started"]);
  session.touched = moment(parts["touched"]);
  session.ended = moment(parts["ended"]);
  clock_ = std::max({clock_, session.started, session.touched, session.ended});
  if (is_known) {
    if (!own["id"].equals(id)) return "is the session of another id";
    if (own.raw().size() > kMaxSessionJson + kGrowth) return "is too large";
    session.status = own["status"].string().value_or("");
    set(session, std::string(own.raw()));
  }
  const bool has_ended = is_known && session.status != "active";
  if ((session.started != 0) != is_known || (session.ended != 0) != has_ended) {
    return "has other times than its status has";
  }
  for (const jf::Member& member : parts["branches"].members()) {
    const auto from = member.value.integer();
    const auto [branch, is_new] = session.branches.try_emplace(member.key());
    if (!from || !is_new) return "has a branch that is none";
    branch->second.from_thought_number = *from;
    branch->second.order = ++clock_;
  }
  for (const jf::Json& each : parts["thoughts"].elements()) {
    std::optional<std::string> name;
    if (const jf::Json branch = each["branch"]) name = branch.string();
    if (name) {
      const auto branch = session.branches.find(*name);
      if (branch == session.branches.end()) return "has a thought of no branch";
      ++branch->second.thoughts;
    }
    append(session, std::move(name), each["thought"].raw());
  }
  for (const auto& [name, branch] : session.branches) {
    if (branch.thoughts == 0) return "has a branch without thoughts";
  }
  return "";
}

}  // namespace observatory
