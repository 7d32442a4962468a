#include "app/loop.hpp"

#include <csignal>
#include <utility>

#include <glib-unix.h>

namespace peersock::app {
namespace {

constexpr int kSettlingTurns = 64;

}  // namespace

Loop::Loop() : context_(g_main_context_new()) {}

void Loop::watch(GMainContext* context, int signal_number, std::function<void()>& handler,
                 adapters::SourcePtr& source) {
  source.reset(g_unix_signal_source_new(signal_number));
  const auto dispatch = [](gpointer called) -> gboolean {
    (*static_cast<std::function<void()>*>(called))();
    return G_SOURCE_CONTINUE;
  };
  g_source_set_callback(source.get(), dispatch, &handler, nullptr);
  g_source_attach(source.get(), context);
}

void Loop::on_interrupt(std::function<void()> interrupted) {
  interrupted_ = std::move(interrupted);
  watch(context_.get(), SIGINT, interrupted_, signals_[0]);
  watch(context_.get(), SIGTERM, interrupted_, signals_[1]);
  watch(context_.get(), SIGHUP, interrupted_, signals_[2]);
}

void Loop::on_hangup(std::function<void()> hung_up) {
  hung_up_ = std::move(hung_up);
  watch(context_.get(), SIGHUP, hung_up_, signals_[2]);
}

void Loop::run_until(const std::function<bool()>& done) {
  const adapters::ThreadDefault current(context_.get());
  while (!done()) g_main_context_iteration(context_.get(), TRUE);
}

void Loop::settle() {
  const adapters::ThreadDefault current(context_.get());
  for (int turn = 0; turn < kSettlingTurns; ++turn) {
    if (g_main_context_iteration(context_.get(), FALSE) == FALSE) return;
  }
}

}  // namespace peersock::app
