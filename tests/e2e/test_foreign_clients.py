"""The clients that people have meet over our rendezvous server: both versions of magic-wormhole
that Debian has, and wormhole-william; each with the next one, and all pairs at once."""

import itertools

import pytest

from foreign_clients import Clients, Island, Transfer
from harness import clean_environment, noise

pytestmark = pytest.mark.netns

PAIRS = list(itertools.product(Clients.NAMES, repeat=2))
# Each of them sends to the next one, and the last to the first.
RING = [pytest.param(*pair, id="-to-".join(pair))
        for pair in zip(Clients.NAMES, Clients.NAMES[1:] + Clients.NAMES[:1])]
TEXT = "käse, 奶酪 & \"cheese\""


@pytest.fixture
def island(world, tmp_path):
    return Island(world, tmp_path)


def put_file(island, name, seed):
    path = island.directory / name
    path.write_bytes(noise(400_000, seed))
    return path


def test_the_two_magic_wormholes_are_those_of_debian_12_and_13():
    clients = Clients()
    versions = {clients[name].version() for name in ("magic-wormhole", "magic-wormhole-other")}
    assert {tuple(version.split(".")[:2]) for version in versions} == {("0", "12"), ("0", "18")}


@pytest.mark.parametrize("sender,receiver", RING)
def test_a_text_and_a_file_arrive(island, sender, receiver):
    receiving = Transfer(island, sender, receiver, "--text", TEXT).offer().take().succeed()
    assert TEXT in receiving.text()

    file = put_file(island, "file", seed=1)
    target = island.folder("received")
    Transfer(island, sender, receiver, file, directory=target).offer().take().succeed()
    assert (target / "file").read_bytes() == file.read_bytes()


@pytest.mark.parametrize("sender,receiver", [
    ("magic-wormhole", "wormhole-william"), ("wormhole-william", "magic-wormhole-other")])
def test_a_code_that_both_were_given_works_whoever_comes_first(island, sender, receiver):
    transfer = Transfer(island, sender, receiver, "--text", TEXT)
    transfer.take("23-agreed-words").offer("--code", "23-agreed-words")
    assert TEXT in transfer.succeed().text()


@pytest.mark.parametrize("sender,receiver", RING)
def test_a_wrong_code_is_found_out_by_both(island, sender, receiver):
    sending = island.send(sender, "--text", TEXT)
    nameplate = sending.code().split("-")[0]
    receiving = island.receive(receiver, f"{nameplate}-wrong-words")
    for name, program in ((sender, sending), (receiver, receiving)):
        assert program.exit_code() != 0, program.text()
        program.find(island.clients[name].wrong_code)
    assert TEXT not in receiving.text()


@pytest.mark.parametrize("receiver,excused", [("wormhole-william", True),
                                              ("magic-wormhole-other", False)])
def test_only_a_disagreement_with_william_is_tried_again(island, receiver, excused):
    transfer = Transfer(island, "magic-wormhole", receiver, "--text", TEXT).offer()
    transfer.take(transfer.code().split("-")[0] + "-wrong-words")
    if excused:
        assert TEXT in transfer.succeed().text()
    else:
        with pytest.raises(AssertionError):
            transfer.succeed()


def test_transfers_of_different_programs_and_a_session_at_once(island):
    world = island.world
    common = ("--rendezvous", island.url, "--stun", "", "--turn", "")
    # Everybody has made a code before anybody uses one, so that all are under way together.
    transfers = {}
    for seed, (sender, receiver) in enumerate(PAIRS):
        name = f"{sender}-to-{receiver}"
        file = put_file(island, name, seed)
        transfers[file] = Transfer(island, sender, receiver, file,
                                   directory=island.folder(f"of-{name}")).offer()
    ours = world.start("stdio-b", *common, prefix=island.loopback.enter)
    assert len({t.code().split("-")[0] for t in transfers.values()}) == len(PAIRS)
    # Of another application, so its number may be one of theirs.
    own_code = ours.wait_for("code_made")["code"]

    for transfer in transfers.values():
        transfer.take()
    theirs = world.start("stdio-a", *common, env=clean_environment(PEERSOCK_CODE=own_code),
                         prefix=island.loopback.enter)
    for file, transfer in transfers.items():
        transfer.succeed()
        assert (transfer.directory / file.name).read_bytes() == file.read_bytes(), file.name
    for side in (ours, theirs):
        assert side.exit_code() == 0, side.text()
