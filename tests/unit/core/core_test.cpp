#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/bytes.hpp"
#include "core/error.hpp"
#include "core/runner.hpp"
#include "core/secret.hpp"
#include "support/seeded_rng.hpp"

namespace peersock {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

TEST(Bytes, HexIsLowerCaseAndReadsBothCases) {
  EXPECT_EQ(to_hex(Bytes{0x00, 0xab, 0xff}), "00abff");
  EXPECT_EQ(from_hex("00ABff"), (Bytes{0x00, 0xab, 0xff}));
  EXPECT_EQ(from_hex(""), Bytes{});
}

TEST(Bytes, HexRefusesOddLengthAndOtherCharacters) {
  EXPECT_FALSE(from_hex("abc"));
  EXPECT_FALSE(from_hex("0g"));
  EXPECT_FALSE(from_hex(" 0"));
}

TEST(Rng, BelowStaysBelowAndReachesEveryValue) {
  testing::SeededRng rng(1);
  std::array<int, 7> seen{};
  for (int i = 0; i < 7000; ++i) ++seen.at(random_below(rng, 7));
  for (const int count : seen) EXPECT_NEAR(count, 1000, 200);
  EXPECT_EQ(random_below(rng, 1), 0U);
}

TEST(Secret, MovesLeaveNothingBehind) {
  Secret a(std::string_view("hidden"));
  Secret b = std::move(a);
  EXPECT_TRUE(a.empty());  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(b.reveal_text(), "hidden");
  EXPECT_EQ(b.clone().reveal_text(), "hidden");
}

TEST(Secret, EqualityIsByContent) {
  EXPECT_TRUE(equal_secret(as_bytes("abc"), as_bytes("abc")));
  EXPECT_FALSE(equal_secret(as_bytes("abc"), as_bytes("abd")));
  EXPECT_FALSE(equal_secret(as_bytes("abc"), as_bytes("ab")));
  EXPECT_TRUE(equal_secret({}, {}));
}

TEST(ErrorKind, EveryKindHasItsDocumentedExitCode) {
  EXPECT_EQ(exit_code(ErrorKind::kInternal), ExitCode{1});
  EXPECT_EQ(exit_code(ErrorKind::kUsage), ExitCode{2});
  EXPECT_EQ(exit_code(ErrorKind::kIncompatible), ExitCode{2});
  EXPECT_EQ(exit_code(ErrorKind::kRendezvousUnreachable), ExitCode{3});
  EXPECT_EQ(exit_code(ErrorKind::kCodeInUse), ExitCode{4});
  EXPECT_EQ(exit_code(ErrorKind::kAuthentication), ExitCode{5});
  EXPECT_EQ(exit_code(ErrorKind::kNoPath), ExitCode{6});
  EXPECT_EQ(exit_code(ErrorKind::kPeerNeverCame), ExitCode{7});
  EXPECT_EQ(exit_code(ErrorKind::kConnectionLost), ExitCode{8});
  EXPECT_EQ(exit_code(ErrorKind::kLocalEndpoint), ExitCode{9});
  EXPECT_EQ(exit_code(ErrorKind::kInterrupted), ExitCode{130});
}

// A machine with one state that counts.
struct Ticked {
  static constexpr std::string_view kName = "Ticked";
};
struct Report {
  static constexpr std::string_view kName = "Report";
  int count = 0;
};
class Counter {
 public:
  using Input = std::variant<Ticked, DeadlineReached>;
  using Output = std::variant<Report>;
  static constexpr std::string_view kName = "counter";
  std::vector<Output> handle(const Input& input, Instant now) {
    if (std::holds_alternative<DeadlineReached>(input)) {
      due_ = now + 1s;
      return {};
    }
    return {Report{++count_}};
  }
  [[nodiscard]] std::optional<Instant> deadline() const { return due_; }
  [[nodiscard]] std::string_view state_name() const { return "Counting"; }

 private:
  int count_ = 0;
  std::optional<Instant> due_ = Instant{} + 1s;
};
static_assert(Machine<Counter>);

struct CountingHost {
  std::vector<int> reports;
  std::function<void()> on_report;
  void perform(Counter::Output output, Instant /*now*/) {
    reports.push_back(std::get<Report>(output).count);
    if (on_report) on_report();
  }
};

TEST(Runner, PerformMayPostButNeverReenters) {
  CountingHost host;
  Runner runner(Counter{}, host);
  host.on_report = [&] {
    if (host.reports.size() < 3) runner.post(Ticked{});
  };
  runner.post(Ticked{});
  while (runner.step(Instant{})) {
  }
  EXPECT_THAT(host.reports, ElementsAre(1, 2, 3));
}

TEST(Runner, WakesOnlyWhenTheDeadlineHasCome) {
  CountingHost host;
  Runner runner(Counter{}, host);
  runner.wake(Instant{});
  EXPECT_TRUE(runner.idle());
  runner.wake(Instant{} + 1s);
  EXPECT_TRUE(runner.step(Instant{} + 1s));
  EXPECT_EQ(runner.deadline(), Instant{} + 2s);
}

TEST(Runner, TracesNamesOnly) {
  CountingHost host;
  Runner runner(Counter{}, host);
  std::vector<std::string> lines;
  runner.set_trace([&](const TraceStep& step) { lines.push_back(format_trace(step)); });
  runner.post(Ticked{});
  EXPECT_TRUE(runner.step(Instant{}));
  EXPECT_THAT(lines, ElementsAre("counter [Counting] Ticked -> [Counting] Report"));
}

}  // namespace
}  // namespace peersock
