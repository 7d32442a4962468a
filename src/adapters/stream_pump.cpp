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
  Impl(GMainContext* context, GObjectPtr<GIOStream> a, GObjectPtr<GIOStream> b,
       std::function<void()> ended)
      : context_(context),
        a_(std::move(a)),
        b_(std::move(b)),
        ended_(std::move(ended)),
        cancellable_(g_cancellable_new()) {}

  void start() {
    carry(a_.get(), b_.get());
    carry(b_.get(), a_.get());
  }

  void stop() {
    ended_ = nullptr;
    if (!a_) return;
    const ThreadDefault scope(context_);
    g_cancellable_cancel(cancellable_.get());
    for (auto* stream : {&a_, &b_}) {
      close_socket_of(stream->get());
      stream->reset();
    }
  }

 private:
  /// One direction. It outlives a pump that went in the middle of a call.
  struct Direction {
    std::weak_ptr<Impl> owner;
    GObjectPtr<GIOStream> from;
    GObjectPtr<GIOStream> to;
    Bytes buffer;
  };
  using DirectionPtr = std::unique_ptr<Direction>;

  void carry(GIOStream* from, GIOStream* to) {
    read(DirectionPtr(new Direction{weak_from_this(), share(from), share(to), Bytes(kPumpBuffer)}));
  }

  void read(DirectionPtr direction) {
    GInputStream* input = g_io_stream_get_input_stream(direction->from.get());
    Direction* held = direction.release();
    const ThreadDefault scope(context_);
    g_input_stream_read_async(input, held->buffer.data(), held->buffer.size(), G_PRIORITY_DEFAULT,
                              cancellable_.get(), on_read, held);
  }

  static void on_read(GObject* input, GAsyncResult* result, gpointer data) noexcept {
    DirectionPtr direction(static_cast<Direction*>(data));
    const gssize got = g_input_stream_read_finish(G_INPUT_STREAM(input), result, nullptr);
    const auto self = direction->owner.lock();
    if (!self || !self->a_) return;
    if (got <= 0) return self->finish();
    GOutputStream* output = g_io_stream_get_output_stream(direction->to.get());
    Direction* held = direction.release();
    const ThreadDefault scope(self->context_);
    g_output_stream_write_all_async(output, held->buffer.data(), static_cast<gsize>(got),
                                    G_PRIORITY_DEFAULT, self->cancellable_.get(), on_written, held);
  }

  static void on_written(GObject* output, GAsyncResult* result, gpointer data) noexcept {
    DirectionPtr direction(static_cast<Direction*>(data));
    const bool written =
        g_output_stream_write_all_finish(G_OUTPUT_STREAM(output), result, nullptr, nullptr) != 0;
    const auto self = direction->owner.lock();
    if (!self || !self->a_) return;
    if (!written) return self->finish();
    self->read(std::move(direction));
  }

  void finish() {
    const auto ended = std::exchange(ended_, nullptr);
    stop();
    if (ended) ended();
  }

  GMainContext* context_;
  GObjectPtr<GIOStream> a_;  // null when it is over
  GObjectPtr<GIOStream> b_;
  std::function<void()> ended_;
  GObjectPtr<GCancellable> cancellable_;
};

StreamPump::StreamPump(GMainContext* context, GObjectPtr<GIOStream> a, GObjectPtr<GIOStream> b,
                       std::function<void()> ended)
    : impl_(std::make_shared<Impl>(context, std::move(a), std::move(b), std::move(ended))) {
  impl_->start();
}

StreamPump::~StreamPump() {
  impl_->stop();
}

}  // namespace peersock::adapters
