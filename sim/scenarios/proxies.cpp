#include "scenarios/scenarios.hpp"
#include "servers.hpp"

namespace peersock::sim {
namespace {

using std::chrono::seconds;

constexpr std::uint64_t kOctets = std::uint64_t{64} * 1024;
const SiteSpec kHome{.nats = {{}}};
const SiteSpec kProxied{.nats = {{}}, .proxy = true};
const SiteSpec kProxyOnly{.nats = {{.udp = false, .tcp_port = kProxyPort}}, .proxy = true};
/// The same, and the user has not been told of the proxy.
const SiteSpec kLocked{.nats = {{.udp = false, .tcp_port = kProxyPort}}};

Scenario between(const char* name, SiteSpec listener, SiteSpec connector) {
  return {.name = std::string("proxy/") + name,
          .listener = std::move(listener),
          .connector = std::move(connector),
          .octets = kOctets};
}

Scenario relayed(Scenario scenario) {
  scenario.relay = scenario.relay_tcp = true;
  scenario.expected = {Outcome::kRelayed};
  scenario.bound = seconds(120);
  return scenario;
}

Scenario failing(Scenario scenario, std::string says) {
  scenario.expected = {Outcome::kLost};
  scenario.says = std::move(says);
  scenario.bound = seconds(120);
  return scenario;
}

Scenario with(Scenario scenario, ProxySpec proxy) {
  scenario.proxy = std::move(proxy);
  return scenario;
}

}  // namespace

std::vector<Scenario> proxy_scenarios() {
  std::vector<Scenario> all = {
      between("rendezvous", kProxied, kProxied),
      between("rendezvous-listener", kProxied, kHome),
      between("rendezvous-connector", kHome, kProxied),
      relayed(between("only", kProxyOnly, kProxyOnly)),
      relayed(between("only-listener", kProxyOnly, kHome)),
      relayed(between("only-connector", kHome, kProxyOnly)),
      failing(between("not-told", kLocked, kHome), "did not answer within 5 s"),
      with(relayed(between("credentials", kProxyOnly, kProxyOnly)),
           {.credentials = "user:word", .told = "user:word"}),
      failing(with(between("credentials-wrong", kProxied, kHome),
                   {.credentials = "user:word", .told = "user:guess"}),
              "refuses the user name or password"),
      failing(with(between("credentials-missing", kProxied, kHome), {.credentials = "user:word"}),
              "wants a user name and a password"),
      failing(with(between("refuses", kProxied, kHome), {.status = 403}),
              "does not allow connections to 198.51.100.1:4000 (HTTP 403)"),
      failing(with(between("stalls", kProxied, kHome), {.status = 0}),
              "the proxy 198.51.100.5:3128 did not answer within 5 s"),
  };
  // The proxy looks the name up.
  all.push_back(relayed(between("names", kProxyOnly, kProxyOnly)));
  all.back().names = {{.name = kMailboxName, .addresses = {kMailboxAddress.ipv4}},
                      {.name = kTurnName, .addresses = {kTurnAddress.ipv4}}};
  all.push_back(failing(between("names-unknown", kProxied, kHome), "(HTTP 502"));
  all.back().names = {{.name = kMailboxName}};
  return all;
}

}  // namespace peersock::sim
