#include "adapters/otr_smp.hpp"

#include <cstdint>
#include <cstdlib>
#include <utility>

#include <sodium.h>

#include "adapters/gcrypt_util.hpp"
#include "adapters/otr_message.hpp"
#include "adapters/otr_second.hpp"

extern "C" {
#include <libotr/sm.h>
}

namespace peersock::adapters {
namespace {

/// How many numbers the four messages hold (libotr, sm.c).
enum class Count : std::uint32_t { kFirst = 6, kSecond = 11, kThird = 8, kFourth = 3 };
constexpr unsigned kSecureMemory = 64 * 1024;
/// The secret of the steps that are taken before there is one.
constexpr unsigned char kNoSecretYet = 0;

// Room for some 80 runs at once; beyond that libgcrypt adds memory that may be swapped out, where
// it would otherwise end the process.
bool initialise_gcrypt() {
  if (gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P) != 0) return true;
  if (gcry_check_version("1.8.2") == nullptr) return false;
  // Standard error is ours: a limit on locked memory is no reason to write on it.
  gcry_control(GCRYCTL_DISABLE_SECMEM_WARN);
  gcry_control(GCRYCTL_INIT_SECMEM, kSecureMemory, 0);
  gcry_control(GCRYCTL_AUTO_EXPAND_SECMEM, kSecureMemory);
  gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
  return true;
}

bool initialise() {
  // otrl_sm_init loses the memory of an earlier call, so it must run only once.
  static const bool ready = [] {
    if (!initialise_gcrypt()) return false;
    otrl_sm_init();
    return true;
  }();
  return ready;
}

bool well_formed(ByteView message, Count count) {
  return !numbers_of(message, static_cast<std::uint32_t>(count)).empty();
}

tl::unexpected<Error> does_not_hold() {
  return fail(ErrorKind::kAuthentication,
              "The other side's proof of the code does not hold, or someone is between the two "
              "ends; make a new code and use it on both sides");
}

tl::unexpected<Error> out_of_order() {
  return fail(ErrorKind::kInternal,
              "The proof of the code was calculated out of order; this is a defect of peersock, "
              "please report it");
}

tl::unexpected<Error> impossible() {
  return fail(ErrorKind::kInternal,
              "The proof of the code could not be calculated; see that the machine has free memory "
              "and libgcrypt 1.8.2 or newer");
}

/// What a step of libotr gives: memory of malloc, or nothing. Wiped, because of the second message
/// without a secret.
class StepOutput {
 public:
  unsigned char** data() { return &data_; }
  int* size() { return &size_; }
  [[nodiscard]] Bytes octets() const {
    return data_ != nullptr ? Bytes(data_, data_ + size_) : Bytes();
  }
  StepOutput() = default;
  StepOutput(const StepOutput&) = delete;
  StepOutput& operator=(const StepOutput&) = delete;
  StepOutput(StepOutput&&) = delete;
  StepOutput& operator=(StepOutput&&) = delete;
  ~StepOutput() {
    if (data_ != nullptr) sodium_memzero(data_, static_cast<std::size_t>(size_));
    std::free(data_);
  }

 private:
  unsigned char* data_ = nullptr;
  int size_ = 0;
};

/// libotr keeps the secret for later steps; the early ones are taken without it.
[[nodiscard]] bool put_secret(OtrlSMState& state, const Secret& secret) {
  const MpiPtr number = secure_number(secret.reveal());
  if (!number) return false;
  gcry_mpi_set(state.secret, number.get());
  return true;
}

class OtrSmpEngine final : public auth::SmpEngine {
 public:
  OtrSmpEngine() { otrl_sm_state_new(&state_); }
  OtrSmpEngine(const OtrSmpEngine&) = delete;
  OtrSmpEngine& operator=(const OtrSmpEngine&) = delete;
  OtrSmpEngine(OtrSmpEngine&&) = delete;
  OtrSmpEngine& operator=(OtrSmpEngine&&) = delete;
  ~OtrSmpEngine() override { otrl_sm_state_free(&state_); }

  Result<Bytes> start() override;
  Result<void> check1(ByteView first) override;
  Result<void> prepare1() override;
  Result<Bytes> answer1(const Secret& secret) override;
  Result<Bytes> answer2(const Secret& secret, ByteView second) override;
  Result<Verdict> answer3(ByteView third) override;
  Result<bool> check4(ByteView fourth) override;

 private:
  /// libotr does not check the order of its steps: a wrong one reads a null pointer or loses
  /// memory. Nothing is next after a failure.
  enum class Next : std::uint8_t { kStart, kAnswer, kSecond, kThird, kFourth, kNothing };

