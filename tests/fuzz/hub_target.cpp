// The hub as a state machine (core/hub). An octet is an operation, those behind it say what with:
// connections come and go, send and do not read; channels answer, refuse, answer later, and use
// their verbs from within; channels are held, replaced and retired as a reload does it. After each
// operation the hub stands where the model stands, and every link was written what the model says.
#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/hub/hub.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/hub_model.hpp"
#include "tests/fuzz/hub_record.hpp"

namespace jackfield::fuzz {
namespace {

using hub::Answer;
using hub::LeaveReason;

constexpr std::size_t kSlots = 6;     // for connections
constexpr std::size_t kFamilies = 3;  // of channels that replace each other
constexpr std::size_t kMostOperations = 400;
constexpr std::size_t kMostVerbs = 3000;  // by channels, in a run: each may lead to many frames

constexpr std::array<std::string_view, 6> kTopics = {"a:1", "a:2", "b:1", "b:2", "c:1", "nobody"};
constexpr std::array<std::string_view, kFamilies> kPatterns = {"a:<x>", "b:<x>", "<k>:1"};
const std::array<ModelChannel, kFamilies> kModels = {
    {{.first = "a", .second = ""}, {.first = "b", .second = ""}, {.first = "", .second = "1"}}};

// What a channel's functions do.
enum class Manner { kByInput, kOk, kPending, kRefuse, kManners };

class World;

class FuzzLink : public hub::Link {
 public:
  explicit FuzzLink(World& world) : world_(world) {}

  const hub::ConnectionFacts& facts() const override { return facts_; }
  bool is_congested() const override { return room == 0; }
  bool write(std::string_view frames) override {
    require(room > 0, "a link that is congested is not written to");
    require(closed_with.empty(), "nothing is written after a Close frame");
    require(!frames.empty(), "a write has octets");
    written += frames;
    if (room != ModelConnection::kEndless) --room;
    return room > 0;
  }
  void pause_reading() override {
    require(!is_paused, "a link is paused once");
    is_paused = true;
  }
  void resume_reading() override {
    require(is_paused, "a link that is not paused is not resumed");
    is_paused = false;
  }
  void begin_close() override;
  void finish_close(std::string_view frame) override {
    require(is_closing && closed_with.empty(), "a Close frame is written once, when it is closing");
    require(room > 0, "a link that is congested is not written to");
    closed_with = frame;
  }

  hub::Connection* connection = nullptr;
  std::size_t room = ModelConnection::kEndless;
  bool is_paused = false;
  bool is_closing = false;
  std::string written;
  std::string closed_with;
  std::map<std::string, int, std::less<>> broadcasts;  // that came, by their payloads

 private:
  World& world_;
  const hub::ConnectionFacts facts_{{.peer = "192.0.2.1",
                                     .identity = {},
                                     .path = "/",
                                     .query = {},
                                     .headers = {},
                                     .is_local = false}};
};

class FuzzChannel : public hub::Channel {
 public:
  FuzzChannel(World& world, ChannelIndex its_index, std::size_t its_family, bool is_narrow)
      : index(its_index),
        family(its_family),
        world_(world),
        is_narrow_(is_narrow),
        pattern_(hub::Pattern::parse(kPatterns[its_family]).value()) {}

  const hub::Pattern& pattern() const override { return pattern_; }
  bool match(const hub::Request& request) override {
    require(!is_held, "a channel that is held is not asked whether it takes a topic");
    require(!is_over, "a channel that has ended is not asked whether it takes a topic");
    return !(is_narrow_ && request.topic.ends_with('2'));
  }
  Answer join(const hub::Request& request) override {
    return call(Happening::Kind::kJoin, request).answer;
  }
  Answer event(const hub::Request& request) override {
    return call(Happening::Kind::kEvent, request).answer;
  }
  void leave(const hub::Request& request, LeaveReason reason) override {
    call(Happening::Kind::kLeave, request, reason);
  }
  bool adopt(const hub::Request& request) override {
    return call(Happening::Kind::kAdopt, request).is_adopted;
  }
  std::string_view owner() const override { return "fuzz"; }

  const ChannelIndex index;
  const std::size_t family;
  bool is_held = false;
  bool is_over = false;

 private:
  Happening call(Happening::Kind kind, const hub::Request& request,
                 LeaveReason reason = LeaveReason::kClosed);

