#include "adapters/server_checks.hpp"

#include <utility>
#include <variant>

#include "adapters/clock.hpp"
#include "wire/mailbox_message.hpp"

namespace peersock::adapters {
namespace {

IceAgentConfig relay_only(TurnServer server, wire::ProxyRules proxies, Resolver resolver) {
  IceAgentConfig config;
  config.proxies = std::move(proxies);
  config.relay = ice::RelayPolicy::kOnly;
  config.turn.push_back(std::move(server));
  config.resolver = std::move(resolver);
  return config;
}

MailboxLinkConfig through(wire::ProxyRules proxies) {
  MailboxLinkConfig config;
  config.proxies = std::move(proxies);
  return config;
}

}  // namespace

RelayCheck::RelayCheck(GMainContext* context, TurnServer server, wire::ProxyRules proxies,
                       Resolver resolver, ServerChecked checked)
    : checked_(std::move(checked)),
      agent_(relay_only(std::move(server), std::move(proxies), std::move(resolver)), context,
             {.local_credentials = [](const std::string&, const std::string&) {},
              .local_candidate = [this](const wire::Candidate& candidate) { found(candidate); },
              .gathering_done = [this] { gave_up(); },
              .pair_selected = [](const PathInfo&) {},
              .failed = [] {},
              .checks_finished = [](const ice::ChecksFinished&) {},
              .writable = [] {},
              .warning = [this](std::string warning) { warning_ = std::move(warning); }}) {}

void RelayCheck::start() {
  began_ = monotonic_now();
  agent_.start_gathering();
}

void RelayCheck::found(const wire::Candidate& candidate) {
  if (candidate.type == wire::CandidateType::kRelayed) report({monotonic_now() - began_, {}});
}

void RelayCheck::gave_up() {
  // How a session would go on is of no interest here.
  const std::string why = warning_.substr(0, warning_.find("; going on"));
  report({std::nullopt, why.empty() ? kNoAnswer : why});
}

void RelayCheck::report(ServerFinding finding) {
  const ServerChecked checked = std::exchange(checked_, nullptr);
  if (checked) checked(std::move(finding));
}

ProxyCheck::ProxyCheck(GMainContext* context, StreamTarget target, ServerChecked checked)
    : checked_(std::move(checked)),
      dial_(context, std::move(target), {},
            {.on_open =
                 [this](const GObjectPtr<GIOStream>&) {
                   report({monotonic_now() - began_, {}});
                 },
             .on_failed =
                 [this](std::string why) {
                   report({std::nullopt, std::move(why)});
                 }}),
      limit_(context, [this] {
        report({std::nullopt, dial_.timeout_reason(kProxyLimit)});
      }) {}

void ProxyCheck::start() {
  began_ = monotonic_now();
  limit_.after(kProxyLimit);
  dial_.start();
}

void ProxyCheck::report(ServerFinding finding) {
  limit_.cancel();
  const ServerChecked checked = std::exchange(checked_, nullptr);
  if (checked) checked(std::move(finding));
}

RendezvousCheck::RendezvousCheck(GMainContext* context, std::string url, wire::ProxyRules proxies,
                                 ServerChecked checked)
    : url_(std::move(url)),
      checked_(std::move(checked)),
      link_(context,
            {.on_up = [] {},
             .on_frame = [this](const std::string& frame) { heard(frame); },
             .on_lost =
                 [this](std::string why) {
                   report({std::nullopt, std::move(why)});
                 }},
            through(std::move(proxies))) {}

void RendezvousCheck::start() {
  began_ = monotonic_now();
  link_.open(url_);
}

void RendezvousCheck::heard(const std::string& frame) {
  const auto reply = wire::parse_reply(frame);
  if (!reply) return report({std::nullopt, "it sent " + reply.error().what});
  const auto* welcome = std::get_if<wire::reply::Welcome>(&*reply);
  if (welcome == nullptr) return;
  if (welcome->error) return report({std::nullopt, "it refuses clients: " + *welcome->error});
  if (welcome->permission_required) {
    return report({std::nullopt, "it wants a permission that peersock cannot give"});
  }
  report({monotonic_now() - began_, {}});
}

void RendezvousCheck::report(ServerFinding finding) {
  const ServerChecked checked = std::exchange(checked_, nullptr);
  if (!checked) return;
  link_.close();
  checked(std::move(finding));
}

}  // namespace peersock::adapters
