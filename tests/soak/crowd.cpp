#include "tests/soak/crowd.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace jackfield::soak {
namespace {

constexpr std::chrono::seconds kCalmPatience{40};
constexpr std::size_t kMostArriving = 5;  // new ones a turn

}  // namespace

Crowd::Crowd(std::uint16_t port, const Shape& shape) {
  stage_.epoll = ::epoll_create1(EPOLL_CLOEXEC);
  stage_.port = port;
  stage_.random.seed(shape.seed);
  stage_.now = Clock::now();
  for (std::size_t i = 0; i < shape.streams; ++i) {
    // Of two plugins, so that one is replaced while the other serves.
    const std::string prefix = i % 2 == 0 ? "echo:soak-" : "room:soak-";
    stage_.streams.push_back(std::make_unique<Stream>());
    stage_.streams.back()->topic = prefix + std::to_string(i);
  }
  for (const auto& stream : stage_.streams) {
    actors_.push_back({make_publisher(stage_, *stream, shape.interval), nullptr});
  }
  kinds_ = {{make_listener, shape.listeners, 0},
            {make_asker, shape.askers, 0},
            {make_visitor, shape.visitors, 0},
            {make_sleeper, shape.sleepers, 0},
            {make_rude, shape.rude, 0}};
}

Crowd::~Crowd() {
  actors_.clear();
  ::close(stage_.epoll);
}

void Crowd::run(Clock::time_point end,
                const std::function<void(Clock::time_point now)>& each) {
  while (Clock::now() < end) {
    if (!stage_.is_calm) fill_up();
    turn(1);
    each(stage_.now);
  }
}

void Crowd::fill_up() {
  std::size_t arriving = 0;
  for (Kind& kind : kinds_) {
    for (; kind.here < kind.wanted && arriving < kMostArriving; ++kind.here, ++arriving) {
      actors_.push_back({kind.make(stage_), &kind});
    }
  }
}

void Crowd::turn(int timeout_ms) {
  std::array<epoll_event, 256> events;
  const int count =
      ::epoll_wait(stage_.epoll, events.data(), static_cast<int>(events.size()), timeout_ms);
  stage_.now = Clock::now();
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    static_cast<Wire*>(event.data.ptr)->take(event.events);
  }
  for (Member& member : actors_) {
    if (!member.actor->is_over() && member.actor->due() <= stage_.now) member.actor->act();
  }
  std::erase_if(actors_, [](const Member& member) {
    if (!member.actor->is_over()) return false;
    if (member.kind != nullptr) --member.kind->here;
    return true;
  });
}

bool Crowd::is_all_heard() const {
  return std::all_of(stage_.streams.begin(), stage_.streams.end(),
                     [](const auto& stream) { return stream->heard == stream->sent; });
}

void Crowd::calm_down() {
  stage_.is_calm = true;
  for (Member& member : actors_) member.actor->hurry();
  const auto end = Clock::now() + kCalmPatience;
  const auto are_all_steady = [this] {
    return std::all_of(actors_.begin(), actors_.end(),
                       [](const Member& member) { return member.actor->is_steady(); });
  };
  while (Clock::now() < end && !(are_all_steady() && is_all_heard())) turn(1);
  // What every publisher has heard is on its way to the others.
  const auto last = Clock::now() + std::chrono::seconds(1);
  while (Clock::now() < last) turn(1);
  for (Member& member : actors_) member.actor->settle();
}

void Crowd::go_on() { stage_.is_calm = false; }

}  // namespace jackfield::soak