  World& world_;
  const bool is_narrow_;
  const hub::Pattern pattern_;
};

// Nobody may do these.
class FuzzAccess : public hub::AccessPolicy {
 public:
  bool may(const hub::ConnectionFacts&, hub::Action action, std::string_view topic) const override {
    return forbidden.count({action, std::string(topic)}) == 0;
  }

  std::set<std::pair<hub::Action, std::string>> forbidden;
};

// The hub, the model, and all around them.
class World {
 public:
  explicit World(Input input) : input_(input), model_(limits_, model_channels_, record_) {
    limits_.max_connections = 1 + input_.below(kSlots);
    set_bounds(input_.below(kOutboxes.size()));
    limits_.max_subscriptions = 1 + input_.below(4);
    limits_.max_topic_bytes = 60;
    limits_.soft_outbox_bytes = limits_.max_outbox_bytes;
    limits_.max_messages_per_s = 0;
    limits_.max_bytes_per_s = 0;
    limits_.max_subscribes_per_s = 0;
    // What frames take of memory is not the model's matter.
    limits_.max_outboxes_bytes = std::size_t{1} << 40;
    hub_.set_limits(limits_);
    model_.set_limits(limits_);
    for (std::size_t family = 0; family < kFamilies; ++family) live_[family] = add(family);
    set_channels();
  }

  void run();

  // ---- from channels and links
  void called(Happening& happening);
  void begins_close(const FuzzLink& link) {
    record_.push_back({.kind = Happening::Kind::kBeginClose, .connection = link.connection->id});
  }

