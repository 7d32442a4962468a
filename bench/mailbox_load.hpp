// Load for a rendezvous server: many connections in one thread, on epoll.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <netinet/in.h>

#include "adapters/unique_fd.hpp"
#include "bench/mailbox_party.hpp"
#include "bench/websocket_client.hpp"

namespace peersock::bench {

using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

/// Where the server is, and from which addresses of 127/8 we come, one after the other: servers
/// limit the connections of one address.
struct Target {
  std::uint16_t port = 0;  ///< on 127.0.0.1
  std::uint32_t sources = 1;
};

/// One connection with what it says.
struct Link {
  Link(const Target& target, std::uint64_t serial, Party speaker);

  WebSocketClient socket;
  Party party;
  std::uint64_t exchange = 0;  ///< its number; without meaning for an idler
};

/// The links and their sockets' readiness.
class Links {
 public:
  Links();
  void watch(Link& link);
  /// Waits up to `limit` and serves every link that is ready; returns these.
  const std::vector<Link*>& serve(nanoseconds limit);
  /// One more descriptor that ends the wait when it is readable.
  void watch_input(int fd);
  [[nodiscard]] bool input_ready() const { return input_ready_; }

 private:
  void serve(Link& link, bool ending);

  adapters::UniqueFd epoll_;
  std::array<char, 65536> buffer_{};
  std::vector<Link*> served_;
  bool input_ready_ = false;
};

struct ExchangePlan {
  double rate = 0;  ///< a second; 0: the next one as soon as there is room
  std::size_t in_flight = 64;
  double seconds = 1;
};

struct ExchangeReport {
  std::uint64_t started = 0;
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  /// Were due while `in_flight` others were under way, and never started.
  std::uint64_t missed = 0;
  std::string first_failure;
  double seconds = 0;  ///< from the first start to the last end
  /// From the time when an exchange was due to the last `closed`, in the order of completion.
  std::vector<double> latencies_ms;
};

[[nodiscard]] ExchangeReport run_exchanges(const Target& target, const ExchangePlan& plan);

/// Connects `count` clients, calls `ready` once all are bound, and holds them until `input` ends.
/// Returns what went wrong, or an empty text.
[[nodiscard]] std::string run_idlers(const Target& target, std::size_t count, int input,
                                     const std::function<void()>& ready);

}  // namespace peersock::bench
