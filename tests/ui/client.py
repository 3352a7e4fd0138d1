"""Calls the page's callbacks as the browser does, without one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dash import Dash

PRESSED = "pressed"  # among the values: the id of a button of a pattern


class Client:
    """One visitor of an app."""

    def __init__(self, app: Dash) -> None:
        self.app = app
        self.http = app.server.test_client()
        self.callbacks = self.http.get("/_dash-dependencies").get_json()

    def call(self, output: str, values: Mapping[str, Any], *triggers: str) -> Any:
        """Runs the callback that writes `output` ("id.property"); its answer, parsed.

        Args:
            output: one of the callback's outputs.
            values: "id.property" → value, for its inputs and states; the others are null.
            triggers: the inputs that changed.
        """
        callback = next(each for each in self.callbacks if output in names(each["output"]))
        body = {
            "output": callback["output"],
            "outputs": outputs(callback["output"]),
            "inputs": [filled(each, values) for each in callback["inputs"]],
            "state": [filled(each, values) for each in callback["state"]],
            "changedPropIds": list(triggers),
        }
        answer = self.http.post("/_dash-update-component", json=body)
        return Answer(answer.status_code, answer.get_json(silent=True))

    def press(self, output: str, values: Mapping[str, Any], button: str | dict[str, str]) -> Any:
        """Runs the callback that writes `output` as a click on a button does.

        A button with an id of several parts is the only one there of its pattern.
        """
        if isinstance(button, str):
            return self.call(output, {**values, f"{button}.n_clicks": 1}, f"{button}.n_clicks")
        name = json.dumps(button, sort_keys=True, separators=(",", ":"))
        return self.call(output, {**values, PRESSED: button}, f"{name}.n_clicks")

    def page(self, query: Mapping[str, str] | None = None, path: str = "/") -> str:
        """A page's layout as JSON text, for a link with that query."""
        text = "&".join(f"{name}={value}" for name, value in (query or {}).items())
        values = {"_pages_location.pathname": path, "_pages_location.search": f"?{text}"}
        return json.dumps(self.call("_pages_content.children", values).body, ensure_ascii=False)


class Answer:
    """What a callback answered."""

    def __init__(self, status: int, body: Any) -> None:
        self.status = status
        self.body = body

    def __getitem__(self, place: str) -> Any:
        component, name = place.rsplit(".", 1)
        return self.body["response"][component][name]

    @property
    def notice(self) -> str | None:
        """What the page tells the user, where it tells anything."""
        side = (self.body or {}).get("sideUpdate", {})
        return side.get("shell-notice", {}).get("data", {}).get("text")


def names(output: str) -> list[str]:
    """The places that an output's text form names."""
    return [part.split("@")[0] for part in output.strip(".").split("...")]


def outputs(output: str) -> Any:
    places = [dict(zip(("id", "property"), each.rsplit(".", 1), strict=True))
              for each in output.strip(".").split("...")]  # fmt: skip
    return places if output.startswith("..") else places[0]


def filled(place: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
    if place["id"].startswith("{"):  # all components of a pattern: the pressed one or none
        pressed = values.get(PRESSED)
        item = {"id": pressed, "property": place["property"], "value": 1}
        return [item] if pressed else []
    name = f"{place['id']}.{place['property']}"
    return {"id": place["id"], "property": place["property"], "value": values.get(name)}
