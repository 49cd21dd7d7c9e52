"""Scripts and styles travel compressed, and are the same files."""

import asyncio
import gzip

import httpx
import pytest

from app.web.packed_files import PackedFiles
from app.web.routes import STATIC_FILES

served = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SCRIPT, PICTURE = "/static/citizen.js", "/static/icon-512.png"


def raw(client, path, **headers):
    """What an address answers, as it came; without ``Accept-Encoding`` unless it is given."""
    asked = client.build_request("GET", path, headers=headers)
    if "accept_encoding" not in headers:
        asked.headers.pop("accept-encoding")
    else:
        asked.headers["accept-encoding"] = headers["accept_encoding"]
    answer = client.send(asked, stream=True)
    body = b"".join(answer.iter_raw())
    answer.close()
    return answer, body


def file(path):
    return (STATIC_FILES["/static"] / path.removeprefix("/static/")).read_bytes()


@served
def test_a_script_comes_compressed_to_whoever_takes_it_so(client):
    answer, body = raw(client, SCRIPT, accept_encoding="gzip, deflate, br")
    assert answer.headers["content-encoding"] == "gzip" and gzip.decompress(body) == file(SCRIPT)
    assert answer.headers["content-type"].startswith("text/javascript")
    assert int(answer.headers["content-length"]) == len(body) < len(file(SCRIPT)) / 2


@served
@pytest.mark.parametrize("taken", [{}, {"accept_encoding": "identity"}])
def test_and_as_it_is_to_others(client, taken):
    answer, body = raw(client, SCRIPT, **taken)
    assert "content-encoding" not in answer.headers and body == file(SCRIPT)
    assert answer.headers["vary"] == "Accept-Encoding"  # a cache on the way keeps both apart


@served
def test_a_part_is_a_part_of_the_file(client):
    answer, body = raw(client, SCRIPT, accept_encoding="gzip", range="bytes=10-29")
    assert answer.status_code == 206 and "content-encoding" not in answer.headers
    assert body == file(SCRIPT)[10:30]


@served
@pytest.mark.parametrize("first", ["gzip", "identity"])
def test_whoever_has_it_is_told_that_it_is_the_same(client, first):
    answer, _ = raw(client, SCRIPT, accept_encoding=first)
    again, body = raw(
        client, SCRIPT, accept_encoding="gzip", **{"if-none-match": answer.headers["etag"]}
    )
    assert (again.status_code, body) == (304, b"")
    assert again.headers["vary"] == "Accept-Encoding"


@served
def test_pictures_are_not_compressed_again(client):
    answer, body = raw(client, PICTURE, accept_encoding="gzip")
    assert "content-encoding" not in answer.headers and body == file(PICTURE)
    assert "vary" not in answer.headers


def test_of_a_file_that_changed_the_new_one_comes(tmp_path):
    file, files = tmp_path / "one.css", PackedFiles(directory=tmp_path)

    async def ask():
        transport = httpx.ASGITransport(files)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.get("/one.css")

    for text in ("a { color: red } " * 100, "b { color: green } " * 100):
        file.write_text(text)
        answer = asyncio.run(ask())
        assert (answer.headers["content-encoding"], answer.text) == ("gzip", text)


@served
def test_what_is_not_there_is_not_there(client):
    assert raw(client, "/static/none.js", accept_encoding="gzip")[0].status_code == 404
