// What the embedded rendezvous server tells those who look after it, over HTTP at an address of its
// own: /healthz and /metrics (docs/spec/rendezvous-server.md).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <glib.h>

#include "adapters/http_request.hpp"
#include "adapters/mailbox_listeners.hpp"
#include "adapters/mailbox_server.hpp"
#include "adapters/mailbox_server_clients.hpp"

namespace peersock::adapters {

class MailboxAdmin {
 public:
  using Status = std::function<MailboxStatus()>;
  MailboxAdmin(GMainContext* context, std::string version, Status status);
  MailboxAdmin(const MailboxAdmin&) = delete;
  MailboxAdmin& operator=(const MailboxAdmin&) = delete;
  MailboxAdmin(MailboxAdmin&&) = delete;
  MailboxAdmin& operator=(MailboxAdmin&&) = delete;
  ~MailboxAdmin() = default;

  /// Errors are kLocalEndpoint.
  [[nodiscard]] Result<void> listen(const Endpoint& endpoint, mode_t unix_mode);
  /// `http://ADDRESS:PORT` or `unix:PATH`, one for each socket.
  [[nodiscard]] std::vector<std::string> urls() const;

 private:
  [[nodiscard]] HttpAnswer answer(const HttpRequest& request) const;

  std::string version_;
  Status status_;
  MailboxServerConfig limits_;
  MailboxTotals totals_;  ///< of its own connections; told to nobody
  MailboxServerClients clients_;
  MailboxListeners listeners_;
};

}  // namespace peersock::adapters
