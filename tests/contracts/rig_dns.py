"""Two small name servers on loopback, blue and green, whose manners a test changes while they serve."""

import socket
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from rig_http import Manners

from bluegreen.model.refs import Side

QUESTION = "www.shop.test"


class SmallNameServer:
    """One side's name server, over UDP; it keeps its port while it is down. A status of 500 and more is SERVFAIL."""

    def __init__(self, side: Side) -> None:
        self.side, self.manners, self.port = side, Manners(), 0
        self._socket: socket.socket | None = None
        self._gone = threading.Event()
        self.start()

    def start(self) -> None:
        if self._socket is None:
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._socket.bind(("127.0.0.1", self.port))
            self._socket.settimeout(0.05)
            self.port, self._gone = self._socket.getsockname()[1], threading.Event()
            self._thread = threading.Thread(target=self._serve, args=(self._socket, self._gone), daemon=True)
            self._thread.start()

    def stop(self) -> None:
        if self._socket is not None:
            self._gone.set()
            self._thread.join(5)
            self._socket.close()
            self._socket = None

    def _serve(self, own: socket.socket, gone: threading.Event) -> None:
        while not gone.is_set():
            try:
                wire, client = own.recvfrom(4096)
            except TimeoutError:
                continue
            self.manners.served += 1
            if not gone.wait(self.manners.delay):
                own.sendto(self._answer(wire), client)

    def _answer(self, wire: bytes) -> bytes:
        answer = dns.message.make_response(dns.message.from_wire(wire))
        if self.manners.status >= 500:
            answer.set_rcode(dns.rcode.SERVFAIL)
        else:
            answer.answer.append(dns.rrset.from_text(f"{QUESTION}.", 5, "IN", "A", "192.0.2.1"))
        whole = answer.to_wire()
        return whole[: len(whole) // 2] if self.manners.breaks_off else whole


def two_name_servers() -> dict[Side, SmallNameServer]:
    return {side: SmallNameServer(side) for side in Side}
