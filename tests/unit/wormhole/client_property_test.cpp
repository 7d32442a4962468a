// Two clients and the server's machine on a network that delays, reorders, repeats and breaks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "client_driver.hpp"
#include "client_world.hpp"

namespace peersock::wormhole {
namespace {

using namespace testing;

constexpr Duration kLimit = std::chrono::minutes(30);

struct Fault {
  int whose = 0;  ///< 0 and 1: one client's link; 2: all links, and an outage
  Duration at{};  ///< since the start
  Duration outage{};
};

struct Plan {
  std::uint64_t seed = 1;
  bool code_is_made = false;
  bool same_code = true;
  bool reorder = false;
  bool duplicate = false;
  LinkProfile link;
  Duration second_comes{};  ///< after the first has a code
  int payloads = 3;         ///< of each side
  std::vector<Fault> faults;
};

std::ostream& operator<<(std::ostream& out, const Plan& plan) {
  out << "seed " << plan.seed << (plan.code_is_made ? " made" : " given")
      << (plan.reorder ? " reorder" : "") << (plan.duplicate ? " duplicate" : "") << " delay "
      << plan.link.delay / 1us << " us jitter " << plan.link.jitter / 1us << " us second after "
      << plan.second_comes / 1ms << " ms payloads " << plan.payloads;
  for (const Fault& fault : plan.faults) {
    out << " [" << fault.whose << " at " << fault.at / 1us << " us out " << fault.outage / 1ms
        << " ms]";
  }
  return out;
}

/// A meeting of two clients as planned.
class Meeting {
 public:
  explicit Meeting(const Plan& plan)
      : plan_(plan),
        world(plan.seed),
        mailbox(world, plan.link),
        first(world, mailbox, kOurSide,
              plan.code_is_made ? std::nullopt : std::optional<std::string>(kTestCode)) {
    mailbox.reorder_messages(plan.reorder);
    mailbox.duplicate_messages(plan.duplicate);
    first.on_code = [this](const std::string& code) {
      world.after(plan_.second_comes, [this, code] { bring_second(code); });
    };
    for (const Fault& fault : plan.faults) {
      world.after(fault.at, [this, fault] { strike(fault); });
    }
  }

  void start() {
    queue_all(first, "a");
    first.start();
  }

  [[nodiscard]] bool complete() const {
    return second && first.verified == 1 && second->verified == 1 &&
           first.payloads == expected("b") && second->payloads == expected("a");
  }
  [[nodiscard]] bool failed() const { return first.error && second && second->error; }

  [[nodiscard]] std::vector<std::string> expected(const std::string& whose) const {
    std::vector<std::string> texts;
    texts.reserve(static_cast<std::size_t>(plan_.payloads));
    for (int i = 0; i < plan_.payloads; ++i) texts.push_back(whose + std::to_string(i));
    return texts;
  }

 private:
  Plan plan_;

 public:
  VirtualWorld world;
  VirtualMailbox mailbox;
  WorldClient first;
  std::optional<WorldClient> second;

 private:
  void bring_second(const std::string& code) {
    second.emplace(world, mailbox, kPeerSide, plan_.same_code ? code : other_code(code));
    second->start();
    queue_all(*second, "b");
  }

  static std::string other_code(const std::string& code) {
    return code.substr(0, code.find('-')) + "-zoo-zoo-wrong";
  }

  /// The first half at once, the others one by one.
  void queue_all(WorldClient& client, const std::string& whose) {
    int count = 0;
    for (const auto& text : expected(whose)) {
      if (++count <= plan_.payloads / 2) {
        client.queue(text);
      } else {
        world.after(count * 40ms, [&client, text] { client.queue(text); });
      }
    }
  }

