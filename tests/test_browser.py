"""The page in a real browser: a whole tip with a photo, by finger and by keyboard alone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.server import Server, Wire, a_file

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]

if CHROMIUM is None and not os.environ.get("CI"):
    pytest.skip(
        "NO BROWSER: the page is NOT tested. Install one: apt-get install chromium",
        allow_module_level=True,
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("browser"), models).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM is not None, "CI needs chromium; .ci/run installs it"
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 360, "height": 740}, has_touch=True)
    opened = context.new_page()
    faults: list[str] = []
    strangers: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on(
        "request",
        lambda r: strangers.append(r.url) if not r.url.startswith((server.url, "blob:")) else None,
    )
    opened.goto(server.url)
    yield opened
    assert faults == []
    assert strangers == [], "the page asked somebody else"
    context.close()


def press(page: Page, label: str) -> None:
    page.get_by_role("button", name=label, exact=True).last.click()


def type_in(page: Page, words: str) -> None:
    page.get_by_role("textbox").fill(words)
    page.keyboard.press("Enter")


def test_a_tip_with_a_photo_is_told_on_a_small_phone(page: Page, tmp_path: Path) -> None:
    photo = tmp_path / "anh.jpg"
    photo.write_bytes(a_file("photo", 5))
    welcome(page)
    press(page, "Báo tin, tố giác")
    press(page, "Tố giác, tin báo về tội phạm, vi phạm")
    type_in(page, "co nguoi dang danh nhau o dau hem")
    expect(page.get_by_text("113 – Công an")).to_be_visible()
    press(page, "Không nhớ, không rõ")
    press(page, "Hôm nay")
    page.locator("input[type=file]").set_input_files(photo)
    press(page, "Xong")
    press(page, "Không")
    press(page, "Tự xem lại bằng mã hồ sơ")
    expect(page.get_by_text("Xin xem lại trước khi gửi")).to_be_visible()
    press(page, "Gửi nội dung này")
    expect(page.get_by_text("MÃ HỒ SƠ CỦA ÔNG/BÀ")).to_be_visible()
    press(page, "Đã lưu")
    expect(page.get_by_text("không còn gì nối cuộc trò chuyện này")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def welcome(page: Page) -> None:
    press(page, "Đồng ý")
    expect(page.get_by_text("máy đọc và gợi ý")).to_be_visible()
    press(page, "Đồng ý")
    expect(page.get_by_text("Ông/bà cần gì?")).to_be_visible()


def test_the_page_opened_again_goes_on_where_the_talk_stood(page: Page) -> None:
    welcome(page)
    press(page, "Phản ánh, góp ý, khen ngợi")
    press(page, "Kiến nghị")
    expect(page.get_by_text("Xin viết ý kiến của ông/bà")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Xin viết ý kiến của ông/bà")).to_be_visible()


def test_a_keyboard_alone_is_enough(page: Page) -> None:
    expect(page.get_by_role("button", name="Không đồng ý")).to_be_visible()
    page.get_by_role("button", name="Đồng ý", exact=True).last.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("máy đọc và gợi ý")).to_be_visible()
    page.get_by_role("textbox").focus()
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Ông/bà cần gì?")).to_be_visible()


def test_an_invitation_link_enrols_and_leaves_the_address_bar(
    browser: Browser, server: Server
) -> None:
    code = Wire(server).invite("supervisor", "tinh")
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{server.url}/?moi={code}")
    expect(page.get_by_text("vai trò lãnh đạo, chỉ huy")).to_be_visible()
    press(page, "Nhận lời")
    expect(page.get_by_text("Đã ghi danh")).to_be_visible()
    assert code not in page.url
    context.close()


def test_what_is_said_without_network_arrives_once_it_is_back(page: Page) -> None:
    welcome(page)
    page.context.set_offline(True)
    type_in(page, "góp ý")
    page.context.set_offline(False)
    expect(page.get_by_text("Khen hay chê đều được ghi nhận")).to_be_visible(timeout=20_000)
