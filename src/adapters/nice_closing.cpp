#include "adapters/nice_closing.hpp"

#include <memory>
#include <utility>

namespace peersock::adapters {
namespace {

/// See kTurnsToResolve in nice_gathering.cpp: libnice 0.1.21 reads a stream that has been removed
/// when the STUN server's name comes back after it.
constexpr int kTurnsBeforeRemoval = 4;

struct Closing {
  GObjectPtr<::NiceAgent> agent;
  guint stream = 0;
  GMainContext* context = nullptr;
  int turns_left = 0;
  std::shared_ptr<void> way{};
};

/// Runs `step` in every turn of the context until it returns G_SOURCE_REMOVE. Not an idle source:
/// those wait for as long as datagrams keep coming.
void in_later_turns(Closing* closing, GSourceFunc step) {
  GSource* source = g_timeout_source_new(0);
  g_source_set_callback(source, step, closing, nullptr);
  g_source_attach(source, closing->context);
  g_source_unref(source);
}

gboolean free_agent(gpointer data) noexcept {
  const std::unique_ptr<Closing> closing(static_cast<Closing*>(data));
  nice_agent_remove_stream(closing->agent.get(), closing->stream);
  return G_SOURCE_REMOVE;
}

/// libnice calls this with the agent in its hands and touches it once more afterwards, so the last
/// reference goes one turn later.
void on_closed(GObject*, GAsyncResult*, gpointer data) noexcept {
  in_later_turns(static_cast<Closing*>(data), &free_agent);
}

/// The stream stays until the TURN servers have answered, because it is what reads their answers.
gboolean give_back_allocations(gpointer data) noexcept {
  auto* closing = static_cast<Closing*>(data);
  if (--closing->turns_left > 0) return G_SOURCE_CONTINUE;
  const ThreadDefault here(closing->context);
  nice_agent_close_async(closing->agent.get(), &on_closed, closing);
  return G_SOURCE_REMOVE;
}

}  // namespace

void close_nice_agent(GObjectPtr<::NiceAgent> agent, guint stream, GMainContext* context,
                      std::shared_ptr<void> way) {
  in_later_turns(
      new Closing{std::move(agent), stream, context, kTurnsBeforeRemoval, std::move(way)},
      &give_back_allocations);
}

}  // namespace peersock::adapters
