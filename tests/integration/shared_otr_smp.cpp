#include "shared_otr_smp.hpp"

#include <cstdlib>
#include <stdexcept>

#include <dlfcn.h>

#include "adapters/otr_smp.hpp"

extern "C" {
#include <libotr/sm.h>
}

namespace peersock::testing {
namespace {

/// The functions of the shared library. Its references bind to the shared libgcrypt: what is
/// linked into this program is not visible to it.
struct SharedOtr {
  SharedOtr() : library(dlopen("libotr.so.5", RTLD_NOW | RTLD_LOCAL)) {
    if (library == nullptr) throw std::runtime_error(dlerror());
    // libgcrypt is set up by the first engine.
    static_cast<void>(adapters::make_otr_smp_engine()->start());
    find<decltype(&otrl_sm_init)>("otrl_sm_init")();
  }
  template <typename Function>
  [[nodiscard]] Function find(const char* name) const {
    void* address = dlsym(library, name);
    if (address == nullptr) throw std::runtime_error(dlerror());
    return reinterpret_cast<Function>(address);
  }

  void* library;
  decltype(&otrl_sm_state_new) state_new = find<decltype(state_new)>("otrl_sm_state_new");
  decltype(&otrl_sm_state_free) state_free = find<decltype(state_free)>("otrl_sm_state_free");
  decltype(&otrl_sm_step1) step1 = find<decltype(step1)>("otrl_sm_step1");
  decltype(&otrl_sm_step2a) step2a = find<decltype(step2a)>("otrl_sm_step2a");
  decltype(&otrl_sm_step2b) step2b = find<decltype(step2b)>("otrl_sm_step2b");
  decltype(&otrl_sm_step3) step3 = find<decltype(step3)>("otrl_sm_step3");
  decltype(&otrl_sm_step4) step4 = find<decltype(step4)>("otrl_sm_step4");
  decltype(&otrl_sm_step5) step5 = find<decltype(step5)>("otrl_sm_step5");
};

const SharedOtr& shared_otr() {
  static const SharedOtr functions;
  return functions;
}

/// The one secret of the tests that use this engine, as libotr's own users give it: with the first
/// step.
constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";

class SharedOtrSmp final : public auth::SmpEngine {
 public:
  SharedOtrSmp() { otr_.state_new(&state_); }
  ~SharedOtrSmp() override { otr_.state_free(&state_); }
  SharedOtrSmp(const SharedOtrSmp&) = delete;
  SharedOtrSmp& operator=(const SharedOtrSmp&) = delete;
  SharedOtrSmp(SharedOtrSmp&&) = delete;
  SharedOtrSmp& operator=(SharedOtrSmp&&) = delete;

  Result<Bytes> start() override {
    return taken(otr_.step1(&state_, octets(kSecret), size(kSecret), &output_, &size_) == 0);
  }
  Result<void> check1(ByteView first) override {
    if (otr_.step2a(&state_, first.data(), static_cast<int>(first.size()), 0) != 0)
      return refused();
    return {};
  }
  Result<Bytes> answer1(const Secret& secret) override {
    const std::string_view text = secret.reveal_text();
    return taken(otr_.step2b(&state_, octets(text), size(text), &output_, &size_) == 0);
  }
  Result<Bytes> answer2(const Secret& /*secret*/, ByteView second) override {
    return taken(
        otr_.step3(&state_, second.data(), static_cast<int>(second.size()), &output_, &size_) == 0);
  }
  Result<Verdict> answer3(ByteView third) override {
    static_cast<void>(
        otr_.step4(&state_, third.data(), static_cast<int>(third.size()), &output_, &size_));
    auto reply = taken(true);
    if (!reply) return tl::unexpected(reply.error());
    return Verdict{state_.sm_prog_state == OTRL_SMP_PROG_SUCCEEDED, std::move(*reply)};
  }
  Result<bool> check4(ByteView fourth) override {
    return otr_.step5(&state_, fourth.data(), static_cast<int>(fourth.size())) == 0;
  }

 private:
  static const unsigned char* octets(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
  }
  static int size(std::string_view text) { return static_cast<int>(text.size()); }
  static tl::unexpected<Error> refused() {
    return fail(ErrorKind::kAuthentication, "libotr refused the message");
  }
  Result<Bytes> taken(bool passed) {
    const std::unique_ptr<unsigned char, decltype(&std::free)> owned(output_, &std::free);
    output_ = nullptr;
    if (!passed || !owned) return refused();
    return Bytes(owned.get(), owned.get() + size_);
  }

  const SharedOtr& otr_ = shared_otr();
  OtrlSMState state_{};
  unsigned char* output_ = nullptr;
  int size_ = 0;
};

}  // namespace

std::unique_ptr<auth::SmpEngine> make_shared_otr_smp_engine() {
  return std::make_unique<SharedOtrSmp>();
}

}  // namespace peersock::testing
