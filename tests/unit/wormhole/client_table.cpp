#include "client_table.hpp"

#include <memory>

#include "client_driver.hpp"

namespace peersock::testing {
namespace {

using wormhole::Client;

/// A client that was spoken to, its peer, and the random numbers that the client refers to.
struct Scene {
  Scene(bool code_given, std::size_t servers)
      : driver(code_given ? std::optional(kTestCode) : std::nullopt,
               std::vector<std::string>(servers, kServer)) {}
  Driver driver;
  FakePeer peer;
};

/// The inputs need the bodies that belong to the machine at hand, and the machines are made one at
/// a time: the scene of the latest one is kept.
using Stage = std::shared_ptr<std::unique_ptr<Scene>>;

Situation<Client> situation(const Stage& stage, std::string name, bool code_given,
                            std::function<void(Scene&)> play, std::size_t servers = 1) {
  return {std::move(name), [stage, code_given, servers, play = std::move(play)] {
            *stage = std::make_unique<Scene>(code_given, servers);
            play(**stage);
            return std::move((*stage)->driver.client);
          }};
}

std::function<void(Scene&)> reach(Step step, bool then_lose = false) {
  return [=](Scene& scene) {
    advance(scene.driver, scene.peer, step);
    if (then_lose) scene.driver.lose();
  };
}

std::vector<Situation<Client>> situations(const Stage& stage) {
  const auto begin = [](Scene& scene) {
    scene.driver.start();
    scene.driver.up();
    scene.driver.say(welcome_frame());
  };
  return {
      situation(stage, "Idle", true, [](Scene&) {}),
      situation(stage, "Idle (no code)", false, [](Scene&) {}),
      situation(stage, "Allocating", false, begin),
      situation(stage, "Allocating (link down)", false,
                [](Scene& scene) {
                  scene.driver.start();
                  scene.driver.lose();
                }),
      situation(stage, "Allocating (several servers)", false, begin, 2),
      situation(
          stage, "Allocating (several servers, the last one)", false,
          [](Scene& scene) {
            scene.driver.start();
            scene.driver.lose();
            scene.driver.up();
            scene.driver.say(welcome_frame());
          },
          2),
      situation(
          stage, "Allocating (several servers, between two rounds)", false,
          [](Scene& scene) {
            scene.driver.start();
            scene.driver.lose();
            scene.driver.lose();
          },
          2),
      situation(stage, "Claiming", true, reach(Step::kClaiming)),
      situation(stage, "Claiming (connecting)", true, [](Scene& scene) { scene.driver.start(); }),
      situation(stage, "Opening", true, reach(Step::kOpening)),
      situation(stage, "AwaitPake", true, reach(Step::kAwaitPake)),
      situation(stage, "AwaitPake (link down)", true, reach(Step::kAwaitPake, true)),
      situation(stage, "AwaitVersion", true, reach(Step::kAwaitVersion)),
      situation(stage, "Verified", true, reach(Step::kVerified)),
      situation(stage, "Verified (link down)", true, reach(Step::kVerified, true)),
      situation(stage, "Closing", true,
                [](Scene& scene) {
                  advance(scene.driver, scene.peer, Step::kVerified);
                  scene.driver.say(plain_frame("released"));
                  scene.driver.close();
                }),
      situation(stage, "Done", true,
                [](Scene& scene) {
                  advance(scene.driver, scene.peer, Step::kAwaitPake);
                  scene.driver.close();
                  scene.driver.lose();
                }),
  };
}

Example<Client> frame(const Stage& stage, const std::string& what,
                      std::function<std::string(Scene&)> text) {
  return {"FrameReceived (" + what + ")",
          [stage, text = std::move(text)] { return wormhole::FrameReceived{text(**stage)}; }};
}

/// The peer answers the client's `pake`, or, where there is none so far, one of another client.
FakePeer& met(Scene& scene) {
  Driver other;
  if (scene.driver.body_of("pake").empty()) {
    advance(other, scene.peer, Step::kOpening);
  } else {
    scene.peer.meet(scene.driver);
  }
  return scene.peer;
}

std::vector<Example<Client>> frames(const Stage& stage) {
  return {
      frame(stage, "welcome", [](Scene&) { return welcome_frame(); }),
      frame(stage, "allocated", [](Scene&) { return allocated_frame("8"); }),
      frame(stage, "claimed", [](Scene&) { return claimed_frame(); }),
      frame(stage, "released", [](Scene&) { return plain_frame("released"); }),
      frame(stage, "closed", [](Scene&) { return plain_frame("closed"); }),
      frame(stage, "pong", [](Scene&) { return plain_frame("pong"); }),
      frame(stage, "error", [](Scene&) { return error_frame("crowded", "open"); }),
      frame(stage, "no JSON", [](Scene&) { return std::string("hello?"); }),
      frame(stage, "our pake",
            [](Scene& s) { return message_frame(kOurSide, "pake", s.driver.body_of("pake")); }),
      frame(stage, "peer's pake", [](Scene& s) { return s.peer.pake(); }),
      frame(stage, "peer's version", [](Scene& s) { return met(s).version(); }),
      frame(stage, "peer's first payload", [](Scene& s) { return met(s).sealed("0", "hello"); }),
      frame(stage, "third side", [](Scene&) { return message_frame("c0ffee", "0", "00"); }),
  };
}

}  // namespace

Table client_table() {
  const auto stage = std::make_shared<std::unique_ptr<Scene>>();
  std::vector<Example<Client>> examples = {
      {"Started", [] { return wormhole::Started{}; }},
      {"LinkUp", [] { return wormhole::LinkUp{}; }},
      {"LinkLost", [] { return wormhole::LinkLost{"reset"}; }},
  };
  for (auto& example : frames(stage)) examples.push_back(std::move(example));
  examples.push_back({"PayloadQueued", [] { return wormhole::PayloadQueued{to_bytes("x")}; }});
  examples.push_back({"LinkDoubted", [] { return wormhole::LinkDoubted{}; }});
  examples.push_back({"LinkDoubted (moved)", [] { return wormhole::LinkDoubted{true}; }});
  examples.push_back({"CloseRequested", [] { return wormhole::CloseRequested{}; }});
  examples.push_back({"DeadlineReached", [] { return DeadlineReached{}; }});
  // Late enough for every deadline.
  return tabulate<Client>(situations(stage), examples, Instant{} + std::chrono::hours(1));
}

}  // namespace peersock::testing
