// Owners for GLib's reference-counted things.
#pragma once

#include <memory>

#include <glib-object.h>
#include <glib.h>

namespace peersock::adapters {

struct GObjectUnref {
  void operator()(gpointer object) const { g_object_unref(object); }
};
/// Holds one reference.
template <typename T>
using GObjectPtr = std::unique_ptr<T, GObjectUnref>;

/// Takes a further reference to `object`, which may be null.
template <typename T>
[[nodiscard]] GObjectPtr<T> share(T* object) {
  if (object != nullptr) g_object_ref(object);
  return GObjectPtr<T>(object);
}

struct SourceDestroy {
  void operator()(GSource* source) const {
    g_source_destroy(source);
    g_source_unref(source);
  }
};
/// Takes the source out of its context when it goes.
using SourcePtr = std::unique_ptr<GSource, SourceDestroy>;

struct ContextUnref {
  void operator()(GMainContext* context) const { g_main_context_unref(context); }
};
using ContextPtr = std::unique_ptr<GMainContext, ContextUnref>;

struct ErrorFree {
  void operator()(GError* error) const { g_error_free(error); }
};
using ErrorPtr = std::unique_ptr<GError, ErrorFree>;

struct GFree {
  void operator()(gpointer memory) const { g_free(memory); }
};
using GCharPtr = std::unique_ptr<gchar, GFree>;

/// Asynchronous GIO calls answer on the context that is the thread's default at the time of the
/// call, so it is that for the length of one call only: a context that stays pushed is owned by
/// the thread, and others that iterate it wait for ever.
class ThreadDefault {
 public:
  explicit ThreadDefault(GMainContext* context) : context_(context) {
    g_main_context_push_thread_default(context_);
  }
  ~ThreadDefault() { g_main_context_pop_thread_default(context_); }
  ThreadDefault(const ThreadDefault&) = delete;
  ThreadDefault& operator=(const ThreadDefault&) = delete;
  ThreadDefault(ThreadDefault&&) = delete;
  ThreadDefault& operator=(ThreadDefault&&) = delete;

 private:
  GMainContext* context_;
};

}  // namespace peersock::adapters
