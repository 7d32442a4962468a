// The proof that both ends know the code: the Socialist Millionaires' Protocol, bound to this very
// QUIC connection (docs/spec/auth.md). The first message depends on neither the secret nor the
// connection and has travelled with the introduction, so that the leader (QUIC client), who answers
// it, can do so in the flight of its Finished, and is the first to know.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "core/error.hpp"
#include "core/machine.hpp"
#include "core/secret.hpp"

namespace peersock::auth {

/// TLS exporter label and length that bind the proof to the QUIC connection.
inline constexpr std::string_view kExporterLabel = "EXPORTER-peersock-smp-v1";
inline constexpr std::size_t kExporterLength = 32;
/// The peer has this long to answer each message.
inline constexpr Duration kAnswerTimeout = 10s;
/// How long the preparation of the second message waits after the first one was checked: it takes
/// some milliseconds, in which nothing else happens, and the path's first checks leave one Ta (5
/// ms, RFC 8445 section 14.2) after the same news.
inline constexpr Duration kPreparationDelay = 6ms;
/// No SMP message is longer (docs/spec/auth.md); the longest legal one has 1680 octets.
inline constexpr std::size_t kMaxMessage = 2048;

/// SHA-256 over a version label and the three values, each after its length as u32 BE
/// (docs/spec/auth.md section 2). Both sides get the same secret only if code, wormhole key and
/// QUIC connection are the same.
[[nodiscard]] Secret smp_secret(ByteView exporter, ByteView wormhole_key, ByteView canonical_code);

/// One run of SMP as a calculation. libotr's in production, a scripted one in unit tests.
/// The order of calls: initiator start, answer2, check4; responder check1, prepare1, answer1,
/// answer3, of which prepare1 may be left out. Errors: kAuthentication for a message that is
/// malformed or whose proofs do not hold, kInternal for a call out of order or when the calculation
/// itself is impossible. After an error the engine is of no further use.
class SmpEngine {
 public:
  SmpEngine() = default;
  SmpEngine(const SmpEngine&) = delete;
  SmpEngine& operator=(const SmpEngine&) = delete;
  SmpEngine(SmpEngine&&) = delete;
  SmpEngine& operator=(SmpEngine&&) = delete;
  virtual ~SmpEngine() = default;

  /// Initiator: first message, before there is a secret.
  [[nodiscard]] virtual Result<Bytes> start() = 0;
  /// Responder: takes the first message and checks its proofs, before there is a secret.
  [[nodiscard]] virtual Result<void> check1(ByteView first) = 0;
  /// Responder: calculates what of the second message needs no secret. answer1 makes up for it.
  [[nodiscard]] virtual Result<void> prepare1() { return {}; }
  /// Responder: second message.
  [[nodiscard]] virtual Result<Bytes> answer1(const Secret& secret) = 0;
  /// Initiator: takes the second, gives the third.
  [[nodiscard]] virtual Result<Bytes> answer2(const Secret& secret, ByteView second) = 0;
  struct Verdict {
    bool equal = false;
    Bytes reply;  ///< to be sent in either case, so that the initiator learns its own verdict
  };
  /// Responder: takes the third, knows whether the secrets are equal, gives the fourth.
  [[nodiscard]] virtual Result<Verdict> answer3(ByteView third) = 0;
  /// Initiator: takes the fourth; true when the secrets are equal.
  [[nodiscard]] virtual Result<bool> check4(ByteView fourth) = 0;
};

enum class Role : std::uint8_t { kInitiator, kResponder };

// Inputs.
/// Responder: the initiator's first message, out of its introduction.
struct FirstReceived {
  static constexpr std::string_view kName = "FirstReceived";
  Bytes body;
};
/// The connection is established; the secret is bound to it.
struct Started {
  static constexpr std::string_view kName = "Started";
  Secret secret;
};
/// On the control stream.
struct MessageReceived {
  static constexpr std::string_view kName = "MessageReceived";
  Bytes body;
};
using HandshakeInput = std::variant<FirstReceived, Started, MessageReceived, DeadlineReached>;

// Outputs.
struct SendMessage {
  static constexpr std::string_view kName = "SendMessage";
  Bytes body;
};
/// Terminal: both know the code. The initiator learns it last.
struct Succeeded {
  static constexpr std::string_view kName = "Succeeded";
};
/// Terminal: kAuthentication for a mismatch or a message that is out of order, missing or
/// malformed, kConnectionLost when the peer does not answer in time, kInternal for a second
/// `Started`. It may follow `Succeeded`, when the peer goes on with SMP after the end. Never
/// retried: a code is good for one attempt.
struct Failed {
  static constexpr std::string_view kName = "Failed";
  Error error;
};
using HandshakeOutput = std::variant<SendMessage, Succeeded, Failed>;

class Handshake {
 public:
  using Input = HandshakeInput;
  using Output = HandshakeOutput;
  static constexpr std::string_view kName = "auth";

  /// An initiator's engine has been started, and the message it gave has left.
  Handshake(Role role, std::unique_ptr<SmpEngine> engine);

  [[nodiscard]] std::vector<Output> handle(Input input, Instant now);
  [[nodiscard]] std::optional<Instant> deadline() const;
  [[nodiscard]] std::string_view state_name() const;

 private:
  struct Idle {
    static constexpr std::string_view kName = "Idle";
    /// Initiator: the second message may overtake the news that the connection is established,
    /// because both arrive in one flight.
    std::optional<Bytes> early;
  };
  /// Responder: the first message holds; the secret is awaited.
  struct FirstChecked {
    static constexpr std::string_view kName = "FirstChecked";
    std::optional<Instant> prepare_at;  ///< nothing once that was done
  };
  struct AwaitSecond {
    static constexpr std::string_view kName = "AwaitSecond";
    Secret secret;
    Instant due;
  };
  struct AwaitThird {
    static constexpr std::string_view kName = "AwaitThird";
    Instant due;
  };
  struct AwaitFourth {
    static constexpr std::string_view kName = "AwaitFourth";
    Instant due;
  };
  struct Proven {
    static constexpr std::string_view kName = "Proven";
  };
  struct Refused {
    static constexpr std::string_view kName = "Refused";
  };
  using State =
      std::variant<Idle, FirstChecked, AwaitSecond, AwaitThird, AwaitFourth, Proven, Refused>;
  using Outputs = std::vector<Output>;

  Outputs on_first(const Bytes& body, Instant now);
  Outputs on_started(Secret secret, Instant now);
  Outputs on_message(Bytes body, Instant now);
  Outputs on_deadline(Instant now);
  Outputs begin(Secret secret, std::optional<Bytes> early, Instant now);
  Outputs hold_early(Idle& idle, Bytes body);
  Outputs take_first(ByteView body, Instant now);
  Outputs prepare_second();
  Outputs answer_first(const Secret& secret, Instant now);
  Outputs take_second(const Secret& secret, ByteView body, Instant now);
  Outputs take_third(ByteView body);
  Outputs take_fourth(ByteView body);
  /// Where every input goes that does not fit the state.
  Outputs out_of_order();
  Outputs prove();
  Outputs refuse(Error error);

  Role role_;
  std::unique_ptr<SmpEngine> engine_;  ///< gone, and its secrets with it, once the run is over
  State state_;
};

}  // namespace peersock::auth
