"""`flowviz serve`: the page, on this machine or for visitors."""

from __future__ import annotations

import argparse


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declares the command."""
    command = commands.add_parser("serve", help="open the page in a browser")
    command.add_argument("--host", default="127.0.0.1", help="address to listen on")
    command.add_argument("--port", type=_port, default=8050, help="port to listen on")
    command.add_argument(
        "--models",
        metavar="NAME[=SOURCE],…",
        help="the models to offer, the default first: known names, hub names, or NAME=FOLDER "
        "(default: the environment's FLOWVIZ_MODELS, else demo)",
    )
    command.add_argument("--open", action="store_true", help="open the browser too")
    command.add_argument("--debug", action="store_true", help="reload on changes; for developers")
    command.set_defaults(run=run)


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no port; it takes a number from 1 to 65535")


def run(chosen: argparse.Namespace) -> int:
    """Serves until it is stopped."""
    from flowviz.models.catalogue import Catalogue

    catalogue = (
        Catalogue.of(chosen.models.split(",")) if chosen.models else Catalogue.from_environment()
    )
    print("Starting flowviz …", flush=True)
    from flowviz.app import create_app
    from flowviz.session import Session

    session = Session(catalogue)
    session.preload()
    app = create_app(session, debug=chosen.debug)
    address = f"http://{chosen.host}:{chosen.port}/"
    print(f"flowviz is at {address} (stop it with Ctrl+C)", flush=True)
    if chosen.open:
        _open_soon(address)
    if chosen.debug:
        app.run(chosen.host, chosen.port, debug=True, dev_tools_disable_version_check=True)
    else:
        _serve(app, chosen.host, chosen.port)
    return 0


def _open_soon(address: str) -> None:
    import threading
    import webbrowser

    threading.Timer(1.0, webbrowser.open, [address]).start()


def _serve(app: object, host: str, port: int) -> None:
    from werkzeug.serving import make_server

    make_server(host, port, app.server, threaded=True).serve_forever()
