#include "adapters/mailbox_persistence.hpp"

#include <utility>

namespace peersock::adapters {
namespace {

/// When this much is held back, it does not wait for the end of the turn.
constexpr std::size_t kMaxHeldBack = std::size_t{1024} * 1024;

}  // namespace

MailboxPersistence::MailboxPersistence(GMainContext* context, std::unique_ptr<MailboxStore> store,
                                       Duration retry_every, MailboxTotals& totals, Hooks hooks)
    : store_(std::move(store)),
      retry_every_(retry_every),
      totals_(totals),
      hooks_(std::move(hooks)),
      flush_(context, [this] { flush(); }),
      retry_(context, [this] { retry(); }) {}

MailboxPersistence::~MailboxPersistence() {
  if (failing_) {
    (void)store_->rewrite(hooks_.state());
  } else {
    commit();
  }
}

void MailboxPersistence::take(wormhole::ServerOutput output) {
  if (const auto* store = std::get_if<wormhole::StoreChange>(&output)) {
    if (failing_) return;
    store_->write(store->change);
    flush_.soon();
    return;
  }
  if (!store_->has_uncommitted() && held_back_.empty()) return hooks_.release(std::move(output));
  if (const auto* send = std::get_if<wormhole::SendToClient>(&output)) {
    held_back_octets_ += send->frame.size();
  }
  held_back_.push_back(std::move(output));
  if (held_back_octets_ > kMaxHeldBack) flush();
}

void MailboxPersistence::flush() {
  commit();
  held_back_octets_ = 0;
  for (auto& output : std::exchange(held_back_, {})) hooks_.release(std::move(output));
}

void MailboxPersistence::commit() {
  if (!store_->has_uncommitted()) return;
  if (auto kept = store_->commit(); !kept) return failed(kept.error());
  ++totals_.state_commits;
}

// Clients are served all the same: what they want is to meet now.
void MailboxPersistence::failed(const Error& error) {
  ++totals_.state_failures;
  if (!std::exchange(failing_, true) && hooks_.report) {
    hooks_.report(MailboxStateFailing{error.message});
  }
  retry_.after(retry_every_);
}

void MailboxPersistence::retry() {
  if (!failing_) return;
  if (auto kept = store_->rewrite(hooks_.state()); !kept) return failed(kept.error());
  ++totals_.state_commits;
  failing_ = false;
  if (hooks_.report) hooks_.report(MailboxStateKept{});
}

}  // namespace peersock::adapters
