// What ngtcp2 calls back.
#include <utility>

#include "adapters/ngtcp2_connection.hpp"

namespace peersock::adapters {

using namespace quic::fact;

/// Only memory can run out in these, and then the connection ends.
struct Ngtcp2Connection::Callbacks {
  template <typename F>
  static int guard(F&& body) noexcept {
    try {
      body();
      return 0;
    } catch (...) {
      return NGTCP2_ERR_CALLBACK_FAILURE;
    }
  }
  static Ngtcp2Connection& self(void* user) { return *static_cast<Ngtcp2Connection*>(user); }
  static Ngtcp2Stream* stream(void* user) { return static_cast<Ngtcp2Stream*>(user); }
  static quic::StreamId id(std::int64_t wire) { return static_cast<quic::StreamId>(wire); }

  static void random(std::uint8_t* into, std::size_t size,
                     const ngtcp2_rand_ctx* context) noexcept {
    static_cast<Rng*>(context->native_handle)->fill(MutableBytes(into, size));
  }

  static int new_id(ngtcp2_conn* /*connection*/, ngtcp2_cid* into,
                    ngtcp2_stateless_reset_token* token, std::size_t size, void* user) noexcept {
    auto& me = self(user);
    me.rng_.fill(MutableBytes(into->data, size));
    into->datalen = size;
    const int error = ngtcp2_crypto_generate_stateless_reset_token(
        token->data, me.reset_secret_.data(), me.reset_secret_.size(), into);
    if (error != 0) return NGTCP2_ERR_CALLBACK_FAILURE;
    return guard([&] { me.gate_.on_issued({into->data, size}); });
  }

  static int path_challenge(ngtcp2_conn* /*connection*/, ngtcp2_path_challenge_data* into,
                            void* user) noexcept {
    self(user).rng_.fill(into->data);
    return 0;
  }

  static int handshake_completed(ngtcp2_conn* /*connection*/, void* user) noexcept {
    return guard([&] {
      auto& me = self(user);
      me.established_ = true;
      me.gate_.on_handshake_complete();
      me.facts_.emplace_back(Established{});
    });
  }

  static int stream_open(ngtcp2_conn* connection, std::int64_t wire, void* user) noexcept {
    return guard([&] {
      auto& me = self(user);
      if (ngtcp2_is_bidi_stream(wire) == 0) {
        // The profile has none of them. STOP_SENDING is the refusal.
        static_cast<void>(ngtcp2_conn_shutdown_stream_read(connection, 0, wire, 0));
        return;
      }
      Ngtcp2Stream* made = me.add(id(wire), /*ours=*/false);
      static_cast<void>(ngtcp2_conn_set_stream_user_data(connection, wire, made));
      ++me.peer_streams_opened_;
      me.grant_streams();
      me.facts_.emplace_back(StreamOpened{id(wire)});
      me.announce_readable(*made);
    });
  }

  static int stream_data(ngtcp2_conn* /*connection*/, std::uint32_t flags, std::int64_t /*wire*/,
                         std::uint64_t /*offset*/, const std::uint8_t* octets, std::size_t size,
                         void* user, void* stream_user) noexcept {
    return guard([&] {
      Ngtcp2Stream* target = stream(stream_user);
      if (target == nullptr) return;
      target->on_data({octets, size}, (flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0);
      if (!target->discards()) self(user).announce_readable(*target);
    });
  }

  static int stream_reset(ngtcp2_conn* connection, std::int64_t /*wire*/,
                          std::uint64_t /*final_size*/, std::uint64_t code, void* user,
                          void* stream_user) noexcept {
    return guard([&] {
      Ngtcp2Stream* target = stream(stream_user);
      if (target == nullptr) return;
      ngtcp2_conn_extend_max_offset(connection, target->on_reset(code));
      if (!target->discards()) self(user).announce_readable(*target);
    });
  }

  static int stop_received(ngtcp2_conn* /*connection*/, std::int64_t /*wire*/, std::uint64_t code,
                           void* user, void* stream_user) noexcept {
    return guard([&] {
      Ngtcp2Stream* target = stream(stream_user);
      if (target == nullptr || target->released) return;
      // ngtcp2 answers with RESET_STREAM, as RFC 9000 section 3.5 wants.
      target->abandon();
      self(user).stops_.push_back({target->id(), code});
    });
  }

  static int stream_close(ngtcp2_conn* connection, std::uint32_t /*flags*/, std::int64_t wire,
                          std::uint64_t /*code*/, void* user, void* stream_user) noexcept {
    return guard([&] {
      if (Ngtcp2Stream* target = stream(stream_user)) {
        target->on_closed();
        if (target->released) self(user).stream_gone(*target);
      } else if (ngtcp2_is_bidi_stream(wire) == 0) {
        ngtcp2_conn_extend_max_streams_uni(connection, 1);
      }
    });
  }

  static int acknowledged(ngtcp2_conn* /*connection*/, std::int64_t /*wire*/, std::uint64_t offset,
                          std::uint64_t size, void* user, void* stream_user) noexcept {
    return guard([&] {
      self(user).limit_.on_progress();
      Ngtcp2Stream* target = stream(stream_user);
      if (target == nullptr || !target->on_acknowledged(offset + size)) return;
      self(user).facts_.emplace_back(StreamWritable{target->id()});
    });
  }

  static int stream_credit(ngtcp2_conn* /*connection*/, std::int64_t /*wire*/, std::uint64_t limit,
                           void* user, void* stream_user) noexcept {
    return guard([&] {
      Ngtcp2Stream* target = stream(stream_user);
      if (target == nullptr) return;
      self(user).queue_output(*target);
      if (target->on_credit(limit)) self(user).facts_.emplace_back(StreamWritable{target->id()});
    });
  }

  static int streams_allowed(ngtcp2_conn* /*connection*/, std::uint64_t /*in_all*/,
                             void* user) noexcept {
    return guard([&] {
      auto& me = self(user);
      if (std::exchange(me.streams_wanted_, false)) me.facts_.emplace_back(StreamsAvailable{});
    });
  }

  static void fill(ngtcp2_callbacks& table) {
    table.rand = random;
    table.get_new_connection_id2 = new_id;
    table.get_path_challenge_data2 = path_challenge;
    table.handshake_completed = handshake_completed;
    table.stream_open = stream_open;
    table.recv_stream_data = stream_data;
    table.stream_reset = stream_reset;
    table.recv_stop_sending = stop_received;
    table.stream_close = stream_close;
    table.acked_stream_data_offset = acknowledged;
    table.extend_max_stream_data = stream_credit;
    table.extend_max_local_streams_bidi = streams_allowed;
  }
};

ngtcp2_callbacks Ngtcp2Connection::callbacks() const {
  ngtcp2_callbacks table{};
  if (config_.role == quic::Role::kClient) {
    table.client_initial = ngtcp2_crypto_client_initial_cb;
    table.recv_retry = ngtcp2_crypto_recv_retry_cb;
  } else {
    table.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb;
  }
  table.recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb;
  table.encrypt = ngtcp2_crypto_encrypt_cb;
  table.decrypt = ngtcp2_crypto_decrypt_cb;
  table.hp_mask = ngtcp2_crypto_hp_mask_cb;
  table.update_key = ngtcp2_crypto_update_key_cb;
  table.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb;
  table.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb;
  table.version_negotiation = ngtcp2_crypto_version_negotiation_cb;
  Callbacks::fill(table);
  return table;
}

}  // namespace peersock::adapters
