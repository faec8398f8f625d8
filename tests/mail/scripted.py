"""A mail server that reads its answers from a sheet."""

from __future__ import annotations

import socket
import threading

HELLO = [b"220 hi\r\n", b"250 hi\r\n"]
OK, GO = b"250 ok\r\n", b"354 go\r\n"
TO_THE_DOT = [*HELLO, OK, OK, GO]


class scripted:  # noqa: N801 (used as a function)
    """A server that says its lines whatever it hears, then hangs up."""

    def __init__(self, says: list[bytes], pause: float = 0.0) -> None:
        self.says, self.pause = says, pause
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.over = threading.Event()

    def __enter__(self) -> int:
        threading.Thread(target=self._serve, daemon=True).start()
        port: int = self.listener.getsockname()[1]
        return port

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.listener.close()

    def _serve(self) -> None:
        line, _ = self.listener.accept()
        with line:
            for number, words in enumerate(self.says):
                if number and not (dripping := self.pause and number > len(TO_THE_DOT)):
                    self._hear(line, b"\r\n.\r\n" if number == len(TO_THE_DOT) else b"\r\n")
                elif number and dripping and self.over.wait(self.pause):
                    return
                try:
                    line.sendall(words)
                except OSError:
                    return
            if len(self.says) == len(TO_THE_DOT):
                self._hear(line, b"\r\n.\r\n")

    @staticmethod
    def _hear(line: socket.socket, end: bytes) -> None:
        heard = b""
        while not heard.endswith(end):
            more = line.recv(65536)
            if not more:
                return
            heard += more
