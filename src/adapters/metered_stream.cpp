#include "adapters/metered_stream.hpp"

#include <algorithm>
#include <utility>

// GObject classes: the macros define each type's registration, `_init` and `_class_init`. What a
// class holds beside GLib's things is made and destroyed by hand, since GObject does not know C++.
namespace peersock::adapters {
namespace {

using MeterPtr = std::shared_ptr<Meter>;

// --- input

struct MeteredInput {
  GFilterInputStream parent;
  MeterPtr* meter;
};
struct MeteredInputClass {
  GFilterInputStreamClass parent;
};

void metered_input_pollable_init(GPollableInputStreamInterface* interface);
// NOLINTNEXTLINE(performance-no-int-to-ptr): what the macro does
G_DEFINE_TYPE_WITH_CODE(MeteredInput, metered_input, G_TYPE_FILTER_INPUT_STREAM,
                        G_IMPLEMENT_INTERFACE(G_TYPE_POLLABLE_INPUT_STREAM,
                                              metered_input_pollable_init))

MeteredInput* input_of(gpointer stream) {
  return static_cast<MeteredInput*>(stream);
}
GPollableInputStream* base_of(GPollableInputStream* stream) {
  return G_POLLABLE_INPUT_STREAM(input_of(stream)->parent.base_stream);
}

gboolean input_can_poll(GPollableInputStream* stream) {
  return g_pollable_input_stream_can_poll(base_of(stream));
}

gboolean input_is_readable(GPollableInputStream* stream) {
  return g_pollable_input_stream_is_readable(base_of(stream));
}

GSource* input_create_source(GPollableInputStream* stream, GCancellable* cancellable) {
  GSource* base = g_pollable_input_stream_create_source(base_of(stream), nullptr);
  GSource* source = g_pollable_source_new_full(stream, base, cancellable);
  g_source_unref(base);
  return source;
}

gssize input_read(GPollableInputStream* stream, void* buffer, gsize count, GError** error) {
  Meter& meter = **input_of(stream)->meter;
  if (meter.received >= meter.receive_limit) {
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE,
                        "the peer sent too much at once");
    return -1;
  }
  if (meter.in_turn >= kOctetsPerTurn) {
    meter.in_turn = 0;
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "others have their turn");
    return -1;
  }
  const auto room = std::min(meter.receive_limit - meter.received, kOctetsPerTurn - meter.in_turn);
  const gssize got = g_pollable_input_stream_read_nonblocking(
      base_of(stream), buffer, std::min<std::uint64_t>(count, room), nullptr, error);
  if (got > 0) {
    meter.received += static_cast<std::uint64_t>(got);
    meter.in_turn += static_cast<std::uint64_t>(got);
  } else {
    meter.in_turn = 0;
  }
  return got;
}

void metered_input_pollable_init(GPollableInputStreamInterface* interface) {
  interface->can_poll = input_can_poll;
  interface->is_readable = input_is_readable;
  interface->create_source = input_create_source;
  interface->read_nonblocking = input_read;
}

void metered_input_init(MeteredInput* self) {
  self->meter = new MeterPtr;
}

void metered_input_finalize(GObject* object) {
  delete input_of(object)->meter;
  G_OBJECT_CLASS(metered_input_parent_class)->finalize(object);
}

void metered_input_class_init(MeteredInputClass* type) {
  G_OBJECT_CLASS(type)->finalize = metered_input_finalize;
}

// --- both

struct MeteredStream {
  GIOStream parent;
  GIOStream* base;
  GInputStream* input;
};
struct MeteredStreamClass {
  GIOStreamClass parent;
};

// NOLINTNEXTLINE(performance-no-int-to-ptr): what the macro does
G_DEFINE_TYPE(MeteredStream, metered_stream, G_TYPE_IO_STREAM)

MeteredStream* stream_of(gpointer stream) {
  return static_cast<MeteredStream*>(stream);
}

GInputStream* stream_input(GIOStream* stream) {
  return stream_of(stream)->input;
}
GOutputStream* stream_output(GIOStream* stream) {
  return g_io_stream_get_output_stream(stream_of(stream)->base);
}

gboolean stream_close(GIOStream* stream, GCancellable* cancellable, GError** error) {
  return g_io_stream_close(stream_of(stream)->base, cancellable, error);
}

void base_closed(GObject* base, GAsyncResult* result, gpointer data) {
  auto* task = static_cast<GTask*>(data);
  GError* error = nullptr;
  if (g_io_stream_close_finish(G_IO_STREAM(base), result, &error)) {
    g_task_return_boolean(task, TRUE);
  } else {
    g_task_return_error(task, error);
  }
  g_object_unref(task);
}

// The base class would call stream_close from another thread.
void stream_close_async(GIOStream* stream, int priority, GCancellable* cancellable,
                        GAsyncReadyCallback callback, gpointer data) {
  GTask* task = g_task_new(stream, cancellable, callback, data);
  g_task_set_priority(task, priority);
  g_io_stream_close_async(stream_of(stream)->base, priority, cancellable, base_closed, task);
}

gboolean stream_close_finish(GIOStream* /*stream*/, GAsyncResult* result, GError** error) {
  return g_task_propagate_boolean(G_TASK(result), error);
}

void metered_stream_init(MeteredStream* /*self*/) {}

void metered_stream_finalize(GObject* object) {
  MeteredStream* self = stream_of(object);
  g_object_unref(self->input);
  g_object_unref(self->base);
  G_OBJECT_CLASS(metered_stream_parent_class)->finalize(object);
}

void metered_stream_class_init(MeteredStreamClass* type) {
  G_OBJECT_CLASS(type)->finalize = metered_stream_finalize;
  GIOStreamClass* io = G_IO_STREAM_CLASS(type);
  io->get_input_stream = stream_input;
  io->get_output_stream = stream_output;
  io->close_fn = stream_close;
  io->close_async = stream_close_async;
  io->close_finish = stream_close_finish;
}

}  // namespace

GObjectPtr<GIOStream> make_metered_stream(GIOStream* base, std::shared_ptr<Meter> meter) {
  auto* input = static_cast<MeteredInput*>(g_object_new(metered_input_get_type(), "base-stream",
                                                        g_io_stream_get_input_stream(base),
                                                        "close-base-stream", FALSE, nullptr));
  *input->meter = std::move(meter);
  auto* stream = static_cast<MeteredStream*>(g_object_new(metered_stream_get_type(), nullptr));
  stream->base = G_IO_STREAM(g_object_ref(base));
  stream->input = G_INPUT_STREAM(input);
  return GObjectPtr<GIOStream>(G_IO_STREAM(stream));
}

}  // namespace peersock::adapters
