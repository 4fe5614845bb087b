// Those that break no rule: every message that they are due is accounted for.
#include <algorithm>
#include <utility>

#include "tests/soak/actor.hpp"

namespace jackfield::soak {
namespace {

constexpr milliseconds kPatience{20000};

std::string say(const Stream& stream) {
  return "[\"" + stream.topic + "\",\"say\",{\"text\":\"" + std::to_string(stream.sent) + "\"}]";
}

std::string subscribe(const std::string& topic) { return "[\"" + topic + "\",\"subscribe\",{}]"; }

class Publisher final : public Actor {
 public:
  Publisher(Stage& stage, Stream& stream, milliseconds interval)
      : Actor(stage), stream_(stream), hearing_(stream), interval_(interval) {
    connect({});
  }

  bool is_steady() const override { return true; }
  std::string name() const override { return "the publisher of " + stream_.topic; }

  void opened() override { wire().send(subscribe(stream_.topic)); }

  void message(std::string_view text) override {
    const Heard heard = take_apart(text);
    if (heard.topic != stream_.topic) {
      ++stage().ledger.counts.stray;
      return complain("got " + std::string(text.substr(0, 200)));
    }
    if (heard.event == "subscribed") {
      hearing_.joined();
      act_in(interval_);
    } else if (heard.event == "said") {
      const std::uint64_t number = number_in(heard.payload);
      hearing_.heard(number, stage().ledger);
      stream_.heard = std::max(stream_.heard, number);
    } else if (heard.event == "error") {
      ++stage().ledger.counts.errors;
      complain("got " + std::string(text.substr(0, 200)));
    }
  }

  void act() override {
    // A burst every now and then.
    const std::uint64_t count = stage().draw(50) == 0 ? 20 : 1;
    for (std::uint64_t i = 0; i < count && !stage().is_calm; ++i) {
      ++stream_.sent;
      ++stage().ledger.counts.sent;
      wire().send(say(stream_));
    }
    act_in(stage().draw_time(interval_ / 2, interval_ * 3 / 2));
  }

 private:
  Stream& stream_;
  Hearing hearing_;
  const milliseconds interval_;
};

class Listener final : public Actor {
 public:
  Listener(Stage& stage, bool is_visitor) : Actor(stage), is_visitor_(is_visitor) {
    // A third of all streams, one at least, from a random one on.
    const std::size_t all = stage.streams.size();
    const std::size_t first = stage.draw(all);
    for (std::size_t i = 0; i < std::max<std::size_t>(1, all / 3); ++i) {
      hearings_.emplace_back(*stage.streams[(first + i) % all]);
    }
    connect({});
  }

  bool is_steady() const override { return !is_visitor_; }
  std::string name() const override { return is_visitor_ ? "a visitor" : "a listener"; }

  void opened() override {
    for (const Hearing& hearing : hearings_) wire().send(subscribe(hearing.stream().topic));
    if (is_visitor_) act_in(stage().draw_time(milliseconds(10), milliseconds(8000)));
  }

  void message(std::string_view text) override {
    const Heard heard = take_apart(text);
    const auto found = std::find_if(
        hearings_.begin(), hearings_.end(),
        [&](const Hearing& hearing) { return hearing.stream().topic == heard.topic; });
    if (found == hearings_.end()) {
      ++stage().ledger.counts.stray;
      return complain("got " + std::string(text.substr(0, 200)));
    }
    if (heard.event == "subscribed") {
      found->joined();
    } else if (heard.event == "unsubscribed") {
      found->expect_up_to(heard_at_leaving_[static_cast<std::size_t>(found - hearings_.begin())],
                          stage().ledger);
      found->left();
      if (--leaving_ == 0) go();
    } else if (heard.event == "said") {
      found->heard(number_in(heard.payload), stage().ledger);
    } else if (heard.event == "error") {
      ++stage().ledger.counts.errors;
      complain("got " + std::string(text.substr(0, 200)));
    }
  }

