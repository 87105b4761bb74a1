"""Free ports of the machine, for servers that are told theirs before they start."""

import collections
import random
import socket

# Below the range from which the kernel takes the near end of connections, of which tests under load make many: a port
# of that range can be gone before its server has started.
_FIRST, _LAST = 20_000, 29_999
_TRIES = 200
_DICE = random.SystemRandom()  # others look at the same time, and hypothesis seeds the usual one
# A server listens a while after its port was found, and other processes look meanwhile. So a port is claimed for them
# all by a name that the kernel gives once and frees with its process; after so many later ones the server listens.
_CLAIMS: collections.deque[socket.socket] = collections.deque(maxlen=128)


def free_port() -> int:
    """Return a port of loopback that nobody listens on, neither by TCP nor by UDP, and that nobody else gets from here.

    Raises:
        OSError: none was found.
    """
    for _ in range(_TRIES):
        port = _DICE.randint(_FIRST, _LAST)
        if _claim(port) and all(_is_free(port, kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)):
            return port
    raise OSError(f"no free port between {_FIRST} and {_LAST}")


def _claim(port: int) -> bool:
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0bluegreen-port-{port}")  # of the abstract kind: no file stays behind
    except OSError:
        claim.close()
        return False
    _CLAIMS.append(claim)
    return True


def _is_free(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
