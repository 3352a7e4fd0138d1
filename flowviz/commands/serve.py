"""`flowviz serve`: the page, on this machine or for visitors."""

from __future__ import annotations

import argparse
import contextlib
import logging
import signal
import socket
from typing import TYPE_CHECKING

from flowviz.commands.options import add_placement
from flowviz.errors import FlowvizError

if TYPE_CHECKING:
    from flask import Flask


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declares the command."""
    command = commands.add_parser("serve", help="open the page in a browser")
    command.add_argument("--host", default="127.0.0.1", help="address to listen on")
    command.add_argument("--port", type=_port, default=8050, help="port to listen on")
    command.add_argument(
        "--models",
        metavar="NAME[=SOURCE],…",
        help="the models to offer, the default first: known names, hub names, folders, adapters "
        "as ADAPTER@BASE, each as it is or as NAME=SOURCE "
        "(default: the environment's FLOWVIZ_MODELS, else demo,demo-bert)",
    )
    command.add_argument(
        "--contexts",
        metavar="NAME=STORE,…",
        help="corpora to search for contexts beside the demo's, each a folder that "
        "`contexts build` made (default: the environment's FLOWVIZ_CONTEXTS)",
    )
    command.add_argument(
        "--factors",
        metavar="NAME=FOLDER,…",
        help="dictionaries of factors beside those that ship, each a folder that `factors train` "
        "made or one of SAELens (default: the environment's FLOWVIZ_FACTORS)",
    )
    add_placement(command)
    command.add_argument("--open", action="store_true", help="open the browser too")
    command.add_argument("--debug", action="store_true", help="reload on changes; for developers")
    command.set_defaults(run=run)


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) < 65536:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no port; it takes a number from 1 to 65535")


def run(chosen: argparse.Namespace) -> int:
    """Serves until it is stopped; a port that is taken is told before the model is loaded."""
    from flowviz.settings import Settings
    from flowviz.wsgi import make_app

    settings = Settings.from_environment(
        models=chosen.models,
        device=chosen.device,
        dtype=chosen.dtype,
        contexts=chosen.contexts,
        factors=chosen.factors,
    )
    if chosen.debug:
        app = make_app(settings, debug=True)
        app.run(chosen.host, chosen.port, debug=True, dev_tools_disable_version_check=True)
        return 0
    signal.signal(signal.SIGTERM, _interrupt)
    with _listener(chosen.host, chosen.port) as listener, contextlib.suppress(KeyboardInterrupt):
        print("Starting flowviz …", flush=True)
        _serve(make_app(settings).server, listener, chosen)
    print("flowviz has stopped.", flush=True)
    return 0


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _listener(host: str, port: int) -> socket.socket:
    """A socket that holds the address. Raises FlowvizError where it cannot be had."""
    listener = None
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        return listener
    except (OSError, UnicodeError) as error:
        if listener is not None:
            listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise FlowvizError(
            f"flowviz cannot listen on {host}, port {port}: {reason}. Choose another with --port "
            "(or --host), or stop what listens there."
        ) from None


def _serve(application: Flask, listener: socket.socket, chosen: argparse.Namespace) -> None:
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # not a line for each request
    listener.listen(128)
    server = make_server(chosen.host, chosen.port, application, threaded=True, fd=listener.fileno())
    address = f"http://{chosen.host}:{chosen.port}/"
    print(f"flowviz is at {address} (stop it with Ctrl+C)", flush=True)
    if chosen.open:
        _open(address)
    server.serve_forever()


def _open(address: str) -> None:
    import threading
    import webbrowser

    threading.Thread(target=webbrowser.open, args=[address], daemon=True).start()
