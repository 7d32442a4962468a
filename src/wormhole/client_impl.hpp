// The client machine's inside: how far it has got, and the parts that each know one thing. Inputs
// and timers are in client.cpp, what the server says in client_replies.cpp.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "wormhole/client.hpp"
#include "wormhole/client_errors.hpp"
#include "wormhole/client_inbox.hpp"
#include "wormhole/client_key.hpp"
#include "wormhole/client_link.hpp"
#include "wormhole/client_mailbox.hpp"
#include "wormhole/client_nameplate.hpp"
#include "wormhole/client_servers.hpp"

namespace peersock::wormhole {

class Client::Impl {
 public:
  Impl(ClientConfig config, Rng& rng);

  [[nodiscard]] std::vector<Output> handle(Input input, Instant now);
  [[nodiscard]] std::optional<Instant> deadline() const;
  [[nodiscard]] std::string_view state_name() const { return name_of(state_); }

 private:
  struct Idle {
    static constexpr std::string_view kName = "Idle";
  };
  // The first three must get further before `due`, however often the link drops. While there are
  // several servers to choose from, `due` is of the one that is asked.
  struct Allocating {
    static constexpr std::string_view kName = "Allocating";
    Instant due;
  };
  struct Claiming {
    static constexpr std::string_view kName = "Claiming";
    Instant due;
  };
  /// The mailbox is known; our `pake` is not confirmed.
  struct Opening {
    static constexpr std::string_view kName = "Opening";
    Instant due;
  };
  // The next three wait for the peer and have no end of their own.
  struct AwaitPake {
    static constexpr std::string_view kName = "AwaitPake";
  };
  struct AwaitVersion {
    static constexpr std::string_view kName = "AwaitVersion";
  };
  struct Verified {
    static constexpr std::string_view kName = "Verified";
  };
  struct Closing {
    static constexpr std::string_view kName = "Closing";
    Instant due;
    wire::Mood mood = wire::Mood::kHappy;
  };
  struct Done {
    static constexpr std::string_view kName = "Done";
  };
  using State = std::variant<Idle, Allocating, Claiming, Opening, AwaitPake, AwaitVersion, Verified,
                             Closing, Done>;

  void on(const Started& input, Instant now);
  void on(const LinkUp& input, Instant now);
  void on(const LinkLost& input, Instant now);
  void on(const FrameReceived& input, Instant now);
  void on(PayloadQueued& input, Instant now);
  void on(const LinkDoubted& input, Instant now);
  void on(const CloseRequested& input, Instant now);
  void on(const DeadlineReached& input, Instant now);

  void on(const wire::reply::Welcome& reply, Instant now);
  void on(const wire::reply::Allocated& reply, Instant now);
  void on(const wire::reply::Claimed& reply, Instant now);
  void on(const wire::reply::Released& reply, Instant now);
  void on(const wire::reply::Message& reply, Instant now);
  void on(const wire::reply::Closed& reply, Instant now);
  void on(const wire::reply::ServerError& reply, Instant now);
  // Signs of life and nothing else.
  void on(const wire::reply::Ack& /*reply*/, Instant /*now*/) {}
  void on(const wire::reply::Nameplates& /*reply*/, Instant /*now*/) {}
  void on(const wire::reply::Pong& /*reply*/, Instant /*now*/) {}
  void on(const wire::reply::Unknown& /*reply*/, Instant /*now*/) {}

  /// The input does not fit the state. It has no effect: links, servers and timers may be late.
  void unexpected() const {}

  void open_link(Instant now);
  void link_lost(const std::string& reason, Instant now);
  /// No code was made so far, and there are several servers to make it on.
  [[nodiscard]] bool selecting() const { return in<Allocating>() && servers_.count() > 1; }
  /// The server in use is of no use: goes on to the next one. The link is down.
  void next_server(std::string reason, bool refused, Instant now);
  /// The server in use has refused. Ends the session, unless another one may do.
  void server_failed(const ServerFault& fault, Instant now);
  /// The server has done something for us on this link.
  void link_works();
  [[nodiscard]] bool answer_due() const;

  void use_code(const wire::Code& code);
  void open_mailbox();
  void echo_received(const wire::reply::Message& message);
  void peer_message(const wire::reply::Message& message);
  /// Adds a phase of ours to the mailbox, sealed with the agreed key.
  void post(std::string_view phase, ByteView plain);
  void post_payload(ByteView payload);

  // What can be done now with what the peer has sent so far.
  void agree();
  void verify();
  void deliver();

  void say_farewell(wire::Mood mood);
  void finish_if_left();
  void finish();
  void fail(Error error);

  /// Nothing is sent for nothing.
  void send(const std::optional<wire::MailboxRequest>& request);

  template <typename State>
  [[nodiscard]] bool in() const {
    return std::holds_alternative<State>(state_);
  }
  /// The end of the state's patience.
  [[nodiscard]] std::optional<Instant> state_due() const;
  /// A step forward: the next one has the whole time again.
  void renew(Instant now);

  ClientConfig config_;
  Rng& rng_;
  State state_;
  ClientServers servers_;
  ClientLink link_;
  ClientNameplate nameplate_;
  ClientMailbox mailbox_;
  ClientInbox inbox_;
  std::optional<ClientKey> key_;  ///< once the code is complete
  std::optional<std::string> peer_side_;

  std::deque<Bytes> unsealed_;  ///< payloads of ours that wait for the key
  std::size_t unsealed_octets_ = 0;
  std::uint64_t next_phase_ = 0;

  Instant patience_;       ///< when no further round of servers starts
  bool joined_ = false;    ///< the server in use has welcomed us
  bool welcomed_ = false;  ///< on this link
  bool pinged_ = false;    ///< and nothing was heard since
  bool warned_ = false;    ///< of this outage
  std::string last_reason_;
  std::vector<Output> outputs_;
};

}  // namespace peersock::wormhole
