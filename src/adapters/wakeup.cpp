#include "adapters/wakeup.hpp"

#include <utility>

namespace peersock::adapters {

struct Wakeup::Source {
  GSource base;
  // Outlives the call in progress when that destroys the Wakeup.
  std::shared_ptr<std::function<void()>>* fire;
  gpointer watch;

  static gboolean dispatch(GSource* base, GSourceFunc, gpointer) noexcept {
    g_source_set_ready_time(base, -1);
    const auto fire = *reinterpret_cast<Source*>(base)->fire;
    (*fire)();
    return G_SOURCE_CONTINUE;
  }
  static void finalize(GSource* base) noexcept { delete reinterpret_cast<Source*>(base)->fire; }
};

Wakeup::Wakeup(GMainContext* context, std::function<void()> fire) {
  static GSourceFuncs functions = {nullptr,           nullptr, &Source::dispatch,
                                   &Source::finalize, nullptr, nullptr};
  source_ = reinterpret_cast<Source*>(g_source_new(&functions, sizeof(Source)));
  source_->fire = new std::shared_ptr<std::function<void()>>(
      std::make_shared<std::function<void()>>(std::move(fire)));
  source_->watch = nullptr;
  g_source_set_ready_time(&source_->base, -1);
  g_source_attach(&source_->base, context);
}

Wakeup::~Wakeup() {
  g_source_destroy(&source_->base);
  g_source_unref(&source_->base);
}

void Wakeup::soon() {
  g_source_set_ready_time(&source_->base, 0);
}

void Wakeup::after(Duration delay) {
  const auto micros = std::chrono::ceil<std::chrono::microseconds>(delay).count();
  g_source_set_ready_time(&source_->base, g_get_monotonic_time() + micros);
}

void Wakeup::cancel() {
  g_source_set_ready_time(&source_->base, -1);
}

void Wakeup::watch(int fd, GIOCondition conditions) {
  unwatch();
  source_->watch = g_source_add_unix_fd(&source_->base, fd, conditions);
}

void Wakeup::unwatch() {
  if (source_->watch == nullptr) return;
  g_source_remove_unix_fd(&source_->base, source_->watch);
  source_->watch = nullptr;
}

bool Wakeup::is_watching() const {
  return source_->watch != nullptr;
}

}  // namespace peersock::adapters
