// The network as OpenSSL's QUIC sees it: a BIO that reads from the train that was received and
// writes into the buffer that is being transmitted, in the main without a copy in between.
//
// BIO_s_dgram_pair would do as well, but it copies each datagram once more, with 232 octets of
// addresses, under a lock.
#pragma once

#include <deque>
#include <memory>

#include "adapters/initial_gate.hpp"
#include "adapters/openssl_util.hpp"
#include "core/error.hpp"
#include "quic/datagram.hpp"

namespace peersock::adapters {

/// Stays at its address while OpenSSL holds its BIO.
class DatagramBio {
 public:
  /// Every datagram passes `gate`, which must outlive this object.
  [[nodiscard]] static Result<std::unique_ptr<DatagramBio>> create(InitialGate& gate);

  DatagramBio(const DatagramBio&) = delete;
  DatagramBio& operator=(const DatagramBio&) = delete;
  DatagramBio(DatagramBio&&) = delete;
  DatagramBio& operator=(DatagramBio&&) = delete;
  ~DatagramBio() = default;

  /// Makes `ssl` read and write here. The object must outlive `ssl`.
  void attach(SSL* ssl);

  /// Gives OpenSSL a train to read; the view must stay valid until `drop_input`.
  void offer_input(const quic::DatagramTrain& train);
  [[nodiscard]] std::size_t input_left() const { return input_.size(); }
  void drop_input() { input_ = {}; }

  /// From now to `end_output` OpenSSL writes one train into `buffer`. At other times, and when
  /// the train is complete, a few datagrams are kept here and the rest waits in OpenSSL.
  /// False when the train is complete already.
  [[nodiscard]] bool begin_output(MutableBytes buffer);
  [[nodiscard]] quic::DatagramTrain end_output();
  /// From now on nothing is left to OpenSSL: before its last datagram.
  void keep_everything() { keeps_everything_ = true; }
  /// There is more to be transmitted.
  [[nodiscard]] bool output_waits() const { return refused_ || !kept_.empty(); }

  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] std::uint64_t received() const { return received_; }

 private:
  explicit DatagramBio(InitialGate& gate) : gate_(gate) {}

  [[nodiscard]] ByteView next_input();
  [[nodiscard]] bool take_output(ByteView datagram);
  [[nodiscard]] bool append_to_train(ByteView datagram);

  static int receive_messages(BIO* bio, BIO_MSG* messages, std::size_t stride, std::size_t count,
                              std::uint64_t flags, std::size_t* processed) noexcept;
  static int send_messages(BIO* bio, BIO_MSG* messages, std::size_t stride, std::size_t count,
                           std::uint64_t flags, std::size_t* processed) noexcept;
  static long control(BIO* bio, int command, long number, void* pointer) noexcept;

  InitialGate& gate_;
  BioMethodPtr method_;
  BioPtr bio_;

  ByteView input_;
  std::size_t input_segment_ = 0;

  MutableBytes output_;
  std::size_t output_used_ = 0;
  std::size_t output_segment_ = 0;
  std::size_t output_count_ = 0;
  bool output_open_ = false;
  bool refused_ = false;
  bool keeps_everything_ = false;
  std::deque<Bytes> kept_;

  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
};

}  // namespace peersock::adapters
