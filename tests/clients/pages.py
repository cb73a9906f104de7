"""Pages of another origin than the gateway, and a browser that opens them."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
import threading
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from tests.clients.botos import SharedTestCase, make_client
from tests.clients.support import missing
from tests.clients.websites import website_server


class _Empty(BaseHTTPRequestHandler):
    """An empty page, whatever is asked for."""

    def do_GET(self) -> None:
        """Show it."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *values: Any) -> None:
        """Say nothing."""


@cache
def page_port() -> int:
    """The port of a server of empty pages, which has two origins: by the name of this machine, and by its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Empty)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    atexit.register(server.shutdown)
    return server.server_port


@cache
def browser() -> webdriver.Chrome:
    """Debian's Chromium, without a window; it ends with this process."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    folder = tempfile.mkdtemp(prefix="ozgate-chromium-")
    for each in (
        "--headless=new",
        # It is started by root in containers, which have little shared memory.
        "--no-sandbox",
        "--disable-dev-shm-usage",
        f"--user-data-dir={folder}",
    ):
        options.add_argument(each)
    driver = webdriver.Chrome(options, Service(shutil.which("chromedriver")))
    driver.set_script_timeout(30)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(driver.quit)
    return driver


class PageTestCase(SharedTestCase):
    """A bucket, and a browser.

    :ivar port: of websites.
    :ivar origin: of the pages that may ask the bucket.
    :ivar other: of those that may not.
    """

    def setUp(self) -> None:
        """Make a bucket whose rules let one origin in."""
        super().setUp()
        for program in ("chromium", "chromedriver"):
            if shutil.which(program) is None:
                missing(self, f"{program} is not installed: .ci/install-clients does")
        self.server, self.port = website_server()
        self.s3 = make_client(self.server.url, signature_version="s3v4")
        self.s3.create_bucket(Bucket=self.bucket)
        self.driver = browser()
        self.origin = f"http://127.0.0.1:{page_port()}"
        self.other = f"http://localhost:{page_port()}"
        rule = {
            "AllowedOrigins": [self.origin],
            "AllowedMethods": ["PUT", "POST", "GET"],
            "AllowedHeaders": ["content-type"],
            "ExposeHeaders": ["ETag"],
        }
        self.s3.put_bucket_cors(
            Bucket=self.bucket, CORSConfiguration={"CORSRules": [rule]}
        )

    def run_in(self, origin: str, script: str, *values: Any) -> Any:
        """Have a page of an origin run a script, whose promise becomes an object; or the name of what failed.

        :param script: the body of a function of ``values``.
        """
        self.driver.get(origin)
        whole = (
            "const done = arguments[arguments.length - 1];"
            f"(async (values) => {{ {script} }})({json.dumps(values)})"
            ".then(done, (error) => done({failed: error.name}))"
        )
        return self.driver.execute_async_script(whole)

    def keys(self) -> list[str]:
        """What is in the bucket."""
        listed = self.s3.list_objects_v2(Bucket=self.bucket)
        return [row["Key"] for row in listed.get("Contents", ())]
