"""The contract from python-socketio, another implementation of the protocol: python3 smoke.py URL TOKEN ROOM"""

import queue
import sys

import socketio

DEADLINE_S = 10


def smoke(url: str, token: str, room: str, transport: str) -> None:
    messages: queue.Queue = queue.Queue()
    errors: queue.Queue = queue.Queue()
    client = socketio.Client(reconnection=False)
    client.on("new_message", messages.put)
    client.on("error", errors.put)
    client.connect(url, auth={"token": token}, transports=[transport], wait_timeout=DEADLINE_S)
    try:
        assert client.transport() == transport, client.transport()

        joined = client.call("join_room", {"room_id": room}, timeout=DEADLINE_S)
        assert joined["success"] is True and joined["room_id"] == room, joined

        text = f"from Python by {transport} 🐍"
        said = client.call("chat_message", {"room_id": room, "message": text}, timeout=DEADLINE_S)
        assert said["success"] is True and said["message"]["message"] == text, said

        heard = messages.get(timeout=DEADLINE_S)
        assert heard == said["message"], (heard, said)

        refused = client.call("chat_message", {"room_id": room}, timeout=DEADLINE_S)
        assert refused["success"] is False and refused["code"] == "invalid_payload", refused
        assert isinstance(refused["message"], str), refused

        client.emit("no_such_event", {})
        error = errors.get(timeout=DEADLINE_S)
        assert error["code"] == "unknown_event", error
    finally:
        client.disconnect()


def refused_without_a_good_token(url: str) -> None:
    client = socketio.Client(reconnection=False)
    reasons: queue.Queue = queue.Queue()
    client.on("connect_error", reasons.put)
    try:
        client.connect(url, auth={"token": "garbage"}, transports=["websocket"], wait_timeout=DEADLINE_S)
    except socketio.exceptions.ConnectionError:
        pass
    else:
        raise AssertionError("a bad token was let in")
    reason = reasons.get(timeout=DEADLINE_S)
    assert reason["message"].startswith("unauthorized: "), reason


if __name__ == "__main__":
    url, token, room = sys.argv[1:]
    for transport in ("websocket", "polling"):
        smoke(url, token, room, transport)
    refused_without_a_good_token(url)
