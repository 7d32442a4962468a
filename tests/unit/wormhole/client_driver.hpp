// One client machine that a test speaks to by hand, and a peer for it that can misbehave.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/seeded_rng.hpp"
#include "wormhole/client.hpp"
#include "wormhole/spake2.hpp"

namespace peersock::testing {

inline constexpr auto kTestCode = "8-cabin-naive-zebra";
inline constexpr auto kOtherCode = "8-cabin-naive-zero";
inline constexpr auto kTestAppId = "peersock/test";
/// The client's side, its peer's, and the mailbox that the server gives.
inline constexpr auto kOurSide = "a11ce00000";
inline constexpr auto kPeerSide = "b0b0000000";
inline constexpr auto kMailbox = "mailbox-1";
inline constexpr auto kServer = "ws://mailbox.test/v1";

// Frames of the server.
[[nodiscard]] std::string welcome_frame();
[[nodiscard]] std::string allocated_frame(const std::string& nameplate);
[[nodiscard]] std::string claimed_frame(const std::string& mailbox = kMailbox);
[[nodiscard]] std::string plain_frame(const std::string& type);
[[nodiscard]] std::string error_frame(const std::string& text, const std::string& request);
[[nodiscard]] std::string message_frame(const std::string& side, const std::string& phase,
                                        const std::string& body);

class Driver {
 public:
  explicit Driver(const std::optional<std::string>& code = kTestCode, std::uint64_t seed = 1);
  /// With several rendezvous servers.
  Driver(const std::optional<std::string>& code, std::vector<std::string> servers,
         std::uint64_t seed = 1);

  /// Hands over the input and notes what the machine does about it.
  void give(wormhole::ClientInput input);
  void start() { give(wormhole::Started{}); }
  void up() { give(wormhole::LinkUp{}); }
  void lose(std::string reason = "reset") { give(wormhole::LinkLost{std::move(reason)}); }
  void say(std::string frame) { give(wormhole::FrameReceived{std::move(frame)}); }
  /// The server repeats the latest message of ours with this phase.
  void echo(const std::string& phase);
  void queue(const std::string& text);
  void close(wire::Mood mood = wire::Mood::kHappy) { give(wormhole::CloseRequested{mood}); }
  /// Lets time pass up to the deadline and tells the machine.
  void sleep_until_deadline();
  void sleep(Duration duration);

  /// What it did since the last call: "bind", "claim 8", "add pake", …, and the names of the other
  /// outputs with what matters of them.
  [[nodiscard]] std::vector<std::string> take();
  [[nodiscard]] std::string state() const { return std::string(client.state_name()); }
  /// Body of the latest message of ours with this phase; empty when there was none.
  [[nodiscard]] std::string body_of(const std::string& phase) const;

  SeededRng rng;
  wormhole::Client client;
  Instant now{};
  std::vector<std::pair<std::string, std::string>> added;  ///< phase, body
  std::vector<std::string> frames;                         ///< everything sent
  std::optional<Error> error;
  std::string code;                      ///< of CodeReady, canonical
  std::string spoken;                    ///< of CodeReady
  std::string url;                       ///< of the latest OpenLink
  std::string joined;                    ///< of the latest Joined
  std::string warning;                   ///< the latest
  nlohmann::json peer_versions;          ///< of PeerVerified
  std::string smp_key;                   ///< of PeerVerified, hexadecimal
  std::vector<std::string> payloads;     ///< of PayloadReceived
  std::optional<std::string> peer_side;  ///< of PeerSeen

 private:
  void note(const wormhole::ClientOutput& output);
  [[nodiscard]] std::string note_frame(const std::string& frame);

  std::vector<std::string> did_;
};

/// The other side of the mailbox, as frames that the server would deliver.
class FakePeer {
 public:
  explicit FakePeer(const std::string& code = kTestCode, std::string side = kPeerSide);

  [[nodiscard]] std::string pake() const;
  /// Reads the client's `pake`, as far as it has been sent. Everything below needs it.
  void meet(const Driver& driver);
  [[nodiscard]] std::string version(const nlohmann::json& app_versions = {{"name", "bob"}});
  /// Any phase, sealed with its own key.
  [[nodiscard]] std::string sealed(const std::string& phase, const std::string& plain);
  [[nodiscard]] std::optional<std::string> read(const Driver& driver,
                                                const std::string& phase) const;
  [[nodiscard]] std::string smp_key() const;
  [[nodiscard]] const std::string& side() const { return side_; }

 private:
  std::string side_;
  SeededRng rng_{99};
  wormhole::Spake2 spake_;
  Secret key_;
};

/// How far `advance` brings a client whose code is given.
enum class Step : std::uint8_t { kClaiming, kOpening, kAwaitPake, kAwaitVersion, kVerified };
void advance(Driver& driver, FakePeer& peer, Step step);

/// The planned attempt starts, and the link comes up. What was heard before it is dropped.
void reconnect(Driver& driver);

}  // namespace peersock::testing
