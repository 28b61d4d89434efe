"""usage: picture.py BINARY OUT.png    a class of six, from the real page"""

import asyncio
import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from playwright.async_api import async_playwright

from browsers import Browsers, Person, expect, poll
from server import Server

SESSION = "linear-algebra"
TEACHER = ("ada", "Ada Lovelace")
# Name, and the colours of the room they sit in; None has no camera.
STUDENTS = [
    ("Grace Hopper", ["#7f8fa6", "#dfe4ea", "#d9a27e", "#2f3640", "#8c8f94"]),
    ("Alan Turing", ["#8a9a5b", "#e8ead9", "#e0ac8a", "#3d4a2a", "#4a3526"]),
    ("Katherine Johnson", ["#b08968", "#f1e3d3", "#7a4a2b", "#7a2e3a", "#1d1613"]),
    ("Emmy Noether", None),
    ("Srinivasa Ramanujan", ["#6d7f8c", "#d6dee2", "#8d5a3a", "#e1b12c", "#16110f"]),
]
# Who says what, and which message it answers.
PINNED = "Today: A·v = λ·v"
QUESTION = "So the direction stays, and only the length changes?"
CHAT = [
    (0, PINNED, None),
    (3, "The arrows that do not turn!", None),
    (2, QUESTION, None),
    (0, "Exactly. λ says by how much.", QUESTION),
    (5, "And if λ is negative, it points the other way. Nice!", None),
]

# A drawn person before a drawn wall, in place of the test picture that browsers offer as a camera.
CAMERA = """([wall, light, skin, shirt, hair]) => {
  navigator.mediaDevices.getUserMedia = async ({ video }) => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [480, 270];
    const paint = canvas.getContext('2d');
    const blob = (color, x, y, width, height) => {
      paint.fillStyle = color;
      paint.beginPath();
      paint.ellipse(x, y, width, height, 0, 0, 7);
      paint.fill();
    };
    const draw = () => {
      const sway = Math.sin(performance.now() / 900) * 3;
      const room = paint.createLinearGradient(0, 0, 480, 270);
      room.addColorStop(0, light);
      room.addColorStop(1, wall);
      paint.fillStyle = room;
      paint.fillRect(0, 0, 480, 270);
      paint.fillStyle = 'rgb(255 255 255 / 35%)';
      paint.fillRect(28, 26, 96, 120);
      paint.fillStyle = 'rgb(0 0 0 / 8%)';
      paint.fillRect(372, 70, 84, 6);
      paint.fillRect(380, 34, 12, 36);
      paint.fillRect(396, 42, 10, 28);
      paint.fillRect(410, 30, 14, 40);
      blob(shirt, 240 + sway / 2, 298, 118, 96);
      blob(skin, 240 + sway, 196, 24, 40);
      blob(hair, 240 + sway, 112, 56, 62);
      blob(skin, 240 + sway, 128, 46, 56);
      paint.fillStyle = hair;
      paint.beginPath();
      paint.ellipse(240 + sway, 98, 50, 34, 0, Math.PI, 0);
      paint.fill();
      blob('#231a16', 223 + sway, 126, 4, 5);
      blob('#231a16', 257 + sway, 126, 4, 5);
      paint.strokeStyle = '#231a16';
      paint.lineWidth = 3;
      paint.lineCap = 'round';
      paint.beginPath();
      paint.arc(240 + sway, 146, 16, 0.25, Math.PI - 0.25);
      paint.stroke();
    };
    setInterval(draw, 120);
    draw();
    if (video) return canvas.captureStream(8);
    const sound = new AudioContext();
    return sound.createMediaStreamDestination().stream;
  };
}"""


def create_session(server: Server, token: str) -> None:
    body = {
        "id": SESSION, "title": "Linear algebra, lesson 4: eigenvectors", "instructor": "Ada Lovelace", "guests": True,
        "admission": "open",
    }
    request = urllib.request.Request(
        f"{server.origin}/api/sessions/", json.dumps(body).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
    urllib.request.urlopen(request).close()


async def seat(browsers: Browsers, colours: list[str] | None) -> Person:
    context = await browsers.context("chromium")
    if colours:
        await context.add_init_script(f"({CAMERA})({json.dumps(colours)})")
    return Person(await context.new_page())


async def main(binary: str, out: str) -> None:
    log = Path(tempfile.mkstemp(prefix="rollcall-picture-", suffix=".log")[1])
    async with async_playwright() as playwright, Server(binary, log) as server:
        browsers = Browsers(playwright)
        token = subprocess.run(
            [binary, "token", "--secret-file", str(server.data / "secret"), "--sub", TEACHER[0], "--name", TEACHER[1], "--role", "host"],
            check=True, capture_output=True, text=True).stdout.strip()
        create_session(server, token)
        link = f"{server.origin}/#session={SESSION}"
        teacher = await seat(browsers, ["#93a8ac", "#eef2f1", "#e3b491", "#17664f", "#3b2416"])
        await teacher.enter(f"{link}&token={token}", camera=True, microphone=True)
        people = [teacher]
        for name, colours in STUDENTS:
            student = await seat(browsers, colours)
            await student.enter(link, name, camera=colours is not None, microphone=name.startswith("Grace"))
            await student.sees_view("waiting")
            people.append(student)
        await teacher.start_class()
        for person in people:
            await person.sees_count(len(people))
        for index, (speaker, text, question) in enumerate(CHAT):
            if question:
                await people[speaker].act_on_message(question, "Reply")
            await people[speaker].say(text)
            await expect(people[1].page.locator(".messages .message-text")).to_have_count(index + 1)
        await teacher.act_on_message(PINNED, "Pin")
        await people[4].page.get_by_role("button", name="Raise your hand").click()
        viewer = people[1]
        await expect(viewer.page.locator(".pinned")).to_have_count(1)
        await expect(viewer.page.locator(".tile-hand:visible")).to_have_count(1)
        cameras = 1 + sum(colours is not None for _, colours in STUDENTS)
        await viewer.shows_faces(cameras)

        async def settled() -> bool:
            frames = [call["frames"] for call in (await viewer.calls()).values()]
            connecting = await viewer.page.locator(".tile-note:visible").count()
            return connecting == 0 and sum(count > 10 for count in frames) == cameras - 1

        await poll(settled)
        await viewer.page.evaluate("document.activeElement.blur()")
        await viewer.page.screenshot(path=out)
        await browsers.close()
    log.unlink()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
