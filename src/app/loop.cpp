#include "app/loop.hpp"

#include <csignal>
#include <utility>

#include <glib-unix.h>

namespace peersock::app {
namespace {

constexpr int kSettlingTurns = 64;

}  // namespace

Loop::Loop() : context_(g_main_context_new()) {}

void Loop::watch(int signal_number, adapters::SourcePtr& source) {
  source.reset(g_unix_signal_source_new(signal_number));
  const auto handler = [](gpointer self) -> gboolean {
    static_cast<Loop*>(self)->interrupted_();
    return G_SOURCE_CONTINUE;
  };
  g_source_set_callback(source.get(), handler, this, nullptr);
  g_source_attach(source.get(), context_.get());
}

void Loop::on_interrupt(std::function<void()> interrupted) {
  interrupted_ = std::move(interrupted);
  watch(SIGINT, signals_[0]);
  watch(SIGTERM, signals_[1]);
  watch(SIGHUP, signals_[2]);
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
