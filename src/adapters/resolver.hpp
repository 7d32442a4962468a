// Names to numeric addresses, asynchronously. A function type, so that tests can have their own;
// the simulation replaces GIO's, which is under the system's and under GSocketClient.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gio/gio.h>
#include <tl/expected.hpp>

#include "core/time.hpp"

namespace peersock::adapters {

/// How long gathering waits for the name of a STUN or TURN server at most.
inline constexpr Duration kServerLookupTimeout = 500ms;
/// More addresses of one name are left out.
inline constexpr std::size_t kMaxResolvedAddresses = 16;

/// Numeric IPv4 and IPv6 addresses without scope, at least one, the preferred one first; or the
/// reason why there are none, as the end of a sentence.
using ResolveResult = tl::expected<std::vector<std::string>, std::string>;
using ResolveHandler = std::function<void(ResolveResult)>;

/// Keeps one lookup going. When it goes, the lookup is given up and the handler does not run.
using Lookup = std::shared_ptr<void>;

/// Starts a lookup. The handler runs once, later, never from inside this call. A numeric `host`
/// comes back as it is, without a lookup.
using Resolver =
    std::function<Lookup(const std::string& host, Duration timeout, ResolveHandler handler)>;

/// The system's resolver; handlers run from `context`, which outlives the resolver and every
/// lookup.
[[nodiscard]] Resolver make_system_resolver(GMainContext* context);

/// Whether `host` is a numeric IPv4 or IPv6 address.
[[nodiscard]] bool is_numeric_address(const std::string& host);

}  // namespace peersock::adapters
