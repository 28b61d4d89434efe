"""Data folders that cannot be used: a clear sentence, exit 1, and nothing written; and damage, wherever it is.

Damage in the last batch is cut off, as a crash leaves it; anywhere else the folder is refused with file and offset. A
damaged snapshot is passed over while an older one and the journal make up for it. Of a damaged file in the history it is
said that this session cannot be read, and all else goes on.
"""

import asyncio
import hashlib
import json
import os
import re
import shutil
import subprocess

import checks
import lesson
import rollcall
import trace
import use

HEADER = 96  # of a segment


def fingerprint(folder):
    """Every name, kind, mode and content in a folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        kind = "link" if path.is_symlink() else "folder" if path.is_dir() else "file"
        content = os.readlink(path) if kind == "link" else hashlib.sha256(path.read_bytes()).hexdigest() if kind == "file" else ""
        found[str(path.relative_to(folder))] = (kind, path.lstat().st_mode, content)
    return found


def crc32c(data, crc=0):
    crc ^= 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


async def start(server):
    """Starts a server; nil when it is ready, what it said and its exit code when it ended."""
    server.start()
    try:
        await server.ready()
        return None
    except RuntimeError:
        if server.is_running:
            raise
        return server.process.returncode, server.log()


def sentence_problems(code, log):
    """A refusal is exit 1 and one line for a person."""
    lines = [line for line in log.strip().splitlines() if not re.match(r"\d{4}-\d\d-\d\dT\S+ info ", line)]
    problems = [] if code == 1 else [f"exit {code}, not 1"]
    if len(lines) != 1 or not lines[0].startswith("rollcall: ") or len(lines[0]) < 20:
        problems.append(f"not one sentence: {log[:500]!r}")
    return problems


async def refuse(binary, folder, what, data, words=(), watched=None):
    """A server on this data folder ends with exit 1 and a sentence with these words, and leaves everything as it is."""
    server = rollcall.Server(binary, folder / "runs", data=data)
    watched = watched or data
    before = fingerprint(watched) if watched.is_dir() else None
    ended = await start(server)
    if ended is None:
        server.kill()
        checks.check(what, ["the server started"])
        return
    problems = sentence_problems(*ended)
    problems += [f"{word!r} is not in {ended[1]!r}" for word in words if word not in ended[1]]
    if before is not None and fingerprint(watched) != before:
        problems.append(f"something was written: {set(fingerprint(watched).items()) ^ set(before.items())}")
    checks.check(what, problems)


async def test_folders(binary, folder):
    """Folders of others, of later versions, of nobody."""
    server = rollcall.Server(binary, folder / "good")
    server.start()
    await server.ready()
    class_ = lesson.Lesson(server, "class", rounds=2, ends=False)
    await class_.run()
    await server.terminate()
    good = server.data
    numbers = iter(range(1000))

    def copy():
        target = folder / f"copy{next(numbers)}"
        shutil.copytree(good, target, symlinks=True)
        return target

    data = copy()
    (data / "format").write_text("rollcall-data 9\n")
    await refuse(binary, folder, "a data folder of a newer version", data, [str(data), "format 9"])
    for text in ("", "rollcall-data", "rollcall-data 0\n", "rollcall-data x\n", "other 1\n"):
        data = copy()
        (data / "format").write_text(text)
        await refuse(binary, folder, f"a format file with {text!r}", data, [str(data)])
    data = copy()
    (data / "format").unlink()
    await refuse(binary, folder, "a journal without a format file", data, [str(data)])
    data = copy()
    journal = sorted(data.glob("journal-*"))[-1]
    content = bytearray(journal.read_bytes())
    content[8] = 99
    content[92:96] = crc32c(content[:92]).to_bytes(4, "little")
    journal.write_bytes(content)
    await refuse(binary, folder, "a segment of a newer version", data, [journal.name, "format 99"])
    data = copy()
    for path in data.glob("journal-*"):
        path.write_bytes(b"")
        path.rename(data / "journal-00000000000000000900.rcj")
    await refuse(binary, folder, "a journal of which only an empty later segment is left", data, ["journal-00000000000000000900.rcj"])
    data = copy()
    journal = sorted(data.glob("journal-*"))[-1]
    journal.rename(folder / journal.name)
    journal.symlink_to(folder / journal.name)
    await refuse(binary, folder, "a segment that is a link", data, [journal.name])
    data = copy()
    (data / "lock").unlink()
    (data / "lock").symlink_to(folder / "elsewhere")
    await refuse(binary, folder, "a lock that is a link", data, [str(data)])
    checks.check("nothing is made where the link points", ["it is"] if (folder / "elsewhere").exists() else [])

    file = folder / "file"
    file.write_text("of somebody else")
    await refuse(binary, folder, "a data folder that is a file", file, [str(file)])
    checks.check("the file is what it was", [] if file.read_text() == "of somebody else" else ["it is not"])
    link = folder / "link"
    link.symlink_to(folder / "nowhere")
    await refuse(binary, folder, "a data folder that is a link to nowhere", link, [str(link)])
    checks.check("nothing is made where it points", ["it is"] if (folder / "nowhere").exists() else [])
    await refuse(binary, folder, "a data folder whose parent is missing", folder / "no" / "data", [str(folder / "no")])
    checks.check("the parent is not made", ["it is"] if (folder / "no").exists() else [])

    data = copy()
    subprocess.run(["mount", "--bind", str(data), str(data)], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", str(data)], check=True)
    await refuse(binary, folder, "a data folder on a disk that is read-only", data, [str(data), "ead-only"])
    subprocess.run(["umount", str(data)], check=True)

    mine = folder / "mine"
    mine.mkdir()
    (mine / "letter.txt").write_text("dear")
    (mine / "journal-notes.txt").write_text("diary")
    (mine / "pictures").mkdir()
    before = fingerprint(mine)
    other = rollcall.Server(binary, folder / "runs", data=mine)
    if await start(other) is None:
        await other.terminate()
    after = fingerprint(mine)
    checks.check("what else is in a folder is left alone", [f"{name} is not" for name in before if after.get(name) != before[name]])

    # After all that, the folder itself.
    server.start()
    await server.ready()
    checks.check("the folder that all were copies of is still good", await class_.verify(server))
    result = await asyncio.to_thread(use.run_to_the_end, server.command(port=rollcall.free_port()), folder)
    checks.check("a data folder that another server holds", sentence_problems(result.returncode, result.stderr))
    checks.check("the server that holds it goes on", await class_.verify(server))
    await server.terminate()


def batches(segment):
    """Of each batch in a segment: the first byte, the byte behind it, the texts in it."""
    position = HEADER
    found = []
    while position + 36 <= len(segment):
        end = position + 36 + int.from_bytes(segment[position + 16:position + 20], "little")
        texts = []
        for _, kind, payload in trace.records_of(segment[position:end]):
            if kind == trace.CHAT:
                texts.append(json.loads(payload)["text"])
        found.append((position, end, texts))
        position = end
    return found


async def test_damage(binary, folder, dice, sample):
    """One cut or flipped bit at a time, in each file of a real folder."""
    server = rollcall.Server(binary, folder / "made", options=("--snapshot-interval", "150ms", "--archive-after", "50ms"))
    server.start()
    await server.ready()
    classes = []
    while (len(list(server.data.glob("snapshot-*.rcs"))) < 2 or len(list(server.data.glob("history/*.rch"))) < 2) and len(classes) < 50:
        classes.append(lesson.Lesson(server, f"class-{len(classes)}", rounds=4, ends=len(classes) < 2))
        await classes[-1].run()
        await asyncio.sleep(0.2)
    classes.append(lesson.Lesson(server, "last", rounds=6, ends=False))
    await classes[-1].run()
    server.kill()
    files = sorted(path.relative_to(server.data) for path in server.data.rglob("*") if path.is_file() and path.name != "lock")
    last = max(path.name for path in files if path.name.startswith("journal-"))
    snapshots = [path.name for path in files if path.name.startswith("snapshot-")]
    histories = [path.name for path in files if path.parent.name == "history"]
    checks.check("the folder has snapshots, a journal and a history to damage", [] if len(snapshots) == 2 and len(histories) == 2 else [f"{files}"])
    segment = (server.data / last).read_bytes()
    parts = batches(segment)
    outcomes = {"recovered": 0, "refused": 0}
    for number in range(sample):
        name = dice.choice(files)
        size = (server.data / name).stat().st_size
        cut = dice.random() < 0.4
        # Headers and ends are where it matters most.
        place = dice.choice((dice.randrange(size), min(size - 1, dice.randrange(120)), max(0, size - 1 - dice.randrange(400))))
        bit = dice.randrange(8)
        data = folder / "damaged"
        shutil.copytree(server.data, data)
        path = data / name
        if cut:
            os.truncate(path, place)
        else:
            content = bytearray(path.read_bytes())
            content[place] ^= 1 << bit
            path.write_bytes(content)
        where = f"{name} {'cut' if cut else f'with bit {bit} flipped'} at {place} of {size}"
        before = fingerprint(data)
        one = rollcall.Server(binary, folder / "runs", data=data)
        ended = await start(one)
        if ended is None:
            outcomes["recovered"] += 1
            problems = []
            lost = {text for begin, end, texts in parts if end > place for text in texts} if name.name == last else set()
            if name.name.startswith("journal-") and name.name != last:
                problems.append("a journal that is damaged before its end was read")
            if name.name == last and not cut and place < parts[-1][0]:
                problems.append("a last segment that is damaged before its last batch was read")
            for class_ in classes:
                problems += await damaged_history_problems(one, class_, lost, name.name == f"{class_.name}.rch")
            one.kill()
        else:
            outcomes["refused"] += 1
            problems = sentence_problems(*ended)
            if fingerprint(data) != before:
                problems.append("something was written into a folder that was refused")
            if name.name not in ("format", "report-key.pem"):
                if name.name not in ended[1]:
                    problems.append(f"the file is not named: {ended[1]!r}")
                if not re.search(r"at byte \d+|missing", ended[1]):
                    problems.append(f"no offset: {ended[1]!r}")
            if name.name in histories:
                problems.append("one damaged file of the history is no reason to refuse")
            if name.name in snapshots:
                problems.append("one damaged snapshot of two is no reason to refuse")
            if name.name == last and (cut and place > HEADER or not cut and place >= parts[-1][0]):
                problems.append("a damaged end is no reason to refuse")
        checks.check(where, problems)
        shutil.rmtree(data)
    checks.say(f"{sample} damages: {outcomes['recovered']} recovered, {outcomes['refused']} refused")


async def damaged_history_problems(server, class_, lost, is_damaged):
    """Everything that was said is there, but for the texts of the batches that the damage was in; nothing else is.

    `is_damaged`: it is said that the session cannot be read, and nothing of it is shown.
    """
    status, shown = await asyncio.to_thread(
        server.request, "GET", f"/api/sessions/{class_.name}/", rollcall.token("host", "host"))
    if status != 200:
        return [] if set(class_.judge.acknowledged) <= lost else [f"the session {class_.name} is {status}"]
    if shown["status"] == "scheduled":
        return [] if set(class_.judge.acknowledged) <= lost else ["the session is not started"]
    try:
        _, history = await rollcall.read_history(server, class_.name)
    except rollcall.Unavailable as error:
        return [] if is_damaged else [f"{class_.name} cannot be read: {error}"]
    problems = [f"{class_.name} is read from a damaged file"] if is_damaged else []
    by_seq = {message["seq"]: message for message in history}
    texts = [message["text"] for message in history]
    if len(set(texts)) != len(texts) or len(by_seq) != len(texts):
        problems.append("something is there twice")
    for text, answer in class_.judge.acknowledged.items():
        if text in lost:
            continue
        message = by_seq.get(answer.seq)
        if not message or (message["text"], message["at"], message["message_id"]) != (text, answer.at, answer.message_id):
            problems.append(f"{text!r} was acknowledged as {answer}, and is {message}")
    problems += [f"{text!r} was never said" for text in texts if text not in class_.judge.sent]
    return problems


async def test(binary, folder, dice, sample):
    await test_folders(binary, folder)
    (folder / "damage").mkdir()
    await test_damage(binary, folder / "damage", dice, sample)
