#include "wormhole/client_servers.hpp"

#include <algorithm>
#include <utility>

namespace peersock::wormhole {

ClientServers::ClientServers(std::vector<std::string> urls, std::size_t number) {
  // Without a URL the link fails, and says so.
  if (urls.empty()) urls.emplace_back();
  for (std::string& url : urls) servers_.push_back({std::move(url), {}, false});
  current_ = std::clamp<std::size_t>(number, 1, servers_.size()) - 1;
}

std::size_t ClientServers::usable_from(std::size_t index) const {
  while (index < servers_.size() && servers_[index].refused) ++index;
  return index;
}

ClientServers::Next ClientServers::move_on(std::string reason, bool refused) {
  servers_[current_].reason = std::move(reason);
  servers_[current_].refused = refused;
  const std::size_t next = usable_from(current_ + 1);
  if (next < servers_.size()) {
    current_ = next;
    return Next::kServer;
  }
  first_round_ = false;
  const std::size_t first = usable_from(0);
  if (first == servers_.size()) return Next::kNone;
  current_ = first;
  return Next::kRound;
}

}  // namespace peersock::wormhole
