"""Health, the interface's documentation without a CDN, and what a problem means."""

import re

from app.problems import Problem


def test_health(client):
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ok"}


def test_the_documentation_comes_from_this_server_alone(client):
    assert client.get("/", follow_redirects=True).url.path == "/sign-in"
    page = client.get("/docs").text
    addresses = re.findall(r"""(?:src|href)=["']([^"']+)["']""", page)
    assert addresses and all(address.startswith("/") for address in addresses)
    for address in addresses:
        assert client.get(address).status_code == 200
    document = client.get("/openapi.json").json()
    assert document["info"]["title"] == "Hài Lòng"
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert "Who:" in operation["description"], path


def test_every_problem_explains_itself_at_its_address(client):
    for code, problem in Problem.catalogue.items():
        meaning = client.get(f"/problems/{code}").json()
        assert meaning["status"] == problem.status
        assert meaning["title"]["vi"] and meaning["title"]["en"] and meaning["meaning"]
    answer = client.get("/problems/none")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


def test_refusals_of_the_framework_are_problems_too(client):
    answer = client.get("/no/such/address")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    answer = client.delete("/healthz")
    assert (answer.status_code, answer.json()["type"]) == (405, "/problems/method-not-allowed")
    assert answer.headers["content-type"] == "application/problem+json"
