// The rendezvous servers that a client may use, in their order, and which of them is in use. A
// server that refused is not asked again; one that was not reached is, in the next round.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace peersock::wormhole {

class ClientServers {
 public:
  /// Starts with the server `number`, counted from 1; one beyond the end is the caller's to refuse.
  ClientServers(std::vector<std::string> urls, std::size_t number);

  [[nodiscard]] std::size_t count() const { return servers_.size(); }
  /// The one in use, counted from 1, and its URL.
  [[nodiscard]] std::size_t number() const { return current_ + 1; }
  [[nodiscard]] const std::string& url() const { return servers_[current_].url; }
  /// Not every server has had its turn.
  [[nodiscard]] bool first_round() const { return first_round_; }

  enum class Next : std::uint8_t {
    kServer,  ///< the next one of this round is in use now
    kRound,   ///< all had their turn; the first one that did not refuse is in use now
    kNone,    ///< all have refused
  };
  /// The server in use is of no use: `reason` says why, `refused` that asking again is idle.
  [[nodiscard]] Next move_on(std::string reason, bool refused);

  struct Server {
    std::string url;
    std::string reason;  ///< why it was given up last; empty: it was not
    bool refused = false;
  };
  [[nodiscard]] const std::vector<Server>& all() const { return servers_; }

 private:
  /// The first one from `index` on that has not refused; count() when there is none.
  [[nodiscard]] std::size_t usable_from(std::size_t index) const;

  std::vector<Server> servers_;
  std::size_t current_;
  bool first_round_ = true;
};

}  // namespace peersock::wormhole
