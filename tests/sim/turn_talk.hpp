// A client of a TURN server that says what a table wants it to say and tells what came of it in
// words, and the peers behind the server. The same code talks to ours over simulated sockets and to
// coturn over real ones.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "adapters/unique_fd.hpp"
#include "programs/stun_message.hpp"

namespace peersock::testing {

/// Where a server and its peers are.
class TurnNetwork {
 public:
  TurnNetwork() = default;
  TurnNetwork(const TurnNetwork&) = delete;
  TurnNetwork& operator=(const TurnNetwork&) = delete;
  TurnNetwork(TurnNetwork&&) = delete;
  TurnNetwork& operator=(TurnNetwork&&) = delete;
  virtual ~TurnNetwork() = default;

  [[nodiscard]] virtual sim::SocketName server() const = 0;
  [[nodiscard]] virtual std::string user() const = 0;
  [[nodiscard]] virtual std::string password() const = 0;
  /// Connected to the server.
  [[nodiscard]] virtual adapters::UniqueFd open_client(bool tcp) = 0;
  /// A UDP socket on the machine `machine`, 0 or 1.
  [[nodiscard]] virtual adapters::UniqueFd open_peer(int machine) = 0;
  /// Returns when there is something to read, or when nothing will come any more.
  virtual void await(const std::vector<int>& fds) = 0;
};

/// The first two are two ports of one machine.
enum class Peer : std::uint8_t { kFirst, kFirstsNeighbour, kSecond, kIpv6 };

enum class Identity : std::uint8_t {
  kGood,
  kNone,
  kWrongPassword,
  kUnknownUser,
  kOldNonce,
  kNoUser,
  kNoRealm,
  kNoNonce,
};

/// A request or indication; nothing that is absent is in it.
struct TurnSaying {
  sim::StunClass kind = sim::StunClass::kRequest;
  sim::StunMethod method{};
  Identity identity = Identity::kGood;
  std::optional<std::uint8_t> transport{};
  std::optional<std::uint32_t> lifetime{};
  std::optional<std::uint8_t> family{};
  std::vector<Peer> peers{};
  std::optional<std::uint16_t> channel{};
  std::optional<std::string> data{};
  /// Without a value.
  std::optional<std::uint16_t> attribute{};
  /// The same transaction as the one before.
  bool repeated = false;
};

class TurnTalk {
 public:
  /// `network` outlives it.
  TurnTalk(TurnNetwork& network, bool tcp);
  ~TurnTalk();
  TurnTalk(const TurnTalk&) = delete;
  TurnTalk& operator=(const TurnTalk&) = delete;
  TurnTalk(TurnTalk&&) = delete;
  TurnTalk& operator=(TurnTalk&&) = delete;

  void say(const TurnSaying& saying);
  /// `size`: as its header has it.
  void say_on_channel(std::uint16_t channel, const std::string& text, std::size_t size);
  void peer_says(Peer peer, const std::string& text);

  /// What the client and then the peers have got since the last time, when the server has done what
  /// it had to do.
  /// `something`: it is waited for.
  [[nodiscard]] std::string heard(bool something);

 private:
  void send(const sim::Octets& message);
  /// Nothing: none comes.
  [[nodiscard]] std::optional<sim::Octets> receive();
  /// Adds what comes, until the answer to a request comes, or nothing any more.
  void hear_until(const sim::StunId& answered, std::vector<std::string>& all);
  void hear_until_fence(std::vector<std::string>& all);
  void hear_peers(std::vector<std::string>& all);
  [[nodiscard]] std::string describe(const sim::Octets& message);
  [[nodiscard]] std::string describe_answer(const sim::StunView& view);
  [[nodiscard]] std::string name_of(const sim::SocketName& name) const;
  [[nodiscard]] sim::SocketName peer_name(Peer peer) const;
  [[nodiscard]] sim::StunId next_id();
  void add_identity(sim::StunWriter& writer, Identity identity) const;

  TurnNetwork& network_;
  bool tcp_;
  adapters::UniqueFd client_;
  std::array<adapters::UniqueFd, 3> peers_;
  sim::Octets received_;  // over TCP, of messages that are not whole
  std::uint32_t sayings_ = 0;
  sim::StunId last_id_{};
  bool asked_ = false;  // and not yet heard
  std::string realm_ = "nobody has told";
  std::string nonce_ = "nobody has told";
  std::optional<sim::SocketName> relayed_;
};

}  // namespace peersock::testing
