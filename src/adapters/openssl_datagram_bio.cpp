#include "adapters/openssl_datagram_bio.hpp"

#include <algorithm>
#include <cstring>

#include <openssl/bioerr.h>
#include <openssl/err.h>

namespace peersock::adapters {
namespace {

/// What one UDP_SEGMENT send takes (UDP_MAX_SEGMENTS of Linux), and what fits an IPv4 datagram.
constexpr std::size_t kMaxSegments = 64;
constexpr std::size_t kMaxTrain = 65'507;
/// Datagrams kept at most. Some must be: once a connection closes, OpenSSL offers its
/// CONNECTION_CLOSE a single time, even while a received train is being handled.
constexpr std::size_t kMaxKept = 64;

BIO_MSG& message_at(BIO_MSG* messages, std::size_t stride, std::size_t index) {
  return *reinterpret_cast<BIO_MSG*>(reinterpret_cast<char*>(messages) + index * stride);
}

}  // namespace

Result<std::unique_ptr<DatagramBio>> DatagramBio::create(InitialGate& gate) {
  std::unique_ptr<DatagramBio> self(new DatagramBio(gate));
  self->method_.reset(BIO_meth_new(BIO_TYPE_SOURCE_SINK, "peersock datagrams"));
  if (!self->method_ || BIO_meth_set_recvmmsg(self->method_.get(), receive_messages) != 1 ||
      BIO_meth_set_sendmmsg(self->method_.get(), send_messages) != 1 ||
      BIO_meth_set_ctrl(self->method_.get(), control) != 1) {
    return fail(ErrorKind::kInternal, "OpenSSL made no BIO method: " + take_openssl_error());
  }
  self->bio_.reset(BIO_new(self->method_.get()));
  if (!self->bio_)
    return fail(ErrorKind::kInternal, "OpenSSL made no BIO: " + take_openssl_error());
  BIO_set_data(self->bio_.get(), self.get());
  BIO_set_init(self->bio_.get(), 1);
  return self;
}

void DatagramBio::attach(SSL* ssl) {
  // SSL_set_bio takes one reference when both directions are the same BIO; ours stays.
  if (BIO_up_ref(bio_.get()) == 1) SSL_set_bio(ssl, bio_.get(), bio_.get());
}

void DatagramBio::offer_input(const quic::DatagramTrain& train) {
  input_ = train.bytes;
  input_segment_ = train.segment == 0 ? train.bytes.size() : train.segment;
}

/// The next datagram that the gate admits; empty when the train is used up.
ByteView DatagramBio::next_input() {
  while (!input_.empty()) {
    const ByteView datagram = input_.first(std::min(input_segment_, input_.size()));
    input_ = input_.subspan(datagram.size());
    ++received_;
    if (gate_.admits(datagram)) return datagram;
  }
  return {};
}

bool DatagramBio::begin_output(MutableBytes buffer) {
  output_ = buffer.first(std::min(buffer.size(), kMaxTrain));
  output_used_ = output_segment_ = output_count_ = 0;
  output_open_ = true;
  while (!kept_.empty()) {
    if (!append_to_train(kept_.front())) return false;
    kept_.pop_front();
  }
  refused_ = false;
  return true;
}

quic::DatagramTrain DatagramBio::end_output() {
  const quic::DatagramTrain train{output_.first(output_used_), output_segment_};
  output_ = {};
  output_used_ = 0;
  output_open_ = false;
  return train;
}

/// Equal sizes make a train; a shorter datagram ends it.
bool DatagramBio::append_to_train(ByteView datagram) {
  const bool fits = output_open_ && output_count_ < kMaxSegments &&
                    datagram.size() <= output_.size() - output_used_ &&
                    (output_count_ == 0 || datagram.size() <= output_segment_);
  if (!fits) {
    output_open_ = false;
    return false;
  }
  if (output_count_ == 0) output_segment_ = datagram.size();
  std::memcpy(output_.data() + output_used_, datagram.data(), datagram.size());
  output_used_ += datagram.size();
  ++output_count_;
  if (datagram.size() < output_segment_) output_open_ = false;
  return true;
}

bool DatagramBio::take_output(ByteView datagram) {
  if (!kept_.empty() || !append_to_train(datagram)) {
    if (kept_.size() >= kMaxKept && !keeps_everything_) return false;
    kept_.emplace_back(datagram.begin(), datagram.end());
  }
  ++sent_;
  gate_.on_sent(datagram);
  return true;
}

int DatagramBio::receive_messages(BIO* bio, BIO_MSG* messages, std::size_t stride,
                                  std::size_t count, std::uint64_t /*flags*/,
                                  std::size_t* processed) noexcept {
  auto& self = *static_cast<DatagramBio*>(BIO_get_data(bio));
  *processed = 0;
  while (*processed < count) {
    const ByteView datagram = self.next_input();
    if (datagram.empty()) break;
    BIO_MSG& message = message_at(messages, stride, *processed);
    message.data_len = std::min(message.data_len, datagram.size());
    message.flags = 0;
    std::memcpy(message.data, datagram.data(), message.data_len);
    ++*processed;
  }
  if (*processed > 0) return 1;
  // OpenSSL wants to be told "try again later" as an error of this kind.
  ERR_raise(ERR_LIB_BIO, BIO_R_NON_FATAL);
  return 0;
}

int DatagramBio::send_messages(BIO* bio, BIO_MSG* messages, std::size_t stride, std::size_t count,
                               std::uint64_t /*flags*/, std::size_t* processed) noexcept {
  auto& self = *static_cast<DatagramBio*>(BIO_get_data(bio));
  for (*processed = 0; *processed < count; ++*processed) {
    const BIO_MSG& message = message_at(messages, stride, *processed);
    if (!self.take_output({static_cast<const std::uint8_t*>(message.data), message.data_len})) {
      self.refused_ = true;
      break;
    }
  }
  return 1;  // none at all counts as "not now" (ossl_qtx_flush_net)
}

long DatagramBio::control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) noexcept {
  // No addresses, no MTU of its own, no descriptor to poll: 0 is the answer to all but a flush.
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

}  // namespace peersock::adapters
