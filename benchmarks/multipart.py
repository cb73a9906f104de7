"""CompleteMultipartUpload of 10,000 parts, and CopyObject of 5 GiB.

The parts are UploadPartCopies of one object, so that 10,000 parts of 5 MiB need no 50 GiB of disk.
Run ``python -m benchmarks.multipart [parts]``.
"""

from __future__ import annotations

import re
import statistics
import time

from benchmarks.measure import GIB, MIB, argument, gateway, upload, verdict


def main() -> int:
    """Print the figures; 1 when one misses."""
    parts = int(argument(__doc__, "parts", 10_000))
    with gateway() as server:
        server.must("PUT", "/bucket")
        upload(server, "/bucket/source", 5 * MIB)
        answer = server.must("POST", "/bucket/many?uploads=")
        upload_id = re.search(rb"<UploadId>(.*?)</UploadId>", answer)[1].decode()  # type: ignore[index]
        listed = []
        for number in range(1, parts + 1):
            target = f"/bucket/many?partNumber={number}&uploadId={upload_id}"
            answer = server.must(
                "PUT", target, **{"x_amz_copy_source": "/bucket/source"}
            )
            etag = re.search(rb"<ETag>(.*?)</ETag>", answer)[1].decode()  # type: ignore[index]
            listed.append(
                f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
            )
            if number % 1000 == 0:
                print(f"     {number} parts", flush=True)
        document = f"<CompleteMultipartUpload>{''.join(listed)}</CompleteMultipartUpload>".encode()
        started = time.monotonic()
        server.must("POST", f"/bucket/many?uploadId={upload_id}", document)
        complete = time.monotonic() - started
        upload(server, "/bucket/large", 5 * GIB)
        copies = []
        for number in range(5):
            started = time.monotonic()
            server.must(
                "PUT",
                f"/bucket/copy-{number}",
                **{"x_amz_copy_source": "/bucket/large"},
            )
            copies.append(time.monotonic() - started)
    results = [
        verdict(f"Complete of {parts} parts", complete, 1.5, at_most=True, unit=" s"),
        verdict(
            "CopyObject of 5 GiB",
            statistics.median(copies) * 1000,
            50,
            at_most=True,
            unit=" ms",
        ),
    ]
    return 0 if all(results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
