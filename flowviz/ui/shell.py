"""The frame around every page: name, navigation, light and dark, help, notices."""

from __future__ import annotations

from typing import Any

import dash
import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html

from flowviz.ui.dom import attributes
from flowviz.ui.guide import help_dialog
from flowviz.ui.ids import Shell
from flowviz.ui.notice import notice_box

FONT = (
    'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif'
)
MONOSPACE = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace'
THEME: Any = {
    "fontFamily": FONT,
    "fontFamilyMonospace": MONOSPACE,
    "primaryColor": "violet",
    "primaryShade": {"light": 7, "dark": 4},
    "autoContrast": True,
    "defaultRadius": "sm",
    "cursorType": "pointer",
}


def frame() -> dmc.MantineProvider:
    """The whole page but for what `pages/` puts into it."""
    return dmc.MantineProvider(
        html.Div(
            [
                dcc.Store(id=Shell.THEME),
                dcc.Store(id=Shell.VISITOR),
                dcc.Store(id=Shell.NOTICE),
                dcc.Store(id=Shell.NOT_KEPT),
                html.A("Skip to the graph", href="#main", className="skip"),
                _header(),
                notice_box(),
                html.Main(dash.page_container, id="main"),
                help_dialog(),
            ],
            className="frame",
        ),
        id=Shell.PROVIDER,
        theme=THEME,
    )


def _header() -> html.Header:
    return html.Header(
        [
            html.Div([html.Span(className="mark"), "flowviz"], className="brand"),
            html.Nav(_links(), className="pages", **attributes(aria_label="Pages")),
            html.Div(className="tools"),
            html.Button(
                html.Span(className="icon icon-theme"),
                id=Shell.THEME_BUTTON,
                className="ghost",
                type="button",
                title="Light or dark",
                **attributes(aria_label="Switch between light and dark"),
            ),
            html.Button(
                html.Span(className="icon icon-help"),
                id=Shell.HELP_BUTTON,
                className="ghost",
                type="button",
                title="How to read the graph, and the keys (?)",
                **attributes(aria_label="Help"),
            ),
        ],
        className="masthead",
    )


def _links() -> list[dcc.Link]:
    pages = sorted(dash.page_registry.values(), key=lambda page: page.get("order") or 0)
    return [dcc.Link(page["name"], href=page["relative_path"]) for page in pages]


def connect(app: Dash) -> None:
    """The frame's own callbacks, all in the browser (`assets/shell.js`)."""
    app.clientside_callback(
        ClientsideFunction("shell", "start"),
        Output(Shell.THEME, "data"),
        Output(Shell.PROVIDER, "forceColorScheme"),
        Output(Shell.VISITOR, "data"),
        Input(Shell.THEME_BUTTON, "n_clicks"),
        State(Shell.THEME, "data"),
        State(Shell.VISITOR, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("shell", "notice"),
        Output(Shell.NOTICE_BOX, "hidden"),
        Output(Shell.NOTICE_TITLE, "children"),
        Output(Shell.NOTICE_TEXT, "children"),
        Input(Shell.NOTICE, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("shell", "dismiss"),
        Output(Shell.NOTICE, "data"),
        Input(Shell.NOTICE_CLOSE, "n_clicks"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("shell", "help"),
        Output(Shell.HELP, "opened"),
        Input(Shell.HELP_BUTTON, "n_clicks"),
        prevent_initial_call=True,
    )
