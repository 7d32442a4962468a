// Ends a storm of connectivity checks that libnice does not end itself.
//
// Where both NATs map by destination (RFC 4787 section 4.1) and one of them lets everybody in, each
// check comes from an address that was never seen before. libnice tries every such address with a
// check of its own (RFC 8445 section 7.3.1.4), which the other side sees come from a new address as
// well, and so on, some hundred times a second, for ever. None of these pairs can work. But libnice
// 0.1.21 remembers 50 addresses of the peer from which it takes data, the latest ones, and so in
// half a second forgets the one of the path in use, unless data flows all the time.
#pragma once

#include <cstddef>

#include <nice/agent.h>

#include "adapters/wakeup.hpp"

namespace peersock::adapters {

class NiceStorm {
 public:
  /// `agent` and `context` outlive this object.
  NiceStorm(::NiceAgent* agent, guint stream, GMainContext* context);

  /// There is a path, or checks begin again: looks out for some time. When the peer has been seen
  /// at more addresses than kMostAddresses, no more checks of ours are valid, and the storm is
  /// over; the path in use needs none.
  void watch();
  /// There is no path: checks have to go on.
  void stop();

  /// More than sides with many interfaces have.
  static constexpr std::size_t kMostAddresses = 24;
  static constexpr Duration kInterval = 100ms;
  /// The checks of one row take 4.5 s.
  static constexpr int kLooks = 100;

 private:
  void look();

  ::NiceAgent* agent_;
  guint stream_;
  Wakeup again_;
  int looks_left_ = 0;
  bool ended_ = false;
};

}  // namespace peersock::adapters
