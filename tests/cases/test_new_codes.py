"""A citizen's code as the server draws it: eighty bits, each sign as likely at each place."""

from app.cases.citizens import SIGNS, as_typed, new_code


def test_every_place_takes_every_sign():
    codes = [new_code() for _ in range(2000)]
    assert len(set(codes)) == len(codes) and all(as_typed(code) == code for code in codes)
    for signs in zip(*codes, strict=True):
        assert set(signs) == set(SIGNS)


def test_all_that_is_drawn_stands_in_the_code(monkeypatch):
    drawn = []
    monkeypatch.setattr("app.cases.citizens.secrets.randbits", lambda bits: drawn[-1])
    for place in range(80):
        drawn.append(1 << place)
        (sign,) = [sign for sign in new_code() if sign != "0"]
        assert SIGNS.index(sign) == 1 << place % 5
    for all in (0, (1 << 80) - 1):
        drawn.append(all)
        assert new_code() == SIGNS[-1 if all else 0] * 16
    drawn.append(0x0123456789ABCDEF0123)
    assert sorted(new_code()) == sorted(SIGNS[drawn[-1] >> 5 * n & 31] for n in range(16))
