# SPDX-License-Identifier: Apache-2.0
"""Look at the built pages in Chromium, without a window: do they fit, do their scripts work?

Arguments: the folder with the pages. Every page is laid out for a desktop and for a phone, and its
text must stand out from the background, light and dark. Then the search, the menu of the phone, the
switch between light and dark and the buttons that copy are used as a reader uses them. Leaves with
1, and with what is wrong, if anything is. A page that is too wide and too pale, planted beside the
others, must be found, or nothing else is believed.

--shots FOLDER takes pictures of --page (index.html) instead: desktop and phone, light and dark.
"""

from __future__ import annotations

import argparse
import atexit
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from tools.setup.bootstrap import install_system_packages

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless",
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    "--hide-scrollbars",  # a phone's take no room
)
WIDTHS = (1280, 390)
HEIGHTS = (900, 844)
THEMES = ("light", "dark")
PATIENCE = 180  # seconds for all of it

TOO_WIDE = """<!DOCTYPE html><body style="background: #888">
<div style="width: 3000px">too wide</div>
<article><p style="color: #777">too pale</p></article>"""
SHOT = """<!DOCTYPE html><body style="margin: 0"><script>
localStorage.setItem("theme", "THEME");
document.write('<iframe src="PAGE" style="width: WIDTHpx; height: HEIGHTpx; border: 0">');
</script>"""
LOOK = r"""<!DOCTYPE html><meta charset="utf-8"><script>
const pages = PAGES, widths = WIDTHS, wrong = [];
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

async function open(page, width) {
  document.body.replaceChildren();
  const frame = document.createElement("iframe");
  frame.style.cssText = `width: ${width}px; height: 844px; border: 0`;
  const loaded = new Promise((done) => { frame.onload = done; });
  frame.src = page;
  document.body.append(frame);
  await loaded;
  return frame.contentDocument;
}

async function until(holds) {
  for (let i = 0; i < 100; i++) {
    if (holds()) return true;
    await sleep(50);
  }
  return false;
}

async function fits(page, width) {
  const there = await open(page, width);
  const root = there.documentElement;
  if (root.scrollWidth > root.clientWidth)
    wrong.push(`${page}: ${root.scrollWidth} pixels wide where there are ${width}`);
  for (const title of there.querySelectorAll("h1 code"))
    if (title.getClientRects().length > 1)
      wrong.push(`${page}: the title ${title.textContent} breaks in a word at ${width}`);
  for (const picture of there.querySelectorAll("svg.picture"))
    if (picture.getBoundingClientRect().width < 200)
      wrong.push(`${page}: a picture cannot be seen at ${width}`);
}

const numbers = (color) => (color.match(/[\d.]+/g) || []).map(Number);

function luminance(color) {
  const [r, g, b] = numbers(color).map((part) => {
    const share = part / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function behind(element) {
  for (let at = element; at; at = at.parentElement) {
    const color = getComputedStyle(at).backgroundColor;
    const [, , , alpha = 1] = numbers(color);
    if (color.startsWith("rgb") && alpha > 0.5) return color;
  }
  return "rgb(255, 255, 255)";
}

async function stands_out(page) {
  const there = await open(page, widths[0]);
  for (const theme of THEMES) {
    if (there.body) there.body.dataset.theme = theme;
    for (const text of there.querySelectorAll("article :is(h1, h2, h3, p, li, td, th, dt, a)")) {
      if (!text.textContent.trim()) continue;
      const two = [getComputedStyle(text).color, behind(text)].map(luminance).sort((a, b) => b - a);
      const contrast = (two[0] + 0.05) / (two[1] + 0.05);
      if (contrast >= 4.5) continue;
      const what = text.textContent.trim().slice(0, 30);
      wrong.push(`${page}: "${what}" is too pale (${contrast.toFixed(1)}, ${theme})`);
      break;
    }
  }
}

async function works() {
  let there = await open("search.html?q=Secure+Cell", widths[0]);
  const hits = () => [...there.querySelectorAll("ul.search li > a")].map((a) => a.textContent);
  if (!await until(() => hits().includes("Secure Cell")))
    wrong.push("search.html: the page Secure Cell is not found by its name");

  there = await open("start.html", widths[0]);
  const theme = () => there.body.dataset.theme;
  const seen = new Set();
  const button = [...there.querySelectorAll("button.theme-toggle")].find((b) => b.offsetWidth);
  for (let i = 0; button && i < 3; i++) { seen.add(theme()); button.click(); await sleep(50); }
  if (seen.size !== 3) wrong.push(`start.html: the switch gives ${[...seen]}, not three themes`);
  const blocks = there.querySelectorAll("div.highlight").length;
  const buttons = there.querySelectorAll("div.highlight button.copybtn").length;
  if (!blocks || blocks !== buttons)
    wrong.push(`start.html: ${buttons} buttons that copy for ${blocks} examples`);

  there = await open("start.html", widths[1]);
  const menu = () => there.querySelector(".sidebar-drawer").getBoundingClientRect();
  if (menu().right > 0) wrong.push("start.html: the menu stands open on a phone");
  there.querySelector(".mobile-header label[for=__navigation]").click();
  if (!await until(() => menu().left >= 0))
    wrong.push("start.html: the menu does not open on a phone");
}

addEventListener("load", async () => {
  try {
    await fits("TOO_WIDE.html", widths[1]);
    if (!wrong.splice(0).length) wrong.push("a planted page that is too wide was not noticed");
    await stands_out("TOO_WIDE.html");
    if (!wrong.splice(0).length) wrong.push("a planted page that is too pale was not noticed");
    for (const width of widths) for (const page of pages) await fits(page, width);
    for (const page of pages) await stands_out(page);
    await works();
  } catch (error) {
    wrong.push(`the look ended early: ${error}`);
  }
  await fetch("/FOUND", {method: "POST", body: JSON.stringify(wrong)});
});
</script><body></body>"""


