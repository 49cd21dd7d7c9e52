"""The demonstration, and every command line of the README, run as a newcomer runs them."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from app.db import Database
from app.intake.rollup_rebuild import count_responses
from tests.server import ROOT, free_port

# One worker, so that one demonstration serves all of these tests.
pytestmark = pytest.mark.xdist_group("readme")

README = (ROOT / "README.md").read_text(encoding="utf-8")
LINES = [
    line
    for block in re.findall(r"```sh\n(.*?)```", README, flags=re.S)
    for line in block.strip().splitlines()
]


def demo(folder, port, *options):
    return [
        sys.executable, "-m", "app.cli", "demo", "--size", "3000", "--folder", str(folder),
        "--port", str(port), "--until", "2026-11-24", *options,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A demonstration that serves: its folder, its port, what it printed."""
    folder, port = tmp_path_factory.mktemp("readme") / "demo", free_port()
    printed = folder.parent / "printed.txt"
    # Where the tests themselves run in the background, Ctrl-C would be ignored by what they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with printed.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(
            demo(folder, port), cwd=ROOT, stdout=stream, stderr=subprocess.STDOUT
        )
    until = time.monotonic() + 240
    while "until Ctrl-C" not in printed.read_text(encoding="utf-8"):
        assert process.poll() is None and time.monotonic() < until, printed.read_text("utf-8")
        time.sleep(0.1)
    yield folder, port, printed.read_text(encoding="utf-8")
    process.send_signal(signal.SIGINT)
    assert process.wait(120) == 0


def shell(line, folder, port):
    line = line.replace("var/demo", str(folder)).replace(":8000", f":{port}")
    done = subprocess.run(["bash", "-c", line], capture_output=True, check=True, text=True)
    return json.loads(done.stdout)


def test_the_readme_has_two_commands_and_two_curl_lines_and_no_others():
    verbs = [line.split()[0] for line in LINES]
    assert verbs == ["make", "make", "curl", "curl"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for line in LINES[:2]:
        assert f"\n{line.split()[1]}: " in makefile


@pytest.mark.skipif(
    shutil.which("curl") is None and not os.environ.get("HAILONG_REQUIRE_ALL"),
    reason="curl is not installed",
)
def test_a_stranger_submits_with_the_curl_line_and_sees_the_rate_change(running):
    folder, port, _ = running
    rates, submit = LINES[2:]
    (before,) = shell(rates, folder, port)["rows"]
    assert shell(submit, folder, port)["status"] == "accepted"
    (after,) = shell(rates, folder, port)["rows"]
    assert after["respondents"] == before["respondents"] + 1
    assert after["answers"] == before["answers"] + 5
    assert after["rate"] < before["rate"]
    assert shell(submit, folder, port)["status"] == "duplicate"
    assert shell(rates, folder, port)["rows"] == [after]


def test_the_printed_addresses_open_a_form_a_kiosk_and_the_posters(running):
    _, _, printed = running
    printed = " ".join(printed.split())
    form, kiosk, posters = (
        re.search(rf"{name} (http://\S+)", printed).group(1)
        for name in ("Form", "Kiosk", "Posters")
    )
    assert "Phường Vũng Tàu" in httpx.get(form).text
    assert httpx.get(kiosk).status_code == 200
    base = kiosk.removesuffix("/kiosk")
    code = re.search(r"pairing code (\w+)", printed).group(1)
    paired = httpx.post(f"{base}/api/v1/pairings", json={"code": code}).json()
    device = {"Authorization": f"Bearer {paired['secret']}"}
    asked = httpx.get(f"{base}/api/v1/kiosk", headers=device).json()
    assert asked["questionnaire"]["code"] == "kiosk-face"
    # The posters want somebody who has signed in.
    away = httpx.get(posters, headers={"Accept": "text/html"})
    assert away.headers["location"].startswith("/sign-in")


def test_the_demonstration_prints_every_units_rate_and_says_that_it_is_synthetic(running):
    folder, port, printed = running
    assert "MÔ PHỎNG" in printed and "SYNTHETIC" in printed
    for name in (
        "79 Thành phố Hồ Chí Minh", "26506 Phường Vũng Tàu", "AG17 Sở Y tế", "sipas-desk",
        "moh-inpatient",
    ):  # fmt: skip
        assert name in printed
    key = (folder / "reader.key").read_text()
    assert key in printed and (folder / "reader.key").stat().st_mode & 0o077 == 0
    answer = httpx.get(
        f"http://127.0.0.1:{port}/api/v1/satisfaction",
        params={"by": "unit", "questionnaire": "sipas-desk"},
        headers={"Authorization": f"Bearer {key}"},
    ).json()
    assert answer["synthetic"] is True
    with_answers = {row["unit"]["code"] for row in answer["rows"] if row["respondents"]}
    assert len(with_answers) >= 15 + 30


def test_a_second_start_takes_what_is_there(running):
    folder, _, _ = running
    url = f"sqlite:///{folder / 'hailong.db'}"
    with closing(Database(url)) as database, database.reading() as session:
        stored = count_responses(session)
    assert stored >= 3000
    done = subprocess.run(
        demo(folder, free_port(), "--stop"), cwd=ROOT, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    assert re.findall(r"([\d,]+) responses", done.stdout) == [f"{stored:,}"]
    assert "over HTTP" not in done.stderr  # nothing is sent again


def test_the_province_of_2020_is_one_setting_away_and_goes_on_where_it_was_cut_off(tmp_path):
    folder, port = tmp_path / "demo", free_port()
    environment = os.environ | {"HAILONG_DEMONSTRATION_PROVINCE": "2020"}
    process = subprocess.Popen(
        demo(folder, port), cwd=ROOT, stderr=subprocess.DEVNULL, start_new_session=True,
        env=environment,
    )  # fmt: skip
    while not (folder / "hailong.db").exists():
        time.sleep(0.02)
    time.sleep(1.5)
    os.killpg(process.pid, signal.SIGKILL)  # the command and its server
    process.wait()
    done = subprocess.run(
        demo(folder, free_port(), "--stop"), cwd=ROOT, capture_output=True, text=True, timeout=240,
        env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert re.findall(r"([\d,]+) responses, ready", done.stdout) == ["3,000"]
    for name in ("77 Tỉnh Bà Rịa", "747 Thành phố Vũng Tàu", "26506 Phường 1", "Phường Thắng Tam"):
        assert name in done.stdout
    assert "cuuchutich" not in done.stdout and "of the desk of Phường 1, unit" in done.stdout


def test_a_taken_port_is_said_so(running):
    folder, port, _ = running
    done = subprocess.run(
        demo(folder.parent / "other", port), cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert f"port {port} is taken" in done.stderr and "Traceback" not in done.stderr
    assert not (Path(folder.parent) / "other").exists()
