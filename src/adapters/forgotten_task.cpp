#include "adapters/forgotten_task.hpp"

namespace peersock::adapters {
namespace {

constexpr guint kMilliseconds = 1000;

struct Watched {
  GWeakRef task;
};

gboolean look(gpointer data) noexcept {
  auto* task = static_cast<GObject*>(g_weak_ref_get(&static_cast<Watched*>(data)->task));
  if (task == nullptr) return G_SOURCE_REMOVE;
  // Ours of this moment, and the forgotten one.
  const bool forgotten = g_atomic_int_get(&task->ref_count) == 2;
  g_object_unref(task);
  if (forgotten) g_object_unref(task);
  return G_SOURCE_REMOVE;
}

void end_watch(gpointer data) noexcept {
  auto* watched = static_cast<Watched*>(data);
  g_weak_ref_clear(&watched->task);
  delete watched;
}

}  // namespace

void release_forgotten_task(GAsyncResult* result, GMainContext* context) {
  if (!G_IS_TASK(result)) return;
  auto* watched = new Watched{};
  g_weak_ref_init(&watched->task, result);
  GSource* source = g_timeout_source_new(kMilliseconds);
  g_source_set_callback(source, look, watched, end_watch);
  g_source_attach(source, context);
  g_source_unref(source);
}

}  // namespace peersock::adapters
