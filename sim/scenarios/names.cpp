#include "scenarios/scenarios.hpp"
#include "servers.hpp"

namespace peersock::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testbed::Dependence;
using testbed::Ports;

constexpr std::uint64_t kOctets = std::uint64_t{64} * 1024;
constexpr const char* kService = "service.example";
const NatSpec kHard{.mapping = Dependence::AddressAndPort, .ports = Ports::Random};
const SiteSpec kHome{.nats = {{}}};
const SiteSpec kDualHome{.nats = {{}}, .ipv6 = true};
const SiteSpec kIpv6Only{.ipv4 = false, .ipv6 = true};

NameSpec mailbox(Nanos delay = milliseconds(20)) {
  return {.name = kMailboxName, .addresses = {kMailboxAddress.ipv4}, .delay = delay};
}
NameSpec stun(Nanos delay = milliseconds(20)) {
  return {.name = kStunName, .addresses = {kStunAddress.ipv4}, .delay = delay};
}
NameSpec turn(Nanos delay = milliseconds(20)) {
  return {.name = kTurnName, .addresses = {kTurnAddress.ipv4}, .delay = delay};
}
NameSpec service(std::vector<std::string> addresses, Nanos delay = milliseconds(20)) {
  return {.name = kService, .addresses = std::move(addresses), .delay = delay};
}

Scenario named(const char* name, std::vector<NameSpec> names) {
  return {.name = std::string("names/") + name,
          .listener = kHome,
          .connector = kHome,
          .octets = kOctets,
          .names = std::move(names)};
}

/// Behind NATs that only a relay helps through.
Scenario relayed(const char* name, std::vector<NameSpec> names) {
  Scenario made = named(name, std::move(names));
  made.listener.nats = made.connector.nats = {kHard};
  made.relay = made.relay_tcp = true;
  made.expected = {Outcome::kRelayed};
  made.bound = seconds(120);
  return made;
}

Scenario ending(Scenario scenario, Outcome outcome, std::string says) {
  scenario.expected = {outcome};
  scenario.says = std::move(says);
  scenario.bound = seconds(300);
  return scenario;
}

Scenario saying(Scenario scenario, std::string says) {
  scenario.says = std::move(says);
  return scenario;
}

Scenario dual(Scenario scenario) {
  scenario.listener = scenario.connector = kDualHome;
  scenario.servers_ipv6 = true;
  return scenario;
}

Scenario towards(const char* name, std::string target, std::vector<NameSpec> names) {
  Scenario made = named(name, std::move(names));
  made.target = std::move(target);
  return made;
}

void add_rendezvous(std::vector<Scenario>& all) {
  all.push_back(named("rendezvous/slow", {mailbox(seconds(3))}));
  all.push_back(ending(named("rendezvous/too-slow", {mailbox(seconds(10))}), Outcome::kLost,
                       "was not found within 5 s"));
  all.push_back(ending(named("rendezvous/unknown", {{.name = kMailboxName}}), Outcome::kLost,
                       "is not known"));
  NameSpec broken = mailbox();
  broken.broken = seconds(3);
  all.push_back(saying(named("rendezvous/broken-at-first", {broken}),
                       "could not be looked up: check the network"));
  all.push_back(
      named("rendezvous/dead-first",
            {{.name = kMailboxName, .addresses = {kNobodysAddress.ipv4, kMailboxAddress.ipv4}}}));
  all.push_back(dual(
      named("rendezvous/dead-ipv6-first",
            {{.name = kMailboxName, .addresses = {kNobodysAddress.ipv6, kMailboxAddress.ipv4}}})));
  // It has no address that a host without IPv6 could use.
  all.push_back(ending(
      named("rendezvous/ipv6-only", {{.name = kMailboxName, .addresses = {kMailboxAddress.ipv6}}}),
      Outcome::kLost, "is not known"));
  Scenario moves = named("rendezvous/moves", {mailbox()});
  moves.happenings = {
      {.what = What::kMailboxMoves, .when = When::kListenerStarted, .lasts = seconds(1)}};
  all.push_back(moves);
  moves.name = "names/rendezvous/moves-in-between";
  moves.happenings.front().when = When::kConnectorStarted;
  moves.expected = {Outcome::kDirect, Outcome::kLost, Outcome::kNoPath};
  moves.bound = seconds(300);
  all.push_back(std::move(moves));
}

