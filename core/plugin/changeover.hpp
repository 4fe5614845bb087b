// One change of generation, from an opened image to one that serves, or back to what was:
//
//     old serves -> messages wait -> old finishes what was begun -> old saves -> the new one starts
//     -> it adopts the subscriptions -> what waited goes to it
//
// Whatever fails before the new one has started changes nothing: the old one resumes, and what
// waited goes to it. Without an old one there is nothing to wait for and nothing to hand over. The
// old generation is ended and stopped by the caller, after the change. Loop thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/hub/hub.hpp"
#include "core/plugin/errands.hpp"
#include "core/plugin/generation.hpp"

namespace jackfield::plugin {

class Changeover {
 public:
  struct Parts {
    Generation* old = nullptr;  // null: none; outlives the change
    std::unique_ptr<Generation> fresh;
    std::string config;
    std::chrono::milliseconds start_timeout{0};  // of the new one's start
    std::chrono::milliseconds drain_timeout{0};  // for the old one's pending calls and jobs
    // All channels that serve from now on, in their order, the new generation's among them.
    std::function<std::vector<hub::Channel*>(const Generation& fresh)> order;
  };

  struct Outcome {
    base::Status status = base::Status::ok();
    std::unique_ptr<Generation> fresh;  // serves; or failed, and is to be unloaded
    hub::Hub::HandOver handed_over;
    std::chrono::microseconds pause{0};  // for which messages waited
  };
  using Done = std::function<void(Outcome)>;
  // A new generation that was given up returned from its start after all.
  using Returned = std::function<void(std::unique_ptr<Generation> fresh)>;

  // `done` is called once, from the loop or from within begin(); the object may be destroyed by it.
  Changeover(const Surroundings& surroundings, Errands& errands, Parts parts, Done done,
             Returned returned);
  Changeover(const Changeover&) = delete;
  Changeover& operator=(const Changeover&) = delete;
  ~Changeover();

  void begin();
  // Goes back to what was, as soon as that can be: at once, within this call.
  void give_up(const std::string& why);

 private:
  struct Start;

  void drain();
  void save_and_start();
  void start(State state);
  void started();
  void roll_back(base::Status why);
  void finish(Outcome outcome);

  const Surroundings surroundings_;
  Errands& errands_;
  Parts parts_;
  Done done_;
  Returned returned_;
  std::shared_ptr<Start> start_;  // under way on its thread
  base::TimerId timer_ = 0;
  std::chrono::microseconds held_at_{0};
  bool is_saved_ = false;
};

}  // namespace jackfield::plugin
