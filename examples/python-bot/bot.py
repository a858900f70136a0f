"""A bot that answers in one room: !ping, !time, !roll 2d6, !echo, !remind. See README.md."""

import base64
import json
import os
import queue
import random
import re
import sys
import threading
import time
from datetime import UTC, datetime

import socketio

ACK_TIMEOUT_S = 10
HELP = "I know !ping, !time, !roll 2d6, !echo text and !remind 30s text."


def user_of(token: str):
    """Who we are, as the token says, so that we do not answer ourselves."""
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["user_id"]


class Bot:
    """Handlers of python-socketio run in threads of their own; they only put work into one queue. What talks to the
    server is the one thread that takes it out, so that things happen one after the other."""

    def __init__(self, url: str, token: str, room_id: str | int):
        self.url, self.token, self.room_id = url, token, room_id
        self.me = user_of(token)
        self.rev = None  # the newest revision of the room that we have seen; unknown until we are in it
        self.work = queue.Queue()
        self.connected = threading.Event()
        self.sio = socketio.Client()
        self.sio.on("connect", self.on_connect)
        self.sio.on("disconnect", self.on_disconnect)
        self.sio.on("connect_error", self.on_connect_error)
        self.sio.on("new_message", lambda message: self.work.put((self.hear, message)))
        self.sio.on("user_joined", lambda joined: self.work.put((self.greet, joined)))
        self.sio.on("error", lambda error: print(error["message"], file=sys.stderr))

    def run(self):
        self.sio.connect(self.url, auth={"token": self.token}, transports=["websocket"])
        while True:
            act, *arguments = self.work.get()
            act(*arguments)

    # --- The connection: python-socketio reconnects by itself ---------------------------------------------------------

    def on_connect(self):
        self.connected.set()
        self.work.put((self.join,))

    def on_disconnect(self, *reason):
        self.connected.clear()
        print("disconnected:", *reason)

    def on_connect_error(self, error):
        message = error.get("message", "") if isinstance(error, dict) else str(error)
        print("cannot connect:", message, file=sys.stderr)
        if message.startswith("unauthorized"):
            self.work.put((sys.exit, 1))

    def request(self, event: str, data: dict) -> dict:
        """Asks until there is an answer. Only for what may be asked twice."""
        while True:
            self.connected.wait()
            try:
                return self.sio.call(event, data, timeout=ACK_TIMEOUT_S)
            except socketio.exceptions.SocketIOError as lost:
                print(f"{event}: no answer, trying again ({type(lost).__name__})", file=sys.stderr)
                time.sleep(0.5)

    def join(self):
        since = {} if self.rev is None else {"since": self.rev}
        ack = self.request("join_room", {"room_id": self.room_id, **since})
        if not ack["success"]:
            sys.exit(f"cannot enter the room: {ack['message']}")
        print("in", ack["room"]["name"], flush=True)
        # The first time there is nothing to catch up with: what was said before we came is not for us.
        for message in ack.get("changes", []):
            self.hear(message)
        self.rev = max(self.rev or 0, ack["rev"])

    # --- What it hears and says ---------------------------------------------------------------------------------------

    def hear(self, message: dict):
        if message["room_id"] != self.room_id:
            return
        if self.rev is not None:
            self.rev = max(self.rev, message["rev"])
        if message["user_id"] != self.me:
            text = self.answer(message)
            if text:
                self.say(text, f"answer-{message['id']}")

    def greet(self, joined: dict):
        if joined["room_id"] != self.room_id or joined["user_id"] == self.me:
            return
        # Also sent when somebody only reconnects: the client_id makes it one greeting a day.
        client_id = f"hello-{datetime.now(UTC):%Y-%m-%d}-{json.dumps(joined['user_id'])}"
        self.say(f"Hello {joined['username']}! {HELP}", client_id[:128])

    def say(self, text: str, client_id: str):
        """`client_id` names what is said, not the attempt: the server stores one message of each. So what was not
        acknowledged is simply sent again, and a bot that is started twice still answers once."""
        message = {"room_id": self.room_id, "message": text, "client_id": client_id}
        ack = self.request("chat_message", message)
        while "retry_after_ms" in ack:
            time.sleep(ack["retry_after_ms"] / 1000)
            ack = self.request("chat_message", message)
        if not ack["success"]:
            print(f"not sent ({ack['code']}): {text}", file=sys.stderr)

    def answer(self, message: dict) -> str | None:
        command = re.fullmatch(r"!(\w+)\s*(.*)", message["message"], re.DOTALL)
        if not command:
            return None
        match command.groups():
            case "ping", _:
                return "pong"
            case "time", _:
                return f"It is {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}."
            case "roll", dice:
                return roll(dice or "1d6")
            case "echo", text:
                # Never the bare text: it could be a command for another bot, and theirs one for us, for ever.
                return f"You said: {text}"
            case "remind", rest:
                return self.remind(rest, message)
            case "help", _:
                return HELP
        return None

    def remind(self, rest: str, message: dict) -> str:
        """Reminders live in this process only: a real bot would store them."""
        wish = re.fullmatch(r"(\d{1,4})([smh])\s+(.+)", rest, re.DOTALL)
        if not wish:
            return "Say it like !remind 30s look after the tea."
        number, unit, text = wish.groups()
        text = f"{message['username']}, you wanted to be reminded: {text}"
        seconds = int(number) * {"s": 1, "m": 60, "h": 3600}[unit]
        timer = threading.Timer(seconds, self.work.put, [(self.say, text, f"reminder-{message['id']}")])
        timer.daemon = True
        timer.start()
        return f"I will, in {number} {unit}."


def roll(dice: str) -> str:
    match = re.fullmatch(r"(\d{1,2})d(\d{1,4})", dice.strip())
    count, sides = map(int, match.groups()) if match else (0, 0)
    if count < 1 or sides < 2:
        return "Say it like 2d6: two dice with six sides."
    rolls = [random.randint(1, sides) for _ in range(count)]
    return " + ".join(map(str, rolls)) + (f" = {sum(rolls)}" if count > 1 else "")


def main():
    token = os.environ.get("CONFAB_TOKEN")
    if len(sys.argv) not in (2, 3) or not token:
        sys.exit("usage: CONFAB_TOKEN=… python bot.py <room id> [server address]")
    room = sys.argv[1]
    url = sys.argv[2] if len(sys.argv) == 3 else "http://127.0.0.1:3000"
    try:
        # Ids keep their JSON type: room 7 and room "7" are two.
        Bot(url, token, int(room) if re.fullmatch(r"[0-9]{1,15}", room) else room).run()
    except socketio.exceptions.ConnectionError:
        sys.exit(1)  # on_connect_error has said why
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
