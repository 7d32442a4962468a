// Whether a TURN server gives a relay and a rendezvous server lets us in, and how soon.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <glib.h>

#include "adapters/mailbox_link.hpp"
#include "adapters/nice_agent.hpp"
#include "adapters/stream_dial.hpp"
#include "adapters/wakeup.hpp"
#include "core/time.hpp"

namespace peersock::adapters {

/// Why a server does not work that nothing was heard of, as the end of a sentence.
inline constexpr const char* kNoAnswer = "no answer came in time";

struct ServerFinding {
  std::optional<Duration> after;  ///< from the first packet (or lookup); absent: it does not work
  std::string problem;            ///< then: why, as the end of a sentence
};
/// Runs once, from the main context; may not destroy the check.
using ServerChecked = std::function<void(ServerFinding)>;

/// Asks for an allocation with the ICE agent, and gives it back when it goes.
class RelayCheck {
 public:
  RelayCheck(GMainContext* context, TurnServer server, wire::ProxyRules proxies, Resolver resolver,
             ServerChecked checked);
  /// Takes some seconds, as long as the agent gathers.
  void start();

 private:
  void found(const wire::Candidate& candidate);
  void gave_up();
  void report(ServerFinding finding);

  ServerChecked checked_;
  std::string warning_;
  Instant began_;
  IceAgent agent_;
};

/// Asks an HTTP proxy for a way to one server.
class ProxyCheck {
 public:
  /// `target` has the proxy. Reports within kProxyLimit.
  ProxyCheck(GMainContext* context, StreamTarget target, ServerChecked checked);
  void start();

  static constexpr Duration kProxyLimit = 5s;

 private:
  void report(ServerFinding finding);

  ServerChecked checked_;
  Instant began_;
  StreamDial dial_;
  Wakeup limit_;
};

/// Connects, and waits for the server's welcome.
class RendezvousCheck {
 public:
  RendezvousCheck(GMainContext* context, std::string url, wire::ProxyRules proxies,
                  ServerChecked checked);
  /// An attempt that gets no connection takes MailboxLinkConfig::connect_timeout. A server that
  /// does not say welcome is waited for without end.
  void start();

 private:
  void heard(const std::string& frame);
  void report(ServerFinding finding);

  std::string url_;
  ServerChecked checked_;
  Instant began_;
  MailboxLink link_;
};

}  // namespace peersock::adapters