void add_servers(std::vector<Scenario>& all) {
  all.push_back(named("stun/slow", {stun(milliseconds(400))}));
  // Such NATs want STUN on both sides.
  all.push_back(ending(named("stun/too-slow", {stun(milliseconds(600))}), Outcome::kNoPath,
                       "could not be looked up (no answer came in time)"));
  all.push_back(ending(named("stun/unknown", {{.name = kStunName}}), Outcome::kNoPath,
                       "could not be looked up (the name stun.example is not known)"));
  // libnice asks one address of a STUN server, the first one.
  all.push_back(
      ending(named("stun/dead-first",
                   {{.name = kStunName, .addresses = {kNobodysAddress.ipv4, kStunAddress.ipv4}}}),
             Outcome::kNoPath, "The STUN server stun.example:3478 does not answer"));
  all.push_back(relayed("turn/udp", {turn()}));
  all.push_back(relayed("turn/slow", {turn(milliseconds(400))}));
  Scenario tcp = relayed("turn/tcp", {turn()});
  tcp.listener.nats = tcp.connector.nats = {{.udp = false}};
  all.push_back(std::move(tcp));
  // The look-up for TCP has as long as the connection.
  all.push_back(relayed("turn/too-slow-for-udp", {turn(milliseconds(600))}));
  all.push_back(ending(relayed("turn/unknown", {{.name = kTurnName}}), Outcome::kNoPath,
                       "its name could not be looked up"));
  all.push_back(
      relayed("turn/dead-first",
              {{.name = kTurnName, .addresses = {kNobodysAddress.ipv4, kTurnAddress.ipv4}}}));
}

void add_targets(std::vector<Scenario>& all) {
  all.push_back(towards("target/localhost", "localhost", {}));
  all.push_back(dual(towards("target/localhost-dual-stack", "localhost", {})));
  all.push_back(towards("target/name", kService, {service({"127.0.0.1"})}));
  all.push_back(
      towards("target/dead-first", kService, {service({kNobodysAddress.ipv4, "127.0.0.1"})}));
  all.push_back(dual(towards("target/dead-ipv6-first", kService,
                             {service({kNobodysAddress.ipv6, "::1", "127.0.0.1"})})));
  all.push_back(towards("target/slow", kService, {service({"127.0.0.1"}, seconds(5))}));
  all.push_back(ending(towards("target/too-slow", kService, {service({"127.0.0.1"}, seconds(25))}),
                       Outcome::kLost, "can not be reached (it does not answer)"));
  all.push_back(ending(towards("target/unknown", kService, {service({})}), Outcome::kLost,
                       "service.example:6000 can not be reached"));
}

}  // namespace

std::vector<Scenario> name_scenarios() {
  std::vector<Scenario> all;
  all.push_back(named("all", {mailbox(), stun(), turn()}));
  all.push_back(
      dual(named("dual-stack",
                 {{.name = kMailboxName, .addresses = {kMailboxAddress.ipv6, kMailboxAddress.ipv4}},
                  {.name = kStunName, .addresses = {kStunAddress.ipv6, kStunAddress.ipv4}}})));
  Scenario ipv6 = named("ipv6-only", {{.name = kMailboxName, .addresses = {kMailboxAddress.ipv6}},
                                      {.name = kStunName, .addresses = {kStunAddress.ipv6}}});
  ipv6.listener = ipv6.connector = kIpv6Only;
  ipv6.servers_ipv6 = true;
  all.push_back(std::move(ipv6));
  add_rendezvous(all);
  add_servers(all);
  add_targets(all);
  return all;
}

}  // namespace peersock::sim
