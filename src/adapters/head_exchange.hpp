// One request and the head of its answer, as HTTP/1.1 has them (RFC 9112), on a stream that speaks
// something else afterwards: nothing beyond the head is read from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <gio/gio.h>

#include "core/secret.hpp"

namespace peersock::adapters {

struct HeadOutcome {
  enum class Kind : std::uint8_t { kComplete, kEnded, kTooLong, kBroken };
  Kind kind = Kind::kBroken;
  std::string head;               ///< as far as it has come
  const GError* error = nullptr;  ///< with kBroken; for the length of the call
};

class HeadExchange {
 public:
  /// Runs once, from the loop, never from the constructor, and may destroy the exchange.
  using Done = std::function<void(const HeadOutcome&)>;

  /// Writes `request`, and reads until an empty line or `limit` octets have come. `context` and
  /// `stream` must outlive the exchange; the stream's input is pollable.
  HeadExchange(GMainContext* context, GIOStream* stream, Secret request, std::size_t limit,
               Done done);
  HeadExchange(const HeadExchange&) = delete;
  HeadExchange& operator=(const HeadExchange&) = delete;
  HeadExchange(HeadExchange&&) = delete;
  HeadExchange& operator=(HeadExchange&&) = delete;
  /// Gives it up; nothing is called any more.
  ~HeadExchange();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // lives on while one of its callbacks runs
};

}  // namespace peersock::adapters
