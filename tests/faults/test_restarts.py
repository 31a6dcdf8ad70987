"""F20: the web server's processes are replaced while people use it."""

import http.client
import signal
import threading
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.server import Server


def processes(pid: int) -> set[str]:
    return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def test_f20_no_request_fails_while_the_processes_are_replaced(server: Server) -> None:
    address = urlsplit(server.url)
    stop = threading.Event()
    answers: list[object] = []

    def ask() -> None:
        while not stop.wait(0.02):
            connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
            try:
                connection.request("GET", "/healthz")
                answers.append(connection.getresponse().status)
            except OSError as error:
                answers.append(repr(error))
            finally:
                connection.close()

    assert server.web is not None
    web = server.web
    before = processes(web.pid)
    asking = threading.Thread(target=ask)
    asking.start()
    try:
        web.signal(signal.SIGHUP)
        web.wait_until(lambda: not before & processes(web.pid), what="replaced")
    finally:
        stop.set()
        asking.join()
    assert len(answers) > 50
    assert set(answers) == {200}
