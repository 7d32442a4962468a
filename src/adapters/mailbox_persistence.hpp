// Holds back what the embedded rendezvous server says until that is in its state file, one
// transaction for all that a turn of the loop brought.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "adapters/mailbox_facts.hpp"
#include "adapters/mailbox_store.hpp"
#include "adapters/wakeup.hpp"
#include "wormhole/server.hpp"

namespace peersock::adapters {

class MailboxPersistence {
 public:
  struct Hooks {
    /// Carries out a SendToClient or DropClient.
    std::function<void(wormhole::ServerOutput)> release;
    /// The machine's present state.
    std::function<wormhole::ServerState()> state;
    MailboxReport report;
  };
  /// `totals` must outlive the object.
  MailboxPersistence(GMainContext* context, std::unique_ptr<MailboxStore> store,
                     Duration retry_every, MailboxTotals& totals, Hooks hooks);
  MailboxPersistence(const MailboxPersistence&) = delete;
  MailboxPersistence& operator=(const MailboxPersistence&) = delete;
  MailboxPersistence(MailboxPersistence&&) = delete;
  MailboxPersistence& operator=(MailboxPersistence&&) = delete;
  /// Commits; what was held back is not released.
  ~MailboxPersistence();

  /// Any output of the machine, in its order.
  void take(wormhole::ServerOutput output);
  [[nodiscard]] bool failing() const { return failing_; }

 private:
  void flush();
  void commit();
  void failed(const Error& error);
  void retry();

  std::unique_ptr<MailboxStore> store_;
  Duration retry_every_;
  MailboxTotals& totals_;
  Hooks hooks_;
  std::vector<wormhole::ServerOutput> held_back_;
  std::size_t held_back_octets_ = 0;
  /// The file is behind; it is written anew as a whole.
  bool failing_ = false;
  Wakeup flush_;
  Wakeup retry_;
};

}  // namespace peersock::adapters
