// What handlers of the C++ wrapper are given: Join, Event, Leave, Adopt. Included by jackfield.hpp.
// C++17. All of it [loop], and it dies when the handler returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string_view>

#include "jackfield.h"
#include "jackfield_json.hpp"
#include "jackfield_values.hpp"
#include "jackfield_waiting.hpp"

namespace jf {

// What a client did on a topic.
class Request {
 public:
  Request(const jf_host* host, const std::shared_ptr<detail::Home>& home, const jf_request* request)
      : host_(host), home_(home), request_(request) {}

  std::string_view topic() const { return view(request_->topic); }
  // What the topic gave to `<name>` of the pattern; empty also where the pattern has no such name.
  std::string_view param(std::string_view name) const {
    for (std::size_t i = 0; i < request_->params_count; ++i) {
      if (view(request_->params[i].name) == name) return view(request_->params[i].value);
    }
    return {};
  }
  Id connection_id() const { return request_->connection; }
  // In an event: the sender's subscription of the topic, or 0 where it has none.
  Id subscription() const { return request_->subscription; }

  Connection connection() const {
    jf_connection facts{};
    facts.size = sizeof facts;
    if (host_->connection(host_, request_->connection, &facts) < 0) return {};
    return {facts.is_local != 0, view(facts.peer), view(facts.identity), view(facts.path),
            view(facts.query)};
  }
  // A header of the upgrade request, its name in lower case, if the configuration lets it through.
  std::string_view header(std::string_view name) const {
    jf_text value = {nullptr, 0};
    return host_->header(host_, request_->connection, text(name), &value) < 0 ? std::string_view()
                                                                              : view(value);
  }
  // Bytes that the host keeps with the subscription; it frees them. At most 64 KiB.
  std::int32_t set(std::string_view bytes) const {
    return host_->set(host_, request_->subscription, text(bytes));
  }
  std::string_view get() const {
    jf_text bytes = {nullptr, 0};
    return host_->get(host_, request_->subscription, &bytes) < 0 ? std::string_view() : view(bytes);
  }

 protected:
  const jf_host* host_;
  const std::shared_ptr<detail::Home>& home_;
  const jf_request* request_;
};

// A request that is answered: returning means success, an Error (thrown or returned) failure.
class Call : public Request {
 public:
  using Request::Request;

  Json payload() const { return Json(view(request_->payload)); }
  // To the one who asks, on the topic.
  std::int32_t push(std::string_view event, JsonText payload) const {
    return host_->push(host_, request_->call, text(event), payload.text());
  }
  // To all who subscribed to the topic; returns how many.
  std::int32_t broadcast(std::string_view event, JsonText payload) const {
    return host_->broadcast(host_, request_->topic, text(event), payload.text(), 0);
  }
  // To all of them but the one who asks.
  std::int32_t broadcast_others(std::string_view event, JsonText payload) const {
    return host_->broadcast(host_, request_->topic, text(event), payload.text(),
                            request_->subscription);
  }
  // The answer comes later, from any thread: keep what this returns. Copy what you need of the
  // request; it dies when the handler returns.
  [[nodiscard]] Reply defer() {
    if (!deferral_) deferral_ = std::make_shared<detail::Deferral>(detail::Deferral::kHandling);
    return Reply(home_, request_->call, deferral_);
  }
  bool deferred() const { return deferral_ != nullptr; }

  // Used by Channel: what goes back to the host.
  template <class Function>
  std::int32_t answer(Function function) noexcept {
    try {
      const Result result = function();
      if (result.error()) return refuse(result.error()->code(), result.error()->what());
      if (!deferral_) return result.result();
      const bool is_dropped = deferral_->exchange(detail::Deferral::kReturned) ==
                              detail::Deferral::kDropped;
      return is_dropped ? refuse(kInternalError, detail::kDropped) : JF_PENDING;
    } catch (const Error& error) {
      return refuse(error.code(), error.what());
    } catch (const std::exception& exception) {
      detail::log(host_, JF_LOG_ERROR, "a handler failed", exception.what(), request_->topic);
      return refuse(kInternalError, exception.what());
    } catch (...) {
      detail::log(host_, JF_LOG_ERROR, "a handler failed", "unknown exception", request_->topic);
      return refuse(kInternalError, "unknown failure");
    }
  }

 private:
  std::int32_t refuse(std::string_view code, std::string_view message) noexcept {
    if (deferral_) deferral_->store(detail::Deferral::kReturned);
    const std::int32_t result = host_->reply(
        host_, request_->call, text(code.empty() ? kInternalError : code), text(message));
    return result == JF_OK || result == JF_E_GONE ? JF_PENDING : JF_E_INTERNAL;
  }

  std::shared_ptr<detail::Deferral> deferral_;
};

// A client subscribes; also when it does so again (its subscription is the one it has then).
class Join : public Call {
 public:
  using Call::Call;
};

class Event : public Call {
 public:
  using Call::Call;
  std::string_view name() const { return view(request_->event); }
};

class Leave : public Request {
 public:
  using Request::Request;
  std::uint32_t reason() const { return request_->reason; }  // JF_LEAVE_*
};

// A subscription of the generation before, which this one takes over. To refuse it, throw or return
// an Error: it ends. Its bytes (`get`) are those that the generation before has set.
class Adopt : public Request {
 public:
  using Request::Request;

  // To the subscriber: say, a fresh snapshot.
  std::int32_t push(std::string_view event, JsonText payload) const {
    return host_->push(host_, request_->subscription, text(event), payload.text());
  }

  // Used by Channel: what goes back to the host.
  template <class Function>
  std::int32_t answer(Function function) noexcept {
    try {
      const Result result = function();
      if (!result.error()) return result.result() < 0 ? result.result() : JF_OK;
      return refuse(JF_LOG_WARNING, JF_E_FORBIDDEN, result.error()->what());
    } catch (const Error& error) {
      return refuse(JF_LOG_WARNING, JF_E_FORBIDDEN, error.what());
    } catch (const std::exception& exception) {
      return refuse(JF_LOG_ERROR, JF_E_INTERNAL, exception.what());
    } catch (...) {
      return refuse(JF_LOG_ERROR, JF_E_INTERNAL, "unknown exception");
    }
  }

 private:
  std::int32_t refuse(std::uint32_t level, std::int32_t result,
                      std::string_view why) const noexcept {
    detail::log(host_, level, "a subscription is not taken over", why, request_->topic);
    return result;
  }
};

}  // namespace jf
