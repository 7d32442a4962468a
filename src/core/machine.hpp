// The shape of a protocol stage: a plain class that turns facts into commands. It does no I/O,
// reads no clock and starts no thread; see docs/architecture.md.
#pragma once

#include <concepts>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "core/time.hpp"

namespace peersock {

/// Every machine takes this as its last input kind: some deadline may have passed. A machine
/// compares its own deadline with `now`, so a stale timer is a harmless no-op.
struct DeadlineReached {
  static constexpr std::string_view kName = "DeadlineReached";
};

/// A stage: `Input` and `Output` are variants of small structs, each with a `kName`.
/// Inputs are past-tense facts, outputs are imperatives or terminal facts.
template <typename M>
concept Machine = requires(M machine, const M& observed, typename M::Input input, Instant now) {
  { machine.handle(std::move(input), now) } -> std::same_as<std::vector<typename M::Output>>;
  { observed.deadline() } -> std::same_as<std::optional<Instant>>;
  { observed.state_name() } -> std::convertible_to<std::string_view>;
  { M::kName } -> std::convertible_to<std::string_view>;
};

/// Overload set for std::visit; a missing alternative fails to compile.
template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

/// The `kName` of the alternative that a variant of inputs or outputs holds.
template <typename... Ts>
[[nodiscard]] std::string_view name_of(const std::variant<Ts...>& value) {
  return std::visit([](const auto& held) { return std::decay_t<decltype(held)>::kName; }, value);
}

/// The earlier of two optional deadlines.
[[nodiscard]] inline std::optional<Instant> earliest(std::optional<Instant> a,
                                                     std::optional<Instant> b) {
  if (!a) return b;
  if (!b) return a;
  return *a < *b ? a : b;
}

}  // namespace peersock