 private:
  static constexpr std::array<std::size_t, 4> kOutboxes = {8 << 20, 300, 1200, 100'000};
  // Of joins that are not answered: with the bounds above.
  static constexpr std::array<std::size_t, 4> kAsked = {150'000, 64 << 20, 1000, 60'000};

  void set_bounds(std::size_t choice) {
    limits_.max_outbox_bytes = kOutboxes[choice];
    limits_.max_incoming_bytes = kAsked[choice];
  }

  FuzzChannel* add(std::size_t family) {
    const bool is_narrow = input_.below(4) == 3;
    channels_.push_back(std::make_unique<FuzzChannel>(*this, channels_.size(), family, is_narrow));
    model_channels_.push_back(kModels[family]);
    model_channels_.back().is_narrow = is_narrow;
    return channels_.back().get();
  }

  // Those that live, in their order.
  std::vector<FuzzChannel*> live() const {
    std::vector<FuzzChannel*> channels;
    for (std::size_t i = 0; i < kFamilies; ++i) {
      FuzzChannel* const channel = live_[(i + first_family_) % kFamilies];
      if (channel != nullptr) channels.push_back(channel);
    }
    return channels;
  }
  static std::vector<hub::Channel*> of_hub(const std::vector<FuzzChannel*>& channels) {
    return {channels.begin(), channels.end()};
  }
  static std::vector<ChannelIndex> of_model(const std::vector<FuzzChannel*>& channels) {
    std::vector<ChannelIndex> indices;
    for (const FuzzChannel* channel : channels) indices.push_back(channel->index);
    return indices;
  }
  void set_channels() {
    hub_.set_channels(of_hub(live()));
    model_.set_channels(of_model(live()));
  }

  FuzzLink* some_link() {
    std::vector<FuzzLink*> links;
    for (const auto& link : links_) {
      if (link != nullptr) links.push_back(link.get());
    }
    const std::size_t choice = input_.octet();
    return links.empty() ? nullptr : links[choice % links.size()];
  }
  // One that was seen lately, whatever it is of: it may have ended.
  Id some_id() {
    const std::size_t choice = input_.octet();
    return ids_.empty() ? choice : ids_[ids_.size() - 1 - choice % ids_.size()];
  }
  void saw(Id id) {
    if (id == 0 || std::find(ids_.begin(), ids_.end(), id) != ids_.end()) return;
    if (ids_.size() == kMostIds) ids_.pop_front();
    ids_.push_back(id);
  }
  static constexpr std::size_t kMostIds = 32;

  std::string_view some_topic() { return kTopics[input_.below(kTopics.size())]; }
  std::string some_payload();
  Answer some_answer();
  Verb some_verb();
  void do_verb(Verb& verb);
  ModelMessage some_message();

  // The operations.
  void open();
  void send(std::size_t times);
  void vanish();
  void drain();
  void outside_verb();
  void begin_hold();
  void hand_over();
  void release();
  void retire();
  void change_limits();
  void change_backlog();
  void change_access();
  void operate();
  void end();

  void compare();
  void compare_link(FuzzLink& link);
  void count_broadcasts(FuzzLink& link, std::string_view frames);

  Input input_;
  base::Log log_{base::LogLevel::kError, [](std::string_view) {}};
  base::IdSource id_source_;
  hub::Limits limits_;
  Record record_;
  std::vector<std::unique_ptr<FuzzChannel>> channels_;  // all that there were
  std::vector<ModelChannel> model_channels_;
  std::array<FuzzChannel*, kFamilies> live_{};
  std::size_t first_family_ = 0;  // of the order
  std::vector<FuzzChannel*> held_;
  bool is_frozen_ = false;
  bool is_inside_ = false;  // a channel's function runs
  std::array<std::unique_ptr<FuzzLink>, kSlots> links_;
  std::deque<Id> ids_;
  static constexpr std::array<std::uint64_t, 4> kTimes = {1, 100, 1000, 5000};
  std::uint64_t now_ = 1000;  // the loop's time, milliseconds
  FuzzAccess access_;
  Manner manner_ = Manner::kByInput;
  std::size_t serial_ = 0;
  std::size_t verbs_ = 0;
  hub::Hub hub_{limits_, id_source_, log_};
  Model model_;
};

void FuzzLink::begin_close() {
  require(!is_closing, "a link begins to close once");
  is_closing = true;
  world_.begins_close(*this);
}

Happening FuzzChannel::call(Happening::Kind kind, const hub::Request& request, LeaveReason reason) {
  require(!is_over, "a channel that has ended is not called");
  require(request.params.count > 0, "a request has its topic's params");
  for (std::size_t i = 0; i < request.params.count; ++i) {
    require(request.topic.find(request.params.items[i].value) != request.topic.npos,
            "a param is of the topic");
  }
  Happening happening{.kind = kind,
                      .channel = index,
                      .call = request.call,
                      .connection = request.connection,
                      .subscription = request.subscription,
                      .topic = std::string(request.topic),
                      .event = std::string(request.event),
                      .payload = std::string(request.payload),
                      .reason = reason};
  world_.called(happening);
  // What it was given is still there after all that it did.
  require_same(happening.topic, request.topic, "the topic of a request after its verbs");
  require_same(happening.payload, request.payload, "the payload of a request after its verbs");
  return happening;
}

// ---- what channels do

void World::called(Happening& happening) {
  require(!is_inside_, "no channel is called while another runs");
  is_inside_ = true;
  saw(happening.call);
  saw(happening.subscription);
  const bool is_leave = happening.kind == Happening::Kind::kLeave;
  const bool is_known = happening.subscription == 0 || hub_.kept(happening.subscription) != nullptr;
  require(is_known, "what a plugin keeps is there, also within a leave");
  if (manner_ == Manner::kByInput) {
    const std::size_t verbs = input_.below(4);
    for (std::size_t i = 0; i < verbs && verbs_ < kMostVerbs; ++i) {
      Verb verb = some_verb();
      do_verb(verb);
      happening.verbs.push_back(std::move(verb));
    }
    if (!is_leave) happening.answer = some_answer();
    happening.is_adopted = input_.below(4) != 3;
  } else {
    happening.is_adopted = manner_ != Manner::kRefuse;
    if (manner_ == Manner::kPending) happening.answer = Answer::pending();
    if (manner_ == Manner::kRefuse) happening.answer = Answer::refused("NO", "not now");
  }
  record_.push_back(happening);
  is_inside_ = false;
}

std::string World::some_payload() {
  static constexpr std::array<std::size_t, 5> kSizes = {0, 0, 150, 40'000, 70'000};
  return "\"" + std::to_string(++serial_) + std::string(kSizes[input_.below(kSizes.size())], 'x') +
         "\"";
}

Answer World::some_answer() {
  switch (input_.below(5)) {
    case 1: return Answer::pending();
    case 2: return Answer::refused("NO", "not now");
    case 3: return Answer::no_event();
    default: return Answer::ok();
  }
}

Verb World::some_verb() {
  Verb verb;
  switch (input_.below(4)) {
    case 0:
      verb.kind = Verb::Kind::kBroadcast;
      verb.topic = some_topic();
      verb.event = "cast";
      verb.payload = some_payload();
      if (input_.below(4) == 3) verb.target = some_id();
      break;
    case 1:
      verb.kind = Verb::Kind::kPush;
      verb.target = some_id();
      verb.event = "push";
      verb.payload = some_payload();
      break;
    case 2:
      verb.kind = Verb::Kind::kReply;
      verb.target = some_id();
      verb.answer = input_.flag() ? Answer::refused("LATE", "no") : Answer::ok();
      break;
    default:
      verb.kind = Verb::Kind::kKick;
      verb.target = some_id();
      verb.answer = Answer::refused("KICKED", "go");
      break;
  }
  return verb;
}

void World::do_verb(Verb& verb) {
  ++verbs_;
  const auto is_done = [](hub::Hub::Outcome outcome) {
    return outcome == hub::Hub::Outcome::kDone;
  };
  switch (verb.kind) {
    case Verb::Kind::kPush:
      verb.is_done = is_done(hub_.push(verb.target, verb.event, verb.payload));
      break;
    case Verb::Kind::kBroadcast:
      verb.count = hub_.broadcast(verb.topic, verb.event, verb.payload, verb.target);
      break;
    case Verb::Kind::kReply: verb.is_done = is_done(hub_.reply(verb.target, verb.answer)); break;
    case Verb::Kind::kKick:
      verb.is_done = is_done(hub_.kick(verb.target, verb.answer.code, verb.answer.message));
      break;
  }
}

void World::outside_verb() {
  Verb verb = some_verb();
  do_verb(verb);
  model_.apply(verb);
}

// ---- what clients do

void World::open() {
  for (auto& link : links_) {
    if (link != nullptr) continue;
    link = std::make_unique<FuzzLink>(*this);
    link->connection = &hub_.open(*link);
    saw(link->connection->id);
    model_.open(link->connection->id);
    return;
  }
}

ModelMessage World::some_message() {
  static const std::string kLong(400, 'l');
  static const std::array<std::string, 6> kPayloads = {"{}",
                                                       "{\"id\":\"x\"}",
                                                       "{\"id\":5}",
                                                       "null",
                                                       "{\"id\":\"a\",\"id\":\"b\\u00e9\"}",
                                                       "{\"id\":\"x\",\"p\":\"" + kLong + "\"}"};
  static constexpr std::array<std::string_view, 4> kEvents = {"subscribe", "unsubscribe", "event",
                                                              "subscribe"};
  static const std::array<ModelMessage, 5> kMistakes = {
      {{.text = "no message", .mistake = "Invalid JSON", .topic{}, .event{}, .payload{}},
       {.text = "[1,2]",
        .mistake = "Message must be [topic, event, payload]",
        .topic{},
        .event{},
        .payload{}},
       {.text = "[\"" + kLong + "\",\"e\",1]",
        .mistake = "Topic or event name is too long or holds a NUL",
        .topic{},
        .event{},
        .payload{}},
       {.text = "[\"a:1\",\"e\",\"\xff\"]",
        .mistake = "Invalid JSON",
        .topic = "a:1",  // which is told where it comes too fast
        .event{},
        .payload{}},
       {.text = "", .mistake = "Invalid JSON", .topic{}, .event{}, .payload{}}}};
  const std::size_t choice = input_.octet();
  if (choice >= 240) return kMistakes[choice % kMistakes.size()];
  ModelMessage message;
  message.event = kEvents[choice % kEvents.size()];
  message.topic = some_topic();
  message.payload = kPayloads[input_.below(kPayloads.size())];
  if (choice % kEvents.size() == 3 && message.payload.ends_with("l\"}")) {  // more than a least share
    message.payload.insert(message.payload.size() - 2, hub::Hub::kLeastShare, 'l');
  }
  message.text = "[\"" + message.topic + "\",\"" + message.event + "\"," + message.payload + "]";
  return message;
}

void World::send(std::size_t times) {
  FuzzLink* const link = some_link();
  if (link == nullptr) return;
  const ModelMessage message = some_message();
  const bool is_utf8 = message.mistake.empty() && input_.flag();
  for (std::size_t i = 0; i < times; ++i) {
    hub_.receive(*link->connection, message.text, is_utf8, now_);
    model_.receive(link->connection->id, message, now_);
  }
}

void World::vanish() {
  const FuzzLink* const link = some_link();
  if (link == nullptr) return;
  const Id id = link->connection->id;
  hub_.lost(*link->connection);
  model_.lost(id);
  const auto slot = std::find_if(links_.begin(), links_.end(),
                                 [&](const auto& one) { return one.get() == link; });
  slot->reset();
}

// The peer takes something again, as much as there is room for.
void World::drain() {
  static constexpr std::array<std::size_t, 4> kRooms = {ModelConnection::kEndless, 1, 2, 5};
  FuzzLink* const link = some_link();
  if (link == nullptr) return;
  const bool was_congested = link->room == 0;
  const Id id = link->connection->id;
  link->room = kRooms[input_.below(kRooms.size())];
  model_.connections().at(id).room = link->room;
  if (!was_congested) return;
  hub_.writable(*link->connection);
  model_.writable(id);
}

// ---- what a reload does

void World::begin_hold() {
  const std::size_t choice = input_.octet();
  if (!held_.empty()) return;
  for (std::size_t family = 0; family < kFamilies; ++family) {
    if ((choice >> family & 1) != 0 && live_[family] != nullptr) held_.push_back(live_[family]);
  }
  if (held_.empty()) return;
  for (FuzzChannel* channel : held_) channel->is_held = true;
  hub_.hold(of_hub(held_));
  model_.hold(of_model(held_));
}

void World::hand_over() {
  const std::size_t choice = input_.octet();
  if (held_.empty()) return;
  hub_.freeze();
  model_.freeze();
  std::vector<FuzzChannel*> successors;
  for (const FuzzChannel* old : held_) {
    const bool has_successor = (choice >> old->family & 1) == 0;
    live_[old->family] = has_successor ? add(old->family) : nullptr;
    if (has_successor) successors.push_back(live_[old->family]);
  }
  set_channels();
  const auto result = hub_.hand_over(of_hub(successors));
  const auto [adopted, ended] = model_.hand_over(of_model(successors));
  require(result.adopted == adopted && result.ended == ended, "a hand-over counts as the model");
  for (FuzzChannel* old : held_) old->is_over = true;
  if ((choice & 0x80) != 0) outside_verb();  // what the successor did before it served
  release();
}

void World::release() {
  if (held_.empty()) return;
  for (FuzzChannel* channel : held_) channel->is_held = false;
  held_.clear();
  is_frozen_ = false;
  hub_.release();
  model_.release();
}

// Takes a channel away, or brings one.
void World::retire() {
  const std::size_t choice = input_.octet();
  FuzzChannel*& channel = live_[choice % kFamilies];
  if (channel == nullptr) {
    channel = add(choice % kFamilies);
    set_channels();
    return;
  }
  if (channel->is_held) return;
  FuzzChannel* const old = std::exchange(channel, nullptr);
  const LeaveReason reason = (choice & 0x80) != 0 ? LeaveReason::kShutdown : LeaveReason::kUnloaded;
  set_channels();
  hub_.retire({old}, reason);
  model_.retire({old->index}, reason);
  old->is_over = true;
}

void World::change_limits() {
  limits_.max_connections = 1 + input_.below(kSlots);
  set_bounds(input_.below(kOutboxes.size()));
  limits_.max_subscriptions = 1 + input_.below(4);
  static constexpr std::array<std::size_t, 4> kSofts = {8 << 20, 300, 600, 60'000};
  static constexpr std::array<std::size_t, 4> kMessages = {0, 0, 2, 50};
  static constexpr std::array<std::size_t, 4> kSubscribes = {0, 0, 1, 10};
  limits_.soft_outbox_bytes = kSofts[input_.below(kSofts.size())];
  limits_.max_messages_per_s = kMessages[input_.below(kMessages.size())];
  limits_.max_subscribes_per_s = kSubscribes[input_.below(kSubscribes.size())];
  hub_.set_limits(limits_);
  model_.set_limits(limits_);
}

void World::change_backlog() {
  std::map<std::string, hub::SlowPolicy> policies;
  std::vector<hub::BacklogRule> rules;
  const std::size_t choice = input_.octet();
  if ((choice & 1) != 0) {  // the first rule that takes a topic decides
    rules.push_back({{"b:*", "nobody"}, static_cast<hub::SlowPolicy>(choice >> 1 & 3)});
  }
  for (const std::string_view topic : kTopics) {
    const auto policy = static_cast<hub::SlowPolicy>(input_.below(hub::kSlowPolicies));
    rules.push_back({{std::string(topic)}, policy});
    const bool is_of_first = (choice & 1) != 0 && (topic.starts_with("b:") || topic == "nobody");
    policies[std::string(topic)] = is_of_first ? rules.front().policy : policy;
  }
  hub_.set_backlog(rules);
  model_.set_backlog(policies);
}

void World::change_access() {
  const std::size_t choice = input_.octet();
  access_.forbidden.clear();
  for (std::size_t i = 0; i < kTopics.size(); ++i) {
    if ((choice >> i & 1) == 0) continue;
    const bool is_send = (choice & 0x80) != 0;
    access_.forbidden.emplace(is_send ? hub::Action::kSend : hub::Action::kSubscribe, kTopics[i]);
  }
  hub_.set_access(&access_);
  model_.set_access(access_.forbidden);
  if ((choice & 0x40) != 0) return;
  hub_.recheck_access();
  model_.recheck_access();
}

void World::operate() {
  const auto with_link = [this](const auto& operation) {
    FuzzLink* const link = some_link();
    if (link != nullptr) operation(*link, link->connection->id);
  };
  switch (input_.below(24)) {
    case 0: return open();
    case 1:
    case 2:
    case 3:
    case 4: return send(1);
    case 5: return send(2);
    case 6: return send(20);
    case 7: return send(input_.below(16) == 15 ? 400 : 3);
    case 8: return vanish();
    case 9:
    case 10: hub_.end_turn(); return model_.end_turn();
    case 11:
      return with_link([this](FuzzLink& link, Id id) {
        link.room = 0;
        model_.connections().at(id).room = 0;
      });
    case 12: return drain();
    case 13:
      return with_link([this](FuzzLink& link, Id id) {
        hub_.flush(*link.connection);
        model_.flush(id);
      });
    case 14:
      return with_link([this](FuzzLink& link, Id id) {
        hub_.close(*link.connection, hub::CloseCode::kTooBig, "Message is too big");
        model_.close(id, 1009, "Message is too big");
      });
    case 15:
    case 16:
    case 17: return outside_verb();
    case 18: return begin_hold();
    case 19:
      if (held_.empty() || is_frozen_) return;
      is_frozen_ = true;
      hub_.freeze();
      return model_.freeze();
    case 20: return input_.flag() ? release() : hand_over();
    case 21: return retire();
    case 22:
      manner_ = static_cast<Manner>(input_.below(static_cast<std::size_t>(Manner::kManners)));
      return;
    default:
      switch (input_.below(8)) {
        case 0: return change_limits();
        case 4: now_ += kTimes[input_.below(kTimes.size())]; return;
        case 5: return change_backlog();
        case 6: return change_access();
        case 7:
          return with_link([this](FuzzLink& link, Id id) {
            hub_.charge(*link.connection, now_);
            model_.charge(id, now_);
          });
        case 1: first_family_ = input_.below(kFamilies); return set_channels();
        case 2: hub_.shut_down(); return model_.shut_down();
        default: return;
      }
  }
}

// ---- what must be the same

// Each broadcast comes to a connection once at most, whatever the model says.
void World::count_broadcasts(FuzzLink& link, std::string_view frames) {
  static constexpr std::string_view kCast = "\"cast\",\"";
  for (std::size_t at = frames.find(kCast); at != frames.npos; at = frames.find(kCast, at)) {
    at += kCast.size();
    const std::string_view payload = frames.substr(at, frames.find('"', at) - at);
    require(++link.broadcasts[std::string(payload.substr(0, payload.find('x')))] == 1,
            "a broadcast comes once");
  }
}

void World::compare_link(FuzzLink& link) {
  const hub::Connection& connection = *link.connection;
  const auto found = model_.connections().find(connection.id);
  require(found != model_.connections().end(), "the model has the connection");
  ModelConnection& model = found->second;
  require(connection.state == model.state, "a connection's state is the model's");
  require_same(model.written, link.written, "what a link was written");
  require_same(model.closed_with, link.closed_with, "a link's Close frame");
  count_broadcasts(link, link.written);
  model.written.clear();
  link.written.clear();
  require(link.room == model.room, "a link was written to as often as the model's");
  require(link.is_paused == model.is_paused, "a link is paused where the model's is");
  require(connection.outbox.bytes() == model.outbox_bytes(), "an outbox's octets are the model's");
  require(connection.deferred_bytes == model.deferred_bytes, "deferred octets are the model's");
  require(connection.asked_bytes == model.asked_bytes, "octets of pending joins are the model's");
  require(connection.is_slow == model.is_slow, "a connection is slow where the model's is");
  require(connection.is_parked == model.is_parked, "a connection is parked where the model's is");
  require(connection.subscriptions.size() == model_.subscriptions_of(connection.id),
          "a connection has as many subscriptions as the model's");
  require(connection.calls.size() == model_.calls_of(connection.id),
          "a connection has as many pending calls as the model's");
  require(hub_.facts(connection.id) == &link.facts(), "a connection's facts are its link's");
}

void World::compare() {
  require(record_.empty(), "no more is called than what is due");
  std::size_t links = 0;
  for (const auto& link : links_) {
    if (link == nullptr) continue;
    compare_link(*link);
    ++links;
  }
  require(model_.connections().size() == links, "the model has no other connections");
  require(hub_.connection_count() == model_.open_count(), "as many connections as the model's");
  for (const std::string_view topic : kTopics) {
    require(hub_.subscriber_count(topic) == model_.subscriber_count(topic),
            "a topic has as many subscribers as the model's");
  }
  for (FuzzChannel* channel : live()) {
    require(hub_.subscription_count({channel}) == model_.subscription_count({channel->index}),
            "a channel has as many subscriptions as the model's");
  }
  require(hub_.pending_of_held() == model_.pending_of_held(), "as many calls of held channels");
  require(hub_.asked_bytes() == model_.asked_bytes(), "octets of all pending joins are the model's");
  const hub::Counts& counts = hub_.counts();
  require(counts.slow_consumers == model_.counts().slow_consumers, "slow consumers are counted");
  require(counts.slow_consumers_closed == model_.counts().slow_consumers_closed,
          "slow consumers that are closed are counted");
  require(counts.joins_over_budget == model_.counts().joins_over_budget,
          "joins that are refused for what waits are counted");
  require(counts.dropped.messages == model_.counts().dropped.messages &&
              counts.dropped.octets == model_.counts().dropped.octets,
          "what is dropped is counted");
  for (const Id id : ids_) {
    require((hub_.kept(id) != nullptr) == model_.is_known_subscription(id),
            "what a plugin keeps is there as long as the subscription is");
  }
}

// All goes, and nothing is left.
void World::end() {
  manner_ = Manner::kOk;
  release();
  compare();
  for (auto& link : links_) {
    if (link == nullptr) continue;
    const Id id = link->connection->id;
    hub_.lost(*link->connection);
    model_.lost(id);
    link.reset();
    compare();
  }
  for (const Id call : model_.pending_calls()) {
    Verb verb{.kind = Verb::Kind::kReply, .target = call};
    verb.answer = call % 2 == 0 ? Answer::ok() : Answer::refused("NO", "not now");
    do_verb(verb);
    model_.apply(verb);
  }
  hub_.end_turn();
  model_.end_turn();
  compare();
  require(hub_.connection_count() == 0, "no connection is left");
  for (FuzzChannel* channel : live()) {
    require(hub_.subscription_count({channel}) == 0, "no subscription is left");
  }
  require(model_.joined() == model_.left(), "each that joined has left");
  require(hub_.outboxes_bytes() == 0, "no memory of outboxes is left");
  require(hub_.asked_bytes() == 0, "nothing is left that waited for an answer");
}

void World::run() {
  const bool is_cut_off = input_.below(8) == 7;  // the hub goes as it stands
  compare();
  for (std::size_t i = 0; i < kMostOperations && !input_.is_empty(); ++i) {
    operate();
    compare();
  }
  if (!is_cut_off) end();
}

}  // namespace

int run(const std::uint8_t* octets, std::size_t size) {
  World world(Input(octets, size));
  world.run();
  return 0;
}

}  // namespace jackfield::fuzz
