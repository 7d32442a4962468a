// The client's WebSocket link to a rendezvous server, on libsoup.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <gio/gio.h>

#include "adapters/stream_dial.hpp"

namespace peersock::adapters {

/// What happens on the link. Called from the loop, never from a call of MailboxLink; each may
/// destroy the link, or open it again.
struct MailboxLinkCallbacks {
  std::function<void()> on_up;
  /// One text or binary frame.
  std::function<void(std::string)> on_frame;
  /// The attempt failed or the open link broke; a short phrase for the user says why.
  std::function<void(std::string)> on_lost;
};

struct MailboxLinkConfig {
  /// From `open` to `on_up`.
  Duration connect_timeout = 5s;
  /// Octets of one message from the server; more ends the link.
  std::size_t max_message = std::size_t{4} * 1024 * 1024;
  /// An idle link is pinged this often (whole seconds) …
  Duration ping_every = 30s;
  /// … and is lost when the server's machine acknowledges nothing for this long.
  Duration max_unacknowledged = 20s;
  /// Whose signature makes a certificate of wss:// good; null: the system's authorities.
  GTlsDatabase* trusted = nullptr;
  /// Which proxy to go through, if any.
  wire::ProxyRules proxies;
};

/// Where the server is to which `url` leads, and through which proxy; nothing when it is none.
[[nodiscard]] std::optional<StreamTarget> stream_target_of(const std::string& url,
                                                           const wire::ProxyRules& proxies);

class MailboxLink {
 public:
  /// `context` must outlive the link. libsoup attaches its sources to the thread's default context,
  /// so whoever iterates `context` has it pushed as that while it does (and at no other time).
  MailboxLink(GMainContext* context, MailboxLinkCallbacks callbacks,
              MailboxLinkConfig config = MailboxLinkConfig());
  MailboxLink(const MailboxLink&) = delete;
  MailboxLink& operator=(const MailboxLink&) = delete;
  MailboxLink(MailboxLink&&) = delete;
  MailboxLink& operator=(MailboxLink&&) = delete;
  /// Legal at any time. Nothing is called any more; an open link is closed without waiting.
  ~MailboxLink();

  /// Connects to `url` (ws:// or wss://); answered by on_up or on_lost. A link that is open or
  /// being opened is closed first.
  void open(const std::string& url);
  /// A text frame of valid UTF-8. Ignored while the link is not up.
  void send(const std::string& frame);
  /// Closes after what was sent before; no on_lost follows.
  void close();
  [[nodiscard]] bool is_up() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // lives on while one of its callbacks runs
};

}  // namespace peersock::adapters