  [[nodiscard]] bool make_early_second();
  [[nodiscard]] bool turn_is(Next next) {
    const bool fits = next_ == next;
    next_ = Next::kNothing;
    return fits;
  }

  OtrlSMState state_{};
  Secret early_second_;  ///< responder: its message with the secret zero
  Next next_ = Next::kStart;
};

Result<Bytes> OtrSmpEngine::start() {
  if (!turn_is(Next::kStart)) return out_of_order();
  if (!initialise()) return impossible();
  StepOutput output;
  if (otrl_sm_step1(&state_, &kNoSecretYet, sizeof kNoSecretYet, output.data(), output.size()) !=
      0) {
    return impossible();
  }
  next_ = Next::kSecond;
  return output.octets();
}

Result<void> OtrSmpEngine::check1(ByteView first) {
  if (!turn_is(Next::kStart)) return out_of_order();
  if (!initialise()) return impossible();
  if (!well_formed(first, Count::kFirst)) return does_not_hold();
  // The last argument only notes that the message carried a question for the user; ours never do.
  if (otrl_sm_step2a(&state_, first.data(), static_cast<int>(first.size()), 0) != 0) {
    return does_not_hold();
  }
  next_ = Next::kAnswer;
  return {};
}

Result<void> OtrSmpEngine::prepare1() {
  if (!turn_is(Next::kAnswer)) return out_of_order();
  if (early_second_.empty() && !make_early_second()) return impossible();
  next_ = Next::kAnswer;
  return {};
}

bool OtrSmpEngine::make_early_second() {
  StepOutput output;
  if (otrl_sm_step2b(&state_, &kNoSecretYet, sizeof kNoSecretYet, output.data(), output.size()) !=
      0) {
    return false;
  }
  early_second_ = Secret(output.octets());
  return true;
}

Result<Bytes> OtrSmpEngine::answer1(const Secret& secret) {
  if (!turn_is(Next::kAnswer)) return out_of_order();
  if (early_second_.empty() && !make_early_second()) return impossible();
  if (!put_secret(state_, secret)) return impossible();
  auto second = complete_second(state_, early_second_.reveal());
  early_second_ = Secret();
  if (!second) return impossible();
  next_ = Next::kThird;
  return std::move(*second);
}

Result<Bytes> OtrSmpEngine::answer2(const Secret& secret, ByteView second) {
  if (!turn_is(Next::kSecond)) return out_of_order();
  if (!put_secret(state_, secret)) return impossible();
  if (!well_formed(second, Count::kSecond)) return does_not_hold();
  StepOutput output;
  if (otrl_sm_step3(&state_, second.data(), static_cast<int>(second.size()), output.data(),
                    output.size()) != 0) {
    return does_not_hold();
  }
  next_ = Next::kFourth;
  return output.octets();
}

Result<auth::SmpEngine::Verdict> OtrSmpEngine::answer3(ByteView third) {
  if (!turn_is(Next::kThird)) return out_of_order();
  if (!well_formed(third, Count::kThird)) return does_not_hold();
  StepOutput output;
  // The same error says that the message is bad and that the secrets differ; the state tells
  // which, and in the second case there is an answer for the initiator.
  const bool passed = otrl_sm_step4(&state_, third.data(), static_cast<int>(third.size()),
                                    output.data(), output.size()) == 0;
  Bytes reply = output.octets();
  if (reply.empty()) return does_not_hold();
  if (state_.sm_prog_state == OTRL_SMP_PROG_FAILED) return Verdict{false, std::move(reply)};
  if (!passed || state_.sm_prog_state != OTRL_SMP_PROG_SUCCEEDED) return does_not_hold();
  return Verdict{true, std::move(reply)};
}

Result<bool> OtrSmpEngine::check4(ByteView fourth) {
  if (!turn_is(Next::kFourth)) return out_of_order();
  if (!well_formed(fourth, Count::kFourth)) return does_not_hold();
  const bool passed = otrl_sm_step5(&state_, fourth.data(), static_cast<int>(fourth.size())) == 0;
  if (state_.sm_prog_state == OTRL_SMP_PROG_FAILED) return false;
  if (!passed || state_.sm_prog_state != OTRL_SMP_PROG_SUCCEEDED) return does_not_hold();
  return true;
}

}  // namespace

std::unique_ptr<auth::SmpEngine> make_otr_smp_engine() {
  return std::make_unique<OtrSmpEngine>();
}

}  // namespace peersock::adapters
