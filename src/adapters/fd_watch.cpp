#include "adapters/fd_watch.hpp"

#include <memory>
#include <utility>

namespace peersock::adapters {

struct FdWatch::Source {
  GSource base;
  int fd;
  gpointer tag;  ///< null while the descriptor is not polled
  GIOCondition conditions;
  // Outlives the call in progress when that destroys the watch.
  std::shared_ptr<ReadyHandler>* handler;

  static gboolean dispatch(GSource* base, GSourceFunc, gpointer) noexcept {
    auto& self = *reinterpret_cast<Source*>(base);
    if (self.tag == nullptr) return G_SOURCE_CONTINUE;
    const int seen = g_source_query_unix_fd(base, self.tag);
    const bool broken = (seen & (G_IO_ERR | G_IO_HUP | G_IO_NVAL)) != 0;
    const auto ready = [&](GIOCondition condition) {
      return (self.conditions & condition) != 0 && (broken || (seen & condition) != 0);
    };
    const bool readable = ready(G_IO_IN);
    const bool writable = ready(G_IO_OUT);
    const auto handler = *self.handler;
    if (readable || writable) (*handler)(readable, writable);
    return G_SOURCE_CONTINUE;
  }
  static void finalize(GSource* base) noexcept { delete reinterpret_cast<Source*>(base)->handler; }
};

FdWatch::FdWatch(GMainContext* context, int fd, ReadyHandler handler) {
  static GSourceFuncs functions = {nullptr,           nullptr, &Source::dispatch,
                                   &Source::finalize, nullptr, nullptr};
  source_ = reinterpret_cast<Source*>(g_source_new(&functions, sizeof(Source)));
  source_->fd = fd;
  source_->tag = nullptr;
  source_->conditions = static_cast<GIOCondition>(0);
  source_->handler =
      new std::shared_ptr<ReadyHandler>(std::make_shared<ReadyHandler>(std::move(handler)));
  g_source_attach(&source_->base, context);
}

FdWatch::~FdWatch() {
  g_source_destroy(&source_->base);
  g_source_unref(&source_->base);
}

void FdWatch::watch(bool readable, bool writable) {
  source_->conditions =
      static_cast<GIOCondition>((readable ? G_IO_IN : 0) | (writable ? G_IO_OUT : 0));
  if (source_->conditions == 0) {
    if (source_->tag != nullptr) {
      g_source_remove_unix_fd(&source_->base, std::exchange(source_->tag, nullptr));
    }
  } else if (source_->tag == nullptr) {
    source_->tag = g_source_add_unix_fd(&source_->base, source_->fd, source_->conditions);
  } else {
    g_source_modify_unix_fd(&source_->base, source_->tag, source_->conditions);
  }
}

}  // namespace peersock::adapters
