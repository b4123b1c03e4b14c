"""What nobody can be faster than: Python's own `http.client`, and sockets that are told the bytes.

They do the same exchange as everyone with next to no work of their own, so they tell what the server can give.
"""

from __future__ import annotations

import http.client
import json
import selectors
import socket
from urllib.parse import urlsplit

from scripts.benchmarks.sides import Reading, Side, Target, repeated

_CONNECTIONS = 100


def sides(target: Target) -> dict[str, Side]:
    """All sides."""
    address = (urlsplit(target.base_url).hostname, urlsplit(target.base_url).port)
    sent, body, whole = target.ask, target.ask.body.encode(), target.ask.encoded()
    client = http.client.HTTPConnection(urlsplit(target.base_url).netloc)
    one = socket.create_connection(address)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def http_client() -> object:
        client.request("POST", sent.path, body, sent.headers)
        return json.loads(client.getresponse().read())

    def raw() -> None:
        one.sendall(whole)
        answered(one)

    def at_once(calls: int) -> Reading:
        # The request of the next one goes out when the answer of the last one is in, on each connection.
        connections = [socket.create_connection(address) for _ in range(min(calls, _CONNECTIONS))]
        waiting = selectors.DefaultSelector()
        for connection in connections:
            waiting.register(connection, selectors.EVENT_READ)
            connection.sendall(whole)
        to_send, answers = calls - len(connections), 0
        while answers < calls:
            for key, _ in waiting.select():
                assert isinstance(key.fileobj, socket.socket)
                answered(key.fileobj)
                answers += 1
                if to_send:
                    to_send -= 1
                    key.fileobj.sendall(whole)
        for connection in connections:
            connection.close()
        return Reading(calls)

    return {"ask, http.client": repeated(http_client), "ask, socket": repeated(raw), "asks": at_once}


def answered(connection: socket.socket) -> None:
    """Reads one answer, which says how long it is."""
    received = connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    missing = int(head.rpartition(b"Content-Length: ")[2]) - len(body)
    while missing > 0:
        missing -= len(connection.recv(65536))
