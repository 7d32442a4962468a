// An SMP engine without mathematics: each message names its number and its run, and says whether
// the secrets are equal. It notes every call, so that a test sees their order.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "auth/handshake.hpp"

namespace peersock::testing {

/// Outlives the engine, which the machine destroys when the run is over.
struct EngineLog {
  std::vector<std::string> calls;
  bool alive = false;
};

/// The message `number` of `run`: "2/run". With `equal` false: "2/run/differs".
[[nodiscard]] inline Bytes scripted_message(int number, const std::string& run, bool equal = true) {
  return to_bytes(fmt::format("{}/{}{}", number, run, equal ? "" : "/differs"));
}

class ScriptedEngine final : public auth::SmpEngine {
 public:
  ScriptedEngine(EngineLog& log, std::string run) : log_(log), run_(std::move(run)) {
    log_.alive = true;
  }
  ScriptedEngine(const ScriptedEngine&) = delete;
  ScriptedEngine& operator=(const ScriptedEngine&) = delete;
  ScriptedEngine(ScriptedEngine&&) = delete;
  ScriptedEngine& operator=(ScriptedEngine&&) = delete;
  ~ScriptedEngine() override { log_.alive = false; }

  Result<Bytes> start() override {
    note("start", "");
    return scripted_message(1, run_);
  }
  Result<void> check1(ByteView first) override {
    note("check1", "");
    if (auto wrong = check(1, first); !wrong) return tl::unexpected<Error>(wrong.error());
    return {};
  }
  Result<void> prepare1() override {
    note("prepare1", "");
    return {};
  }
  Result<Bytes> answer1(const Secret& secret) override {
    note("answer1", secret.reveal_text());
    if (secret.empty()) return fail(ErrorKind::kInternal, "no secret");
    return scripted_message(2, run_);
  }
  Result<Bytes> answer2(const Secret& secret, ByteView second) override {
    note("answer2", secret.reveal_text());
    if (auto wrong = check(2, second); !wrong) return tl::unexpected<Error>(wrong.error());
    return scripted_message(3, run_);
  }
  Result<Verdict> answer3(ByteView third) override {
    note("answer3", "");
    const auto equal = check(3, third);
    if (!equal) return tl::unexpected<Error>(equal.error());
    return Verdict{*equal, scripted_message(4, run_, *equal)};
  }
  Result<bool> check4(ByteView fourth) override {
    note("check4", "");
    return check(4, fourth);
  }

 private:
  void note(const std::string& call, std::string_view secret) {
    log_.calls.push_back(secret.empty() ? call : fmt::format("{} {}", call, secret));
  }
  [[nodiscard]] Result<bool> check(int number, ByteView body) const {
    const Bytes got(body.begin(), body.end());
    if (got == scripted_message(number, run_)) return true;
    if (got == scripted_message(number, run_, false)) return false;
    return fail(ErrorKind::kAuthentication, "malformed");
  }

  EngineLog& log_;
  std::string run_;
};

[[nodiscard]] inline std::unique_ptr<auth::SmpEngine> scripted_engine(
    EngineLog& log, const std::string& run = "run") {
  return std::make_unique<ScriptedEngine>(log, run);
}

}  // namespace peersock::testing
