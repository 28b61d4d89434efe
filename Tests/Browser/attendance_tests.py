"""Attendance: live for those who lead, the own row for everybody, and the report to keep."""

import csv
import io
import json
from pathlib import Path

from playwright.async_api import expect


async def attendance_is_live(stage):
    """the host sees who has been here while the class goes on, and downloads it; a participant sees the own attendance"""
    server, browsers = stage.server, stage.browsers
    host = await browsers.person("chromium")
    grace = await browsers.person("chromium")
    alan = await browsers.person("firefox")
    await host.begin_class(server.host_link)
    await host.open_panel("Manage")
    rows = host.page.locator("rollcall-attendance tbody tr")
    await grace.enter(server.guest_link, "Grace Hopper")
    await expect(rows.filter(has_text="Grace Hopper")).to_contain_text("here", timeout=40_000)
    await expect(host.page.locator(".attendance-summary")).to_contain_text("1 here now")
    await alan.enter(server.guest_link, "Alan Turing")
    await expect(rows.filter(has_text="Alan Turing")).to_contain_text("here", timeout=40_000)
    await grace.page.get_by_role("button", name="Leave class").click()
    await expect(host.page.locator(".attendance-summary")).to_contain_text("1 here now", timeout=40_000)
    await expect(rows.filter(has_text="Grace Hopper")).not_to_contain_text("here")
    await stage.picture(host, "attendance-live")

    async with host.page.expect_download() as download:
        await host.page.get_by_role("button", name="Download CSV").click()
    report = list(csv.DictReader(io.StringIO(Path(await (await download.value).path()).read_text(encoding="utf-8"))))
    assert {"Grace Hopper", "Alan Turing"} <= {row["name"] for row in report}, report
    async with host.page.expect_download() as download:
        await host.page.get_by_role("button", name="Download signed report").click()
    document = json.loads(Path(await (await download.value).path()).read_text(encoding="utf-8"))
    assert document["signature"]["algorithm"] == "Ed25519" and document["totals"]["attended"] == 2, document

    await host.page.get_by_role("button", name="Leave class").click()
    await host.page.get_by_role("button", name="End class for everyone").click()
    await alan.sees_view("ended")
    await expect(alan.page.locator(".own-attendance")).to_contain_text("You were here for")
    await expect(alan.page.get_by_role("table")).to_have_count(0)
    await expect(alan.page.get_by_role("button", name="Download your certificate")).to_be_visible()
    await expect(host.page.get_by_role("table")).to_contain_text("Alan Turing")
    await stage.picture(host, "ended-attendance")


attendance_is_live.server_options = ("--attendance-interval", "1s")


async def class_is_opened_again(stage):
    """an ended class is opened again by its host, and who was reading is in it"""
    server, browsers = stage.server, stage.browsers
    host = await browsers.person("chromium")
    grace = await browsers.person("chromium")
    await host.enter(server.host_link)
    await grace.enter(server.guest_link, "Grace Hopper")
    await grace.sees_view("waiting")
    await host.start_class()
    await grace.sees_view("present")
    await grace.say("Before")
    await host.sees_messages(["Before"])
    await host.page.get_by_role("button", name="Leave class").click()
    await host.page.get_by_role("button", name="End class for everyone").click()
    await grace.sees_view("ended")
    await host.page.get_by_role("button", name="Open the class again").click()
    for person in [host, grace]:
        await person.sees_view("present")
        await person.sees_count(2)
        await person.sees_messages(["Before"])


TESTS = [attendance_is_live, class_is_opened_again]
