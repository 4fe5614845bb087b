// Patterns, topics and the router (core/hub). The octets are lines: up to the first empty one they
// are patterns, behind it topics. A pattern's channel narrows it where a '!' stands before it (no
// topic with an 'x' then), and is held where a '*' does. All is held to a model that splits texts
// into lists.
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/hub/pattern.hpp"
#include "core/hub/router.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace jackfield::fuzz {
namespace {

constexpr std::size_t kMostPatterns = 24;
constexpr std::size_t kMostTopics = 24;

using Texts = std::vector<std::string>;

Texts split(std::string_view text, char separator) {
  Texts parts(1);
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

// ---- the model

struct ModelSegment {
  bool is_param;
  std::string text;
};
using ModelPattern = std::vector<ModelSegment>;
using ModelParams = std::vector<std::pair<std::string, std::string>>;

bool is_identifier(const std::string& name) {
  static const std::string kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  static const std::string kDigits = "0123456789";
  return !name.empty() && name.find_first_not_of(kLetters + kDigits) == name.npos &&
         kDigits.find(name[0]) == kDigits.npos;
}

std::optional<ModelPattern> parse(const std::string& text) {
  ModelPattern pattern;
  Texts names;
  for (const std::string& part : split(text, ':')) {
    const bool is_param = part.size() > 1 && part.front() == '<' && part.back() == '>';
    const std::string inner = is_param ? part.substr(1, part.size() - 2) : part;
    if (is_param) {
      for (const std::string& name : names) {
        if (name == inner) return std::nullopt;
      }
      names.push_back(inner);
      if (!is_identifier(inner)) return std::nullopt;
    } else if (part.empty() || part.find_first_of(std::string("<>\0", 3)) != part.npos) {
      return std::nullopt;
    }
    pattern.push_back({is_param, inner});
  }
  if (names.size() > 16) return std::nullopt;
  return pattern;
}

std::optional<ModelParams> match(const ModelPattern& pattern, std::string_view topic) {
  const Texts parts = split(topic, ':');
  if (parts.size() != pattern.size()) return std::nullopt;
  ModelParams params;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (pattern[i].is_param) {
      params.emplace_back(pattern[i].text, parts[i]);
    } else if (pattern[i].text != parts[i]) {
      return std::nullopt;
    }
  }
  return params;
}

// ---- what is held to it

class NarrowChannel : public hub::Channel {
 public:
  NarrowChannel(hub::Pattern pattern, ModelPattern its_model, bool narrow, bool held)
      : model(std::move(its_model)),
        is_narrow(narrow),
        is_held(held),
        pattern_(std::move(pattern)) {}

  bool takes(std::string_view topic) const { return !is_narrow || topic.find('x') == topic.npos; }

  const hub::Pattern& pattern() const override { return pattern_; }
  bool match(const hub::Request& request) override {
    require(is_callable, "a channel that is held is not asked");
    return takes(request.topic);
  }
  hub::Answer join(const hub::Request&) override { return hub::Answer::ok(); }
  hub::Answer event(const hub::Request&) override { return hub::Answer::ok(); }
  void leave(const hub::Request&, hub::LeaveReason) override {}
  bool adopt(const hub::Request&) override { return false; }
  std::string_view owner() const override { return "narrow"; }

  const ModelPattern model;
  const bool is_narrow;
  const bool is_held;
  bool is_callable = true;

 private:
  const hub::Pattern pattern_;
};

using Channels = std::vector<std::unique_ptr<NarrowChannel>>;

Channels make_channels(const Texts& lines) {
  Channels channels;
  for (std::string line : lines) {
    const bool is_narrow = line.starts_with('!');
    if (is_narrow) line.erase(0, 1);
    const bool is_held = line.starts_with('*');
    if (is_held) line.erase(0, 1);
    auto pattern = hub::Pattern::parse(line);
    auto model = parse(line);
    require(pattern.is_ok() == model.has_value(), "a pattern is refused where the model refuses");
    if (!pattern.is_ok()) {
      require(!pattern.message().empty(), "a refusal says why");
      continue;
    }
    require_same(line, pattern.value().text(), "a pattern's text");
    channels.push_back(std::make_unique<NarrowChannel>(std::move(pattern.value()),
                                                       std::move(*model), is_narrow, is_held));
  }
  return channels;
}

void check_params(const std::optional<ModelParams>& expected, const hub::Params& params) {
  require(params.count == expected->size(), "as many params as the model has");
  for (std::size_t i = 0; i < params.count; ++i) {
    require_same((*expected)[i].first, params.items[i].name, "a param's name");
    require_same((*expected)[i].second, params.items[i].value, "a param's value");
  }
}

void check_patterns(const Channels& channels, const Texts& topics) {
  hub::Params params;  // used again, as the hub does
  for (const auto& channel : channels) {
    for (const std::string& topic : topics) {
      const auto expected = match(channel->model, topic);
      require(channel->pattern().match(topic, params) == expected.has_value(),
              "a pattern matches where the model does");
      if (expected) check_params(expected, params);
    }
  }
}

void check_router(const hub::Router& router, const std::vector<hub::Channel*>& order,
                  const Texts& topics, bool with_hold) {
  hub::Params params;
  for (const std::string& topic : topics) {
    const hub::Router::Found found = router.find(topic, 1, params);
    const NarrowChannel* expected = nullptr;
    for (const hub::Channel* one : order) {
      const auto* channel = static_cast<const NarrowChannel*>(one);
      if (!match(channel->model, topic)) continue;
      if (!(with_hold && channel->is_held) && !channel->takes(topic)) continue;
      expected = channel;
      break;
    }
    require(found.channel == expected, "the router finds the first that takes the topic");
    require(found.is_held == (expected != nullptr && with_hold && expected->is_held),
            "the router knows who is held");
    if (expected != nullptr) check_params(match(expected->model, topic), params);
  }
}

}  // namespace

int run(const std::uint8_t* octets, std::size_t size) {
  Texts patterns;
  Texts topics;
  bool is_topic = false;
  for (std::string& line : split({reinterpret_cast<const char*>(octets), size}, '\n')) {
    if (!is_topic && line.empty()) {
      is_topic = true;
    } else {
      Texts& lines = is_topic ? topics : patterns;
      lines.push_back(std::move(line));
    }
  }
  if (patterns.size() > kMostPatterns || topics.size() > kMostTopics) return -1;
  for (const std::string& pattern : patterns) topics.push_back(pattern);

  const Channels channels = make_channels(patterns);
  check_patterns(channels, topics);

  std::vector<hub::Channel*> order;
  std::vector<hub::Channel*> held;
  for (const auto& channel : channels) {
    order.push_back(channel.get());
    if (channel->is_held) held.push_back(channel.get());
  }
  hub::Router router;
  router.set(order);
  check_router(router, order, topics, false);
  router.hold(held);
  for (const auto& channel : channels) channel->is_callable = !channel->is_held;
  check_router(router, order, topics, true);
  for (const auto& channel : channels) channel->is_callable = true;
  router.release();
  check_router(router, order, topics, false);
  // In another order, and without the last.
  const std::vector<hub::Channel*> others(order.rbegin() + (order.empty() ? 0 : 1), order.rend());
  router.set(others);
  check_router(router, others, topics, false);
  return 0;
}

}  // namespace jackfield::fuzz
