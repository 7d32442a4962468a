// A client made of bare OpenSSL calls, for what the interface does not let a peer do.
#pragma once

#include <optional>

#include <openssl/quic.h>

#include "quic_fixture.hpp"

namespace peersock::testing {

class RawClient {
 public:
  RawClient() {
    terms_.fingerprint = server_identity_.fingerprint;
    auto bio = adapters::DatagramBio::create(gate_);
    auto context = adapters::make_tls_context(quic::Role::kClient, &identity_, terms_);
    auto server =
        make_connection_of(kind_of(quic::Role::kServer),
                           {.role = quic::Role::kServer, .peer_fingerprint = identity_.fingerprint},
                           &server_identity_, quic::kAlpn, VirtualClock::now());
    if (!bio || !context || !server) return;
    bio_ = std::move(*bio);
    context_ = std::move(*context);
    server_ = std::move(*server);
    ssl_.reset(SSL_new(context_.get()));
    bio_->attach(ssl_.get());
    static_cast<void>(SSL_set_blocking_mode(ssl_.get(), 0));
    static_cast<void>(SSL_set_default_stream_mode(ssl_.get(), SSL_DEFAULT_STREAM_MODE_NONE));
  }

  [[nodiscard]] SSL* ssl() { return ssl_.get(); }
  [[nodiscard]] quic::Connection& server() { return *server_; }

  [[nodiscard]] bool handshake() {
    for (int i = 0; i < 10 && !server_->handshake_complete(); ++i) {
      static_cast<void>(SSL_do_handshake(ssl_.get()));
      exchange(1);
    }
    return server_->handshake_complete();
  }

  /// Carries datagrams to and fro, over a link that takes 5 ms.
  void exchange(int rounds) {
    Bytes buffer(65'535);
    for (int i = 0; i < rounds; ++i) {
      VirtualClock::advance(5ms);
      const bool open = bio_->begin_output(buffer);
      if (open) static_cast<void>(SSL_handle_events(ssl_.get()));
      server_->receive(bio_->end_output(), VirtualClock::now());
      while (auto fact = server_->poll_event()) facts_.push_back(std::move(*fact));
      bio_->offer_input(server_->transmit(buffer, VirtualClock::now()));
      static_cast<void>(SSL_handle_events(ssl_.get()));
      bio_->drop_input();
    }
  }

  template <typename Fact>
  [[nodiscard]] const quic::ConnectionFact* find() const {
    const auto found = std::find_if(facts_.begin(), facts_.end(), [](const auto& fact) {
      return std::holds_alternative<Fact>(fact);
    });
    return found == facts_.end() ? nullptr : &*found;
  }
  template <typename Fact>
  [[nodiscard]] std::size_t count() const {
    return static_cast<std::size_t>(
        std::count_if(facts_.begin(), facts_.end(),
                      [](const auto& fact) { return std::holds_alternative<Fact>(fact); }));
  }

 private:
  adapters::Identity identity_ = std::move(*adapters::make_identity());
  adapters::Identity server_identity_ = std::move(*adapters::make_identity());
  adapters::PeerTerms terms_;
  adapters::InitialGate gate_{quic::Role::kClient};
  std::unique_ptr<adapters::DatagramBio> bio_;
  adapters::SslContextPtr context_;
  adapters::SslPtr ssl_;
  std::unique_ptr<quic::Connection> server_;
  std::vector<quic::ConnectionFact> facts_;
};

}  // namespace peersock::testing
