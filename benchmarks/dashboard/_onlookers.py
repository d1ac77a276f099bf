"""Those who look on, in a process of their own: they read all they are told, or never read.

It ends when its standard input does, and says how many patches were read.
"""

import contextlib
import selectors
import socket
import sys
from typing import Final

PATH: Final = "/experiments/"
_LEAST: Final = 4096
"""So little is kept for one that does not read, as far as the system lets us say so."""
_MARK: Final = b"event: patch\n"


def main(port: int, how_many: int, reads: bool) -> int:
    """Look on until the end of the standard input; return how many patches were read."""
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
        clients = [stack.enter_context(_connect(port, reads)) for _ in range(how_many)]
        for client in clients if reads else []:
            selector.register(client, selectors.EVENT_READ)
        selector.register(sys.stdin, selectors.EVENT_READ)
        ends = dict.fromkeys(clients, b"")
        patches = 0
        while True:
            for key, _ in selector.select():
                if not isinstance(key.fileobj, socket.socket):
                    return patches
                client = key.fileobj
                told = client.recv(1 << 20)
                if not told:
                    selector.unregister(client)
                whole = ends[client] + told
                patches += whole.count(_MARK)
                ends[client] = whole[-len(_MARK) + 1 :]


def _connect(port: int, reads: bool) -> socket.socket:
    client = socket.socket()
    if not reads:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _LEAST)
    client.connect(("127.0.0.1", port))
    client.sendall(f"GET {PATH}api/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    return client


if __name__ == "__main__":
    print(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "reads"))