class Site(SimpleHTTPRequestHandler):
    """Serves the pages, the one that looks at them, and the planted one; takes what was found."""

    def __init__(self, found: queue.Queue[list[str]], folder: Path, *arguments: object) -> None:
        self._found = found
        self._made = {"/LOOK.html": look(folder), "/TOO_WIDE.html": TOO_WIDE}
        super().__init__(*arguments, directory=str(folder))  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Answer with a page of our own, or a file of the site."""
        path, _, asked = self.path.partition("?")
        made = shot(asked) if path == "/SHOT.html" else self._made.get(path)
        if made is None:
            with suppress(ConnectionError):  # another page was opened meanwhile
                super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(made.encode())

    def do_POST(self) -> None:
        """Take what was found."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
        self._found.put(json.loads(body))

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: what is missing shows as something that is wrong."""


def look(folder: Path) -> str:
    """Write the page that opens all others."""
    pages = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.html"))
    text = LOOK.replace("PAGES", json.dumps([page for page in pages if page[0] != "_"]))
    return text.replace("WIDTHS", json.dumps(WIDTHS)).replace("THEMES", json.dumps(THEMES))


def shot(asked: str) -> str:
    """Write the page that shows another one in a size and a theme, `PAGE&0&dark` for example."""
    page, size, theme = asked.split("&")
    text = SHOT.replace("THEME", theme).replace("PAGE", page)
    width, height = WIDTHS[int(size)], HEIGHTS[int(size)]
    return text.replace("WIDTH", str(width)).replace("HEIGHT", str(height))


def main() -> None:
    """Look at the folder that is named on the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shots", type=Path, help="take pictures into this folder")
    parser.add_argument("--page", default="index.html", help="of this page")
    options = parser.parse_args()
    folder: Path = options.folder
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        install_system_packages(["chromium"])
        browser = "chromium"
    if options.shots:
        options.shots.mkdir(parents=True, exist_ok=True)
        take_shots(browser, folder.resolve(), options.page, options.shots)
        return
    wrong = browse(browser, folder.resolve())
    for problem in wrong:
        print(problem)
    print(f"{folder}: looked at in {Path(browser).name}, {len(wrong)} problems")
    sys.exit(1 if wrong else 0)


def browse(browser: str, folder: Path) -> list[str]:
    """List what is wrong with the pages of a folder."""
    with serving(folder) as (found, address):
        # With a port for a debugger it stays; without, it would print the page and end.
        running = started(browser, "--remote-debugging-port=0", f"{address}/LOOK.html")
        try:
            return found.get(timeout=PATIENCE)
        except queue.Empty:
            return [f"{browser} did not come to an end in {PATIENCE} seconds"]
        finally:
            running.terminate()
            running.wait()


def take_shots(browser: str, folder: Path, page: str, to: Path) -> None:
    """Take a picture of a page in each size and theme."""
    with serving(folder) as (_, address):
        for size, device in enumerate(("desktop", "phone")):
            for theme in THEMES:
                picture = to / f"{Path(page).stem}-{device}-{theme}.png"
                window = f"--window-size={WIDTHS[size]},{HEIGHTS[size]}"
                options = (f"--screenshot={picture}", window, "--virtual-time-budget=5000")
                started(browser, *options, f"{address}/SHOT.html?{page}&{size}&{theme}").wait()
                print(picture)


@contextmanager
def serving(folder: Path) -> Iterator[tuple[queue.Queue[list[str]], str]]:
    """Serve a folder; what is found there, and the address."""
    found: queue.Queue[list[str]] = queue.Queue()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Site, found, folder))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield found, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()


def started(browser: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Start the browser with a profile of its own."""
    # Chromium refuses its sandbox to root; what it opens are our own pages.
    sandbox = ["--no-sandbox"] if os.name == "posix" and os.geteuid() == 0 else []
    profile = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, profile, ignore_errors=True)
    command = [browser, *OPTIONS, *sandbox, f"--user-data-dir={profile}", *arguments]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
