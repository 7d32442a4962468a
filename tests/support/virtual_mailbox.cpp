#include "support/virtual_mailbox.hpp"

#include <algorithm>
#include <utility>

#include "core/machine.hpp"

namespace peersock::testing {

using wormhole::ConnectionId;

VirtualMailbox::VirtualMailbox(VirtualWorld& world, LinkProfile link, wormhole::ServerConfig config)
    : world_(world), link_(link), server_(std::move(config), world.rng(), 1.7e9, world.now()) {}

ConnectionId VirtualMailbox::connect(LinkHandlers handlers) {
  const ConnectionId id = next_++;
  links_[id].handlers = std::move(handlers);
  // TCP's round trip and the upgrade's.
  world_.after(link_.delay * 4, [this, id] {
    const auto at = links_.find(id);
    if (at == links_.end()) return;
    if (world_.now() < refusing_until_) {
      const auto lost = at->second.handlers.lost;
      links_.erase(at);
      return lost("connection refused");
    }
    at->second.up = true;
    at->second.handlers.up();
    perform(server_.handle(wormhole::ClientConnected{id, std::nullopt}, world_.now()));
  });
  return id;
}

Duration VirtualMailbox::in_order(Instant& last) {
  last = std::max(last, world_.now() + world_.delay_of(link_));
  return last - world_.now();
}

void VirtualMailbox::send(ConnectionId connection, std::string frame) {
  const auto at = links_.find(connection);
  if (at == links_.end() || !at->second.up || at->second.closing) return;
  world_.after(in_order(at->second.last_up),
               [this, connection, frame = std::move(frame)]() mutable {
                 const auto link = links_.find(connection);
                 if (link == links_.end()) return;
                 perform(server_.handle(wormhole::ClientFrameReceived{connection, std::move(frame)},
                                        world_.now()));
                 count_frame();
               });
}

void VirtualMailbox::close(ConnectionId connection) {
  const auto at = links_.find(connection);
  if (at == links_.end()) return;
  if (!at->second.up) {
    links_.erase(at);
    return;
  }
  // What was sent before still arrives, as over TCP; nothing comes back any more.
  at->second.closing = true;
  world_.after(in_order(at->second.last_up), [this, connection] {
    if (links_.erase(connection) == 0) return;
    perform(server_.handle(wormhole::ClientDisconnected{connection}, world_.now()));
  });
}

void VirtualMailbox::cut(ConnectionId connection) {
  const auto node = links_.extract(connection);
  if (node.empty()) return;
  if (node.mapped().up) {
    perform(server_.handle(wormhole::ClientDisconnected{connection}, world_.now()));
  }
  if (!node.mapped().closing) node.mapped().handlers.lost("connection reset");
}

void VirtualMailbox::drop_all(Duration outage) {
  refusing_until_ = world_.now() + outage;
  auto links = std::exchange(links_, {});
  for (auto& [id, link] : links) {
    perform(server_.handle(wormhole::ClientDisconnected{id}, world_.now()));
    if (!link.closing) link.handlers.lost("connection reset");
  }
}

void VirtualMailbox::drop_after_frames(std::size_t frames, Duration outage) {
  drop_at_ = frames_ + frames;
  drop_outage_ = outage;
}

void VirtualMailbox::count_frame() {
  ++frames_;
  if (!drop_at_ || frames_ < *drop_at_) return;
  drop_at_.reset();
  world_.after(0ns, [this] { drop_all(drop_outage_); });
}

void VirtualMailbox::perform(std::vector<wormhole::ServerOutput> outputs) {
  for (auto& output : outputs) {
    std::visit(Overloaded{
                   [&](wormhole::SendToClient& o) { deliver(o.connection, std::move(o.frame)); },
                   [&](wormhole::DropClient& o) {
                     const auto at = links_.find(o.connection);
                     if (at == links_.end()) return;
                     const auto lost = at->second.handlers.lost;
                     const bool told = !at->second.closing;
                     links_.erase(at);
                     if (told) world_.after(link_.delay, [lost] { lost("closed by the server"); });
                   },
                   [](const wormhole::StoreChange&) {},
               },
               output);
  }
}

void VirtualMailbox::deliver(ConnectionId connection, std::string frame) {
  const auto at = links_.find(connection);
  if (at == links_.end() || at->second.closing) return;
  if (tamper_) {
    auto changed = tamper_(connection, std::move(frame));
    if (!changed) return;
    frame = std::move(*changed);
  }
  Link& link = at->second;
  std::vector<std::string> train;
  const bool is_message = frame.find("\"type\":\"message\"") != std::string::npos ||
                          frame.find("\"type\": \"message\"") != std::string::npos;
  if (is_message && reorder_ && !link.held_back && world_.chance(0.5)) {
    link.held_back = std::move(frame);
    // It still arrives when nothing follows.
    world_.after(200ms, [this, connection] {
      const auto later = links_.find(connection);
      if (later == links_.end() || later->second.closing || !later->second.held_back) return;
      later->second.handlers.frame(*std::exchange(later->second.held_back, std::nullopt));
    });
    return;
  }
  train.push_back(std::move(frame));
  if (is_message && duplicate_) train.push_back(train.front());
  if (is_message && link.held_back) {
    train.push_back(*std::exchange(link.held_back, std::nullopt));
  }
  for (auto& each : train) {
    world_.after(in_order(link.last_down), [this, connection, each = std::move(each)]() mutable {
      const auto later = links_.find(connection);
      if (later == links_.end() || later->second.closing) return;
      later->second.handlers.frame(std::move(each));
      count_frame();
    });
  }
}

}  // namespace peersock::testing