  void act() override {
    if (leaving_ > 0 || is_going_) {
      ++stage().ledger.counts.misanswered;
      complain(is_going_ ? "the connection does not end" : "an unsubscribe is not answered");
      return leave();
    }
    const bool has_all = std::all_of(hearings_.begin(), hearings_.end(),
                                     [](const Hearing& hearing) { return hearing.is_joined(); });
    switch (has_all ? stage().draw(5) : 2 + stage().draw(3)) {
      case 0:
      case 1:
        // In good order: all that the publishers have heard by now must have come before the answer.
        for (const Hearing& hearing : hearings_) {
          heard_at_leaving_.push_back(hearing.stream().heard);
          wire().send("[\"" + hearing.stream().topic + "\",\"unsubscribe\",{}]");
        }
        leaving_ = hearings_.size();
        return act_in(kPatience);
      case 2: return go();
      case 3:
        wire().reset();
        return leave();
      default: {
        // Half a message, and gone.
        std::string octets;
        bench::append_frame(bench::Opcode::kText, subscribe("echo:half"), octets);
        wire().send_octets(std::string_view(octets).substr(0, octets.size() / 2));
        wire().finish_writing();
        is_going_ = true;
        return act_in(kPatience);
      }
    }
  }

  void hurry() override {
    if (is_visitor_ && leaving_ == 0 && !is_going_) act_in({});
  }
  void settle() override {
    for (const Hearing& hearing : hearings_) {
      if (hearing.is_joined()) hearing.expect_up_to(hearing.stream().sent, stage().ledger);
    }
  }

  void closed(unsigned code) override {
    if (!is_going_) return Actor::closed(code);
    if (code != 1000 && code != 0 && code != 1002) Actor::closed(code);
  }
  void ended() override {
    if (!is_going_) return Actor::ended();
    leave();
  }

 private:
  void go() {
    is_going_ = true;
    wire().send_close(1000);
    leaving_ = 0;
    act_in(kPatience);
  }

  const bool is_visitor_;
  std::vector<Hearing> hearings_;
  std::vector<std::uint64_t> heard_at_leaving_;
  std::size_t leaving_ = 0;  // unsubscribes that are not answered
  bool is_going_ = false;
};

class Asker final : public Actor {
 public:
  explicit Asker(Stage& stage)
      : Actor(stage), topic_("echo:ask-" + std::to_string(stage.draw(1000))) {
    connect({});
  }

  bool is_steady() const override { return true; }
  std::string name() const override { return "an asker"; }

  void opened() override { ask(); }
  void message(std::string_view text) override {
    const Heard heard = take_apart(text);
    if (heard.event == "error") {
      ++stage().ledger.counts.errors;
      return complain("got " + std::string(text.substr(0, 200)));
    }
    if (heard.topic != topic_ || heard.event != "echoed" || heard.payload != payload_) {
      ++stage().ledger.counts.misanswered;
      return complain("got " + std::string(text.substr(0, 200)));
    }
    ++stage().ledger.counts.arrived;
    is_asking_ = false;
    act_in(stage().draw_time(milliseconds(1), milliseconds(200)));
  }
  void act() override {
    if (is_asking_) {
      ++stage().ledger.counts.lost;
      complain("is not answered");
      return leave();
    }
    ask();
  }

 private:
  void ask() {
    if (stage().is_calm) return act_in(milliseconds(50));
    // Of all sizes; a larger one is rare.
    const std::size_t size = std::size_t{1} << stage().draw(stage().draw(20) == 0 ? 18 : 10);
    ++number_;
    payload_ = "{\"number\":" + std::to_string(number_) + ",\"filler\":\"" +
               std::string(size, static_cast<char>('a' + number_ % 26)) + "\"}";
    ++stage().ledger.counts.sent;
    is_asking_ = true;
    wire().send("[\"" + topic_ + "\",\"echo\"," + payload_ + "]");
    act_in(kPatience);
  }

  const std::string topic_;
  std::string payload_;
  std::uint64_t number_ = 0;
  bool is_asking_ = false;
};

}  // namespace

std::unique_ptr<Actor> make_publisher(Stage& stage, Stream& stream, milliseconds interval) {
  return std::make_unique<Publisher>(stage, stream, interval);
}
std::unique_ptr<Actor> make_listener(Stage& stage) {
  return std::make_unique<Listener>(stage, false);
}
std::unique_ptr<Actor> make_visitor(Stage& stage) { return std::make_unique<Listener>(stage, true); }
std::unique_ptr<Actor> make_asker(Stage& stage) { return std::make_unique<Asker>(stage); }

}  // namespace jackfield::soak
