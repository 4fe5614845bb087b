// Threads that do all that any thread may, from the begin of `start` until `stop` has joined them,
// beside jobs, timers, and calls that are answered on whatever thread comes to them: built on the
// C++ wrapper. Each event "ask" with a number is answered: 0 "told" and its end, 1 a refusal, 2 by
// being dropped, 3 by a job, 4 by a timer, 5 on the loop by a post from a thread.
#include <jackfield.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

constexpr const char* kNoise = "crowd:noise";

class Crowd : public jf::Plugin {
 public:
  void start(const jf::Start& start) override {
    begun_ = start.has_state() ? start.state_of(1) : "0";
    for (std::thread& thread : threads_) thread = std::thread([this] { run(); });
    jf::Channel& crowd = channel("crowd:<name>");
    crowd.on_join([this](jf::Join& join) { give({join.defer(), 0}); });
    crowd.on("ask", [this](jf::Event& event) { answer(event); });
    // [loop] functions from a thread that waits for the loop, while the loop is busy with others.
    for (int i = 0; i < 10; ++i) log_debug("asked", {{"subscribers", subscribers(kNoise)}});
    tick();
  }

  std::uint32_t save(std::string& state) override {
    state = std::to_string(std::stoul(begun_) + 1);
    return 1;
  }
  void resume() override {}

  void stop() override {
    for (int i = 0; i < 10; ++i) log_debug("asked", {{"connections", connections()}});
    is_over_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  struct Question {
    jf::Reply reply;
    std::int64_t kind;
  };

  void answer(jf::Event& event) {
    const std::int64_t kind = event.payload().integer().value_or(0);
    auto reply = std::make_shared<jf::Reply>(event.defer());
    switch (kind) {
      case 3:
        job([] { return std::string("told"); },
            [reply](jf::Outcome<std::string> told) { tell(*reply, told.get()); });
        break;
      case 4:
        late_.push_back(after(1, [reply] { tell(*reply, "told"); }));
        break;
      default:
        give({std::move(*reply), kind});
    }
  }

  static void tell(jf::Reply& reply, const std::string& event) {
    reply.push(event, "true");
    reply.ok();
  }

  void tick() {
    broadcast(kNoise, "tick", "1");
    ticking_ = after(1, [this] { tick(); });
  }

  void give(Question question) {
    const std::lock_guard<std::mutex> lock(mutex_);
    questions_.push_back(std::move(question));
    has_questions_.notify_one();
  }

  bool take(Question& question) {
    std::unique_lock<std::mutex> lock(mutex_);
    has_questions_.wait_for(lock, std::chrono::milliseconds(1),
                            [&] { return !questions_.empty(); });
    if (questions_.empty()) return false;
    question = std::move(questions_.front());
    questions_.pop_front();
    return true;
  }

  void run() {
    for (unsigned turn = 0; !is_over_; ++turn) {
      post([this] { ++posted_; });
      // Not each time: the host replaces a plugin when no job of it runs.
      if (turn % 8 == 0) {
        job([number = now()] { return number; }, [this](jf::Outcome<std::uint64_t>) { ++done_; });
      }
      broadcast(kNoise, "noise", "2");
      push(UINT64_MAX / 2, "nobody", "3");
      kick(UINT64_MAX / 2, "NOBODY", "is there");
      log_debug("a thread of the crowd");
      Question question;
      if (!take(question)) continue;
      switch (question.kind) {
        case 1:
          question.reply.fail("REFUSED", "by a thread");
          break;
        case 2:
          break;
        case 5: {
          auto reply = std::make_shared<jf::Reply>(std::move(question.reply));
          post([reply] { tell(*reply, "told"); });
          break;
        }
        default:
          tell(question.reply, "told");
      }
    }
  }

  std::string begun_;  // how many generations were before; loop thread, as what follows
  std::uint64_t posted_ = 0;
  std::uint64_t done_ = 0;
  jf::Timer ticking_;
  std::vector<jf::Timer> late_;
  std::array<std::thread, 3> threads_;
  std::atomic<bool> is_over_{false};
  std::mutex mutex_;
  std::condition_variable has_questions_;
  std::deque<Question> questions_;  // guarded by mutex_
};

}  // namespace

JACKFIELD_PLUGIN(Crowd, "crowd", "1.2.3", "answers from many threads", "MIT")
