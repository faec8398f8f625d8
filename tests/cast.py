"""The people of every test."""

from __future__ import annotations

import re
from typing import NamedTuple

from flask import Flask
from flask.testing import FlaskClient

from portal.accounts.models import Person
from portal.core.actor import Actor
from portal.demo import PASSWORD


class Cast:
    """Who is who."""

    def __init__(self, people: dict[str, Person]) -> None:
        self.fatma = people["buyer@demo.tr"]
        self.deniz = people["seller@demo.tr"]
        self.ece = people["seller2@demo.tr"]
        self.cem = people["packer@demo.tr"]
        self.ayse = people["finance@demo.tr"]
        self.burak = people["broker@demo.tr"]
        self.gul = people["admin@demo.tr"]
        self.everybody = list(people.values())


def actor(person: Person) -> Actor:
    """As history will name them."""
    return Actor(person.full_name, person.id)


def csrf(page: str) -> str:
    """The token of a page's first form."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found, "no form on this page"
    return found[1]


def sign_in(app: Flask, person: Person) -> Browser:
    """A browser in which the person is signed in, through the real form."""
    client = app.test_client()
    page = client.get("/sign-in").text
    form = {"email": person.email, "password": PASSWORD, "csrf_token": csrf(page)}
    answer = client.post("/sign-in", data=form)
    assert answer.status_code == 303, answer.text
    home = client.get(answer.headers["Location"])
    return Browser(client, csrf(home.text))


class Browser(NamedTuple):
    """A signed-in browser that knows its CSRF token."""

    client: FlaskClient
    token: str

    def get(self, url: str) -> tuple[int, str]:
        """Status and page."""
        answer = self.client.get(url)
        return answer.status_code, answer.text

    def post(self, url: str, **form: str) -> tuple[int, str]:
        """Status, and where it leads to (or the page)."""
        answer = self.client.post(url, data={**form, "csrf_token": self.token})
        return answer.status_code, answer.headers.get("Location", answer.text)


class Machine(NamedTuple):
    """An API client with its bearer token."""

    client: FlaskClient
    token: str

    def headers(self, **more: str) -> dict[str, str]:
        """With the token."""
        return {"Authorization": f"Bearer {self.token}", **{k.replace("_", "-"): v for k, v in more.items()}}


def api(app: Flask, person: Person) -> Machine:
    """The person's API client, through the real token route."""
    client = app.test_client()
    answer = client.post("/api/v2/token/", json={"email": person.email, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return Machine(client, answer.get_json()["access_token"])
