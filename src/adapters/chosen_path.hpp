// The datagram path of one agent: whichever serves the pair that libnice has selected.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <nice/agent.h>

#include "adapters/fd_watch.hpp"
#include "adapters/nice_path.hpp"
#include "adapters/nice_sender.hpp"
#include "adapters/path_policy.hpp"
#include "adapters/split_udp_path.hpp"
#include "adapters/wakeup.hpp"

namespace peersock::adapters {

/// They run from the main context or from `send`.
struct ChosenPathCallbacks {
  /// `send` may be tried again after kWouldBlock.
  std::function<void()> writable;
  /// May destroy the ChosenPath. Only what our own socket reads: the rest is pushed by libnice.
  quic::TrainsHandler arrived;
  /// `split` is another one than after the last `follow`.
  std::function<void()> changed;
};

class ChosenPath {
 public:
  /// `agent` outlives this object.
  ChosenPath(::NiceAgent* agent, guint stream, GMainContext* context, PathPolicy policy,
             ChosenPathCallbacks callbacks);

  /// To be called for each pair that is selected; the same again is no change.
  void follow(const ::NiceCandidate& local, const ::NiceCandidate& remote);
  /// The pair has gone: what waits to be sent is lost.
  void leave() { sender_.reset(); }
  [[nodiscard]] bool split() const { return split_ != nullptr; }
  /// libnice has received what is not its own.
  void arrived_through_libnice() {
    if (split_) split_->quic_came_to_libnice();
  }

  [[nodiscard]] quic::SendOutcome send(const quic::DatagramTrain& train);
  [[nodiscard]] SendStatistics statistics() const;

 private:
  [[nodiscard]] GObjectPtr<GSocket> socket_to_share(const ::NiceCandidate& local,
                                                    const ::NiceCandidate& remote) const;
  void open_beside(GObjectPtr<GSocket> socket, const SocketAddress& remote);
  [[nodiscard]] bool retarget(const SocketAddress& remote);
  void retire();
  void give_up();
  void drain_retired();
  void on_ready(bool readable, bool writable);

  ::NiceAgent* agent_;
  guint stream_;
  GMainContext* context_;
  PathPolicy policy_;
  ChosenPathCallbacks callbacks_;
  NiceSender sender_;
  NicePath nice_{sender_};
  std::shared_ptr<SplitUdpPath> split_;
  std::optional<FdWatch> watch_;  ///< of split_
  bool owner_waits_ = false;      ///< for split_
  /// What the kernel had given to sockets that serve no pair any more is still read.
  std::vector<std::shared_ptr<SplitUdpPath>> retired_;
  Wakeup drain_;
  bool given_up_ = false;
  SendStatistics split_statistics_;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace peersock::adapters
