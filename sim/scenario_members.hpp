// All members of a scenario and of its parts, with their names in JSON: one table for writing and
// reading. Each part is taken apart into as many names as it has members, so that a new member does
// not compile until somebody has decided here what becomes of it.
#pragma once

#include <chrono>
#include <concepts>
#include <type_traits>

#include "scenario.hpp"

namespace peersock::sim {

/// Of a number (a time: milliseconds), or of how many parts there may be.
struct Limits {
  double least = 0;
  double most = 0;
};

constexpr double kDayMs = 86'400'000;
constexpr double kTenYearsMs = 10 * 365 * kDayMs;

inline constexpr Limits kPercent{.most = 100};
inline constexpr Limits kTime{.most = kDayMs};
/// Longer than anybody waits, and clocks jump back as well.
inline constexpr Limits kSpan{.least = -kTenYearsMs, .most = kTenYearsMs};
inline constexpr Limits kPacket{.most = 65535};
inline constexpr Limits kRate{.most = 1e9};
/// Up to here every number is told from the next one.
inline constexpr Limits kAmount{.most = 1e15};
// As many as there are numbers and addresses for (world.hpp).
inline constexpr Limits kBoxes{.most = 8};
inline constexpr Limits kAddresses{.least = 1, .most = 250};
inline constexpr Limits kPairs{.least = 1, .most = 50};
inline constexpr Limits kSessions{.least = 1, .most = 50};
inline constexpr Limits kPort{.most = 65535};
inline constexpr Limits kStatus{.most = 599};
inline constexpr Limits kNames{.most = 16};
inline constexpr Limits kHappenings{.most = 100};
inline constexpr Limits kEveryOutcome{.most = 5};

template <typename T, typename U>
concept Is = std::same_as<std::remove_const_t<T>, U>;

template <Is<testbed::Bursts> T, typename Field>
void each_member(T& bursts, const Field& field) {
  auto& [begin, end, loss] = bursts;
  field("begin", begin, kPercent);
  field("end", end, kPercent);
  field("loss", loss, kPercent);
}

template <Is<testbed::LineConfig> T, typename Field>
void each_member(T& line, const Field& field) {
  // No simulated line tells a sender anything, so `tells` and `router` do nothing here.
  auto& [delay, jitter, rate, queue, loss, bursts, duplicate, reorder, black_hole, tells, router] =
      line;
  field("delay_ms", delay, kTime);
  field("jitter_ms", jitter, kTime);
  field("rate_kbit", rate, kRate);
  field("queue_ms", queue, kTime);
  field("loss", loss, kPercent);
  field("bursts", bursts);
  field("duplicate", duplicate, kPercent);
  field("reorder", reorder, kPercent);
  field("black_hole", black_hole, kPacket);
}

template <Is<NatSpec> T, typename Field>
void each_member(T& nat, const Field& field) {
  auto& [mapping, filtering, ports, hairpin, addresses, paired, timeout, udp, tcp_port] = nat;
  field("mapping", mapping);
  field("filtering", filtering);
  field("port", ports);
  field("hairpin", hairpin);
  field("addresses", addresses, kAddresses);
  field("paired", paired);
  field("timeout_ms", timeout, kTime);
  field("udp", udp);
  field("tcp_port", tcp_port, kPort);
}

template <Is<SiteSpec> T, typename Field>
void each_member(T& site, const Field& field) {
  auto& [nats, up, down, ipv4, ipv6, proxy] = site;
  field("nats", nats, kBoxes);
  field("up", up);
  field("down", down);
  field("ipv4", ipv4);
  field("ipv6", ipv6);
  field("proxy", proxy);
}

template <Is<Step> T, typename Field>
void each_member(T& step, const Field& field) {
  auto& [who, machine, state] = step;
  field("who", who);
  field("machine", machine);
  field("state", state);
}

template <Is<Happening> T, typename Field>
void each_member(T& happening, const Field& field) {
  auto& [what, when, step, delay, lasts] = happening;
  field("what", what);
  field("when", when);
  field("step", step);
  field("delay_ms", delay, kTime);
  field("lasts_ms", lasts, kSpan);
}

template <Is<NameSpec> T, typename Field>
void each_member(T& spec, const Field& field) {
  auto& [name, addresses, delay, broken] = spec;
  field("name", name);
  field("addresses", addresses, kNames);
  field("delay_ms", delay, kTime);
  field("broken_ms", broken, kTime);
}

template <Is<ProxySpec> T, typename Field>
void each_member(T& proxy, const Field& field) {
  auto& [status, credentials, told] = proxy;
  field("status", status, kStatus);
  field("credentials", credentials);
  field("told", told);
}

template <Is<Scenario> T, typename Field>
void each_member(T& scenario, const Field& field) {
  // `vary` has been called when there is something to be written, and a file has no code.
  auto& [name, listener, connector, first, engine, path, octets, relay, relay_tcp, pairs, sessions,
         happenings, listener_next, connector_next, idle, names, servers_ipv6, target, proxy, says,
         expected, bound, vary] = scenario;
  field("name", name);
  field("listener", listener);
  field("connector", connector);
  field("first", first);
  field("engine", engine);
  field("path", path);
  field("octets", octets, kAmount);
  field("relay", relay);
  field("relay_tcp", relay_tcp);
  field("pairs", pairs, kPairs);
  field("sessions", sessions, kSessions);
  field("happenings", happenings, kHappenings);
  field("listener_next", listener_next);
  field("connector_next", connector_next);
  field("idle_ms", idle, kTime);
  field("names", names, kNames);
  field("servers_ipv6", servers_ipv6);
  field("target", target);
  field("proxy", proxy);
  field("says", says);
  field("expected", expected, kEveryOutcome);
  field("bound_ms", bound, kTime);
}

template <typename T>
concept HasMembers = requires(T& value) {
  each_member(value, [](const char*, auto&, Limits = {}) {});
};

}  // namespace peersock::sim
