#include "core/net/admission.hpp"

#include <utility>

#include "core/net/request.hpp"
#include "core/net/tls.hpp"

namespace jackfield::net {
namespace {

using access::Verdict;

// RFC 6750 section 3.
constexpr Refusal kNoToken{401, "A token is needed\n", "Bearer"};
constexpr Refusal kWrongToken{401, "The token is not valid\n", "Bearer error=\"invalid_token\""};
constexpr Refusal kOrigin{403, "Pages of this origin may not connect\n", {}};

const access::Settings& open_settings() {
  static const access::Settings settings;
  return settings;
}

std::optional<std::string_view> as_view(const std::optional<std::string>& text) {
  return text ? std::optional<std::string_view>(*text) : std::nullopt;
}

std::optional<access::Identity> certificate_of(lws* wsi, base::Log& log) {
  const std::optional<PeerCertificate> certificate = peer_certificate(wsi);
  if (!certificate) return std::nullopt;
  auto identity = access::certificate_identity(certificate->common_name);
  if (!identity) {
    log.warning("certificate without a name that can be an identity",
                {{"serial", certificate->serial}});
  }
  return identity;
}

// Takes the tokens out of the request, and asks the gate.
Verdict ask(lws* wsi, Request& request, const Offer& offer, const access::Gate& gate,
            base::Log& log) {
  const access::Settings& settings = gate.settings();
  access::Presented presented;
  std::optional<std::string> argument;
  if (!settings.query_parameter.empty()) {
    argument = take_argument(request, settings.query_parameter);
  }
  presented.query = as_view(argument);
  if (!request.authorization.empty()) presented.authorization = request.authorization;
  if (!settings.cookie.empty()) presented.cookie = find_cookie(request.cookies, settings.cookie);
  presented.subprotocol = as_view(offer.token);
  presented.certificate = certificate_of(wsi, log);
  if (settings.unix_peers) {
    presented.unix_peer = access::unix_identity(lws_get_socket_fd(wsi));
  }
  return gate.judge(presented);
}

}  // namespace

Admission judge_upgrade(lws* wsi, const Settings& settings, const access::Gate* gate,
                        base::Log& log, Counts& counts) {
  Admission admission;
  const auto refuse = [&](const Refusal& refusal) {
    ++counts.upgrades_refused;
    log.debug("upgrade refused", {{"status", refusal.status}, {"reason", refusal.sentence}});
    admission.refusal = refusal;
    return std::move(admission);
  };
  Request request = read_request(wsi, settings.forward_headers);
  const Refusal malformed = check_upgrade(request, settings.path);
  if (malformed.status != 0) return refuse(malformed);
  const access::Settings& access = gate == nullptr ? open_settings() : gate->settings();
  admission.offer = read_offer(request, access.subprotocol_prefix);
  if (admission.offer.refusal.status != 0) return refuse(admission.offer.refusal);

  hub::ConnectionFacts::Parts& facts = admission.facts;
  read_peer(lws_get_socket_fd(wsi), facts);
  // Only of a page it matters how the request came.
  const bool is_of_page = !request.origin.empty();
  const access::PageRequest page{
      .origin = request.origin,
      .host = request.host,
      .is_tls = lws_is_ssl(wsi) != 0,
      .is_loopback = is_of_page && is_loopback_end(lws_get_socket_fd(wsi))};
  const std::string_view unwanted = gate == nullptr ? "" : gate->page_refusal(page);
  if (!unwanted.empty()) {
    ++counts.origins_refused;
    log.warning("origin refused", {{"peer", facts.peer},
                                   {"origin", request.origin},
                                   {"host", request.host},
                                   {"reason", unwanted}});
    return refuse(kOrigin);
  }
  if (gate != nullptr) {
    Verdict verdict = ask(wsi, request, admission.offer, *gate, log);
    if (verdict.kind == Verdict::Kind::kMissing) {
      ++counts.tokens_missing;
      return refuse(kNoToken);
    }
    if (verdict.kind == Verdict::Kind::kWrong) {
      ++counts.tokens_refused;
      log.warning("token refused",
                  {{"peer", facts.peer}, {"via", verdict.via}, {"reason", verdict.reason}});
      return refuse(kWrongToken);
    }
    facts.identity = std::move(verdict.identity.text);
    facts.groups = std::move(verdict.identity.groups);
    admission.warrant = verdict.warrant;
  }
  facts.path = std::move(request.path);
  facts.query = query_of(request);
  facts.headers = std::move(request.forwarded);
  return admission;
}

}  // namespace jackfield::net
