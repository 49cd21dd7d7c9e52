"""Secrets of the service: what one process signed, every other knows again."""

import hmac

from app.access.server_secrets import Signer, secret_of


def test_a_signature_is_of_all_that_is_said_and_is_known_by_every_process(database):
    one, other = Signer(database, "page"), Signer(database, "page")
    said = ("/q/ẤB\ud800", 1_790_000_000, "aa")
    assert not one.at_hand
    signed = [one.sign(*said) for _ in range(2)]
    assert one.at_hand and signed[0] == signed[1] != one.sign("/q/AB", 1_790_000_000, "aa")
    plain = "\0".join(map(str, said)).encode("utf-8", "replace")
    expected = hmac.new(secret_of(database, "page"), plain, "sha256").hexdigest()
    assert len(signed[0]) == 20 and expected.startswith(signed[0])
    assert other.is_mine(signed[0], *said) and not other.is_mine(signed[0], *said[:2], "ab")
    assert not Signer(database, "another").is_mine(signed[0], *said)
