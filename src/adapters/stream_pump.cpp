#include "adapters/stream_pump.hpp"

#include <utility>

#include "core/bytes.hpp"

namespace peersock::adapters {
namespace {

/// At once, also below TLS: a farewell in TLS could block, and nobody waits for it.
void close_socket_of(GIOStream* stream) {
  GObjectPtr<GIOStream> base = share(stream);
  while (G_IS_TLS_CONNECTION(base.get())) {
    GIOStream* inner = nullptr;
    g_object_get(base.get(), "base-io-stream", &inner, nullptr);
    base.reset(inner);
  }
  if (!base || !G_IS_SOCKET_CONNECTION(base.get())) return;
  g_socket_close(g_socket_connection_get_socket(G_SOCKET_CONNECTION(base.get())), nullptr);
}

}  // namespace

class StreamPump::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(GMainContext* context, GObjectPtr<GIOStream> near, GObjectPtr<GIOStream> far,
       std::function<void()> far_ended)
      : context_(context),
        near_{std::move(near), make_cancellable()},
        far_{std::move(far), make_cancellable()},
        far_ended_(std::move(far_ended)) {}

  void start() {
    read(DirectionPtr(new Direction{weak_from_this(), true, Bytes(kPumpBuffer)}));
    read(DirectionPtr(new Direction{weak_from_this(), false, Bytes(kPumpBuffer)}));
  }

  void stop() {
    far_ended_ = nullptr;
    close(far_);
    close(near_);
  }

 private:
  struct End {
    GObjectPtr<GIOStream> stream;  // null when it is over
    GObjectPtr<GCancellable> cancellable;
  };
  /// It outlives a pump that went in the middle of a call.
  struct Direction {
    std::weak_ptr<Impl> owner;
    bool up;  // from the near end to the far one
    Bytes buffer;
  };
  using DirectionPtr = std::unique_ptr<Direction>;

  static GObjectPtr<GCancellable> make_cancellable() {
    return GObjectPtr<GCancellable>(g_cancellable_new());
  }

  void close(End& end) const {
    if (!end.stream) return;
    const ThreadDefault scope(context_);
    g_cancellable_cancel(end.cancellable.get());
    close_socket_of(end.stream.get());
    end.stream.reset();
  }

  void read(DirectionPtr direction) {
    const End& from = direction->up ? near_ : far_;
    Direction* held = direction.release();
    const ThreadDefault scope(context_);
    g_input_stream_read_async(g_io_stream_get_input_stream(from.stream.get()), held->buffer.data(),
                              held->buffer.size(), G_PRIORITY_DEFAULT, from.cancellable.get(),
                              on_read, held);
  }

  static void on_read(GObject* input, GAsyncResult* result, gpointer data) noexcept {
    DirectionPtr direction(static_cast<Direction*>(data));
    const gssize got = g_input_stream_read_finish(G_INPUT_STREAM(input), result, nullptr);
    const auto self = direction->owner.lock();
    if (!self || !self->near_.stream) return;
    if (got <= 0) return direction->up ? self->stop() : self->lose_far();
    const End& to = direction->up ? self->far_ : self->near_;
    if (!to.stream) return self->read(std::move(direction));
    Direction* held = direction.release();
    const ThreadDefault scope(self->context_);
    g_output_stream_write_all_async(g_io_stream_get_output_stream(to.stream.get()),
                                    held->buffer.data(), static_cast<gsize>(got),
                                    G_PRIORITY_DEFAULT, to.cancellable.get(), on_written, held);
  }

  static void on_written(GObject* output, GAsyncResult* result, gpointer data) noexcept {
    DirectionPtr direction(static_cast<Direction*>(data));
    const bool written =
        g_output_stream_write_all_finish(G_OUTPUT_STREAM(output), result, nullptr, nullptr) != 0;
    const auto self = direction->owner.lock();
    if (!self || !self->near_.stream) return;
    const bool up = direction->up;
    if (!written && !up) return self->stop();
    // Of a far end that is over nothing is read.
    if (up || self->far_.stream) self->read(std::move(direction));
    if (!written) self->lose_far();
  }

  void lose_far() {
    close(far_);
    // It may destroy the pump, and what it is called through.
    if (const auto far_ended = std::exchange(far_ended_, nullptr)) far_ended();
  }

  GMainContext* context_;
  End near_;
  End far_;
  std::function<void()> far_ended_;
};

StreamPump::StreamPump(GMainContext* context, GObjectPtr<GIOStream> near, GObjectPtr<GIOStream> far,
                       std::function<void()> far_ended)
    : impl_(
          std::make_shared<Impl>(context, std::move(near), std::move(far), std::move(far_ended))) {
  impl_->start();
}

StreamPump::~StreamPump() {
  impl_->stop();
}

}  // namespace peersock::adapters