  void strike(const Fault& fault) {
    // A client that is done has no link to lose, and its last words are on their way.
    if (first.error || (second && second->error)) return;
    if (fault.whose == 2) return mailbox.drop_all(fault.outage);
    if (fault.whose == 0) return first.break_link();
    if (second) second->break_link();
  }
};

rc::Gen<Fault> any_fault() {
  return rc::gen::build<Fault>(
      rc::gen::set(&Fault::whose, rc::gen::inRange(0, 3)),
      rc::gen::set(&Fault::at, rc::gen::map(rc::gen::inRange(0, 4'000'000),
                                            [](int us) { return Duration(us * 1us); })),
      rc::gen::set(&Fault::outage, rc::gen::map(rc::gen::inRange(0, 3000),
                                                [](int ms) { return Duration(ms * 1ms); })));
}

rc::Gen<Plan> any_plan(bool same_code) {
  return rc::gen::exec([same_code] {
    Plan plan;
    plan.seed = *rc::gen::arbitrary<std::uint64_t>();
    plan.code_is_made = *rc::gen::arbitrary<bool>();
    plan.same_code = same_code;
    plan.reorder = *rc::gen::arbitrary<bool>();
    plan.duplicate = *rc::gen::arbitrary<bool>();
    plan.link.delay = *rc::gen::inRange(1, 200) * 1ms;
    plan.link.jitter = *rc::gen::inRange(0, 20) * 1ms;
    plan.second_comes = *rc::gen::inRange(0, 2000) * 1ms;
    plan.payloads = *rc::gen::inRange(0, 12);
    plan.faults = *rc::gen::resize(8, rc::gen::container<std::vector<Fault>>(any_fault()));
    return plan;
  });
}

TEST(ClientProperty, TwoClientsMeetWhateverTheNetworkDoes) {
  EXPECT_TRUE(rc::check("same code", [] {
    const Plan plan = *any_plan(true);
    Meeting meeting(plan);
    meeting.start();
    RC_ASSERT(meeting.world.run_until([&] { return meeting.complete(); }, kLimit));
    // Repetitions that are still on their way change nothing.
    meeting.world.run_for(10min);
    RC_ASSERT(meeting.complete());
    RC_ASSERT(meeting.first.smp_key == meeting.second->smp_key);
    RC_ASSERT(meeting.first.peer_side == std::string(kPeerSide));
    RC_ASSERT(meeting.second->peer_side == std::string(kOurSide));
    RC_ASSERT(!meeting.first.error && !meeting.second->error);
  }));
}

TEST(ClientProperty, DifferentCodesAreFoundOutByBothWhateverTheNetworkDoes) {
  EXPECT_TRUE(rc::check("different codes", [] {
    const Plan plan = *any_plan(false);
    Meeting meeting(plan);
    meeting.start();
    RC_ASSERT(meeting.world.run_until([&] { return meeting.failed(); }, kLimit));
    for (const WorldClient* client : {&meeting.first, &*meeting.second}) {
      RC_ASSERT(client->error->kind == ErrorKind::kAuthentication);
      RC_ASSERT(client->verified == 0);
      RC_ASSERT(client->payloads.empty());
    }
  }));
}

// ---- the link breaks at every single step of a full exchange ----

/// Runs to the end, with both sides leaving the mailbox when they have everything.
void run_to_the_end(Meeting& meeting) {
  meeting.start();
  ASSERT_TRUE(meeting.world.run_until([&] { return meeting.complete(); }, kLimit));
  meeting.first.close();
  meeting.second->close();
  ASSERT_TRUE(meeting.world.run_until(
      [&] { return meeting.first.closed && meeting.second->closed; }, kLimit));
  EXPECT_FALSE(meeting.first.error);
  EXPECT_FALSE(meeting.second->error);
}

Plan plain_plan(bool code_is_made) {
  Plan plan;
  plan.code_is_made = code_is_made;
  plan.second_comes = 300ms;
  return plan;
}

TEST(ClientSteps, AWholeExchangeLeavesNothingOnTheServer) {
  for (const bool code_is_made : {true, false}) {
    Meeting meeting(plain_plan(code_is_made));
    run_to_the_end(meeting);
    meeting.world.run_for(1s);
    const auto counts = meeting.mailbox.server().counts();
    EXPECT_EQ(counts.nameplates, 0U);
    EXPECT_EQ(counts.mailboxes, 0U);
    EXPECT_EQ(counts.connections, 0U);
    EXPECT_EQ(counts.outcomes.happy, 1U);
  }
}

TEST(ClientSteps, EachClientSurvivesALossOfItsLinkAtEveryStep) {
  for (const bool code_is_made : {true, false}) {
    for (const bool of_first : {true, false}) {
      std::size_t steps = 1;
      for (std::size_t step = 1; step <= steps; ++step) {
        SCOPED_TRACE(::testing::Message()
                     << "made " << code_is_made << " first " << of_first << " step " << step);
        Meeting meeting(plain_plan(code_is_made));
        meeting.first.on_code = [&, next = meeting.first.on_code](const std::string& code) {
          next(code);
          if (of_first) return;
          meeting.world.after(300ms, [&] { meeting.second->break_link_after(step); });
        };
        if (of_first) meeting.first.break_link_after(step);
        run_to_the_end(meeting);
        steps = of_first ? meeting.first.frames : meeting.second->frames;
      }
      EXPECT_GT(steps, 20U);
    }
  }
}

TEST(ClientSteps, BothSurviveAnOutageAtEveryStep) {
  std::size_t steps = 1;
  for (std::size_t step = 1; step <= steps; ++step) {
    SCOPED_TRACE(step);
    Meeting meeting(plain_plan(true));
    meeting.mailbox.drop_after_frames(step, 5s);
    run_to_the_end(meeting);
    steps = meeting.mailbox.frames_carried();
  }
  EXPECT_GT(steps, 40U);
}

}  // namespace
}  // namespace peersock::wormhole
