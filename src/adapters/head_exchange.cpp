#include "adapters/head_exchange.hpp"

#include <utility>

#include "adapters/glib_ptr.hpp"
#include "adapters/websocket_handshake.hpp"

namespace peersock::adapters {

class HeadExchange::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(GMainContext* context, GIOStream* stream, std::size_t limit, Done done)
      : context_(context),
        stream_(share(stream)),
        limit_(limit),
        done_(std::move(done)),
        cancellable_(g_cancellable_new()) {}

  void ask(Secret request) {
    GOutputStream* output = g_io_stream_get_output_stream(stream_.get());
    auto* held = new Ticket{weak_from_this(), std::move(request), 0};
    const auto octets = held->request.reveal();
    const ThreadDefault scope(context_);
    g_output_stream_write_all_async(output, octets.data(), octets.size(), G_PRIORITY_DEFAULT,
                                    cancellable_.get(), on_written, held);
  }

  void give_up() {
    done_ = nullptr;
    const ThreadDefault scope(context_);
    g_cancellable_cancel(cancellable_.get());
  }

 private:
  /// What an asynchronous call works on, and whom its answer belongs to. It outlives an exchange
  /// that was given up in the middle of the call.
  struct Ticket {
    std::weak_ptr<Impl> owner;
    Secret request;
    std::uint8_t octet = 0;
  };
  using TicketPtr = std::unique_ptr<Ticket>;
  using Kind = HeadOutcome::Kind;

  static void on_written(GObject* output, GAsyncResult* result, gpointer data) noexcept {
    TicketPtr ticket(static_cast<Ticket*>(data));
    GError* raw = nullptr;
    const bool written =
        g_output_stream_write_all_finish(G_OUTPUT_STREAM(output), result, nullptr, &raw) != 0;
    const ErrorPtr error(raw);
    const auto self = ticket->owner.lock();
    if (!self || !self->done_) return;
    if (!written) return self->finish(Kind::kBroken, error.get());
    ticket->request = Secret();
    self->wait_for_octet(std::move(ticket));
  }

  // One octet at a time, so that what follows the answer stays in the stream.
  void wait_for_octet(TicketPtr ticket) {
    GInputStream* input = g_io_stream_get_input_stream(stream_.get());
    Ticket* held = ticket.release();
    const ThreadDefault scope(context_);
    g_input_stream_read_async(input, &held->octet, 1, G_PRIORITY_DEFAULT, cancellable_.get(),
                              on_octet, held);
  }

  static void on_octet(GObject* input, GAsyncResult* result, gpointer data) noexcept {
    TicketPtr ticket(static_cast<Ticket*>(data));
    GError* raw = nullptr;
    const gssize got = g_input_stream_read_finish(G_INPUT_STREAM(input), result, &raw);
    const ErrorPtr error(raw);
    const auto self = ticket->owner.lock();
    if (!self || !self->done_) return;
    if (got < 0) return self->finish(Kind::kBroken, error.get());
    if (got == 0) return self->finish(Kind::kEnded);
    self->take_octets(std::move(ticket));
  }

  // The one that has come, and those that are there with it.
  void take_octets(TicketPtr ticket) {
    auto* input = G_POLLABLE_INPUT_STREAM(g_io_stream_get_input_stream(stream_.get()));
    gssize got = 1;
    ErrorPtr error;
    while (got == 1) {
      head_.push_back(static_cast<char>(ticket->octet));
      if (head_.ends_with(kHttpHeadEnd)) return finish(Kind::kComplete);
      if (head_.size() >= limit_) return finish(Kind::kTooLong);
      GError* raw = nullptr;
      got = g_pollable_input_stream_read_nonblocking(input, &ticket->octet, 1, cancellable_.get(),
                                                     &raw);
      error.reset(raw);
    }
    if (got == 0) return finish(Kind::kEnded);
    if (!g_error_matches(error.get(), G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) {
      return finish(Kind::kBroken, error.get());
    }
    wait_for_octet(std::move(ticket));
  }

  void finish(Kind kind, const GError* error = nullptr) {
    const Done done = std::exchange(done_, nullptr);
    if (done) done({kind, std::move(head_), error});
  }

  GMainContext* context_;
  GObjectPtr<GIOStream> stream_;
  std::size_t limit_;
  Done done_;
  GObjectPtr<GCancellable> cancellable_;
  std::string head_;
};

HeadExchange::HeadExchange(GMainContext* context, GIOStream* stream, Secret request,
                           std::size_t limit, Done done)
    : impl_(std::make_shared<Impl>(context, stream, limit, std::move(done))) {
  impl_->ask(std::move(request));
}

HeadExchange::~HeadExchange() {
  impl_->give_up();
}

}  // namespace peersock::adapters
